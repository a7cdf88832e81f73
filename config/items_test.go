package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/stock"
)

// itemsDisk is a shop "a" with a file of items.
func itemsDisk(text string) *disk {
	return newDisk(map[string]string{"shops/a.hcl": shopText("a", `items = "a.csv"`), "shops/a.csv": text})
}

func itemsOf(t *testing.T, text string) config.Shop {
	t.Helper()
	d := itemsDisk(text).open(t)
	shop, err := d.Shop("a")
	require.NoError(t, err)
	require.Empty(t, d.Diagnostics())
	return shop
}

func TestWhatAFileOfItemsMaySay(t *testing.T) {
	for rule, tc := range map[string]struct{ text, want string }{
		"columns come in any order":                   {"pack,item\n100,A\n", `{"A":{"pack":"100"}}`},
		"names of columns in any case":                {" Item ;PACK\nA;2\n", `{"A":{"pack":"2"}}`},
		"a semicolon in the header separates columns": {"item;pack\nA,B;2\n", `{"A,B":{"pack":"2"}}`},
		"a header of one column":                      {"item\nA;B\n", `{}`},
		"Windows line ends and no line end at last":   {"item,pack\r\nA,2\r\nB,3", `{"A":{"pack":"2"},"B":{"pack":"3"}}`},
		"a byte order mark":                           {"\ufeffitem,pack\nA,2\n", `{"A":{"pack":"2"}}`},
		"a decimal comma beside semicolons":           {"item;buffer;pack\nA;0,5;2.5\n", `{"A":{"buffer":"0.5","pack":"2.5"}}`},
		"quotes":                                      {"item;pack\n\"12\"\" A;B\";2\n", `{"12\" A;B":{"pack":"2"}}`},
		"blank lines and rows are passed over":        {"\n;;\nitem;pack;\n\nA;2;\n ; ;\n", `{"A":{"pack":"2"}}`},
		"keys are cleaned":                            {"item,product\n\u00a0A ,\u200bP\n", `{"A":{"products":["P"]}}`},
		"codes keep their zeros and case":             {"item,product\n007,00P\na,1\nA,2\n", `{"007":{"products":["00P"]},"A":{"products":["2"]},"a":{"products":["1"]}}`},
		"yes in its spellings":                        {"item,ignore\nA,yes\nB,TRUE\nC,1\nD,x\nE,no\nF,\nG,0\nH,False\n", `{"A":{"ignore":true},"B":{"ignore":true},"C":{"ignore":true},"D":{"ignore":true}}`},
		"several products of one item":                {"item,product,pack\nA,P2,2\nB,,\nA,P1,2.0\nA,P2,2\n", `{"A":{"products":["P1","P2"],"pack":"2"}}`},
		"a buffer of 0 is a buffer":                   {"item,buffer\nA,0\n", `{"A":{"buffer":"0"}}`},
		"a pack of 1 is none":                         {"item,pack\nA,1.0\n", `{}`},
		"an ignored item may have a buffer":           {"item,ignore,buffer\nA,x,2\n", `{"A":{"buffer":"2","ignore":true}}`},
		"short rows":                                  {"item,product,pack\nA\nB,P\n", `{"B":{"products":["P"]}}`},
		"a cell may hold a line end":                  {"item,product\n\"A\nB\",P\n", "{\"A\\nB\":{\"products\":[\"P\"]}}"},
	} {
		t.Run(rule, func(t *testing.T) {
			got, err := json.Marshal(itemsOf(t, tc.text).Items)
			require.NoError(t, err)
			require.JSONEq(t, tc.want, string(got))
		})
	}
}

