package protocol

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/skladom/skladom/stock"
)

// SignalActivated tells a running StockSync of a new activation: Activated.
const SignalActivated = "activated"

// ActivateRequest is the input of ActivateConnection.
type ActivateRequest struct {
	Shop   string `json:"shop"`
	DryRun bool   `json:"dryRun,omitempty"` // stop after the findings
	By     string `json:"by,omitempty"`     // who asks, for the history
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
	Held           int            `json:"held"`                   // products that would wait for a person; they are in none of the counts before
	Holding        *Failure       `json:"holding,omitempty"`      // why
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
	Baseline Ref    `json:"baseline"`           // catalogue of the last pass that ended ok or was approved
	Ledger   Ref    `json:"ledger"`             // plan of the last pass that ended, or began to write
	Receipts []Ref  `json:"receipts,omitempty"` // what the shop answered to it
	Basis    string `json:"basis,omitempty"`    // the ledger's settings, as Loaded.Basis names them
	Products int    `json:"products"`           // products matched by the baseline's pass
	Pass     int64  `json:"pass,omitempty"`     // the baseline's pass
	// Lost is a pass that ended without a word, terminated by hand or out of
	// time. It may have begun to write; the archive knows what.
	Lost int64 `json:"lost,omitempty"`
	// ReadAt is when the reading of KROS began that the baseline is up to date
	// with, and SweptAt that of the last whole list in it.
	ReadAt  time.Time `json:"readAt,omitzero"`
	SweptAt time.Time `json:"sweptAt,omitzero"`
	Filter  Filter    `json:"filter,omitzero"`
}

// Compared is what of the memory a sweep and its products are compared with;
// the rest is for the fetch.
func (m Memory) Compared() Memory {
	return Memory{Baseline: m.Baseline, Ledger: m.Ledger, Receipts: m.Receipts, Basis: m.Basis, Products: m.Products}
}

// Filter is what whole sweeps have shown of KROS's filter by change timestamp.
// Nobody knows whether a quantity moves that timestamp, so each connection
// finds out.
type Filter struct {
	Agreed  int    `json:"agreed,omitempty"`  // sweeps running in which it had shown all that changed
	Refuted bool   `json:"refuted,omitempty"` // once it had not, or shows so much that it is no help
	Of      string `json:"of,omitempty"`      // fingerprint of the addresses and keys that it was learned with
}

// FilterProof is how many sweeps have to agree before the filter is relied on.
const FilterProof = 10

// Proven tells whether the filter may be relied on.
func (f Filter) Proven() bool { return !f.Refuted && f.Agreed >= FilterProof }

// Catalogue is a sweep that lies in the archive.
type Catalogue struct {
	Ref       Ref       `json:"ref"`
	TakenAt   time.Time `json:"takenAt"` // begin of the sweep that completed it
	Items     int       `json:"items"`
	Requests  int       `json:"requests"`            // what the sweep cost at KROS
	Throttled int       `json:"throttled,omitempty"` // how often KROS asked to wait although its limits were kept
	Complete  bool      `json:"complete"`            // false: rows kept moving; it was taken as it was
	Changed   bool      `json:"changed"`             // a quantity differs from the baseline
	Delta     bool      `json:"delta,omitempty"`     // only changes were read; the rest is the baseline's
}

// Swept is what a plan is made of.
type Swept struct {
	Ref   Ref `json:"ref"`
	Items int `json:"items"`
}

