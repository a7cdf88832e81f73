package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/bench/internal/house"
	"github.com/skladom/skladom/testsuite/bench/goal"
)

const (
	// readWithin is how long shops may take to read their schedule.
	readWithin = time.Minute
	// settle is how late a tick's pass may begin and is still waited for.
	settle = 10 * time.Second
)

// lateness measures how late passes begin after their ticks, at the pace that
// the schedule gives, and how evenly ticks are spread.
func (b *bench) lateness(ctx context.Context) error {
	if _, err := b.post(ctx, "/move"); err != nil {
		return err
	}
	until, err := b.readSchedules(ctx)
	if err != nil {
		return err
	}
	if err := b.one.ForgetPeak(); err != nil {
		return err
	}
	before, err := b.take([]*house.Process{b.one})
	if err != nil {
		return err
	}
	began := time.Now()
	if err := wait(ctx, min(b.ticks, time.Until(until))); err != nil {
		return err
	}
	ended := time.Now()
	after, err := b.take([]*house.Process{b.one})
	if err != nil {
		return err
	}
	if err := wait(ctx, settle); err != nil {
		return err
	}
	return b.reportTicks(ctx, began, ended, after, before)
}

// readSchedules has the shops read when their ticks are, and returns until when
// it knows of no other tick. Those whose tick comes later would sleep all the
// while with or without it; they stay open and asleep.
func (b *bench) readSchedules(ctx context.Context) (until time.Time, err error) {
	began := time.Now()
	until = began.Add(readWithin + b.ticks)
	due, err := b.due(began, until)
	if err != nil {
		return until, err
	}
	shops := slices.Sorted(maps.Keys(due))
	if err := b.each(ctx, shops, func(ctx context.Context, shop string) error {
		return b.house.Client.SignalWorkflow(ctx, protocol.StockSyncID(shop), "", protocol.SignalConfigChanged, nil)
	}); err != nil {
		return until, fmt.Errorf("have the shops read their schedule: %w", err)
	}
	if err := b.atRest(ctx, shops); err != nil {
		return until, err
	}
	took := time.Since(began)
	b.say("  %d shops have read their schedule in %.0f s", len(shops), took.Seconds())
	if took > readWithin+b.ticks/2 {
		return until, errors.New("most of their ticks were over then; look for longer (-ticks)")
	}
	return until, nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func (b *bench) reportTicks(ctx context.Context, began, ended time.Time, after, before use) error {
	due, err := b.due(began, ended)
	if err != nil {
		return err
	}
	passes, err := b.passes(ctx, began)
	if err != nil {
		return err
	}
	var late, took []time.Duration
	for shop, tick := range due {
		pass := passes[shop]
		if pass == nil {
			late = append(late, time.Since(tick)) // not begun yet
			continue
		}
		late = append(late, pass.GetStartTime().AsTime().Sub(tick))
		if pass.GetCloseTime() != nil {
			took = append(took, pass.GetCloseTime().AsTime().Sub(pass.GetStartTime().AsTime()))
		}
	}
	if len(took) == 0 {
		return fmt.Errorf("of %d ticks in %.0f s no pass has ended; look for longer (-ticks)", len(due), ended.Sub(began).Seconds())
	}
	peak, err := b.one.Peak()
	if err != nil {
		return err
	}
	largest, mean, err := b.spreadOfTicks(began)
	if err != nil {
		return err
	}
	b.table.head(fmt.Sprintf("ticks of %d shops by %s", b.options.shops, b.schedule))
	b.table.row("lateness of the start, s: p50, p99", "%.3f, %.3f", percentile(late, 50).Seconds(), percentile(late, 99).Seconds())
	b.table.row("ticks, and how many a second", "%d, %.1f", len(due), float64(len(due))/ended.Sub(began).Seconds())
	b.table.row("ticks whose pass has not begun or not ended", "%d", len(due)-len(took))
	b.table.row("from start to end of a pass, s: p50, p99", "%.3f, %.3f", percentile(took, 50).Seconds(), percentile(took, 99).Seconds())
	b.table.row("largest second : mean", "%.2f", largest/mean)
	b.table.row("worker's peak memory meanwhile, MiB", "%d", peak)
	b.table.beside(goal.Below("lateness of a tick's pass, 99th percentile, s", percentile(late, 99).Seconds(), 5))
	b.table.beside(goal.AtMost("ticks in the fullest second : mean", largest/mean, 4))
	b.table.beside(goal.Below(fmt.Sprintf("peak memory of the worker of %d shops, MiB", b.options.shops), float64(peak), 1536))
	b.table.shares("processors used", after.since(before, int64(len(due))))
	return nil
}

// due are the shops that have a tick in a span, and when.
func (b *bench) due(from, to time.Time) (map[string]time.Time, error) {
	due := map[string]time.Time{}
	for _, name := range ticking(b.options) {
		tick, err := b.shops[name].NextTick(from, time.Time{})
		if err != nil {
			return nil, err
		}
		if !tick.After(to) {
			due[name] = tick
		}
	}
	return due, nil
}

// passes are the first ones that shops began since.
func (b *bench) passes(ctx context.Context, since time.Time) (map[string]*workflow.WorkflowExecutionInfo, error) {
	first := map[string]*workflow.WorkflowExecutionInfo{}
	request := &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 1000,
		Query:    fmt.Sprintf("WorkflowType = '%s' AND StartTime >= '%s'", protocol.SyncPass, since.UTC().Format(time.RFC3339Nano)),
	}
	for {
		page, err := b.house.Client.ListWorkflow(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("list the passes: %w", err)
		}
		for _, run := range page.GetExecutions() {
			shop := strings.TrimPrefix(run.GetExecution().GetWorkflowId(), protocol.SyncPassID(""))
			if known := first[shop]; known == nil || run.GetStartTime().AsTime().Before(known.GetStartTime().AsTime()) {
				first[shop] = run
			}
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return first, nil
		}
	}
}

// spreadOfTicks is how many ticks the fullest second has, and how many a second
// has on the average, over the next tick of every shop.
func (b *bench) spreadOfTicks(from time.Time) (largest, mean float64, err error) {
	seconds := map[int64]float64{}
	first, last := from.AddDate(1, 0, 0), from
	for _, name := range ticking(b.options) {
		tick, err := b.shops[name].NextTick(from, time.Time{})
		if err != nil {
			return 0, 0, err
		}
		seconds[tick.Unix()]++
		largest = max(largest, seconds[tick.Unix()])
		if tick.Before(first) {
			first = tick
		}
		if tick.After(last) {
			last = tick
		}
	}
	return largest, float64(b.options.shops) / max(1, last.Sub(first).Seconds()+1), nil
}
