package stock_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

// stocked are n items with a row in each of the warehouses.
func stocked(from, n int, warehouses ...string) []stock.Item {
	var items []stock.Item
	for i := range n {
		it := stock.Item{Code: fmt.Sprintf("A%03d", from+i), Name: "x"}
		for _, code := range warehouses {
			it.Rows = append(it.Rows, stock.Row{Warehouse: code, Quantity: dec("1")})
		}
		items = append(items, it)
	}
	return items
}

func TestExamine(t *testing.T) {
	join := func(lists ...[]stock.Item) (all []stock.Item) {
		for _, list := range lists {
			all = append(all, list...)
		}
		return all
	}
	floor := func(fraction float64) func(*stock.Rules) {
		return func(r *stock.Rules) { r.Guard.MinCatalogue = fraction }
	}
	tenLT := stocked(0, 10, "LT")

	for name, tc := range map[string]struct {
		rules    func(*stock.Rules)
		items    []stock.Item
		baseline []stock.Item // nil: a first pass
		doubt    *stock.Doubt
		warnings []stock.Warning
	}{
		"first pass: a catalogue with stock is trusted": {items: tenLT},
		"first pass: an empty catalogue has no stock": {
			doubt: &stock.Doubt{Kind: "kros_no_stock"},
		},
		"first pass: items without any row are no stock": {
			items: stocked(0, 3),
			doubt: &stock.Doubt{Kind: "kros_no_stock", Expected: 3},
		},
		"first pass: no stock comes before an unknown warehouse": {
			rules: selecting("XX"), items: stocked(0, 3),
			doubt: &stock.Doubt{Kind: "kros_no_stock", Expected: 3},
		},
		"first pass: a warehouse that no row carries is unknown, and KROS's are named": {
			rules: selecting("PR", " XX", "LT", "XX", "AA"), items: join(stocked(0, 1, "PR"), stocked(1, 1, "LT ")),
			doubt: &stock.Doubt{Kind: "warehouse_unknown", Warehouses: []string{"AA", "XX"}, Known: []string{"LT", "PR"}},
		},
		"first pass: one row is enough": {
			rules: selecting("PR"), items: join(tenLT, stocked(10, 1, "PR")),
		},
		"later: the same catalogue is trusted": {items: tenLT, baseline: tenLT},
		"later: half of the codes seen again is enough": {
			items: tenLT[:5], baseline: tenLT,
		},
		"later: less than half seen again is another catalogue": {
			items: tenLT[:4], baseline: tenLT,
			doubt: &stock.Doubt{Kind: "catalogue_changed", Seen: 4, Expected: 10},
		},
		"later: another company's catalogue of the same size is another catalogue": {
			items: stocked(500, 10, "LT"), baseline: tenLT,
			doubt: &stock.Doubt{Kind: "catalogue_changed", Seen: 0, Expected: 10},
		},
		"later: codes seen again count once": {
			items: join(tenLT[:4], tenLT[:4], stocked(50, 50, "LT")), baseline: join(tenLT, tenLT[:4]),
			doubt: &stock.Doubt{Kind: "catalogue_changed", Seen: 4, Expected: 10},
		},
		"later: an empty catalogue is another one": {
			items: []stock.Item{}, baseline: tenLT,
			doubt: &stock.Doubt{Kind: "catalogue_changed", Seen: 0, Expected: 10},
		},
		"later: the threshold is a decimal, 30 % of 10 are 3": {
			rules: floor(0.3), items: tenLT[:3], baseline: tenLT,
		},
		"later: 10 % of 30 are 3": {
			rules: floor(0.1), items: stocked(0, 3, "LT"), baseline: stocked(0, 30, "LT"),
		},
		"later: 0 % switches the threshold off": {
			rules: floor(0), items: tenLT[:1], baseline: tenLT,
		},
		"later: no row at all is another catalogue, whatever the threshold": {
			rules: floor(0), items: stocked(0, 10), baseline: tenLT,
			doubt: &stock.Doubt{Kind: "catalogue_changed", Seen: 10, Expected: 10},
		},
		"later: no rows are trusted once a person accepted them": {
			items: stocked(0, 10), baseline: stock.Track(stocked(0, 10), tenLT),
		},
		"later: a warehouse that five items of the baseline carried is unknown": {
			rules: selecting("LT", "PR"), items: tenLT, baseline: join(stocked(0, 5, "LT"), stocked(5, 5, "PR")),
			doubt: &stock.Doubt{Kind: "warehouse_unknown", Warehouses: []string{"PR"}, Known: []string{"LT"}},
		},
		"later: one that fewer items carried is a warning": {
			rules: selecting("LT", "PR", "NEVER"), items: tenLT, baseline: join(stocked(0, 6, "LT"), stocked(6, 4, "PR")),
			warnings: []stock.Warning{{Kind: "warehouse_unknown", Warehouses: []string{"NEVER", "PR"}, Known: []string{"LT"}}},
		},
		"later: another catalogue comes before an unknown warehouse": {
			rules: selecting("PR"), items: stocked(500, 10, "LT"), baseline: stocked(0, 10, "PR"),
			doubt: &stock.Doubt{Kind: "catalogue_changed", Seen: 0, Expected: 10},
		},
		"later: a new warehouse is announced": {
			items: join(tenLT, stocked(10, 1, "NEW")), baseline: tenLT,
			warnings: []stock.Warning{{Kind: "warehouse_new", Warehouses: []string{"NEW"}, Known: []string{"LT", "NEW"}}},
		},
		"later: a new warehouse is announced once": {
			items: join(tenLT, stocked(10, 1, "NEW")), baseline: join(tenLT, stocked(10, 1, "NEW ")),
		},
		"later: a new warehouse does not matter where others are selected": {
			rules: selecting("LT"), items: join(tenLT, stocked(10, 1, "NEW")), baseline: tenLT,
		},
	} {
		t.Run(name, func(t *testing.T) {
			rules := byNumber()
			if tc.rules != nil {
				tc.rules(&rules)
			}
			var memory *stock.Memory
			if tc.baseline != nil {
				memory = &stock.Memory{Items: tc.baseline}
			}
			doubt, warnings := stock.Examine(rules, tc.items, memory)
			require.Equal(t, tc.doubt, doubt)
			require.Equal(t, tc.warnings, warnings)
		})
	}
}

