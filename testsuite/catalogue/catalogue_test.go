package catalogue

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

var update = flag.Bool("update", false, "write kros.json and shop.json anew")

func TestTheFilesAreWhatIsGenerated(t *testing.T) {
	krosJSON, shopJSON := Generate(fileSeed, fileRows)
	if *update {
		require.NoError(t, os.WriteFile("kros.json", krosJSON, 0o644))
		require.NoError(t, os.WriteFile("shop.json", shopJSON, 0o644))
		t.Skip("written; run again without -update")
	}
	require.Equal(t, string(krosJSON), string(Kros()))
	require.Equal(t, string(shopJSON), string(Shop()))
}

func TestASeedMakesTheSameAgain(t *testing.T) {
	kros1, shop1 := Generate(7, 500)
	kros2, shop2 := Generate(7, 500)
	require.Equal(t, kros1, kros2)
	require.Equal(t, shop1, shop2)
	kros3, _ := Generate(8, 500)
	require.NotEqual(t, kros1, kros3)
}

func TestAnySizeIsExact(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 12, 24, 54, 55, 99, 100, 101, 1000, 20_000} {
		krosJSON, shopJSON := Generate(3, n)
		items, products := decode(t, krosJSON, shopJSON)
		require.Len(t, items, n)
		ids := lo.Map(products, func(p product, _ int) string { return p.ID })
		require.Equal(t, len(ids), len(lo.Uniq(ids)), "ids of %d", n)
	}
}

func decode(t *testing.T, krosJSON, shopJSON []byte) (items []item, products []product) {
	t.Helper()
	require.NoError(t, json.Unmarshal(krosJSON, &items))
	require.NoError(t, json.Unmarshal(shopJSON, &products))
	return items, products
}

func TestTheCatalogueHoldsTheCasesOfLife(t *testing.T) {
	for _, size := range []int{0, 1000} {
		krosJSON, shopJSON := Kros(), Shop()
		if size > 0 {
			krosJSON, shopJSON = Generate(11, size)
		}
		items, products := decode(t, krosJSON, shopJSON)
		require.GreaterOrEqual(t, len(items), 300)
		codes := lo.CountValuesBy(items, func(it item) string { return it.ItemCode })
		rows := lo.CountValuesBy(items, func(it item) string { return fmt.Sprint(it) })
		eans := lo.CountValuesBy(lo.UniqBy(items, func(it item) string { return it.ItemCode }), func(it item) string { return it.EANCode })
		numbers := lo.CountValuesBy(products, func(p product) string { return p.Number })
		productEANs := lo.CountValuesBy(products, func(p product) string { return p.EAN })
		someItem := func(test func(item) bool) func() bool {
			return func() bool { return lo.SomeBy(items, test) }
		}
		someProduct := func(test func(product) bool) func() bool {
			return func() bool { return lo.SomeBy(products, test) }
		}
		quantity := func(it item, warehouse string) (q decimal.Decimal) {
			for _, w := range it.Warehouses {
				if strings.TrimSpace(w.Code) == warehouse {
					q = decimal.RequireFromString(w.QuantityOnHand.String())
				}
			}
			return q
		}
		for what, holds := range map[string]func() bool{
			"names with diacritics":       someItem(func(it item) bool { return strings.ContainsAny(it.Name, "ľščťžýáíé") }),
			"codes with spaces":           someItem(func(it item) bool { return strings.Contains(strings.TrimSpace(it.ItemCode), " ") }),
			"codes with leading zeros":    someItem(func(it item) bool { return strings.HasPrefix(it.ItemCode, "00") }),
			"codes with spaces around":    someItem(func(it item) bool { return it.ItemCode != strings.TrimSpace(it.ItemCode) }),
			"codes in NFD":                someItem(func(it item) bool { return !norm.NFC.IsNormalString(it.ItemCode) }),
			"no code":                     someItem(func(it item) bool { return it.ItemCode == "" }),
			"kg with decimals":            someItem(func(it item) bool { return it.MeasureUnit == "kg" && !quantity(it, "LT").IsInteger() }),
			"m with decimals":             someItem(func(it item) bool { return it.MeasureUnit == "m" && !quantity(it, "LT").IsInteger() }),
			"both warehouses":             someItem(func(it item) bool { return quantity(it, "LT").IsPositive() && quantity(it, "PR").IsPositive() }),
			"only LT":                     someItem(func(it item) bool { return len(it.Warehouses) == 1 && quantity(it, "LT").IsPositive() }),
			"only PR":                     someItem(func(it item) bool { return len(it.Warehouses) == 1 && quantity(it, "PR").IsPositive() }),
			"negative beside positive":    someItem(func(it item) bool { return quantity(it, "LT").IsNegative() && quantity(it, "PR").IsPositive() }),
			"negative only":               someItem(func(it item) bool { return quantity(it, "LT").IsNegative() && quantity(it, "PR").IsNegative() }),
			"services without warehouses": someItem(func(it item) bool { return it.Warehouses == nil }),
			"an empty list of warehouses": someItem(func(it item) bool { return it.Warehouses != nil && len(it.Warehouses) == 0 }),
			"two equal rows":              someItem(func(it item) bool { return rows[fmt.Sprint(it)] == 2 }),
			"two rows that differ":        someItem(func(it item) bool { return codes[it.ItemCode] == 2 && rows[fmt.Sprint(it)] == 1 }),
			"two items with one EAN": someItem(func(it item) bool {
				return len(it.EANCode) == 13 && strings.Trim(it.EANCode, "01") != "" && eans[it.EANCode] == 2
			}),
			"UPC of 12 digits":       someItem(func(it item) bool { return len(it.EANCode) == 12 }),
			"a placeholder of zeros": someItem(func(it item) bool { return it.EANCode == "0000000000000" }),
			"a placeholder dash":     someItem(func(it item) bool { return it.EANCode == "-" }),
			"a spreadsheet's EAN":    someItem(func(it item) bool { return it.EANCode == "8.58E+12" }),
			"items only in KROS": someItem(func(it item) bool {
				return it.Warehouses != nil && numbers[strings.TrimSpace(it.ItemCode)] == 0 && productEANs[it.EANCode] == 0
			}),
			"one item, two products":   someProduct(func(p product) bool { return numbers[p.Number] == 2 && productEANs[p.EAN] == 2 }),
			"untracked":                someProduct(func(p product) bool { return p.Tracked != nil && !*p.Tracked }),
			"variants":                 someProduct(func(p product) bool { return p.ParentID != "" }),
			"products only in shop":    someProduct(func(p product) bool { return codes[p.Number] == 0 && strings.HasPrefix(p.Name, "Darčeková") }),
			"EAN of 14 digits in shop": someProduct(func(p product) bool { return len(p.EAN) == 14 }),
			"EAN of 12 digits in shop": someProduct(func(p product) bool { return len(p.EAN) == 12 }),
		} {
			require.True(t, holds(), "%s, size %d", what, len(items))
		}
	}
}

