package stock_test

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/stock"
)

// A shop of 100,000 items, each in two warehouses and with one product, and
// the memory of a pass before.
func largeShop(size int) stock.Input {
	in := stock.Input{Rules: byEAN()}
	for i := range size {
		ean := fmt.Sprintf("858%010d", i)
		in.Items = append(in.Items, stock.Item{
			Code: fmt.Sprintf("SK-%06d", i), Name: "Skrutka samorezná", EAN: ean, Unit: "ks",
			Rows: []stock.Row{{Warehouse: "LT", Quantity: decimal.NewFromInt(int64(i % 50))}, {Warehouse: "PR", Quantity: decimal.NewFromInt(int64(i % 7))}},
		})
		in.Products = append(in.Products, stock.Product{
			ID: fmt.Sprintf("p%06d", i), EAN: ean, Name: "Skrutka", Quantity: decimal.NewFromInt(3), Tracked: true,
		})
	}
	in.Memory = remember(in.Items, stock.NewPlan(in))
	return in
}

func BenchmarkNewPlan(b *testing.B) {
	in := largeShop(100_000)
	b.ReportAllocs()
	for b.Loop() {
		stock.NewPlan(in)
	}
}

func BenchmarkLookupKeys(b *testing.B) {
	in := largeShop(100_000)
	b.ReportAllocs()
	for b.Loop() {
		stock.LookupKeys(in.Rules.Match, in.Items)
	}
}

func BenchmarkExamine(b *testing.B) {
	in := largeShop(100_000)
	b.ReportAllocs()
	for b.Loop() {
		stock.Examine(in.Rules, in.Items, in.Memory)
	}
}

func BenchmarkSettle(b *testing.B) {
	plan := stock.NewPlan(largeShop(100_000))
	var receipts []stock.Receipt
	for _, w := range plan.Writes() {
		receipts = append(receipts, stock.Receipt{Product: w.Product, Had: w.From, Asked: w.To, Answer: stock.AnswerUpdated})
	}
	b.ReportAllocs()
	for b.Loop() {
		stock.Settle(plan, receipts)
	}
}
