package stock

import (
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// measure is the part of the rules that turns the rows of an item into one
// quantity, prepared once for a whole catalogue.
type measure struct {
	combine  Combine
	selected map[string]bool // nil: every warehouse
	buffer   decimal.Decimal
	decimals int32
	units    map[string]int32
	items    map[string]ItemRule // by CleanKey of the code
}

func newMeasure(rules Rules) measure {
	m := measure{
		combine:  rules.Quantity,
		buffer:   rules.Buffer,
		decimals: rules.Decimals,
		units:    make(map[string]int32, len(rules.UnitDecimals)),
		items:    rules.Items,
	}
	if len(rules.Warehouses) > 0 {
		m.selected = make(map[string]bool, len(rules.Warehouses))
		for _, code := range rules.Warehouses {
			m.selected[CleanKey(code)] = true
		}
	}
	// In order, so that "kg" beside "KG" means the same in every run.
	for _, unit := range slices.Sorted(maps.Keys(rules.UnitDecimals)) {
		m.units[unitKey(unit)] = rules.UnitDecimals[unit]
	}
	return m
}

// of is the quantity that KROS gives an item, in the shop's units: never
// negative, never rounded up. Rows are taken raw, so a negative one lowers a
// sum; only the result is floored at 0. No selected row gives 0.
func (m measure) of(item Item) decimal.Decimal {
	total, found := m.total(item.Rows)
	if !found {
		return decimal.Zero
	}
	for _, stage := range m.stages(item) {
		total = stage.apply(total)
	}
	return total
}

// packPlaces are the decimal places to which packs are counted before the
// wanted ones are kept: more than anybody keeps, so that explaining shows 2.5
// before it shows 2.
const packPlaces = 6

// stage is one thing that happens to the combined rows on their way to a
// quantity.
type stage struct {
	name   string
	amount decimal.Decimal // the buffer, or what a pack holds
	own    bool            // the buffer is the item's own
	places int32
}

// stages are what happens to the rows of an item, in order. Explaining and
// planning both go through them.
func (m measure) stages(item Item) [4]stage {
	rule := m.rule(item)
	buffer := stage{name: StepBuffer, amount: m.buffer}
	if rule.Buffer != nil {
		buffer.amount, buffer.own = *rule.Buffer, true
	}
	places := m.places(item.Unit)
	return [4]stage{
		buffer,
		{name: StepFloor},
		{name: StepPack, amount: rule.Pack, places: max(places, packPlaces)},
		{name: StepDecimals, places: places},
	}
}

func (s stage) apply(quantity decimal.Decimal) decimal.Decimal {
	switch s.name {
	case StepBuffer:
		if !s.amount.IsZero() {
			return quantity.Sub(s.amount)
		}
	case StepFloor:
		if !quantity.IsPositive() {
			return decimal.Zero
		}
	case StepPack:
		// Whole steps of the last place and a rest that is dropped: never up.
		if s.amount.IsPositive() {
			quantity, _ = quantity.QuoRem(s.amount, s.places)
		}
	case StepDecimals:
		return quantity.Truncate(s.places)
	}
	return quantity
}

// rule is what holds for this item alone, the zero value where nothing does.
func (m measure) rule(item Item) ItemRule {
	if len(m.items) == 0 {
		return ItemRule{}
	}
	return m.items[CleanKey(item.Code)]
}

func (m measure) total(rows []Row) (total decimal.Decimal, found bool) {
	for _, row := range rows {
		switch {
		case !m.counts(row):
		case !found:
			total, found = row.Quantity, true
		case m.combine == Sum:
			total = total.Add(row.Quantity)
		case row.Quantity.GreaterThan(total):
			total = row.Quantity
		}
	}
	return total, found
}

// counts tells whether a row is of a selected warehouse.
func (m measure) counts(row Row) bool {
	return m.selected == nil || m.selected[CleanKey(row.Warehouse)]
}

func (m measure) places(unit string) int32 {
	if len(m.units) > 0 {
		if places, ok := m.units[unitKey(unit)]; ok {
			return places
		}
	}
	return m.decimals
}

func unitKey(unit string) string { return strings.ToLower(CleanKey(unit)) }
