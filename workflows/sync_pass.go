package workflows

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// maxFetches bounds how often a pass begins again at the fetch because its
// catalogue grew too old before everything was written.
const maxFetches = 3

// SyncPass brings one shop in step once: fetch, match, write. A dry run ends
// before the write. A pass that fails is not an error: its report says why.
//
// StockSync starts the passes that write and nobody else does, so that a shop
// has one writer. A dry run may be started by anybody with nothing but the
// shop's name: it finds out the rest by itself.
func SyncPass(ctx workflow.Context, req protocol.PassRequest) (protocol.PassResult, error) {
	if !req.DryRun && parentOf(ctx) != protocol.StockSyncID(req.Shop) {
		return protocol.PassResult{}, refuse("a pass that writes is started by StockSync only; ask it for one: skladom sync " + req.Shop)
	}
	ctx = workflow.WithPriority(ctx, priority(req.Trigger, req.DryRun)) // whoever started it
	p := &pass{req: req, blame: protocol.ConfigInvalid}
	p.result.Report = protocol.Report{
		Shop: req.Shop, Pass: req.Pass, Trigger: req.Trigger, Mode: protocol.ModeFull, DryRun: req.DryRun,
		Result: protocol.ResultOK, Warnings: []string{}, Samples: stock.Samples{}, StartedAt: workflow.Now(ctx),
	}
	err := p.run(ctx)
	p.result.FinishedAt = workflow.Now(ctx)
	p.settle(err)
	if p.recordedAt.IsZero() {
		p.record(ctx)
	} else {
		p.result.FinishedAt = p.recordedAt // as the record says
	}
	workflow.SetCurrentDetails(ctx, passDetails(&p.result.Report))
	if temporal.IsCanceledError(err) {
		// With what it did: StockSync has to remember whether it began to write.
		return protocol.PassResult{}, temporal.NewCanceledError(p.brief())
	}
	return p.brief(), nil
}

// brief is the result, of a pass that writes without what it would say twice.
func (p *pass) brief() protocol.PassResult {
	r := p.result
	if p.req.DryRun {
		return r
	}
	if r.Catalogue != nil && r.Catalogue.Ref == r.Memory.Baseline {
		r.Changed, r.Catalogue = r.Catalogue.Changed, nil
	}
	if r.Plan == r.Memory.Ledger {
		r.Plan = protocol.Ref{}
	}
	if slices.Equal(r.Receipts, r.Memory.Receipts) {
		r.Receipts = nil
	}
	return r
}

func parentOf(ctx workflow.Context) string {
	if parent := workflow.GetInfo(ctx).ParentWorkflowExecution; parent != nil {
		return parent.ID
	}
	return ""
}

// pass is one run of SyncPass.
type pass struct {
	req     protocol.PassRequest
	result  protocol.PassResult
	blame   protocol.Code // of the side that is being talked to
	settled bool          // the counts tell what was done, not what was planned
	// zeroings that the plan makes and nobody approved; they count as made from
	// the first write on, until the shop's answers tell better.
	zeroings   int
	lost       bool              // the archive has lost an object, and KROS was read once more for it
	holding    *protocol.Failure // why something of the plan is held
	planned    protocol.Matched  // the plan that is being written
	recordedAt time.Time         // when the pass ended, where the last write has left its record
}

// doubt ends a pass in which a side cannot be trusted.
type doubt struct {
	failure *protocol.Failure
	held    bool
}

func (d *doubt) Error() string { return d.failure.Message }

func (p *pass) run(ctx workflow.Context) error {
	if err := p.prepare(ctx); err != nil {
		return err
	}
	p.result.SettingsHash = p.req.SettingsHash
	p.result.Memory = p.req.Memory
	p.result.ShopID = p.req.ShopID
	for range maxFetches {
		again, err := p.attempt(ctx)
		if lostObject(err) && !p.lost {
			p.lost, again, err = true, true, nil
		}
		if err != nil || !again {
			return err
		}
		p.req.Catalogue = nil
	}
	return &doubt{failure: message.Failure(protocol.ShopUnavailable, message.Params{
		Shop: p.req.Shop, Detail: fmt.Sprintf("writing took longer than the %v for which a catalogue is good", activities.MaxAge),
	})}
}

