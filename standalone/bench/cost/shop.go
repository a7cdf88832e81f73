package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

const token = "bench-token"

// shop is a shop in which nearly every item of KROS has its product. Of fifty
// items one has none and one is no stock item, so that reports have samples of
// both, as they have in life.
type shop struct {
	name   string
	items  int
	kros   *krossim.Server
	fynode *fynodesim.Server

	rest   site.Rest // of its StockSync, as it was last seen
	raised int       // by how much each change has raised a quantity so far
}

func newShop(name string, items int) *shop {
	s := &shop{name: name, items: items}
	s.kros = krossim.New(krossim.Options{Token: token, NoLimits: true, Items: lo.Times(items, func(i int) krossim.Item {
		item := krossim.Item{ItemCode: number(i), Name: title(i), MeasureUnit: "ks", Warehouses: []krossim.Warehouse{}}
		if stocked(i) {
			item.Warehouses = warehouses(base(i))
		}
		return item
	})})
	sold := lo.Filter(lo.Range(items), func(i int, _ int) bool { return sells(i) })
	s.fynode = fynodesim.New(fynodesim.Options{Token: token, ID: "id-" + name, Products: lo.Map(sold, func(i int, _ int) fynodesim.Product {
		return fynodesim.Product{ID: fmt.Sprintf("prod-%06d", i), Number: number(i), Name: title(i), Quantity: decimal.NewFromInt(int64(base(i)))}
	})})
	return s
}

func stocked(i int) bool { return i%50 != 8 }

func sells(i int) bool { return i%50 != 7 }

func number(i int) string { return fmt.Sprintf("SK-%06d", i) }

func title(i int) string { return fmt.Sprintf("Čaj bylinný sypaný č. %d, 50 g", i) }

// base is large enough for no change to look like a mass change.
func base(i int) int { return 100 + i%400 }

func warehouses(quantity int) []krossim.Warehouse {
	return []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(strconv.Itoa(quantity))}}
}

// change raises one in so many items in KROS; 0: none. It returns how many of
// them have a product.
func (s *shop) change(every int) (changed int) {
	if every == 0 {
		return 0
	}
	s.raised++
	items := s.kros.State().Items
	for i := range items {
		if i%every == 0 && stocked(i) {
			items[i].Warehouses = warehouses(base(i) + s.raised)
			changed += lo.Ternary(sells(i), 1, 0)
		}
	}
	s.kros.SetItems(items)
	return changed
}
