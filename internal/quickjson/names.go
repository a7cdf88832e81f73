package quickjson

import "strings"

// Names are the names of fields that somebody reads.
type Names []string

// Of is which of the names an object's field has, "" for none: written exactly
// so, else without regard to case, as encoding/json compares.
func (n Names) Of(field []byte) string {
	for _, name := range n {
		if string(field) == name {
			return name
		}
	}
	for _, name := range n {
		if strings.EqualFold(string(field), name) {
			return name
		}
	}
	return ""
}
