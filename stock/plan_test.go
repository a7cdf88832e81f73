package stock_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

func TestOutcomes(t *testing.T) {
	untracked := product("u", "A", ean13, "5")
	untracked.Tracked = false
	variant := func(id, parent string) stock.Product {
		v := product(id, "V-"+id, "", "5")
		v.ParentID = parent
		return v
	}
	many := func(n int) []stock.Product {
		var list []stock.Product
		for i := range n {
			list = append(list, product(fmt.Sprintf("p%02d", i), "A", ean13, "5"))
		}
		return list
	}
	a := item("A", ean13, "3")

	for name, tc := range map[string]struct {
		rules    stock.Rules
		items    []stock.Item
		products []stock.Product
		want     []string
		writes   []string
	}{
		"a product with another quantity is updated": {
			byNumber(), []stock.Item{a}, []stock.Product{product("p", "A", "", "5")},
			[]string{"A: updated"}, []string{"p 5>3"},
		},
		"a product with the same quantity is unchanged, however it is written": {
			byNumber(), []stock.Item{a}, []stock.Product{product("p", "A", "", "3.000")},
			[]string{"A: unchanged"}, nil,
		},
		"an item without a product is unmatched": {
			byNumber(), []stock.Item{a}, []stock.Product{product("p", "B", "", "5")},
			[]string{"A: unmatched no_product"}, nil,
		},
		"all products of an item are written": {
			byEAN(), []stock.Item{a}, []stock.Product{product("q", "", ean13, "1"), product("p", "", "0"+ean13, "5")},
			[]string{"A: updated"}, []string{"p 5>3", "q 1>3"},
		},
		"one product that differs makes the item updated": {
			byEAN(), []stock.Item{a}, []stock.Product{product("q", "", ean13, "3"), product("p", "", ean13, "5")},
			[]string{"A: updated"}, []string{"p 5>3"},
		},
		"a product found by two forms of its key is one": {
			byEAN(), []stock.Item{a}, []stock.Product{product("p", "", ean13, "5"), product("p", "", ean13, "4")},
			[]string{"A: updated"}, []string{"p 4>3"},
		},
		"ten products are written": {
			byNumber(), []stock.Item{a}, many(10),
			[]string{"A: updated"}, []string{"p00 5>3", "p01 5>3", "p02 5>3", "p03 5>3", "p04 5>3", "p05 5>3", "p06 5>3", "p07 5>3", "p08 5>3", "p09 5>3"},
		},
		"more than ten products are ambiguous": {
			byNumber(), []stock.Item{a}, many(11),
			[]string{"A: ambiguous too_many_products"}, nil,
		},
		"ten products and one without stock are not more than ten": {
			byNumber(), []stock.Item{item("A", "", "5")}, append(many(10), untracked),
			[]string{"A: unchanged"}, nil,
		},
		"a product that does not track stock is skipped": {
			byNumber(), []stock.Item{a}, []stock.Product{untracked},
			[]string{"A: skipped untracked"}, nil,
		},
		"a product that does not track stock does not stop the others": {
			byNumber(), []stock.Item{a}, []stock.Product{untracked, product("p", "A", "", "5")},
			[]string{"A: updated"}, []string{"p 5>3"},
		},
		"a parent whose variants are products is skipped": {
			byNumber(), []stock.Item{a}, []stock.Product{product("p", "A", "", "5"), variant("v", "p")},
			[]string{"A: skipped parent"}, nil,
		},
		"a variant is a product": {
			byNumber(), []stock.Item{item("V-v", "", "3")}, []stock.Product{product("p", "A", "", "5"), variant("v", "p")},
			[]string{"V-v: updated"}, []string{"v 5>3"},
		},
		"a product that names itself as parent is none": {
			byNumber(), []stock.Item{item("V-v", "", "3")}, []stock.Product{variant("v", "v")},
			[]string{"V-v: updated"}, []string{"v 5>3"},
		},
		"one EAN of two items is ambiguous, none is written": {
			byEAN(), []stock.Item{item("A", upc, "3"), item("B", "0"+upc, "4")}, []stock.Product{product("p", "", upc, "5")},
			[]string{"A: ambiguous shared_key", "B: ambiguous shared_key"}, nil,
		},
		"an EAN that a service has as well is ambiguous": {
			byEAN(), []stock.Item{item("A", ean13, "3"), item("B", ean13)}, []stock.Product{product("p", "", ean13, "5")},
			[]string{"A: ambiguous shared_key", "B: ambiguous shared_key"}, nil,
		},
		"placeholders are no key and share nothing": {
			byEAN(), []stock.Item{item("A", "0000000000000", "3"), item("B", "0000000000000", "4")}, nil,
			[]string{"A: skipped placeholder_ean", "B: skipped placeholder_ean"}, nil,
		},
		"the other key may be shared": {
			byNumber(), []stock.Item{item("A", ean13, "3"), item("B", ean13, "4")}, []stock.Product{product("p", "A", ean13, "5")},
			[]string{"A: updated", "B: unmatched no_product"}, []string{"p 5>3"},
		},
		"an item seen twice is one": {
			byNumber(), []stock.Item{
				{Code: "A", Rows: rows("LT", "3", "PR", "1")}, {Code: "A", Rows: rows("PR", "1.0", "LT", "3")},
			}, []stock.Product{product("p", "A", "", "5")},
			[]string{"A: updated"}, []string{"p 5>3"},
		},
		"two different items of one code are ambiguous": {
			byNumber(), []stock.Item{item("A", "", "3"), item("A", "", "4")}, []stock.Product{product("p", "A", "", "5")},
			[]string{"A: ambiguous duplicate_code", "A: ambiguous duplicate_code"}, nil,
		},
		"codes that are equal but for spaces are one code": {
			byNumber(), []stock.Item{{Code: "A", Rows: rows("LT", "3")}, {Code: "A ", Rows: rows("LT", "3")}}, []stock.Product{product("p", "A", "", "5")},
			[]string{"A: ambiguous duplicate_code", "A: ambiguous duplicate_code"}, nil,
		},
		"two items of one code that differ in their unit are ambiguous": {
			byNumber(), []stock.Item{{Code: "A", Unit: "ks", Rows: rows("LT", "3")}, {Code: "A", Unit: "bal", Rows: rows("LT", "3")}}, nil,
			[]string{"A: ambiguous duplicate_code", "A: ambiguous duplicate_code"}, nil,
		},
		"two items of one code are ambiguous by EAN, too": {
			byEAN(), []stock.Item{item("A", ean13, "3"), item("A", upc, "4")}, []stock.Product{product("p", "", upc, "5")},
			[]string{"A: ambiguous duplicate_code", "A: ambiguous duplicate_code"}, nil,
		},
		"items without a code are no duplicates of each other": {
			byEAN(), []stock.Item{item("", ean13, "3"), item(" ", upc, "4")},
			[]stock.Product{product("p", "", ean13, "5"), product("q", "", upc, "5")},
			[]string{": updated", ": updated"}, []string{"p 5>3", "q 5>4"},
		},
		"ambiguity comes before everything else": {
			byEAN(), []stock.Item{item("A", "-"), item("A", "")}, nil,
			[]string{"A: ambiguous duplicate_code", "A: ambiguous duplicate_code"}, nil,
		},
		"no stock item comes before no key": {
			byEAN(), []stock.Item{item("A", "-")}, nil,
			[]string{"A: skipped not_stock"}, nil,
		},
		"no items, no lines": {byNumber(), nil, []stock.Product{product("p", "A", "", "5")}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(tc.rules, tc.items, tc.products...)
			require.Equal(t, tc.want, verdicts(p))
			require.Equal(t, append([]string{}, tc.writes...), writes(p))
			counts := p.Counts()
			require.Equal(t, counts.KrosItems, outcomes(counts))
			require.Len(t, p.Lines, counts.KrosItems)
		})
	}
}