// lostObject tells whether an activity did not find in the archive what it was
// to read. That is worth one new look at KROS, never a guess.
func lostObject(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && (app.Type() == activities.ErrorLostObject || app.Type() == activities.ErrorLostPlan)
}

// lostPlan tells whether that was the plan to be written, and nothing of it was.
func lostPlan(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == activities.ErrorLostPlan
}

// prepare gives a dry run what StockSync would have given it.
func (p *pass) prepare(ctx workflow.Context) error {
	if p.req.SettingsHash != "" {
		return nil
	}
	loaded, err := loadSettings(ctx, p.req.Shop, time.Time{})
	if err != nil {
		return err
	}
	if loaded.Failure != nil {
		return &doubt{failure: loaded.Failure}
	}
	known, err := call[protocol.Recollection](ctx, readBounds, "memory of "+p.req.Shop, do.RecallMemory, p.req.Shop)
	if err != nil {
		return err
	}
	p.req.Settings, p.req.SettingsHash, p.req.Connection = loaded.Settings, loaded.Hash, loaded.Connection
	if known.Busy {
		p.warn(message.PassRuns)
	}
	p.req.ShopID, p.req.Memory = known.ShopID, known.Memory
	p.req.Basis, p.req.Dismissed, p.req.Protected = loaded.Basis, known.Dismissed, known.Hold.Refs()
	if known.Memory.Basis == loaded.Basis {
		p.req.Day = known.Day
	}
	return nil
}

// attempt goes once through all phases. stale tells that the catalogue grew
// too old before everything was written.
func (p *pass) attempt(ctx workflow.Context) (stale bool, err error) {
	if err := p.fetch(ctx); err != nil {
		return false, err
	}
	matched, err := p.match(ctx)
	if err != nil || p.req.DryRun {
		return false, p.held(matched, err)
	}
	if matched.Writes == 0 && len(p.result.Receipts) == 0 {
		p.remember(matched)
		return false, p.held(matched, nil)
	}
	written, err := p.write(ctx, p.result.Plan, protocol.Ref{}, p.draft())
	if err == nil && written.Conflicts > 0 && !written.Stale {
		written, err = p.writeAgain(ctx)
	}
	if err != nil || written.Stale {
		return written.Stale, err
	}
	p.remember(matched)
	return false, p.held(matched, nil)
}

// held ends a pass of which something waits for a person.
func (p *pass) held(matched protocol.Matched, err error) error {
	if err != nil || matched.Holding == nil {
		return err
	}
	p.settled = true // the plan's counts say what is held
	return &doubt{failure: matched.Holding, held: true}
}

// fetch sweeps KROS, unless an activation has just done so.
func (p *pass) fetch(ctx workflow.Context) error {
	if c := p.req.Catalogue; c != nil && workflow.Now(ctx).Sub(c.TakenAt) < activities.MaxAge {
		p.result.Catalogue = c
	} else {
		p.blame = protocol.KrosUnavailable
		fetched, err := call[protocol.Fetched](ctx, fetchBounds, "KROS: read the catalogue", do.FetchStock, protocol.FetchRequest{
			Shop: p.req.Shop, Pass: p.req.Pass, DryRun: p.req.DryRun,
			Connection: p.req.Connection, Settings: p.req.Settings.Terms().ToRead(), Memory: p.result.Memory,
			Protected: p.protected(), Delta: p.req.Delta && !p.lost, Brief: true,
		})
		if err != nil {
			return err
		}
		p.result.Catalogue = &fetched.Catalogue
		if !fetched.Same {
			p.result.Memory = fetched.Memory
		}
		p.result.LastPass = fetched.LastPass
		p.result.KrosRequests += fetched.Catalogue.Requests
		p.warn(fetched.Warnings...)
	}
	p.result.Mode = protocol.ModeFull
	if p.result.Catalogue.Delta {
		p.result.Mode = protocol.ModeDelta
	}
	p.result.Counts, p.settled = stock.Counts{KrosItems: p.result.Catalogue.Items}, false
	if !p.result.Catalogue.Complete {
		p.warn(message.SweepIncomplete)
	}
	if times := p.result.Catalogue.Throttled; times > 0 {
		p.warn(message.KrosShared(times))
	}
	return nil
}

