package stock

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// Step is one step on the way from the rows of KROS to a quantity. Detail says
// in English what happened, Result is the quantity after it.
type Step struct {
	Name   string          `json:"name"`
	Detail string          `json:"detail"`
	Result decimal.Decimal `json:"result"`
}

// The names of steps, in the order in which they come.
const (
	StepWarehouses = "warehouses" // rows become one quantity
	StepBuffer     = "buffer"
	StepFloor      = "floor"
	StepPack       = "pack"
	StepDecimals   = "decimals"
)

// Steps say how the quantity that KROS gives an item came about: first how its
// rows became one, then each step that changed something. The last Result is
// the quantity that a plan takes.
func (r Rules) Steps(item Item) []Step {
	m := newMeasure(r)
	total, found := m.total(item.Rows)
	steps := []Step{{Name: StepWarehouses, Detail: m.combined(item.Rows), Result: total}}
	if !found {
		return steps
	}
	for _, stage := range m.stages(item) {
		before := total
		if total = stage.apply(before); !total.Equal(before) {
			steps = append(steps, Step{Name: stage.name, Detail: stage.detail(item.Unit), Result: total})
		}
	}
	return steps
}

// combined says which rows count and how they become one.
func (m measure) combined(rows []Row) string {
	var counted []string
	for _, row := range rows {
		if m.counts(row) {
			counted = append(counted, clip(CleanKey(row.Warehouse))+" "+row.Quantity.String())
		}
	}
	switch {
	case len(rows) == 0:
		return "KROS shows it in no warehouse"
	case len(counted) == 0:
		return "KROS shows it in none of the selected warehouses"
	case len(counted) == 1:
		return counted[0]
	case m.combine == Sum:
		return strings.Join(counted, " + ")
	}
	return "the largest of " + strings.Join(counted, ", ")
}

func (s stage) detail(unit string) string {
	switch s.name {
	case StepBuffer:
		if s.own {
			return fmt.Sprintf("less the item's own buffer of %s", s.amount)
		}
		return fmt.Sprintf("less the buffer of %s", s.amount)
	case StepFloor:
		return "less than nothing counts as nothing"
	case StepPack:
		return strings.TrimSpace(fmt.Sprintf("one of the e-shop holds %s %s", s.amount, clip(CleanKey(unit))))
	}
	if s.places == 0 {
		return "rounded down to a whole number"
	}
	return fmt.Sprintf("rounded down to %d decimal places", s.places)
}
