package protocol

import (
	"time"

	"github.com/skladom/skladom/stock"
)

// Worklist is the workflow that lists what waits for a person to put it right.
const Worklist = "Worklist"

// WorklistID is the id of the making of a worklist.
func WorklistID(shop, unique string) string { return "worklist:" + shop + ":" + unique }

// InspectWorklist are the rows of a worklist, for Inspect: stock.WorkRow.
const InspectWorklist = "worklist"

// WorklistRequest is the input of Worklist.
type WorklistRequest struct {
	Shop string `json:"shop"`
}

// MakeWorklistRequest asks for the worklist of a shop.
type MakeWorklistRequest struct {
	Shop      string `json:"shop"`
	ShopID    string `json:"shopId,omitempty"`   // who the shop said it was at activation
	Catalogue Ref    `json:"catalogue,omitzero"` // to be used; none: the newest of the archive
	Ledger    Ref    `json:"ledger,omitzero"`    // what was in step; none: the newest plan of the archive
}

// WorklistMade is the result of Worklist: a worklist in the archive, to be read
// by Inspect within an hour, or the Failure for which there is none.
type WorklistMade struct {
	Rows       Ref              `json:"rows"`
	Counts     stock.WorkCounts `json:"counts"`
	Match      stock.Match      `json:"match"`
	Items      int              `json:"items"`      // of KROS
	Products   int              `json:"products"`   // of the e-shop
	KrosReadAt time.Time        `json:"krosReadAt"` // the e-shop was read when the list was made
	Failure    *Failure         `json:"failure,omitempty"`
}