func TestMistakesInAFileOfItemsNameItsLine(t *testing.T) {
	for text, line := range map[string]int{
		"":                                 1,
		"\xff":                             1,
		"item\n\n\nA\xff\n":                4,
		"item\n\"A\nB":                     2,
		"item\nA\nB\"\n":                   3,
		"code\nA\n":                        1,
		"item,item\nA,B\n":                 1,
		"item,pack\n\"A\nB\",1\nC,0\n":     4,
		"item,pack\nA,2\n\nA,3\n":          4,
		"item,pack\nA,2\nA,\n":             3,
		"item,ignore\nA,x\nA,\n":           3,
		"item,buffer\nA,0\nA,\n":           3,
		"item,product\nA,P\nB, P\n":        3,
		"item,product,ignore\nA,P,x\n":     2,
		"item,pack\n,2\n":                  2,
		"item,pack\nA,-1\n":                2,
		"item,pack\nA,1e9\n":               2,
		"item,pack\nA,0x1\n":               2,
		"item,pack\nA,\"1,5\"\n":           2,
		"item;pack\nA;1 000\n":             2,
		"item;pack\nA;1.000,5\n":           2,
		"item,ignore\nA,perhaps\n":         2,
		"item\nA,B\n":                      2,
		"item,\nA,B\n":                     2,
		"\n\nitem,pack\nA,b\n":             4,
		"item,pack\nA,2\nB,b\nC,2\nA,2\n":  3,
		"\x00\x01\x02":                     1,
		"\xff\xfei\x00t\x00e\x00m\x00\n":   1,
		"shop \"a\" {\n  title = \"x\"\n}": 1,
	} {
		d := itemsDisk(text).open(t)
		diagnostics := requireKind(t, d, "a", config.Invalid).Diagnostics
		require.Equal(t, "shops/a.csv", diagnostics[0].File, "%q", text)
		require.Equal(t, line, diagnostics[0].Line, "%q: %v", text, diagnostics)
	}
}

func TestAllMistakesInAFileOfItemsAreToldUpToABound(t *testing.T) {
	told := func(rows int) []config.Diagnostic {
		return requireKind(t, itemsDisk("item,pack\n"+strings.Repeat("A,no\n", rows)).open(t), "a", config.Invalid).Diagnostics
	}
	require.Len(t, told(100), 100)
	many := told(150)
	require.Len(t, many, 101)
	require.Equal(t, config.Diagnostic{File: "shops/a.csv", Line: 102, Message: "has more mistakes from here on"}, many[100])
}

func TestAFileOfItemsIsBounded(t *testing.T) {
	require.Len(t, itemsOf(t, "item,ignore\n"+rowsOfItems(200_000)).Items, 200_000)
	for problem, text := range map[string]string{
		"more than 200000 rows": "item,ignore\n" + rowsOfItems(200_001),
		"larger than 8 MiB":     "item\n" + strings.Repeat(strings.Repeat("A", 1023)+"\n", 8<<10),
	} {
		require.ErrorContains(t, requireKind(t, itemsDisk(text).open(t), "a", config.Invalid), problem)
	}
}

func rowsOfItems(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, "I%d,x\n", i)
	}
	return text.String()
}

func TestTheHashOfItemsDependsOnWhatTheySayAlone(t *testing.T) {
	base := itemsOf(t, "item,product,pack\nA,P1,2\nA,P2,2\nB,,3\n")
	require.Regexp(t, "^[0-9a-f]{12}$", base.Settings.ItemsHash)
	for rule, same := range map[string]string{
		"the order of rows":     "item,product,pack\nB,,3\nA,P2,2\nA,P1,2\n",
		"the order of columns":  "pack,product,item\n2,P1,A\n2,P2,A\n3,,B\n",
		"the separator":         "item;product;pack\nA;P1;2,00\nA;P2;2\nB;;3\n",
		"rows that say nothing": "item,product,pack\nC,,\nA,P1,2\nA,P2,2\nB,,3\nD,,1\n",
	} {
		other := itemsOf(t, same)
		require.Equal(t, base.Settings.ItemsHash, other.Settings.ItemsHash, rule)
		require.Equal(t, base.SettingsHash(), other.SettingsHash(), rule)
	}
	for _, different := range []string{"item\n", "item,product,pack\nA,P1,2\nB,,3\n", "item,product,pack\nA,P1,2\nA,P2,2\nB,,4\n"} {
		other := itemsOf(t, different)
		require.NotEmpty(t, other.Settings.ItemsHash)
		require.NotEqual(t, base.Settings.ItemsHash, other.Settings.ItemsHash)
		require.NotEqual(t, base.SettingsHash(), other.SettingsHash())
	}
	without := shopOf(t)
	require.Empty(t, without.Settings.ItemsHash)
	require.Nil(t, without.Items)
}

