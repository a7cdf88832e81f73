// Package quickjson reads large amounts of JSON in one pass and into little
// memory: texts that are read together lie together, and quantities that come
// again and again are kept once. What it reads is what encoding/json would read
// into fields of the same names.
//
// It knows no format of anybody. Nothing of KROS, of a shop or of the archive
// may enter.
package quickjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-faster/jx"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// Value is a JSON value as it is written. It is valid until the next Reset.
type Value []byte

// ErrSyntax is in every error that tells of a text that is no JSON.
var ErrSyntax = errors.New("this is no JSON")

const (
	// chunk is how much text lies in one piece of memory. A text that is kept
	// keeps its neighbours too: those are of the same rows.
	chunk = 8 << 10
	// maxShared is the longest text that is put beside others.
	maxShared = 1 << 10
	// maxNumbers is how many different numbers are remembered.
	maxNumbers = 4096
	// maxRemembered is the longest of them; stock is a matter of a few digits.
	maxRemembered = 12
)

// Reader reads one text after the other. Texts and numbers that it returns stay
// valid. The zero value is ready for Reset; it is not safe for concurrent use.
type Reader struct {
	decoder jx.Decoder
	text    strings.Builder
	numbers map[string]decimal.Decimal
	scratch []byte
}

// Reset turns to a text, which must not change while it is read. With nil the
// reader lets go of the one before.
func (r *Reader) Reset(text []byte) {
	if cap(r.scratch) > chunk {
		r.scratch = nil
	}
	r.decoder.ResetBytes(text)
}

// End makes sure that nothing but white space follows.
func (r *Reader) End() error {
	switch err := r.decoder.Skip(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return syntax(err)
	}
	return fmt.Errorf("%w: something follows", ErrSyntax)
}

// begins are the first characters of what a value can be.
var begins = [...]byte{jx.Invalid: 0, jx.Object: '{', jx.Array: '[', jx.String: '"', jx.Number: '0', jx.Bool: 't', jx.Null: 'n'}

// Next is the first character of the next value; '0' stands for any number, 't'
// for false as well, 0 for what is no JSON.
func (r *Reader) Next() byte { return begins[r.decoder.Next()] }

// Value reads any value, with all that is in it.
func (r *Reader) Value() (Value, error) {
	r.decoder.Next() // passes over white space, which would be a part of the value
	value, err := r.decoder.Raw()
	return Value(value), syntax(err)
}

// Object reads an object; field is called at each of its fields, with the name
// as it is written between its quotes, and has to read the value.
func (r *Reader) Object(field func(name []byte) error) error {
	if r.decoder.Next() != jx.Object {
		return r.another("an object")
	}
	fields, err := r.decoder.ObjIter()
	if err != nil {
		return syntax(err)
	}
	for fields.Next() {
		if err := field(fields.Key()); err != nil {
			return err
		}
	}
	return syntax(fields.Err())
}

// List reads a list; element is called at each of its elements and has to read
// it.
func (r *Reader) List(element func() error) error {
	if r.decoder.Next() != jx.Array {
		return r.another("a list")
	}
	elements, err := r.decoder.ArrIter()
	if err != nil {
		return syntax(err)
	}
	for elements.Next() {
		if err := element(); err != nil {
			return err
		}
	}
	return syntax(elements.Err())
}

// another is the error where something else was expected.
func (r *Reader) another(expected string) error {
	value, err := r.Value()
	if err != nil {
		return err
	}
	return fmt.Errorf("%.20s is not %s", value, expected)
}

// syntax marks an error of the decoder. What it wrapped around it tells of each
// of the lists and objects that are open, and there may be thousands.
func syntax(err error) error {
	if err == nil {
		return nil
	}
	cause := err
	for inner := cause; inner != nil; inner = errors.Unwrap(inner) {
		cause = inner
	}
	if errors.Is(cause, io.EOF) { // who asks for a value expects one
		cause = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrSyntax, cause)
}

// Text is what a JSON string says. What is not UTF-8 in it becomes U+FFFD.
func (r *Reader) Text(value Value) (string, error) {
	if len(value) < 2 || value[0] != '"' {
		return "", fmt.Errorf("%.20s is no text", value)
	}
	plain := value[1 : len(value)-1]
	if bytes.IndexByte(plain, '\\') >= 0 || !utf8.Valid(plain) {
		// The error is that something was replaced.
		r.scratch, _ = jsontext.AppendUnquote(r.scratch[:0], value)
		plain = r.scratch
	}
	return r.Keep(plain), nil
}

// Keep is text as a string.
func (r *Reader) Keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if len(text) > maxShared {
		return string(text)
	}
	if r.text.Cap()-r.text.Len() < len(text) {
		r.text = strings.Builder{}
		r.text.Grow(chunk)
	}
	begin := r.text.Len()
	r.text.Write(text)
	return r.text.String()[begin:]
}

// Number is a decimal number, as decimal.NewFromString reads it.
func (r *Reader) Number(written []byte) (decimal.Decimal, error) {
	if known, ok := r.numbers[string(written)]; ok {
		return known, nil
	}
	number, err := decimal.NewFromString(string(written))
	if err != nil {
		return decimal.Decimal{}, err
	}
	if len(written) <= maxRemembered && len(r.numbers) < maxNumbers {
		if r.numbers == nil {
			r.numbers = map[string]decimal.Decimal{}
		}
		r.numbers[string(written)] = number
	}
	return number, nil
}
