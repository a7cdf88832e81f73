package catalogue

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/samber/lo"
	"golang.org/x/text/unicode/norm"
)

// turns is after how many cases all of them come again.
const turns = 100

// cases says at which turn something else than an ordinary item comes.
var cases = map[int]func(*generator){
	2:  (*generator).service,
	5:  (*generator).serviceOfTheShop,
	8:  (*generator).emptyWarehouses,
	11: (*generator).rowSeenTwice,
	17: (*generator).codeOfTwoItems,
	20: (*generator).negativeEverywhere,
	23: (*generator).eanOfTwoItems,
	26: withEAN("0000000000000"),
	29: withEAN("-"),
	32: withEAN("1111111111111"),
	35: withEAN("8.58E+12"),
	38: withEAN(""),
	41: (*generator).withoutCode,
	44: (*generator).twoProducts,
	47: (*generator).untracked,
	53: (*generator).parent,
	57: (*generator).onlyInKROS,
	59: (*generator).onlyInKROS,
	63: (*generator).onlyInShop,
	65: (*generator).onlyInShop,
	71: (*generator).spacesAroundCode,
	74: (*generator).decomposedLetters,
	77: (*generator).otherCase,
	80: (*generator).lostZeros,
	83: (*generator).upcAsThirteenInShop,
	86: (*generator).upcAsTwelveInShop,
	89: (*generator).fourteenDigitsInShop,
	92: (*generator).placeholderInShop,
}

type generator struct {
	random   *rand.Rand
	rows     int // how many are wanted
	number   int // of the last item made; it is in its code and EAN
	shopID   int // of the last product made
	items    []item
	products []product
}

func newGenerator(seed uint64, rows int) *generator {
	return &generator{random: rand.New(rand.NewPCG(seed, 0x736b6c61646f6d)), rows: rows}
}

// room tells whether so many more rows fit; where they do not, the case is left
// to an ordinary item.
func (g *generator) room(rows int) bool {
	if len(g.items)+rows <= g.rows {
		return true
	}
	g.ordinary()
	return false
}

func (g *generator) ordinary() {
	it := g.item()
	g.items = append(g.items, it)
	g.products = append(g.products, g.product(it))
}

func (g *generator) service() {
	g.items = append(g.items, g.serviceItem())
}

// serviceOfTheShop is sold in the shop too, which keeps some number for it.
func (g *generator) serviceOfTheShop() {
	it := g.serviceItem()
	g.items = append(g.items, it)
	p := g.product(it)
	p.Quantity = "999"
	g.products = append(g.products, p)
}

func (g *generator) emptyWarehouses() {
	it := g.item()
	it.Warehouses = []warehouse{}
	g.items = append(g.items, it)
	p := g.product(it)
	p.Quantity = "3"
	g.products = append(g.products, p)
}

// rowSeenTwice is one item in two rows that are equal in everything.
func (g *generator) rowSeenTwice() {
	if g.room(2) {
		g.ordinary()
		g.items = append(g.items, g.items[len(g.items)-1])
	}
}

// codeOfTwoItems are two rows of one code that say different things.
func (g *generator) codeOfTwoItems() {
	if g.room(2) {
		g.ordinary()
		other := g.item()
		other.ItemCode = g.items[len(g.items)-1].ItemCode
		other.Name += " (nové balenie)"
		g.items = append(g.items, other)
	}
}

func (g *generator) negativeEverywhere() {
	it := g.item()
	it.Warehouses = []warehouse{{"LT", "-3"}, {"PR", "-1.5"}}
	g.items = append(g.items, it)
	p := g.product(it)
	p.Quantity = "2"
	g.products = append(g.products, p)
}

// eanOfTwoItems: by number both are clear, by EAN neither is.
func (g *generator) eanOfTwoItems() {
	if g.room(2) {
		first, second := g.item(), g.item()
		second.EANCode = first.EANCode
		g.items = append(g.items, first, second)
		g.products = append(g.products, g.product(first), g.product(second))
	}
}

// withEAN is an item whose EAN in KROS is none, while the shop has a real one.
func withEAN(ean string) func(*generator) {
	return func(g *generator) {
		g.ordinary()
		g.items[len(g.items)-1].EANCode = ean
	}
}

