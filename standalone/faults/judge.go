package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/fynodesim"
)

// judge says what must hold, and what did not.
type judge struct {
	w      *world
	writes int // seen so far
	broken []string
	// start is what KROS gave each item when the first pass had ended.
	start map[string]decimal.Decimal
}

func newJudge(w *world) *judge {
	return &judge{w: w, start: map[string]decimal.Decimal{}}
}

// remember is where the account of sold goods begins.
func (j *judge) remember() {
	for _, target := range j.w.now().targets {
		j.start[target.Item] = target.Quantity
	}
}

func (j *judge) fault(format string, args ...any) {
	j.broken = append(j.broken, fmt.Sprintf(format, args...))
}

// report must count every item once.
func (j *judge) report(r protocol.Report) {
	if sum := r.Updated + r.Unchanged + r.Unmatched + r.Ambiguous + r.Skipped + r.Rejected + r.Held; sum != r.KrosItems {
		j.fault("pass %d: the outcomes are %d and krosItems %d: %s", r.Pass, sum, r.KrosItems, lines(r))
	}
}

// pass looks at what was written since the last look, by a pass that began at
// begun: only products of one clear item, and no more of them than the rules
// give for a quantity that KROS had since. An item that KROS does not show may
// be written to 0.
func (j *judge) pass(begun time.Time) {
	all := j.w.fynode.Writes()
	for _, write := range all[j.writes:] {
		j.write(write, begun)
	}
	j.writes = len(all)
}

func (j *judge) write(write fynodesim.Write, begun time.Time) {
	clear, most := false, decimal.Zero //nolint:predeclared // the word of the rules
	same := false
	var seen []string
	for _, t := range j.w.during(begun, write.At) {
		target, ok := t.targets[write.ID]
		if !ok {
			seen = append(seen, "none")
			continue
		}
		clear, most, same = true, decimal.Max(most, target.Quantity), same || target.Quantity.Equal(write.To)
		seen = append(seen, target.Quantity.String())
	}
	seen = lo.Uniq(seen)
	switch {
	case !clear && write.To.IsZero() && j.w.seq.Missing == "zero":
	case !clear && j.w.seq.lies(): // with a page left out, one of two items of a key is clear
	case !clear:
		j.fault("product %s was written (%s to %s), which had no clear item since the pass began", write.ID, write.From, write.To)
	case write.To.GreaterThan(most):
		j.fault("product %s was written to %s; the rules give %s", write.ID, write.To, strings.Join(seen, ", "))
	case !same && !j.w.seq.sells() && !(write.To.IsZero() && j.w.seq.Missing == "zero"): //nolint:staticcheck // it reads as the rule does
		j.fault("product %s was written to %s; the rules give %s, and KROS always wins", write.ID, write.To, strings.Join(seen, ", "))
	}
}

// limits of KROS, counted where requests arrive.
func (j *judge) limits() {
	counts := j.w.kros.State().Counts
	if counts.MaxPerSecond > 10 || counts.MaxPerMinute > 300 || counts.Rejected > 0 {
		j.fault("KROS was asked %d times in a second, %d times in a minute, and refused %d requests", counts.MaxPerSecond, counts.MaxPerMinute, counts.Rejected)
	}
}

// inStep: the shop shows what KROS gives under the rules, and what no rule
// touches is as it was before.
func (j *judge) inStep(before map[string]decimal.Decimal) {
	targets, shows := j.w.now().targets, j.w.quantities()
	for _, id := range slices.Sorted(keys(shows)) {
		target, wanted := targets[id]
		switch quantity := shows[id]; {
		case slices.Contains(j.w.seq.shop.Rejected, id):
		case wanted && j.w.emptied[target.Item] && !quantity.Equal(target.Quantity):
			if !quantity.Equal(before[id]) || j.knewRows(target.Item) {
				j.fault("product %s shows %s instead of %s: its item has no warehouses any more", id, quantity, target.Quantity)
			}
		case wanted && j.w.seq.sells():
			j.sold(id, target.Item, target.Quantity, quantity)
		case wanted && !quantity.Equal(target.Quantity):
			j.fault("product %s shows %s instead of %s", id, quantity, target.Quantity)
		case !wanted && j.w.seq.Missing == "zero" && quantity.IsZero():
		case !wanted && !quantity.Equal(before[id]):
			j.fault("product %s, which no rule touches, went from %s to %s", id, before[id], quantity)
		}
	}
}

// knewRows tells whether an accepted catalogue is sure to have shown the item
// with its warehouses.
func (j *judge) knewRows(string) bool { return !j.w.seq.lies() && len(j.w.seq.Activation) == 0 }

// sold: what was sold and is not booked stays sold. Of items in this life
// either goods arrive or sales are booked, so what is booked is what KROS fell.
// Where an answer to a write was lost the product may take a write for a sale.
func (j *judge) sold(id, item string, gives, shows decimal.Decimal) {
	booked := decimal.Max(decimal.Zero, j.start[item].Sub(gives))
	unbooked := decimal.Max(decimal.Zero, j.w.sold[item].Sub(booked))
	want := decimal.Max(decimal.Zero, gives.Sub(unbooked))
	switch {
	case shows.GreaterThan(want):
		j.fault("product %s shows %s: KROS gives %s, %s were sold and %s of them booked", id, shows, gives, j.w.sold[item], booked)
	case shows.LessThan(want) && !j.w.seq.losesWrites():
		j.fault("product %s shows only %s: KROS gives %s, %s were sold and %s of them booked", id, shows, gives, j.w.sold[item], booked)
	}
}

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
