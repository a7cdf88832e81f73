package catalogue

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	ean13 = "8586000000017"
	upc12 = "036000291452"
)

// Each case is small enough to be checked by hand. The product under test is
// "p" with 99; what the pass does not write stays 99.
func TestExpect(t *testing.T) {
	const stays = "99"
	number, byEAN := Settings{Match: "number", Quantity: "max"}, Settings{Match: "ean", Quantity: "max"}
	sum := Settings{Match: "number", Quantity: "sum"}
	with := func(s Settings, change func(*Settings)) Settings { change(&s); return s }
	lt := func(q string) string { return `"warehouses":[{"code":"LT","quantityOnHand":` + q + `}]` }
	both := func(l, p string) string {
		return fmt.Sprintf(`"warehouses":[{"code":"LT","quantityOnHand":%s},{"code":"PR","quantityOnHand":%s}]`, l, p)
	}
	a := func(rest string) string { return `{"itemCode":"A",` + rest + `}` }
	productA := `{"id":"p","number":"A","quantity":99}`
	withEAN := func(ean string) string { return `{"id":"p","ean":"` + ean + `","quantity":99}` }
	itemEAN := func(ean string) string { return `{"itemCode":"A","eanCode":"` + ean + `",` + lt("5") + `}` }

	for rule, c := range map[string]struct {
		settings Settings
		kros     string
		shop     string
		want     string
	}{
		"one warehouse":                           {number, a(lt("5")), productA, "5"},
		"max is the larger":                       {number, a(both("5", "7")), productA, "7"},
		"sum adds":                                {sum, a(both("5", "7")), productA, "12"},
		"max of -3 and 7":                         {number, a(both("-3", "7")), productA, "7"},
		"sum of -3 and 7":                         {sum, a(both("-3", "7")), productA, "4"},
		"max of two negative ones":                {number, a(both("-3", "-1")), productA, "0"},
		"sum below 0":                             {sum, a(both("3", "-4")), productA, "0"},
		"rounded down":                            {number, a(lt("5.999")), productA, "5"},
		"rounded after adding":                    {sum, a(both("0.6", "0.6")), productA, "1"},
		"a quantity as a string":                  {number, a(lt(`"5.5"`)), productA, "5"},
		"decimals":                                {with(number, func(s *Settings) { s.Decimals = 2 }), a(lt("5.999")), productA, "5.99"},
		"decimals of the unit":                    {with(number, func(s *Settings) { s.UnitDecimals = map[string]int32{"kg": 3} }), a(`"measureUnit":" kg",` + lt("5.9999")), productA, "5.999"},
		"decimals of another unit":                {with(number, func(s *Settings) { s.UnitDecimals = map[string]int32{"kg": 3} }), a(`"measureUnit":"ks",` + lt("5.9999")), productA, "5"},
		"the buffer is taken off":                 {with(number, func(s *Settings) { s.Buffer = "2" }), a(lt("5")), productA, "3"},
		"the buffer before rounding":              {with(number, func(s *Settings) { s.Buffer = "0.5" }), a(lt("5.4")), productA, "4"},
		"the buffer not below 0":                  {with(number, func(s *Settings) { s.Buffer = "9" }), a(lt("5")), productA, "0"},
		"a selected warehouse":                    {with(number, func(s *Settings) { s.Warehouses = []string{"LT"} }), a(both("5", "7")), productA, "5"},
		"warehouse codes trimmed":                 {with(number, func(s *Settings) { s.Warehouses = []string{" LT"} }), a(`"warehouses":[{"code":"LT ","quantityOnHand":5}]`), productA, "5"},
		"rows, none selected":                     {with(number, func(s *Settings) { s.Warehouses = []string{"PR"} }), a(lt("5")), productA, "0"},
		"no warehouses at all":                    {number, `{"itemCode":"A"}`, productA, stays},
		"an empty list of warehouses":             {number, a(`"warehouses":[]`), productA, stays},
		"no product":                              {number, `{"itemCode":"B",` + lt("5") + `}`, productA, stays},
		"spaces around the code":                  {number, `{"itemCode":" A\u00a0",` + lt("5") + `}`, productA, "5"},
		"spaces around the number":                {number, a(lt("5")), `{"id":"p","number":" A ","quantity":99}`, "5"},
		"letters and accents apart":               {number, `{"itemCode":"C\u030c",` + lt("5") + `}`, `{"id":"p","number":"Č","quantity":99}`, "5"},
		"another case":                            {number, a(lt("5")), `{"id":"p","number":"a","quantity":99}`, stays},
		"leading zeros":                           {number, `{"itemCode":"001",` + lt("5") + `}`, `{"id":"p","number":"1","quantity":99}`, stays},
		"an empty code matches no empty number":   {number, `{"itemCode":"",` + lt("5") + `}`, `{"id":"p","quantity":99}`, stays},
		"a dash":                                  {number, `{"itemCode":"-",` + lt("5") + `}`, `{"id":"p","number":"-","quantity":99}`, stays},
		"zeros":                                   {number, `{"itemCode":"000",` + lt("5") + `}`, `{"id":"p","number":"000","quantity":99}`, stays},
		"a number of one digit repeated is one":   {number, `{"itemCode":"77",` + lt("5") + `}`, `{"id":"p","number":"77","quantity":99}`, "5"},
		"untracked":                               {number, a(lt("5")), `{"id":"p","number":"A","quantity":99,"tracked":false}`, stays},
		"tracked":                                 {number, a(lt("5")), `{"id":"p","number":"A","quantity":99,"tracked":true}`, "5"},
		"a parent":                                {number, a(lt("5")), productA + `,{"id":"v","number":"A-1","quantity":1,"parentId":"p"}`, stays},
		"a variant":                               {number, a(lt("5")), `{"id":"parent","quantity":0},{"id":"p","number":"A","quantity":99,"parentId":"parent"}`, "5"},
		"two equal rows":                          {number, a(lt("5")) + "," + a(lt("5")), productA, "5"},
		"two equal rows, numbers written apart":   {number, a(lt("5")) + "," + a(lt("5.0")), productA, "5"},
		"two rows that differ":                    {number, a(lt("5")) + "," + a(lt("6")), productA, stays},
		"two rows of a code that differ, by EAN":  {byEAN, itemEAN(ean13) + "," + itemEAN(upc12), withEAN(ean13), stays},
		"two rows without a code, by EAN":         {byEAN, strings.ReplaceAll(itemEAN(ean13)+","+itemEAN(upc12), `"A"`, `""`), withEAN(ean13), "5"},
		"a second item without rows is ambiguous": {byEAN, itemEAN(ean13) + `,{"itemCode":"B","eanCode":"` + ean13 + `"}`, withEAN(ean13), stays},
		"by EAN":                                  {byEAN, itemEAN(ean13), withEAN(ean13), "5"},
		"EAN under another name":                  {byEAN, `{"itemCode":"A","barcode":"` + ean13 + `",` + lt("5") + `}`, withEAN(ean13), "5"},
		"12 digits are 13 with a zero":            {byEAN, itemEAN(upc12), withEAN("0" + upc12), "5"},
		"13 digits with a zero are 12":            {byEAN, itemEAN("0" + upc12), withEAN(upc12), "5"},
		"14 digits":                               {byEAN, itemEAN(ean13), withEAN("0" + ean13), "5"},
		"two written forms are one EAN":           {byEAN, itemEAN(upc12) + `,{"itemCode":"B","eanCode":"0` + upc12 + `"}`, withEAN(upc12), stays},
		"an EAN of zeros":                         {byEAN, itemEAN("0000000000000"), withEAN("0000000000000"), stays},
		"an EAN of one digit":                     {byEAN, itemEAN("1111111111111"), withEAN("1111111111111"), stays},
		"an EAN from a spreadsheet":               {byEAN, itemEAN("8.58E+12"), withEAN("8.58E+12"), stays},
		"an EAN from a Slovak spreadsheet":        {byEAN, itemEAN("8,58E+12"), withEAN("8,58E+12"), stays},
		"no EAN":                                  {byEAN, itemEAN(""), `{"id":"p","quantity":99}`, stays},
		"the other key does not count":            {byEAN, `{"itemCode":"A","eanCode":"` + ean13 + `",` + lt("5") + `}`, productA, stays},
		"ten products":                            {number, a(lt("5")), productA + strings.Repeat(`,{"id":"x","number":"A","quantity":1}`, 9), "5"},
		"eleven products":                         {number, a(lt("5")), productA + strings.Repeat(`,{"id":"x","number":"A","quantity":1}`, 10), stays},
		"an empty catalogue":                      {number, "", productA, stays},
	} {
		t.Run(rule, func(t *testing.T) {
			got := c.settings.Expect([]byte("["+c.kros+"]"), []byte("["+c.shop+"]"))
			require.Equal(t, c.want, got["p"])
		})
	}
}

