package stock_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

// shown is a row in short: kind, items > products, reason.
func shown(row stock.WorkRow) string {
	return fmt.Sprintf("%s %s>%s %s", row.Kind,
		strings.Join(lo.Map(row.Items, func(i stock.WorkItem, _ int) string { return i.Code + lo.Ternary(i.Gone, "!", "") }), "+"),
		strings.Join(lo.Map(row.Products, func(p stock.WorkProduct, _ int) string { return p.ID + lo.Ternary(p.Gone, "!", "") }), "+"),
		row.ReasonCode)
}

// worklist is each row in short.
func worklist(in stock.WorkInput) []string {
	return lo.Map(stock.NewWorklist(in), func(row stock.WorkRow, _ int) string { return shown(row) })
}

// hints are the hints of a row as "why of whom".
func hints(row stock.WorkRow) []string {
	return lo.Map(row.Hints, func(h stock.Hint, _ int) string {
		why := strings.Join(lo.Map(h.Why, func(w stock.Why, _ int) string { return string(w) }), "+")
		if h.Item != nil {
			return why + " " + h.Item.Code
		}
		return why + " " + h.Product.ID
	})
}

func kept(product string) stock.Entry {
	return stock.Entry{Product: product, Name: "was " + product, From: dec("3"), To: dec("3"), Kros: dec("3")}
}

