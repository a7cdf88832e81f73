package quickjson

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Names are the names of fields that somebody reads.
type Names []string

// Of is which of the names an object's field has, "" for none: written exactly
// so, else without regard to case, as encoding/json compares. field is as it is
// written, quotes included.
func (n Names) Of(field []byte) string {
	plain := field[1 : len(field)-1]
	for _, name := range n {
		if string(plain) == name {
			return name
		}
	}
	// The error is that something was replaced that is in no name.
	unquoted, _ := jsontext.AppendUnquote(nil, field)
	for _, name := range n {
		if strings.EqualFold(string(unquoted), name) {
			return name
		}
	}
	return ""
}