func TestAnAmbiguousItemNamesTheOthers(t *testing.T) {
	p := plan(byEAN(), []stock.Item{item("C", ean13, "1"), item("A", ean13, "1"), item("", "0"+ean13, "1")})
	require.Equal(t, []string{"A", "C"}, p.Lines[0].Others)
	require.Equal(t, []string{"Item ", "C"}, p.Lines[1].Others, "by name, where there is no code")
	require.Equal(t, "EAN "+ean13+" belongs in KROS to Item , C as well", p.Lines[1].Reason)

	var crowd []stock.Item
	for i := range 50 {
		crowd = append(crowd, item(fmt.Sprintf("A%02d", i), ean13, "1"))
	}
	line := plan(byEAN(), crowd).Lines[0]
	require.Len(t, line.Others, 20, "but never a whole catalogue")
	require.True(t, strings.HasSuffix(line.Reason, "to A01, A02, A03 and others as well"), line.Reason)
}

func TestLinesAreSortedByCodeThenNameThenEAN(t *testing.T) {
	items := []stock.Item{
		{Code: "", Name: "b", EAN: "2"}, {Code: " A2", Name: "a"}, {Code: "A1", Name: "z"}, {Code: "", Name: "b", EAN: "1"}, {Code: "", Name: "a", EAN: "3"},
	}
	var got []string
	for _, line := range plan(byEAN(), items).Lines {
		got = append(got, line.Item+"/"+line.Name+"/"+line.Key)
	}
	require.Equal(t, []string{"/a/3", "/b/1", "/b/2", "A1/z/", "A2/a/"}, got)
}