func TestExpectKeepsWhatIsNotWrittenAsItIs(t *testing.T) {
	got := Expect([]byte(`[]`), []byte(`[{"id":"a","quantity":2.50},{"id":"b","quantity":0}]`), "number", "max", nil)
	require.Equal(t, map[string]string{"a": "2.5", "b": "0"}, got)
}

func TestExpectWritesAllProductsOfAnItem(t *testing.T) {
	got := Expect([]byte(`[{"itemCode":"A","warehouses":[{"code":"LT","quantityOnHand":4}]}]`),
		[]byte(`[{"id":"a","number":"A","quantity":1},{"id":"b","number":"A","quantity":4}]`), "number", "sum", []string{"LT"})
	require.Equal(t, map[string]string{"a": "4", "b": "4"}, got)
}

func TestTargetsAreTheProductsOfOneClearItem(t *testing.T) {
	kros := `[{"itemCode":" A ","warehouses":[{"code":"LT","quantityOnHand":4.5}]},{"itemCode":"B"},{"itemCode":"C","warehouses":[{"code":"PR","quantityOnHand":1}]}]`
	shop := `[{"id":"a","number":"A","quantity":4},{"id":"b","number":"B","quantity":1},{"id":"c","number":"C","quantity":1,"tracked":false},{"id":"d","number":"D","quantity":1}]`
	got := Settings{Match: "number", Quantity: "max"}.Targets([]byte(kros), []byte(shop))
	require.Len(t, got, 1)
	require.Equal(t, "A", got["a"].Item)
	require.Equal(t, "4", got["a"].Quantity.String())
}

func TestExpectPanicsWhereAListCannotBeRead(t *testing.T) {
	require.Panics(t, func() { Expect([]byte(`{`), []byte(`[]`), "number", "max", nil) })
}
