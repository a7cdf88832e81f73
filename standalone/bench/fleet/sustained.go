package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/samber/lo"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/standalone/bench/internal/house"
	"github.com/skladom/skladom/testsuite/bench/goal"
)

// pace is what passes were sustained.
type pace struct {
	passes float64 // a second
	wrote  float64 // the part of them that had something to write
	shares []share
}

// sustained measures passes a second with the real activities and with empty
// ones, in turn.
func (b *bench) sustained(ctx context.Context) error {
	shops, none := busy(b.options), names("none", b.busy)
	if err := b.first(ctx); err != nil {
		return err
	}
	var reals, nones []pace
	for range b.rounds {
		r, err := b.sustain(ctx, shops, b.one)
		if err != nil {
			return err
		}
		n, err := b.sustain(ctx, none, b.empty)
		if err != nil {
			return err
		}
		reals, nones = append(reals, r), append(nones, n)
		b.say("  %.1f passes a second, %.1f with empty activities", r.passes, n.passes)
	}
	b.table.head("sustained passes")
	compared := ratios(reals, nones)
	b.table.beside(goal.AtLeast("sustained passes, real : empty activities", median(compared), 0.4))
	b.table.row("real : empty activities", "%s", summary(compared, "%.2f"))
	b.table.row("passes a second", "%s", spread(reals))
	b.table.row("with empty activities", "%s", spread(nones))
	b.table.row("passes that wrote, %", "%.0f", 100*last(reals).wrote)
	b.table.shares("processors used", last(reals).shares)
	b.table.shares("with empty activities", last(nones).shares)
	return nil
}

// workers measures passes a second of one worker and of two.
func (b *bench) workers(ctx context.Context) error {
	shops := busy(b.options)
	if err := b.first(ctx); err != nil {
		return err
	}
	var ones, twos []pace
	for range b.rounds {
		o, err := b.sustain(ctx, shops, b.one)
		if err != nil {
			return err
		}
		t, err := b.withSecond(ctx, func(second *house.Process) (pace, error) { return b.sustain(ctx, shops, b.one, second) })
		if err != nil {
			return err
		}
		ones, twos = append(ones, o), append(twos, t)
		b.say("  %.1f passes a second, %.1f with two workers", o.passes, t.passes)
	}
	b.table.head("a second worker")
	compared := ratios(twos, ones)
	b.table.beside(besideUse(goal.AtLeast("sustained passes, two workers : one", median(compared), manyTimes), last(twos).shares, runtime.NumCPU()))
	b.table.row("two workers : one", "%s", summary(compared, "%.2f"))
	b.table.row("passes a second of one", "%s", spread(ones))
	b.table.row("of two", "%s", spread(twos))
	b.table.shares("processors used by one", last(ones).shares)
	b.table.shares("by two", last(twos).shares)
	b.table.note(conclusion(last(ones).shares, runtime.NumCPU()))
	return nil
}

// manyTimes is what a second worker is to bring, where the server lets it.
const manyTimes = 1.8

// conclusion says what any number of workers can bring on this machine, from
// what a pass costs beside one: the fleet has what it uses and what is idle.
func conclusion(one []share, processors int) string {
	parts := partsOf(one)
	fleet := fleetOf(parts)
	most := (fleet + parts[idleOnes]) / max(fleet, 0.01)
	text := fmt.Sprintf("beside one worker, which uses %.2f, server and simulators use %.2f of %d processors (the server %.0f %% of the fleet's use), %.2f are idle and %.2f others': ",
		parts[workersShare], fleet-parts[workersShare], processors, 100*parts[serverShare]/max(fleet, 0.01),
		parts[idleOnes], max(0, float64(processors)-fleet-parts[idleOnes]))
	if most >= manyTimes {
		return text + fmt.Sprintf("there is room for %.2f times the passes, so it is not the processors that limit", most)
	}
	return text + fmt.Sprintf("there is room for %.2f times the passes at most, with however many workers", most)
}

// usedUp is the part of all processors from which on a second worker has none
// to work with.
const usedUp = 0.9

// besideUse says with what a second worker adds who uses the processors. Where
// the server takes most of them and the fleet has used up all, the goal is one
// for the server. What others on the machine take, excuses nothing.
func besideUse(f goal.Figure, shares []share, processors int) goal.Figure {
	f.Measured += fmt.Sprintf(" (of %d processors: %s)", processors, list(shares, func(s share) string { return fmt.Sprintf("%s %.2f", s.who, s.part) }))
	f.Goal += ", unless the server takes most of all processors"
	parts := partsOf(shares)
	fleet := fleetOf(parts)
	if fleet >= usedUp*float64(processors) && parts[serverShare] > fleet/2 {
		f.Verdict = goal.Met
	}
	return f
}

func partsOf(shares []share) map[string]float64 {
	return lo.SliceToMap(shares, func(s share) (string, float64) { return s.who, s.part })
}

// fleetOf is what the server, the workers and the simulators use together.
func fleetOf(parts map[string]float64) float64 { return lo.Sum(lo.Values(parts)) - parts[idleOnes] }

func (b *bench) withSecond(ctx context.Context, do func(*house.Process) (pace, error)) (p pace, err error) {
	second, err := b.house.Work(ctx, b.worker, b.alone)
	if err != nil {
		return pace{}, err
	}
	defer func() { err = errors.Join(err, second.Stop()) }()
	if err := b.polled(ctx, 2); err != nil {
		return pace{}, err
	}
	return do(second)
}

// first gives the busy shops the first pass, which has nothing to remember,
// unless another part of the benchmark has.
func (b *bench) first(ctx context.Context) error {
	if b.begun {
		return nil
	}
	b.begun = true
	return b.once(ctx, busy(b.options), names("none", b.busy))
}

// once runs a pass of every shop.
func (b *bench) once(ctx context.Context, kinds ...[]string) error {
	for _, shops := range kinds {
		if err := b.each(ctx, shops, func(ctx context.Context, shop string) error {
			_, err := b.house.Sync(ctx, shop)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// sustain goes round the shops for a while, with so many passes under way at
// once. Before each round some of KROS's catalogue moves, so that nearly every
// pass has something to write.
func (b *bench) sustain(ctx context.Context, shops []string, workers ...*house.Process) (pace, error) {
	var next, done, wrote atomic.Int64
	before, err := b.take(workers)
	if err != nil {
		return pace{}, err
	}
	end := time.Now().Add(b.window)
	group, ctx := errgroup.WithContext(ctx)
	for range b.flight {
		group.Go(func() error {
			for {
				turn := int(next.Add(1)-1) % len(shops)
				if turn == 0 {
					if _, err := b.post(ctx, "/move"); err != nil {
						return err
					}
				}
				report, err := b.house.Sync(ctx, shops[turn])
				switch {
				case err != nil:
					return err
				case report.KrosItems != b.items:
					return fmt.Errorf("pass %d of %s has seen %d of %d items", report.Pass, report.Shop, report.KrosItems, b.items)
				case time.Now().After(end):
					return nil
				}
				done.Add(1)
				if report.Updated > 0 {
					wrote.Add(1)
				}
			}
		})
	}
	ended := make(chan error, 1)
	go func() { ended <- group.Wait() }()
	select {
	case err := <-ended: // too early
		return pace{}, err
	case <-time.After(time.Until(end)):
	}
	passes := done.Load()
	after, takeErr := b.take(workers)
	if err := errors.Join(<-ended, takeErr); err != nil {
		return pace{}, err
	}
	return pace{passes: float64(passes) / b.window.Seconds(), wrote: float64(wrote.Load()) / float64(max(passes, 1)), shares: after.since(before, passes)}, nil
}
