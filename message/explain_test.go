package message_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

var midday = time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC) // 14:00 in the shop

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// made is an explanation of an item as the rules make it of rows (warehouse,
// quantity): one product p-1 has now and gets to.
func made(rules stock.Rules, unit, now string, pairs ...string) protocol.Explanation {
	item := stock.Item{Code: "A-1", Unit: unit}
	e := protocol.Explanation{Shop: "acme", Asked: "A-1", Cause: protocol.CauseKros, Item: "A-1", Unit: unit}
	for _, p := range lo.Chunk(pairs, 2) {
		item.Rows = append(item.Rows, stock.Row{Warehouse: p[0], Quantity: dec(p[1])})
		e.Warehouses = append(e.Warehouses, protocol.ExplainedWarehouse{Code: p[0], Quantity: dec(p[1]), Counted: rules.Counts(p[0])})
	}
	e.Steps = rules.Steps(item)
	e.Kros = lo.ToPtr(e.Steps[len(e.Steps)-1].Result)
	e.Rules = protocol.ExplainedRules{Match: rules.Match, Quantity: rules.Quantity, Missing: rules.Missing}
	e.Rules.Decimals, e.Rules.UnitDecimals = rules.DecimalsOf(unit)
	e.Products = []protocol.ExplainedProduct{{ID: "p-1", ShopNow: lo.ToPtr(dec(now)), WouldBecome: e.Kros}}
	return e
}

func with(e protocol.Explanation, change func(*protocol.Explanation)) protocol.Explanation {
	change(&e)
	return e
}

func because(cause protocol.Cause, code string, change func(*protocol.Explanation)) protocol.Explanation {
	e := made(plainRules(), "", "6", "LT", "10")
	e.Cause, e.ReasonCode = cause, code
	change(&e)
	e.Cure = message.CureOf(code, e.Rules.Match, e.Shop)
	return e
}

func plainRules() stock.Rules {
	return stock.Rules{Match: stock.ByEAN, Quantity: stock.Max, Missing: stock.MissingKeep, SoldHold: 24 * time.Hour}
}

func rulesWith(change func(*stock.Rules)) stock.Rules {
	r := plainRules()
	change(&r)
	return r
}

func sale(pieces string, ago time.Duration) protocol.ExplainedSale {
	return protocol.ExplainedSale{Quantity: dec(pieces), Seen: midday.Add(-ago), HeldUntil: midday.Add(24*time.Hour - ago)}
}

