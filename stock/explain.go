package stock

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
)

// Subject is the item of a plan that somebody asks about.
type Subject struct {
	Line    Line
	Item    Item     // the row of the catalogue; zero where KROS did not show it
	Product string   // id of the product that was asked for, if it was one
	Also    []string // codes of other items that the word means as well
}

// Find is the item that a person means by an item code, an EAN, the id of a
// product or a number from the items file; the first of these that fits wins. items is the sweep that the plan
// was made of.
func (p Plan) Find(items []Item, asked string) (Subject, bool) {
	asked = CleanKey(asked)
	if asked == "" {
		return Subject{}, false
	}
	sources := p.Sources(items)
	for _, means := range []func(int) bool{
		func(i int) bool { return p.Lines[i].Item == asked },
		func(i int) bool {
			ean := p.eanOf(i, sources)
			return ean != "" && onlyDigits(asked) && GTIN(ean) == GTIN(asked)
		},
		func(i int) bool { return p.Lines[i].hasProduct(asked) },
		func(i int) bool { return slices.Contains(p.Lines[i].Paired, asked) },
	} {
		found := lo.Filter(lo.Range(len(p.Lines)), func(i, _ int) bool { return means(i) })
		if len(found) == 0 {
			continue
		}
		// An item that KROS shows rather than one that it showed once.
		slices.SortStableFunc(found, func(a, b int) int { return compareBool(p.Lines[a].Missing, p.Lines[b].Missing) })
		first := p.Lines[found[0]]
		subject := Subject{Line: first, Item: sources[found[0]], Product: lo.Ternary(first.hasProduct(asked), asked, "")}
		for _, i := range found[1:min(len(found), maxOthers)] {
			subject.Also = append(subject.Also, cmp.Or(p.Lines[i].Item, p.Lines[i].Name))
		}
		return subject, true
	}
	return Subject{}, false
}

// Near are at most five item codes that look like a word nobody knows: equal
// but for case, or one contains the other.
func (p Plan) Near(asked string) []string {
	const most, shortest = 5, 3
	word := strings.ToLower(CleanKey(asked))
	if word == "" {
		return nil
	}
	var equal, alike []string
	for _, line := range p.Lines {
		switch code := strings.ToLower(line.Item); {
		case code == word:
			equal = append(equal, line.Item)
		case len(word) >= shortest && strings.Contains(code, word), len(code) >= shortest && strings.Contains(word, code):
			alike = append(alike, line.Item)
		}
	}
	near := lo.Uniq(append(equal, alike...))
	return near[:min(len(near), most)]
}

// eanOf is the EAN of a line. Where the catalogue does not show the item, its
// key may be one; a short number is rather an item code.
func (p Plan) eanOf(i int, sources []Item) string {
	key := p.Lines[i].Key
	if ean := CleanKey(sources[i].EAN); ean != "" || sources[i].Code != "" || len(key) < eanForms[0] {
		return ean
	}
	return key
}

func (l Line) hasProduct(id string) bool {
	is := func(e Entry) bool { return e.Product == id }
	if slices.ContainsFunc(l.Entries, is) || slices.ContainsFunc(l.Kept, is) {
		return true
	}
	switch l.ReasonCode {
	case ReasonUntracked, ReasonParent, ReasonTooManyProducts:
		return slices.Contains(l.Others, id)
	}
	return false
}

// Lead is the product that an answer is about: the one that was asked for, else
// one that is held or dismissed, else one that would change, else the first.
func (s Subject) Lead() *Entry {
	for _, first := range []func(Entry) bool{
		func(e Entry) bool { return e.Product == s.Product },
		Entry.waits,
		func(e Entry) bool { return e.Dismissed },
		Entry.changes,
		func(Entry) bool { return true },
	} {
		if i := slices.IndexFunc(s.Line.Entries, first); i >= 0 {
			return &s.Line.Entries[i]
		}
	}
	return nil
}

// Refused tells why the shop did not take the quantity of a product, from the
// receipts of its pass; code is empty where it did, or was not asked.
func (e Entry) Refused(receipts []Receipt) (code, reason string) {
	own := lo.Filter(receipts, func(r Receipt, _ int) bool { return r.Product == e.Product })
	outcome, code, reason := e.settle(fatesOf(own))
	if outcome != Rejected {
		return "", ""
	}
	return code, cmp.Or(reason, sentence(code, "", "", nil))
}

// RefusedBefore is Refused for a plan of which nothing was written yet: the
// answer to the last time that the very same was asked.
func (e Entry) RefusedBefore(last Receipt) (code, reason string) {
	if last.Product != e.Product || !e.changes() || !last.Asked.Equal(e.To) {
		return "", ""
	}
	return e.Refused([]Receipt{last})
}

// Sold tells whether the product has less than KROS gives, since that much was
// sold and is not booked.
func (e Entry) Sold() bool { return e.Want == nil && e.Unbooked.IsPositive() && !e.To.Equal(e.Kros) }

// HeldUntil is when a sale is not held back any more, booked or not.
func (r Rules) HeldUntil(sale Sale) time.Time { return sale.Seen.Add(r.SoldHold) }

// Counts tells whether the rules count what lies in a warehouse.
func (r Rules) Counts(warehouse string) bool {
	return len(r.Warehouses) == 0 || cleanSet(r.Warehouses)[CleanKey(warehouse)]
}

// DecimalsOf is how many decimal places a quantity in this unit has, and
// whether the unit has a rule of its own.
func (r Rules) DecimalsOf(unit string) (places int32, own bool) {
	m := newMeasure(r)
	_, own = m.units[unitKey(unit)]
	return m.places(unit), own
}
