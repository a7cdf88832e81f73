package render

import (
	"fmt"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

func worklistMade() protocol.WorklistMade {
	return protocol.WorklistMade{Match: stock.ByNumber, Items: 1240, Products: 1300, KrosReadAt: begun}
}

// worklistRows have one of everything, and names of somebody who means harm.
func worklistRows() []stock.WorkRow {
	item := func(code, name string) stock.WorkItem {
		return stock.WorkItem{Code: code, Name: name, EAN: "8580001000012", Quantity: decimal.RequireFromString("17.5")}
	}
	product := func(id, number, name string) stock.WorkProduct {
		return stock.WorkProduct{ID: id, Number: number, Name: name, Quantity: decimal.NewFromInt(3)}
	}
	gone := stock.WorkProduct{ID: "p-000240", Name: "Slnečnicové semienka Slnečný dvor, 250 g", Gone: true}
	missing := stock.WorkItem{Code: "Z.00126", Name: "Himalájska soľ, 1 kg", Gone: true}
	near := product("p-7", "zv 00083", "Rukavice záhradné, malá")
	far := item("ZV 00084", "Rukavice záhradné, veľká")
	rows := []stock.WorkRow{
		{Kind: stock.WorkLost, ReasonCode: stock.ReasonMissingKept, Items: []stock.WorkItem{missing}, Products: []stock.WorkProduct{product("p-1", "Z.00126", "Himalájska soľ, 1 kg")}},
		{Kind: stock.WorkLost, ReasonCode: stock.ReasonNoProduct, Items: []stock.WorkItem{item("KV-00248/1", "Slnečnicové semienka Slnečný dvor, 250 g")}, Products: []stock.WorkProduct{gone}},
		{Kind: stock.WorkNoProduct, ReasonCode: stock.ReasonNoProduct, Items: []stock.WorkItem{item("ZV 00083", "Rukavice záhradné, malá")}, Hints: []stock.Hint{
			{Why: []stock.Why{stock.WhySpelling, stock.WhyName}, Product: &near}, {Why: []stock.Why{stock.WhyDigit}, Product: lo.ToPtr(product("p-8", "ZV 00088", "Hrable vejárové"))},
		}},
		{Kind: stock.WorkNoProduct, ReasonCode: stock.ReasonNoProduct, Items: []stock.WorkItem{item("KÁBEL-2.5-CYKY-J-3X2.5-MO", "Kábel\x1b[2J\x1b[31m zlý\u202e, \tdlhý názov, ktorý sa nezmestí")}},
		{Kind: stock.WorkNoProduct, ReasonCode: stock.ReasonNoKey, Items: []stock.WorkItem{item("", "Bez kódu")}},
		{Kind: stock.WorkNoItem, ReasonCode: stock.ReasonNoItem, Products: []stock.WorkProduct{product("p-9", "ZV 00085", "Rukavice")}, Hints: []stock.Hint{{Why: []stock.Why{stock.WhyDigit}, Item: &far}}},
		{Kind: stock.WorkNoItem, ReasonCode: stock.ReasonNoItem, Products: []stock.WorkProduct{product("6f1c2c1e-9d0b-4a53-8d0c-0c8ddad3a5f1", "", "Darčeková poukážka")}},
		{Kind: stock.WorkAmbiguous, ReasonCode: stock.ReasonSharedKey, Items: []stock.WorkItem{item("000026", "Slivkový lekvár bez cukru BIO Orava, 500 g"), item("KV-00025/1", "Slivkový lekvár")},
			Products: []stock.WorkProduct{product("p-2", "000026", "Slivkový lekvár bez cukru")}},
		{Kind: stock.WorkAmbiguous, ReasonCode: stock.ReasonSharedKey, Items: lo.Times(13, func(i int) stock.WorkItem { return item(fmt.Sprint("A", i), "Lekvár") })},
	}
	for i := range rows {
		rows[i].Cure = message.Cure(rows[i], stock.ByNumber)
		for j := range rows[i].Hints {
			rows[i].Hints[j].Text = message.HintText(rows[i].Hints[j], stock.ByNumber)
		}
	}
	return rows
}

func TestNamesDoNotSteerTheTerminal(t *testing.T) {
	require.Equal(t, "Kábel[2J[31m zlý,  dlhý názov", Plain("Kábel\x1b[2J\x1b[31m zlý\u202e, \tdlhý\nnázov\u0007"))
	for name, got := range map[string]string{
		"worklist":  Worklist("acme", worklistMade(), worklistRows(), 0, zone),
		"paragraph": paragraph("", "a\x1b]0;owned\x07b"),
		"report":    samples(stock.Samples{"unmatched": {{Item: "\x1b[31m", Name: "\u009b2J", Reason: "r\r\x08"}}}),
	} {
		for _, r := range got {
			require.True(t, r == '\n' || r == ' ' || Plain(string(r)) != "", "%s holds %q", name, r)
		}
	}
}
