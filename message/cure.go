package message

import (
	"fmt"
	"strings"

	"github.com/skladom/skladom/stock"
)

// CureOf says what to do about one item that is not written, or not as planned,
// for each reason code of package stock; empty for a code that it does not
// know. by is the key in use.
func CureOf(code string, by stock.Match, shop string) string {
	if c, ok := cures[code]; ok {
		return c.by(by)
	}
	if code == stock.ReasonNoItem { // of a product
		return productCures[code].by(by)
	}
	short := remedy(code, by, shop)
	if short == "" {
		return ""
	}
	return strings.ToUpper(short[:1]) + short[1:] + "."
}

// remedy is the cure in so few words that it ends a sentence. Cenník is what
// KROS calls the list of its items.
func remedy(code string, by stock.Match, shop string) string {
	key := cureKey(by)
	switch code {
	case stock.ReasonDuplicateCode:
		return "give each of them an item code of its own in KROS (Cenník)"
	case stock.ReasonSharedKey:
		return fmt.Sprintf("give one of them another %s in KROS (Cenník)", key.item)
	case stock.ReasonTooManyProducts:
		return fmt.Sprintf("give products that are something else another %s in the e-shop", key.product)
	case stock.ReasonNotStock:
		return "if it is goods, receive it into a warehouse in KROS; a service may stay as it is"
	case stock.ReasonNoKey:
		return fmt.Sprintf("enter its %s in KROS (Cenník)", key.item)
	case stock.ReasonPlaceholderEAN, stock.ReasonSpreadsheetEAN:
		return "enter all digits of its EAN in KROS (Cenník), and the same in the e-shop"
	case stock.ReasonUntracked:
		return "let the e-shop keep stock for the product"
	case stock.ReasonParent:
		return fmt.Sprintf("give each variant in the e-shop the %s of its own item in KROS (Cenník)", key.item)
	case stock.ReasonNoProduct:
		return fmt.Sprintf("give the product in the e-shop this %s, or pair the two in the items file", key.product)
	case stock.ReasonIgnored:
		return "to have it written, take ignore off its row in the items file"
	case stock.ReasonPaired:
		return "take that product off the other item's row in the items file, or leave it so"
	case stock.ReasonHeldZeroed, stock.ReasonHeldChanged, stock.ReasonHeldCatalogue:
		return fmt.Sprintf("if it is right, run: skladom approve %s; if not, mend it in KROS, or keep what the e-shop has: skladom dismiss %s", shop, shop)
	case stock.ReasonDismissed:
		return "to have it written after all, change the quantity in KROS"
	case stock.ReasonRejected:
		return "look at the product in the e-shop; the next pass tries again"
	case stock.ReasonConflict, stock.ReasonNotWritten:
		return "nothing needs to be done: the next pass tries again"
	case stock.ReasonMissingKept:
		return `if it is gone for good, set the product to 0 in the e-shop, or missing = "zero"; if not, look in KROS (Cenník) why it is not shown`
	case stock.ReasonMissingZeroed:
		return `if the product is still sold, look in KROS (Cenník) why the item is not shown, or set missing = "keep"`
	}
	return ""
}

// keyLabels are what the two sides call the key in use.
type keyLabels struct{ item, product string }

func cureKey(by stock.Match) keyLabels {
	if by == stock.ByEAN {
		return keyLabels{"EAN", "EAN"}
	}
	return keyLabels{"item code", "product number"}
}

// cured are the reasons whose own sentence says what to do or to expect.
var cured = map[string]bool{
	stock.ReasonPlaceholderEAN: true,
	stock.ReasonSpreadsheetEAN: true,
	stock.ReasonConflict:       true,
	stock.ReasonNotWritten:     true,
}
