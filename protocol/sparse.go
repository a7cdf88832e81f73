package protocol

import (
	"encoding/json"

	"github.com/skladom/skladom/stock"
)

// sparseCounts are stock.Counts without those that are 0. Reports have them all;
// what activities answer lies in histories only.
type sparseCounts struct {
	KrosItems int `json:"krosItems,omitempty"`
	Updated   int `json:"updated,omitempty"`
	Unchanged int `json:"unchanged,omitempty"`
	Unmatched int `json:"unmatched,omitempty"`
	Ambiguous int `json:"ambiguous,omitempty"`
	Skipped   int `json:"skipped,omitempty"`
	Rejected  int `json:"rejected,omitempty"`
	Held      int `json:"held,omitempty"`
	Missing   int `json:"missing,omitempty"`
	Products  int `json:"products,omitempty"`
	Raised    int `json:"raised,omitempty"`
	Lowered   int `json:"lowered,omitempty"`
	Zeroed    int `json:"zeroed,omitempty"`
	Shared    int `json:"shared,omitempty"`
	Conflicts int `json:"conflicts,omitempty"`
}

// MarshalJSON leaves out counts that are 0.
func (m Matched) MarshalJSON() ([]byte, error) {
	type plain Matched
	return json.Marshal(struct {
		plain
		Counts sparseCounts `json:"counts"`
	}{plain(m), sparseCounts(m.Counts)})
}

// MarshalJSON leaves out counts that are 0.
func (w Written) MarshalJSON() ([]byte, error) {
	type plain Written
	return json.Marshal(struct {
		plain
		Counts sparseCounts `json:"counts"`
	}{plain(w), sparseCounts(w.Counts)})
}

var _ = stock.Counts(sparseCounts{}) // a count that is added there is added here