func TestWhatIsOnTheWorklist(t *testing.T) {
	ean2, ean3 := "8590000000019", "8590000000026"
	untracked := func(p stock.Product) stock.Product { p.Tracked = false; return p }
	variant := func(p stock.Product, parent string) stock.Product { p.ParentID = parent; return p }
	service := stock.Item{Code: "SL 1", Name: "Montáž"}
	missing := stock.Line{Item: "OLD", Name: "Old", Key: "OLD", Missing: true, ReasonCode: stock.ReasonMissingKept, Reason: "gone", Kept: []stock.Entry{kept("p1")}}
	tests := []struct {
		rule string
		in   stock.WorkInput
		want []string
	}{
		{"what is in step is not", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "1")}, Products: []stock.Product{product("p1", "A", "", "1")}}, nil},
		{"an item without a product", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "1")}}, []string{"item A> no_product"}},
		{"an item without rows is no stock item, and its product is not alone",
			stock.WorkInput{Rules: byNumber(), Items: []stock.Item{service}, Products: []stock.Product{product("p1", "SL 1", "", "999")}}, nil},
		{"an item that had rows before", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{{Code: "A", Tracked: true}}}, []string{"item A> no_product"}},
		{"an item without a key", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", "", "1")}}, []string{"item A> no_key"}},
		{"a placeholder", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", "0000000000000", "1")}}, []string{"item A> placeholder_ean"}},
		{"a spreadsheet's EAN", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", "8.58E+12", "1")}}, []string{"item A> spreadsheet_ean"}},
		{"an item whose product keeps no stock", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "1")},
			Products: []stock.Product{untracked(product("p1", "A", "", "1"))}}, []string{"item A>p1 untracked"}},
		{"an item whose product has variants", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "1"), item("A-S", "", "1")},
			Products: []stock.Product{product("p1", "A", "", "1"), variant(product("p2", "A-S", "", "1"), "p1")}}, []string{"item A>p1 parent"}},

		{"a product without an item", stock.WorkInput{Rules: byNumber(), Products: []stock.Product{product("p1", "A", "", "1")}}, []string{"product >p1 no_item"}},
		{"a product without a key", stock.WorkInput{Rules: byNumber(), Products: []stock.Product{product("p1", " ", "", "1")}}, []string{"product >p1 no_key"}},
		{"a product's placeholder", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", "1111111111111", "1")}, Products: []stock.Product{product("p1", "A", "1111111111111", "1")}},
			[]string{"item A> placeholder_ean", "product >p1 placeholder_ean"}},
		{"no product that keeps no stock, and no parent", stock.WorkInput{Rules: byNumber(), Products: []stock.Product{
			untracked(product("p1", "A", "", "1")), product("p2", "B", "", "1"), variant(product("p3", "B-S", "", "1"), "p2"),
		}}, []string{"product >p3 no_item"}},
		{"a product that the shop listed twice is one", stock.WorkInput{Rules: byNumber(), Products: []stock.Product{product("p1", "A", "", "1"), product("p1", "A", "", "1")}},
			[]string{"product >p1 no_item"}},

		{"an EAN of two items names both, and all products", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", ean13, "1"), item("B", "0"+ean13, "1")},
			Products: []stock.Product{product("p1", "A", ean13, "1"), product("p2", "B", ean13, "1")}}, []string{"ambiguous A+B>p1+p2 shared_key"}},
		{"a code of two items", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", ean13, "1"), item("A", ean2, "1")},
			Products: []stock.Product{product("p1", "A", ean13, "1"), product("p2", "B", ean2, "1")}}, []string{"ambiguous A+A>p1+p2 duplicate_code"}},
		{"items that hang together by code and by EAN are one row", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", ean13, "1"), item("A", ean2, "1"), item("B", ean2, "1"), item("C", ean3, "1")},
			Products: []stock.Product{product("p1", "A", ean13, "1"), product("p3", "C", ean3, "1")}}, []string{"ambiguous A+A+B>p1 duplicate_code"}},
		{"an ambiguous item need be no stock item", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", ean13, "1"), item("B", ean13)}}, []string{"ambiguous A+B> shared_key"}},
		{"too many products", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "1")},
			Products: lo.Times(11, func(i int) stock.Product { return product(fmt.Sprint("p", i), "A", "", "1") })}, []string{"ambiguous A>p0+p1+p10+p2+p3+p4+p5+p6+p7+p8+p9 too_many_products"}},

		{"what was in step in the last pass and lost its product", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "3")},
			Last: []stock.Line{{Item: "A", Outcome: stock.Unchanged, Entries: []stock.Entry{kept("p1")}}}}, []string{"lost A>p1! no_product"}},
		{"what was in step in an earlier pass", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "3")}, Products: []stock.Product{product("p1", "B", "", "3")},
			Last: []stock.Line{{Item: "A", Outcome: stock.Unmatched, Kept: []stock.Entry{kept("p1")}}}}, []string{"lost A>p1 no_product"}},
		{"what became ambiguous", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", ean13, "1"), item("B", ean13, "1")}, Products: []stock.Product{product("p1", "A", ean13, "3")},
			Last: []stock.Line{{Item: "A", Key: ean13, Entries: []stock.Entry{kept("p1")}}}}, []string{"lost A+B>p1 shared_key"}},
		{"what lost its key", stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", "", "1")}, Products: []stock.Product{product("p1", "A", ean13, "3")},
			Last: []stock.Line{{Item: "A", Key: ean13, Entries: []stock.Entry{kept("p1")}}}}, []string{"lost A>p1 no_key"}},
		{"what KROS does not show any more", stock.WorkInput{Rules: byNumber(), Products: []stock.Product{product("p1", "OLD", "", "3")}, Last: []stock.Line{missing}}, []string{"lost OLD!>p1 missing_kept"}},
		{"what the newer catalogue does not show", stock.WorkInput{Rules: byNumber(), Products: []stock.Product{product("p1", "OLD", "", "3")},
			Last: []stock.Line{{Item: "OLD", Name: "Old", Key: "OLD", Entries: []stock.Entry{kept("p1")}}}}, []string{"lost OLD!>p1 missing_kept"}},
		{"not what both sides do not have any more", stock.WorkInput{Rules: byNumber(), Last: []stock.Line{missing}}, nil},
		{"not what KROS shows again", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("OLD", "", "1")}, Products: []stock.Product{product("p1", "OLD", "", "3")}, Last: []stock.Line{missing}}, nil},
		{"not what belongs to another item now", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("NEW", "", "1")}, Products: []stock.Product{product("p1", "NEW", "", "3")}, Last: []stock.Line{missing}}, nil},
		{"an item whose product went to another one just has none", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "1"), item("B", "", "1")}, Products: []stock.Product{product("p1", "B", "", "3")},
			Last: []stock.Line{{Item: "A", Entries: []stock.Entry{kept("p1")}}}}, []string{"item A> no_product"}},
		{"what was only held was not in step", stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "3")},
			Last: []stock.Line{{Item: "A", Outcome: stock.Held, Entries: []stock.Entry{{Product: "p1", Want: lo.ToPtr(dec("0"))}}}}}, []string{"item A> no_product"}},

		{"no item that the rules ignore, and not its product", stock.WorkInput{Rules: ignoring("A", "OLD"), Items: []stock.Item{item("A", "", "1"), item("B", "", "1")},
			Products: []stock.Product{product("p1", "A", "", "3")}, Last: []stock.Line{missing}}, []string{"item B> no_product"}},
		{"no pair of the items file, and what it leaves over", stock.WorkInput{Rules: pairing("A", "ROLL"), Items: []stock.Item{item("A", "", "1")},
			Products: []stock.Product{product("p1", "ROLL", "", "3"), product("p2", "A", "", "3")}}, []string{"product >p2 no_item"}},
		{"an item that the items file takes its product from", stock.WorkInput{Rules: pairing("A", "B"), Items: []stock.Item{item("A", "", "1"), item("B", "", "1")},
			Products: []stock.Product{product("p1", "B", "", "3")}}, []string{"item B> paired"}},
		{"a pair whose product keeps no stock", stock.WorkInput{Rules: pairing("A", "ROLL"), Items: []stock.Item{item("A", "", "1")},
			Products: []stock.Product{untracked(product("p1", "ROLL", "", "3"))}}, []string{"item A>p1 untracked"}},
		{"a pair whose product is not there", stock.WorkInput{Rules: pairing("A", "ROLL"), Items: []stock.Item{item("A", "", "1")}}, []string{"item A> no_product"}},
		{"a pair whose item is not there", stock.WorkInput{Rules: pairing("A", "ROLL"), Products: []stock.Product{product("p1", "ROLL", "", "3")}}, []string{"product >p1 no_item"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			require.Empty(t, cmp.Diff(test.want, worklist(test.in), cmpopts.EquateEmpty()))
		})
	}
}

