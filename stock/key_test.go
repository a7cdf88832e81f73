package stock_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/skladom/skladom/stock"
)

const (
	ean13 = "8586000000013"
	upc   = "036000291452"
)

func TestKeysAreCleaned(t *testing.T) {
	for name, tc := range map[string]struct{ raw, want string }{
		"ASCII spaces":             {" A 1\t\r\n", "A 1"},
		"no-break space":           {"\u00a0A1\u202f", "A1"},
		"zero-width space and BOM": {"\ufeffA1\u200b", "A1"},
		"composed (NFC)":           {"c\u030cerven\u00fd", "\u010derven\u00fd"},
		"inner spaces stay":        {"A  1", "A  1"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, stock.CleanKey(tc.raw)) })
	}
}

func TestKeysThatMatch(t *testing.T) {
	for name, tc := range map[string]struct {
		rules         stock.Rules
		item, product string
		match         bool
	}{
		"numbers match exactly":                              {byNumber(), "A-1", "A-1", true},
		"numbers match trimmed, Unicode spaces too":          {byNumber(), "\u00a0A-1 ", "A-1\u2003", true},
		"numbers match in NFC":                               {byNumber(), "C\u030c1", "\u010c1", true},
		"numbers differ by case":                             {byNumber(), "a-1", "A-1", false},
		"numbers differ by leading zeros":                    {byNumber(), "0042", "42", false},
		"numbers differ by inner spaces":                     {byNumber(), "A 1", "A1", false},
		"a number of one digit is a number":                  {byNumber(), "7", "7", true},
		"a number of one digit repeated is a number":         {byNumber(), "1111", "1111", true},
		"a number may look like a spreadsheet's":             {byNumber(), "8E+12", "8E+12", true},
		"EANs match as written":                              {byEAN(), ean13, ean13, true},
		"a UPC matches its EAN-13":                           {byEAN(), upc, "0" + upc, true},
		"an EAN-13 matches its GTIN-14":                      {byEAN(), "0" + ean13, ean13, true},
		"a UPC that lost its zero in a spreadsheet matches":  {byEAN(), upc, strings.TrimPrefix(upc, "0"), true},
		"an EAN-8 matches with zeros before it":              {byEAN(), "96385074", "0000096385074", true},
		"another packaging level is another EAN":             {byEAN(), "1" + ean13, ean13, false},
		"an EAN of more than 14 digits matches exactly":      {byEAN(), "1234567890123456", "1234567890123456", true},
		"zeros before more than 14 digits are another EAN":   {byEAN(), "0" + "123456789012345", "123456789012345", false},
		"an EAN with other signs than digits compares as is": {byEAN(), "X-12", "X-12", true},
		"an EAN with a dash is not the EAN without":          {byEAN(), "858-6000000013", ean13, false},
	} {
		t.Run(name, func(t *testing.T) {
			i, p := item("A", tc.item, "1"), product("p", "other", tc.product, "1")
			if tc.rules.Match == stock.ByNumber {
				i, p = item(tc.item, "other", "1"), product("p", tc.product, "", "1")
			}
			want := "unmatched no_product"
			if tc.match {
				want = "unchanged"
				require.Contains(t, stock.LookupKeys(tc.rules.Match, []stock.Item{i}), asTheShopTrims(tc.rules.Match, p), "the shop is asked for this form")
			}
			require.Equal(t, want, verdict(only(t, plan(tc.rules, []stock.Item{i}, p))))
		})
	}
}

func asTheShopTrims(match stock.Match, p stock.Product) string {
	if match == stock.ByEAN {
		return strings.TrimSpace(p.EAN)
	}
	return strings.TrimSpace(p.Number)
}

