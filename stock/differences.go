package stock

import (
	"cmp"
	"slices"
)

// Difference is what a plan says beside "the shop shows KROS's number": a
// product that would change, one that keeps another quantity than KROS gives,
// or an item that is not written.
type Difference struct {
	Line  Line
	Item  Item   // the row of the catalogue; zero where KROS did not show it
	Entry *Entry // the product; nil: the item is not written
}

// Changes tells whether a pass would write the product.
func (d Difference) Changes() bool { return d.Entry != nil && d.Entry.changes() }

// Differences are the changes of a plan, then the products that are held,
// dismissed or hold back what was sold, then the items that are not written;
// within each by item, as the plan has them. items is the sweep that the plan
// was made of.
func (p Plan) Differences(items []Item) []Difference {
	var differences []Difference
	sources := p.Sources(items)
	for i, line := range p.Lines {
		if line.Past {
			continue
		}
		if len(line.Entries) == 0 {
			differences = append(differences, Difference{Line: line, Item: sources[i]})
			continue
		}
		for j := range line.Entries {
			if e := &line.Entries[j]; e.changes() || e.differs() {
				differences = append(differences, Difference{Line: line, Item: sources[i], Entry: e})
			}
		}
	}
	slices.SortStableFunc(differences, func(a, b Difference) int { return cmp.Compare(a.rank(), b.rank()) })
	return differences
}

// Sources are the rows of the sweep that the lines were made of, line by line;
// a line of a missing item has the zero Item.
func (p Plan) Sources(items []Item) []Item {
	type name struct{ code, name string }
	rows := make(map[name][]Item, len(items))
	for _, item := range distinct(Rules{Match: ByNumber}, items) { // in the order of lines, whatever the key
		of := name{item.code, item.Name}
		rows[of] = append(rows[of], *item.Item)
	}
	sources := make([]Item, len(p.Lines))
	for i, line := range p.Lines {
		of := name{line.Item, line.Name}
		if candidates := rows[of]; !line.Missing && len(candidates) > 0 {
			sources[i], rows[of] = candidates[0], candidates[1:]
		}
	}
	return sources
}

func (d Difference) rank() int {
	switch {
	case d.Changes():
		return 0
	case d.Entry != nil:
		return 1
	}
	return 2
}

// differs tells whether the product keeps another quantity than KROS gives.
func (e Entry) differs() bool {
	return e.Want != nil || e.Dismissed || e.Unbooked.IsPositive() && !e.To.Equal(e.Kros)
}
