package stock

import "github.com/samber/lo"

// HeldCounts counts the products that wait for a person as if they had got what
// they would get.
func (p Plan) HeldCounts() Counts {
	t := newTally()
	for _, line := range p.HeldLines() {
		t.counts.Products += len(line.Entries)
		for _, e := range line.Entries {
			t.change(e.From, lo.FromPtr(e.Want))
		}
	}
	return t.counts
}
