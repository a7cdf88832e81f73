package activities

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/samber/lo"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
)

// MaxAge is how old a catalogue may be when its plan is written.
const MaxAge = 15 * time.Minute

// receiptEvery is how many batches share a receipt. A repeat after a crash
// resumes after the last receipt; what was sent since is sent again, with the
// same idempotency keys, and that is harmless.
const receiptEvery = 20

// keepTimeout bounds the archiving of a receipt; a worker that stops has 20 s.
const keepTimeout = 10 * time.Second

// UpdateStock writes a plan to the shop in batches, decreases first, and puts
// what the shop answered into the archive.
func (a *Activities) UpdateStock(ctx context.Context, req protocol.UpdateRequest) (protocol.Written, error) {
	s, err := a.connect(ctx, req.Shop, req.Connection)
	if err != nil {
		return protocol.Written{}, err
	}
	client, err := a.shop(s)
	if err != nil {
		return protocol.Written{}, err
	}
	if req.Writes.Zero() {
		req.Writes = req.Plan
	}
	u := &updating{a: a, req: req, shop: client, settings: s.Settings, settingsHash: s.SettingsHash(), begun: a.now()}
	if err := u.resume(ctx); err != nil {
		return protocol.Written{}, err
	}
	ctx, pulse, end := beat(ctx, u.progress())
	defer end()
	u.pulse = pulse
	written, err := u.run(ctx)
	return written, failed(ctx, req.Shop, err)
}

// updating is one run of UpdateStock.
type updating struct {
	a     *Activities
	req   protocol.UpdateRequest
	shop  shop.Shop
	pulse *pulse
	begun time.Time

	settings     protocol.Settings // as the worker's files have them now
	settingsHash string

	total    int             // writes of the plan
	batch    int             // batches sent
	kept     int             // of them, those that lie in refs
	refs     []protocol.Ref  // receipts of this activity, over all attempts
	earlier  int             // of them, those of earlier attempts
	again    int             // batches before this one may have been sent by an earlier attempt
	own      []stock.Receipt // of this attempt
	unkept   int             // of own, the last ones, that lie in no ref yet
	answered int
}

// checkpoint is what a repeat needs to go on; it travels in the heartbeat.
type checkpoint struct {
	protocol.Progress
	Receipts []protocol.Ref `json:"receipts,omitempty"`
}

func (u *updating) resume(ctx context.Context) error {
	if activity.GetInfo(ctx).Attempt > 1 {
		defer func() { u.again = u.batch + receiptEvery }()
	}
	if !activity.HasHeartbeatDetails(ctx) {
		return nil
	}
	var last checkpoint
	if err := activity.GetHeartbeatDetails(ctx, &last); err != nil {
		return fmt.Errorf("read the checkpoint of the last attempt: %w", err)
	}
	u.batch, u.kept, u.refs, u.answered = last.Batch, last.Batch, last.Receipts, last.Batch*shop.MaxBatch
	u.earlier = len(u.refs)
	return nil
}

func (u *updating) progress() checkpoint {
	return checkpoint{
		Progress: protocol.Progress{Phase: "write", Done: u.answered, Total: u.total, Batch: u.kept},
		Receipts: slices.Clone(u.refs),
	}
}

func (u *updating) run(ctx context.Context) (protocol.Written, error) {
	planned, err := handed(ctx, u.a, u.req.Writes, u.a.plan)
	if forgotten(err) && activity.GetInfo(ctx).Attempt == 1 { // an earlier attempt may have written
		return protocol.Written{}, temporal.NewNonRetryableApplicationError(err.Error(), ErrorLostPlan, err)
	}
	if err != nil {
		return protocol.Written{}, err
	}
	writes := planned.Writes()
	u.total, u.answered = len(writes), min(u.answered, len(writes))
	u.own = make([]stock.Receipt, 0, u.total-u.answered)
	batches := slices.Collect(slices.Chunk(writes, shop.MaxBatch))
	stale, err := u.write(ctx, batches)
	// What the shop has answered is kept in any case.
	if err := errors.Join(err, u.keep(ctx)); err != nil {
		return protocol.Written{}, err
	}
	return u.settle(ctx, planned, stale)
}

// write sends the batches that no earlier attempt has sent, until one is
// refused or the catalogue is too old.
func (u *updating) write(ctx context.Context, batches [][]stock.Write) (stale bool, err error) {
	for u.batch < len(batches) {
		if u.a.now().Sub(u.req.TakenAt) > MaxAge {
			return true, nil
		}
		if err := u.send(ctx, batches[u.batch]); err != nil {
			return false, err
		}
		u.batch++
		if u.batch%receiptEvery == 0 {
			if err := u.keep(ctx); err != nil {
				return false, err
			}
		}
		u.pulse.at(u.progress())
	}
	return false, nil
}