func TestNoKey(t *testing.T) {
	for name, tc := range map[string]struct {
		rules  stock.Rules
		key    string
		reason string
	}{
		"an empty EAN":                     {byEAN(), "", "no_key"},
		"an EAN of spaces":                 {byEAN(), " \u00a0", "no_key"},
		"a dash for an EAN":                {byEAN(), " - ", "no_key"},
		"0 for an EAN":                     {byEAN(), "0", "no_key"},
		"an EAN of zeros":                  {byEAN(), "0000000000000", "placeholder_ean"},
		"an EAN of one digit repeated":     {byEAN(), "9999999999999", "placeholder_ean"},
		"a spreadsheet's EAN":              {byEAN(), "8.58E+12", "spreadsheet_ean"},
		"a Slovak spreadsheet's EAN":       {byEAN(), "8,58600E+12", "spreadsheet_ean"},
		"a spreadsheet's EAN in lowercase": {byEAN(), "8.58e12", "spreadsheet_ean"},
		"an empty number":                  {byNumber(), "\u200b", "no_key"},
		"a dash for a number":              {byNumber(), "-", "no_key"},
		"0 for a number":                   {byNumber(), "0", "no_key"},
		"a number of zeros":                {byNumber(), "000", "no_key"},
	} {
		t.Run(name, func(t *testing.T) {
			i, p := item("A", tc.key, "1"), product("p", "", tc.key, "5")
			if tc.rules.Match == stock.ByNumber {
				i, p = item(tc.key, "", "1"), product("p", tc.key, "", "5")
			}
			require.Equal(t, "skipped "+tc.reason, verdict(only(t, plan(tc.rules, []stock.Item{i}, p))))
			require.Empty(t, stock.LookupKeys(tc.rules.Match, []stock.Item{i}))
		})
	}
}

func TestLookupKeysAreEveryWrittenFormOnceAndSorted(t *testing.T) {
	for name, tc := range map[string]struct {
		match stock.Match
		items []stock.Item
		want  []string
	}{
		"an EAN-13":      {stock.ByEAN, []stock.Item{item("A", ean13)}, []string{"0" + ean13, ean13}},
		"a GTIN-14":      {stock.ByEAN, []stock.Item{item("A", "18586000000010")}, []string{"18586000000010"}},
		"a UPC":          {stock.ByEAN, []stock.Item{item("A", "412345678905")}, []string{"00412345678905", "0412345678905", "412345678905"}},
		"an EAN-8":       {stock.ByEAN, []stock.Item{item("A", "96385074")}, []string{"00000096385074", "0000096385074", "000096385074", "96385074"}},
		"the form given": {stock.ByEAN, []stock.Item{item("A", "0096385074")}, []string{"00000096385074", "0000096385074", "000096385074", "0096385074", "96385074"}},
		"one EAN in two forms": {
			stock.ByEAN, []stock.Item{item("A", ean13), item("B", " 0"+ean13)}, []string{"0" + ean13, ean13},
		},
		"numbers as they are": {stock.ByNumber, []stock.Item{item("B", ean13), item(" A", ean13)}, []string{"A", "B"}},
		"numbers with accents, both ways": {
			stock.ByNumber, []stock.Item{item("\u010c1", "")}, []string{"C\u030c1", "\u010c1"},
		},
		"nothing": {stock.ByNumber, nil, nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, stock.LookupKeys(tc.match, tc.items)) })
	}
}

func FuzzGTIN(f *testing.F) {
	for _, seed := range []string{"", "0", "-", ean13, " " + ean13, upc, "96385074", "0000096385074", "8.58E+12", "123456789012345", "00123456789012345", "\ufeff8", "e\u0301", "\xff1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ean string) {
		gtin := stock.GTIN(ean)
		if again := stock.GTIN(gtin); again != gtin {
			t.Fatalf("GTIN(%q) = %q, and of that %q", ean, gtin, again)
		}
		if clean := stock.CleanKey(ean); stock.GTIN(clean) != gtin {
			t.Fatalf("GTIN(%q) = %q, but cleaned %q", ean, gtin, stock.GTIN(clean))
		}
		digits := strings.Trim(stock.CleanKey(ean), "0123456789") == "" && stock.CleanKey(ean) != ""
		if digits && len(gtin) < 14 {
			t.Fatalf("GTIN(%q) = %q is shorter than 14 digits", ean, gtin)
		}
		forms := stock.LookupKeys(stock.ByEAN, []stock.Item{{Code: "A", EAN: ean}})
		for _, form := range forms {
			if norm.NFC.IsNormalString(ean) && stock.GTIN(form) != gtin {
				t.Fatalf("the shop is asked for %q, which is not %q", form, ean)
			}
		}
	})
}
