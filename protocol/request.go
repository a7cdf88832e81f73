package protocol

import (
	"encoding/json"
	"time"

	"github.com/skladom/skladom/stock"
)

// SignalActivated tells a running StockSync of a new activation: Activated.
const SignalActivated = "activated"

// ActivateRequest is the input of ActivateConnection.
type ActivateRequest struct {
	Shop   string `json:"shop"`
	DryRun bool   `json:"dryRun,omitempty"` // stop after the findings
}

// Activation is the result of ActivateConnection: Failure, or Findings and the
// id by which the first pass is asked for (SyncRequest.Activation).
type Activation struct {
	Shop     string    `json:"shop"`
	State    State     `json:"state"`
	ID       string    `json:"id,omitempty"`
	Findings *Findings `json:"findings,omitempty"`
	Failure  *Failure  `json:"failure,omitempty"`
}

// Findings is what an activation saw before it wrote anything.
type Findings struct {
	ShopName       string         `json:"shopName"`
	Warehouses     []WarehouseUse `json:"warehouses"`
	Quantity       stock.Combine  `json:"quantity"`
	Match          stock.Match    `json:"match"`
	KrosItems      int            `json:"krosItems"`
	Matched        int            `json:"matched"`        // items with a product by the chosen key
	MatchedByOther int            `json:"matchedByOther"` // by the key that was not chosen
	Products       int            `json:"products"`       // products that would be kept
	Raised         int            `json:"raised"`
	Lowered        int            `json:"lowered"`
	Zeroed         int            `json:"zeroed"`
	Unmatched      int            `json:"unmatched"`
	Ambiguous      int            `json:"ambiguous"`
	Skipped        int            `json:"skipped"`
	ShopProducts   int            `json:"shopProducts,omitempty"` // how many products the shop says it has
}

// WarehouseUse is a warehouse of the catalogue and whether the settings count it.
type WarehouseUse struct {
	Code    string `json:"code"`
	Items   int    `json:"items"`
	Counted bool   `json:"counted"`
}

// Memory is what a shop's archive remembers of the passes before. The zero
// value makes a first pass.
type Memory struct {
	Baseline Ref   `json:"baseline"` // catalogue of the last pass that ended ok or was approved
	Ledger   Ref   `json:"ledger"`   // plan of the last pass that began to write
	Products int   `json:"products"` // products matched by the baseline's pass
	Pass     int64 `json:"pass"`     // the baseline's pass
}

// Catalogue is a sweep that lies in the archive.
type Catalogue struct {
	Ref      Ref       `json:"ref"`
	TakenAt  time.Time `json:"takenAt"` // begin of the sweep that completed it
	Items    int       `json:"items"`
	Requests int       `json:"requests"` // what the sweep cost at KROS
	Complete bool      `json:"complete"` // false: rows kept moving; it was taken as it was
	Changed  bool      `json:"changed"`  // a quantity differs from the baseline
}

// PassRequest is the input of SyncPass.
type PassRequest struct {
	Shop         string   `json:"shop"`
	Pass         int64    `json:"pass"`
	Trigger      Trigger  `json:"trigger"`
	DryRun       bool     `json:"dryRun,omitempty"`
	Findings     bool     `json:"findings,omitempty"` // also look products up by the other key
	Settings     Settings `json:"settings"`
	SettingsHash string   `json:"settingsHash"`
	Connection   string   `json:"connection"` // fingerprint of addresses and keys
	ShopID       string   `json:"shopId"`     // who the shop said it was at activation
	Memory       Memory   `json:"memory"`
	// Catalogue is an activation's own snapshot; used while it is fresh.
	Catalogue *Catalogue `json:"catalogue,omitempty"`
}

// PassResult is the result of SyncPass: its Report and what the next pass
// needs to know. It decodes as a Report, too.
type PassResult struct {
	Report
	Findings  *Findings  `json:"findings,omitempty"`
	ShopID    string     `json:"shopId,omitempty"`
	Catalogue *Catalogue `json:"catalogue,omitempty"`
	Plan      Ref        `json:"plan"`
	Receipts  []Ref      `json:"receipts,omitempty"`
	Memory    Memory     `json:"memory"`
}

// Activated tells StockSync that an activation found both systems in order.
type Activated struct {
	ID        string     `json:"id"`
	ShopID    string     `json:"shopId"`
	LastPass  int64      `json:"lastPass"` // highest pass number in the archive
	Catalogue *Catalogue `json:"catalogue,omitempty"`
}

// SyncRequest is the argument of the update "sync". With Activation it waits
// for the first pass of that activation, else for a pass begun after it was
// accepted.
type SyncRequest struct {
	Activation string `json:"activation,omitempty"`
}

// PauseRequest is the argument of the update "pause".
type PauseRequest struct {
	Until  *time.Time `json:"until,omitempty"` // nil: until resume
	Reason string     `json:"reason,omitempty"`
	By     string     `json:"by,omitempty"`
}

// SyncNowRequest is the input of SyncNow.
type SyncNowRequest struct {
	Shop string `json:"shop"`
}

// What Inspect can show.
const (
	InspectCatalogue = "catalogue"
	InspectPlan      = "plan"
	InspectReceipt   = "receipt"
)

// Bounds of a page of Inspect, so that it stays far below Temporal's payload limit.
const (
	MaxInspectRows  = 500
	MaxInspectBytes = 256 << 10
)

// InspectRequest asks for a page of an object in the archive: the one Ref
// points to, or the newest of Kind (of pass Pass, unless 0).
type InspectRequest struct {
	Shop   string `json:"shop"`
	Kind   string `json:"kind"`
	Ref    Ref    `json:"ref"`
	Pass   int64  `json:"pass,omitempty"`
	Offset int    `json:"offset,omitempty"`
	Limit  int    `json:"limit,omitempty"` // at most and by default MaxInspectRows
}

// InspectPage is a page: rows as they lie in the archive (stock.Item,
// stock.Line or stock.Receipt). Next is the offset of the next page, 0 at the end.
type InspectPage struct {
	Ref   Ref               `json:"ref"`
	Rows  []json.RawMessage `json:"rows"`
	Next  int               `json:"next,omitempty"`
	Total int               `json:"total"`
}

// Progress is what long activities heartbeat.
type Progress struct {
	Phase string `json:"phase"` // fetch, match or write
	Done  int    `json:"done"`
	Total int    `json:"total,omitempty"` // 0: not known
	Batch int    `json:"batch,omitempty"` // write: batches finished; a repeat resumes after them
	Note  string `json:"note,omitempty"`
}
