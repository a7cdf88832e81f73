package protocol

import (
	"time"

	"github.com/skladom/skladom/stock"
)

// Rollback is the workflow that gives products back what they had before a pass.
const Rollback = "Rollback"

// UpdateRollback asks StockSync to pause and to undo a pass: RollbackRequest,
// RollbackResult.
const UpdateRollback = "rollback"

// NothingToRollBack is the code of a rollback that had nothing to undo.
const NothingToRollBack Code = "nothing_to_roll_back"

// RollbackRequest is the argument of the update "rollback".
type RollbackRequest struct {
	Pass int64  `json:"pass,omitempty"` // to be undone; 0: the last one that wrote
	By   string `json:"by,omitempty"`
}

// RollbackRun is the input of Rollback. A dry run needs Shop, DryRun and Undo
// alone, the rest is what StockSync knows.
type RollbackRun struct {
	Shop         string   `json:"shop"`
	Undo         int64    `json:"undo,omitempty"` // the pass to be undone; 0: the last one that wrote
	DryRun       bool     `json:"dryRun,omitempty"`
	By           string   `json:"by,omitempty"`
	Pass         int64    `json:"pass,omitempty"` // number of the rollback itself
	Settings     Settings `json:"settings"`
	SettingsHash string   `json:"settingsHash,omitempty"`
	Connection   string   `json:"connection,omitempty"`
	ShopID       string   `json:"shopId,omitempty"`
	Memory       Memory   `json:"memory"`
}

// RollbackResult is what a rollback did, or would do. Its report counts
// products where that of a pass counts items: updated are restored, unchanged
// have again what they had, held and unmatched were changed since.
type RollbackResult struct {
	Report
	Undo     int64  `json:"undo"` // the pass that was undone
	Plan     Ref    `json:"plan"`
	Receipts []Ref  `json:"receipts,omitempty"`
	Memory   Memory `json:"memory"`
	State    State  `json:"state,omitempty"` // of the shop, afterwards
}

// PlanRollbackRequest asks for the plan of a rollback.
type PlanRollbackRequest struct {
	Shop       string   `json:"shop"`
	Undo       int64    `json:"undo,omitempty"` // the pass to be undone; 0: the last one that wrote
	Pass       int64    `json:"pass"`           // number of the rollback itself
	DryRun     bool     `json:"dryRun,omitempty"`
	Connection string   `json:"connection"`
	Settings   Settings `json:"settings"`
	ShopID     string   `json:"shopId"`
	Memory     Memory   `json:"memory"`
}

// PlannedRollback is the plan of a rollback in the archive, or why there is
// none. Ledger is what we leave in the shop from the first write on.
type PlannedRollback struct {
	Undo    int64         `json:"undo"`
	Plan    Ref           `json:"plan"`
	Ledger  Ref           `json:"ledger"`
	Hash    string        `json:"hash,omitempty"`
	Writes  int           `json:"writes"`
	TakenAt time.Time     `json:"takenAt"` // when the shop was looked at
	Counts  stock.Counts  `json:"counts"`
	Samples stock.Samples `json:"samples,omitempty"`
	Refused *Failure      `json:"refused,omitempty"`
}
