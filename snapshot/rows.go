package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/internal/quickjson"
	"github.com/skladom/skladom/stock"
)

// CatalogueLine is how an item lies in the archive. Gone marks an item of the
// baseline that KROS, asked for it singly, does not know any more.
type CatalogueLine struct {
	stock.Item
	Gone bool `json:"gone,omitempty"`
}

// Of catalogues, plans and receipts there are a hundred thousand rows, so these
// are written and read by hand, as encoding/json would: a test compares. Rows of
// other types are few.

// appendRow writes the row that a pointer points to.
func appendRow(to []byte, row any) ([]byte, error) {
	switch row := row.(type) {
	case *CatalogueLine:
		return appendItem(to, row), nil
	case *stock.Line:
		return appendLine(to, row), nil
	case *stock.Receipt:
		return appendReceipt(to, row), nil
	}
	text, err := json.Marshal(row)
	return append(to, text...), err
}

func appendItem(to []byte, item *CatalogueLine) []byte {
	o := quickjson.Begin(to)
	o.Text("code", item.Code)
	o.TextOrNone("name", item.Name)
	o.TextOrNone("ean", item.EAN)
	o.TextOrNone("unit", item.Unit)
	quickjson.List(&o, "rows", item.Rows, appendWarehouse)
	o.True("tracked", item.Tracked)
	o.True("gone", item.Gone)
	return o.End()
}

func appendWarehouse(to []byte, row stock.Row) []byte {
	o := quickjson.Begin(to)
	o.Text("warehouse", row.Warehouse)
	o.Number("quantity", row.Quantity)
	return o.End()
}

func appendLine(to []byte, line *stock.Line) []byte {
	o := quickjson.Begin(to)
	o.TextOrNone("item", line.Item)
	o.TextOrNone("name", line.Name)
	o.TextOrNone("key", line.Key)
	o.TextOrNone("outcome", string(line.Outcome))
	o.TextOrNone("reasonCode", line.ReasonCode)
	o.TextOrNone("reason", line.Reason)
	o.NumberOrNone("kros", line.Kros)
	quickjson.List(&o, "others", line.Others, quickjson.AppendText)
	quickjson.List(&o, "paired", line.Paired, quickjson.AppendText)
	o.True("noStock", line.NoStock)
	o.True("missing", line.Missing)
	quickjson.List(&o, "entries", line.Entries, appendEntry)
	o.True("past", line.Past)
	quickjson.List(&o, "sold", line.Sold, appendSale)
	if line.Booked != nil {
		o.Number("booked", *line.Booked)
	}
	quickjson.List(&o, "kept", line.Kept, appendEntry)
	return o.End()
}

func appendSale(to []byte, sale stock.Sale) []byte {
	o := quickjson.Begin(to)
	o.Number("quantity", sale.Quantity)
	o.Field("seen")
	o.To = quickjson.AppendTime(o.To, sale.Seen)
	return o.End()
}

func appendEntry(to []byte, e stock.Entry) []byte {
	o := quickjson.Begin(to)
	o.Text("product", e.Product)
	o.TextOrNone("name", e.Name)
	o.NumberOrNone("from", e.From)
	o.NumberOrNone("to", e.To)
	o.NumberOrNone("kros", e.Kros)
	o.NumberOrNone("unbooked", e.Unbooked)
	o.True("wrote", e.Wrote)
	if e.Want != nil {
		o.Number("want", *e.Want)
	}
	o.True("approved", e.Approved)
	o.True("dismissed", e.Dismissed)
	return o.End()
}

func appendReceipt(to []byte, r *stock.Receipt) []byte {
	o := quickjson.Begin(to)
	o.TextOrNone("item", r.Item)
	o.Text("product", r.Product)
	o.NumberOrNone("had", r.Had)
	o.NumberOrNone("asked", r.Asked)
	o.NumberOrNone("kros", r.Kros)
	o.Text("answer", string(r.Answer))
	if r.Now != nil {
		o.Number("now", *r.Now)
	}
	o.TextOrNone("reason", r.Reason)
	o.True("repeated", r.Repeated)
	return o.End()
}

