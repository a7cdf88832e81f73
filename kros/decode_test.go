package kros

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

func row(warehouse, quantity string) stock.Row {
	return stock.Row{Warehouse: warehouse, Quantity: decimal.RequireFromString(quantity)}
}

func TestItemsAreReadHoweverTheyAreWritten(t *testing.T) {
	for name, test := range map[string]struct {
		item string
		want stock.Item
	}{
		"as KROS": {
			`{"itemCode":"A 1","name":"Čaj","eanCode":"8586000000007","measureUnit":"ks","warehouses":[{"code":"LT ","quantityOnHand":-1.50}]}`,
			stock.Item{Code: "A 1", Name: "Čaj", EAN: "8586000000007", Unit: "ks", Rows: []stock.Row{row("LT ", "-1.5")}},
		},
		"nothing is trimmed":               {`{"itemCode":" A\u00a0"}`, stock.Item{Code: " A\u00a0"}},
		"no field at all":                  {`{}`, stock.Item{}},
		"null everywhere":                  {`{"itemCode":null,"name":null,"eanCode":null,"measureUnit":null,"warehouses":null}`, stock.Item{}},
		"unknown fields":                   {`{"itemCode":"A","stock":7,"warehouse":{"quantityOnHand":9}}`, stock.Item{Code: "A"}},
		"no case in names":                 {`{"ItemCode":"A","EAN":"1","Warehouses":[{"CODE":"L","QuantityOnHand":2}]}`, stock.Item{Code: "A", EAN: "1", Rows: []stock.Row{row("L", "2")}}},
		"no rows":                          {`{"itemCode":"A","warehouses":[]}`, stock.Item{Code: "A"}},
		"EAN under ean":                    {`{"ean":"40084963"}`, stock.Item{EAN: "40084963"}},
		"EAN under barcode":                {`{"eanCode":" ","barcode":"40084963"}`, stock.Item{EAN: "40084963"}},
		"EAN as a number":                  {`{"eanCode":8586000000007}`, stock.Item{EAN: "8586000000007"}},
		"EAN as a float":                   {`{"eanCode":8586000000007.0}`, stock.Item{EAN: "8586000000007"}},
		"a spreadsheet's EAN stays one":    {`{"eanCode":8.58E+12}`, stock.Item{EAN: "8.58E+12"}},
		"code as a number":                 {`{"itemCode":10.0,"warehouses":[{"code":1,"quantityOnHand":1}]}`, stock.Item{Code: "10", Rows: []stock.Row{row("1", "1")}}},
		"unit of another shape is missing": {`{"itemCode":"A","measureUnit":{"code":"ks"}}`, stock.Item{Code: "A"}},
		"row without a warehouse":          {`{"warehouses":[{"quantityOnHand":1}]}`, stock.Item{Rows: []stock.Row{row("", "1")}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodeItems([]byte(`{"data":[` + test.item + `]}`))
			require.NoError(t, err)
			require.Empty(t, cmp.Diff([]stock.Item{test.want}, got))
		})
	}
}

func TestQuantitiesAreReadExactly(t *testing.T) {
	for written, want := range map[string]string{
		`0`: "0", `12`: "12", `-3`: "-3", `0.1`: "0.1", `12.500`: "12.5", `1e3`: "1000", `1.5E-2`: "0.015",
		`9007199254740993.01`: "9007199254740993.01",
		`"12"`:                "12", `"12.5"`: "12.5", `"12,5"`: "12.5", `" -1,25 "`: "-1.25",
		`"1 234,5"`: "1234.5", `"1\u00a0234"`: "1234", `"1\u202f234"`: "1234",
		`null`: "0", `""`: "0",
	} {
		t.Run(written, func(t *testing.T) {
			got, err := decodeItems([]byte(`{"data":[{"warehouses":[{"code":"L","quantityOnHand":` + written + `}]}]}`))
			require.NoError(t, err)
			require.Empty(t, cmp.Diff([]stock.Row{row("L", want)}, got[0].Rows))
		})
	}
}

func TestWhatCannotBeReadIsNeverNoStock(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                    ``,
		"white space":                " \n",
		"HTML":                       `<!DOCTYPE html><html></html>`,
		"HTML behind a mark":         "\ufeff\n<html>",
		"cut":                        `{"data":[{"itemCode":"A"},{"item`,
		"something behind it":        `{"data":[]}{"data":[]}`,
		"no data":                    `{"items":[]}`,
		"data null":                  `{"data":null}`,
		"data an object":             `{"data":{}}`,
		"data a text":                `{"data":"[]"}`,
		"a bare list":                `[]`,
		"null":                       `null`,
		"an item null":               `{"data":[null]}`,
		"an item a list":             `{"data":[[]]}`,
		"an item a text":             `{"data":["A"]}`,
		"code an object":             `{"data":[{"itemCode":{}}]}`,
		"code a boolean":             `{"data":[{"itemCode":true}]}`,
		"warehouses an object":       `{"data":[{"warehouses":{"LT":1}}]}`,
		"a warehouse null":           `{"data":[{"warehouses":[null]}]}`,
		"a warehouse a number":       `{"data":[{"warehouses":[1]}]}`,
		"warehouse code a list":      `{"data":[{"warehouses":[{"code":[]}]}]}`,
		"quantity a boolean":         `{"data":[{"warehouses":[{"quantityOnHand":false}]}]}`,
		"quantity a word":            `{"data":[{"warehouses":[{"quantityOnHand":"veľa"}]}]}`,
		"quantity with two commas":   `{"data":[{"warehouses":[{"quantityOnHand":"1,234,5"}]}]}`,
		"quantity with both":         `{"data":[{"warehouses":[{"quantityOnHand":"1,234.5"}]}]}`,
		"quantity beyond all stores": `{"data":[{"warehouses":[{"quantityOnHand":1e999999999}]}]}`,
		"quantity of endless digits": `{"data":[{"warehouses":[{"quantityOnHand":` + strings.Repeat("9", 65) + `}]}]}`,
		"nested without end":         `{"data":` + strings.Repeat("[", 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			items, err := decodeItems([]byte(body))
			require.Error(t, err)
			require.Nil(t, items)
		})
	}
}

func TestAnUnreadableItemIsNamed(t *testing.T) {
	_, err := decodeItems([]byte(`{"data":[{},{"itemCode":"Čaj 7","warehouses":[{"quantityOnHand":"veľa"}]}]}`))
	require.EqualError(t, err, `row 2 of the page: item "Čaj 7": "veľa" is not a quantity`)
}

func FuzzDecodeItems(f *testing.F) {
	for _, seed := range []string{
		`{"data":[]}`,
		`{"data":[{"itemCode":"A","name":"x","eanCode":1e5,"warehouses":[{"code":"L","quantityOnHand":"1,5"},{"code":2,"quantityOnHand":-1}]}]}`,
		"\ufeff{\"DATA\":[{}]}", `<html>`, `{"data":[{"warehouses":[{"quantityOnHand":1e29}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := decodeItems(body)
		if err != nil {
			return
		}
		var page struct{ Data []json.RawMessage }
		if json.Unmarshal([]byte(strings.TrimPrefix(string(body), "\ufeff")), &page) != nil || len(page.Data) != len(items) {
			t.Fatalf("%d rows became %d items", len(page.Data), len(items))
		}
		sum := decimal.Zero
		for _, item := range items {
			for _, row := range item.Rows {
				sum = sum.Add(row.Quantity)
			}
		}
		if len(sum.String()) > 200 {
			t.Fatal("quantities that no arithmetic can carry")
		}
	})
}
