package stock

import (
	"maps"
	"slices"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// DoubtKind says why a side cannot be trusted. The values are the failure
// codes of a report.
type DoubtKind string

// The doubts.
const (
	DoubtKrosNoStock      DoubtKind = "kros_no_stock"
	DoubtWarehouseUnknown DoubtKind = "warehouse_unknown"
	DoubtCatalogueChanged DoubtKind = "catalogue_changed"
	DoubtProductsMissing  DoubtKind = "products_missing"
	DoubtNothingMatched   DoubtKind = "nothing_matched"
)

// Doubt is a reason to write nothing at all.
type Doubt struct {
	Kind       DoubtKind `json:"kind"`
	Warehouses []string  `json:"warehouses,omitempty"` // configured, but unknown to KROS
	Known      []string  `json:"known,omitempty"`      // the codes that KROS has
	// Seen of Expected: items of the baseline (catalogue_changed), products of
	// the last pass (products_missing), stock items with a product
	// (nothing_matched).
	Seen     int `json:"seen,omitempty"`
	Expected int `json:"expected,omitempty"`
}

// Kinds of warnings.
const (
	WarnWarehouseUnknown = "warehouse_unknown" // a configured code that no row carries
	WarnWarehouseNew     = "warehouse_new"     // a code that the baseline did not have; it counts from now on
)

// Warning is something a merchant should know, and that stops nothing.
type Warning struct {
	Kind       string   `json:"kind"`
	Warehouses []string `json:"warehouses,omitempty"`
	Known      []string `json:"known,omitempty"` // the codes that KROS has
}

const (
	minWarehouseItems = 5  // items of the baseline that make the loss of a warehouse a doubt
	minStockItems     = 10 // stock items from which a first pass must match something
)

// Examine looks at a catalogue before the shop is asked. The first doubt that
// fits wins. A first pass (no memory) trusts nothing it does not see; a later
// one compares with the baseline.
func Examine(rules Rules, items []Item, memory *Memory) (*Doubt, []Warning) {
	carried := warehouseItems(items)
	known := slices.Sorted(maps.Keys(carried))
	unknown := lo.Filter(lo.Keys(cleanSet(rules.Warehouses)), func(code string, _ int) bool { return carried[code] == 0 })
	slices.Sort(unknown)

	if memory == nil {
		return examineFirst(items, unknown, known), nil
	}
	before := warehouseItems(memory.Items)
	lost, vague := lo.FilterReject(unknown, func(code string, _ int) bool { return before[code] >= minWarehouseItems })

	var warnings []Warning
	if len(vague) > 0 {
		warnings = append(warnings, Warning{Kind: WarnWarehouseUnknown, Warehouses: vague, Known: known})
	}
	// Where warehouses are selected, a new one changes nothing.
	if fresh := lo.Reject(known, func(code string, _ int) bool { return before[code] > 0 }); len(fresh) > 0 && len(rules.Warehouses) == 0 {
		warnings = append(warnings, Warning{Kind: WarnWarehouseNew, Warehouses: fresh, Known: known})
	}
	if doubt := examineChange(rules.Guard, items, memory.Items); doubt != nil {
		return doubt, warnings
	}
	if len(lost) > 0 {
		return &Doubt{Kind: DoubtWarehouseUnknown, Warehouses: lost, Known: known}, warnings
	}
	return nil, warnings
}

// Doubt looks at what the shop had for the plan: nil where it can be trusted.
func (p Plan) Doubt(memory *Memory) *Doubt {
	if memory == nil {
		stocked := lo.CountBy(p.Lines, func(line Line) bool { return !line.Missing && !line.NoStock })
		if stocked >= minStockItems && !lo.SomeBy(p.Lines, Line.found) {
			return &Doubt{Kind: DoubtNothingMatched, Expected: stocked}
		}
		return nil
	}
	if matched := p.Matched(); 2*matched < memory.Products {
		return &Doubt{Kind: DoubtProductsMissing, Seen: matched, Expected: memory.Products}
	}
	return nil
}

// found says whether the shop has a product for the item, writable or not.
func (l Line) found() bool {
	switch l.ReasonCode {
	case ReasonUntracked, ReasonParent, ReasonTooManyProducts:
		return true
	}
	return len(l.Entries) > 0
}

func examineFirst(items []Item, unknown, known []string) *Doubt {
	switch {
	case !anyRows(items):
		return &Doubt{Kind: DoubtKrosNoStock, Expected: len(items)}
	case len(unknown) > 0:
		return &Doubt{Kind: DoubtWarehouseUnknown, Warehouses: unknown, Known: known}
	}
	return nil
}

// examineChange tells an empty, cut or foreign catalogue from one that merely
// changed. Rows that vanish altogether are no matter of a threshold, so
// MinCatalogue 0 does not switch that off; a baseline that had none was
// accepted as such by a person.
func examineChange(guard Guard, items, baseline []Item) *Doubt {
	shown := positionsOf(items)
	met, missed := make([]bool, len(items)), map[string]bool{}
	seen := 0 // distinct, as expected
	for _, item := range baseline {
		at := int(shown.first[identityOf(item)]) - 1
		switch {
		case at < 0:
			missed[identityOf(item)] = true
		case !met[at]:
			met[at] = true
			seen++
		}
	}
	expected := seen + len(missed)
	// In decimals: 30 % of 10 are 3, not 3.0000000000000004.
	least := decimal.NewFromFloat(guard.MinCatalogue).Mul(decimal.NewFromInt(int64(expected)))
	if decimal.NewFromInt(int64(seen)).LessThan(least) || (anyRows(baseline) && !anyRows(items)) {
		return &Doubt{Kind: DoubtCatalogueChanged, Seen: seen, Expected: expected}
	}
	return nil
}

func anyRows(items []Item) bool {
	return lo.SomeBy(items, func(item Item) bool { return len(item.Rows) > 0 })
}
