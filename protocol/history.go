package protocol

// History is the workflow that reads the records of a shop's passes.
const History = "History"

// HistoryID is the id of a look at a shop's history.
func HistoryID(shop, unique string) string { return "history:" + shop + ":" + unique }

// InspectPass is the record of a pass, for Inspect.
const InspectPass = "pass"

// RecordRequest asks to keep the record of a pass that has ended.
type RecordRequest struct {
	Shop   string     `json:"shop"`
	Pass   int64      `json:"pass"`
	Record PassRecord `json:"record"`
	// SamplesOfPlan tells that the report has left out its samples, which are those
	// of the plan.
	SamplesOfPlan bool `json:"samplesOfPlan,omitempty"`
}

// HistoryRequest asks for the records of a shop's passes, newest first.
type HistoryRequest struct {
	Shop   string `json:"shop"`
	Before int64  `json:"before,omitempty"` // only passes with a lower number; 0: all
	Limit  int    `json:"limit,omitempty"`  // at most and by default MaxHistoryRecords
}

// MaxHistoryRecords is how many records a page of the history has at most. It
// has fewer where they would not fit into MaxInspectBytes.
const MaxHistoryRecords = 50

// HistoryPage is a page of the history. A pass that wrote and left no record,
// since it was ended by force, is in it with its number, time and receipts
// alone. Next is HistoryRequest.Before of the next page, 0 at the end.
type HistoryPage struct {
	Records []PassRecord `json:"records"`
	Next    int64        `json:"next,omitempty"`
}

// SettingChange is a setting that differs between two passes, by its name in
// the shop's file, for people.
type SettingChange struct {
	Setting string `json:"setting"`
	Before  string `json:"before"`
	After   string `json:"after"`
}
