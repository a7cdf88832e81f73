package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
)

// table is what was measured, to be read at the end.
type table struct{ text strings.Builder }

func (t *table) head(what string) { fmt.Fprintf(&t.text, "\n  %s\n", what) }

func (t *table) row(what, format string, args ...any) {
	fmt.Fprintf(&t.text, "    %-52s"+format+"\n", append([]any{what}, args...)...)
}

// shares are parts of one processor and, in brackets, milliseconds a pass.
func (t *table) shares(what string, shares []share) {
	t.row(what, "%s", strings.Join(lo.Map(shares, func(s share, _ int) string {
		return fmt.Sprintf("%s %.2f (%.1f)", s.who, s.part, ms(s.aPass))
	}), ", "))
}

func (t *table) print(out io.Writer, o options) {
	fmt.Fprintf(out, "\n%d shops of %d items with a schedule, %d more that sustained passes go round, %d passes at once;\n", o.shops, o.items, o.busy, o.flight)
	fmt.Fprintf(out, "medians of %d times %v; in brackets: lowest and highest, of processors: milliseconds a pass\n", o.rounds, o.window)
	fmt.Fprintln(out, t.text.String())
}

// ratios compares time by time, so that a slow minute of the machine counts on
// both sides.
func ratios(of, to []pace) string {
	return summary(lo.Map(of, func(p pace, i int) float64 { return p.passes / max(to[i].passes, 0.01) }), "%.2f")
}

func spread(of []pace) string {
	return summary(lo.Map(of, func(p pace, _ int) float64 { return p.passes }), "%.1f")
}

func summary(values []float64, format string) string {
	slices.Sort(values)
	return fmt.Sprintf(format+" ("+format+"-"+format+")", values[len(values)/2], values[0], values[len(values)-1])
}

func last(of []pace) pace { return of[len(of)-1] }

// percentile is the smallest value that so many percent do not exceed.
func percentile(of []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