// explanations are one for each outcome and rule, in the order of the golden file.
func explanations() []lo.Tuple2[string, protocol.Explanation] {
	d := func(s string) *decimal.Decimal { return lo.ToPtr(dec(s)) }
	keeps := func(e *protocol.Explanation) { e.Products[0].WouldBecome = e.Products[0].ShopNow }
	idle := func(reason string) func(*protocol.Explanation) {
		return func(e *protocol.Explanation) { e.Reason, e.Products, e.Kros = reason, nil, nil }
	}
	list := []lo.Tuple2[string, protocol.Explanation]{}
	add := func(name string, e protocol.Explanation) { list = append(list, lo.T2(name, e)) }

	add("in step", made(plainRules(), "ks", "7", "LT", "7"))
	add("would change", made(plainRules(), "ks", "3", "LT", "7"))
	add("of a pass that is over", with(made(plainRules(), "", "3", "LT", "7"), func(e *protocol.Explanation) { e.Pass = 12 }))
	add("decimals round down", made(plainRules(), "kg", "0", "LT", "0.75"))
	add("decimals of the unit round down", made(rulesWith(func(r *stock.Rules) { r.UnitDecimals = map[string]int32{"kg": 1} }), "kg", "0.7", "LT", "0.75"))
	add("max of several", made(plainRules(), "", "7", "LT", "3", "PR", "7"))
	add("sum of several", made(rulesWith(func(r *stock.Rules) { r.Quantity = stock.Sum }), "", "10", "LT", "3", "PR", "7"))
	add("warehouse not selected", made(rulesWith(func(r *stock.Rules) { r.Warehouses = []string{"LT"} }), "", "0", "PR", "5"))
	add("one of two selected", made(rulesWith(func(r *stock.Rules) { r.Warehouses = []string{"LT"} }), "", "3", "LT", "3", "PR", "7"))
	add("many warehouses", made(plainRules(), "", "6", "A", "1", "B", "2", "C", "3", "D", "4", "E", "5", "F", "6"))
	add("no warehouse any more", made(plainRules(), "", "0"))
	add("negative stock", made(plainRules(), "ks", "0", "LT", "-3"))
	add("buffer", made(rulesWith(func(r *stock.Rules) { r.Buffer = dec("2") }), "", "5", "LT", "7"))
	add("buffer eats all", made(rulesWith(func(r *stock.Rules) { r.Buffer = dec("9") }), "", "0", "LT", "7"))
	add("buffer of the item", made(rulesWith(func(r *stock.Rules) {
		r.Items = map[string]stock.ItemRule{"A-1": {Buffer: d("1")}}
	}), "", "6", "LT", "7"))
	add("pack", made(rulesWith(func(r *stock.Rules) { r.Items = map[string]stock.ItemRule{"A-1": {Pack: dec("100")}} }), "m", "2", "LT", "250"))
	add("catalogue not kept", with(made(plainRules(), "", "7", "LT", "7"), func(e *protocol.Explanation) { e.Steps, e.Warehouses = nil, nil }))
	add("several products", with(made(plainRules(), "", "3", "LT", "7"), func(e *protocol.Explanation) {
		for i := 2; i < 7; i++ {
			e.Products = append(e.Products, protocol.ExplainedProduct{ID: fmt.Sprintf("p-%d", i), ShopNow: d(fmt.Sprint(i)), WouldBecome: d("7")})
		}
	}))

	sold := func(sales ...protocol.ExplainedSale) func(*protocol.Explanation) {
		return func(e *protocol.Explanation) {
			e.Sales = sales
			keeps(e)
		}
	}
	add("sold", because(protocol.CauseSold, "", sold(sale("4", 110*time.Minute))))
	add("one sold", because(protocol.CauseSold, "", sold(sale("1", 0))))
	add("sold at several times", because(protocol.CauseSold, "", sold(sale("3", 20*time.Hour), sale("1", time.Hour))))
	add("sold, and the shop does not show it yet", because(protocol.CauseSold, "", func(e *protocol.Explanation) {
		sold(sale("4", time.Hour))(e)
		e.Products[0].WouldBecome = d("5")
	}))
	for _, held := range []lo.Tuple2[string, string]{
		{A: stock.ReasonHeldZeroed, B: "KROS gives 0, but too many products would go to 0 within a day; it waits for approval"},
		{A: stock.ReasonHeldChanged, B: "KROS gives 10, but too many products would change by more than half at once; it waits for approval"},
		{A: stock.ReasonHeldCatalogue, B: "KROS gives 10, but its catalogue is another one than before; it waits for approval"},
	} {
		add("held: "+held.A, because(protocol.CauseHeld, held.A, func(e *protocol.Explanation) {
			keeps(e)
			e.Reason, e.Products[0].Held, e.Products[0].Want = held.B, true, d("0")
		}))
	}
	add("dismissed", because(protocol.CauseDismissed, stock.ReasonDismissed, func(e *protocol.Explanation) {
		keeps(e)
		e.Reason, e.Products[0].Dismissed = "the 0 of KROS was dismissed; the product keeps its quantity until KROS shows another one", true
	}))
	add("rejected by the shop", because(protocol.CauseRefused, stock.ReasonRejected, func(e *protocol.Explanation) { e.Reason = "the e-shop refused the quantity" }))
	add("conflict", because(protocol.CauseRefused, stock.ReasonConflict, func(e *protocol.Explanation) {
		e.Reason = "the quantity in the e-shop was changing at the same time; the next pass tries again"
	}))
	add("the pass ended before", because(protocol.CauseRefused, stock.ReasonNotWritten, func(e *protocol.Explanation) {
		e.Reason = "the pass ended before this product was written; the next pass tries again"
	}))
	add("missing, kept", because(protocol.CauseMissing, stock.ReasonMissingKept, func(e *protocol.Explanation) {
		e.Reason = "KROS does not show this item any more; its product keeps its quantity"
		e.Products = []protocol.ExplainedProduct{{ID: "p-1", Left: d("6")}}
	}))
	add("missing, kept although zero", because(protocol.CauseMissing, stock.ReasonMissingKept, func(e *protocol.Explanation) {
		e.Reason, e.Rules.Missing = "KROS does not show this item any more; its product keeps its quantity", stock.MissingZero
		e.Products = []protocol.ExplainedProduct{{ID: "p-1", Left: d("6")}}
	}))
	add("missing, never in step", because(protocol.CauseMissing, stock.ReasonMissingKept, idle("KROS does not show this item any more; its product keeps its quantity")))
	add("missing, zeroed", because(protocol.CauseMissing, stock.ReasonMissingZeroed, func(e *protocol.Explanation) {
		e.Reason, e.Rules.Missing, e.Products[0].WouldBecome = "KROS does not have this item any more; its product goes to 0", stock.MissingZero, d("0")
	}))
	for _, line := range []stock.Line{
		{ReasonCode: stock.ReasonDuplicateCode, Reason: "KROS has several items with this code, also Čaj"},
		{ReasonCode: stock.ReasonSharedKey, Reason: "EAN 8590001000012 belongs in KROS to B-1 as well"},
		{ReasonCode: stock.ReasonTooManyProducts, Reason: "more than 10 products of the e-shop have EAN 8590001000012"},
		{ReasonCode: stock.ReasonNotStock, Reason: "KROS shows this item in no warehouse, it is not a stock item"},
		{ReasonCode: stock.ReasonNoKey, Reason: "the item has no EAN in KROS"},
		{ReasonCode: stock.ReasonPlaceholderEAN, Reason: "EAN 0000000000000 is a placeholder; enter the real one in KROS"},
		{ReasonCode: stock.ReasonSpreadsheetEAN, Reason: "EAN 8,58E+12 lost its digits in a spreadsheet; enter all of them in KROS"},
		{ReasonCode: stock.ReasonUntracked, Reason: "the e-shop keeps no stock for its product p-1"},
		{ReasonCode: stock.ReasonParent, Reason: "product p-1 has variants, and they keep the stock"},
		{ReasonCode: stock.ReasonNoProduct, Reason: "no product of the e-shop has EAN 8590001000012"},
		{ReasonCode: stock.ReasonPaired, Reason: "the e-shop's product with EAN 8590001000012 is given to B-1 in the items file"},
		{ReasonCode: stock.ReasonIgnored, Reason: "the items file says to ignore it"},
	} {
		add("not written: "+line.ReasonCode, because(protocol.CauseNotWritten, line.ReasonCode, idle(line.Reason)))
	}
	add("no item", with(made(plainRules(), "", "1", "LT", "1"), func(e *protocol.Explanation) {
		e.Cause, e.ReasonCode, e.Asked = protocol.CauseNoItem, stock.ReasonNoItem, "8590001000999"
	}))
	add("unknown", protocol.Explanation{Cause: protocol.CauseUnknown, Asked: "a-1"})
	add("unknown, with others like it", protocol.Explanation{Cause: protocol.CauseUnknown, Asked: "a-1", Near: []string{"A-1", "A-10"}})
	return list
}

