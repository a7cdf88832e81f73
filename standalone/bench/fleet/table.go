package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

// table is what was measured, to be read at the end.
type table struct {
	text    strings.Builder
	figures []goal.Figure
}

func (t *table) head(what string) { fmt.Fprintf(&t.text, "\n  %s\n", what) }

func (t *table) row(what, format string, args ...any) {
	fmt.Fprintf(&t.text, "    %-52s"+format+"\n", append([]any{what}, args...)...)
}

// note is a sentence on what stands above it.
func (t *table) note(text string) { fmt.Fprintf(&t.text, "    %s\n", text) }

// beside notes a figure beside its goal, for the end.
func (t *table) beside(f goal.Figure) { t.figures = append(t.figures, f) }

// shares are parts of one processor and, in brackets, milliseconds a pass.
func (t *table) shares(what string, shares []share) {
	t.row(what, "%s", list(shares, func(s share) string { return fmt.Sprintf("%s %.2f (%.1f)", s.who, s.part, ms(s.aPass)) }))
}

func list(shares []share, one func(share) string) string {
	return strings.Join(lo.Map(shares, func(s share, _ int) string { return one(s) }), ", ")
}

func (t *table) print(out io.Writer, o options) {
	fmt.Fprintf(out, "\n%d shops of %d items with a schedule, %d more that sustained passes go round, %d passes at once;\n", o.shops, o.items, o.busy, o.flight)
	fmt.Fprintf(out, "medians of %d times %v; in brackets: lowest and highest, of processors: milliseconds a pass\n", o.rounds, o.window)
	fmt.Fprint(out, t.text.String())
	goal.Print(out, t.figures...)
}

// ratios compares time by time, so that a slow minute of the machine counts on
// both sides.
func ratios(of, to []pace) []float64 {
	return lo.Map(of, func(p pace, i int) float64 { return p.passes / max(to[i].passes, 0.01) })
}

func spread(of []pace) string {
	return summary(lo.Map(of, func(p pace, _ int) float64 { return p.passes }), "%.1f")
}

func summary(values []float64, format string) string {
	return fmt.Sprintf(format+" ("+format+"-"+format+")", median(values), slices.Min(values), slices.Max(values))
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

func last(of []pace) pace { return of[len(of)-1] }

// percentile is the smallest value that so many percent do not exceed.
func percentile(of []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
