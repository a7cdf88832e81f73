package stock_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

func TestItemRules(t *testing.T) {
	own := func(rule stock.ItemRule) func(*stock.Rules) {
		return func(r *stock.Rules) { r.Items = map[string]stock.ItemRule{"A": rule} }
	}
	pieces := func(text string) *decimal.Decimal { d := dec(text); return &d }
	for name, tc := range map[string]struct {
		code  string
		rows  []stock.Row
		unit  string
		rules func(*stock.Rules)
		want  string
	}{
		"a cable kept in metres is sold by the roll of 100":      {rows: rows("LT", "250"), unit: "m", rules: own(stock.ItemRule{Pack: dec("100")}), want: "2"},
		"a pack that is not full is not sold":                    {rows: rows("LT", "99.999"), rules: own(stock.ItemRule{Pack: dec("100")}), want: "0"},
		"packs are rounded down, never up":                       {rows: rows("LT", "2"), rules: both(decimals(4), own(stock.ItemRule{Pack: dec("3")})), want: "0.6666"},
		"a pack may hold less than one":                          {rows: rows("LT", "1"), rules: own(stock.ItemRule{Pack: dec("0.3")}), want: "3"},
		"packs have the decimals of KROS's unit":                 {rows: rows("LT", "250"), unit: "m", rules: both(units, own(stock.ItemRule{Pack: dec("100")})), want: "2.5"},
		"no pack means one":                                      {rows: rows("LT", "250"), rules: own(stock.ItemRule{}), want: "250"},
		"a buffer of the item's own stands for that of the shop": {rows: rows("LT", "10"), rules: both(buffer("5"), own(stock.ItemRule{Buffer: pieces("2")})), want: "8"},
		"also where it is 0":                                     {rows: rows("LT", "10"), rules: both(buffer("5"), own(stock.ItemRule{Buffer: pieces("0")})), want: "10"},
		"without one the shop's counts":                          {rows: rows("LT", "10"), rules: both(buffer("5"), own(stock.ItemRule{})), want: "5"},
		"the buffer is in KROS's unit and comes off before":      {rows: rows("LT", "250"), rules: own(stock.ItemRule{Buffer: pieces("60"), Pack: dec("100")}), want: "1"},
		"a negative result is 0 before it is divided":            {rows: rows("LT", "-250"), rules: own(stock.ItemRule{Pack: dec("0.001")}), want: "0"},
		"other items have the rules of the shop":                 {code: "B", rows: rows("LT", "250"), rules: own(stock.ItemRule{Pack: dec("100")}), want: "250"},
		"the item is found by its cleaned code":                  {code: " A\u00a0", rows: rows("LT", "250"), rules: own(stock.ItemRule{Pack: dec("100")}), want: "2"},
		"no selected row is 0":                                   {rows: rows("LT", "250"), rules: both(selecting("PR"), own(stock.ItemRule{Buffer: pieces("-5")})), want: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := byNumber()
			tc.rules(&rules)
			code := tc.code
			if code == "" {
				code = "A"
			}
			sweep := []stock.Item{{Code: code, Unit: tc.unit, Rows: tc.rows}}
			require.Equal(t, tc.want, only(t, plan(rules, sweep)).Kros.String())
		})
	}
}