func pairing(code, number string) stock.Rules {
	rules := byNumber()
	rules.Items = map[string]stock.ItemRule{code: {Products: []string{number}}}
	return rules
}

func ignoring(codes ...string) stock.Rules {
	rules := byNumber()
	rules.Items = lo.SliceToMap(codes, func(code string) (string, stock.ItemRule) { return code, stock.ItemRule{Ignore: true} })
	return rules
}

func TestTheWorklistIsSortedByKindThenReasonThenKey(t *testing.T) {
	require.Equal(t, []string{
		"lost F>p9! no_product",
		"item B> no_product", "item E> no_product", "item D> no_key", "item A> placeholder_ean",
		"product >p2 no_item", "product >p1 no_item", "product >p3 no_key",
		"ambiguous C+G> shared_key",
	}, worklist(stock.WorkInput{
		Rules: byEAN(),
		Items: []stock.Item{
			item("G", "8590000000019", "1"), item("F", "8590000000057", "1"), item("E", "8590000000040", "1"), item("D", "-", "1"),
			item("C", "8590000000019", "1"), item("B", "8590000000033", "1"), item("A", "1111111111111", "1"),
		},
		Products: []stock.Product{product("p1", "Z", "8580000000109", "1"), product("p2", "Y", "8580000000208", "1"), product("p3", "X", "", "1")},
		Last:     []stock.Line{{Item: "F", Key: "8590000000057", Entries: []stock.Entry{kept("p9")}}},
	}))
}

func TestWhatALostRowSays(t *testing.T) {
	reason := func(last []stock.Entry, products ...stock.Product) string {
		rows := stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("A", "", "3")}, Products: products, Last: []stock.Line{{Item: "A", Entries: last}}})
		require.Equal(t, stock.WorkLost, rows[0].Kind)
		return rows[0].Reason
	}
	require.Equal(t, "no product of the e-shop has item code A; it was in step with product p1, which the e-shop does not have any more", reason([]stock.Entry{kept("p1")}))
	require.Equal(t, "no product of the e-shop has item code A; it was in step with product p1, which has number B now", reason([]stock.Entry{kept("p1")}, product("p1", "B", "", "1")))
	require.Equal(t, "no product of the e-shop has item code A; it was in step with product p1, which has no number now", reason([]stock.Entry{kept("p1")}, product("p1", "", "", "1")))
	require.Equal(t, "no product of the e-shop has item code A; it was in step with products p1, p2", reason([]stock.Entry{kept("p1"), kept("p2"), kept("p1")}))
}

