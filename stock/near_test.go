package stock_test

import (
	"fmt"
	"testing"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

func TestDidYouMean(t *testing.T) {
	long := "ZV-2026/0001-POZINKOVANÁ-M6x40" // 30 characters
	tests := []struct {
		rule    string
		match   stock.Match
		item    stock.Item
		product stock.Product
		want    []string // of the item's row; the product's row has the same of the item
	}{
		{"by EAN where the number is in use", stock.ByNumber, item("A-1", "0"+ean13, "1"), product("p1", "X", ean13, "1"), []string{"other_key"}},
		{"by number where the EAN is in use", stock.ByEAN, item("A-1", ean13, "1"), product("p1", " A-1", "8590000000019", "1"), []string{"other_key"}},
		{"by number where the item has no EAN", stock.ByEAN, item("A-1", "", "1"), product("p1", "A-1", ean13, "1"), []string{"other_key"}},
		{"by number where the product's EAN is a placeholder", stock.ByEAN, item("A-1", ean13, "1"), product("p1", "A-1", "0000000000000", "1"), []string{"other_key"}},
		{"a placeholder is no other key", stock.ByNumber, item("A-1", "0000000000000", "1"), product("p1", "X", "0000000000000", "1"), nil},

		{"case", stock.ByNumber, item("Žltá-1", "", "1"), product("p1", "ŽLTÁ-1", "", "1"), []string{"spelling"}},
		{"spaces", stock.ByNumber, item("ČAJ 001", "", "1"), product("p1", "ČAJ\u00a00 01", "", "1"), []string{"spelling"}},
		{"leading zeros", stock.ByNumber, item("00417", "", "1"), product("p1", "417", "", "1"), []string{"spelling"}},
		{"all three", stock.ByNumber, item("00 a1", "", "1"), product("p1", "A1", "", "1"), []string{"spelling"}},
		{"spaces inside an EAN", stock.ByEAN, item("A", ean13, "1"), product("p1", "B", "858 "+ean13[3:], "1"), []string{"spelling"}},
		{"a zero inside is no leading one", stock.ByNumber, item("A01", "", "1"), product("p1", "A1", "", "1"), nil},

		{"one wrong digit", stock.ByNumber, item("SK-1001", "", "1"), product("p1", "SK-1901", "", "1"), []string{"digit"}},
		{"the last digit", stock.ByEAN, item("A", "8580000000017", "1"), product("p1", "B", "8580000000012", "1"), []string{"digit"}},
		{"two neighbours swapped", stock.ByEAN, item("A", "8581200000017", "1"), product("p1", "B", "8582100000017", "1"), []string{"digit"}},
		{"one digit missing", stock.ByEAN, item("A", "858000000001", "1"), product("p1", "B", "8580000000017", "1"), []string{"digit"}},
		{"one digit too much", stock.ByNumber, item("10017", "", "1"), product("p1", "1017", "", "1"), []string{"digit"}},
		{"one digit, and another case", stock.ByNumber, item("sk-1001", "", "1"), product("p1", "SK-1901", "", "1"), []string{"digit"}},
		{"two wrong digits", stock.ByNumber, item("SK-1001", "", "1"), product("p1", "SK-1992", "", "1"), nil},
		{"a wrong letter", stock.ByNumber, item("SK-1001", "", "1"), product("p1", "SX-1001", "", "1"), nil},
		{"a digit for a letter", stock.ByNumber, item("SK-1O01", "", "1"), product("p1", "SK-1001", "", "1"), nil},
		{"swapped, but not neighbours", stock.ByNumber, item("SK-1203", "", "1"), product("p1", "SK-3201", "", "1"), nil},
		{"short numbers are all alike", stock.ByNumber, item("101", "", "1"), product("p1", "102", "", "1"), nil},

		{"a code cut at 25 characters", stock.ByNumber, item(string([]rune(long)[:25]), "", "1"), product("p1", long, "", "1"), []string{"cut"}},
		{"a code cut at a space", stock.ByNumber, item("ABCDEFGHIJKLMNOPQRSTUVWX", "", "1"), product("p1", "ABCDEFGHIJKLMNOPQRSTUVWX YZ", "", "1"), []string{"cut"}},
		{"a code cut elsewhere", stock.ByNumber, item(string([]rune(long)[:24]), "", "1"), product("p1", long, "", "1"), nil},
		{"a number of 25 characters is not cut", stock.ByNumber, item(string([]rune(long)[:24]), "", "1"), product("p1", string([]rune(long)[:25]), "", "1"), nil},

		{"several reasons, the strongest first", stock.ByNumber, item("sk-1", ean13, "1"), product("p1", "SK-1", ean13, "1"), []string{"other_key+spelling"}},
		{"nothing alike", stock.ByNumber, item("A", ean13, "1"), product("p1", "B", "8590000000019", "1"), nil},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			rules := byNumber()
			rules.Match = test.match
			rows := stock.NewWorklist(stock.WorkInput{Rules: rules, Items: []stock.Item{test.item}, Products: []stock.Product{test.product}})
			require.Len(t, rows, 2)
			of := func(id string) []string {
				return append([]string{}, lo.Map(test.want, func(why string, _ int) string { return why + " " + id })...)
			}
			require.Equal(t, of("p1"), hints(rows[0]))
			require.Equal(t, of(test.item.Code), hints(rows[1]))
		})
	}
}

