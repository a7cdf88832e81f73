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

// strangers are a shop in which nothing matches, all names are the same and
// each number is a digit away from many: the worst that can happen to a search.
func strangers(size int) stock.WorkInput {
	in := stock.WorkInput{Rules: byNumber()}
	for i := range size {
		in.Items = append(in.Items, stock.Item{Code: fmt.Sprintf("SK-%05d", i), Name: "Skrutka", Rows: rows("LT", "1")})
		in.Products = append(in.Products, stock.Product{ID: fmt.Sprintf("p%05d", i), Number: fmt.Sprintf("sk-%05d", i), Name: "Skrutka", Tracked: true})
	}
	return in
}

func BenchmarkNewWorklist(b *testing.B) {
	in := strangers(25_000)
	b.ReportAllocs()
	for b.Loop() {
		stock.NewWorklist(in)
	}
}