func TestALostRowSaysNothingOfAKeyThatIsTheSame(t *testing.T) {
	rows := stock.NewWorklist(stock.WorkInput{Rules: byEAN(), Items: []stock.Item{item("A", ean13, "1"), item("B", ean13, "1")}, Products: []stock.Product{product("p1", "A", "0"+ean13, "3")},
		Last: []stock.Line{{Item: "A", Key: ean13, Entries: []stock.Entry{kept("p1")}}}})
	require.Equal(t, "EAN "+ean13+" belongs in KROS to B as well; it was in step with product p1", rows[0].Reason)
	rows = stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Products: []stock.Product{product("p1", "OLD", "", "3")},
		Last: []stock.Line{{Item: "OLD", Key: "OLD", Missing: true, ReasonCode: stock.ReasonMissingKept, Kept: []stock.Entry{kept("p1")}}}})
	require.Equal(t, "KROS does not show this item any more; its product keeps its quantity; it was in step with product p1", rows[0].Reason)
}

func TestARowTellsWhatPeopleLookFor(t *testing.T) {
	rows := stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item(" A ", ean13, "3.7", "5")}, Products: []stock.Product{product("p1", " B ", ean13, "7")}})
	want := []stock.WorkRow{
		{
			Kind: stock.WorkNoProduct, Items: []stock.WorkItem{{Code: "A", Name: "Item  A ", EAN: ean13, Quantity: dec("5")}}, Products: []stock.WorkProduct{},
			ReasonCode: stock.ReasonNoProduct, Reason: "no product of the e-shop has item code A",
			Hints: []stock.Hint{{Why: []stock.Why{stock.WhyOtherKey}, Product: &stock.WorkProduct{ID: "p1", Number: "B", EAN: ean13, Name: "Product p1", Quantity: dec("7")}}},
		},
		{
			Kind: stock.WorkNoItem, Items: []stock.WorkItem{}, Products: []stock.WorkProduct{{ID: "p1", Number: "B", EAN: ean13, Name: "Product p1", Quantity: dec("7")}},
			ReasonCode: stock.ReasonNoItem, Reason: "no item of KROS has item code B",
			Hints: []stock.Hint{{Why: []stock.Why{stock.WhyOtherKey}, Item: &stock.WorkItem{Code: "A", Name: "Item  A ", EAN: ean13, Quantity: dec("5")}}},
		},
	}
	require.Empty(t, cmp.Diff(want, rows))
	require.Equal(t, stock.WorkCounts{Item: 1, Product: 1}, stock.CountWork(rows))
}

// A placeholder that nobody knows as one may stand in a whole catalogue.
func TestAKeyOfVeryManyItemsTakesSeveralRows(t *testing.T) {
	in := stock.WorkInput{Rules: byEAN()}
	for i := range 250 {
		in.Items = append(in.Items, item(fmt.Sprintf("A%03d", i), "MISSING", "1"))
	}
	for i := range 120 {
		in.Products = append(in.Products, product(fmt.Sprintf("p%03d", i), fmt.Sprintf("N%03d", i), "MISSING", "1"))
	}
	rows := stock.NewWorklist(in)
	require.Equal(t, []int{100, 100, 50}, lo.Map(rows, func(r stock.WorkRow, _ int) int { return len(r.Items) }))
	require.Equal(t, []int{100, 20, 0}, lo.Map(rows, func(r stock.WorkRow, _ int) int { return len(r.Products) }))
	require.Equal(t, "A100", rows[1].Items[0].Code)
	for _, row := range rows {
		require.Equal(t, stock.WorkAmbiguous, row.Kind)
		require.Equal(t, stock.ReasonSharedKey, row.ReasonCode)
	}
}

