package stock

import (
	"slices"

	"github.com/samber/lo"
)

// Conflicts are the receipts whose product has another quantity in the shop
// than the plan expected, and not the wanted one either: what has to be
// planned again. A later answer of the same product wins.
func Conflicts(receipts []Receipt) []Receipt {
	last := make(map[string]int, len(receipts))
	for i, r := range receipts {
		last[r.Product] = i
	}
	var conflicts []Receipt
	for i, r := range receipts {
		wanted := r.Now != nil && r.Now.Equal(r.Asked)
		if r.Answer == AnswerConflict && !wanted && last[r.Product] == i {
			conflicts = append(conflicts, r)
		}
	}
	return conflicts
}

// Of returns the lines of the plan that have one of the receipts' products.
func (p Plan) Of(receipts []Receipt) Plan {
	wanted := make(map[string]bool, len(receipts))
	for _, r := range receipts {
		wanted[r.Product] = true
	}
	var lines []Line
	for _, line := range p.Lines {
		for _, e := range line.Entries {
			if wanted[e.Product] {
				lines = append(lines, line)
				break
			}
		}
	}
	return Plan{Lines: lines}
}

// LookupKeys are the values to ask the shop for, by the key of the plan, to
// find the plan's products again. Those of PairedNumbers come beside them.
func (p Plan) LookupKeys(match Match) []string {
	var items []Item
	for _, line := range p.Lines {
		if len(line.Paired) == 0 {
			items = append(items, Item{Code: line.Key, EAN: line.Key}) // the key is the one of the two that match asks for
		}
	}
	return LookupKeys(match, items)
}

// PairedNumbers are the product numbers to ask the shop for to find those of
// the plan's products that the items file has given to their items.
func (p Plan) PairedNumbers() []string {
	return lo.Uniq(lo.FlatMap(p.Lines, func(line Line, _ int) []string { return line.Paired }))
}

func sameRows(a, b []Row) bool {
	return slices.EqualFunc(orderedRows(a), orderedRows(b), func(a, b Row) bool {
		return CleanKey(a.Warehouse) == CleanKey(b.Warehouse) && a.Quantity.Equal(b.Quantity)
	})
}