// Swept is the catalogue, for a plan to be made of it.
func (c Catalogue) Swept() Swept { return Swept{Ref: c.Ref, Items: c.Items} }

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
	// Accept takes the catalogue and the products as they are now: an
	// activation has shown what it found, so there is nothing to compare with.
	Accept bool `json:"accept,omitempty"`
	// Catalogue is an activation's own snapshot; used while it is fresh.
	Catalogue *Catalogue `json:"catalogue,omitempty"`

	By    string     `json:"by,omitempty"`    // the person who asked for it
	Basis string     `json:"basis,omitempty"` // see Loaded.Basis
	Day   *stock.Day `json:"day,omitempty"`   // nil: not known, or of other settings
	// Approved and Dismissed are the held plans that a person has answered.
	Delta     bool  `json:"delta,omitempty"` // reading the changes is enough
	Approved  Ref   `json:"approved,omitzero"`
	Dismissed Ref   `json:"dismissed,omitzero"`
	Protected []Ref `json:"protected,omitempty"` // what else of the archive is still needed
	// Last is how the pass before ended. With it, a pass that has something to
	// tell leaves a PassRecord.
	Last *Ended `json:"last,omitempty"`
	// SamplesHash is of the samples that the last report had. From one pass to the
	// next they are mostly the same, and would lie in four events of each.
	SamplesHash string `json:"samplesHash,omitempty"`
}

// Ended is how a pass ended, as far as the next one has to know.
type Ended struct {
	Result       Result `json:"result,omitempty"` // none: there was no pass
	Code         Code   `json:"code,omitempty"`
	SettingsHash string `json:"settingsHash,omitempty"`
}

// PassResult is the result of SyncPass: its Report and what the next pass
// needs to know. It decodes as a Report, too. A pass that writes leaves out what
// Memory has as well: its result lies in two histories.
type PassResult struct {
	Report
	Findings  *Findings  `json:"findings,omitempty"`
	ShopID    string     `json:"shopId,omitempty"`
	Catalogue *Catalogue `json:"catalogue,omitempty"` // not where it is Memory.Baseline
	Changed   bool       `json:"changed,omitempty"`   // Catalogue.Changed, where that is left out
	Plan      Ref        `json:"plan,omitzero"`       // not where it is Memory.Ledger
	Receipts  []Ref      `json:"receipts,omitempty"`  // not where they are Memory.Receipts
	Memory    Memory     `json:"memory"`
	LastPass  int64      `json:"lastPass,omitempty"` // highest pass number in the archive
	// SamplesKnown tells that the samples have the hash of the request, and are
	// left out of the report: whoever sent it has them.
	SamplesKnown bool `json:"samplesKnown,omitempty"`

	Hold     *Hold      `json:"hold,omitempty"`     // what waits for a person
	Day      *stock.Day `json:"day,omitempty"`      // what this pass adds to the day: products above 0 before it, and those it took to 0
	Lost     int        `json:"lost,omitempty"`     // products that were in step with an item and are not any more
	Answered bool       `json:"answered,omitempty"` // Approved and Dismissed of the request are in Memory.Ledger now
}

// Activated tells StockSync that an activation found both systems in order.
type Activated struct {
	ID        string     `json:"id"`
	ShopID    string     `json:"shopId"`
	LastPass  int64      `json:"lastPass"` // highest pass number in the archive
	Catalogue *Catalogue `json:"catalogue,omitempty"`
	By        string     `json:"by,omitempty"`
}

// SyncRequest is the argument of the update "sync". With Activation it waits
// for the first pass of that activation, else for a pass begun after it was
// accepted.
type SyncRequest struct {
	Activation string `json:"activation,omitempty"`
	By         string `json:"by,omitempty"` // who asks, for the history
}

// AnswerRequest is the argument of the updates "approve" and "dismiss": the
// hold that a person has looked at.
type AnswerRequest struct {
	Hash string `json:"hash"`
	By   string `json:"by,omitempty"`
}

// Hold is what waits for a person.
type Hold struct {
	Code      Code      `json:"code"`
	Hash      string    `json:"hash"`            // of kind, baseline and the list of (product, quantity)
	Plan      Ref       `json:"plan"`            // its held products have Entry.Want
	Catalogue Ref       `json:"catalogue"`       // that the plan was made of
	Products  int       `json:"products"`        // held
	Matched   int       `json:"matched"`         // Memory.Products, once a catalogue is approved
	Pass      int64     `json:"pass"`            // that found it last
	Since     time.Time `json:"since,omitzero"`  // when a pass first held
	Why       *Failure  `json:"why,omitempty"`   // in words
	Items     int       `json:"items,omitempty"` // of the catalogue
}

