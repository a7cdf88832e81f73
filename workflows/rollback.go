package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Rollback gives the products that a pass wrote back what they had before it,
// where the shop still has what the pass left. A rollback that fails is not an
// error: its report says why.
//
// StockSync alone starts one that writes, under the id of the shop's pass, so
// that a shop has one writer. A dry run may be started by anybody with nothing
// but the shop's name.
func Rollback(ctx workflow.Context, req protocol.RollbackRun) (protocol.RollbackResult, error) {
	if !req.DryRun && parentOf(ctx) != protocol.StockSyncID(req.Shop) {
		return protocol.RollbackResult{}, refuse("a rollback that writes is started by StockSync only; ask it for one: skladom rollback " + req.Shop)
	}
	ctx = workflow.WithPriority(ctx, priority(protocol.TriggerRollback, req.DryRun))
	r := &rollback{req: req, blame: protocol.ConfigInvalid}
	r.result = protocol.RollbackResult{Undo: req.Undo, Memory: req.Memory, Report: rollbackReport(ctx, req)}
	err := r.run(ctx)
	r.settle(err)
	r.result.FinishedAt = workflow.Now(ctx)
	workflow.SetCurrentDetails(ctx, passDetails(&r.result.Report))
	if !req.DryRun {
		r.leave(ctx)
	}
	if temporal.IsCanceledError(err) {
		// With what it did: StockSync has to remember whether it began to write.
		return protocol.RollbackResult{}, temporal.NewCanceledError(r.result)
	}
	return r.result, nil
}

// rollbackReport is the report of a rollback that has done nothing yet.
func rollbackReport(ctx workflow.Context, req protocol.RollbackRun) protocol.Report {
	return protocol.Report{
		Shop: req.Shop, Pass: req.Pass, Trigger: protocol.TriggerRollback, Mode: protocol.ModeFull, DryRun: req.DryRun,
		Result: protocol.ResultOK, Warnings: []string{}, SettingsHash: req.SettingsHash, Samples: stock.Samples{},
		StartedAt: workflow.Now(ctx), FinishedAt: workflow.Now(ctx),
	}
}

// rollback is one run of Rollback.
type rollback struct {
	req     protocol.RollbackRun
	result  protocol.RollbackResult
	blame   protocol.Code
	settled bool // the counts tell what was done, not what was planned
	changed int  // products that were changed since the pass
}

func (r *rollback) run(ctx workflow.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	planned, err := r.plan(ctx)
	if err != nil || r.req.DryRun || planned.Writes == 0 {
		return err
	}
	return r.write(ctx, planned)
}

// prepare gives a dry run what StockSync would have given it.
func (r *rollback) prepare(ctx workflow.Context) error {
	if !r.req.DryRun {
		return nil
	}
	loaded, err := loadSettings(ctx, r.req.Shop, time.Time{})
	if err != nil {
		return err
	}
	if loaded.Failure != nil {
		return &doubt{failure: loaded.Failure}
	}
	known, err := call[protocol.Recollection](ctx, readBounds, "memory of "+r.req.Shop, do.RecallMemory, r.req.Shop)
	if err != nil {
		return err
	}
	r.req.Settings, r.req.SettingsHash, r.req.Connection = loaded.Settings, loaded.Hash, loaded.Connection
	r.req.ShopID, r.req.Memory = known.ShopID, known.Memory
	r.result.SettingsHash, r.result.Memory, r.result.State = loaded.Hash, known.Memory, known.State
	return nil
}

func (r *rollback) plan(ctx workflow.Context) (protocol.PlannedRollback, error) {
	r.blame = protocol.ShopUnavailable
	planned, err := call[protocol.PlannedRollback](ctx, matchBounds, "e-shop: look at what the pass left", do.PlanRollback, protocol.PlanRollbackRequest{
		Shop: r.req.Shop, Undo: r.req.Undo, Pass: r.req.Pass, DryRun: r.req.DryRun,
		Connection: r.req.Connection, Settings: r.req.Settings, ShopID: r.req.ShopID, Memory: r.req.Memory,
	})
	if err != nil {
		return protocol.PlannedRollback{}, err
	}
	if planned.Refused != nil {
		return planned, &doubt{failure: planned.Refused}
	}
	r.result.Undo, r.result.Plan, r.result.PlanHash = planned.Undo, planned.Plan, planned.Hash
	r.result.Counts, r.result.Samples = planned.Counts, samples(planned.Samples)
	r.changed = planned.Counts.Held + planned.Counts.Unmatched
	return planned, nil
}

// write writes the plan. From the first write on the ledger is the one that
// says what the rollback leaves, whatever comes.
func (r *rollback) write(ctx workflow.Context, planned protocol.PlannedRollback) error {
	// A rollback that is ended by force must not be taken for a pass that wrote:
	// undone, it would write again what it undid.
	if err := r.record(ctx, ""); err != nil {
		return err
	}
	if !planned.Ledger.Zero() {
		r.result.Memory.Ledger, r.result.Memory.Receipts, r.result.Memory.Lost = planned.Ledger, nil, 0
	}
	written, err := call[protocol.Written](ctx, writeBounds, "e-shop: write the former quantities", do.UpdateStock, protocol.UpdateRequest{
		Shop: r.req.Shop, Pass: r.req.Pass, Connection: r.req.Connection,
		Plan: planned.Plan, TakenAt: planned.TakenAt,
	})
	if err != nil {
		return err
	}
	r.result.Receipts = written.Receipts
	r.result.Memory.Receipts = append(r.result.Memory.Receipts, written.Receipts...)
	r.result.Counts, r.result.Samples, r.settled = written.Counts, samples(written.Samples), true
	r.changed += written.Conflicts
	if written.Stale {
		return &doubt{failure: message.Unfinished(protocol.ShopUnavailable, message.RollbackStale)}
	}
	return nil
}

// settle writes into the report how the rollback ended.
func (r *rollback) settle(err error) {
	if r.changed > 0 {
		r.result.Warnings = append(r.result.Warnings, message.ChangedSince(r.changed))
	}
	if err == nil {
		return
	}
	r.result.Result = protocol.ResultFailed
	if !r.settled {
		r.result.Counts = unwritten(r.result.Counts)
	}
	var d *doubt
	switch {
	case !errors.As(err, &d):
		r.result.Failure = failureOf(err, r.blame)
	case d.failure.Code == protocol.NothingToRollBack:
		r.result.Failure = d.failure
		return
	default:
		r.result.Failure = d.failure
	}
	r.result.Failure = message.RollbackAgain(r.result.Failure, r.req.Shop, r.result.Undo)
}

// leave keeps how the rollback ended, also where it was cancelled. What it did
// counts without a record, too.
func (r *rollback) leave(ctx workflow.Context) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	if err := r.record(ctx, r.result.Result); err != nil {
		workflow.GetLogger(ctx).Warn("the record of a rollback could not be kept", "shop", r.req.Shop, "error", err)
	}
}

// record puts the rollback into the history, in place of what it recorded
// before. Without a result it is one that has not ended.
func (r *rollback) record(ctx workflow.Context, result protocol.Result) error {
	report := r.result.Report
	report.Result = result
	return run(ctx, readBounds, "keep the record", do.RecordPass, protocol.RecordRequest{Shop: r.req.Shop, Pass: r.req.Pass, Record: protocol.PassRecord{
		Report: report, By: r.req.By, Settings: r.req.Settings, Plan: r.result.Plan, Receipts: r.result.Receipts, Undoes: r.result.Undo,
	}}, nil)
}