// rowReader reads rows one after the other. What it returns stays valid.
type rowReader struct {
	quickjson.Reader
	// Lists of a row are parts of larger ones: most have one element.
	warehouses []stock.Row
	entries    []stock.Entry
}

var rowReaders = sync.Pool{New: func() any { return &rowReader{} }}

func (r *rowReader) done() {
	r.Reset(nil)
	r.warehouses, r.entries = nil, nil
	rowReaders.Put(r)
}

// block is how many elements of the lists of rows lie in one piece.
const block = 256

// read reads a row into what a pointer points to, which is to be empty.
func (r *rowReader) read(line []byte, row any) (err error) {
	r.Reset(line)
	switch row := row.(type) {
	case *CatalogueLine:
		err = r.item(row)
	case *stock.Line:
		err = r.line(row)
	case *stock.Receipt:
		err = r.receipt(row)
	default:
		err = json.Unmarshal(line, row)
		if err == nil {
			return nil
		}
	}
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return corrupt(err)
	}
	return nil
}

func (r *rowReader) item(item *CatalogueLine) error {
	return r.Object(func(name []byte) (err error) {
		switch string(name) {
		case "code":
			return r.text(&item.Code)
		case "name":
			return r.text(&item.Name)
		case "ean":
			return r.text(&item.EAN)
		case "unit":
			return r.text(&item.Unit)
		case "rows":
			item.Rows, err = list(r, &r.warehouses, r.warehouse)
			return err
		case "tracked":
			return r.is(&item.Tracked)
		case "gone":
			return r.is(&item.Gone)
		}
		return r.skip()
	})
}

func (r *rowReader) warehouse(row *stock.Row) error {
	return r.Object(func(name []byte) error {
		switch string(name) {
		case "warehouse":
			return r.text(&row.Warehouse)
		case "quantity":
			return r.number(&row.Quantity)
		}
		return r.skip()
	})
}

func (r *rowReader) line(line *stock.Line) error {
	return r.Object(func(name []byte) (err error) {
		switch string(name) {
		case "item":
			return r.text(&line.Item)
		case "name":
			return r.text(&line.Name)
		case "key":
			return r.text(&line.Key)
		case "outcome":
			return word(r, &line.Outcome)
		case "reasonCode":
			return word(r, &line.ReasonCode)
		case "reason":
			return r.text(&line.Reason)
		case "kros":
			return r.number(&line.Kros)
		case "others":
			return r.texts(&line.Others)
		case "paired":
			return r.texts(&line.Paired)
		case "noStock":
			return r.is(&line.NoStock)
		case "missing":
			return r.is(&line.Missing)
		case "entries":
			line.Entries, err = list(r, &r.entries, r.entry)
			return err
		case "past":
			return r.is(&line.Past)
		case "sold":
			line.Sold, err = list(r, new([]stock.Sale), r.sale)
			return err
		case "booked":
			return r.numberOrNone(&line.Booked)
		case "kept":
			line.Kept, err = list(r, &r.entries, r.entry)
			return err
		}
		return r.skip()
	})
}

func (r *rowReader) sale(sale *stock.Sale) error {
	return r.Object(func(name []byte) error {
		switch string(name) {
		case "quantity":
			return r.number(&sale.Quantity)
		case "seen":
			return r.time(&sale.Seen)
		}
		return r.skip()
	})
}

func (r *rowReader) entry(e *stock.Entry) error {
	return r.Object(func(name []byte) error {
		switch string(name) {
		case "product":
			return r.text(&e.Product)
		case "name":
			return r.text(&e.Name)
		case "from":
			return r.number(&e.From)
		case "to":
			return r.number(&e.To)
		case "kros":
			return r.number(&e.Kros)
		case "unbooked":
			return r.number(&e.Unbooked)
		case "wrote":
			return r.is(&e.Wrote)
		case "want":
			return r.numberOrNone(&e.Want)
		case "approved":
			return r.is(&e.Approved)
		case "dismissed":
			return r.is(&e.Dismissed)
		}
		return r.skip()
	})
}

