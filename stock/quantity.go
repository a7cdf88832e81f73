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
}

func newMeasure(rules Rules) measure {
	m := measure{
		combine:  rules.Quantity,
		buffer:   rules.Buffer,
		decimals: rules.Decimals,
		units:    make(map[string]int32, len(rules.UnitDecimals)),
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

// of is the quantity that KROS gives an item: never negative, never rounded
// up. Rows are taken raw, so a negative one lowers a sum; only the result is
// floored at 0. No selected row gives 0.
func (m measure) of(item Item) decimal.Decimal {
	total, found := m.total(item.Rows)
	if !found {
		return decimal.Zero
	}
	total = total.Sub(m.buffer)
	if !total.IsPositive() {
		return decimal.Zero
	}
	return total.Truncate(m.places(item.Unit))
}

func (m measure) total(rows []Row) (total decimal.Decimal, found bool) {
	for _, row := range rows {
		switch {
		case m.selected != nil && !m.selected[CleanKey(row.Warehouse)]:
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

func (m measure) places(unit string) int32 {
	if len(m.units) > 0 {
		if places, ok := m.units[unitKey(unit)]; ok {
			return places
		}
	}
	return m.decimals
}

func unitKey(unit string) string { return strings.ToLower(CleanKey(unit)) }
