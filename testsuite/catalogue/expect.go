package catalogue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"golang.org/x/text/unicode/norm"
)

// Settings are what a merchant has set.
type Settings struct {
	Match        string           // "number" or "ean"
	Quantity     string           // "max" or "sum"
	Warehouses   []string         // none: all
	Buffer       string           // "": 0
	Decimals     int32            // of a unit that UnitDecimals does not name
	UnitDecimals map[string]int32 // by measure unit
}

// Expect is Settings.Expect for whole numbers without a buffer.
func Expect(krosJSON, shopJSON []byte, match, quantity string, warehouses []string) map[string]string {
	return Settings{Match: match, Quantity: quantity, Warehouses: warehouses}.Expect(krosJSON, shopJSON)
}

// Expect is the quantity that every product must show after a first pass that
// no guard held; a product that is not to be written keeps what it has. Both
// catalogues are lists as the simulators read them; KROS's may carry quantities
// as strings, and the EAN under any of its three names. The numbers are written
// without zeros at the end. It panics where a list cannot be read.
//
// Left out on purpose, as they need a history: items that had rows before,
// unbooked sales, missing items.
func (s Settings) Expect(krosJSON, shopJSON []byte) map[string]string {
	items := readItems(krosJSON)
	products := readProducts(shopJSON)

	expected := map[string]string{}
	for _, p := range products {
		expected[p.id] = p.quantity.String()
	}
	for id, target := range s.written(items, products) {
		expected[id] = target.Quantity.String()
	}
	return expected
}

// Target is what the rules give a product.
type Target struct {
	Item     string // code of its item, trimmed
	Quantity decimal.Decimal
}

// Targets are the products that a pass may write at all, by id: those of one
// clear item that KROS keeps stock for.
func (s Settings) Targets(krosJSON, shopJSON []byte) map[string]Target {
	return s.written(readItems(krosJSON), readProducts(shopJSON))
}

// written is what the pass sets, by product (rules.md, 1 and 2).
func (s Settings) written(items []krosItem, products []shopProduct) map[string]Target {
	items, contradictory := once(items)

	itemsOf := map[string][]krosItem{}
	for _, it := range items {
		if key := s.itemKey(it); key != "" {
			itemsOf[key] = append(itemsOf[key], it)
		}
	}
	productsOf := map[string][]shopProduct{}
	parents := map[string]bool{}
	for _, p := range products {
		if key := s.productKey(p); key != "" {
			productsOf[key] = append(productsOf[key], p)
		}
		parents[p.parentID] = true
	}

	written := map[string]Target{}
	for key, candidates := range itemsOf {
		it := candidates[0]
		switch {
		case len(candidates) > 1: // one key, several items: ambiguous
		case contradictory[it.code]: // one code, rows that differ: ambiguous
		case len(it.rows) == 0: // not a stock item
		case len(productsOf[key]) > 10: // ambiguous
		default:
			for _, p := range productsOf[key] {
				if p.tracked && !parents[p.id] {
					written[p.id] = Target{it.code, s.quantity(it)}
				}
			}
		}
	}
	return written
}

// once leaves one of the rows that are equal in everything, and tells which
// codes have rows that differ. A row without a code is an item of its own.
func once(rows []krosItem) (items []krosItem, contradictory map[string]bool) {
	contradictory = map[string]bool{}
	seen := map[string]bool{}
	withCode := map[string]int{}
	for _, it := range rows {
		if !seen[it.everything] {
			seen[it.everything] = true
			items = append(items, it)
			withCode[it.code]++
		}
	}
	for code, n := range withCode {
		contradictory[code] = code != "" && n > 1
	}
	return items, contradictory
}

