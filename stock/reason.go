package stock

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/samber/lo"
)

// Reason codes: why an item was not written, or not as planned. They are
// stable; the sentences beside them are not.
const (
	ReasonDuplicateCode   = "duplicate_code"
	ReasonSharedKey       = "shared_key"
	ReasonTooManyProducts = "too_many_products"
	ReasonNotStock        = "not_stock"
	ReasonNoKey           = "no_key"
	ReasonPlaceholderEAN  = "placeholder_ean"
	ReasonSpreadsheetEAN  = "spreadsheet_ean"
	ReasonUntracked       = "untracked"
	ReasonParent          = "parent"
	ReasonNoProduct       = "no_product"
	ReasonNoItem          = "no_item" // of a product
	ReasonRejected        = "rejected"
	ReasonConflict        = "conflict"
	ReasonNotWritten      = "not_written"
	ReasonMissingKept     = "missing_kept"
	ReasonMissingZeroed   = "missing_zeroed"
	ReasonPaired          = "paired"
	ReasonIgnored         = "ignored"
	ReasonHeldZeroed      = "held_zeroed"
	ReasonHeldChanged     = "held_changed"
	ReasonHeldCatalogue   = "held_catalogue"
	ReasonDismissed       = "dismissed"
)

const (
	maxOthers  = 20  // how many other items or products a line names
	maxNamed   = 3   // how many of them a sentence names
	maxClipped = 200 // runes of a foreign text in a sample
)

// sentence says in English, to a merchant, what a reason code means for this
// line.
func sentence(code string, match Match, key string, others []string) string {
	switch code {
	case ReasonDuplicateCode:
		return "KROS has several items with this code, also " + names(others)
	case ReasonSharedKey:
		return fmt.Sprintf("%s %s belongs in KROS to %s as well", label(match), key, names(others))
	case ReasonTooManyProducts:
		return fmt.Sprintf("more than %d products of the e-shop have %s %s", MaxProducts, label(match), key)
	case ReasonNotStock:
		return "KROS shows this item in no warehouse, it is not a stock item"
	case ReasonNoKey:
		return "the item has no " + label(match) + " in KROS"
	case ReasonPlaceholderEAN:
		return "EAN " + key + " is a placeholder; enter the real one in KROS"
	case ReasonSpreadsheetEAN:
		return "EAN " + key + " lost its digits in a spreadsheet; enter all of them in KROS"
	case ReasonUntracked:
		return "the e-shop keeps no stock for its product " + names(others)
	case ReasonParent:
		return "product " + names(others) + " has variants, and they keep the stock"
	case ReasonNoProduct:
		return fmt.Sprintf("no product of the e-shop has %s %s", label(match), key)
	case ReasonConflict:
		return "the quantity in the e-shop was changing at the same time; the next pass tries again"
	case ReasonNotWritten:
		return "the pass ended before this product was written; the next pass tries again"
	case ReasonMissingKept:
		return "KROS does not show this item any more; its product keeps its quantity"
	case ReasonIgnored:
		return "the items file says to ignore it"
	case ReasonPaired:
		return fmt.Sprintf("the e-shop's product with %s %s is given to %s in the items file", label(match), key, names(others))
	case ReasonHeldZeroed:
		return "KROS gives " + key + ", but too many products would go to 0 within a day; it waits for approval"
	case ReasonHeldChanged:
		return "KROS gives " + key + ", but too many products would change by more than half at once; it waits for approval"
	case ReasonHeldCatalogue:
		return "KROS gives " + key + ", but its catalogue is another one than before; it waits for approval"
	case ReasonDismissed:
		return "the " + key + " of KROS was dismissed; the product keeps its quantity until KROS shows another one"
	case ReasonMissingZeroed:
		return "KROS does not have this item any more; its product goes to 0"
	}
	return "the e-shop refused the quantity"
}

// productSentence says what a reason code means for a product that has no item.
func productSentence(code string, match Match, key string) string {
	switch code {
	case ReasonNoKey:
		return "the product has no " + productLabel(match) + " in the e-shop"
	case ReasonPlaceholderEAN:
		return "EAN " + key + " of the product is a placeholder"
	case ReasonSpreadsheetEAN:
		return "EAN " + key + " of the product lost its digits in a spreadsheet"
	}
	return fmt.Sprintf("no item of KROS has %s %s", label(match), key)
}

// lostSentence says what items with these keys were in step with, and what that
// is now where it has another key.
func (w worklist) lostSentence(lost []Entry, keys []string) string {
	if len(lost) > 1 {
		return "it was in step with products " + names(lo.Map(lost, func(e Entry, _ int) string { return clip(e.Product) }))
	}
	was := "it was in step with product " + clip(lost[0].Product)
	product, ok := w.byID[lost[0].Product]
	if !ok {
		return was + ", which the e-shop does not have any more"
	}
	key := productKeyOf(w.rules.Match, product).written
	switch {
	case key == "":
		return fmt.Sprintf("%s, which has no %s now", was, productLabel(w.rules.Match))
	case slices.ContainsFunc(keys, func(k string) bool { return comparison(w.rules.Match, k) == comparison(w.rules.Match, key) }):
		return was
	}
	return fmt.Sprintf("%s, which has %s %s now", was, productLabel(w.rules.Match), clip(key))
}

// productLabel is what people call the key of a product.
func productLabel(match Match) string {
	if match == ByEAN {
		return "EAN"
	}
	return "number"
}

// label is what people call the key of an item.
func label(match Match) string {
	if match == ByEAN {
		return "EAN"
	}
	return "item code"
}

// names lists a few of the others, so that a sentence stays one.
func names(others []string) string {
	if len(others) <= maxNamed {
		return strings.Join(others, ", ")
	}
	return fmt.Sprintf("%s and others", strings.Join(others[:maxNamed], ", "))
}

// clip shortens a text that somebody else wrote, so that a report stays small.
func clip(text string) string {
	if utf8.RuneCountInString(text) <= maxClipped {
		return text
	}
	return string([]rune(text)[:maxClipped-1]) + "…"
}
