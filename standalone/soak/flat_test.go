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

// What the worker may hold more than after the warm-up. A pass that left a
// goroutine behind would leave one each time, and hardly any piece of a pass is
// smaller than perPass: the rows of the smallest catalogue are 4 KiB as JSON. A
// cached workflow does grow by less than that a pass, until its run ends after
// 48 of them. The spare covers what happens to be under way.
const (
	spareHeap       = 4 << 20
	perPass         = 2 << 10
	spareGoroutines = 60
	passesOfOne     = 10 // passes for which one goroutine more is no leak
)

// growth says what grew from the first point to the last one that does not end.
func growth(points []point) (found []string) {
	first, last := points[0], points[len(points)-1]
	passes := last.passes - first.passes
	if most := int64(first.Heap) + spareHeap + perPass*passes; int64(last.Heap) > most {
		found = append(found, fmt.Sprintf("memory grew from %s to %s; %.1f MiB are the most", first, last, float64(most)/(1<<20)))
	}
	if most := int64(first.Goroutines) + spareGoroutines + passes/passesOfOne; int64(last.Goroutines) > most {
		found = append(found, fmt.Sprintf("goroutines grew from %s to %s; %d are the most", first, last, most))
	}
	return found
}

// enoughPasses is for how many passes a leak of one goroutine, or of one
// smallest catalogue, shows.
const enoughPasses = 3000

func TestALeakIsSeen(t *testing.T) {
	t.Parallel()
	series := func(passes, heap, goroutines int) []point {
		return []point{
			{Measure: process.Measure{Heap: 30 << 20, Goroutines: 500}, passes: 1000},
			{Measure: process.Measure{Heap: uint64(30<<20 + heap), Goroutines: 500 + goroutines}, passes: int64(1000 + passes)},
		}
	}
	tests := map[string]struct {
		points []point
		leaks  int
	}{
		"flat":                      {series(enoughPasses, 0, 0), 0},
		"less than before":          {series(enoughPasses, -5<<20, -100), 0},
		"work under way":            {series(0, 3<<20, 50), 0},
		"the rows of each pass":     {series(enoughPasses, enoughPasses*4<<10, 0), 1},
		"a goroutine for each pass": {series(100, 0, 100), 1},
		"both":                      {series(enoughPasses, enoughPasses*4<<10, enoughPasses), 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Len(t, growth(test.points), test.leaks)
		})
	}
}