func (g *generator) withoutCode() {
	g.ordinary()
	g.items[len(g.items)-1].ItemCode = ""
}

// twoProducts is an item that the shop offers twice.
func (g *generator) twoProducts() {
	g.ordinary()
	again := g.product(g.items[len(g.items)-1])
	again.Name += " – AKCIA"
	g.products = append(g.products, again)
}

func (g *generator) untracked() {
	g.ordinary()
	g.products[len(g.products)-1].Tracked = lo.ToPtr(false)
}

// parent is a product with three variants. Each of the four is an item in KROS,
// but the shop keeps stock of the variants only.
func (g *generator) parent() {
	if !g.room(4) {
		return
	}
	main := g.item()
	main.ItemCode = fmt.Sprintf("TR-%04d", g.number)
	main.Name, main.EANCode, main.MeasureUnit = "Tričko záhradnícke „Rastiem“", "", "ks"
	main.Warehouses = []warehouse{{"LT", "12"}}
	parent := g.product(main)
	parent.Quantity = "0"
	g.items, g.products = append(g.items, main), append(g.products, parent)
	for _, size := range []string{"S", "M", "XL"} {
		variant := g.item()
		variant.ItemCode, variant.Name, variant.MeasureUnit = main.ItemCode+"-"+size, main.Name+", "+size, "ks"
		variant.Warehouses = []warehouse{{"LT", json.Number(strconv.Itoa(1 + g.random.IntN(20)))}}
		p := g.product(variant)
		p.ParentID = parent.ID
		g.items, g.products = append(g.items, variant), append(g.products, p)
	}
}

func (g *generator) onlyInKROS() {
	g.items = append(g.items, g.item())
}

func (g *generator) onlyInShop() {
	it := g.item()
	p := g.product(it)
	p.Name = pick(g, onlyInShop)
	p.Quantity = "50"
	g.products = append(g.products, p)
}

func (g *generator) spacesAroundCode() {
	g.ordinary()
	it := &g.items[len(g.items)-1]
	it.ItemCode, it.EANCode = " "+it.ItemCode+"\u00a0", it.EANCode+" "
	for i := range it.Warehouses {
		it.Warehouses[i].Code += " "
	}
}

// decomposedLetters is a code typed on a Mac: letter and accent apart.
func (g *generator) decomposedLetters() {
	it := g.item()
	it.ItemCode = fmt.Sprintf("ŠÍP %05d", g.number)
	g.products = append(g.products, g.product(it))
	it.ItemCode = norm.NFD.String(it.ItemCode)
	g.items = append(g.items, it)
}

// otherCase and lostZeros are near misses: by number they do not match.
func (g *generator) otherCase() {
	it := g.item()
	it.ItemCode = fmt.Sprintf("ZV %05d", g.number)
	p := g.product(it)
	p.Number = strings.ToLower(p.Number)
	g.items, g.products = append(g.items, it), append(g.products, p)
}

func (g *generator) lostZeros() {
	it := g.item()
	it.ItemCode = fmt.Sprintf("00%05d", g.number)
	p := g.product(it)
	p.Number = strings.TrimLeft(p.Number, "0")
	g.items, g.products = append(g.items, it), append(g.products, p)
}

func (g *generator) upcAsThirteenInShop() {
	it := g.item()
	it.EANCode = g.upc()
	p := g.product(it)
	p.EAN = "0" + it.EANCode
	g.items, g.products = append(g.items, it), append(g.products, p)
}

func (g *generator) upcAsTwelveInShop() {
	it := g.item()
	it.EANCode = "0" + g.upc()
	p := g.product(it)
	p.EAN = it.EANCode[1:]
	g.items, g.products = append(g.items, it), append(g.products, p)
}

func (g *generator) fourteenDigitsInShop() {
	it := g.item()
	p := g.product(it)
	p.EAN = "0" + it.EANCode
	g.items, g.products = append(g.items, it), append(g.products, p)
}

func (g *generator) placeholderInShop() {
	g.ordinary()
	g.products[len(g.products)-1].EAN = "0000000000000"
}