// PassRecord is the object of kind "pass" in the archive: a finished pass, for
// history, explain and rollback. A pass leaves one if it wrote, or if its
// result, failure or settings differ from those of the pass before.
type PassRecord struct {
	Report   Report   `json:"report"`
	By       string   `json:"by,omitempty"`
	Settings Settings `json:"settings"`
	Plan     Ref      `json:"plan"`
	Receipts []Ref    `json:"receipts,omitempty"`
	Undoes   int64    `json:"undoes,omitempty"` // the pass that this rollback undid
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

	Catalogue Ref `json:"catalogue,omitzero"` // InspectRows: what the plan was made of
}

// InspectPage is a page: rows as they lie in the archive (stock.Item,
// stock.Line or stock.Receipt), PlanRows or HeldRows. Next is the offset of the next page, 0 at the end.
type InspectPage struct {
	Ref    Ref               `json:"ref"`
	Rows   []json.RawMessage `json:"rows"`
	Next   int               `json:"next,omitempty"`
	Total  int               `json:"total"`
	Counts *stock.Counts     `json:"counts,omitempty"` // InspectHeld: of all rows
}

// Progress is what long activities heartbeat.
type Progress struct {
	Phase string `json:"phase"` // fetch, match, write or list
	Done  int    `json:"done"`
	Total int    `json:"total,omitempty"` // 0: not known
	Batch int    `json:"batch,omitempty"` // write: batches finished; a repeat resumes after them
	Note  string `json:"note,omitempty"`
}

// LoadRequest asks for a shop's settings. Next ticks are counted from After;
// PassStartedAt is when the last pass began, the zero time before the first.
type LoadRequest struct {
	Shop          string    `json:"shop"`
	After         time.Time `json:"after"`
	PassStartedAt time.Time `json:"passStartedAt"`
}

// Loaded are a shop's settings as its files have them now, or the Failure that
// keeps it from running. NextTick is set in both cases.
type Loaded struct {
	Settings   Settings `json:"settings"`
	Hash       string   `json:"hash"`
	Connection string   `json:"connection"` // fingerprint of addresses and keys
	// Basis names what of the settings decides about quantities. Where it
	// changes, numbers of before and after cannot be compared.
	Basis    string    `json:"basis,omitempty"`
	NextTick time.Time `json:"nextTick"`
	Failure  *Failure  `json:"failure,omitempty"`
}

// CheckRequest asks to try one side of a connection.
type CheckRequest struct {
	Shop       string `json:"shop"`
	Connection string `json:"connection"`
}

// ShopIdentity is who the e-shop says it is.
type ShopIdentity struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Products int    `json:"products,omitempty"`
}

// FetchRequest asks for a sweep of KROS's catalogue into the archive.
type FetchRequest struct {
	Shop       string `json:"shop"`
	Pass       int64  `json:"pass"`
	DryRun     bool   `json:"dryRun,omitempty"`
	Connection string `json:"connection"`
	Settings   Terms  `json:"settings"`
	Memory     Memory `json:"memory"`
	Protected  []Ref  `json:"protected,omitempty"` // what else of the archive is still needed
	Delta      bool   `json:"delta,omitempty"`     // read the changes only, where the baseline is still there
	Brief      bool   `json:"brief,omitempty"`     // leave out a memory that stayed what it is
}

