package protocol

// RecordRequest asks to keep the record of a pass that has ended.
type RecordRequest struct {
	Shop   string     `json:"shop"`
	Pass   int64      `json:"pass"`
	Record PassRecord `json:"record"`
}