// workInputs are shops after passes that saw another catalogue and other
// products.
func workInputs() *rapid.Generator[stock.WorkInput] {
	return rapid.Custom(func(t *rapid.T) stock.WorkInput {
		in := histories().Draw(t, "pass")
		work := stock.WorkInput{Rules: in.Rules, Items: in.Items, Products: in.Products}
		work.Rules.Items = map[string]stock.ItemRule{}
		for _, code := range rapid.SliceOfN(rapid.SampledFrom(someCodes), 0, 2).Draw(t, "ignored") {
			work.Rules.Items[stock.CleanKey(code)] = stock.ItemRule{Ignore: true}
		}
		if in.Memory != nil {
			work.Last = in.last
			for i, line := range work.Last {
				if rapid.IntRange(0, 4).Draw(t, "fate") == 0 {
					work.Last[i].Kept, work.Last[i].Entries, work.Last[i].Missing = line.Entries, nil, rapid.Bool().Draw(t, "missing")
				}
			}
		}
		return work
	})
}

func TestEachItemThatIsNotWrittenIsOnTheWorklistOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := workInputs().Draw(t, "input")
		in.Rules.Items = nil
		want := map[string]int{}
		for _, line := range stock.NewPlan(stock.Input{Rules: in.Rules, Items: in.Items, Products: in.Products}).Lines {
			switch {
			case line.Outcome == stock.Unmatched, line.Outcome == stock.Ambiguous, line.Outcome == stock.Skipped && line.ReasonCode != stock.ReasonNotStock:
				want[line.Item]++
			}
		}
		listed := map[string]int{}
		for _, row := range stock.NewWorklist(in) {
			for _, it := range row.Items {
				if !it.Gone {
					listed[it.Code]++
				}
			}
		}
		require.Equal(t, want, listed)
	})
}

func TestEachProductIsWrittenOrOnTheWorklistOrKeepsNoStockOrBelongsToNoStockItem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := workInputs().Draw(t, "input")
		in.Rules.Items = nil
		plan := stock.NewPlan(stock.Input{Rules: in.Rules, Items: in.Items, Products: in.Products})
		settled := map[string]bool{}
		for _, line := range plan.Lines {
			for _, e := range line.Entries {
				settled[e.Product] = true
			}
		}
		rows := stock.NewWorklist(in)
		named := map[string]bool{}
		alone := map[string]int{}
		for _, row := range rows {
			for _, p := range row.Products {
				named[p.ID] = true
				if row.Kind == stock.WorkNoItem {
					alone[p.ID]++
				}
				require.False(t, settled[p.ID], "%s is written", p.ID)
			}
		}
		parents := lo.SliceToMap(in.Products, func(p stock.Product) (string, bool) { return p.ParentID, true })
		for _, p := range in.Products {
			require.LessOrEqual(t, alone[p.ID], 1, p.ID)
			noStock := lo.SomeBy(plan.Lines, func(l stock.Line) bool { return l.ReasonCode == stock.ReasonNotStock })
			if !settled[p.ID] && p.Tracked && !parents[p.ID] && !noStock {
				require.True(t, named[p.ID], "%s is nowhere", p.ID)
			}
		}
	})
}

func TestWhatIsIgnoredIsNamedBesideOthersOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := workInputs().Draw(t, "input")
		for _, row := range stock.NewWorklist(in) {
			ignored := lo.EveryBy(row.Items, func(i stock.WorkItem) bool { return in.Rules.Items[i.Code].Ignore })
			require.False(t, ignored && len(row.Items) > 0, shown(row))
		}
	})
}

func TestTheWorklistDoesNotDependOnTheOrderOfItsInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := workInputs().Draw(t, "input")
		other := in
		other.Items = rapid.Permutation(in.Items).Draw(t, "items")
		other.Products = rapid.Permutation(in.Products).Draw(t, "products")
		require.Empty(t, cmp.Diff(stock.NewWorklist(in), stock.NewWorklist(other)))
	})
}

func TestWhereNothingMatchesEachSideHasItsHint(t *testing.T) {
	const size = 3_000
	list := stock.NewWorklist(strangers(size))
	require.Equal(t, stock.WorkCounts{Item: size, Product: size}, stock.CountWork(list))
	for _, row := range list {
		require.Len(t, row.Hints, 1, shown(row))
		require.Equal(t, stock.WhySpelling, row.Hints[0].Why[0])
	}
}
