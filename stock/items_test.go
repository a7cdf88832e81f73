package stock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

func TestTheItemsFileSettlesWhatKeysCannot(t *testing.T) {
	shop := []stock.Product{product("1", "A", "8586000000013", "1"), product("2", "B", "8586000000013", "1"), product("3", "ROLL", "", "9")}
	items := []stock.Item{item("A", "8586000000013", "5"), item("CABLE", "", "250"), item("SERVICE", "8586000000013", "3")}
	tests := []struct {
		rule     string
		match    stock.Match
		items    map[string]stock.ItemRule
		verdicts []string
		writes   []string
	}{
		{"without it", stock.ByEAN, nil, []string{"A: ambiguous shared_key", "CABLE: skipped no_key", "SERVICE: ambiguous shared_key"}, []string{}},
		{"an ignored item is nobody's trouble", stock.ByEAN, map[string]stock.ItemRule{"SERVICE": {Ignore: true}},
			[]string{"A: updated", "CABLE: skipped no_key", "SERVICE: skipped ignored"}, []string{"1 1>5", "2 1>5"}},
		{"a pair needs no key, a pack counts whole ones", stock.ByEAN,
			map[string]stock.ItemRule{"SERVICE": {Ignore: true}, "CABLE": {Products: []string{"ROLL"}, Pack: dec("100")}},
			[]string{"A: updated", "CABLE: updated", "SERVICE: skipped ignored"}, []string{"3 9>2", "1 1>5", "2 1>5"}},
		{"a pair takes its product from the item with its key", stock.ByNumber, map[string]stock.ItemRule{"CABLE": {Products: []string{"A"}}},
			[]string{"A: unmatched paired", "CABLE: updated", "SERVICE: unmatched no_product"}, []string{"1 1>250"}},
		{"a pair of several products", stock.ByNumber, map[string]stock.ItemRule{"CABLE": {Products: []string{"ROLL", "B"}}},
			[]string{"A: updated", "CABLE: updated", "SERVICE: unmatched no_product"}, []string{"1 1>5", "2 1>250", "3 9>250"}},
		{"a pair whose product the shop does not have", stock.ByNumber, map[string]stock.ItemRule{"CABLE": {Products: []string{"none"}}},
			[]string{"A: updated", "CABLE: unmatched no_product", "SERVICE: unmatched no_product"}, []string{"1 1>5"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			rules := byNumber()
			rules.Match, rules.Items = test.match, test.items
			p := plan(rules, items, shop...)
			require.Equal(t, test.verdicts, verdicts(p))
			require.Equal(t, test.writes, writes(p))
		})
	}
}

func TestAPairedProductIsFoundAgainByItsNumber(t *testing.T) {
	rules := byEAN()
	rules.Items = map[string]stock.ItemRule{"CABLE": {Products: []string{"ROLL"}}}
	items := []stock.Item{item("CABLE", "8586000000013", "7")}
	require.Equal(t, []string{"ROLL"}, stock.PairedNumbers(rules, items))
	p := plan(rules, items, product("3", "ROLL", "", "9"))
	require.Empty(t, p.LookupKeys(stock.ByEAN))
	require.Equal(t, []string{"ROLL"}, p.PairedNumbers())
	again, whole := stock.Replan(rules, p, []stock.Product{product("3", "ROLL", "", "8")}, nil, day)
	require.Equal(t, []string{"3 8>7"}, writes(again))
	require.Equal(t, []string{"3 8>7"}, writes(whole))
}
