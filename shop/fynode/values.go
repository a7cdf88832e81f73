package fynode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode/internal/api"
	"github.com/skladom/skladom/stock"
)

// list is a list of an answer. It is read no further than it may be long: a list
// of millions of empty objects would take fifty times the size of the answer.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		return json.Unmarshal(data, (*[]T)(l)) // null, or what the error says
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for *l = (list[T]{}); decoder.More(); {
		var element T
		if err := decoder.Decode(&element); err != nil {
			return err
		}
		if *l = append(*l, element); len(*l) > maxElements {
			return fmt.Errorf("a list of more than %d", maxElements)
		}
	}
	return nil
}

// cut bounds a text that nothing hangs on.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "")
}

// readProducts reads the products of an answer, which has a list of them even
// where there are none.
func (c *Client) readProducts(op string, answered []api.Product) ([]stock.Product, error) {
	if answered == nil {
		return nil, c.badShape(op, `the answer has no "products"`)
	}
	products := make([]stock.Product, 0, len(answered))
	for i, p := range answered {
		product, err := readProduct(p)
		if err != nil {
			return nil, c.badShape(op, fmt.Sprintf("product %d of %d: %v", i+1, len(answered), err))
		}
		products = append(products, product)
	}
	return products, nil
}

func readProduct(p api.Product) (stock.Product, error) {
	if p.Id == "" {
		return stock.Product{}, errors.New(`it has no "id"`)
	}
	if len(p.Id) > maxText {
		return stock.Product{}, fmt.Errorf(`its "id" has %d bytes`, len(p.Id))
	}
	quantity, err := readQuantity(p.Quantity)
	if err != nil {
		return stock.Product{}, fmt.Errorf("id %q: %w", p.Id, err)
	}
	return stock.Product{
		ID:       string(p.Id),
		Number:   cut(string(p.Number)),
		EAN:      cut(string(p.Ean)),
		Name:     cut(p.Name),
		Quantity: quantity,
		Tracked:  p.Tracked == nil || *p.Tracked,
		ParentID: cut(string(p.ParentId)),
	}, nil
}

// readResult reads the answer to the change of the product id.
func (c *Client) readResult(id string, r api.SetStock200JSONResponseBody_Results) (shop.Result, error) {
	if string(r.Id) != id {
		return shop.Result{}, fmt.Errorf("it is for product %.60q instead of %q", r.Id, id)
	}
	result := shop.Result{ID: id, Status: shop.Status(r.Status), Reason: c.public(r.Reason)}
	switch result.Status {
	case shop.Updated, shop.Unchanged, shop.Conflict, shop.Rejected:
	default:
		return shop.Result{}, fmt.Errorf("status %.60q of product %q is unknown", r.Status, id)
	}
	if r.Quantity != "" {
		now, err := readQuantity(r.Quantity)
		if err != nil {
			return shop.Result{}, fmt.Errorf("id %q: %w", id, err)
		}
		result.Quantity = &now
	}
	return result, nil
}

// maxDigits bounds a quantity, before and after the point: 1e999999999 is a
// valid JSON number that would fill the memory.
const maxDigits = 30

func readQuantity(n json.Number) (decimal.Decimal, error) {
	if n == "" {
		return decimal.Decimal{}, errors.New(`it has no "quantity"`)
	}
	if len(n) > 2*maxDigits { // looked at first: reading millions of digits takes hours
		return decimal.Decimal{}, fmt.Errorf("quantity %.40q is not one of goods", string(n))
	}
	value, err := decimal.NewFromString(string(n))
	if err != nil || value.Exponent() < -maxDigits || value.Exponent() > maxDigits {
		return decimal.Decimal{}, fmt.Errorf("quantity %.40q is not one of goods", string(n))
	}
	return value, nil
}

func number(d decimal.Decimal) json.Number { return json.Number(d.String()) }