func (g *generator) item() item {
	g.number++
	what := pick(g, assortment)
	return item{
		ItemCode:    g.code(),
		Name:        fmt.Sprintf("%s %s, %s", what.name, pick(g, brands), pick(g, what.packs)),
		EANCode:     g.ean(),
		MeasureUnit: what.unit,
		Warehouses:  g.warehouses(what.unit),
	}
}

func (g *generator) serviceItem() item {
	g.number++
	return item{ItemCode: fmt.Sprintf("SL %04d", g.number), Name: pick(g, services), MeasureUnit: "ks"}
}

// code is one of the ways merchants number things, at most 25 characters.
func (g *generator) code() string {
	formats := []string{"%06d", "00%05d", "ZV %05d", "KV-%05d/1", "ČAJ %05d", "%05d A", "Z.%05d", "bio%05d"}
	return fmt.Sprintf(pick(g, formats), g.number)
}

// ean is a valid EAN-13 with the Slovak prefix; no two numbers share one,
// because 7919 and 10^9 have no common factor.
func (g *generator) ean() string {
	return withCheckDigit(fmt.Sprintf("858%09d", (g.number*7919+100_000_007)%1_000_000_000))
}

// upc is a valid UPC of 12 digits, as imported goods carry them.
func (g *generator) upc() string {
	return withCheckDigit(fmt.Sprintf("7%010d", (g.number*7919+1_000_003)%10_000_000_000))
}

// withCheckDigit adds the digit that makes the weighted sum a multiple of 10;
// from the right the weights are 3, 1, 3 ...
func withCheckDigit(digits string) string {
	sum := 0
	for i := range len(digits) {
		weight := 3 - 2*(i%2)
		sum += weight * int(digits[len(digits)-1-i]-'0')
	}
	return digits + strconv.Itoa((10-sum%10)%10)
}

// warehouses: most things lie in both, the shop in Prešov (PR) has fewer of
// them; OMEGA lets stock go below 0.
func (g *generator) warehouses(unit string) []warehouse {
	lt := warehouse{"LT", g.quantity(unit, 120)}
	pr := warehouse{"PR", g.quantity(unit, 40)}
	switch chance := g.random.IntN(100); {
	case chance < 14:
		return []warehouse{lt}
	case chance < 22:
		return []warehouse{pr}
	case chance < 26:
		lt.QuantityOnHand = "-" + g.quantity(unit, 9)
		return []warehouse{lt, pr}
	case chance < 29:
		return []warehouse{{"LT", "0"}, {"PR", "0"}}
	case chance < 50:
		return []warehouse{pr, lt}
	}
	return []warehouse{lt, pr}
}

// quantity is at least 1, with the decimals that are usual for the unit.
func (g *generator) quantity(unit string, most int) json.Number {
	whole := 1 + g.random.IntN(most)
	switch unit {
	case "kg":
		return json.Number(fmt.Sprintf("%d.%03d", whole, g.random.IntN(1000)))
	case "m":
		return json.Number(fmt.Sprintf("%d.%02d", whole, 5*g.random.IntN(20)))
	}
	return json.Number(strconv.Itoa(whole))
}

// product is the shop's side of an item. Most show what the larger warehouse
// has, as an earlier pass would have left it.
func (g *generator) product(it item) product {
	g.shopID++
	return product{
		ID:       fmt.Sprintf("p-%06d", g.shopID),
		Number:   it.ItemCode,
		EAN:      it.EANCode,
		Name:     it.Name,
		Quantity: json.Number(strconv.Itoa(g.shown(it))),
	}
}

func (g *generator) shown(it item) int {
	most := 0
	for _, w := range it.Warehouses {
		whole, _, _ := strings.Cut(w.QuantityOnHand.String(), ".")
		n, _ := strconv.Atoi(whole)
		most = max(most, n)
	}
	switch chance := g.random.IntN(100); {
	case chance < 80:
		return most
	case chance < 84:
		return 0
	}
	return max(0, most-6+g.random.IntN(13))
}

func pick[T any](g *generator, from []T) T { return from[g.random.IntN(len(from))] }
