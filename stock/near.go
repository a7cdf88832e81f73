package stock

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/samber/lo"
)

// Why is what makes an item and a product look as if they belonged together.
type Why string

// What makes a hint, the strongest first.
const (
	WhyOtherKey Why = "other_key" // the key that is not in use is the same
	WhySpelling Why = "spelling"  // the keys are equal but for case, spaces or leading zeros
	WhyCut      Why = "cut"       // the item's code is the product's number cut to what KROS takes
	WhyDigit    Why = "digit"     // one digit is wrong, missing or too much, or two neighbours are swapped
	WhyName     Why = "name"      // the names are the same
)

var whys = []Why{WhyOtherKey, WhySpelling, WhyCut, WhyDigit, WhyName}

// Hint is a guess for a person ("did you mean"): the item, or the product, that
// a row may belong to. It is never a match, and nothing is written by it.
type Hint struct {
	Why     []Why        `json:"why"` // strongest first
	Item    *WorkItem    `json:"item,omitempty"`
	Product *WorkProduct `json:"product,omitempty"`
	Text    string       `json:"text"` // Why in words, for whoever has them; NewWorklist leaves it empty
}

const (
	maxHints      = 3
	maxCodeLength = 25 // characters of KROS's ItemCode (docs/kros-api.md)
	minTypoLength = 4  // characters of a key from which one digit may be a slip
)

// face is what of an item or a product is compared. A field is empty where
// there is nothing that could be compared.
type face struct {
	key   string // by which they would match
	fold  string // the key without case, spaces and leading zeros
	other string // the key that is not in use
	whole string // an item's code or a product's number as it is, where that is the key
	cut   string // the same, cut to what KROS takes; empty where it is not longer
	name  string
}

func faceOf(match Match, code, ean, name string) face {
	item := Item{Code: code, EAN: ean}
	k := keyOf(match, item)
	f := face{key: k.compare, other: keyOf(match.Other(), item).compare, name: foldName(name)}
	if f.key == "" {
		return f
	}
	f.fold = foldKey(k.written)
	if match == ByNumber {
		f.whole = k.written
		f.cut = cutCode(k.written)
	}
	return f
}

// foldKey leaves of a key what remains when people do not look closely.
func foldKey(key string) string {
	key = strings.Map(func(r rune) rune { return lo.Ternary(invisible(r), -1, r) }, strings.ToLower(key))
	return strings.TrimLeft(key, "0")
}

func foldName(name string) string {
	return strings.Join(strings.Fields(strings.ToLower(CleanKey(name))), " ")
}

// cutCode is what KROS leaves of a longer code.
func cutCode(code string) string {
	if utf8.RuneCountInString(code) <= maxCodeLength {
		return ""
	}
	return CleanKey(string([]rune(code)[:maxCodeLength]))
}

// likeness is a set of reasons: bit n stands for whys[n], so that of two sets
// the one with the lower lowest bit is the stronger.
type likeness uint8

func (l likeness) list() []Why {
	return lo.Filter(whys, func(_ Why, n int) bool { return l&(1<<n) != 0 })
}

// weakest is from where on whys are reasons that say nothing where they hold for
// many.
const weakest = 3

// weak says whether there are no other reasons than those.
func (l likeness) weak() bool { return l&(1<<weakest-1) == 0 }

// compareFaces says what makes an item and a product look alike: nothing where
// they match already.
func compareFaces(item, product *face) likeness {
	if item.key != "" && item.key == product.key {
		return 0
	}
	var l likeness
	for n, alike := range [...]bool{
		item.other != "" && item.other == product.other,
		item.fold != "" && item.fold == product.fold,
		product.cut != "" && item.whole == product.cut,
		oneDigitOff(item.fold, product.fold),
		item.name != "" && item.name == product.name,
	} {
		if alike {
			l |= 1 << n
		}
	}
	return l
}

// oneDigitOff says whether two keys differ as by one slip of a finger.
func oneDigitOff(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < minTypoLength || len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return isDigit(b[i]) && a[i:] == b[i+1:]
	}
	if i == len(a) || !isDigit(a[i]) || !isDigit(b[i]) {
		return false
	}
	swapped := i+1 < len(a) && isDigit(a[i+1]) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	return swapped || a[i+1:] == b[i+1:]
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// index finds those of one side that may look like one of the other without
// comparing each with each.
type index struct {
	faces   []face
	buckets map[mark][]int
}

// maxBucket keeps a name that everything has from making the search quadratic.
const maxBucket = 64

func newIndex(faces []face) index {
	x := index{faces: faces, buckets: make(map[mark][]int, 8*len(faces))}
	for i := range faces {
		for _, m := range marks(&faces[i]) {
			if bucket := x.buckets[m]; len(bucket) < maxBucket {
				x.buckets[m] = append(bucket, i)
			}
		}
	}
	return x
}

// mark is something that two faces have in common if they look alike by why.
type mark struct {
	why  Why
	text string
}

