package api

import (
	"encoding/json"
	"fmt"
)

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../api.yaml

// Text is a key (an id, a product number, an EAN) that a shop sends as a string
// or as a JSON number. A number keeps its digits as they were written.
type Text string

// UnmarshalJSON takes a string, a number or null.
func (t *Text) UnmarshalJSON(raw []byte) error {
	var number json.Number // takes quoted numbers too, so strings go first
	if raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(t))
	}
	if err := json.Unmarshal(raw, &number); err != nil {
		return fmt.Errorf("neither text nor number: %.40q", raw)
	}
	*t = Text(number)
	return nil
}
