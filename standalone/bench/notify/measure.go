package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode"
	"github.com/skladom/skladom/standalone/notifytest"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/bench/goal"
)

const (
	items  = 500 // 6 pages: they fit into KROS's burst of 10 requests
	warmUp = 5
	// Notifications come this far apart, so that KROS grants 6 pages to each:
	// 10 requests in a second, 300 in a minute.
	gap, jitter = 1250 * time.Millisecond, 100 * time.Millisecond
	followIn    = time.Minute
)

// measure sends notifications one by one and prints how long the shop took to
// follow, and where that time went.
func measure(ctx context.Context, out io.Writer, dir string, samples int) (figures []goal.Figure, err error) {
	err = inTown(ctx, notifytest.Options{Dir: dir, Shops: 2, Items: items, MinGap: "0s"}, func(town *notifytest.Town) error {
		b := &bench{shop: town.Shops[0], other: town.Shops[1], web: &http.Client{}}
		if err := b.connect(); err != nil {
			return err
		}
		begin := time.Now()
		for i := range warmUp + samples {
			if err := b.sample(ctx, i); err != nil {
				return err
			}
		}
		took := time.Since(begin)
		b.sent, b.followed, b.bare = b.sent[warmUp:], b.followed[warmUp:], b.bare[warmUp:]
		passes, err := profile(ctx, town.Client, b.shop.Name)
		if err != nil {
			return err
		}
		if len(passes) != samples {
			return fmt.Errorf("%d notifications began %d passes", samples, len(passes))
		}
		fmt.Fprintf(out, "\n%d notifications one by one in %.0f s, shop of %d items; milliseconds\n\n", samples, took.Seconds(), items)
		figures = b.print(out, passes)
		return b.throttled()
	})
	return figures, err
}

// bench is a shop that is measured.
type bench struct {
	shop *notifytest.Shop
	web  *http.Client

	// A shop that nothing happens in, for the same requests without Temporal and
	// without an archive.
	other  *notifytest.Shop
	kros   *kros.Client
	fynode shop.Shop

	sent, followed []time.Time
	bare           []time.Duration
}

func (b *bench) connect() (err error) {
	if b.kros, err = kros.New(kros.Config{URL: b.other.KrosURL, Token: b.other.KrosToken}); err != nil {
		return err
	}
	b.fynode, err = fynode.New(fynode.Config{URL: b.other.FynodeURL, APIKey: b.other.FynodeKey})
	return err
}

// sample measures one notification, and then the bare requests, while nothing
// else goes on.
func (b *bench) sample(ctx context.Context, i int) error {
	next := time.NewTimer(gap + rand.N(jitter))
	defer next.Stop()
	item, quantity := i%items, 10+i
	if err := b.shop.Book(item, quantity); err != nil {
		return err
	}
	b.sent = append(b.sent, time.Now())
	status, _, err := b.shop.Notify(ctx, b.web, b.shop.Key)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("notification %d was answered with %d", i, status)
	}
	at, err := b.wait(ctx, item, quantity)
	if err != nil {
		return err
	}
	b.followed = append(b.followed, at)

	// The pass has to end before anything else is asked of the machine.
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(gap / 2):
	}
	took, err := b.request(ctx, item, quantity)
	if err != nil {
		return err
	}
	b.bare = append(b.bare, took)
	<-next.C
	return nil
}

// wait returns when the shop got the quantity.
func (b *bench) wait(ctx context.Context, item, quantity int) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, followIn)
	defer cancel()
	for !b.shop.Shows(item, quantity) {
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("the shop never showed %d of item %d", quantity, item)
		case <-time.After(2 * time.Millisecond):
		}
	}
	return lo.LastOrEmpty(b.shop.Fynode.Writes()).At, nil
}

// request does what a pass asks of both sides, and returns how long it took.
func (b *bench) request(ctx context.Context, item, quantity int) (time.Duration, error) {
	if err := b.other.Book(item, quantity); err != nil {
		return 0, err
	}
	begin := time.Now()
	sweep, err := b.kros.Sweep(ctx, kros.SweepOptions{})
	if err != nil {
		return 0, err
	}
	if _, err := b.fynode.Check(ctx); err != nil {
		return 0, err
	}
	products, err := shop.LookupAll(ctx, b.fynode, stock.ByNumber, stock.LookupKeys(stock.ByNumber, sweep.Items), nil)
	if err != nil {
		return 0, err
	}
	changed, _ := lo.Find(products, func(p stock.Product) bool { return p.Number == notifytest.Code(item) })
	_, err = b.fynode.SetStock(ctx, fmt.Sprint("bare ", item, quantity), []shop.Change{
		{ID: changed.ID, Quantity: decimal.NewFromInt(int64(quantity)), Expected: changed.Quantity},
	})
	return time.Since(begin), err
}

// throttled is an error where KROS had to ask for a pause: then what was
// measured is KROS's limit.
func (b *bench) throttled() error {
	if times := b.shop.KROS.State().Rejected; times > 0 {
		return fmt.Errorf("KROS answered 429 %d times: its limits were not kept", times)
	}
	return nil
}

// print prints median and 99th percentile of everything. Nobody has set the
// ratios a goal.
func (b *bench) print(out io.Writer, passes []pass) []goal.Figure {
	whole := lo.Map(b.sent, func(at time.Time, i int) time.Duration { return b.followed[i].Sub(at) })
	line := func(what string, took []time.Duration) {
		fmt.Fprintf(out, "  %-46s %8.1f %8.1f\n", what, ms(percentile(took, 50)), ms(percentile(took, 99)))
	}
	fmt.Fprintf(out, "  %-46s %8s %8s\n", "", "median", "p99")
	line("notification sent -> shop has the quantity", whole)
	line("the same requests alone", b.bare)
	own := make([]time.Duration, len(whole))
	for i := range whole {
		own[i] = whole[i] - passes[i].working(b.followed[i])
	}
	line("Temporal and relay", own)
	fmt.Fprintln(out)
	for k, step := range steps {
		line("  "+step, lo.Map(passes, func(p pass, i int) time.Duration { return p.steps(b.sent[i], b.followed[i])[k] }))
	}
	return []goal.Figure{
		goal.None("a notification followed : the same requests alone, medians", float64(percentile(whole, 50))/float64(percentile(b.bare, 50))),
		goal.None("of it Temporal and relay : all of it, medians", float64(percentile(own, 50))/float64(percentile(whole, 50))),
	}
}

// percentile is the smallest value that so many percent do not exceed.
func percentile(of []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