// Fetched is the sweep, and the memory that holds from here on: none where the
// archive has lost it, which makes this a first pass.
type Fetched struct {
	Catalogue Catalogue `json:"catalogue"`
	Memory    Memory    `json:"memory,omitzero"`
	Same      bool      `json:"same,omitempty"`     // Memory is what it was, and left out
	LastPass  int64     `json:"lastPass,omitempty"` // highest pass number in the archive
	Warnings  []string  `json:"warnings,omitempty"`
}

// MatchRequest asks for the plan of a catalogue.
type MatchRequest struct {
	Shop       string `json:"shop"`
	Pass       int64  `json:"pass"`
	DryRun     bool   `json:"dryRun,omitempty"`
	Connection string `json:"connection"`
	Settings   Terms  `json:"settings"`
	ShopID     string `json:"shopId"`
	Memory     Memory `json:"memory"`
	Catalogue  Swept  `json:"catalogue"`
	Accept     bool   `json:"accept,omitempty"`
	Findings   bool   `json:"findings,omitempty"`

	Basis       string     `json:"basis,omitempty"`
	Day         *stock.Day `json:"day,omitempty"`
	Approved    Ref        `json:"approved,omitzero"`
	Dismissed   Ref        `json:"dismissed,omitzero"`
	SamplesHash string     `json:"samplesHash,omitempty"` // see PassRequest
}

// Matched is a plan in the archive and its numbers, or the Doubt for which
// nothing is written. Hold is what of the plan waits for a person, Holding why.
type Matched struct {
	Plan     Ref           `json:"plan"`
	Hash     string        `json:"hash"`
	ShopID   string        `json:"shopId,omitempty"` // who the shop says it is
	Writes   int           `json:"writes"`
	Products int           `json:"products"` // matched by items of the sweep
	Counts   stock.Counts  `json:"counts"`
	Samples  stock.Samples `json:"samples,omitempty"`
	// SamplesKnown tells that Samples have the hash of the request, and are left out.
	SamplesKnown bool      `json:"samplesKnown,omitempty"`
	Warnings     []string  `json:"warnings,omitempty"`
	Findings     *Findings `json:"findings,omitempty"`
	Doubt        *Failure  `json:"doubt,omitempty"`
	Hold         *Hold     `json:"hold,omitempty"`
	Holding      *Failure  `json:"holding,omitempty"`
	Stocked      int       `json:"stocked,omitempty"`  // products above 0 before the pass
	Lost         int       `json:"lost,omitempty"`     // products that were in step with an item and are not any more
	Zeroings     int       `json:"zeroings,omitempty"` // that the plan takes to 0 and nobody approved
	// Held marks a Doubt that waits for approval, in histories of before there
	// were holds.
	Held bool `json:"held,omitempty"`
}

// UpdateRequest asks to write what Writes plans. Plan is the whole plan of the
// pass and Receipts what was written of it before, so that the counts are
// those of the pass; on the first write there are no Writes but those of Plan.
type UpdateRequest struct {
	Shop       string    `json:"shop"`
	Pass       int64     `json:"pass"`
	Connection string    `json:"connection"`
	Plan       Ref       `json:"plan"`
	Writes     Ref       `json:"writes,omitzero"`
	Receipts   []Ref     `json:"receipts,omitempty"`
	TakenAt    time.Time `json:"takenAt"`
	// Record is what the pass leaves where this write ends it. An activity of its
	// own for it would cost six events.
	Record *PassDraft `json:"record,omitempty"`
	Brief  bool       `json:"brief,omitempty"` // leave out samples that are those of Plan
}

// PassDraft is what of a PassRecord is known before the last write. Its fields
// have the names that they have there: it was sent as one before. The settings
// are those of the worker's files, where they still have the hash of the report.
type PassDraft struct {
	Report ReportDraft `json:"report"`
	By     string      `json:"by,omitempty"`
}

