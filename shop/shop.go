// Package shop is the port to an e-shop: what Skladom needs of any shop,
// whatever software it runs on. Drivers live in packages below; shop/shoptest
// is the suite that every driver passes.
//
// Nothing of Temporal, of KROS or of the configuration may enter.
package shop

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/stock"
)

// MaxBatch is how many keys or changes one call of a driver takes at most.
const MaxBatch = 500

// Shop is an e-shop whose stock is kept. Its errors are *Error, or what the
// context says where it ended; a driver asks once and leaves repeating to
// LookupAll, ListAll and Write. It is safe for concurrent use.
type Shop interface {
	// Check tries the connection and says which shop answers.
	Check(ctx context.Context) (Identity, error)
	// Lookup returns the products whose number or EAN is one of keys, in any
	// order. A key that no product has is absent from the answer; one key may
	// have several products. At most MaxBatch keys; values are compared
	// exactly after trimming, so the caller sends every written form.
	Lookup(ctx context.Context, by stock.Match, keys []string) ([]stock.Product, error)
	// List returns a page of all products, in an order of the shop's own, and
	// the cursor of the next page, empty after the last one. The first page has
	// the empty cursor. At most MaxBatch products, and possibly none.
	List(ctx context.Context, cursor string) (products []stock.Product, next string, err error)
	// SetStock sets absolute quantities and returns one result a change, in
	// their order. A bad change never fails the others. At most MaxBatch.
	// idempotencyKey names this very request: a repeat of it is harmless.
	SetStock(ctx context.Context, idempotencyKey string, changes []Change) ([]Result, error)
}

// Identity is who a shop says it is.
type Identity struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Products int    `json:"products,omitempty"` // 0 where the shop does not tell
}

// Change asks for the absolute Quantity of a product that is to be written
// only where the shop still has Expected.
type Change struct {
	ID       string
	Quantity decimal.Decimal
	Expected decimal.Decimal
}

// Result is what the shop answered to a Change. Quantity is what the shop has
// now, nil where it did not tell.
type Result struct {
	ID       string
	Status   Status
	Quantity *decimal.Decimal
	Reason   string
	// Repeated tells that the request was sent before without an answer: the
	// shop may have carried it out then.
	Repeated bool
}

// Status is the shop's answer to one change.
type Status string

// The answers to a change.
const (
	Updated   Status = "updated"
	Unchanged Status = "unchanged"
	Conflict  Status = "conflict" // the shop does not have Expected any more
	Rejected  Status = "rejected"
)
