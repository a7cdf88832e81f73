package stock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

func TestQuantity(t *testing.T) {
	omega := rows("LT", "-3", "PR", "7")
	for name, tc := range map[string]struct {
		rows  []stock.Row
		unit  string
		rules func(*stock.Rules)
		want  string
	}{
		"max is the largest single warehouse, not added up":         {rows: rows("LT", "5", "PR", "7"), want: "7"},
		"sum adds the warehouses up":                                {rows: rows("LT", "5", "PR", "7"), rules: sum, want: "12"},
		"a negative warehouse lowers the sum, rows are taken raw":   {rows: omega, rules: sum, want: "4"},
		"a negative warehouse does not matter to max":               {rows: omega, want: "7"},
		"a negative result is floored at 0 by max":                  {rows: rows("LT", "-3", "PR", "-1"), want: "0"},
		"a negative result is floored at 0 by sum":                  {rows: rows("LT", "-3", "PR", "1"), rules: sum, want: "0"},
		"only selected warehouses count":                            {rows: omega, rules: selecting("LT"), want: "0"},
		"selected codes are compared trimmed, on both sides":        {rows: rows(" PR\u00a0", "7"), rules: selecting("PR "), want: "7"},
		"warehouse codes differ by case":                            {rows: rows("pr", "7"), rules: selecting("PR"), want: "0"},
		"an item with rows, none of them selected, has 0":           {rows: omega, rules: selecting("XX"), want: "0"},
		"two rows of one warehouse are two rows to max":             {rows: rows("LT", "2", "LT", "3"), want: "3"},
		"the buffer comes off before the floor":                     {rows: omega, rules: both(sum, buffer("1")), want: "3"},
		"the buffer comes off the raw sum, not a floored one":       {rows: rows("LT", "-3", "PR", "1"), rules: both(sum, buffer("-5")), want: "3"},
		"a buffer larger than the stock leaves 0":                   {rows: rows("LT", "2"), rules: buffer("5"), want: "0"},
		"a negative buffer puts nothing into an unselected item":    {rows: omega, rules: both(selecting("XX"), buffer("-5")), want: "0"},
		"quantities are rounded down to whole pieces":               {rows: rows("LT", "2.999"), want: "2"},
		"rounding comes after the sum":                              {rows: rows("LT", "0.6", "PR", "0.6"), rules: sum, want: "1"},
		"rounding comes after the buffer":                           {rows: rows("LT", "2.9"), rules: buffer("0.5"), want: "2"},
		"decimals keeps as many places":                             {rows: rows("LT", "2.999"), rules: decimals(2), want: "2.99"},
		"a unit may have decimals of its own":                       {rows: rows("LT", "2.9999"), unit: "kg", rules: units, want: "2.999"},
		"units are compared trimmed and without case":               {rows: rows("LT", "2.9999"), unit: " KG ", rules: units, want: "2.999"},
		"a unit without decimals of its own takes decimals":         {rows: rows("LT", "2.9999"), unit: "ks", rules: both(units, decimals(1)), want: "2.9"},
		"a unit may have fewer decimals than the rest":              {rows: rows("LT", "2.9999"), unit: "m", rules: both(units, decimals(4)), want: "2.99"},
		"decimal arithmetic: 0.1 and 0.2 are 0.3":                   {rows: rows("LT", "0.1", "PR", "0.2"), rules: both(sum, decimals(4)), want: "0.3"},
		"a fraction below the last kept place is 0, not a negative": {rows: rows("LT", "0.4"), want: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := byNumber()
			if tc.rules != nil {
				tc.rules(&rules)
			}
			line := only(t, plan(rules, []stock.Item{{Code: "A", Unit: tc.unit, Rows: tc.rows}}, product("p", "A", "", "99")))
			require.Equal(t, tc.want, line.Kros.String())
			require.Equal(t, []string{"p 99>" + tc.want}, writes(stock.Plan{Lines: []stock.Line{line}}))
		})
	}
}

func TestOneUnitSpelledTwiceMeansTheSameInEveryRun(t *testing.T) {
	r := byNumber()
	r.UnitDecimals = map[string]int32{"KG": 1, "Kg": 2, "kg": 3}
	for range 20 {
		line := only(t, plan(r, []stock.Item{{Code: "A", Unit: "kg", Rows: rows("LT", "2.9999")}}))
		require.Equal(t, "2.999", line.Kros.String())
	}
}

func TestAnItemWithoutRowsIsNoStockItem(t *testing.T) {
	line := only(t, plan(byNumber(), []stock.Item{item("SERVICE", "")}, product("p", "SERVICE", "", "5")))
	require.Equal(t, "skipped not_stock", verdict(line))
	require.True(t, line.NoStock)
	require.Empty(t, line.Entries)
}

func TestAnItemThatLostItsRowsIsZero(t *testing.T) {
	for name, baseline := range map[string]stock.Item{
		"it had rows in the baseline":        item("A", "", "4"),
		"the baseline remembers that it had": {Code: " A", Tracked: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := stock.NewPlan(stock.Input{
				Rules:    byNumber(),
				Items:    []stock.Item{item("A", "")},
				Products: []stock.Product{product("p", "A", "", "5")},
				Memory:   &stock.Memory{Items: []stock.Item{baseline}},
			})
			require.Equal(t, []string{"p 5>0"}, writes(p))
			require.False(t, only(t, p).NoStock)
		})
	}
}

func TestThatAnItemHadRowsIsSticky(t *testing.T) {
	first := stock.Track([]stock.Item{item("A", "", "4"), item("S", "")}, nil)
	second := stock.Track([]stock.Item{item("A", ""), item("S", "")}, first)
	third := stock.Track([]stock.Item{item("A", ""), item("S", "")}, second)
	require.True(t, third[0].Tracked)
	require.False(t, third[1].Tracked)
}

func TestTrackLeavesItsInputAlone(t *testing.T) {
	items := []stock.Item{item("A", "", "4")}
	stock.Track(items, nil)
	require.False(t, items[0].Tracked)
}

func sum(r *stock.Rules) { r.Quantity = stock.Sum }

func selecting(codes ...string) func(*stock.Rules) {
	return func(r *stock.Rules) { r.Warehouses = codes }
}

func buffer(pieces string) func(*stock.Rules) {
	return func(r *stock.Rules) { r.Buffer = dec(pieces) }
}

func decimals(places int32) func(*stock.Rules) {
	return func(r *stock.Rules) { r.Decimals = places }
}

func units(r *stock.Rules) { r.UnitDecimals = map[string]int32{"Kg": 3, "m": 2} }

func both(a, b func(*stock.Rules)) func(*stock.Rules) {
	return func(r *stock.Rules) { a(r); b(r) }
}
