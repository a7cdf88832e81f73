package protocol

import (
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/stock"
)

// InspectRows asks Inspect for PlanRows: Ref is a plan and Catalogue the
// catalogue that it was made of.
const InspectRows = "rows"

// PlanRow is what a plan says of a product that would change or that keeps
// another quantity than KROS gives, or of an item that is not written; that one
// has no product and no quantities of the shop.
type PlanRow struct {
	Item        string           `json:"item"`
	Name        string           `json:"name"`
	Product     string           `json:"product,omitempty"`
	Warehouses  []stock.Row      `json:"warehouses"` // as KROS gave them
	Kros        *decimal.Decimal `json:"kros"`       // what the rules make of them; nil: no product gets it
	ShopNow     *decimal.Decimal `json:"shopNow"`
	WouldBecome *decimal.Decimal `json:"wouldBecome"`
	Outcome     string           `json:"outcome"` // of the item, or "missing"
	ReasonCode  string           `json:"reasonCode,omitempty"`
	Why         string           `json:"why"`
}
