package stock_test

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

// Few codes and few EANs in many spellings, so that everything collides.
var (
	someCodes      = []string{"A", " A", "B", "C", "D", "0042", "42", "", "-", "0", "7"}
	someEANs       = []string{ean13, "0" + ean13, upc, "0" + upc, "00" + upc, "36000291452", "96385074", "0000096385074", "", "0000000000000", "1111111111111", "8.58E+12", "X1"}
	someWarehouses = []string{"LT", "PR", " PR"}
	someUnits      = []string{"", "ks", "kg", " KG"}
)

func quantities(least int64) *rapid.Generator[decimal.Decimal] {
	return rapid.Custom(func(t *rapid.T) decimal.Decimal {
		return decimal.New(rapid.Int64Range(least, 5000).Draw(t, "coefficient"), rapid.Int32Range(-5, 0).Draw(t, "exponent"))
	})
}

func rules() *rapid.Generator[stock.Rules] {
	return rapid.Custom(func(t *rapid.T) stock.Rules {
		return stock.Rules{
			Match:        rapid.SampledFrom([]stock.Match{stock.ByNumber, stock.ByEAN}).Draw(t, "match"),
			Quantity:     rapid.SampledFrom([]stock.Combine{stock.Max, stock.Sum}).Draw(t, "quantity"),
			Warehouses:   rapid.SampledFrom([][]string{nil, {"LT"}, {"PR "}, {"LT", "PR"}, {"XX"}}).Draw(t, "warehouses"),
			Buffer:       decimal.NewFromInt(rapid.Int64Range(0, 3).Draw(t, "buffer")),
			Decimals:     rapid.Int32Range(0, 4).Draw(t, "decimals"),
			UnitDecimals: map[string]int32{"Kg": 3},
			Missing:      rapid.SampledFrom([]stock.Missing{stock.MissingKeep, stock.MissingZero}).Draw(t, "missing"),
			Guard:        unguarded,
		}
	})
}

func items(least int64) *rapid.Generator[[]stock.Item] {
	row := rapid.Custom(func(t *rapid.T) stock.Row {
		return stock.Row{Warehouse: rapid.SampledFrom(someWarehouses).Draw(t, "warehouse"), Quantity: quantities(least).Draw(t, "quantity")}
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stock.Item {
		return stock.Item{
			Code: rapid.SampledFrom(someCodes).Draw(t, "code"),
			Name: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name"),
			EAN:  rapid.SampledFrom(someEANs).Draw(t, "ean"),
			Unit: rapid.SampledFrom(someUnits).Draw(t, "unit"),
			Rows: rapid.SliceOfN(row, 0, 3).Draw(t, "rows"),
		}
	}), 0, 12)
}

func products() *rapid.Generator[[]stock.Product] {
	return rapid.Custom(func(t *rapid.T) []stock.Product {
		list := make([]stock.Product, rapid.IntRange(0, 20).Draw(t, "products"))
		for i := range list {
			list[i] = stock.Product{
				ID:       fmt.Sprintf("p%02d", i),
				Number:   rapid.SampledFrom(someCodes).Draw(t, "number"),
				EAN:      rapid.SampledFrom(someEANs).Draw(t, "ean"),
				Quantity: quantities(0).Draw(t, "quantity"),
				Tracked:  rapid.IntRange(0, 9).Draw(t, "tracked") > 0,
				ParentID: rapid.SampledFrom([]string{"", "", "", "", "p00", "p01"}).Draw(t, "parent"),
			}
		}
		return list
	})
}

// inputs are passes with or without an earlier one, whose sweep was another.
func inputs() *rapid.Generator[stock.Input] {
	return rapid.Map(histories(), func(h history) stock.Input { return h.Input })
}

// history is a pass and the plan of the earlier one.
type history struct {
	stock.Input
	last []stock.Line
}

func histories() *rapid.Generator[history] {
	return rapid.Custom(func(t *rapid.T) history {
		in := stock.Input{Rules: rules().Draw(t, "rules"), Items: items(-500).Draw(t, "items"), Products: products().Draw(t, "products")}
		if rapid.Bool().Draw(t, "later") {
			before := items(-500).Draw(t, "before")
			first := stock.NewPlan(stock.Input{Rules: in.Rules, Items: before, Products: in.Products})
			in.Memory = remember(before, first)
			in.Products = applied(first, in.Products)
			in.Gone = rapid.SliceOf(rapid.SampledFrom(someCodes)).Draw(t, "gone")
			return history{in, first.Lines}
		}
		return history{Input: in}
	})
}

func TestTheOrderOfInputDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histories().Draw(t, "input")
		in := h.Input
		other := in
		other.Items = rapid.Permutation(in.Items).Draw(t, "items, shuffled")
		other.Products = rapid.Permutation(in.Products).Draw(t, "products, shuffled")
		for i, it := range other.Items {
			other.Items[i].Rows = rapid.Permutation(it.Rows).Draw(t, "rows, shuffled")
		}
		if in.Memory != nil {
			memory := *in.Memory
			memory.Items = rapid.Permutation(memory.Items).Draw(t, "baseline, shuffled")
			memory.Ledger = ledger(rapid.Permutation(h.last).Draw(t, "ledger, shuffled"))
			other.Memory = &memory
		}
		require.Empty(t, cmp.Diff(stock.NewPlan(in), stock.NewPlan(other), cmpopts.EquateEmpty()))
		require.Equal(t, stock.NewPlan(in).Hash(), stock.NewPlan(other).Hash())
	})
}

func TestPlanningLeavesItsInputAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		before := in
		before.Items, before.Products = slices.Clone(in.Items), slices.Clone(in.Products)
		plan := stock.NewPlan(in)
		stock.Replan(in.Rules, plan, in.Products, nil, day)
		require.Empty(t, cmp.Diff(before, in, cmp.Exporter(func(reflect.Type) bool { return true })))
	})
}

func TestApplyingAPlanAndPlanningAgainWritesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		first := stock.NewPlan(in)
		in.Products = applied(first, in.Products)
		require.Empty(t, stock.NewPlan(in).Writes(), "with the memory of before")
		in.Memory = &stock.Memory{Items: stock.Track(in.Items, baseline(in)), Ledger: ledger(first.Lines), Products: first.Matched()}
		require.Empty(t, stock.NewPlan(in).Writes(), "with the memory of this pass")
	})
}

func TestSumIsAtLeastMaxIsAtLeastZeroWhereNoRowIsNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, sweep := rules().Draw(t, "rules"), items(0).Draw(t, "items")
		r.Quantity = stock.Max
		largest := plan(r, sweep)
		r.Quantity = stock.Sum
		for i, line := range plan(r, sweep).Lines {
			require.True(t, line.Kros.GreaterThanOrEqual(largest.Lines[i].Kros))
			require.False(t, largest.Lines[i].Kros.IsNegative())
		}
	})
}

func TestNoQuantityIsRoundedUpNorDownByAWholeStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := items(-500).Filter(func(list []stock.Item) bool { return len(list) > 0 }).Draw(t, "items")[0]
		r := rules().Draw(t, "rules")
		places := r.Decimals
		if strings.EqualFold(strings.TrimSpace(it.Unit), "kg") {
			places = 3
		}
		kros := only(t, plan(r, []stock.Item{it})).Kros
		exact := reference(r, it)
		require.LessOrEqual(t, kros.Rat().Cmp(exact), 0)
		require.Equal(t, kros.String(), kros.Truncate(places).String())
		step := kros.Add(decimal.New(1, -places))
		require.Positive(t, step.Rat().Cmp(exact))
	})
}

func TestOutcomesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		p := stock.NewPlan(in)
		counts := p.Counts()
		require.Equal(t, counts.KrosItems, outcomes(counts))
		require.Len(t, p.Lines, counts.KrosItems+counts.Missing)
		require.Len(t, p.Writes(), counts.Raised+counts.Lowered)
		require.LessOrEqual(t, counts.Zeroed, counts.Lowered)

		var receipts []stock.Receipt
		for _, w := range p.Writes() {
			answers := rapid.SliceOfN(rapid.SampledFrom([]stock.Answer{"updated", "unchanged", "conflict", "rejected"}), 0, 2).Draw(t, "answers")
			for _, answer := range answers {
				receipts = append(receipts, stock.Receipt{Item: w.Item, Product: w.Product, Had: w.From, Asked: w.To, Answer: answer})
			}
		}
		settled, _, _ := stock.Settle(p, receipts)
		require.Equal(t, counts.KrosItems, settled.KrosItems)
		require.Equal(t, settled.KrosItems, outcomes(settled))
		require.Equal(t, counts.Missing, settled.Missing)
		require.LessOrEqual(t, settled.Raised+settled.Lowered, counts.Raised+counts.Lowered)
	})
}

// The shop after a first pass is what a slow and simple reading of the rules
// says of each product by itself.
func TestEveryProductEndsAsTheRulesReadOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, sweep, shop := rules().Draw(t, "rules"), items(-500).Draw(t, "items"), products().Draw(t, "products")
		for i, after := range applied(plan(r, sweep, shop...), shop) {
			want := shop[i].Quantity
			if owner, ok := ownerOf(r.Match, shop[i], sweep, shop); ok {
				places := r.Decimals
				if strings.EqualFold(strings.TrimSpace(owner.Unit), "kg") {
					places = 3
				}
				want = decimal.NewFromBigRat(reference(r, owner), 10).Truncate(places)
			}
			require.Equal(t, want.String(), after.Quantity.String(), "product %s", shop[i].ID)
		}
	})
}

func TestNothingAmbiguousIsEverWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		shop := map[string]stock.Product{}
		for _, product := range in.Products {
			shop[product.ID] = product
		}
		seen := map[string]bool{}
		for _, w := range stock.NewPlan(in).Writes() {
			require.False(t, seen[w.Product], "product %s is written for two items", w.Product)
			seen[w.Product] = true
			holders := holdersOf(in.Rules.Match, shop[w.Product], in.Items)
			require.LessOrEqual(t, len(holders), 1, "product %s", w.Product)
			if len(holders) == 0 {
				require.True(t, w.To.IsZero(), "only a gone item's product has no item")
				require.Equal(t, stock.MissingZero, in.Rules.Missing)
				require.Contains(t, cleaned(in.Gone), w.Item)
			}
		}
	})
}

func TestTheShopIsAskedForEveryProductThatAPlanWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		whole := stock.NewPlan(in)
		asked := stock.LookupKeys(in.Rules.Match, in.Items)
		asked = append(asked, stock.GoneKeys(in.Rules.Match, in.Memory, in.Gone)...)
		in.Products = slices.DeleteFunc(slices.Clone(in.Products), func(p stock.Product) bool {
			return !slices.Contains(asked, asTheShopTrims(in.Rules.Match, p))
		})
		// A parent that has another key than its variant is known as a
		// parent only where both are asked for.
		if !slices.ContainsFunc(in.Products, func(p stock.Product) bool { return p.ParentID != "" }) {
			require.Subset(t, writes(stock.NewPlan(in)), writes(whole))
		}
	})
}

func baseline(in stock.Input) []stock.Item {
	if in.Memory == nil {
		return nil
	}
	return in.Memory.Items
}

func cleaned(codes []string) []string {
	var list []string
	for _, code := range codes {
		list = append(list, strings.TrimSpace(code))
	}
	return list
}

// reference is the quantity of an item before it is rounded, in fractions.
func reference(r stock.Rules, it stock.Item) *big.Rat {
	var selected []*big.Rat
	for _, row := range it.Rows {
		if len(r.Warehouses) == 0 || slices.Contains(cleaned(r.Warehouses), strings.TrimSpace(row.Warehouse)) {
			selected = append(selected, row.Quantity.Rat())
		}
	}
	if len(selected) == 0 {
		return new(big.Rat)
	}
	total := new(big.Rat)
	for _, quantity := range selected {
		total.Add(total, quantity)
	}
	if r.Quantity == stock.Max {
		total = slices.MaxFunc(selected, (*big.Rat).Cmp)
	}
	total = new(big.Rat).Sub(total, r.Buffer.Rat())
	if total.Sign() < 0 {
		return new(big.Rat)
	}
	return total
}

// holdersOf are the different items that have the key of a product.
func holdersOf(match stock.Match, p stock.Product, sweep []stock.Item) []stock.Item {
	spelled := func(number, ean string) string {
		if match == stock.ByNumber {
			return strings.TrimSpace(number)
		}
		if ean = strings.TrimSpace(ean); strings.Trim(ean, "0123456789") == "" && ean != "" {
			return strings.TrimLeft(ean, "0")
		}
		return ean
	}
	var holders []stock.Item
	for _, it := range sweep {
		if spelled(it.Code, it.EAN) == spelled(p.Number, p.EAN) && !slices.ContainsFunc(holders, func(h stock.Item) bool { return sameItem(h, it) }) {
			holders = append(holders, it)
		}
	}
	return holders
}

func sameItem(a, b stock.Item) bool {
	return cmp.Equal(a, b, cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b stock.Row) bool {
		return a.Warehouse < b.Warehouse || a.Warehouse == b.Warehouse && a.Quantity.LessThan(b.Quantity)
	}))
}

// ownerOf is the item that decides about a product, if one does.
func ownerOf(match stock.Match, p stock.Product, sweep []stock.Item, shop []stock.Product) (stock.Item, bool) {
	own := func(p stock.Product) bool {
		parent := slices.ContainsFunc(shop, func(v stock.Product) bool { return v.ParentID == p.ID && v.ID != p.ID })
		return p.Tracked && !parent
	}
	key := strings.TrimSpace(p.Number)
	if match == stock.ByEAN {
		key = strings.TrimSpace(p.EAN)
	}
	holders := holdersOf(match, p, sweep)
	if !own(p) || len(holders) != 1 || slices.Contains([]string{"", "-", "0", "0000000000000", "1111111111111", "8.58E+12"}, key) {
		return stock.Item{}, false
	}
	owner := holders[0]
	for _, it := range sweep {
		if code := strings.TrimSpace(it.Code); code != "" && code == strings.TrimSpace(owner.Code) && !sameItem(it, owner) {
			return stock.Item{}, false
		}
	}
	siblings := 0
	for _, other := range shop {
		if own(other) {
			if h := holdersOf(match, other, []stock.Item{owner}); len(h) == 1 {
				siblings++
			}
		}
	}
	return owner, len(owner.Rows) > 0 && siblings <= 10
}
