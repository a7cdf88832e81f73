package stock_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

func TestAWordMeansTheCodeThenTheEANThenAProduct(t *testing.T) {
	items := []stock.Item{
		item("A", ean13, "5"),
		item("p-b", "", "5"),   // a code like the id of a product
		item("00042", "", "5"), // no EAN
		item("C", ean13, "5"),
		item("U", "", "5"),
	}
	untracked := product("p-u", "U", "", "1")
	untracked.Tracked = false
	p := plan(byNumber(), items, product("p-a", "A", "", "1"), product("p-b", "A", "", "2"), untracked)
	p.Lines = append(p.Lines,
		stock.Line{Item: "GONE", Missing: true, Key: "GONE", Kept: []stock.Entry{{Product: "p-old"}}},
		stock.Line{Item: "A", Name: "once", Missing: true},
		stock.Line{Item: "PAIR", Name: "pair", Paired: []string{"NR-1"}},
	)
	for asked, want := range map[string]struct {
		item, product string
		also          []string
	}{
		"A":         {"A", "", []string{"A"}}, // one that KROS shows, rather than one that it showed once
		" A\u00a0":  {"A", "", []string{"A"}},
		"0" + ean13: {"A", "", []string{"C"}},
		"p-b":       {"p-b", "", nil},
		"p-a":       {"A", "p-a", nil},
		"p-u":       {"U", "p-u", nil},
		"p-old":     {"GONE", "p-old", nil},
		"NR-1":      {"PAIR", "", nil},
		"42":        {"", "", nil}, // leading zeros count in codes
		"a":         {"", "", nil},
		"":          {"", "", nil},
		"  ":        {"", "", nil},
	} {
		subject, found := p.Find(items, asked)
		require.Equal(t, want.item != "", found, asked)
		require.Equal(t, want.item, subject.Line.Item, asked)
		require.Equal(t, want.product, subject.Product, asked)
		require.Equal(t, want.also, subject.Also, asked)
		require.False(t, asked == "A" && subject.Line.Missing)
	}
}

func TestEveryItemAndEveryProductOfAPlanIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		p := stock.NewPlan(in)
		for _, line := range p.Lines {
			if line.Item != "" {
				subject, found := p.Find(in.Items, line.Item)
				require.True(t, found)
				require.Equal(t, line.Item, subject.Line.Item)
			}
			for _, e := range line.Entries {
				subject, found := p.Find(in.Items, e.Product)
				require.True(t, found)
				require.Equal(t, e.Product, subject.Lead().Product)
			}
		}
	})
}

func TestNearAreCodesThatLookAlike(t *testing.T) {
	p := stock.Plan{Lines: []stock.Line{{Item: "A-10"}, {Item: "a-1"}, {Item: "B"}, {Item: "XA-1"}, {Item: "Č-1"}, {Item: ""}, {Item: "A-11"}, {Item: "A-12"}, {Item: "A-13"}}}
	require.Equal(t, []string{"a-1", "A-10", "XA-1", "A-11", "A-12"}, p.Near("A-1"))
	require.Equal(t, []string{"Č-1"}, p.Near("č-1"))
	require.Equal(t, []string{"XA-1", "a-1"}, p.Near("xa-1"), "those that the word contains, too")
	require.Empty(t, p.Near("1"), "one character is in everything")
	require.Empty(t, p.Near(" "))
}

func TestTheLeadIsWhatAPersonWantsToHearOf(t *testing.T) {
	zero := dec("0")
	entry := func(id, from, to string) stock.Entry { return stock.Entry{Product: id, From: dec(from), To: dec(to)} }
	held, dismissed := entry("held", "1", "1"), entry("dismissed", "1", "1")
	held.Want, dismissed.Want, dismissed.Dismissed = &zero, &zero, true
	all := []stock.Entry{entry("same", "1", "1"), entry("changed", "1", "2"), dismissed, held}
	lead := func(product string, n int) string {
		return stock.Subject{Product: product, Line: stock.Line{Entries: all[:n]}}.Lead().Product
	}
	require.Equal(t, "same", lead("", 1))
	require.Equal(t, "changed", lead("", 2))
	require.Equal(t, "dismissed", lead("", 3))
	require.Equal(t, "held", lead("", 4))
	require.Equal(t, "same", lead("same", 4))
	require.Nil(t, stock.Subject{}.Lead())
}

func TestWhyTheShopDidNotTakeAQuantity(t *testing.T) {
	e := stock.Entry{Product: "p", From: dec("5"), To: dec("3")}
	code, reason := e.Refused([]stock.Receipt{receipt("other", "5", "3", stock.AnswerRejected, ""), refused("p", "too many")})
	require.Equal(t, []string{stock.ReasonRejected, "too many"}, []string{code, reason})
	code, reason = e.Refused([]stock.Receipt{receipt("p", "5", "3", stock.AnswerConflict, "4")})
	require.Equal(t, stock.ReasonConflict, code)
	require.NotEmpty(t, reason)
	code, _ = e.Refused([]stock.Receipt{receipt("p", "5", "3", stock.AnswerUpdated, "3")})
	require.Empty(t, code)
	code, _ = e.Refused(nil)
	require.Equal(t, stock.ReasonNotWritten, code)

	code, _ = e.RefusedBefore(refused("p", "too many"))
	require.Equal(t, stock.ReasonRejected, code)
	other := refused("p", "too many")
	other.Asked = dec("2")
	code, _ = e.RefusedBefore(other)
	require.Empty(t, code, "that was another question")
	code, _ = stock.Entry{Product: "p", From: dec("3"), To: dec("3")}.RefusedBefore(refused("p", "too many"))
	require.Empty(t, code, "the shop has it now")
}

func TestDecimalsOfAUnitAndWarehousesThatCount(t *testing.T) {
	r := byNumber()
	r.Decimals, r.UnitDecimals, r.Warehouses = 1, map[string]int32{"kg": 3}, []string{" LT"}
	places, own := r.DecimalsOf(" KG ")
	require.Equal(t, int32(3), places)
	require.True(t, own)
	places, own = r.DecimalsOf("ks")
	require.Equal(t, int32(1), places)
	require.False(t, own)
	require.True(t, r.Counts("LT "))
	require.False(t, r.Counts("PR"))
	r.Warehouses = nil
	require.True(t, r.Counts("PR"))
}