// send writes one batch and notes what the shop answered.
func (u *updating) send(ctx context.Context, batch []stock.Write) error {
	changes := lo.Map(batch, func(w stock.Write, _ int) shop.Change {
		return shop.Change{ID: w.Product, Quantity: w.To, Expected: w.From}
	})
	results, err := shop.Write(ctx, u.shop, u.req.Shop+"/"+strconv.FormatInt(u.req.Pass, 10)+"/"+u.req.Writes.SHA256, changes)
	for i, result := range results { // those that came before an error count as well
		w := batch[i]
		u.unkept++
		u.own = append(u.own, stock.Receipt{
			Item: w.Item, Product: w.Product, Had: w.From, Asked: w.To, Kros: w.Kros,
			Answer: stock.Answer(result.Status), Now: result.Quantity, Reason: result.Reason,
			Repeated: result.Repeated || u.batch < u.again,
		})
	}
	u.answered += len(results)
	if err != nil {
		return fmt.Errorf("write %d quantities to %q: %w", len(batch), u.req.Shop, err)
	}
	return nil
}

// keep archives the receipts of all batches sent so far, also where ctx has
// ended. From here on a repeat goes on behind them.
func (u *updating) keep(ctx context.Context) error {
	if u.unkept == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	ref, err := snapshot.Write(ctx, u.a.archive, u.a.name(u.req.Shop, u.req.Pass, false, snapshot.Receipt), slices.Values(u.own[len(u.own)-u.unkept:]))
	if err != nil {
		return fmt.Errorf("archive the receipt of %q: %w", u.req.Shop, err)
	}
	u.refs, u.unkept, u.kept = append(u.refs, ref), 0, u.batch
	u.pulse.at(u.progress())
	activity.RecordHeartbeat(ctx, u.progress())
	return nil
}

// settle counts what became of the whole plan of the pass.
func (u *updating) settle(ctx context.Context, planned stock.Plan, stale bool) (protocol.Written, error) {
	own := u.own
	if u.earlier > 0 {
		before, err := u.a.receipts(ctx, u.refs[:u.earlier])
		if err != nil {
			return protocol.Written{}, err
		}
		own = append(before, own...)
	}
	earlier, err := u.a.receipts(ctx, u.req.Receipts)
	if err != nil {
		return protocol.Written{}, err
	}
	whole := planned
	if u.req.Writes != u.req.Plan {
		if whole, err = u.a.plan(ctx, u.req.Plan); err != nil {
			return protocol.Written{}, err
		}
	}
	all := own
	if len(earlier) > 0 {
		all = slices.Concat(earlier, planned.AlreadyRight(), own) // what is right already was a conflict that ended well by itself
	}
	counts, samples, zeroed := stock.Settle(whole, all)
	written := protocol.Written{
		Receipts: u.listed(ctx), Counts: counts, Samples: samples, Stale: stale,
		Conflicts: len(stock.Conflicts(own)), Zeroed: zeroed,
	}
	u.record(ctx, &written)
	if u.req.Brief && len(samples) > 0 && reflect.DeepEqual(samples, whole.Samples()) {
		written.Samples, written.AsPlanned = nil, true
	}
	return written, nil
}

// listed is one reference at most, however many receipts there are: what is
// returned lies in the histories of this pass and of the next one several times.
// Where the list of them cannot be kept it is the receipts themselves: they are
// what must not be lost.
func (u *updating) listed(ctx context.Context) []protocol.Ref {
	if len(u.refs) < 2 {
		return u.refs
	}
	list, err := snapshot.Write(ctx, u.a.archive, u.a.name(u.req.Shop, u.req.Pass, false, snapshot.Receipts), slices.Values(u.refs))
	if err != nil {
		u.a.log.Warn("cannot archive the list of receipts", "shop", u.req.Shop, "pass", u.req.Pass, "error", err)
		return u.refs
	}
	return []protocol.Ref{list}
}

// record leaves the record of the pass, where this write ends it. That it cannot
// fails nothing: the workflow tries again by RecordPass.
func (u *updating) record(ctx context.Context, w *protocol.Written) {
	if u.req.Record == nil || w.Stale || w.Conflicts > 0 || len(w.Receipts) == 0 {
		return
	}
	if u.req.Record.Report.SettingsHash != u.settingsHash {
		return // edited since the pass began: the workflow has the settings of the pass
	}
	record := protocol.PassRecord{
		Report: u.req.Record.Report.Report(u.req.Shop, u.req.Pass), By: u.req.Record.By, Settings: u.settings,
		Plan: u.req.Plan, Receipts: slices.Concat(u.req.Receipts, u.refs),
	}
	record.Report.Counts, record.Report.Samples = w.Counts, w.Samples
	// By the clock of the server, which also said when the pass began.
	record.Report.FinishedAt = activity.GetInfo(ctx).StartedTime.Add(u.a.now().Sub(u.begun)).UTC()
	if err := u.a.RecordPass(ctx, protocol.RecordRequest{Shop: u.req.Shop, Pass: u.req.Pass, Record: record}); err != nil {
		u.a.log.Warn("cannot record the pass with its writes", "shop", u.req.Shop, "pass", u.req.Pass, "error", err)
		return
	}
	w.RecordedAt = record.Report.FinishedAt
}