func packOf(t *testing.T, d *config.Directory) string {
	t.Helper()
	shop, err := d.Shop("a")
	require.NoError(t, err)
	return shop.Items["A"].Pack.String()
}

func TestAnEditOfAFileOfItemsCountsThoughTheShopsFileIsTheSame(t *testing.T) {
	disk := itemsDisk("item,pack\nA,2\n")
	d := disk.open(t)
	require.Equal(t, "2", packOf(t, d))

	disk.write("shops/a.csv", "item,pack\nA,30\n")
	require.Equal(t, "30", packOf(t, d))
	disk.write("shops/a.csv", "item,pack\nA,40\n") // the same size at the same time
	require.Equal(t, "40", packOf(t, d))
	changed, diagnostics := d.Reload()
	require.Equal(t, []string{"a"}, changed)
	require.Empty(t, diagnostics)

	disk.pass(time.Hour)
	disk.write("shops/a.csv", "pack,item\n40.0,A\n")
	changed, _ = d.Reload()
	require.Empty(t, changed, "it says the same")

	disk.pass(time.Hour)
	disk.write("shops/a.csv", "item,pack\nA,50\n")
	changed, _ = d.Reload()
	require.Equal(t, []string{"a"}, changed, "noticed without a question for the shop")

	disk.write("shops/other.csv", "item,pack\nA,60\n")
	disk.write("shops/a.hcl", shopText("a", `items = "other.csv"`))
	require.Equal(t, "60", packOf(t, d))
	disk.write("shops/a.hcl", shopText("a"))
	require.Equal(t, "0", packOf(t, d))
}

func TestAFileOfItemsThatTurnsBadLeavesTheLastGoodVersionInForce(t *testing.T) {
	for rule, accident := range map[string]func(*disk){
		"a mistake":   func(disk *disk) { disk.write("shops/a.csv", "item,pack\nA,none\n") },
		"half a save": func(disk *disk) { disk.write("shops/a.csv", "") },
		"removed":     func(disk *disk) { disk.remove("shops/a.csv") },
		"unreadable": func(disk *disk) {
			disk.write("shops/a.csv", "item,pack\nA,7\n")
			disk.fail("shops/a.csv", fs.ErrPermission)
		},
		"a stale mount": func(disk *disk) { disk.fail("shops/a.csv", errors.New("stale file handle")) },
		"beside an edit of the shop": func(disk *disk) {
			disk.write("shops/a.csv", "item\n\"")
			disk.write("shops/a.hcl", shopText("a", `items = "a.csv"`, `title = "New"`))
		},
	} {
		t.Run(rule, func(t *testing.T) {
			disk := itemsDisk("item,pack\nA,2\n")
			d := disk.open(t)
			before, err := d.Shop("a")
			require.NoError(t, err)

			disk.pass(time.Minute)
			accident(disk)
			for range 2 {
				after, err := d.Shop("a")
				require.NoError(t, err)
				require.Equal(t, before.Settings, after.Settings)
				require.Equal(t, before.Items, after.Items)
			}
			changed, diagnostics := d.Reload()
			require.Empty(t, changed)
			require.NotEmpty(t, diagnostics)

			disk.fail("shops/a.csv", nil)
			disk.write("shops/a.csv", "item,pack\nA,3\n")
			require.Equal(t, "3", packOf(t, d))
			changed, diagnostics = d.Reload()
			require.Equal(t, []string{"a"}, changed)
			require.Empty(t, diagnostics)
		})
	}
}

