package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/standalone/notifytest"
)

// A hundred notifications for each shop, ten a second.
const (
	stormShops = 100
	stormItems = 50
)

var storm = notifytest.Storm{Notifications: 10_000, Wrong: 500, Spread: 9 * time.Second}

// calmIn bounds what follows the storm; the last pass of a shop begins 30 s
// after the first.
const calmIn = 5 * time.Minute

// endure sends a storm to many shops, with the default settings, and prints
// what became of it.
func endure(ctx context.Context, out io.Writer, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, calmIn)
	defer cancel()
	return inTown(ctx, notifytest.Options{Dir: dir, Shops: stormShops, Items: stormItems}, func(town *notifytest.Town) error {
		a, err := town.Endure(ctx, storm)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, `
A storm of %d notifications for %d shops, and %d with a wrong signature

  answered                %.1f s after the first was sent: %.0f a second
  answers                 %v, to wrong ones %v (by status)
  passes of a shop        at most %d, %.1f on the average
  every shop right        after %.1f s (min_gap is 30 s)
  heap                    %d MiB before, at most %d, %d after
`, storm.Notifications, stormShops, storm.Wrong,
			a.Took.Seconds(), float64(storm.Notifications+storm.Wrong)/a.Took.Seconds(), a.Statuses, a.WrongStatuses,
			slices.Max(a.Passes), float64(lo.Sum(a.Passes))/stormShops, a.Settled.Seconds(),
			a.HeapBefore>>20, a.HeapPeak>>20, a.HeapAfter>>20)
		return nil
	})
}

// A thousand notifications; StockSync is renewed after every 48 passes.
const (
	chaseRounds = 100
	chaseEach   = 10
)

// renew sends notifications as fast as a shop follows them and prints whether
// any was lost while StockSync was renewed.
func renew(ctx context.Context, out io.Writer, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, calmIn)
	defer cancel()
	return inTown(ctx, notifytest.Options{Dir: dir, Shops: 1, MinGap: "0s"}, func(town *notifytest.Town) error {
		shop, begin := town.Shops[0], time.Now()
		if err := shop.Chase(ctx, chaseRounds, chaseEach); err != nil {
			return err
		}
		took := time.Since(begin)
		if err := town.Quiet(ctx); err != nil {
			return err
		}
		status, err := shop.Status(ctx)
		if err != nil {
			return err
		}
		runs, err := shop.Runs(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, `
%d notifications one upon the other, while StockSync was renewed %d times

  counted                 %d
  reflected               every one, within %.1f s
`, chaseRounds*chaseEach, runs-1, status.Notifications.Count, took.Seconds())
		return nil
	})
}