func (r *rowReader) receipt(receipt *stock.Receipt) error {
	return r.Object(func(name []byte) error {
		switch string(name) {
		case "item":
			return r.text(&receipt.Item)
		case "product":
			return r.text(&receipt.Product)
		case "had":
			return r.number(&receipt.Had)
		case "asked":
			return r.number(&receipt.Asked)
		case "kros":
			return r.number(&receipt.Kros)
		case "answer":
			return word(r, &receipt.Answer)
		case "now":
			return r.numberOrNone(&receipt.Now)
		case "reason":
			return r.text(&receipt.Reason)
		case "repeated":
			return r.is(&receipt.Repeated)
		}
		return r.skip()
	})
}

func (r *rowReader) skip() error {
	_, err := r.Value()
	return err
}

func (r *rowReader) text(into *string) error {
	value, err := r.Value()
	if err != nil || value[0] == 'n' {
		return err
	}
	*into, err = r.Text(value)
	return err
}

// words are the values of fields that have few of them.
var words = []string{
	string(stock.Updated), string(stock.Unchanged), string(stock.Unmatched), string(stock.Ambiguous),
	string(stock.Skipped), string(stock.Rejected), string(stock.Held), string(stock.AnswerConflict),
	stock.ReasonNoProduct, stock.ReasonNoKey, stock.ReasonNotStock,
}

// word reads a text of which there are few.
func word[T ~string](r *rowReader, into *T) error {
	value, err := r.Value()
	if err != nil || value[0] == 'n' {
		return err
	}
	if at := slices.IndexFunc(words, func(w string) bool { return string(value[1:max(1, len(value)-1)]) == w }); at >= 0 && value[0] == '"' {
		*into = T(words[at])
		return nil
	}
	text, err := r.Text(value)
	*into = T(text)
	return err
}

func (r *rowReader) texts(into *[]string) error {
	*into = nil
	if r.Next() == 'n' {
		return r.skip()
	}
	return r.List(func() error {
		var text string
		err := r.text(&text)
		*into = append(*into, text)
		return err
	})
}

func (r *rowReader) number(into *decimal.Decimal) error {
	value, err := r.Value()
	if err != nil || value[0] == 'n' {
		return err
	}
	digits := []byte(value)
	if value[0] == '"' {
		digits = digits[1 : len(digits)-1]
	}
	*into, err = r.Number(digits)
	return err
}

func (r *rowReader) numberOrNone(into **decimal.Decimal) error {
	if r.Next() == 'n' {
		*into = nil
		return r.skip()
	}
	*into = new(decimal.Decimal)
	return r.number(*into)
}

func (r *rowReader) is(into *bool) error {
	value, err := r.Value()
	switch {
	case err != nil:
		return err
	case value[0] != 't' && value[0] != 'f' && value[0] != 'n':
		return fmt.Errorf("%.20s is neither true nor false", value)
	}
	*into = value[0] == 't'
	return nil
}

func (r *rowReader) time(into *time.Time) error {
	value, err := r.Value()
	if err != nil {
		return err
	}
	return into.UnmarshalJSON(value)
}

// list reads a list of a row into a part of a larger one.
func list[T any](r *rowReader, into *[]T, read func(*T) error) ([]T, error) {
	if r.Next() == 'n' {
		return nil, r.skip()
	}
	began := len(*into)
	err := r.List(func() error {
		if len(*into) == cap(*into) { // the elements of this list move along, those before stay
			moved := make([]T, 0, block+2*(len(*into)-began))
			*into, began = append(moved, (*into)[began:]...), 0
		}
		var one T
		*into = append(*into, one)
		return read(&(*into)[len(*into)-1])
	})
	if err != nil || began == len(*into) {
		return nil, err
	}
	return (*into)[began:len(*into):len(*into)], nil
}
