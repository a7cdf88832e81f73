package quickjson

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// maxPlain is the number of digits up to which a whole number fits a machine's.
const maxPlain = 15

// AppendText writes a JSON string. What is not UTF-8 becomes U+FFFD.
func AppendText(to []byte, text string) []byte {
	to, _ = jsontext.AppendQuote(to, text) // the error is that something was replaced
	return to
}

// AppendNumber writes a number as decimal's String does.
func AppendNumber(to []byte, number decimal.Decimal) []byte {
	if number.Exponent() == 0 && number.NumDigits() <= maxPlain {
		return strconv.AppendInt(to, number.CoefficientInt64(), 10)
	}
	return append(to, number.String()...)
}

// AppendTime writes a time as encoding/json does, for years of four digits.
func AppendTime(to []byte, at time.Time) []byte {
	to = append(to, '"')
	return append(at.AppendFormat(to, time.RFC3339Nano), '"')
}

// Object writes the fields of an object, one after the other.
type Object struct {
	To    []byte
	begun bool
}

// Begin begins an object behind what is written already.
func Begin(to []byte) Object { return Object{To: append(to, '{')} }

// End ends the object.
func (o *Object) End() []byte { return append(o.To, '}') }

// Field begins a field; its value is to be appended to To.
func (o *Object) Field(name string) {
	if o.begun {
		o.To = append(o.To, ',')
	}
	o.begun = true
	o.To = append(append(append(o.To, '"'), name...), '"', ':')
}

// Text writes a field.
func (o *Object) Text(name, text string) {
	o.Field(name)
	o.To = AppendText(o.To, text)
}

// TextOrNone writes a field that an empty text leaves out.
func (o *Object) TextOrNone(name, text string) {
	if text != "" {
		o.Text(name, text)
	}
}

// Number writes a field with a number in quotes, as decimal writes itself.
func (o *Object) Number(name string, number decimal.Decimal) {
	o.Field(name)
	o.To = append(AppendNumber(append(o.To, '"'), number), '"')
}

// NumberOrNone writes a field that 0 leaves out.
func (o *Object) NumberOrNone(name string, number decimal.Decimal) {
	if !number.IsZero() {
		o.Number(name, number)
	}
}

// True writes a field that false leaves out.
func (o *Object) True(name string, is bool) {
	if is {
		o.Field(name)
		o.To = append(o.To, "true"...)
	}
}

// List writes a field that an empty list leaves out.
func List[T any](o *Object, name string, list []T, each func(to []byte, one T) []byte) {
	if len(list) == 0 {
		return
	}
	o.Field(name)
	o.To = append(o.To, '[')
	for i, one := range list {
		if i > 0 {
			o.To = append(o.To, ',')
		}
		o.To = each(o.To, one)
	}
	o.To = append(o.To, ']')
}
