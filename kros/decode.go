package kros

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/internal/quickjson"
	"github.com/skladom/skladom/stock"
)

// decodeItems reads an answer of catalog-items. It is tolerant of what may be
// missing or written differently, and refuses what it would have to guess:
// an answer that cannot be read is never an empty one.
func decodeItems(body []byte) ([]stock.Item, error) {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if err := mustBeJSON(body); err != nil {
		return nil, err
	}
	d := decoders.Get().(*decoder)
	defer d.done()
	d.Reset(body)
	items, err := d.page()
	if err == nil {
		err = d.End()
	}
	if errors.Is(err, quickjson.ErrSyntax) {
		return nil, fmt.Errorf("the JSON cannot be read: %w", err)
	}
	if err != nil {
		return nil, err
	}
	return items, nil
}

// decoder reads pages one after the other. Of names that an object has twice
// the last one counts.
type decoder struct {
	quickjson.Reader
	rows []stock.Row // of the present page, all items'
}

var decoders = sync.Pool{New: func() any { return &decoder{} }}

func (d *decoder) done() {
	d.Reset(nil)
	d.rows = nil
	decoders.Put(d)
}

// The names that are read (docs/kros-api.md, Stock).
var (
	pageNames = quickjson.Names{"data"}
	itemNames = quickjson.Names{"itemCode", "name", "eanCode", "measureUnit", "warehouses", "ean", "barcode"}
	rowNames  = quickjson.Names{"code", "quantityOnHand"}
)

func (d *decoder) page() (items []stock.Item, err error) {
	found := false
	err = d.Object(func(name []byte) error {
		if pageNames.Of(name) == "" {
			_, err := d.Value()
			return err
		}
		if found = d.Next() != 'n'; !found {
			_, err := d.Value()
			return err
		}
		items, err = d.items()
		return err
	})
	if err == nil && !found {
		err = errors.New(`the answer has no list "data"`)
	}
	return items, err
}

func (d *decoder) items() ([]stock.Item, error) {
	items := make([]stock.Item, 0, pageSize)
	d.rows = make([]stock.Row, 0, pageSize)
	err := d.List(func() error {
		if len(items) == pageSize {
			return fmt.Errorf("%d rows were asked for and more came", pageSize)
		}
		item, err := d.item()
		if err != nil && item.Code != "" {
			err = fmt.Errorf("item %.60q: %w", item.Code, err)
		}
		if err != nil {
			return fmt.Errorf("row %d of the page: %w", len(items)+1, err)
		}
		items = append(items, item)
		return nil
	})
	return items, err
}

func (d *decoder) item() (item stock.Item, err error) {
	if d.Next() != '{' {
		return item, d.refuse("is no item")
	}
	var ean, code, barcode string
	var rows []stock.Row
	err = d.Object(func(name []byte) (err error) {
		switch itemNames.Of(name) {
		case "itemCode":
			item.Code, err = d.text()
		case "name":
			item.Name, err = d.loose()
		case "eanCode":
			code, err = d.loose()
		case "ean":
			ean, err = d.loose()
		case "barcode":
			barcode, err = d.loose()
		case "measureUnit":
			item.Unit, err = d.loose()
		case "warehouses":
			rows, err = d.warehouses()
		default:
			_, err = d.Value()
		}
		return err
	})
	item.EAN, item.Rows = firstWritten(code, ean, barcode), rows
	return item, err
}

// Bounds of an item. What a merchant can type is far below them; without them an
// answer that keeps to maxBody could still take a hundred times its size.
const (
	maxWarehouses = 1000
	maxText       = 1000 // bytes of any text
)

// warehouses reads the rows of one item; null has none.
func (d *decoder) warehouses() ([]stock.Row, error) {
	if d.Next() == 'n' {
		_, err := d.Value()
		return nil, err
	}
	began := len(d.rows)
	err := d.List(func() error {
		if len(d.rows)-began == maxWarehouses || len(d.rows) == maxWarehouses*pageSize {
			return fmt.Errorf("it has more than %d warehouses", maxWarehouses)
		}
		row, err := d.row()
		d.rows = append(d.rows, row)
		return err
	})
	if began == len(d.rows) {
		return nil, err
	}
	return d.rows[began:len(d.rows):len(d.rows)], err
}

