package stock

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// gtinDigits is the length in which EANs are compared (GTIN-14).
const gtinDigits = 14

// eanForms are the lengths in which one and the same EAN is written: EAN-8,
// UPC-A, EAN-13 and GTIN-14.
var eanForms = []int{8, 12, 13, gtinDigits}

// spreadsheetEAN is what a spreadsheet leaves of a long number: its last
// digits are lost, so it names no product.
var spreadsheetEAN = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+?[0-9]{1,2}$`)

// CleanKey is a key without the invisible characters around it (Unicode
// spaces, zero-width space, word joiner, byte order mark) and in NFC. Warehouse
// and item codes are compared in this form, too.
func CleanKey(key string) string {
	if plain(key) {
		return key
	}
	return norm.NFC.String(strings.TrimFunc(key, invisible))
}

// plain tells whether a key is clean at first sight: ASCII, and no spaces.
func plain(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}

// GTIN is the form in which EANs are compared: up to 14 digits are filled with
// zeros on the left to 14, anything else is compared as CleanKey leaves it.
func GTIN(ean string) string {
	ean = CleanKey(ean)
	if !onlyDigits(ean) {
		return ean
	}
	return fillZeros(ean, gtinDigits)
}

// LookupKeys are the values a shop is asked for to find the products of items
// by this key: every form in which a usable key may be written there, sorted,
// each once. Items without a usable key ask for nothing.
func LookupKeys(match Match, items []Item) []string {
	asked := slices.Grow([]string(nil), len(items))
	for _, item := range items {
		raw := rawKey(match, item.Code, item.EAN)
		switch {
		case keyOf(match, item).fault != "":
		case match != ByEAN && plain(raw): // it is written in one way
			asked = append(asked, raw)
		default:
			asked = append(asked, writtenForms(match, raw)...)
		}
	}
	slices.Sort(asked)
	return slices.Compact(asked)
}

// key is what an item is matched by.
type key struct {
	written string // for people: trimmed, in NFC
	compare string // equal for equal keys; empty where there is a fault
	fault   string // the reason code why it is no key
}

// keyOf reads the key of an item and says what is wrong with it.
func keyOf(match Match, item Item) key {
	written := CleanKey(rawKey(match, item.Code, item.EAN))
	k := key{written: written}
	switch {
	case written == "" || written == "-" || written == "0":
		k.fault = ReasonNoKey
	case match != ByEAN && repeats(written, "0"):
		k.fault = ReasonNoKey
	case match == ByEAN && onlyDigits(written) && repeats(written, written[:1]):
		k.fault = ReasonPlaceholderEAN
	case match == ByEAN && spreadsheetEAN.MatchString(written):
		k.fault = ReasonSpreadsheetEAN
	default:
		k.compare = comparison(match, written)
	}
	return k
}

// productKey is the form in which a product's key is compared with key.compare.
func productKey(match Match, product Product) string {
	return comparison(match, rawKey(match, product.Number, product.EAN))
}

func rawKey(match Match, number, ean string) string {
	if match == ByEAN {
		return ean
	}
	return number
}

func comparison(match Match, key string) string {
	if match == ByEAN {
		return GTIN(key)
	}
	return CleanKey(key)
}

// writtenForms lists how a shop may have written a key. A shop compares
// exactly, so what is equal to us has to be asked for in each form. Leading
// zeros are also left out altogether, as spreadsheets do on import.
func writtenForms(match Match, raw string) []string {
	clean := CleanKey(raw)
	if match != ByEAN || !onlyDigits(clean) || len(clean) > gtinDigits {
		return []string{clean, strings.Trim(raw, " \t\r\n"), norm.NFD.String(clean)}
	}
	significant := strings.TrimLeft(clean, "0")
	forms := []string{clean, significant}
	for _, digits := range eanForms {
		if len(significant) <= digits {
			forms = append(forms, fillZeros(significant, digits))
		}
	}
	return forms
}

func invisible(r rune) bool {
	return unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' || r == '\ufeff'
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func repeats(s, what string) bool { return strings.Trim(s, what) == "" }

func fillZeros(digits string, length int) string {
	if missing := length - len(digits); missing > 0 {
		return strings.Repeat("0", missing) + digits
	}
	return digits
}