func TestDecreasesAreWrittenBeforeIncreases(t *testing.T) {
	p := plan(byNumber(),
		[]stock.Item{item("A", "", "9"), item("B", "", "1"), item("C", "", "8"), item("D", "", "0"), item("E", "", "5")},
		product("4", "A", "", "5"), product("3", "B", "", "5"), product("2", "C", "", "5"), product("1", "D", "", "5"), product("0", "E", "", "5"))
	require.Equal(t, []string{"1 5>0", "3 5>1", "2 5>8", "4 5>9"}, writes(p))
}

func TestCountsOfAPlan(t *testing.T) {
	p := plan(byNumber(),
		[]stock.Item{item("UP", "", "9"), item("DOWN", "", "1"), item("ZERO", "", "0"), item("SAME", "", "5"), item("SOLD-OUT", "", "0"), item("NONE", "", "1"), item("SERVICE", "")},
		product("1", "UP", "", "5"), product("2", "UP", "", "9"), product("3", "DOWN", "", "5"), product("4", "ZERO", "", "5"),
		product("5", "SAME", "", "5"), product("6", "SOLD-OUT", "", "0"))
	require.Equal(t, stock.Counts{
		KrosItems: 7, Updated: 3, Unchanged: 2, Unmatched: 1, Skipped: 1,
		Products: 6, Raised: 1, Lowered: 2, Zeroed: 1, Shared: 2,
	}, p.Counts())
	require.Equal(t, 6, p.Matched())
}

func TestSamplesAreFewAndTheFirst(t *testing.T) {
	items := []stock.Item{item("MATCHED", "", "1")}
	for i := range 8 {
		items = append(items, item(fmt.Sprintf("NONE-%d", 7-i), "", "1"))
	}
	samples := plan(byNumber(), items, product("p", "MATCHED", "", "5")).Samples()
	require.Len(t, samples, 1)
	require.Len(t, samples["unmatched"], stock.MaxSamples)
	require.Equal(t, stock.Sample{
		Item: "NONE-0", Name: "Item NONE-0", Key: "NONE-0",
		ReasonCode: "no_product", Reason: "no product of the e-shop has item code NONE-0",
	}, samples["unmatched"][0])
}

func TestASampleNamesTheProductThatIsSkipped(t *testing.T) {
	untracked := product("p", "A", "", "5")
	untracked.Tracked = false
	require.Equal(t, "p", plan(byNumber(), []stock.Item{item("A", "", "1")}, untracked).Samples()["skipped"][0].Product)
}

func TestASampleStaysSmallWhateverKrosSends(t *testing.T) {
	long := item("A", "", "1")
	long.Name = strings.Repeat("č", 100_000)
	sample := plan(byNumber(), []stock.Item{long}).Samples()["unmatched"][0]
	require.Len(t, []rune(sample.Name), 200)
}

func TestEverySkippedLineHasASentence(t *testing.T) {
	untracked, parent := product("u", "U", "", "1"), product("p", "P", "", "1")
	untracked.Tracked = false
	variant := product("v", "V", "", "1")
	variant.ParentID = "p"
	p := plan(byNumber(), []stock.Item{item("", "", "1"), item("U", "", "1"), item("P", "", "1"), item("N", "", "1"), item("S", ""), item("D", "", "1"), item("D", "", "2")}, untracked, parent, variant)
	seen := map[string]bool{}
	for _, line := range p.Lines {
		require.NotContains(t, line.Reason, "refused", line.ReasonCode)
		require.NotEmpty(t, line.Reason, line.ReasonCode)
		require.False(t, seen[line.Reason] && line.Item != "D", "two reasons share a sentence: %s", line.Reason)
		seen[line.Reason] = true
	}
	require.Len(t, seen, 6)
}

