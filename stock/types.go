package stock

import (
	"time"

	"github.com/shopspring/decimal"
)

// Match says which key of an item is compared with which key of a product.
type Match string

// The keys an item can be matched by.
const (
	ByNumber Match = "number" // KROS itemCode = product number
	ByEAN    Match = "ean"    // KROS EAN = product EAN, compared as GTIN-14
)

// Other is the key that was not chosen.
func (m Match) Other() Match {
	if m == ByEAN {
		return ByNumber
	}
	return ByEAN
}

// Combine says how the quantities of several warehouses become one.
type Combine string

// The ways to combine warehouses.
const (
	Max Combine = "max" // the largest single warehouse, not added up
	Sum Combine = "sum"
)

// Missing says what happens to a product whose item KROS does not show any more.
type Missing string

// What can happen to products of missing items.
const (
	MissingKeep Missing = "keep"
	MissingZero Missing = "zero"
)

// Rules are the settings of a shop that decide what is written. They travel
// with a pass as values; no secret may enter.
type Rules struct {
	Match        Match            `json:"match"`
	Quantity     Combine          `json:"quantity"`
	Warehouses   []string         `json:"warehouses,omitempty"` // none: all
	Buffer       decimal.Decimal  `json:"buffer"`
	Decimals     int32            `json:"decimals"`
	UnitDecimals map[string]int32 `json:"unitDecimals,omitempty"` // by measure unit, trimmed
	SoldHold     time.Duration    `json:"soldHold"`
	Missing      Missing          `json:"missing"`
	Guard        Guard            `json:"guard"`

	// Items are rules for single items, by code in NFC and trimmed. There may be
	// thousands, so they do not travel: each worker reads them from its files.
	Items map[string]ItemRule `json:"-"`
}

// ItemRule settles for one item what keys and the rules of the shop cannot.
type ItemRule struct {
	Products []string         `json:"products,omitempty"` // numbers of the products that it belongs to; none: by its key
	Buffer   *decimal.Decimal `json:"buffer,omitempty"`   // instead of Rules.Buffer
	Pack     decimal.Decimal  `json:"pack,omitzero"`      // how many of KROS's unit one of the shop's holds; 0 means 1
	Ignore   bool             `json:"ignore,omitempty"`   // never written, and not on the worklist
}

// Guard holds the thresholds above which a plan waits for a person. The
// fractions are of 1: 0.3 is 30 %.
type Guard struct {
	MaxZeroed    float64 `json:"maxZeroed"`
	MaxChanged   float64 `json:"maxChanged"`
	MinItems     int     `json:"minItems"`
	MinCatalogue float64 `json:"minCatalogue"`
}

// Item is one row of KROS's catalogue, as it was read: nothing is trimmed,
// rounded or floored.
type Item struct {
	Code    string `json:"code"`
	Name    string `json:"name,omitempty"`
	EAN     string `json:"ean,omitempty"`
	Unit    string `json:"unit,omitempty"`
	Rows    []Row  `json:"rows,omitempty"`
	Tracked bool   `json:"tracked,omitempty"` // has warehouse rows, or had them in an accepted snapshot before
}

// Row is the quantity of an item in one warehouse.
type Row struct {
	Warehouse string          `json:"warehouse"`
	Quantity  decimal.Decimal `json:"quantity"`
}

// Product is a product (or a variant) of the shop, as it was read.
type Product struct {
	ID       string          `json:"id"`
	Number   string          `json:"number,omitempty"`
	EAN      string          `json:"ean,omitempty"`
	Name     string          `json:"name,omitempty"`
	Quantity decimal.Decimal `json:"quantity"`
	Tracked  bool            `json:"tracked"`            // false: the shop keeps no stock for it
	ParentID string          `json:"parentId,omitempty"` // a variant's product
}

// Outcome is what became of an item. Every item of a sweep ends in exactly one.
type Outcome string

// The outcomes of an item.
const (
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
	Unmatched Outcome = "unmatched"
	Ambiguous Outcome = "ambiguous"
	Skipped   Outcome = "skipped"
	Rejected  Outcome = "rejected"
	Held      Outcome = "held"
)

// Counts are the numbers of a plan or of a finished pass. The outcomes count
// items and add up to KrosItems; Missing stands beside that sum. The rest
// counts products: Raised + Lowered is what changes, Zeroed are those of
// Lowered that go from above 0 to 0.
type Counts struct {
	KrosItems int `json:"krosItems"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Unmatched int `json:"unmatched"`
	Ambiguous int `json:"ambiguous"`
	Skipped   int `json:"skipped"`
	Rejected  int `json:"rejected"`
	Held      int `json:"held"`
	Missing   int `json:"missing"`
	Products  int `json:"products"`
	Raised    int `json:"raised"`
	Lowered   int `json:"lowered"`
	Zeroed    int `json:"zeroed"`
	Shared    int `json:"shared"`
	Conflicts int `json:"conflicts"`
}

// Sample is one example of an outcome, for people.
type Sample struct {
	Item       string `json:"item"`
	Name       string `json:"name,omitempty"`
	Key        string `json:"key,omitempty"`
	Product    string `json:"product,omitempty"`
	ReasonCode string `json:"reasonCode,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

// Samples are at most MaxSamples examples for each outcome but updated and
// unchanged, and for "missing".
type Samples map[string][]Sample

// MaxSamples is how many examples of one outcome travel with a report.
const MaxSamples = 5
