package kros

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/stock"
)

// decodeItems reads an answer of catalog-items. It is tolerant of what may be
// missing or written differently, and refuses what it would have to guess:
// an answer that cannot be read is never an empty one.
func decodeItems(body []byte) ([]stock.Item, error) {
	var page struct {
		Data *[]json.RawMessage `json:"data"`
	}
	if err := decodeJSON(body, &page); err != nil {
		return nil, err
	}
	if page.Data == nil {
		return nil, errors.New(`the answer has no list "data"`)
	}
	items := make([]stock.Item, 0, len(*page.Data))
	for i, row := range *page.Data {
		item, err := decodeItem(row)
		if err != nil {
			return nil, fmt.Errorf("row %d of the page: %w", i+1, err)
		}
		items = append(items, item)
	}
	return items, nil
}

func decodeItem(row json.RawMessage) (stock.Item, error) {
	if row[0] != '{' {
		return stock.Item{}, fmt.Errorf("%.20s is no item", row)
	}
	var raw rawItem
	if err := json.Unmarshal(row, &raw); err != nil {
		var named struct {
			ItemCode loose `json:"itemCode"`
		}
		_ = json.Unmarshal(row, &named)
		return stock.Item{}, fmt.Errorf("item %q: %w", named.ItemCode, err)
	}
	return raw.item(), nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// decodeJSON says in words what cannot be read: the body itself may hold anything.
func decodeJSON(body []byte, into any) error {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if isMarkup(body) {
		return errors.New("an HTML page instead of JSON")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return errors.New("an empty answer instead of JSON")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the JSON cannot be read: %w", err)
	}
	return nil
}

func isMarkup(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(body, byteOrderMark)), []byte("<"))
}

// rawItem is an item as KROS writes it (docs/kros-api.md, Stock). The names
// are compared without regard to case.
type rawItem struct {
	ItemCode    text     `json:"itemCode"`
	Name        loose    `json:"name"`
	EANCode     loose    `json:"eanCode"`
	EAN         loose    `json:"ean"`
	Barcode     loose    `json:"barcode"`
	MeasureUnit loose    `json:"measureUnit"`
	Warehouses  []rawRow `json:"warehouses"`
}

// rawRow is the stock of an item in one warehouse. Its kind is an object: null
// or anything else is refused.
type rawRow struct {
	Code     text     `json:"code"`
	Quantity quantity `json:"quantityOnHand"`
}

func (r *rawRow) UnmarshalJSON(data []byte) error {
	if data[0] != '{' {
		return fmt.Errorf("%.20s is no warehouse", data)
	}
	type plain rawRow
	return json.Unmarshal(data, (*plain)(r))
}

func (r rawItem) item() stock.Item {
	item := stock.Item{
		Code: string(r.ItemCode),
		Name: string(r.Name),
		EAN:  firstWritten(string(r.EANCode), string(r.EAN), string(r.Barcode)),
		Unit: string(r.MeasureUnit),
	}
	for _, row := range r.Warehouses {
		item.Rows = append(item.Rows, stock.Row{Warehouse: string(row.Code), Quantity: decimal.Decimal(row.Quantity)})
	}
	return item
}

func firstWritten(texts ...string) string {
	found, _ := lo.Find(texts, func(text string) bool { return strings.TrimSpace(text) != "" })
	return found
}

// text is a string, or a number that somebody forgot to quote.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	written, ok := scalar(data)
	if !ok {
		return fmt.Errorf("%.20s is neither a text nor a number", data)
	}
	*t = text(written)
	return nil
}

// loose is a text that nothing hangs on: of another shape, it is missing.
type loose string

func (l *loose) UnmarshalJSON(data []byte) error {
	written, _ := scalar(data)
	*l = loose(written)
	return nil
}

// scalar reads a string as it is and a number as it is written, so that an EAN
// keeps all its digits. Null is nothing.
func scalar(data []byte) (written string, ok bool) {
	switch data[0] {
	case '"':
		return written, json.Unmarshal(data, &written) == nil
	case 'n':
		return "", true
	case '[', '{', 't', 'f':
		return "", false
	}
	// 8586000000000.0 is a whole number; 8.586E+12 has lost digits and stays visible.
	if whole, fraction, _ := strings.Cut(string(data), "."); strings.Trim(fraction, "0") == "" {
		return whole, true
	}
	return string(data), true
}

// quantity is a number, written as a number or as a string, with a point or a
// comma before the decimals. Null, nothing and an empty string are 0: a
// warehouse that is named and of which nothing is said.
type quantity decimal.Decimal

// A quantity beyond these is a mistake, and arithmetic with a large exponent
// takes all the memory there is.
const (
	maxQuantityText = 64
	maxExponent     = 30
)

func (q *quantity) UnmarshalJSON(data []byte) error {
	written, ok := scalar(data)
	if !ok || len(written) > maxQuantityText {
		return fmt.Errorf("%.20s is not a quantity", data)
	}
	written = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) { // "1 234,5", also with the spaces that do not break
			return -1
		}
		return r
	}, written)
	if written == "" {
		*q = quantity(decimal.Zero)
		return nil
	}
	if !strings.Contains(written, ".") {
		written = strings.Replace(written, ",", ".", 1)
	}
	number, err := decimal.NewFromString(written)
	if err != nil || number.Exponent() > maxExponent || number.Exponent() < -maxExponent {
		return fmt.Errorf("%.20q is not a quantity", written)
	}
	*q = quantity(number)
	return nil
}