func TestPlanDoubtOnAFirstPass(t *testing.T) {
	untracked := product("u", "A000", "", "5")
	untracked.Tracked = false
	for name, tc := range map[string]struct {
		items    []stock.Item
		products []stock.Product
		doubt    *stock.Doubt
	}{
		"ten stock items, none matches":      {stocked(0, 10, "LT"), nil, &stock.Doubt{Kind: "nothing_matched", Expected: 10}},
		"services do not count":              {append(stocked(0, 9, "LT"), stocked(10, 5)...), nil, nil},
		"nine may all be unknown":            {stocked(0, 9, "LT"), nil, nil},
		"one match is enough":                {stocked(0, 10, "LT"), []stock.Product{product("p", "A000", "", "5")}, nil},
		"a match that keeps no stock is one": {stocked(0, 10, "LT"), []stock.Product{untracked}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.doubt, plan(byNumber(), tc.items, tc.products...).Doubt(nil))
		})
	}
}

func TestPlanDoubtOnALaterPass(t *testing.T) {
	items := stocked(0, 10, "LT")
	var shop []stock.Product
	for i := range 10 {
		shop = append(shop, product(fmt.Sprint(i), items[i].Code, "", "1"))
	}
	memory := remember(items, plan(byNumber(), items, shop...))
	require.Equal(t, 10, memory.Products)

	require.Nil(t, plan(byNumber(), items, shop[:5]...).Doubt(memory), "half of the products is enough")
	require.Equal(t,
		&stock.Doubt{Kind: "products_missing", Seen: 4, Expected: 10},
		plan(byNumber(), items, shop[:4]...).Doubt(memory))
	require.Equal(t,
		&stock.Doubt{Kind: "products_missing", Seen: 0, Expected: 10},
		plan(byNumber(), items).Doubt(memory))
}

func TestWarehousesAreListedTrimmedAndSortedWithTheirItems(t *testing.T) {
	items := append(stocked(0, 2, "PR", "LT", " PR"), stocked(2, 3, " LT\u00a0", "")...)
	require.Equal(t, []stock.WarehouseUse{{Code: "LT", Items: 5}, {Code: "PR", Items: 2}}, stock.Warehouses(items))
	require.Empty(t, stock.Warehouses(nil))
}