// quantity: raw rows of the selected warehouses, combined, less the buffer, not
// below 0, rounded down.
func (s Settings) quantity(it krosItem) decimal.Decimal {
	combined, found := decimal.Zero, false
	for _, r := range it.rows {
		if !s.selects(r.warehouse) {
			continue
		}
		switch {
		case !found:
			combined = r.quantity
		case s.Quantity == "sum":
			combined = combined.Add(r.quantity)
		case r.quantity.GreaterThan(combined):
			combined = r.quantity
		}
		found = true
	}
	if s.Buffer != "" {
		combined = combined.Sub(decimal.RequireFromString(s.Buffer))
	}
	if combined.IsNegative() {
		return decimal.Zero
	}
	decimals, named := s.UnitDecimals[strings.TrimSpace(it.unit)]
	if !named {
		decimals = s.Decimals
	}
	return combined.Truncate(decimals)
}

func (s Settings) selects(warehouse string) bool {
	return len(s.Warehouses) == 0 || slices.ContainsFunc(s.Warehouses, func(selected string) bool {
		return strings.TrimSpace(selected) == strings.TrimSpace(warehouse)
	})
}

// itemKey is "" where the item has none.
func (s Settings) itemKey(it krosItem) string {
	if s.Match == "number" {
		return numberKey(it.code)
	}
	return eanKey(it.ean)
}

func (s Settings) productKey(p shopProduct) string {
	if s.Match == "number" {
		return numberKey(p.number)
	}
	return eanKey(p.ean)
}

func numberKey(number string) string {
	key := norm.NFC.String(strings.TrimSpace(number))
	if key == "-" || strings.Trim(key, "0") == "" {
		return ""
	}
	return key
}

var (
	spreadsheet = regexp.MustCompile(`^\d+([.,]\d+)?[eE]\+?\d+$`)
	digits      = regexp.MustCompile(`^\d{1,14}$`)
)

// eanKey makes 14 digits of 8, 12, 13 or 14.
func eanKey(ean string) string {
	key := norm.NFC.String(strings.TrimSpace(ean))
	if key == "" || key == "-" || spreadsheet.MatchString(key) {
		return ""
	}
	if !digits.MatchString(key) {
		return key
	}
	if strings.Trim(key, key[:1]) == "" { // one digit repeated
		return ""
	}
	return strings.Repeat("0", 14-len(key)) + key
}

type krosItem struct {
	code, ean, unit string
	rows            []krosRow
	everything      string // by which two rows are compared
}

type krosRow struct {
	warehouse string
	quantity  decimal.Decimal
}

type shopProduct struct {
	id, number, ean, parentID string
	quantity                  decimal.Decimal
	tracked                   bool
}

func readItems(data []byte) []krosItem {
	var raw []struct {
		ItemCode    string `json:"itemCode"`
		Name        string `json:"name"`
		EANCode     string `json:"eanCode"`
		EAN         string `json:"ean"`
		Barcode     string `json:"barcode"`
		MeasureUnit string `json:"measureUnit"`
		Warehouses  []struct {
			Code           string          `json:"code"`
			QuantityOnHand decimal.Decimal `json:"quantityOnHand"`
		} `json:"warehouses"`
	}
	read(data, &raw)
	var items []krosItem
	for _, r := range raw {
		everything, _ := json.Marshal(r)
		it := krosItem{code: strings.TrimSpace(r.ItemCode), ean: r.EANCode + r.EAN + r.Barcode, unit: r.MeasureUnit, everything: string(everything)}
		for _, w := range r.Warehouses {
			it.rows = append(it.rows, krosRow{w.Code, w.QuantityOnHand})
		}
		items = append(items, it)
	}
	return items
}

func readProducts(data []byte) []shopProduct {
	var raw []struct {
		ID       string          `json:"id"`
		Number   string          `json:"number"`
		EAN      string          `json:"ean"`
		ParentID string          `json:"parentId"`
		Quantity decimal.Decimal `json:"quantity"`
		Tracked  *bool           `json:"tracked"`
	}
	read(data, &raw)
	var products []shopProduct
	for _, r := range raw {
		products = append(products, shopProduct{r.ID, r.Number, r.EAN, r.ParentID, r.Quantity, r.Tracked == nil || *r.Tracked})
	}
	return products
}

func read(data []byte, into any) {
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(into); err != nil {
		panic(fmt.Sprintf("catalogue: a list cannot be read: %v", err))
	}
}