func allExplained(zone *time.Location) string {
	var out strings.Builder
	entries := explanations()
	for _, entry := range entries {
		fmt.Fprintf(&out, "%s\n  %s\n  > %s\n\n", entry.A, message.Answer(entry.B, midday, zone), message.NextPass(entry.B))
	}
	for _, by := range []stock.Match{stock.ByNumber, stock.ByEAN} {
		for _, code := range reasons() {
			fmt.Fprintf(&out, "cure of %s by %s\n  %s\n", code, by, message.CureOf(code, by, "acme"))
		}
	}
	down := message.Failure(protocol.KrosUnavailable, message.Params{})
	for _, text := range []string{
		message.NoPass("acme", protocol.StateInactive), message.NoPass("acme", protocol.StatePaused), message.NoPass("acme", protocol.StateSuspended),
		message.WouldFail(*down), message.ToldFromArchive(12, midday.Add(-25*time.Hour), midday, zone, nil), message.ToldFromArchive(12, midday, midday, zone, down),
		message.CatalogueNotKept, message.ItemsChanged, message.ShopNotAsked,
		message.NotKept("acme", 3, 120, 167).Message, message.NotKept("acme", 3, 120, 167).Hint, message.NotKept("acme", 3, 0, 0).Message,
	} {
		out.WriteString("\n" + text)
	}
	return out.String() + "\n"
}

// reasons are the reason codes that package stock has, read from its source.
func reasons() []string {
	file, err := parser.ParseFile(token.NewFileSet(), "../stock/reason.go", nil, 0)
	if err != nil {
		panic(err)
	}
	var codes []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			panic(err)
		}
		codes = append(codes, code)
		return true
	})
	return codes
}

func TestExplanationsAreAsTheyWereRead(t *testing.T) {
	const file = "testdata/explanations.txt"
	got := allExplained(bratislava(t))
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "read the new sentences, then run with -update")
}

func TestEveryReasonHasACure(t *testing.T) {
	require.Greater(t, len(reasons()), 15)
	explained := lo.Map(explanations(), func(e lo.Tuple2[string, protocol.Explanation], _ int) string { return e.B.ReasonCode })
	for _, code := range reasons() {
		for _, by := range []stock.Match{stock.ByNumber, stock.ByEAN} {
			require.Regexp(t, `^[A-Z].*\.$`, message.CureOf(code, by, "acme"), code)
		}
		require.Contains(t, explained, code, "it is in the golden file")
	}
	require.Empty(t, message.CureOf("tomorrow", stock.ByEAN, "acme"))
}

func TestTheSentencesOfTheContract(t *testing.T) {
	answers := lo.SliceToMap(explanations(), func(e lo.Tuple2[string, protocol.Explanation]) (string, string) {
		return e.A, message.Answer(e.B, midday, bratislava(t))
	})
	require.Equal(t, "0, because KROS has 0.75 kg in LT and decimals = 0 rounds down", answers["decimals round down"])
	require.Equal(t, "KROS has 10; 4 were sold in the e-shop since 12:10 and are not booked in KROS yet; the shop shows 6 until tomorrow 12:10", answers["sold"])
	require.True(t, strings.HasPrefix(answers["not written: shared_key"], "not written: EAN 8590001000012 belongs in KROS to B-1 as well; give one of them another EAN"))
	for name, answer := range answers {
		require.NotContains(t, answer, "%!", name)
		require.NotContains(t, answer, "nothing known", name)
		require.NotContains(t, answer, "  ", name)
		require.NotRegexp(t, `[.;,]$`, answer, name)
	}
}
