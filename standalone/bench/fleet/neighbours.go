package main

import (
	"context"
	"errors"
	"time"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

// neighbours measures how long the small shop's e-shop takes to show what KROS
// notified, in quiet and while a large shop runs whole passes.
func (b *bench) neighbours(ctx context.Context) error {
	for range 2 { // both catalogues of the large one, and something to remember
		if err := b.once(ctx, []string{small, large}); err != nil {
			return err
		}
		if _, err := b.post(ctx, "/turn"); err != nil {
			return err
		}
	}
	quiet, err := b.notified(ctx, b.samples)
	if err != nil {
		return err
	}
	loud, passes, err := b.besideLarge(ctx)
	if err != nil {
		return err
	}
	quietAgain, err := b.notified(ctx, b.samples)
	if err != nil {
		return err
	}
	quiet = append(quiet, quietAgain...)
	b.table.head("a notification beside a large shop")
	ratio := percentile(loud, 50).Seconds() / percentile(quiet, 50).Seconds()
	b.table.beside(goal.AtMost("a notification beside a large shop : quiet, medians", ratio, 2))
	b.table.row("beside it : quiet, medians", "%.2f", ratio)
	b.table.row("quiet, ms: median, p90", "%.0f, %.0f", ms(percentile(quiet, 50)), ms(percentile(quiet, 90)))
	b.table.row("beside it", "%.0f, %.0f", ms(percentile(loud, 50)), ms(percentile(loud, 90)))
	b.table.row("passes of the large shop meanwhile", "%d", passes)
	return nil
}

// besideLarge measures while passes of the large shop follow one another.
func (b *bench) besideLarge(ctx context.Context) (took []time.Duration, passes int, err error) {
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			_, err := b.house.Sync(ctx, large)
			if err == nil {
				_, err = b.post(ctx, "/turn")
			}
			if err != nil {
				ended <- err
				return
			}
			passes++
		}
	}()
	took, err = b.notified(ctx, b.samples)
	close(stop)
	return took, passes, errors.Join(err, <-ended)
}

// notified measures notifications one by one.
func (b *bench) notified(ctx context.Context, samples int) ([]time.Duration, error) {
	var all []time.Duration
	for range samples {
		took, err := b.follow(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, took)
		// The pass has to end, and a second notification waits for twice as long
		// as the pass took, which is longer than the e-shop waited for it.
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(4*took + time.Second):
		}
	}
	return all, nil
}
