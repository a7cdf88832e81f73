package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/bench/internal/house"
	"github.com/skladom/skladom/testsuite/bench/goal"
)

// The goals for a pass.
const (
	toScript = 2.0
	toFloor  = 4.5
	maxPeak  = 256 // MiB
)

// options say what is measured.
type options struct {
	items, rounds int
	worker, limit string
}

// ahead is how many pages Skladom has under way at once where it knows how long
// the list is (kros/sweep.go), and lookups how many look-ups (shop/batch.go).
const (
	ahead   = 4
	lookups = 2
)

// kind is a pass that is measured, and what the anchors do beside it.
type kind struct {
	name  string
	every int // one in so many items has changed
	first bool
}

var kinds = []kind{
	{name: "first pass, all changed", every: 1, first: true},
	{name: "all changed again", every: 1},
	{name: "1 % changed", every: 100},
}

// figures are what was measured of one kind, a value a round.
type figures struct {
	floor, script, skladom []cost
	peak                   []int
}

func measure(ctx context.Context, out io.Writer, dir string, o options) (err error) {
	sides, err := house.StartSides(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sides.Stop()) }()
	shops := lo.Times(o.rounds, func(i int) string { return fmt.Sprintf("shop-%d", i+1) })
	skladom, err := openSkladom(ctx, dir, o.worker, o.limit, sides.URL, shops)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, skladom.close()) }()

	all := make([]figures, len(kinds))
	for _, shop := range shops {
		g := goods{Items: o.items, Kros: 1}
		for i, k := range kinds {
			g.Every = k.every
			if err := all[i].round(ctx, sides, skladom, shop, k, g); err != nil {
				return err
			}
			// The next pass finds the shop as this one left it, if all had changed.
			g.Shop, g.Kros = g.Kros, g.Kros+1
		}
	}
	report(out, o, all)
	return nil
}

// round measures Skladom and both anchors once.
func (f *figures) round(ctx context.Context, sides *house.Sides, s *skladom, shop string, k kind, g goods) error {
	t := task{URL: sides.URL, Goods: g, Pages: lo.Ternary(k.first, 1, ahead), Lookups: lookups}
	for _, a := range []struct {
		role string
		into *[]cost
	}{{"floor", &f.floor}, {"script", &f.script}} {
		c, err := onFresh(ctx, sides, g, func() (cost, error) { return runAnchor(ctx, a.role, t) })
		if err != nil {
			return err
		}
		*a.into = append(*a.into, c)
	}
	peak := 0
	c, err := onFresh(ctx, sides, g, func() (c cost, err error) {
		c, peak, err = s.measured(func() error {
			pass := lo.Ternary(k.first, s.first, s.Sync)
			report, err := pass(ctx, shop)
			return errors.Join(err, expected(report, g))
		})
		return c, err
	})
	f.skladom, f.peak = append(f.skladom, c), append(f.peak, peak)
	return err
}

// onFresh does something with the goods as they are given, and looks whether
// the shop has what it is to have in the end.
func onFresh(ctx context.Context, sides *house.Sides, g goods, do func() (cost, error)) (cost, error) {
	if err := fill(ctx, sides, g); err != nil {
		return cost{}, err
	}
	c, err := do()
	if err != nil {
		return cost{}, err
	}
	return c, check(ctx, sides)
}

func expected(r protocol.Report, g goods) error {
	want := (g.Items + g.Every - 1) / g.Every
	if r.KrosItems != g.Items || r.Updated != want {
		return fmt.Errorf("pass %d of %s updated %d of %d items instead of %d of %d", r.Pass, r.Shop, r.Updated, r.KrosItems, want, g.Items)
	}
	return nil
}

func report(out io.Writer, o options, all []figures) {
	fmt.Fprintf(out, "\n%d items, medians of %d rounds; in brackets: lowest and highest\n", o.items, o.rounds)
	row := func(name string, cell func(figures) string) {
		fmt.Fprintf(out, "  %-34s", name)
		for _, f := range all {
			fmt.Fprintf(out, "%26s", cell(f))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "\n  %-34s", "")
	for _, k := range kinds {
		fmt.Fprintf(out, "%26s", k.name)
	}
	fmt.Fprintln(out)
	wall := func(c cost) time.Duration { return c.Wall }
	user := func(c cost) time.Duration { return c.User }
	row("Skladom : script", func(f figures) string { return ratio(f.skladom, f.script, wall) })
	row("Skladom : floor", func(f figures) string { return ratio(f.skladom, f.floor, wall) })
	row("script : floor", func(f figures) string { return ratio(f.script, f.floor, wall) })
	row("  the same in processor time", func(figures) string { return "" })
	row("worker : script", func(f figures) string { return ratio(f.skladom, f.script, user) })
	row("worker : floor", func(f figures) string { return ratio(f.skladom, f.floor, user) })
	row("worker's peak memory, MiB", func(f figures) string {
		return fmt.Sprintf("%d (%d-%d)", median(f.peak), slices.Min(f.peak), slices.Max(f.peak))
	})
	fmt.Fprintln(out, "\n  for orientation, seconds (of the user's processor time)")
	for _, who := range []struct {
		name string
		of   func(figures) []cost
	}{
		{"Skladom (its worker)", func(f figures) []cost { return f.skladom }},
		{"script", func(f figures) []cost { return f.script }},
		{"floor", func(f figures) []cost { return f.floor }},
	} {
		row(who.name, func(f figures) string {
			return fmt.Sprintf("%.2f (%.2f)", seconds(who.of(f), wall), seconds(who.of(f), user))
		})
	}
	goal.Print(out, lo.FlatMap(all, func(f figures, i int) []goal.Figure {
		name := fmt.Sprintf("pass of %d items, %s, ", o.items, kinds[i].name)
		return []goal.Figure{
			goal.AtMost(name+"Skladom : script", median(ratios(f.skladom, f.script, wall)), toScript),
			goal.AtMost(name+"Skladom : floor", median(ratios(f.skladom, f.floor, wall)), toFloor),
			goal.AtMost(name+"worker's peak memory, MiB", float64(median(f.peak)), maxPeak),
		}
	})...)
}

// ratios compares round by round, so that a slow minute of the machine counts
// on both sides.
func ratios(of, to []cost, what func(cost) time.Duration) []float64 {
	return lo.Map(of, func(c cost, i int) float64 { return float64(what(c)) / float64(max(what(to[i]), 1)) })
}

func ratio(of, to []cost, what func(cost) time.Duration) string {
	ratios := ratios(of, to, what)
	return fmt.Sprintf("%.2f (%.2f-%.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios))
}

func seconds(costs []cost, what func(cost) time.Duration) float64 {
	return median(lo.Map(costs, func(c cost, _ int) float64 { return what(c).Seconds() }))
}

func median[T int | float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
