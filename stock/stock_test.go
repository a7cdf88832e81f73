package stock_test

import (
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// day is when the tests take place.
var day = time.Date(2026, time.March, 2, 12, 10, 0, 0, time.UTC)

// byNumber are rules without ledger and guard, which have tests of their own.
func byNumber() stock.Rules {
	return stock.Rules{Match: stock.ByNumber, Quantity: stock.Max, Missing: stock.MissingKeep, Guard: unguarded}
}

var unguarded = stock.Guard{MaxZeroed: 1, MaxChanged: 1, MinItems: 5, MinCatalogue: 0.5}

func byEAN() stock.Rules {
	rules := byNumber()
	rules.Match = stock.ByEAN
	return rules
}

// item has one row in warehouse LT for each quantity.
func item(code, ean string, quantities ...string) stock.Item {
	i := stock.Item{Code: code, Name: "Item " + code, EAN: ean}
	for _, quantity := range quantities {
		i.Rows = append(i.Rows, stock.Row{Warehouse: "LT", Quantity: dec(quantity)})
	}
	return i
}

func rows(pairs ...string) []stock.Row {
	var list []stock.Row
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, stock.Row{Warehouse: pairs[i], Quantity: dec(pairs[i+1])})
	}
	return list
}

func product(id, number, ean, quantity string) stock.Product {
	return stock.Product{ID: id, Number: number, EAN: ean, Name: "Product " + id, Quantity: dec(quantity), Tracked: true}
}

func plan(rules stock.Rules, items []stock.Item, products ...stock.Product) stock.Plan {
	return stock.NewPlan(stock.Input{Rules: rules, Items: items, Products: products})
}

// only is the one line of a plan.
func only(t require.TestingT, p stock.Plan) stock.Line {
	require.Len(t, p.Lines, 1)
	return p.Lines[0]
}

// verdict is what a line says, in short.
func verdict(l stock.Line) string {
	if l.ReasonCode == "" {
		return string(l.Outcome)
	}
	return string(l.Outcome) + " " + l.ReasonCode
}

func verdicts(p stock.Plan) []string {
	var list []string
	for _, line := range p.Lines {
		list = append(list, line.Item+": "+verdict(line))
	}
	return list
}

// writes are the changes of a plan, as "product from>to".
func writes(p stock.Plan) []string {
	list := []string{}
	for _, w := range p.Writes() {
		list = append(list, w.Product+" "+w.From.String()+">"+w.To.String())
	}
	return list
}

// remember is what the archive holds after a pass that was accepted.
func remember(items []stock.Item, p stock.Plan, receipts ...stock.Receipt) *stock.Memory {
	return &stock.Memory{Items: stock.Track(items, nil), Ledger: ledger(p.Lines, receipts...), Products: p.Matched()}
}

func ledger(lines []stock.Line, receipts ...stock.Receipt) stock.Ledger {
	return stock.NewLedger(len(lines), slices.Values(lines), receipts)
}

// applied is the shop after every write of the plan succeeded.
func applied(p stock.Plan, products []stock.Product) []stock.Product {
	to := map[string]decimal.Decimal{}
	for _, w := range p.Writes() {
		to[w.Product] = w.To
	}
	after := make([]stock.Product, len(products))
	for i, product := range products {
		if quantity, ok := to[product.ID]; ok {
			product.Quantity = quantity
		}
		after[i] = product
	}
	return after
}

func outcomes(c stock.Counts) int {
	return c.Updated + c.Unchanged + c.Unmatched + c.Ambiguous + c.Skipped + c.Rejected + c.Held
}

func TestKeysOtherIsTheOneNotChosen(t *testing.T) {
	require.Equal(t, stock.ByEAN, stock.ByNumber.Other())
	require.Equal(t, stock.ByNumber, stock.ByEAN.Other())
}