func TestEveryRowIsOneThatKROSCouldHave(t *testing.T) {
	for _, n := range []int{fileRows, 20_000} {
		krosJSON, shopJSON := Generate(fileSeed, n)
		items, products := decode(t, krosJSON, shopJSON)
		for _, it := range items {
			require.LessOrEqual(t, utf8.RuneCountInString(it.ItemCode), 25, it.ItemCode)
			require.NotEmpty(t, it.Name)
			if ean := strings.TrimSpace(it.EANCode); regexp.MustCompile(`^\d+$`).MatchString(ean) && strings.Trim(ean, "01") != "" {
				require.Contains(t, []int{12, 13}, len(ean))
				require.Equal(t, ean, withCheckDigit(ean[:len(ean)-1]))
			}
		}
		for _, p := range products {
			require.False(t, decimal.RequireFromString(p.Quantity.String()).IsNegative(), p.ID)
		}
	}
	require.Equal(t, "8594001021123", withCheckDigit("859400102112"), "a known EAN-13")
	require.Equal(t, "036000291452", withCheckDigit("03600029145"), "a known UPC")
}

// In every setting there is something to do, but no guard (rules.md, 5) stands
// in the way of a demonstration.
func TestAFirstPassChangesSomethingAndIsNotHeld(t *testing.T) {
	for _, n := range []int{100, fileRows, 2000} {
		krosJSON, shopJSON := Generate(fileSeed, n)
		_, products := decode(t, krosJSON, shopJSON)
		for _, match := range []string{"number", "ean"} {
			for _, combine := range []string{"max", "sum"} {
				for _, warehouses := range [][]string{nil, {"LT"}, {"PR"}, {"LT", "PR"}} {
					expected := Expect(krosJSON, shopJSON, match, combine, warehouses)
					require.Len(t, expected, len(products))
					changed, stocked, zeroed := 0, 0, 0
					for _, p := range products {
						had := decimal.RequireFromString(p.Quantity.String())
						if expected[p.ID] != had.String() {
							changed++
						}
						if had.IsPositive() {
							stocked++
							if expected[p.ID] == "0" {
								zeroed++
							}
						}
					}
					what := fmt.Sprintf("%d items, %s, %s, %v: %d of %d changed, %d of %d zeroed", n, match, combine, warehouses, changed, len(products), zeroed, stocked)
					t.Log(what)
					require.Greater(t, changed, len(products)/10, what)
					require.Less(t, zeroed*4, stocked, what)
				}
			}
		}
	}
}