func TestHash(t *testing.T) {
	items := []stock.Item{item("A", "", "1"), item("B", "", "2")}
	a, b := product("a", "A", "", "5"), product("b", "B", "", "5")
	base := plan(byNumber(), items, a, b)

	reversed := stock.Plan{Lines: slices.Clone(base.Lines)}
	slices.Reverse(reversed.Lines)
	require.Equal(t, base.Hash(), reversed.Hash(), "the order of lines does not matter")

	a.Quantity = dec("7")
	require.Equal(t, base.Hash(), plan(byNumber(), items, a, b).Hash(), "what the shop has does not matter")

	require.Equal(t, base.Hash(), plan(byNumber(), append(items, item("C", "", "9")), a, b).Hash(), "nor what is not written")

	items[0].Rows[0].Quantity = dec("1.0")
	require.Equal(t, base.Hash(), plan(byNumber(), items, a, b).Hash(), "nor how a number is written")

	require.NotEqual(t, base.Hash(), plan(byNumber(), items, a).Hash(), "fewer changes are others")
	items[0].Rows[0].Quantity = dec("3")
	require.NotEqual(t, base.Hash(), plan(byNumber(), items, a, b).Hash(), "another quantity is another change")
}

func TestALineSurvivesItsArchive(t *testing.T) {
	p := plan(byNumber(), []stock.Item{item("A", "", "0"), item("B", "", "2.5"), item("S", "")}, product("a", "A", "", "5"), product("b", "B", "", "2"))
	text, err := json.Marshal(p)
	require.NoError(t, err)
	var back stock.Plan
	require.NoError(t, json.Unmarshal(text, &back))
	require.Empty(t, cmp.Diff(p, back))
	require.NotContains(t, string(text), `"to":"0"`, "zeros take no room")
}

func TestWroteIsSticky(t *testing.T) {
	items, shop := []stock.Item{item("A", "", "3"), item("B", "", "3")}, []stock.Product{product("a", "A", "", "5"), product("b", "B", "", "3")}
	first := plan(byNumber(), items, shop...)
	require.True(t, first.Lines[0].Entries[0].Wrote, "this plan changes it")
	require.False(t, first.Lines[1].Entries[0].Wrote, "never written")

	second := stock.NewPlan(stock.Input{Rules: byNumber(), Items: items, Products: applied(first, shop), Memory: remember(items, first)})
	require.Empty(t, second.Writes())
	require.True(t, second.Lines[0].Entries[0].Wrote, "an earlier plan changed it")
	require.False(t, second.Lines[1].Entries[0].Wrote)
}

func TestMissingItems(t *testing.T) {
	baseline := []stock.Item{item("A", "", "1"), item("B", "", "1"), item("", ean13, "1"), item("", upc, "1")}
	sweep := []stock.Item{item(" A", ean13, "7"), item("", ean13, "7")}
	require.Equal(t, []stock.Item{baseline[1], baseline[3]}, stock.MissingItems(sweep, baseline))
	require.Empty(t, stock.MissingItems(sweep, nil))
}

// A shop of three products: WROTE was written by the pass before, SAME was
// right already. Then their items vanish from the sweep.
func missingWorld(t *testing.T) (sweep []stock.Item, memory *stock.Memory, shop []stock.Product) {
	t.Helper()
	items := []stock.Item{item("STAYS", "", "1"), item("WROTE", "", "3"), item("SAME", "", "3")}
	shop = []stock.Product{product("1", "STAYS", "", "1"), product("2", "WROTE", "", "5"), product("3", "SAME", "", "3")}
	first := plan(byNumber(), items, shop...)
	return items[:1], remember(items, first), applied(first, shop)
}

func zeroing() stock.Rules {
	rules := byNumber()
	rules.Missing = stock.MissingZero
	return rules
}