// protected is what of the archive a person has still to look at, or has
// answered.
func (p *pass) protected() []protocol.Ref {
	return slices.DeleteFunc(append(slices.Clone(p.req.Protected), p.req.Approved, p.req.Dismissed), protocol.Ref.Zero)
}

func (p *pass) match(ctx workflow.Context) (protocol.Matched, error) {
	p.blame = protocol.ShopUnavailable
	matched, err := call[protocol.Matched](ctx, matchBounds, "e-shop: find the products", do.MatchProducts, protocol.MatchRequest{
		Shop: p.req.Shop, Pass: p.req.Pass, DryRun: p.req.DryRun,
		Connection: p.req.Connection, Settings: p.req.Settings.Terms(), ShopID: p.req.ShopID,
		Memory: p.result.Memory.Compared(), Catalogue: p.result.Catalogue.Swept(), Accept: p.req.Accept, Findings: p.req.Findings,
		Basis: p.req.Basis, Day: p.req.Day, Approved: p.req.Approved, Dismissed: p.req.Dismissed,
		SamplesHash: p.req.SamplesHash,
	})
	if err != nil {
		return protocol.Matched{}, err
	}
	p.warn(matched.Warnings...)
	p.result.Counts, p.planned = matched.Counts, matched
	p.result.Samples, p.result.SamplesKnown = samples(matched.Samples), matched.SamplesKnown
	p.result.Plan, p.result.PlanHash, p.result.Findings = matched.Plan, matched.Hash, matched.Findings
	p.result.ShopID = cmp.Or(matched.ShopID, p.result.ShopID)
	p.result.Hold, p.result.Lost = matched.Hold, matched.Lost
	p.zeroings, p.holding = matched.Zeroings, matched.Holding
	if !p.req.DryRun && matched.Doubt == nil {
		p.result.Day = &stock.Day{Stocked: matched.Stocked}
	}
	if matched.Doubt != nil {
		return matched, &doubt{failure: matched.Doubt, held: matched.Held}
	}
	return matched, nil
}

// write sends what writes plans, or else the whole plan, and counts what became
// of the whole one. draft is what it leaves of the pass where it ends it; nil:
// nothing.
func (p *pass) write(ctx workflow.Context, ledger, writes protocol.Ref, draft *protocol.PassDraft) (protocol.Written, error) {
	p.blame = protocol.ShopUnavailable
	memory, answered, zeroed := p.result.Memory, p.result.Answered, p.result.Day.Zeroed
	p.begin(ledger)
	written, err := call[protocol.Written](ctx, writeBounds, "e-shop: write the quantities", do.UpdateStock, protocol.UpdateRequest{
		Shop: p.req.Shop, Pass: p.req.Pass, Connection: p.req.Connection,
		Plan: p.result.Plan, Writes: writes, Receipts: p.result.Receipts, TakenAt: p.result.Catalogue.TakenAt, Record: draft, Brief: true,
	})
	if lostPlan(err) { // the shop is as the ledger before left it
		p.result.Memory, p.result.Answered, p.result.Day.Zeroed = memory, answered, zeroed
	}
	if err != nil {
		return protocol.Written{}, err
	}
	p.result.Receipts = append(p.result.Receipts, written.Receipts...)
	p.result.Memory.Receipts = p.result.Receipts
	p.result.Day.Zeroed = written.Zeroed
	p.result.Counts, p.settled = written.Counts, true
	p.result.Samples, p.result.SamplesKnown = samples(written.Samples), false
	if written.AsPlanned {
		p.result.Samples, p.result.SamplesKnown = samples(p.planned.Samples), p.planned.SamplesKnown
	}
	p.recordedAt = written.RecordedAt
	return written, nil
}

// draft is the record of a pass that the next write ends, without the plan and
// what becomes of it; nil where the pass leaves none.
func (p *pass) draft() *protocol.PassDraft {
	if p.req.Last == nil {
		return nil
	}
	report := p.result.Draft()
	if p.holding != nil {
		report.Result, report.Failure = protocol.ResultHeld, p.holding
	}
	return &protocol.PassDraft{Report: report, By: p.req.By}
}

