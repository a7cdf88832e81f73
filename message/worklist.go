package message

import (
	"strings"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// NoCatalogue says that there is nothing yet to make a worklist of.
func NoCatalogue(shop string) *protocol.Failure {
	return &protocol.Failure{
		Message: "KROS's catalogue was not read for " + shop + " yet, so there is nothing to compare the e-shop with.",
		Hint:    "Read it without changing anything: skladom activate " + shop + " --dry-run. Where the connection is active, run a pass: skladom sync " + shop,
	}
}

// Cure says what a person can do about a row of the worklist. It speaks of all
// rows of its kind and reason alike.
func Cure(row stock.WorkRow, match stock.Match) string {
	if row.Kind == stock.WorkNoItem {
		return productCures[row.ReasonCode].by(match)
	}
	return cures[row.ReasonCode].by(match)
}

// cure is what to do where items are matched by number and by EAN.
type cure struct{ number, ean string }

func always(text string) cure { return cure{text, text} }

func (c cure) by(match stock.Match) string {
	return lo.Ternary(match == stock.ByEAN, c.ean, c.number)
}

const untracking = " Where KROS keeps no stock of it, switch off stock keeping for the product in the e-shop."

const ignoring = " What the e-shop is not to sell: ignore it in the items file."

var cures = map[string]cure{
	stock.ReasonNoProduct: {
		"Give the product in the e-shop the item code of KROS as its number, or pair the two in the items file." + ignoring,
		"Give item and product the same EAN, or pair the two in the items file." + ignoring,
	},
	stock.ReasonPaired: always("Mend the items file, which gives this product to another item, or find the item a product of its own." + ignoring),
	stock.ReasonNoKey: {
		"Give the item a code in KROS, the number of its product.",
		"Enter the EAN of the item in KROS, or pair it with its product in the items file." + ignoring,
	},
	stock.ReasonPlaceholderEAN:  always("Enter the real EAN in KROS, or pair the item with its product in the items file." + ignoring),
	stock.ReasonSpreadsheetEAN:  always("Enter all digits of the EAN in KROS; in the spreadsheet it came from, make the column text."),
	stock.ReasonUntracked:       always("Let the e-shop keep stock of the product, or, if that is right as it is, ignore the item in the items file."),
	stock.ReasonParent:          always("Stock is kept by the variants: in KROS each of them needs an item of its own. The item of the whole product: ignore it in the items file."),
	stock.ReasonDuplicateCode:   always("Give each item a code of its own in KROS, or delete the one that is too many."),
	stock.ReasonSharedKey:       {"Give each item a code of its own in KROS.", "Find out in KROS which item the EAN belongs to, and take it off the others; or ignore those, or pair each with its product, in the items file."},
	stock.ReasonTooManyProducts: {"Give the products of the e-shop numbers of their own; at most 10 can share one.", "Give the products of the e-shop their own EANs; at most 10 can share one."},
	stock.ReasonMissingKept:     always("Look for the item in KROS: was it deleted, archived, or given another code? Where it is gone for good, set the stock in the e-shop by hand or take the product off."),
	stock.ReasonMissingZeroed:   always("The item was deleted in KROS, and its product went to 0. Take the product off the e-shop, or enter the item again."),
}

var productCures = map[string]cure{
	stock.ReasonNoItem: {
		"Enter the item in KROS with the product's number as its code, or pair the two in the items file." + untracking,
		"Enter the product's EAN at its item in KROS, or pair the two in the items file." + untracking,
	},
	stock.ReasonNoKey: {
		"Enter the item code of KROS as the product's number in the e-shop." + untracking,
		"Enter the product's EAN in the e-shop, or pair it with its item in the items file." + untracking,
	},
	stock.ReasonPlaceholderEAN: always("Enter the real EAN of the product in the e-shop, or pair it with its item in the items file."),
	stock.ReasonSpreadsheetEAN: always("Enter all digits of the EAN in the e-shop; in the spreadsheet it came from, make the column text."),
}

// WorkTitle names what the rows of a reason have in common.
func WorkTitle(row stock.WorkRow, match stock.Match) string {
	key := lo.Ternary(match == stock.ByEAN, "EAN", "number")
	if row.Kind == stock.WorkNoItem {
		switch row.ReasonCode {
		case stock.ReasonNoKey:
			return "the product has no " + key
		case stock.ReasonPlaceholderEAN:
			return "the product's EAN is a placeholder"
		case stock.ReasonSpreadsheetEAN:
			return "the product's EAN lost its digits in a spreadsheet"
		}
		return "no item of KROS has this " + lo.Ternary(match == stock.ByEAN, "EAN", "item code")
	}
	if title, ok := workTitles[row.ReasonCode]; ok {
		return title.by(match)
	}
	return row.Reason
}

var workTitles = map[string]cure{
	stock.ReasonNoProduct:       {"no product of the e-shop has the item code as its number", "no product of the e-shop has this EAN"},
	stock.ReasonPaired:          always("the items file gives its product to another item"),
	stock.ReasonNoKey:           {"the item has no code in KROS", "the item has no EAN in KROS"},
	stock.ReasonPlaceholderEAN:  always("the item's EAN is a placeholder"),
	stock.ReasonSpreadsheetEAN:  always("the item's EAN lost its digits in a spreadsheet"),
	stock.ReasonUntracked:       always("the e-shop keeps no stock of the product"),
	stock.ReasonParent:          always("the product has variants, and they keep the stock"),
	stock.ReasonDuplicateCode:   always("several items of KROS have one code"),
	stock.ReasonSharedKey:       {"several items of KROS have one code", "several items of KROS have one EAN"},
	stock.ReasonTooManyProducts: {"more than 10 products of the e-shop have one number", "more than 10 products of the e-shop have one EAN"},
	stock.ReasonMissingKept:     always("KROS does not show the item any more"),
	stock.ReasonMissingZeroed:   always("KROS does not have the item any more; its product went to 0"),
}

// HintText says why an item and a product may belong together.
func HintText(h stock.Hint, match stock.Match) string {
	return strings.Join(lo.Map(h.Why, func(why stock.Why, _ int) string { return whys[why].by(match) }), ", ")
}

var whys = map[stock.Why]cure{
	stock.WhyOtherKey: {"same EAN", "number is the item code"},
	stock.WhySpelling: {"differs in case, spaces or leading zeros", "differs in spaces or leading zeros"},
	stock.WhyCut:      always("KROS cut the code at 25 characters"),
	stock.WhyDigit:    always("one digit differs"),
	stock.WhyName:     always("same name"),
}
