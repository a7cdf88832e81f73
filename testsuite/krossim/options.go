package krossim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Options say what a simulated KROS holds and how it behaves. The zero value
// is an empty company with KROS's own limits that accepts no token.
type Options struct {
	Items []Item
	Token string // the only token that is accepted

	PerSecond int  // requests in any second; 0: 10
	PerMinute int  // requests in any minute; 0: 300
	NoLimits  bool // accept any number of requests

	WebhookURL string // where notifications go; none are sent without it
	WebhookKey string // the authorization key they are signed with
	// WebhookWait is the time before a notification that was not answered
	// with 200 is repeated, doubled each time; 0: one second.
	WebhookWait time.Duration

	Latency time.Duration // how long each answer takes
	Now     func() time.Time
	Client  *http.Client // sends the notifications; nil: one with a time-out
	Seed    uint64       // of everything that happens by chance

	Switches
}

// Switches are what is unknown about KROS, or differs between companies. The
// zero value is what is thought most likely.
type Switches struct {
	NumbersAsStrings bool        // quantities as "12.5"
	EANField         string      // name of the EAN's field; "": eanCode
	NoAPIAccess      NoAPIAccess // which requests show that the plan lacks the API
	NoStockModule    bool        // items come without warehouses
	MovingRows       int         // rows that change places after each answer of the list
	Shuffle          bool        // the whole list is shuffled after each answer
	LimitPer         LimitPer    // whom the limits count for; "": the token
	RejectedCount    bool        // a request answered with 429 counts towards the limits too
	RetryAfter       RetryAfter  // what a 429 carries; "": seconds
	ItemCodeSearches bool        // ItemCode= also finds codes that only contain it
	QuantityTouches  bool        // a changed quantity moves an item's change timestamp
	UnknownFields    bool        // fields nobody has heard of in every item, and beside data
}

// NoAPIAccess says where a company without API access gets its 402.
type NoAPIAccess string

// Where a 402 can show.
const (
	AccessGranted  NoAPIAccess = ""
	RefusedAtCheck NoAPIAccess = "check"   // at auth/check and everywhere else
	RefusedAtItems NoAPIAccess = "catalog" // auth/check still says 200
)

// LimitPer says for whom KROS counts requests.
type LimitPer string

// For whom requests can be counted.
const (
	PerToken   LimitPer = "token"
	PerAddress LimitPer = "address"
)

// RetryAfter is the form of a 429's header Retry-After.
type RetryAfter string

// The forms of Retry-After.
const (
	RetrySeconds RetryAfter = "seconds"
	RetryDate    RetryAfter = "date"
	RetryAbsent  RetryAfter = "none"
)

// Item is a row of the catalogue as KROS sends it. Warehouses nil is a row
// without that field, empty is an empty list.
type Item struct {
	ItemCode       string      `json:"itemCode"`
	Name           string      `json:"name"`
	EANCode        string      `json:"eanCode,omitempty"`
	MeasureUnit    string      `json:"measureUnit,omitempty"`
	Warehouses     []Warehouse `json:"warehouses,omitzero"`
	MarkedForEshop bool        `json:"markedForEshop,omitempty"`
	ChangedAt      time.Time   `json:"changedAt,omitzero"` // what CatalogItemChangedTimestamp compares with; never sent
}

// Warehouse is the quantity of an item in one warehouse, written as KROS would.
type Warehouse struct {
	Code           string      `json:"code"`
	QuantityOnHand json.Number `json:"quantityOnHand"`
}

// LoadItems reads a catalogue: a JSON list of items as KROS sends them.
func LoadItems(r io.Reader) ([]Item, error) {
	var items []Item
	if err := json.NewDecoder(r).Decode(&items); err != nil {
		return nil, fmt.Errorf("read the catalogue of KROS: %w", err)
	}
	return items, nil
}
