package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// quantity is what item i has after so many moves. No move is a mass change.
func quantity(i, moves int) int { return 100 + i%400 + moves }

func number(i int) string { return fmt.Sprintf("SK-%06d", i) }

func name(i int) string { return fmt.Sprintf("Čaj bylinný sypaný č. %d, 50 g", i) }

func inWarehouse(quantity int) krossim.Warehouse {
	return krossim.Warehouse{Code: "LT", QuantityOnHand: json.Number(strconv.Itoa(quantity))}
}

func krosItems(items, moves int) []krossim.Item {
	all := make([]krossim.Item, items)
	for i := range all {
		all[i] = krossim.Item{ItemCode: number(i), Name: name(i), MeasureUnit: "ks", Warehouses: []krossim.Warehouse{inWarehouse(quantity(i, moves))}}
	}
	return all
}

func products(items int) []fynodesim.Product {
	all := make([]fynodesim.Product, items)
	for i := range all {
		all[i] = fynodesim.Product{ID: fmt.Sprintf("prod-%06d", i), Number: number(i), Name: name(i), Quantity: decimal.NewFromInt(int64(quantity(i, 0)))}
	}
	return all
}