func TestStepsSayHowAQuantityCameAbout(t *testing.T) {
	ten := dec("10")
	for name, tc := range map[string]struct {
		item  stock.Item
		rules func(*stock.Rules)
		want  []string
	}{
		"everything at once": {
			item:  stock.Item{Code: "A", Unit: "m", Rows: rows("LT", "100.5", "KE", "7", "PR", "159.5")},
			rules: both(both(sum, selecting("LT", "PR")), func(r *stock.Rules) { r.Items = map[string]stock.ItemRule{"A": {Buffer: &ten, Pack: dec("100")}} }),
			want: []string{
				"warehouses: LT 100.5 + PR 159.5 = 260",
				"buffer: less the item's own buffer of 10 = 250",
				"pack: one of the e-shop holds 100 m = 2.5",
				"decimals: rounded down to a whole number = 2",
			},
		},
		"what changes nothing is left out": {
			item:  stock.Item{Code: "A", Rows: rows("LT", "5", "PR", "7")},
			rules: decimals(2),
			want:  []string{"warehouses: the largest of LT 5, PR 7 = 7"},
		},
		"a floor": {
			item:  stock.Item{Code: "A", Rows: rows(" LT", "3")},
			rules: buffer("5"),
			want:  []string{"warehouses: LT 3 = 3", "buffer: less the buffer of 5 = -2", "floor: less than nothing counts as nothing = 0"},
		},
		"places": {
			item:  stock.Item{Code: "A", Rows: rows("LT", "0.755")},
			rules: decimals(2),
			want:  []string{"warehouses: LT 0.755 = 0.755", "decimals: rounded down to 2 decimal places = 0.75"},
		},
		"no selected warehouse": {
			item:  stock.Item{Code: "A", Rows: rows("LT", "3")},
			rules: both(buffer("5"), selecting("PR")),
			want:  []string{"warehouses: KROS shows it in none of the selected warehouses = 0"},
		},
		"no warehouse": {
			item:  stock.Item{Code: "A"},
			rules: buffer("5"),
			want:  []string{"warehouses: KROS shows it in no warehouse = 0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := byNumber()
			tc.rules(&r)
			var got []string
			for _, step := range r.Steps(tc.item) {
				got = append(got, fmt.Sprintf("%s: %s = %s", step.Name, step.Detail, step.Result))
			}
			require.Equal(t, tc.want, got)
		})
	}
}

// itemRules are rules of the shop with rules for some items.
func itemRules() *rapid.Generator[stock.Rules] {
	return rapid.Custom(func(t *rapid.T) stock.Rules {
		r := rules().Draw(t, "rules")
		r.Items = rapid.MapOf(rapid.SampledFrom([]string{"A", "B", "0042"}), rapid.Custom(func(t *rapid.T) stock.ItemRule {
			var rule stock.ItemRule
			if rapid.Bool().Draw(t, "own buffer") {
				own := quantities(0).Draw(t, "buffer")
				rule.Buffer = &own
			}
			if rapid.Bool().Draw(t, "packed") {
				rule.Pack = quantities(1).Draw(t, "pack")
			}
			return rule
		})).Draw(t, "items' rules")
		return r
	})
}

func TestTheLastStepIsTheQuantityOfThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := itemRules().Draw(t, "rules")
		for _, item := range items(-500).Draw(t, "items") {
			steps := r.Steps(item)
			require.Equal(t, stock.StepWarehouses, steps[0].Name)
			for i, step := range steps {
				require.NotEmpty(t, step.Detail)
				require.False(t, i > 0 && step.Result.Equal(steps[i-1].Result), "%s changed nothing", step.Name)
			}
			line := only(t, plan(r, []stock.Item{item}))
			require.Equal(t, line.Kros.String(), steps[len(steps)-1].Result.String())
		}
	})
}

func TestNoPackIsRoundedUpNorDownByAWholeStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := itemRules().Draw(t, "rules")
		for _, item := range items(-500).Draw(t, "items") {
			exact, places := r, r.Decimals
			rule := r.Items[strings.TrimSpace(item.Code)]
			if rule.Buffer != nil {
				exact.Buffer = *rule.Buffer
			}
			want := reference(exact, item)
			if rule.Pack.IsPositive() {
				want = new(big.Rat).Quo(want, rule.Pack.Rat())
			}
			if strings.EqualFold(strings.TrimSpace(item.Unit), "kg") {
				places = 3
			}
			got := only(t, plan(r, []stock.Item{item})).Kros
			require.LessOrEqual(t, got.Rat().Cmp(want), 0, "%s is more than %s", got, want)
			require.Positive(t, got.Add(decimal.New(1, -places)).Rat().Cmp(want), "%s is a whole step less than %s", got, want)
			require.Equal(t, got.String(), got.Truncate(places).String())
		}
	})
}
