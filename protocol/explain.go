package protocol

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/stock"
)

// Explain is the workflow that says why an item has its quantity.
const Explain = "Explain"

// ExplainID is the id of a look at one item.
func ExplainID(shop, unique string) string { return "explain:" + shop + ":" + unique }

// Bounds of an explanation, so that it stays far below Temporal's payload limit.
const (
	MaxExplainedChanges    = 50
	MaxExplainedProducts   = stock.MaxProducts
	MaxExplainedWarehouses = 50
)

// ExplainRequest asks why an item has its quantity: Item is an item code, an
// EAN, or the id or number of a product. With Pass it is told from what the
// archive has of that pass, else from a dry run.
type ExplainRequest struct {
	Shop string `json:"shop"`
	Item string `json:"item"`
	Pass int64  `json:"pass,omitempty"`
}

// ExplainItemRequest is what Explain found out before it looks at the item.
// Without a plan the archive tells, and Failure is why there is none.
type ExplainItemRequest struct {
	ExplainRequest
	Settings   Settings  `json:"settings"`   // of the shop's files as they are now; zero where they cannot be read
	Connection string    `json:"connection"` // fingerprint of addresses and keys
	State      State     `json:"state"`      // of the shop
	Plan       Ref       `json:"plan"`       // of the dry run
	Catalogue  Ref       `json:"catalogue"`  // that the plan was made of
	TakenAt    time.Time `json:"takenAt,omitzero"`
	Failure    *Failure  `json:"failure,omitempty"`
}

// Explanation says why an item has its quantity. Quantities are of the moment
// At; what is not known is nil or empty.
type Explanation struct {
	Shop     string    `json:"shop"`
	Asked    string    `json:"asked"`
	Answer   string    `json:"answer"`         // all of it in one sentence
	Cause    Cause     `json:"cause"`          // what the answer rests on
	Note     string    `json:"note,omitempty"` // where it does not speak of now, and what else one should know
	Near     []string  `json:"near,omitempty"` // codes like the one that nobody knows
	Also     []string  `json:"also,omitempty"` // other items that the word means as well
	Pass     int64     `json:"pass"`           // 0: what a pass now would do
	At       time.Time `json:"at"`             // when KROS was read
	Timezone string    `json:"timezone"`       // of the times in Answer and Next

	Item       string           `json:"item"`
	Name       string           `json:"name"`
	EAN        string           `json:"ean"`
	Unit       string           `json:"unit"`
	Key        string           `json:"key"`     // by which products are found
	Outcome    string           `json:"outcome"` // of the item, or "missing"
	ReasonCode string           `json:"reasonCode,omitempty"`
	Reason     string           `json:"reason,omitempty"`
	Cure       string           `json:"cure,omitempty"`
	Kros       *decimal.Decimal `json:"kros"` // what the rules make of the warehouses

	Warehouses []ExplainedWarehouse `json:"warehouses"`
	Rules      ExplainedRules       `json:"rules"`
	Steps      []stock.Step         `json:"steps"` // the rules in order, from the warehouses to Kros
	Products   []ExplainedProduct   `json:"products"`
	Sales      []ExplainedSale      `json:"sales"` // the ledger: sold and not booked, oldest first
	Next       string               `json:"next"`  // what a pass now would do
	Changes    []ItemChange         `json:"changes"`
}

// Cause is what the quantity of an item rests on.
type Cause string

// The causes.
const (
	CauseKros       Cause = "kros"        // what KROS has, by the rules
	CauseSold       Cause = "sold"        // that, without what was sold and is not booked
	CauseHeld       Cause = "held"        // a change waits for a person
	CauseDismissed  Cause = "dismissed"   // a person did not want the change
	CauseRefused    Cause = "refused"     // the e-shop did not take the quantity
	CauseMissing    Cause = "missing"     // KROS does not show the item any more
	CauseNotWritten Cause = "not_written" // for the reason of ReasonCode
	CauseNoItem     Cause = "no_item"     // the e-shop has such a product, KROS no item for it
	CauseUnknown    Cause = "unknown"     // nobody has such an item or product
)

// ExplainedWarehouse is a row of the item as KROS gave it.
type ExplainedWarehouse struct {
	Code     string          `json:"code"`
	Quantity decimal.Decimal `json:"quantity"`
	Counted  bool            `json:"counted"`
}

// ExplainedRules are the settings that made the quantity.
type ExplainedRules struct {
	Match        stock.Match   `json:"match"`
	Quantity     stock.Combine `json:"quantity"`
	Decimals     int32         `json:"decimals"`
	UnitDecimals bool          `json:"unitDecimals"` // they are those of the item's unit
	SoldHold     string        `json:"soldHold"`
	Missing      stock.Missing `json:"missing"`
}

// ExplainedProduct is a product of the item. Left is set, and what the e-shop
// has is not, for one that was in step before and is not any more.
type ExplainedProduct struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	ShopNow     *decimal.Decimal `json:"shopNow"`
	WouldBecome *decimal.Decimal `json:"wouldBecome"`
	Want        *decimal.Decimal `json:"want,omitempty"` // what a held or dismissed one would get
	Held        bool             `json:"held"`
	Dismissed   bool             `json:"dismissed"`
	Approved    bool             `json:"approved"`
	Left        *decimal.Decimal `json:"left,omitempty"` // what a pass left there last
}

// ExplainedSale is a sale that KROS has not booked yet.
type ExplainedSale struct {
	Quantity  decimal.Decimal `json:"quantity"`
	Seen      time.Time       `json:"seen"`
	HeldUntil time.Time       `json:"heldUntil"` // then KROS wins
}

// ItemChange is something that befell an item: one of its products was written
// (quantity), the e-shop did not take a quantity (refused), or the settings
// changed (settings).
type ItemChange struct {
	At      time.Time        `json:"at"`
	Pass    int64            `json:"pass"`
	Trigger Trigger          `json:"trigger,omitempty"`
	By      string           `json:"by,omitempty"`
	Kind    string           `json:"kind"`
	Product string           `json:"product,omitempty"`
	From    *decimal.Decimal `json:"from,omitempty"`
	To      *decimal.Decimal `json:"to,omitempty"`
	Text    string           `json:"text,omitempty"` // why it was refused; which settings changed, and how
}

// The kinds of ItemChange.
const (
	ChangeQuantity = "quantity"
	ChangeRefused  = "refused"
	ChangeSettings = "settings"
)