// ReportDraft is what of a Report is known before the last write.
type ReportDraft struct {
	Trigger      Trigger   `json:"trigger"`
	Mode         string    `json:"mode"`
	Result       Result    `json:"result"`
	Failure      *Failure  `json:"failure,omitempty"`
	Warnings     []string  `json:"warnings,omitempty"`
	SettingsHash string    `json:"settingsHash"`
	StartedAt    time.Time `json:"startedAt"`
	KrosRequests int       `json:"krosRequests"`
	PlanHash     string    `json:"planHash"`
}

// Draft is what of a report is known before the last write.
func (r Report) Draft() ReportDraft {
	return ReportDraft{
		Trigger: r.Trigger, Mode: r.Mode, Result: r.Result, Failure: r.Failure, Warnings: r.Warnings,
		SettingsHash: r.SettingsHash, StartedAt: r.StartedAt, KrosRequests: r.KrosRequests, PlanHash: r.PlanHash,
	}
}

// Report is the draft as the report of a pass of which the rest is still empty.
func (d ReportDraft) Report(shop string, pass int64) Report {
	return Report{
		Shop: shop, Pass: pass, Trigger: d.Trigger, Mode: d.Mode, Result: d.Result, Failure: d.Failure,
		Warnings:     append([]string{}, d.Warnings...), // never null
		SettingsHash: d.SettingsHash, StartedAt: d.StartedAt, KrosRequests: d.KrosRequests, PlanHash: d.PlanHash,
	}
}

// Written is what became of a plan. Stale: its catalogue grew too old before
// the last batch, the rest was not written.
type Written struct {
	Receipts  []Ref         `json:"receipts,omitempty"`
	Counts    stock.Counts  `json:"counts"`
	Samples   stock.Samples `json:"samples,omitempty"`
	AsPlanned bool          `json:"asPlanned,omitempty"` // Samples are those of the plan, and left out
	Conflicts int           `json:"conflicts,omitempty"` // products to be planned again
	Stale     bool          `json:"stale,omitempty"`
	Zeroed    int           `json:"zeroed,omitempty"` // products taken to 0 that nobody approved
	// RecordedAt is when the pass ended, where it did and has left its record.
	RecordedAt time.Time `json:"recordedAt,omitzero"`
}

// ReplanRequest asks to plan the products again whose quantity changed in the
// shop between reading and writing.
type ReplanRequest struct {
	Shop       string `json:"shop"`
	Pass       int64  `json:"pass"`
	Connection string `json:"connection"`
	Settings   Terms  `json:"settings"`
	Plan       Ref    `json:"plan"`
	Receipts   []Ref  `json:"receipts"`
}

// Replanned is the Plan of these products alone, and the Whole plan with them:
// the ledger, from their first write on.
type Replanned struct {
	Plan  Ref `json:"plan"`
	Whole Ref `json:"whole,omitzero"`
}

// UnmarshalJSON also reads what was written when the fields of Plan stood beside
// Whole.
func (r *Replanned) UnmarshalJSON(data []byte) error {
	type plain Replanned
	var read struct {
		plain
		plainRef
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("read what was planned again: %w", err)
	}
	*r = Replanned(read.plain)
	if r.Plan.Zero() {
		r.Plan = Ref(read.plainRef)
	}
	return nil
}

// Recollection is what a running StockSync remembers, for those who are not it.
type Recollection struct {
	Running bool   `json:"running"`
	State   State  `json:"state"`
	ShopID  string `json:"shopId"`
	Memory  Memory `json:"memory"`
	Hold    *Hold  `json:"hold,omitempty"` // what waits for a person

	Busy      bool       `json:"busy,omitempty"` // a pass runs
	Day       *stock.Day `json:"day,omitempty"`
	Dismissed Ref        `json:"dismissed,omitzero"` // a held plan that was dismissed, while no pass has taken that in
}

// Refs are the objects of the archive that an answer to the hold needs; none
// where nothing is held.
func (h *Hold) Refs() []Ref {
	if h == nil {
		return nil
	}
	return []Ref{h.Plan, h.Catalogue}
}
