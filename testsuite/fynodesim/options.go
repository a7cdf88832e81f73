package fynodesim

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/shopspring/decimal"
)

// Options say what a simulated shop holds and how it behaves. The zero value
// is an empty shop that accepts no token.
type Options struct {
	Products []Product
	Token    string // the only token that is accepted
	ID       string // who the shop says it is; "": "sim"
	Name     string // "": "Simulated shop"

	RequestsPerSecond int // more in any second are answered with 429; 0: any number
	Latency           time.Duration
	Now               func() time.Time // nil: the machine's clock

	Switches
}

// Switches are what differs between shops. The zero value is a shop that does
// what the contract asks.
type Switches struct {
	Rejected         []string // ids of products whose every change is rejected
	NumbersAsStrings bool     // answers carry quantities as "12.5"
	ForgetsKeys      bool     // a repeated Idempotency-Key is carried out again
	HidesQuantity    bool     // results do not tell what the shop has now
}

// Product is a product, or a variant, of the shop.
type Product struct {
	ID       string          `json:"id"`
	Number   string          `json:"number,omitempty"`
	EAN      string          `json:"ean,omitempty"`
	Name     string          `json:"name,omitempty"`
	Quantity decimal.Decimal `json:"quantity"`
	Tracked  *bool           `json:"tracked,omitempty"`  // nil: not told, which means true
	ParentID string          `json:"parentId,omitempty"` // the product of which this one is a variant
}

// MarshalJSON writes the quantity as a JSON number.
func (p Product) MarshalJSON() ([]byte, error) {
	type plain Product
	return json.Marshal(struct {
		plain
		Quantity json.Number `json:"quantity"`
	}{plain(p), number(p.Quantity)})
}

// LoadProducts reads a shop: a JSON list of products.
func LoadProducts(r io.Reader) ([]Product, error) {
	var products []Product
	if err := json.NewDecoder(r).Decode(&products); err != nil {
		return nil, fmt.Errorf("read the products of the shop: %w", err)
	}
	return products, nil
}

func number(d decimal.Decimal) json.Number { return json.Number(d.String()) }
