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
	toNode   = 1   // below it
	maxPeak  = 256 // MiB
)

// options say what is measured.
type options struct {
	items, rounds int
	worker, limit string
	nodeRED       string // where it is installed
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

// figures are what was measured of one kind, a value a round. Those of Node-RED
// are missing where it is; in turn is the same flow with one request at a time,
// as flows mostly are drawn.
type figures struct {
	floor, script, nodeRED, inTurn, skladom []cost
	peak, nodePeak                          []int
}

// parties are those that stay for the whole run.
type parties struct {
	sides   *house.Sides
	nodeRED *nodeRED // nil where it is not installed
	skladom *skladom
}

func measure(ctx context.Context, out io.Writer, dir string, o options) (err error) {
	var p parties
	if p.sides, err = house.StartSides(ctx, nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.sides.Stop()) }()
	shops := lo.Times(o.rounds, func(i int) string { return fmt.Sprintf("shop-%d", i+1) })
	if p.skladom, err = openSkladom(ctx, dir, o.worker, o.limit, p.sides.URL, shops); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.skladom.close()) }()
	if p.nodeRED, err = openNodeRED(ctx, out, dir, o.nodeRED, p.sides.URL); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.nodeRED.close()) }()

	all := make([]figures, len(kinds))
	for _, shop := range shops {
		g := goods{Items: o.items, Kros: 1}
		for i, k := range kinds {
			g.Every = k.every
			if err := all[i].round(ctx, p, shop, k, g); err != nil {
				return err
			}
			// The next pass finds the shop as this one left it, if all had changed.
			g.Shop, g.Kros = g.Kros, g.Kros+1
		}
	}
	report(out, o, all)
	return nil
}

// round measures Skladom and all that it is compared with once.
func (f *figures) round(ctx context.Context, p parties, shop string, k kind, g goods) error {
	t := task{URL: p.sides.URL, Goods: g, Pages: lo.Ternary(k.first, 1, ahead), Lookups: lookups}
	for _, a := range []struct {
		role string
		into *[]cost
	}{{"floor", &f.floor}, {"script", &f.script}} {
		c, err := onFresh(ctx, p.sides, g, func() (cost, error) { return runAnchor(ctx, a.role, t) })
		if err != nil {
			return err
		}
		*a.into = append(*a.into, c)
	}
	if p.nodeRED != nil {
		c, peak, err := runningOnFresh(ctx, p, g, p.nodeRED.Process, func() error { return p.nodeRED.pass(ctx, t) })
		if err != nil {
			return err
		}
		f.nodeRED, f.nodePeak = append(f.nodeRED, c), append(f.nodePeak, peak)
		inTurn := t
		inTurn.Pages, inTurn.Lookups = 1, 1
		if c, _, err = runningOnFresh(ctx, p, g, p.nodeRED.Process, func() error { return p.nodeRED.pass(ctx, inTurn) }); err != nil {
			return err
		}
		f.inTurn = append(f.inTurn, c)
	}
	c, peak, err := runningOnFresh(ctx, p, g, p.skladom.worker, func() error {
		pass := lo.Ternary(k.first, p.skladom.first, p.skladom.Sync)
		report, err := pass(ctx, shop)
		return errors.Join(err, expected(report, g))
	})
	f.skladom, f.peak = append(f.skladom, c), append(f.peak, peak)
	return err
}

// runningOnFresh is onFresh for what a process that stays does.
func runningOnFresh(ctx context.Context, p parties, g goods, process *house.Process, do func() error) (c cost, peak int, err error) {
	c, err = onFresh(ctx, p.sides, g, func() (c cost, err error) {
		c, peak, err = measured(process, do)
		return c, err
	})
	return c, peak, err
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
	if r.KrosItems != g.Items || r.Updated != g.changes() {
		return fmt.Errorf("pass %d of %s updated %d of %d items instead of %d of %d", r.Pass, r.Shop, r.Updated, r.KrosItems, g.changes(), g.Items)
	}
	return nil
}

// notRun is the cell of a side that was missing.
const notRun = "not run"

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
	row("Skladom : Node-RED", func(f figures) string { return ratio(f.skladom, f.nodeRED, wall) })
	row("  with one request at a time", func(f figures) string { return ratio(f.skladom, f.inTurn, wall) })
	row("script : floor", func(f figures) string { return ratio(f.script, f.floor, wall) })
	row("  the same in processor time", func(figures) string { return "" })
	row("worker : script", func(f figures) string { return ratio(f.skladom, f.script, user) })
	row("worker : floor", func(f figures) string { return ratio(f.skladom, f.floor, user) })
	row("worker : Node-RED", func(f figures) string { return ratio(f.skladom, f.nodeRED, user) })
	row("worker's peak memory, MiB", func(f figures) string { return spread("%d", f.peak) })
	row("Node-RED's peak memory, MiB", func(f figures) string { return spread("%d", f.nodePeak) })
	fmt.Fprintln(out, "\n  for orientation, seconds (of the user's processor time)")
	for _, who := range []struct {
		name string
		of   func(figures) []cost
	}{
		{"Skladom (its worker)", func(f figures) []cost { return f.skladom }},
		{"script", func(f figures) []cost { return f.script }},
		{"Node-RED", func(f figures) []cost { return f.nodeRED }},
		{"  with one request at a time", func(f figures) []cost { return f.inTurn }},
		{"floor", func(f figures) []cost { return f.floor }},
	} {
		row(who.name, func(f figures) string {
			if len(who.of(f)) == 0 {
				return notRun
			}
			return fmt.Sprintf("%.2f (%.2f)", seconds(who.of(f), wall), seconds(who.of(f), user))
		})
	}
	goal.Print(out, lo.FlatMap(all, func(f figures, i int) []goal.Figure {
		name := fmt.Sprintf("pass of %d items, %s, ", o.items, kinds[i].name)
		beside := []goal.Figure{
			goal.AtMost(name+"Skladom : script", median(ratios(f.skladom, f.script, wall)), toScript),
			goal.AtMost(name+"Skladom : floor", median(ratios(f.skladom, f.floor, wall)), toFloor),
			goal.AtMost(name+"worker's peak memory, MiB", float64(median(f.peak)), maxPeak),
		}
		if len(f.nodeRED) == 0 {
			return beside // a ratio to nothing would be read as a goal that is not met
		}
		return append(beside, goal.Below(name+"Skladom : Node-RED", median(ratios(f.skladom, f.nodeRED, wall)), toNode))
	})...)
}

// ratios compares round by round, so that a slow minute of the machine counts
// on both sides.
func ratios(of, to []cost, what func(cost) time.Duration) []float64 {
	return lo.Map(of, func(c cost, i int) float64 { return float64(what(c)) / float64(max(what(to[i]), 1)) })
}

func ratio(of, to []cost, what func(cost) time.Duration) string {
	if len(to) == 0 {
		return notRun
	}
	return spread("%.2f", ratios(of, to, what))
}

// spread is a median between the lowest and the highest.
func spread[T int | float64](verb string, values []T) string {
	if len(values) == 0 {
		return notRun
	}
	return fmt.Sprintf(verb+" ("+verb+"-"+verb+")", median(values), slices.Min(values), slices.Max(values))
}

func seconds(costs []cost, what func(cost) time.Duration) float64 {
	return median(lo.Map(costs, func(c cost, _ int) float64 { return what(c).Seconds() }))
}

func median[T int | float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