// writeAgain plans the products once more that changed in the shop between
// reading and writing. A second conflict is left to the next pass.
func (p *pass) writeAgain(ctx workflow.Context) (protocol.Written, error) {
	again, err := call[protocol.Replanned](ctx, matchBounds, "e-shop: look at what changed meanwhile", do.ReplanConflicts, protocol.ReplanRequest{
		Shop: p.req.Shop, Pass: p.req.Pass, Connection: p.req.Connection, Settings: p.req.Settings.Terms(),
		Plan: p.result.Plan, Receipts: p.result.Receipts,
	})
	if err != nil {
		return protocol.Written{}, err
	}
	return p.write(ctx, again.Whole, again.Plan, nil)
}

// begin makes a plan the ledger of the next pass: from its first write on,
// whatever comes.
func (p *pass) begin(ledger protocol.Ref) {
	p.result.Memory.Ledger, p.result.Memory.Receipts = ledger, p.result.Receipts
	p.result.Memory.Basis = p.req.Basis
	p.result.Answered = true
	p.result.Day.Zeroed = p.zeroings
}

// record leaves what there is to tell of a pass in the archive. That it cannot
// is no reason to fail a pass that has written.
func (p *pass) record(ctx workflow.Context) {
	r, last := &p.result, p.req.Last
	if p.req.DryRun || last == nil {
		return
	}
	now := protocol.Ended{Result: r.Result, SettingsHash: r.SettingsHash}
	if r.Failure != nil {
		now.Code = r.Failure.Code
	}
	if now == *last && len(r.Receipts) == 0 {
		return
	}
	steady, _ := workflow.NewDisconnectedContext(ctx) // a cancelled pass has written, too
	err := run(steady, readBounds, "remember the pass", do.RecordPass, protocol.RecordRequest{
		Shop: p.req.Shop, Pass: p.req.Pass,
		Record:        protocol.PassRecord{Report: r.Report, By: p.req.By, Settings: p.req.Settings, Plan: r.Plan, Receipts: r.Receipts},
		SamplesOfPlan: r.SamplesKnown,
	}, nil)
	if err != nil {
		workflow.GetLogger(ctx).Warn("cannot record the pass", "shop", p.req.Shop, "pass", p.req.Pass, "error", cause(err))
	}
}

// remember makes this pass the one that later passes are compared with. Of one
// that is held only the ledger is taken over: a person has to accept the rest.
func (p *pass) remember(matched protocol.Matched) {
	if matched.Hold != nil && matched.Hold.Code == protocol.CatalogueChanged {
		return
	}
	if len(p.result.Receipts) == 0 {
		p.begin(p.result.Plan)
	}
	if matched.Hold != nil {
		return
	}
	p.result.Memory.Baseline = p.result.Catalogue.Ref
	p.result.Memory.ReadAt = p.result.Catalogue.TakenAt
	if !p.result.Catalogue.Delta {
		p.result.Memory.SweptAt = p.result.Catalogue.TakenAt
	}
	p.result.Memory.Products = matched.Products
	p.result.Memory.Pass = p.req.Pass
}

// settle writes into the report how the pass ended.
func (p *pass) settle(err error) {
	if err == nil {
		return
	}
	p.result.Result = protocol.ResultFailed
	if !p.settled {
		p.result.Counts = unwritten(p.result.Counts)
	}
	var d *doubt
	if !errors.As(err, &d) {
		p.result.Failure = failureOf(err, p.blame)
		return
	}
	p.result.Failure = d.failure
	if d.held {
		p.result.Result = protocol.ResultHeld
	}
}

// unwritten are the counts of a pass that ended early: what it would have
// updated, or never came to judge, is held back, so that the outcomes add up.
// A batch that was written all the same is "unchanged" to the next pass.
func unwritten(c stock.Counts) stock.Counts {
	c.Updated, c.Raised, c.Lowered, c.Zeroed = 0, 0, 0, 0
	c.Held = c.KrosItems - c.Unchanged - c.Unmatched - c.Ambiguous - c.Skipped - c.Rejected
	return c
}

// samples is never nil, which JSON would show as null.
func samples(s stock.Samples) stock.Samples {
	if s == nil {
		return stock.Samples{}
	}
	return s
}

func (p *pass) warn(warnings ...string) {
	p.result.Warnings = append(p.result.Warnings, warnings...)
}
