package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"go.temporal.io/api/history/v1"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/testsuite/bench/goal"
)

// The goals for one pass.
const (
	maxEvents  = 42
	maxBytes   = 16 << 10
	maxActions = 12
)

// startWithin bounds what is quick in every case.
const startWithin = time.Minute

// changes are what KROS has changed since the pass before: one in so many items.
var changes = []struct {
	name  string
	every int
}{{"nothing", 0}, {"1 %", 100}, {"everything", 1}}

// row is one kind of pass.
type row struct {
	trigger protocol.Trigger
	changed string
	items   int
	passes  []sample
}

// sample is one pass.
type sample struct {
	sync, pass site.Cost
	served     int   // bytes of both, as the server counts them
	heartbeats int64 // that reached the server; -1 where two passes ran at once
}

func measure(ctx context.Context, out io.Writer, dir string, o options) (err error) {
	shops := []*shop{newShop("small", o.small), newShop("large", o.large)}
	renewed := newShop("renewed", o.small)
	h, err := openHome(ctx, dir, append(shops, renewed)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	var rows []*row
	for _, s := range shops {
		if err := h.activate(ctx, s); err != nil {
			return err
		}
		asked, err := h.countAsked(ctx, s, o.passes)
		if err != nil {
			return err
		}
		rows = append(rows, asked...)
	}
	ticked, err := h.countTicks(ctx, shops, o.ticks)
	if err != nil {
		return err
	}
	rows = append(rows, ticked...)
	share, err := h.countRenewal(ctx, renewed)
	if err != nil {
		return err
	}
	return show(out, rows, share, o)
}

// activate activates a shop and waits for its first pass.
func (h *home) activate(ctx context.Context, s *shop) error {
	var activation protocol.Activation
	request := protocol.ActivateRequest{Shop: s.name}
	if err := site.Execute(ctx, h.client, queue, protocol.ActivateID(s.name), protocol.ActivateConnection, request, &activation); err != nil {
		return fmt.Errorf("activate %s: %w", s.name, err)
	}
	if activation.Failure != nil {
		return fmt.Errorf("activate %s: %s", s.name, activation.Failure.Message)
	}
	if err := h.sync(ctx, s, protocol.SyncRequest{Activation: activation.ID}); err != nil {
		return err
	}
	return h.rested(ctx, s)
}

func (h *home) sync(ctx context.Context, s *shop, request protocol.SyncRequest) error {
	var report protocol.Report
	return site.Update(ctx, h.client, s.name, protocol.UpdateSync, &report, request)
}

func (h *home) rested(ctx context.Context, s *shop) (err error) {
	s.rest, err = site.RestAfter(ctx, h.client, protocol.StockSyncID(s.name), s.rest)
	return err
}

// countAsked counts passes by hand and by notification.
func (h *home) countAsked(ctx context.Context, s *shop, passes int) ([]*row, error) {
	var rows []*row
	for _, ask := range []struct {
		trigger protocol.Trigger
		how     func(context.Context, *shop) error
	}{
		{protocol.TriggerManual, func(ctx context.Context, s *shop) error { return h.sync(ctx, s, protocol.SyncRequest{}) }},
		{protocol.TriggerNotification, h.notify},
	} {
		for _, change := range changes {
			r := &row{trigger: ask.trigger, changed: change.name, items: s.items}
			for range passes {
				changed, beats := s.change(change.every), h.heartbeats.Load()
				if err := ask.how(ctx, s); err != nil {
					return nil, err
				}
				one, err := h.count(ctx, s, ask.trigger, changed)
				if err != nil {
					return nil, err
				}
				one.heartbeats = h.heartbeats.Load() - beats
				r.passes = append(r.passes, one)
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// notify sends what the relay sends, after so much quiet that a pass begins at
// once.
func (h *home) notify(ctx context.Context, s *shop) error {
	last, err := h.lastPass(ctx, s)
	if err != nil {
		return err
	}
	quiet := time.NewTimer(time.Until(last.StartedAt.Add(2 * last.FinishedAt.Sub(last.StartedAt))))
	defer quiet.Stop()
	select {
	case <-quiet.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return h.client.SignalWorkflow(ctx, protocol.StockSyncID(s.name), "", protocol.SignalNotification, nil)
}

// countTicks counts passes by schedule, of all shops side by side.
func (h *home) countTicks(ctx context.Context, shops []*shop, ticks int) ([]*row, error) {
	if ticks == 0 {
		return nil, nil
	}
	if err := h.configure(eachTicks); err != nil {
		return nil, err
	}
	for _, s := range shops {
		if err := h.client.SignalWorkflow(ctx, protocol.StockSyncID(s.name), "", protocol.SignalConfigChanged, nil); err != nil {
			return nil, fmt.Errorf("tell %s of its schedule: %w", s.name, err)
		}
		if err := h.rested(ctx, s); err != nil {
			return nil, err
		}
	}
	var rows []*row
	for _, change := range changes {
		round := make([]*row, len(shops))
		for i, s := range shops {
			round[i] = &row{trigger: protocol.TriggerSchedule, changed: change.name, items: s.items}
		}
		for range ticks {
			changed := make([]int, len(shops))
			for i, s := range shops {
				changed[i] = s.change(change.every)
			}
			for i, s := range shops {
				one, err := h.count(ctx, s, protocol.TriggerSchedule, changed[i])
				if err != nil {
					return nil, err
				}
				one.heartbeats = -1
				round[i].passes = append(round[i].passes, one)
			}
		}
		rows = append(rows, round...)
	}
	return rows, nil
}

// count waits for the pass after the last rest, and counts it.
func (h *home) count(ctx context.Context, s *shop, trigger protocol.Trigger, changed int) (one sample, err error) {
	before := s.rest
	if err := h.rested(ctx, s); err != nil {
		return sample{}, err
	}
	if s.rest.Run != before.Run {
		return sample{}, fmt.Errorf("a new run of %s came between two passes: count fewer passes", s.name)
	}
	last, err := h.lastPass(ctx, s)
	if err != nil {
		return sample{}, err
	}
	if last.Result != protocol.ResultOK || last.Trigger != trigger || last.Updated != changed {
		return sample{}, fmt.Errorf("a pass of %s by %s that should have updated %d ended %s, by %s, with %d updated", s.name, trigger, changed, last.Result, last.Trigger, last.Updated)
	}
	events, err := site.History(ctx, h.client, protocol.StockSyncID(s.name), s.rest.Run)
	if err != nil {
		return sample{}, err
	}
	events = events[before.Events:s.rest.Events]
	run, err := onlyChild(events)
	if err != nil {
		return sample{}, fmt.Errorf("a pass of %s: %w", s.name, err)
	}
	child, err := site.History(ctx, h.client, protocol.SyncPassID(s.name), run)
	if err != nil {
		return sample{}, err
	}
	described, err := h.client.DescribeWorkflowExecution(ctx, protocol.SyncPassID(s.name), run)
	if err != nil {
		return sample{}, fmt.Errorf("look at a pass of %s: %w", s.name, err)
	}
	size := int(described.GetWorkflowExecutionInfo().GetHistorySizeBytes())
	return sample{sync: site.CostOf(events), pass: site.CostOf(child), served: s.rest.Bytes - before.Bytes + size}, nil
}

// onlyChild is the run of the one child that was started.
func onlyChild(events []*history.HistoryEvent) (run string, err error) {
	for _, e := range events {
		started := e.GetChildWorkflowExecutionStartedEventAttributes()
		switch {
		case started == nil:
			continue
		case run != "":
			return "", errors.New("it was two passes")
		}
		run = started.GetWorkflowExecution().GetRunId()
	}
	if run == "" {
		return "", errors.New("it was none")
	}
	return run, nil
}

func (h *home) lastPass(ctx context.Context, s *shop) (protocol.Report, error) {
	var status protocol.Status
	if err := site.Query(ctx, h.client, s.name, protocol.QueryStatus, &status); err != nil {
		return protocol.Report{}, fmt.Errorf("ask %s for its status: %w", s.name, err)
	}
	if status.LastPass == nil {
		return protocol.Report{}, fmt.Errorf("%s has no pass yet", s.name)
	}
	return *status.LastPass, nil
}

// renewal is what the next run of StockSync costs beside its passes.
type renewal struct {
	cost   site.Cost
	passes int // of one run
}

// countRenewal runs passes until a whole run of StockSync lies between two
// others, and takes from it what its passes cost.
func (h *home) countRenewal(ctx context.Context, s *shop) (renewal, error) {
	if err := h.activate(ctx, s); err != nil {
		return renewal{}, err
	}
	first, second := s.rest.Run, ""
	var rests []site.Rest // in the second run
	for {
		if err := h.sync(ctx, s, protocol.SyncRequest{}); err != nil {
			return renewal{}, err
		}
		if err := h.rested(ctx, s); err != nil {
			return renewal{}, err
		}
		switch s.rest.Run {
		case first:
			continue
		case second:
		default:
			if second != "" {
				return h.besidePasses(ctx, s, second, rests)
			}
			second = s.rest.Run
		}
		rests = append(rests, s.rest)
	}
}

// besidePasses takes from a whole run what its passes cost; rests lie between
// all of them.
func (h *home) besidePasses(ctx context.Context, s *shop, run string, rests []site.Rest) (renewal, error) {
	events, err := site.History(ctx, h.client, protocol.StockSyncID(s.name), run)
	if err != nil {
		return renewal{}, err
	}
	whole, between := site.CostOf(events), len(rests)-1
	passes := site.CostOf(events[rests[0].Events:rests[between].Events])
	r := renewal{passes: between + 1} // the last pass ends in the next run
	all := func(n int) int { return n * r.passes / between }
	r.cost = site.Cost{Events: whole.Events - all(passes.Events), Bytes: whole.Bytes - all(passes.Bytes), Actions: whole.Actions - all(passes.Actions)}
	return r, nil
}

func (r *row) mean(of func(sample) int) float64 {
	sum := 0
	for _, one := range r.passes {
		sum += of(one)
	}
	return float64(sum) / float64(len(r.passes))
}

func show(out io.Writer, rows []*row, share renewal, o options) error {
	each := func(n int) float64 { return float64(n) / float64(share.passes) }
	fmt.Fprintf(out, "One pass of StockSync and SyncPass together, with its share of the next run of StockSync: of its\n"+
		"%d passes each bears %.2f events, %.2f KiB and %.2f actions.\n\n",
		share.passes, each(share.cost.Events), each(share.cost.Bytes)/1024, each(share.cost.Actions))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	var mostEvents, mostBytes, mostActions float64
	fmt.Fprintln(table, "asked by\tchanged\titems\tpasses\tevents\tStockSync\tSyncPass\tKiB\tby the server\tactions\theartbeats\tabove a goal\t")
	for _, r := range rows {
		events := r.mean(func(s sample) int { return s.sync.Events + s.pass.Events }) + each(share.cost.Events)
		bytes := r.mean(func(s sample) int { return s.sync.Bytes + s.pass.Bytes }) + each(share.cost.Bytes)
		served := r.mean(func(s sample) int { return s.served }) + each(share.cost.Bytes)
		actions := r.mean(func(s sample) int { return s.sync.Actions + s.pass.Actions }) + each(share.cost.Actions)
		beats, above := "-", ""
		mostEvents, mostBytes, mostActions = max(mostEvents, events), max(mostBytes, bytes, served), max(mostActions, actions)
		if events > maxEvents || max(bytes, served) > maxBytes || actions > maxActions {
			above = "yes"
		}
		if r.passes[0].heartbeats >= 0 {
			beats = fmt.Sprintf("%.1f", r.mean(func(s sample) int { return int(s.heartbeats) }))
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t%s\t\n", r.trigger, r.changed, r.items, len(r.passes), events,
			r.mean(func(s sample) int { return s.sync.Events }), r.mean(func(s sample) int { return s.pass.Events }),
			bytes/1024, served/1024, actions, beats, above)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nGoals: %d events, %d KiB, %d actions. Heartbeats are billed as well and leave no event: one when a long activity\n"+
		"begins, and one for each %s that it takes. At KROS's limits the fetch of %d items sends %d, of %d items %d.\n",
		maxEvents, maxBytes>>10, maxActions, beatEvery, o.small, beatsAtLimits(o.small), o.large, beatsAtLimits(o.large))
	goal.Print(out,
		goal.AtMost("dearest pass, billable actions", mostActions, maxActions),
		goal.AtMost("dearest pass, events", mostEvents, maxEvents),
		goal.AtMost("dearest pass, KiB of history", mostBytes/1024, maxBytes>>10))
	return nil
}

// beatEvery is the wait between two heartbeats.
const beatEvery = 16 * time.Second

// beatsAtLimits is how many heartbeats a fetch sends that takes as long as
// KROS's limits of 300 requests a minute and 10 a second make it.
func beatsAtLimits(items int) int {
	last := items / 100 // page, from 0
	least := time.Duration(last/300)*time.Minute + time.Duration(last%300/10)*time.Second
	return 1 + int(least/beatEvery)
}