func TestTheSameNameIsAHint(t *testing.T) {
	one := stock.Item{Code: "A", Name: " Čaj  zelený\u00a0100 g", Rows: rows("LT", "1")}
	other := product("p1", "X", "", "1")
	other.Name = "čaj zelený 100 G "
	got := stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{one}, Products: []stock.Product{other}})
	require.Equal(t, []string{"name p1"}, hints(got[0]))
	require.Equal(t, []string{"name A"}, hints(got[1]))

	nameless := product("p1", "X", "", "1")
	nameless.Name = ""
	got = stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{{Code: "A", Rows: rows("LT", "1")}}, Products: []stock.Product{nameless}})
	require.Empty(t, got[0].Hints)
}

func TestThereAreThreeHintsAtMostAndTheStrongestFirst(t *testing.T) {
	products := []stock.Product{
		product("p1", "SK-1009", "", "1"),
		product("p2", "sk-1001", "", "1"),
		product("p3", "Y", ean13, "1"),
		product("p4", "SK 1001", "", "1"), // a hyphen is more than a space
		product("p5", "SK- 1001", "", "1"),
		product("p6", "SK-1008", "", "1"),
	}
	got := stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("SK-1001", ean13, "1")}, Products: products})
	require.Equal(t, []string{"other_key p3", "spelling p5", "spelling p2"}, hints(got[0]))
}

func TestAGuessBesideANearCertaintyIsNoHint(t *testing.T) {
	got := stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item("SK-1001", "", "1")}, Products: []stock.Product{
		product("p1", "sk-1001", "", "1"), product("p2", "SK-1009", "", "1"),
	}})
	require.Equal(t, []string{"spelling p1"}, hints(got[0]))
	require.Equal(t, []string{"digit SK-1001"}, hints(got[1]), "it has no better one")
	require.Equal(t, []string{"spelling SK-1001"}, hints(got[2]))
}

func TestWhatWouldSuitManySuitsNone(t *testing.T) {
	series := lo.Times(9, func(i int) stock.Product { return product(fmt.Sprint("p", i), fmt.Sprint("SK-200", i), "", "1") })
	for i := range series {
		series[i].Name = "Skrutka"
	}
	one := item("SK-2009", "", "1")
	one.Name = "Skrutka"
	got := stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{one}, Products: series})
	require.Empty(t, got[0].Hints, "nine numbers of a series, and of one name")
	got = stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{one}, Products: series[:3]})
	require.Equal(t, []string{"digit+name p0", "digit+name p1", "digit+name p2"}, hints(got[0]))
}

