package fynode

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/internal/quickjson"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/stock"
)

const contentType = "application/json"

// appendChange writes a change as the contract says.
func appendChange(to []byte, change shop.Change) []byte {
	item := quickjson.Begin(to)
	item.Field("expected")
	item.To = quickjson.AppendNumber(item.To, change.Expected)
	item.Text("id", change.ID)
	item.Field("quantity")
	item.To = quickjson.AppendNumber(item.To, change.Quantity)
	return item.End()
}

// reader reads what the contract says of a shop's answers, as shops write it:
// names without regard to case, keys and quantities as text or number, null for
// what is not there. Lists are read no further than they may be long.
type reader struct{ quickjson.Reader }

var readers = sync.Pool{New: func() any { return &reader{} }}

// reading reads an answer; field is called at each of the fields that have
// names.
func reading(body []byte, names quickjson.Names, field func(r *reader, name string) error) error {
	r := readers.Get().(*reader)
	defer func() {
		r.Reset(nil)
		readers.Put(r)
	}()
	r.Reset(body)
	if err := r.fields(names, func(name string) error { return field(r, name) }); err != nil {
		return err
	}
	return r.End()
}

// fields reads an object, or null, that has none.
func (r *reader) fields(names quickjson.Names, field func(name string) error) error {
	if r.Next() == 'n' {
		_, err := r.Value()
		return err
	}
	return r.Object(func(written []byte) error {
		name := names.Of(written)
		if name == "" {
			_, err := r.Value()
			return err
		}
		return field(name)
	})
}

// list reads a list and tells whether there is one.
func (r *reader) list(element func(n int) error) (found bool, err error) {
	if r.Next() == 'n' {
		_, err := r.Value()
		return false, err
	}
	n := 0
	return true, r.List(func() error {
		if n++; n > maxElements {
			return fmt.Errorf("a list of more than %d", maxElements)
		}
		return element(n)
	})
}

// text reads a string, or a number as it is written.
func (r *reader) text() (string, error) {
	value, err := r.Value()
	if err != nil {
		return "", err
	}
	switch value[0] {
	case '"':
		return r.Text(value)
	case 'n':
		return "", nil
	case '{', '[', 't', 'f':
		return "", fmt.Errorf("neither text nor number: %.40q", value)
	}
	return r.Keep(value), nil
}

// cutText reads a text that nothing hangs on, and bounds it.
func (r *reader) cutText() (string, error) {
	text, err := r.text()
	return cut(text), err
}

// cut bounds a text that nothing hangs on.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.Clone(strings.ToValidUTF8(text[:maxText], "")) // and lets go of the rest
}

// maxDigits bounds a quantity, before and after the point: 1e999999999 is a
// valid JSON number that would fill the memory.
const maxDigits = 30

// quantity reads a number, or a text that holds one. Without, it is nil.
func (r *reader) quantity() (*decimal.Decimal, error) {
	value, err := r.Value()
	if err != nil || value[0] == 'n' {
		return nil, err
	}
	digits := []byte(value)
	quoted := value[0] == '"'
	if quoted {
		digits = value[1 : len(value)-1]
	}
	if len(digits) == 0 || len(digits) > 2*maxDigits || quoted && !isNumber(digits) { // the length first: reading millions of digits takes hours
		return nil, fmt.Errorf("quantity %.40q is not one of goods", digits)
	}
	number, err := r.Number(digits)
	if err != nil || number.Exponent() < -maxDigits || number.Exponent() > maxDigits {
		return nil, fmt.Errorf("quantity %.40q is not one of goods", digits)
	}
	return &number, nil
}

