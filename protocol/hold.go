package protocol

import "github.com/shopspring/decimal"

// InspectHeld asks Inspect for the HeldRows of the plan that Ref points to;
// InspectPage.Counts are those of all of them.
const InspectHeld = "held"

// HeldRow is a product that waits for a person, as the plan that is held has it.
type HeldRow struct {
	Item        string          `json:"item"`
	Name        string          `json:"name"`
	Product     string          `json:"product"`
	ProductName string          `json:"productName"`
	Has         decimal.Decimal `json:"has"`   // what the shop had when it was planned
	Wants       decimal.Decimal `json:"wants"` // what it gets once it is approved
	Kros        decimal.Decimal `json:"kros"`  // what KROS gives; more than Wants where sales are not booked yet
}