func TestWhoIsInStepOrHasAnItemIsNoHint(t *testing.T) {
	untracked := product("p4", "Sk-1", "", "1")
	untracked.Tracked = false
	got := stock.NewWorklist(stock.WorkInput{Rules: byNumber(),
		Items: []stock.Item{item("SK-1", ean13, "1"), item("X", "", "1"), {Code: "sK-1", Name: "no stock item"}},
		Products: []stock.Product{
			product("p1", "X", ean13, "1"), // in step with X
			product("p2", "sK-1", "", "1"), // has an item, which is no stock item
			untracked,
		},
	})
	require.Len(t, got, 1)
	require.Empty(t, got[0].Hints)
}

func TestAnItemThatTookAnothersPlaceIsAHintOfWhatWasLost(t *testing.T) {
	got := stock.NewWorklist(stock.WorkInput{Rules: byNumber(),
		Items: []stock.Item{item("A-2", ean13, "3")}, Products: []stock.Product{product("p1", "A-1", ean13, "3")},
		Last: []stock.Line{{Item: "A-1", Missing: true, ReasonCode: stock.ReasonMissingKept, Kept: []stock.Entry{kept("p1")}}},
	})
	require.Equal(t, []string{"lost A-1!>p1 missing_kept", "item A-2> no_product"}, lo.Map(got, func(r stock.WorkRow, _ int) string { return shown(r) }))
	require.Equal(t, []string{"other_key A-2"}, hints(got[0]))
	require.Equal(t, []string{"other_key p1"}, hints(got[1]))
}

func TestAHintIsNeverAMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := workInputs().Draw(t, "input")
		matches := func(i stock.WorkItem, p stock.WorkProduct) bool {
			alone := plan(in.Rules, []stock.Item{item(i.Code, i.EAN, "1")}, product(p.ID, p.Number, p.EAN, "1"))
			return len(only(t, alone).Entries) > 0
		}
		settled := map[string]bool{}
		for _, line := range stock.NewPlan(stock.Input{Rules: in.Rules, Items: in.Items, Products: in.Products}).Lines {
			for _, e := range line.Entries {
				settled[e.Product] = true
			}
		}
		for _, row := range stock.NewWorklist(in) {
			require.LessOrEqual(t, len(row.Hints), 3)
			for _, h := range row.Hints {
				require.NotEmpty(t, h.Why)
				require.NotEqual(t, h.Item == nil, h.Product == nil)
				switch {
				case h.Product != nil:
					require.False(t, settled[h.Product.ID], "%s is in step", h.Product.ID)
					require.NotContains(t, row.Products, *h.Product, "it is named already")
					for _, it := range row.Items {
						require.False(t, matches(it, *h.Product), shown(row))
					}
				default:
					for _, p := range row.Products {
						require.False(t, matches(*h.Item, p), shown(row))
					}
					require.NotContains(t, row.Items, *h.Item)
				}
			}
		}
	})
}

// Slips of single digits, found by index, against comparing each with each.
func TestEverySlipOfADigitIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[A-Z]{0,2}-?[1-9][0-9]{4,8}`).Draw(t, "number")
		digits := lo.Filter(lo.Range(len(number)), func(i int, _ int) bool { return number[i] >= '0' && number[i] <= '9' })
		at := rapid.SampledFrom(digits[1:]).Draw(t, "at")
		digit := string(rune('0' + rapid.IntRange(0, 9).Draw(t, "digit")))
		slip := map[string]string{
			"wrong":   number[:at] + digit + number[at+1:],
			"missing": number[:at] + number[at+1:],
			"more":    number[:at] + digit + number[at:],
			"swapped": number[:at-1] + number[at:at+1] + number[at-1:at] + number[at+1:],
		}[rapid.SampledFrom([]string{"wrong", "missing", "more", "swapped"}).Draw(t, "slip")]
		if stock.CleanKey(slip) == number {
			t.Skip("no slip")
		}
		got := stock.NewWorklist(stock.WorkInput{Rules: byNumber(), Items: []stock.Item{item(number, "", "1")}, Products: []stock.Product{product("p1", slip, "", "1")}})
		require.Len(t, got[0].Hints, 1, "%s and %s", number, slip)
	})
}