func isNumber(text []byte) bool {
	return (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid(text)
}

// products are the products of an answer, which has a list of them even where
// there are none.
type products struct {
	list []stock.Product
	next string
}

var (
	productsNames = quickjson.Names{"products", "next"}
	productNames  = quickjson.Names{"id", "number", "ean", "name", "quantity", "tracked", "parentId"}
)

func (p *products) read(body []byte) error {
	found := false
	err := reading(body, productsNames, func(r *reader, name string) (err error) {
		if name == "next" {
			if p.next, err = r.text(); err == nil && len(p.next) > maxText {
				err = fmt.Errorf("a cursor of %d bytes", len(p.next))
			}
			return err
		}
		p.list = make([]stock.Product, 0, shop.MaxBatch)
		found, err = r.list(func(n int) error {
			product, err := r.product()
			if err != nil {
				return fmt.Errorf("product %d: %w", n, err)
			}
			p.list = append(p.list, product)
			return nil
		})
		return err
	})
	if err == nil && !found {
		err = errors.New(`the answer has no "products"`)
	}
	return err
}

func (r *reader) product() (stock.Product, error) {
	product := stock.Product{Tracked: true}
	var quantity *decimal.Decimal
	err := r.fields(productNames, func(name string) (err error) {
		switch name {
		case "id":
			product.ID, err = r.text()
		case "number":
			product.Number, err = r.cutText()
		case "ean":
			product.EAN, err = r.cutText()
		case "name":
			product.Name, err = r.cutText()
		case "quantity":
			quantity, err = r.quantity()
		case "tracked":
			product.Tracked, err = r.tracked()
		case "parentId":
			product.ParentID, err = r.cutText()
		}
		return err
	})
	switch {
	case err != nil:
		return stock.Product{}, fmt.Errorf("id %.60q: %w", product.ID, err)
	case product.ID == "":
		return stock.Product{}, errors.New(`it has no "id"`)
	case len(product.ID) > maxText:
		return stock.Product{}, fmt.Errorf(`its "id" has %d bytes`, len(product.ID))
	case quantity == nil:
		return stock.Product{}, fmt.Errorf(`id %q: it has no "quantity"`, product.ID)
	}
	product.Quantity = *quantity
	return product, nil
}

// tracked is true where the shop does not say otherwise.
func (r *reader) tracked() (bool, error) {
	value, err := r.Value()
	if err != nil {
		return false, err
	}
	switch value[0] {
	case 't', 'f', 'n':
		return value[0] != 'f', nil
	}
	return false, fmt.Errorf("tracked is %.40q", value)
}

// results are the answers to changes, one for each and in their order.
type results struct {
	of     []shop.Change
	public func(string) string
	list   []shop.Result
}

var (
	resultsNames = quickjson.Names{"results"}
	resultNames  = quickjson.Names{"id", "status", "quantity", "reason"}
)

func (a *results) read(body []byte) error {
	err := reading(body, resultsNames, func(r *reader, _ string) error {
		a.list = make([]shop.Result, 0, len(a.of))
		_, err := r.list(func(n int) error {
			if n > len(a.of) {
				_, err := r.Value()
				a.list = append(a.list, shop.Result{})
				return err
			}
			result, err := a.result(r, a.of[n-1].ID)
			if err != nil {
				return fmt.Errorf("result %d of %d: %w", n, len(a.of), err)
			}
			a.list = append(a.list, result)
			return nil
		})
		return err
	})
	if err == nil && len(a.list) != len(a.of) {
		err = fmt.Errorf("%d results for %d changes", len(a.list), len(a.of))
	}
	return err
}

// result reads the answer to the change of the product id.
func (a *results) result(r *reader, id string) (shop.Result, error) {
	result := shop.Result{ID: id}
	said := ""
	err := r.fields(resultNames, func(name string) (err error) {
		switch name {
		case "id":
			said, err = r.text()
		case "status":
			result.Status, err = r.status()
		case "quantity":
			result.Quantity, err = r.quantity()
		case "reason":
			result.Reason, err = r.text()
		}
		return err
	})
	switch {
	case err != nil:
		return shop.Result{}, fmt.Errorf("id %q: %w", id, err)
	case said != id:
		return shop.Result{}, fmt.Errorf("it is for product %.60q instead of %q", said, id)
	case result.Status == "":
		return shop.Result{}, fmt.Errorf("product %q has no status", id)
	}
	result.Reason = a.public(result.Reason)
	return result, nil
}

func (r *reader) status() (shop.Status, error) {
	text, err := r.text()
	if err != nil {
		return "", err
	}
	for _, status := range []shop.Status{shop.Updated, shop.Unchanged, shop.Conflict, shop.Rejected} {
		if text == string(status) {
			return status, nil
		}
	}
	return "", fmt.Errorf("status %.60q is unknown", text)
}
