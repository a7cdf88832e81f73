package stock

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// Why a product that a pass wrote does not get back what it had.
const (
	ReasonChangedSince = "changed_since" // the shop does not have what the pass left any more
	ReasonNotOurs      = "not_ours"      // the shop had it before the pass could write it
	ReasonGone         = "gone"          // the shop does not show the product by its key any more
)

// Wrote tells whether a pass changed any product, from its receipts in order of
// time.
func Wrote(receipts []Receipt) bool {
	return lo.SomeBy(lo.Values(fatesOf(receipts)), func(f fate) bool { return f.wrote && !f.had.Equal(f.asked) })
}

// Rollback plans to undo a pass: a product that still has what the pass left
// gets back what it had before the pass. A product that somebody has changed
// since is held, with what it would have got in Entry.Want; one that the shop
// does not show any more is unmatched and named in Line.Others. A product that
// the pass did not answer for is not in the plan at all.
//
// receipts are those of the pass in order of time, products what the shop has
// now, and known the lines of a plan or a ledger that tell name and key of a
// product; the first wins. Each product has a line of its own, sorted by item,
// then product.
func Rollback(receipts []Receipt, products []Product, known []Line) Plan {
	now := lo.KeyBy(distinctProducts(products), func(p Product) string { return p.ID })
	described := linesByProduct(known)
	var lines []Line
	for product, f := range fatesOf(receipts) {
		had, left, ours := f.change()
		if had.Equal(left) {
			continue
		}
		line := Line{Item: f.last.Item, Kros: f.last.Kros}
		name := ""
		if d, ok := described[product]; ok {
			line.Name, line.Key, name = d.line.Name, d.line.Key, d.name
		}
		present, found := now[product]
		lines = append(lines, undo(line, undone{
			product: product, name: cmp.Or(present.Name, name), had: had, left: left, now: present.Quantity, found: found, ours: ours,
		}))
	}
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(restoredProduct(a), restoredProduct(b)))
	})
	return Plan{Lines: lines}
}

// change is what a pass made of a product, and whether it is known that the
// pass did it and nobody else.
func (f fate) change() (had, left decimal.Decimal, ours bool) {
	if f.wrote {
		return f.had, f.asked, true
	}
	already := f.last.Answer == AnswerUnchanged || f.last.Answer == AnswerConflict && f.last.Now != nil && f.last.Now.Equal(f.last.Asked)
	if already {
		return f.last.Had, f.last.Asked, false
	}
	return decimal.Zero, decimal.Zero, false // refused, or left to a later pass
}

// undone is what is known of one product of the pass.
type undone struct {
	product, name  string
	had, left, now decimal.Decimal
	found, ours    bool
}

func undo(line Line, u undone) Line {
	if !u.found {
		line.Outcome, line.ReasonCode, line.Others = Unmatched, ReasonGone, []string{u.product}
		line.Reason = fmt.Sprintf("the e-shop does not show the product %s by its key any more", u.product)
		return line
	}
	e := Entry{Product: u.product, Name: u.name, From: u.now, To: u.now, Kros: line.Kros}
	switch {
	case u.now.Equal(u.had): // by hand, or by an earlier rollback
		line.Outcome = Unchanged
	case !u.now.Equal(u.left):
		line.Outcome, line.ReasonCode, e.Want = Held, ReasonChangedSince, &u.had
		line.Reason = fmt.Sprintf("it has %s now, the pass had left %s", u.now, u.left)
	case !u.ours:
		line.Outcome, line.ReasonCode, e.Want = Held, ReasonNotOurs, &u.had
		line.Reason = fmt.Sprintf("it had %s already when the pass came to write it", u.left)
	default:
		line.Outcome, e.To, e.Wrote = Updated, u.had, true
	}
	line.Entries = []Entry{e}
	return line
}