func TestAShopWhoseFileOfItemsComesLaterStartsThen(t *testing.T) {
	disk := newDisk(map[string]string{"a.hcl": shopText("a", `items = "a.csv"`), "b.hcl": shopText("b")})
	d := disk.open(t)
	require.ErrorContains(t, requireKind(t, d, "a", config.Invalid), "a.hcl:7: items: a.csv cannot be read")
	require.Equal(t, []string{"b"}, names(d))
	disk.write("a.csv", "item,pack\nA,2\n")
	require.Equal(t, "2", packOf(t, d))
}

func TestAQuestionLooksAtTheFileOfItemsAndDoesNotReadIt(t *testing.T) {
	disk := itemsDisk("item,pack\nA,2\n")
	d := disk.open(t)
	for range 100 {
		packOf(t, d)
	}
	disk.pass(time.Minute)
	packOf(t, d)
	reads, _ := disk.looks()
	require.Zero(t, reads)

	disk.write("shops/a.csv", "item,pack\nA,3\n")
	disk.pass(time.Minute)
	packOf(t, d)
	packOf(t, d)
	reads, _ = disk.looks()
	require.Equal(t, 2, reads, "the file of items and the shop's, once each")
}

func TestTwoShopsMayShareAFileOfItems(t *testing.T) {
	disk := newDisk(map[string]string{
		"all.hcl": shopText("a", `items = "shared.csv"`) + shopText("b", `items = "./shared.csv"`), "shared.csv": "item,pack\nA,0\n",
	})
	d := disk.open(t)
	require.Len(t, d.Diagnostics(), 1)
	disk.write("shared.csv", "item,pack\nA,2\n")
	changed, diagnostics := d.Reload()
	require.Equal(t, []string{"a", "b"}, changed)
	require.Empty(t, diagnostics)
}

// FuzzItems holds for every text of a file of items: it is read without a
// panic; what is refused is explained with its line; what is accepted can be
// worked with, and means the same with its rows in another order.
func FuzzItems(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*/*.[cC][sS][vV]", "testdata/*/*/shops/*.csv"} {
		seeds, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, seed := range seeds {
			if text, err := os.ReadFile(seed); err == nil { // one of them is a folder
				f.Add(string(text))
			}
		}
	}
	for _, seed := range []string{"", "item;pack\n\"A\nB\";1,5\n", "item,product\nA,P\nA,Q\nB,R\n", "\ufeffITEM\r\n,\r\n", "item,ignore\nA,1\nA,yes\n", "item;;\n\x00;;\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := itemsDisk(text).open(t)
		shop, err := d.Shop("a")
		if err != nil {
			diagnostics := d.Diagnostics()
			require.NotEmpty(t, diagnostics)
			for _, diagnostic := range diagnostics {
				require.Equal(t, "shops/a.csv", diagnostic.File)
				require.NotEmpty(t, diagnostic.Message)
				require.Positive(t, diagnostic.Line)
				require.LessOrEqual(t, diagnostic.Line, strings.Count(text, "\n")+1)
			}
			return
		}
		owners := map[string]string{}
		for code, rule := range shop.Items {
			require.NotEmpty(t, code)
			require.Equal(t, stock.CleanKey(code), code)
			require.False(t, rule.Pack.IsNegative())
			require.False(t, rule.Buffer != nil && rule.Buffer.IsNegative())
			require.False(t, rule.Ignore && len(rule.Products) > 0)
			require.True(t, slices.IsSorted(rule.Products))
			for _, product := range rule.Products {
				require.NotContains(t, owners, product)
				owners[product] = code
			}
		}
		if lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n"); !strings.Contains(text, `"`) && strings.TrimSpace(lines[0]) != "" {
			if slices.Reverse(lines[1:]); stock.CleanKey(strings.Trim(lines[0], ",;")) != "" {
				require.Equal(t, shop.Settings.ItemsHash, itemsOf(t, strings.Join(lines, "\n")).Settings.ItemsHash)
			}
		}
	})
}