// row reads the stock of an item in one warehouse. Its kind is an object: null
// or anything else is refused.
func (d *decoder) row() (row stock.Row, err error) {
	if d.Next() != '{' {
		return row, d.refuse("is no warehouse")
	}
	err = d.Object(func(name []byte) (err error) {
		switch rowNames.Of(name) {
		case "code":
			row.Warehouse, err = d.text()
		case "quantityOnHand":
			row.Quantity, err = d.quantity()
		default:
			_, err = d.Value()
		}
		return err
	})
	return row, err
}

func (d *decoder) refuse(why string) error {
	value, err := d.Value()
	if err != nil {
		return err
	}
	return fmt.Errorf("%.20s %s", value, why)
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// decodeJSON says in words what cannot be read: the body itself may hold anything.
func decodeJSON(body []byte, into any) error {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if err := mustBeJSON(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the JSON cannot be read: %w", err)
	}
	return nil
}

func mustBeJSON(body []byte) error {
	if isMarkup(body) {
		return errors.New("an HTML page instead of JSON")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return errors.New("an empty answer instead of JSON")
	}
	return nil
}

func isMarkup(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(body, byteOrderMark)), []byte("<"))
}

func firstWritten(texts ...string) string {
	found, _ := lo.Find(texts, func(text string) bool { return strings.TrimSpace(text) != "" })
	return found
}

// text is a string, or a number that somebody forgot to quote.
func (d *decoder) text() (string, error) {
	value, err := d.Value()
	if err != nil {
		return "", err
	}
	written, ok := d.scalar(value)
	switch {
	case !ok:
		return "", fmt.Errorf("%.20s is neither a text nor a number", value)
	case len(written) > maxText:
		return "", fmt.Errorf("a text of %d bytes is no code", len(written))
	}
	return written, nil
}

// loose is a text that nothing hangs on: of another shape it is missing, and too
// long it is cut.
func (d *decoder) loose() (string, error) {
	value, err := d.Value()
	if err != nil {
		return "", err
	}
	written, _ := d.scalar(value)
	if len(written) > maxText {
		written = strings.Clone(strings.ToValidUTF8(written[:maxText], "")) // a part would keep the whole
	}
	return written, nil
}

// scalar reads a string as it is and a number as it is written, so that an EAN
// keeps all its digits. Null is nothing.
func (d *decoder) scalar(value quickjson.Value) (written string, ok bool) {
	switch value[0] {
	case '"':
		written, err := d.Text(value)
		return written, err == nil
	case 'n':
		return "", true
	case '[', '{', 't', 'f':
		return "", false
	}
	return d.Keep(wholeNumber(value)), true
}

// wholeNumber makes 8586000000000 of 8586000000000.0; 8.586E+12 has lost digits
// and stays visible.
func wholeNumber(number []byte) []byte {
	if whole, fraction, _ := bytes.Cut(number, []byte(".")); len(bytes.Trim(fraction, "0")) == 0 {
		return whole
	}
	return number
}

// A quantity beyond these is a mistake, and arithmetic with a large exponent
// takes all the memory there is.
const (
	maxQuantityText = 64
	maxExponent     = 30
)

// quantity is a number, written as a number or as a string, with a point or a
// comma before the decimals. Null, nothing and an empty string are 0: a
// warehouse that is named and of which nothing is said.
func (d *decoder) quantity() (decimal.Decimal, error) {
	value, err := d.Value()
	if err != nil {
		return decimal.Decimal{}, err
	}
	var digits []byte
	switch value[0] {
	case '"':
		written, _ := d.Text(value)
		digits = []byte(written)
	case 'n': // nothing is said
	default:
		digits = wholeNumber(value)
	}
	if len(digits) > maxQuantityText {
		return decimal.Decimal{}, fmt.Errorf("%.20s is not a quantity", value)
	}
	if value[0] == '"' {
		digits = pointed(digits)
	}
	if len(digits) == 0 {
		return decimal.Zero, nil
	}
	number, err := d.Number(digits)
	if err != nil || number.Exponent() > maxExponent || number.Exponent() < -maxExponent {
		return decimal.Decimal{}, fmt.Errorf("%.20q is not a quantity", digits)
	}
	return number, nil
}

// pointed is a written quantity without spaces and with a point: of "1 234,5",
// also with the spaces that do not break, 1234.5.
func pointed(written []byte) []byte {
	written = bytes.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, written)
	if !bytes.ContainsRune(written, '.') {
		written = bytes.Replace(written, []byte(","), []byte("."), 1)
	}
	return written
}