// RolledBack is the ledger after this rollback began to write: as it was, but
// for the products that get back what they had. Without it the next pass would
// take the difference for sales. answers are the receipts that belong to the
// ledger; they are in it then, and belong to the new one no more.
func (p Plan) RolledBack(ledger []Line, answers []Receipt) []Line {
	last := lastAnswers(answers)
	restored := map[string]Entry{}
	for _, line := range p.Lines {
		for _, e := range line.Entries {
			if e.changes() {
				restored[e.Product] = e
			}
		}
	}
	replace := func(e Entry, _ int) Entry {
		if r, ok := restored[e.Product]; ok {
			e.From, e.To, e.Wrote = r.From, r.To, true
		} else if row := rowOf(&e, last); row.or == nil {
			e.From, e.To = row.left, row.left
		}
		return e
	}
	return lo.Map(ledger, func(line Line, _ int) Line {
		line.Entries, line.Kept = mapEntries(line.Entries, replace), mapEntries(line.Kept, replace)
		return line
	})
}

// mapEntries leaves none where there were none, so that a ledger which is
// written and read again stays the same.
func mapEntries(entries []Entry, change func(Entry, int) Entry) []Entry {
	if len(entries) == 0 {
		return entries
	}
	return lo.Map(entries, change)
}

// Restoration is what a rollback does to one product, or did. From is what the
// shop had when it was looked at, nil where it does not show the product; To is
// what the product had before the pass.
type Restoration struct {
	Item       string           `json:"item"`
	Product    string           `json:"product"`
	Name       string           `json:"name"`
	From       *decimal.Decimal `json:"from"`
	To         *decimal.Decimal `json:"to"`
	Outcome    RestoredAs       `json:"outcome"`
	ReasonCode string           `json:"reasonCode,omitempty"`
	Reason     string           `json:"reason,omitempty"`
}

// RestoredAs is what becomes of one product in a rollback.
type RestoredAs string

// What can become of a product in a rollback.
const (
	Restored     RestoredAs = "restored"     // it has again what it had before the pass
	ChangedSince RestoredAs = "changedSince" // left alone, since it may be somebody else's
	NotRestored  RestoredAs = "rejected"     // the shop refused it, or it was not written
	AsBefore     RestoredAs = "unchanged"    // it had again what it had before the pass
)

// Restorations says of each product of a rollback's plan what would become of
// it, or, where it was carried out, what became of it by the receipts.
func (p Plan) Restorations(carriedOut bool, receipts []Receipt) []Restoration {
	fates := fatesOf(receipts)
	return lo.Map(p.Lines, func(line Line, _ int) Restoration {
		r := Restoration{Item: line.Item, Product: restoredProduct(line), Name: line.Name, ReasonCode: line.ReasonCode, Reason: line.Reason}
		if len(line.Entries) == 0 {
			r.Outcome = ChangedSince
			return r
		}
		e := line.Entries[0]
		r.Name, r.From, r.To = cmp.Or(e.Name, line.Name), &e.From, cmp.Or(e.Want, &e.To)
		switch {
		case line.Outcome == Held:
			r.Outcome = ChangedSince
		case !e.changes():
			r.Outcome = AsBefore
		case !carriedOut:
			r.Outcome = Restored
		default:
			r.carry(e, fates)
		}
		return r
	})
}

// carry takes over what the shop answered.
func (r *Restoration) carry(e Entry, fates map[string]fate) {
	outcome, code, reason := e.settle(fates)
	if outcome != Rejected {
		r.Outcome = Restored
		return
	}
	r.Outcome, r.ReasonCode, r.Reason = NotRestored, code, cmp.Or(reason, rollbackSentence(code))
	if code == ReasonConflict {
		r.Outcome, r.ReasonCode = ChangedSince, ReasonChangedSince
		if now := fates[e.Product].last.Now; now != nil {
			r.From = now
		}
	}
}

func rollbackSentence(code string) string {
	switch code {
	case ReasonConflict:
		return "it was changed while the rollback ran"
	case ReasonNotWritten:
		return "the rollback ended before it was written; roll back again"
	}
	return "the e-shop refused the quantity"
}

// restoredProduct is the product that a line of a rollback is about.
func restoredProduct(line Line) string {
	if len(line.Entries) > 0 {
		return line.Entries[0].Product
	}
	return line.Others[0]
}

// described is where a product is spoken of.
type described struct {
	line Line
	name string
}

func linesByProduct(lines []Line) map[string]described {
	known := map[string]described{}
	for _, line := range lines {
		for _, e := range slices.Concat(line.Entries, line.Kept) {
			if _, ok := known[e.Product]; !ok {
				known[e.Product] = described{line: line, name: e.Name}
			}
		}
	}
	return known
}
