package soak

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/standalone/internal/process"
)

// point is what the worker held when all was healthy.
type point struct {
	process.Measure

	passes int64 // that had been begun
}

func (p point) String() string {
	return fmt.Sprintf("%.1f MiB and %d goroutines after %d passes", float64(p.Heap)/(1<<20), p.Goroutines, p.passes)
}

// What the worker may hold more than after the warm-up. A cached StockSync grows
// with each pass by what the SDK remembers of its cancelled timers, about 1 KiB,
// until its run ends after 48 of them; that is perPass, and whatever else a pass
// left behind comes on top: a buffer of HTTP has 4 KiB, a goroutine counts by
// itself. The spare is for what happens to be under way, and small enough for a
// leak of 20 KiB a pass to exceed it within the hundred passes of the short form.
const (
	perPass         = 2 << 10
	spareHeap       = 1 << 20
	spareOfHeap     = 20 // that part of what there was, besides
	spareGoroutines = 60
	passesOfOne     = 50 // passes for which one goroutine more is no leak
)

// growth says what grew from the first point to the last one that does not end.
func growth(points []point) (found []string) {
	first, last := points[0], points[len(points)-1]
	passes := last.passes - first.passes
	if most := int64(first.Heap) + int64(first.Heap)/spareOfHeap + spareHeap + perPass*passes; int64(last.Heap) > most {
		found = append(found, fmt.Sprintf("memory grew from %s to %s; %.1f MiB are the most", first, last, float64(most)/(1<<20)))
	}
	if most := int64(first.Goroutines) + spareGoroutines + passes/passesOfOne; int64(last.Goroutines) > most {
		found = append(found, fmt.Sprintf("goroutines grew from %s to %s; %d are the most", first, last, most))
	}
	return found
}

func TestALeakIsSeen(t *testing.T) {
	t.Parallel()
	const short, long = 100, 15_000 // passes between the points
	series := func(passes, heap, goroutines int) []point {
		return []point{
			{Measure: process.Measure{Heap: 12 << 20, Goroutines: 70}, passes: 70},
			{Measure: process.Measure{Heap: uint64(12<<20 + heap), Goroutines: 70 + goroutines}, passes: int64(70 + passes)},
		}
	}
	tests := map[string]struct {
		points []point
		leaks  int
	}{
		"flat":                               {series(long, 0, 0), 0},
		"less than before":                   {series(long, -5<<20, -30), 0},
		"work under way":                     {series(short, 1<<20, 50), 0},
		"cached runs":                        {series(long, long*1200, 0), 0},
		"a buffer of HTTP of each pass":      {series(long, long*4<<10, 0), 1},
		"a page of KROS of each pass":        {series(short, short*20<<10, 0), 1},
		"a goroutine of each pass":           {series(short, 0, short), 1},
		"a goroutine of every twentieth one": {series(long, 0, long/20), 1},
		"both":                               {series(short, short*20<<10, short), 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Len(t, growth(test.points), test.leaks)
		})
	}
}