func TestAMissingItemIsCountedAndKept(t *testing.T) {
	sweep, memory, shop := missingWorld(t)
	p := stock.NewPlan(stock.Input{Rules: byNumber(), Items: sweep, Products: shop, Memory: memory, Gone: []string{"WROTE", "SAME"}})
	require.Empty(t, p.Writes())
	require.Equal(t, stock.Counts{KrosItems: 1, Unchanged: 1, Missing: 2, Products: 1}, p.Counts())
	require.Equal(t, []string{"SAME", "STAYS", "WROTE"}, []string{p.Lines[0].Item, p.Lines[1].Item, p.Lines[2].Item}, "in the order of all lines")
	require.Equal(t, "missing_kept", p.Samples()["missing"][0].ReasonCode)
}

func TestMissingZero(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(in *stock.Input)
		want   []string
	}{
		"a gone item's product that we wrote goes to 0, one we never wrote is kept": {
			func(*stock.Input) {}, []string{"2 3>0"},
		},
		"gone codes are compared trimmed": {
			func(in *stock.Input) { in.Gone = []string{" WROTE "} }, []string{"2 3>0"},
		},
		"an item that was not asked for singly is kept": {
			func(in *stock.Input) { in.Gone = nil }, nil,
		},
		"a product that the shop does not show is left alone": {
			func(in *stock.Input) { in.Products = in.Products[:1] }, nil,
		},
		"a product that keeps no stock any more is left alone": {
			func(in *stock.Input) { in.Products[1].Tracked = false }, nil,
		},
		"a product that now has another key is left alone": {
			func(in *stock.Input) { in.Products[1].Number = "OTHER" }, nil,
		},
		"an item that the sweep shows again is not gone": {
			func(in *stock.Input) { in.Items = append(in.Items, item("WROTE", "", "9")) }, []string{"2 3>9"},
		},
		"a first pass knows of no missing items": {
			func(in *stock.Input) { in.Memory = nil }, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			sweep, memory, shop := missingWorld(t)
			in := stock.Input{Rules: zeroing(), Items: slices.Clone(sweep), Products: slices.Clone(shop), Memory: memory, Gone: []string{"WROTE", "SAME"}}
			tc.change(&in)
			require.Equal(t, append([]string{}, tc.want...), writes(stock.NewPlan(in)))
		})
	}
}

func TestAGoneItemsProductFollowsTheItemThatHasItsKeyNow(t *testing.T) {
	before := []stock.Item{item("OLD", ean13, "3"), item("STAYS", upc, "1")}
	shop := []stock.Product{product("p", "", ean13, "5")}
	rules := byEAN()
	rules.Missing = stock.MissingZero
	first := plan(rules, before, shop...)
	in := stock.Input{Rules: rules, Products: applied(first, shop), Memory: remember(before, first), Gone: []string{"OLD"}}

	in.Items = []stock.Item{item("NEW", ean13, "4"), before[1]}
	require.Equal(t, []string{"p 3>4"}, writes(stock.NewPlan(in)))

	in.Items = []stock.Item{item("NEW", ean13, "4"), item("NEWER", ean13, "4"), before[1]}
	require.Empty(t, stock.NewPlan(in).Writes(), "and stays where that is ambiguous")
}

func TestZeroedProductsOfMissingItemsStandBesideTheSum(t *testing.T) {
	sweep, memory, shop := missingWorld(t)
	p := stock.NewPlan(stock.Input{Rules: zeroing(), Items: sweep, Products: shop, Memory: memory, Gone: []string{"WROTE", "SAME"}})
	require.Equal(t, stock.Counts{KrosItems: 1, Unchanged: 1, Missing: 2, Products: 2, Lowered: 1, Zeroed: 1}, p.Counts())
	require.Equal(t, 1, p.Matched())

	unknown, samples, _ := stock.Settle(p, nil)
	require.Equal(t, stock.Counts{KrosItems: 1, Unchanged: 1, Missing: 2, Products: 2}, unknown)
	require.Equal(t, "not_written", samples["missing"][1].ReasonCode)
}

func TestOnlyMissingItemsThatWeWroteAreAskedFor(t *testing.T) {
	sweep, memory, _ := missingWorld(t)
	asked := stock.MissingWritten(sweep, memory)
	require.Len(t, asked, 1)
	require.Equal(t, "WROTE", asked[0].Code)
	require.Equal(t, []string{"WROTE"}, stock.GoneKeys(stock.ByNumber, memory, []string{" WROTE"}))
	require.Empty(t, stock.MissingWritten(sweep, nil))
	require.Empty(t, stock.GoneKeys(stock.ByNumber, nil, []string{"WROTE"}))
}

