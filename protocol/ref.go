package protocol

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Ref points to an object in the archive. Bucket is the id of the bucket, so
// that a worker with another bucket notices; SHA256 is over the stored bytes.
//
// A pass carries some 20 of them through its histories, so it travels as one
// text of three words: key without its extension, bucket and hash together in
// base64url, rows. What does not fit into that travels as an object with the
// names below, which is also how all were written before, and stays readable.
type Ref struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	SHA256 string `json:"sha256"`
	Rows   int    `json:"rows"`
}

// Zero tells whether the reference points nowhere.
func (r Ref) Zero() bool { return r.Key == "" }

// plainRef is a Ref as an object.
type plainRef Ref

// What the short form takes for granted: how keys end, and the bytes of a
// bucket's id and of a hash.
const (
	extension   = ".jsonl.zst"
	bucketBytes = 16
	hashBytes   = 32
)

// MarshalJSON writes the short form of what has one.
func (r Ref) MarshalJSON() ([]byte, error) {
	if r == (Ref{}) {
		return []byte(`""`), nil
	}
	if text := r.text(); text != "" {
		return json.Marshal(text)
	}
	return json.Marshal(plainRef(r))
}

// UnmarshalJSON reads both forms.
func (r *Ref) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '"' {
		return json.Unmarshal(data, (*plainRef)(r))
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read a reference: %w", err)
	}
	read, err := parseRef(text)
	if err != nil {
		return fmt.Errorf("read the reference %.300q: %w", text, err)
	}
	*r = read
	return nil
}

// text is the short form, empty where that would not say the same.
func (r Ref) text() string {
	bucket, err := hex.DecodeString(strings.ReplaceAll(r.Bucket, "-", ""))
	if err != nil || len(bucket) != bucketBytes || r.Bucket != bucketID(bucket) {
		return ""
	}
	hash, err := hex.DecodeString(r.SHA256)
	if err != nil || len(hash) != hashBytes || r.SHA256 != hex.EncodeToString(hash) {
		return ""
	}
	key, ends := strings.CutSuffix(r.Key, extension)
	if !ends || strings.Contains(key, " ") {
		return ""
	}
	return key + " " + base64.RawURLEncoding.EncodeToString(append(bucket, hash...)) + " " + strconv.Itoa(r.Rows)
}

func parseRef(text string) (Ref, error) {
	if text == "" {
		return Ref{}, nil
	}
	words := strings.Split(text, " ")
	if len(words) != 3 {
		return Ref{}, fmt.Errorf("it has %d words instead of 3", len(words))
	}
	sums, err := base64.RawURLEncoding.DecodeString(words[1])
	if err != nil {
		return Ref{}, fmt.Errorf("bucket and hash: %w", err)
	}
	if len(sums) != bucketBytes+hashBytes {
		return Ref{}, fmt.Errorf("bucket and hash have %d bytes instead of %d", len(sums), bucketBytes+hashBytes)
	}
	rows, err := strconv.Atoi(words[2])
	if err != nil {
		return Ref{}, fmt.Errorf("rows: %w", err)
	}
	return Ref{Bucket: bucketID(sums[:bucketBytes]), Key: words[0] + extension, SHA256: hex.EncodeToString(sums[bucketBytes:]), Rows: rows}, nil
}

// bucketID is a UUID as it is written.
func bucketID(b []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