func marks(f *face) []mark {
	list := make([]mark, 0, 5+len(f.fold))
	add := func(why Why, text string) {
		if text != "" {
			list = append(list, mark{why, text})
		}
	}
	add(WhyOtherKey, f.other)
	add(WhySpelling, f.fold)
	add(WhyCut, cmp.Or(f.cut, f.whole))
	add(WhyName, f.name)
	if len(f.fold) < minTypoLength {
		return list
	}
	// Two keys that are one slip apart are the same once the wrong digit is
	// left out of both, or out of the longer one.
	add(WhyDigit, f.fold)
	for i := range len(f.fold) {
		again := i > 0 && f.fold[i] == f.fold[i-1] // leaves the same as the one before
		if isDigit(f.fold[i]) && !again {
			add(WhyDigit, f.fold[:i]+f.fold[i+1:])
		}
	}
	return list
}

// found is one of an index that looks like the one it was searched for.
type found struct {
	index int
	alike likeness
}

// search finds the best, at most maxHints. compare is compareFaces with its
// arguments in their order.
func (x index) search(f *face, compare func(other *face) likeness) []found {
	var candidates []int
	for _, m := range marks(f) {
		candidates = append(candidates, x.buckets[m]...)
	}
	slices.Sort(candidates)
	var all []found
	var times [8]int // how many are alike by each reason
	for _, i := range slices.Compact(candidates) {
		alike := compare(&x.faces[i])
		if alike == 0 {
			continue
		}
		all = append(all, found{i, alike})
		for n := range whys {
			times[n] += int(alike >> n & 1)
		}
	}
	// Numbers that are one digit from many others are a series, and a name that
	// many have is one of a range: neither tells one from the other.
	for n := weakest; n < len(whys); n++ {
		if times[n] > maxHints {
			for i := range all {
				all[i].alike &^= 1 << n
			}
		}
	}
	all = slices.DeleteFunc(all, func(f found) bool { return f.alike == 0 })
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(
			cmp.Compare(bits.TrailingZeros8(uint8(a.alike)), bits.TrailingZeros8(uint8(b.alike))),
			cmp.Compare(bits.OnesCount8(uint8(b.alike)), bits.OnesCount8(uint8(a.alike))),
		)
	})
	// A guess beside a near certainty is noise.
	if len(all) > 0 && !all[0].alike.weak() {
		all = slices.DeleteFunc(all, func(f found) bool { return f.alike.weak() })
	}
	return all[:min(len(all), maxHints)]
}

// hint gives the rows of items and products their hints: of the products that
// have no item, and the other way round.
func (w worklist) hint(drafts []draft) {
	var items []WorkItem
	var products []WorkProduct
	var itemFaces, productFaces []face
	for _, d := range drafts {
		if d.searching() {
			items = append(items, d.Items...)
			itemFaces = append(itemFaces, lo.Map(d.items, func(i catalogueItem, _ int) face { return w.itemFace(i) })...)
		}
		for i, product := range d.products {
			if w.free(product) {
				products = append(products, d.Products[i])
				productFaces = append(productFaces, w.productFace(product))
			}
		}
	}
	itemIndex, productIndex := newIndex(itemFaces), newIndex(productFaces)
	for n := range drafts {
		d := &drafts[n]
		for _, item := range lo.Ternary(d.searching(), d.items, nil) {
			f := w.itemFace(item)
			for _, one := range productIndex.search(&f, func(product *face) likeness { return compareFaces(&f, product) }) {
				d.add(Hint{Why: one.alike.list(), Product: &products[one.index]})
			}
		}
		if len(d.items) > 0 {
			continue
		}
		for _, product := range d.products {
			f := w.productFace(product)
			for _, one := range itemIndex.search(&f, func(item *face) likeness { return compareFaces(item, &f) }) {
				d.add(Hint{Why: one.alike.list(), Item: &items[one.index]})
			}
		}
	}
}

// searching says whether the row is about one item that has no product at all.
func (d *draft) searching() bool {
	switch d.ReasonCode {
	case ReasonNoProduct, ReasonNoKey, ReasonPlaceholderEAN, ReasonSpreadsheetEAN:
		return len(d.items) == 1
	}
	return false
}

// add adds a hint at what the row does not name yet. Two rows may speak of one
// product, so it may be found twice.
func (d *draft) add(h Hint) {
	if h.Product != nil {
		named := append(lo.FilterMap(d.Hints, func(h Hint, _ int) (WorkProduct, bool) { return lo.FromPtr(h.Product), h.Product != nil }), d.Products...)
		if slices.ContainsFunc(named, func(p WorkProduct) bool { return p.ID == h.Product.ID }) {
			return
		}
	}
	if len(d.Hints) < maxHints {
		d.Hints = append(d.Hints, h)
	}
}

func (w worklist) itemFace(item catalogueItem) face {
	return faceOf(w.rules.Match, item.code, item.EAN, item.Name)
}

func (w worklist) productFace(product Product) face {
	return faceOf(w.rules.Match, product.Number, product.EAN, product.Name)
}