func TestItemsWithoutACodeCannotBeAskedFor(t *testing.T) {
	before := []stock.Item{item("", ean13, "3")}
	first := plan(byEAN(), before, product("p", "", ean13, "5"))
	require.True(t, first.Lines[0].Entries[0].Wrote)
	require.Empty(t, stock.MissingWritten(nil, remember(before, first)))
}

func TestAGoneCodeThatTwoItemsHadIsZeroedOnce(t *testing.T) {
	shop := []stock.Product{product("p", "A", "", "5")}
	written := plan(byNumber(), []stock.Item{item("A", "", "3")}, shop...)
	p := stock.NewPlan(stock.Input{
		Rules: zeroing(), Products: applied(written, shop), Gone: []string{"A"},
		Memory: &stock.Memory{Items: []stock.Item{item("A", "", "1"), item("A", "", "2")}, Ledger: ledger(written.Lines)},
	})
	require.Equal(t, []string{"p 3>0"}, writes(p))
	require.Equal(t, 2, p.Counts().Missing)
}

func TestCountMatchesByEitherKey(t *testing.T) {
	items := []stock.Item{
		item("A", ean13, "1"),           // both keys
		item("B", upc, "1"),             // EAN only
		item("C", "96385074", "1"),      // EAN shared
		item("D", "96385074", "1"),      //
		item("E", "0000000000000", "1"), // no usable EAN
		item("F", "4006381333931", "1"), // code of two items
		item("F", "4006381333948", "1"), //
		item("G", "5901234123457", "1"), // no product
		item("A", ean13, "1"),           // A once more
	}
	products := []stock.Product{
		product("1", "A", ean13, "1"), product("2", "A", ean13, "1"), product("3", "x", "0"+upc, "1"), product("4", "C", "96385074", "1"),
		product("5", "E", "0000000000000", "1"), product("6", "F", "4006381333931", "1"),
	}
	require.Equal(t, 3, stock.CountMatches(stock.ByNumber, items, products))
	require.Equal(t, 2, stock.CountMatches(stock.ByEAN, items, products))
}

func TestReplan(t *testing.T) {
	items := []stock.Item{item("A", "", "3"), item("B", "", "3"), item("C", "", "3")}
	shop := []stock.Product{product("a1", "A", "", "5"), product("a2", "A", "", "5"), product("b", "B", "", "5"), product("c", "C", "", "5")}
	base := plan(byNumber(), items, shop...)
	untracked := product("b", "B", "", "4")
	untracked.Tracked = false

	for name, tc := range map[string]struct {
		fresh  []stock.Product
		lines  []string
		writes []string
	}{
		"only fresh products are planned again":            {[]stock.Product{product("a2", "A", "", "4"), product("c", "C", "", "9")}, []string{"A: updated", "C: updated"}, []string{"a2 4>3", "c 9>3"}},
		"a product that is right by now needs no write":    {[]stock.Product{product("a2", "A", "", "3")}, []string{"A: unchanged"}, nil},
		"a product that has lost its key is left out":      {[]stock.Product{product("b", "Z", "", "4")}, nil, nil},
		"a product that keeps no stock now is left out":    {[]stock.Product{untracked}, nil, nil},
		"a product that the plan does not know is ignored": {[]stock.Product{product("x", "A", "", "4")}, nil, nil},
		"nothing fresh, nothing planned":                   {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			again, _ := stock.Replan(byNumber(), base, tc.fresh, nil, day)
			require.Equal(t, tc.lines, verdicts(again))
			require.Equal(t, append([]string{}, tc.writes...), writes(again))
			for _, line := range again.Lines {
				require.True(t, line.Entries[0].Wrote)
			}
			require.Len(t, base.Lines[0].Entries, 2, "the plan itself stays as it was")
		})
	}
}

func TestReplanOfAMissingItemStillGoesToZero(t *testing.T) {
	sweep, memory, shop := missingWorld(t)
	base := stock.NewPlan(stock.Input{Rules: zeroing(), Items: sweep, Products: shop, Memory: memory, Gone: []string{"WROTE"}})
	again, _ := stock.Replan(zeroing(), base, []stock.Product{product("2", "WROTE", "", "2")}, nil, day)
	require.Equal(t, []string{"2 2>0"}, writes(again))
	require.True(t, only(t, again).Missing)
	require.Empty(t, only(t, again).Outcome)
}
