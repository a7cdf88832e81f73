package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// goods are a catalogue of which every item has its product. Item i has the
// quantity base(i) + Kros in KROS where it is one of those that changed, else
// base(i) + Shop, as in the shop.
type goods struct {
	Items int `json:"items"`
	Kros  int `json:"kros"`
	Shop  int `json:"shop"`
	Every int `json:"every"` // one in so many items has changed
}

// base keeps all changes of the benchmark below half of a quantity, so that
// none of them looks like a mass change.
func base(i int) int { return 100 + i%400 }

func (g goods) changed(i int) bool { return i%g.Every == 0 }

// changes is how many items have changed.
func (g goods) changes() int { return (g.Items + g.Every - 1) / g.Every }

// wanted is what the shop is to have in the end.
func (g goods) wanted(i int) int {
	if g.changed(i) {
		return base(i) + g.Kros
	}
	return base(i) + g.Shop
}

func number(i int) string { return fmt.Sprintf("SK-%06d", i) }

func productID(i int) string { return fmt.Sprintf("prod-%06d", i) }

func ean(i int) string { return fmt.Sprintf("858%09d%d", i, i%10) }

func name(i int) string { return fmt.Sprintf("Čaj bylinný sypaný č. %d, 50 g", i) }

func (g goods) kros() []krossim.Item {
	items := make([]krossim.Item, g.Items)
	for i := range items {
		q := strconv.Itoa(g.wanted(i))
		if i%10 == 0 {
			q += ".500"
		}
		rows := []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(q)}}
		if i%2 == 1 {
			rows = append(rows, krossim.Warehouse{Code: "PR", QuantityOnHand: json.Number(strconv.Itoa(i % 90))})
		}
		items[i] = krossim.Item{ItemCode: number(i), Name: name(i), EANCode: ean(i), MeasureUnit: "ks", Warehouses: rows}
	}
	return items
}

func (g goods) products() []fynodesim.Product {
	products := make([]fynodesim.Product, g.Items)
	for i := range products {
		products[i] = fynodesim.Product{
			ID: productID(i), Number: number(i), EAN: ean(i), Name: name(i),
			Quantity: decimal.NewFromInt(int64(base(i) + g.Shop)),
		}
	}
	return products
}

// check tells whether the shop has what it is to have.
func (g goods) check(products []fynodesim.Product) error {
	if len(products) != g.Items {
		return fmt.Errorf("the shop has %d products instead of %d", len(products), g.Items)
	}
	for i, p := range products { // by id
		if want := decimal.NewFromInt(int64(g.wanted(i))); !p.Quantity.Equal(want) {
			return fmt.Errorf("product %s has %s instead of %s", p.ID, p.Quantity, want)
		}
	}
	return nil
}
