package fynode

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode/internal/api"
	"github.com/skladom/skladom/stock"
)

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
	quantity, err := readQuantity(p.Quantity)
	if err != nil {
		return stock.Product{}, fmt.Errorf("id %q: %w", p.Id, err)
	}
	return stock.Product{
		ID:       string(p.Id),
		Number:   string(p.Number),
		EAN:      string(p.Ean),
		Name:     p.Name,
		Quantity: quantity,
		Tracked:  p.Tracked == nil || *p.Tracked,
		ParentID: string(p.ParentId),
	}, nil
}

// readResult reads the answer to the change of the product id.
func (c *Client) readResult(id string, r api.SetStock200JSONResponseBody_Results) (shop.Result, error) {
	if string(r.Id) != id {
		return shop.Result{}, fmt.Errorf("it is for product %q instead of %q", r.Id, id)
	}
	result := shop.Result{ID: id, Status: shop.Status(r.Status), Reason: c.public(r.Reason)}
	switch result.Status {
	case shop.Updated, shop.Unchanged, shop.Conflict, shop.Rejected:
	default:
		return shop.Result{}, fmt.Errorf("status %q of product %q is unknown", r.Status, id)
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
	value, err := decimal.NewFromString(string(n))
	if err != nil || len(n) > 2*maxDigits || value.Exponent() < -maxDigits || value.Exponent() > maxDigits {
		return decimal.Decimal{}, fmt.Errorf("quantity %.40q is not one of goods", string(n))
	}
	return value, nil
}

func number(d decimal.Decimal) json.Number { return json.Number(d.String()) }
