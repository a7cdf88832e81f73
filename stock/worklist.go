package stock

import (
	"cmp"
	"slices"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// WorkKind says what a row of the worklist is about.
type WorkKind string

// The kinds of rows.
const (
	WorkLost      WorkKind = "lost"      // was in step before and is not any more
	WorkNoProduct WorkKind = "item"      // an item without a product that can be written
	WorkNoItem    WorkKind = "product"   // a product that keeps stock and has no item
	WorkAmbiguous WorkKind = "ambiguous" // a key of several items, or of too many products
)

// WorkKinds are all kinds, in the order of the worklist.
var WorkKinds = []WorkKind{WorkLost, WorkNoProduct, WorkNoItem, WorkAmbiguous}

// MaxWorkNames is how many items, and how many products, one row names. Where a
// key has more, further rows of the same kind and reason name the rest.
const MaxWorkNames = 100

// WorkRow is one thing that a person can put right, and what it speaks of: an
// item row of the item and the products that have its key but cannot be
// written; a product row of the product; an ambiguous row of everything that
// has the key; a lost row of the item and what it was in step with.
type WorkRow struct {
	Kind       WorkKind      `json:"kind"`
	Items      []WorkItem    `json:"items"`
	Products   []WorkProduct `json:"products"`
	ReasonCode string        `json:"reasonCode"`
	Reason     string        `json:"reason"`
	Cure       string        `json:"cure"` // what to do, for whoever has the words; NewWorklist leaves it empty
	Hints      []Hint        `json:"hints"`
}

// WorkItem is an item of KROS on the worklist.
type WorkItem struct {
	Code     string          `json:"code"`
	Name     string          `json:"name"`
	EAN      string          `json:"ean"`
	Quantity decimal.Decimal `json:"quantity"`       // what KROS gives by the rules of the shop
	Gone     bool            `json:"gone,omitempty"` // KROS does not show it any more
}

// WorkProduct is a product of the shop on the worklist.
type WorkProduct struct {
	ID       string          `json:"id"`
	Number   string          `json:"number"`
	EAN      string          `json:"ean"`
	Name     string          `json:"name"`
	Quantity decimal.Decimal `json:"quantity"`       // what the shop shows
	Gone     bool            `json:"gone,omitempty"` // the shop does not have it any more
}

// WorkCounts are how many rows of each kind a worklist has.
type WorkCounts struct {
	Lost      int `json:"lost"`
	Item      int `json:"item"`
	Product   int `json:"product"`
	Ambiguous int `json:"ambiguous"`
}

// CountWork counts the rows of a worklist.
func CountWork(rows []WorkRow) WorkCounts {
	of := lo.CountValuesBy(rows, func(row WorkRow) WorkKind { return row.Kind })
	return WorkCounts{Lost: of[WorkLost], Item: of[WorkNoProduct], Product: of[WorkNoItem], Ambiguous: of[WorkAmbiguous]}
}

// WorkInput is everything a worklist is made of.
type WorkInput struct {
	Rules    Rules
	Items    []Item    // a sweep
	Products []Product // all of the shop
	// Last are the lines of the last plan that a pass wrote by; none before the
	// first one. They tell what was in step; what is in step now is judged anew.
	Last []Line
}

// NewWorklist lists what no pass can keep in step before a person acts, sorted
// by kind, then reason, then key. Items that are no stock items and items that
// the rules ignore are not on it, nor are the products that have their key.
func NewWorklist(in WorkInput) []WorkRow {
	w := newWorklist(in)
	drafts := slices.Concat(w.ambiguous(), w.alone(), w.missing(in.Last))
	drafts = append(drafts, w.withoutItem(drafts)...)
	slices.SortStableFunc(drafts, compareDrafts)
	w.hint(drafts)
	return lo.FlatMap(drafts, func(d draft, _ int) []WorkRow { return d.rows() })
}

// worklist is what the rows are judged by: a plan of what is there now, and who
// has whom.
type worklist struct {
	rules     Rules
	catalogue catalogue
	byCode    positions // of the catalogue's items
	lines     []Line    // one for each item of the catalogue, in its order
	shelf     shelf
	products  []Product // each once, by id
	byID      map[string]Product
	inStep    map[string]bool    // products that are written for an item
	owners    map[string]string  // items that the rules give a product to, by its number
	ignored   map[string]bool    // keys of items that the rules ignore
	before    map[workID][]Entry // what an item was in step with
}

// workID is what the lines of one item have in common from plan to plan.
type workID struct{ code, name, key string }

func workIDOf(line Line) workID {
	if line.Item != "" {
		return workID{code: line.Item}
	}
	return workID{name: line.Name, key: line.Key}
}

func newWorklist(in WorkInput) worklist {
	products := distinctProducts(in.Products)
	w := worklist{
		rules:     in.Rules,
		catalogue: newCatalogue(in.Rules, Track(in.Items, nil)),
		lines:     NewPlan(Input{Rules: in.Rules, Items: in.Items, Products: in.Products, First: true}).Lines,
		shelf:     newShelf(in.Rules, in.Products),
		products:  products,
		byID:      lo.KeyBy(products, func(p Product) string { return p.ID }),
		inStep:    map[string]bool{},
		owners:    map[string]string{},
		ignored:   map[string]bool{},
		before:    map[workID][]Entry{},
	}
	w.byCode = positionsBy(len(w.catalogue.items), func(i int) string { return w.catalogue.items[i].code })
	for i, line := range w.lines {
		for _, e := range line.Entries {
			w.inStep[e.Product] = true
		}
		if item := w.catalogue.items[i]; item.rule.Ignore {
			w.ignored[keyOf(in.Rules.Match, *item.Item).compare] = true
		}
	}
	for code, rule := range in.Rules.Items {
		for _, number := range rule.Products {
			w.owners[CleanKey(number)] = code
		}
	}
	for _, line := range in.Last {
		// A product that was held was not in step yet.
		had := lo.Filter(line.Entries, func(e Entry, _ int) bool { return e.Want == nil })
		if had = append(had, line.Kept...); len(had) > 0 {
			w.before[workIDOf(line)] = append(w.before[workIDOf(line)], had...)
		}
	}
	return w
}

// draft is a row that is being made, with what it speaks of whole.
type draft struct {
	WorkRow
	items    []catalogueItem // of the sweep
	products []Product       // of the shop
}

// ambiguous are the rows of keys and codes that several items have, or too many
// products. Items that share a code and items that share a key may be the same
// ones, so what hangs together is one row.
func (w worklist) ambiguous() []draft {
	together := newGroups()
	for i, line := range w.lines {
		if line.Outcome != Ambiguous {
			continue
		}
		together.add(i)
		item := w.catalogue.items[i]
		for _, first := range []int32{w.byCode.first[item.code], w.catalogue.byKey.first[item.key.compare]} {
			if first != 0 {
				together.join(int(first)-1, i)
			}
		}
	}
	var drafts []draft
	for _, group := range together.all() {
		if lo.EveryBy(group, func(i int) bool { return w.catalogue.items[i].rule.Ignore }) {
			continue
		}
		drafts = append(drafts, w.draft(WorkAmbiguous, group...))
	}
	return drafts
}

// alone are the rows of items that no product can be written for.
func (w worklist) alone() []draft {
	var drafts []draft
	for i, line := range w.lines {
		skipped := line.Outcome == Skipped && line.ReasonCode != ReasonNotStock && line.ReasonCode != ReasonIgnored
		if skipped || line.Outcome == Unmatched {
			drafts = append(drafts, w.draft(WorkNoProduct, i))
		}
	}
	return drafts
}

// draft makes the row of lines that have the same trouble. Where one of them
// was in step before, that is what the row is about.
func (w worklist) draft(kind WorkKind, group ...int) draft {
	first := w.lines[group[0]]
	d := draft{WorkRow: WorkRow{Kind: kind, ReasonCode: first.ReasonCode, Reason: first.Reason}}
	if first.ReasonCode == ReasonNoProduct && len(first.Paired) > 0 {
		d.Reason = "the e-shop has no product with number " + names(first.Paired) + ", which the items file gives it"
	}
	var lost []Entry
	var keys []string
	for _, i := range group {
		line, item := w.lines[i], w.catalogue.items[i]
		keys = append(keys, line.Key)
		d.items = append(d.items, item)
		d.Items = append(d.Items, WorkItem{Code: clip(item.code), Name: clip(item.Name), EAN: clip(CleanKey(item.EAN)), Quantity: line.Kros})
		d.products = append(d.products, w.having(line, item)...)
		lost = append(lost, w.lost(line)...)
	}
	return w.complete(d, lost, keys)
}

// having are the products that belong to an item and are not written for it.
func (w worklist) having(line Line, item catalogueItem) []Product {
	if len(line.Paired) > 0 {
		return w.shelf.paired(line.Paired)
	}
	if item.key.compare == "" {
		return nil
	}
	return w.shelf.of(item.key.compare)
}

// lost is what the item of a line was in step with and what no item has now.
func (w worklist) lost(line Line) []Entry {
	return lo.Filter(w.before[workIDOf(line)], func(e Entry, _ int) bool { return !w.inStep[e.Product] })
}

// complete adds what the items with these keys have lost, and shows each product
// once.
func (w worklist) complete(d draft, lost []Entry, keys []string) draft {
	lost = lo.UniqBy(lost, func(e Entry) string { return e.Product })
	if len(lost) > 0 {
		d.Kind = WorkLost
		d.Reason += "; " + w.lostSentence(lost, keys)
	}
	var gone []WorkProduct
	for _, e := range lost {
		if product, ok := w.byID[e.Product]; ok {
			d.products = append(d.products, product)
			continue
		}
		gone = append(gone, WorkProduct{ID: clip(e.Product), Name: clip(e.Name), Gone: true})
	}
	d.products = lo.UniqBy(d.products, func(p Product) string { return p.ID })
	slices.SortFunc(d.products, compareProducts)
	d.Products = append(lo.Map(d.products, func(p Product, _ int) WorkProduct { return workProduct(p) }), gone...)
	return d
}

func workProduct(p Product) WorkProduct {
	return WorkProduct{ID: clip(p.ID), Number: clip(CleanKey(p.Number)), EAN: clip(CleanKey(p.EAN)), Name: clip(p.Name), Quantity: p.Quantity}
}

// missing are the rows of items that KROS does not show any more, while the
// products that were in step with them are still in the shop.
func (w worklist) missing(last []Line) []draft {
	shown := map[workID]bool{}
	for _, line := range w.lines {
		shown[workIDOf(line)] = true
	}
	var drafts []draft
	for _, line := range last {
		id := workIDOf(line)
		if shown[id] || w.rules.Items[line.Item].Ignore {
			continue
		}
		shown[id] = true
		lost := lo.Filter(w.lost(line), func(e Entry, _ int) bool {
			product, ok := w.byID[e.Product]
			return ok && w.free(product)
		})
		if len(lost) == 0 {
			continue
		}
		code := lo.Ternary(line.Missing, line.ReasonCode, ReasonMissingKept)
		item := WorkItem{Code: clip(line.Item), Name: clip(line.Name), EAN: lo.Ternary(w.rules.Match == ByEAN, clip(line.Key), ""), Gone: true}
		drafts = append(drafts, w.complete(draft{WorkRow: WorkRow{
			Items: []WorkItem{item}, ReasonCode: code, Reason: sentence(code, w.rules.Match, line.Key, nil),
		}}, lost, []string{line.Key}))
	}
	return drafts
}

// withoutItem are the rows of products that no other row speaks of.
func (w worklist) withoutItem(others []draft) []draft {
	named := map[string]bool{}
	for _, d := range others {
		for _, product := range d.products {
			named[product.ID] = true
		}
	}
	var drafts []draft
	for _, product := range w.products {
		if named[product.ID] || !w.free(product) {
			continue
		}
		k := productKeyOf(w.rules.Match, product)
		d := draft{
			WorkRow:  WorkRow{Kind: WorkNoItem, Products: []WorkProduct{workProduct(product)}, ReasonCode: cmp.Or(k.fault, ReasonNoItem)},
			products: []Product{product},
		}
		d.Reason = productSentence(d.ReasonCode, w.rules.Match, clip(k.written))
		if owner := w.owners[CleanKey(product.Number)]; owner != "" {
			d.ReasonCode, d.Reason = ReasonNoItem, "the items file gives it to "+clip(owner)+", which KROS does not have"
		}
		drafts = append(drafts, d)
	}
	return drafts
}

// free says whether the shop keeps stock of a product that belongs to no item.
func (w worklist) free(product Product) bool {
	if !w.shelf.writable(product) || w.inStep[product.ID] {
		return false
	}
	if owner := w.owners[CleanKey(product.Number)]; owner != "" {
		return !w.byCode.has(owner)
	}
	k := productKeyOf(w.rules.Match, product)
	return k.fault != "" || !w.catalogue.byKey.has(k.compare) && !w.ignored[k.compare]
}

func productKeyOf(match Match, product Product) key {
	return keyOf(match, Item{Code: product.Number, EAN: product.EAN})
}

// reasonOrder is the order of the reasons within a kind: first what is mostly
// put right by a look at the other side.
var reasonOrder = []string{
	ReasonMissingKept, ReasonMissingZeroed, ReasonNoProduct, ReasonPaired, ReasonNoItem, ReasonDuplicateCode, ReasonSharedKey, ReasonTooManyProducts,
	ReasonUntracked, ReasonParent, ReasonNoKey, ReasonPlaceholderEAN, ReasonSpreadsheetEAN,
}

func compareDrafts(a, b draft) int {
	itemA, itemB := lo.FirstOrEmpty(a.Items), lo.FirstOrEmpty(b.Items)
	productA, productB := lo.FirstOrEmpty(a.Products), lo.FirstOrEmpty(b.Products)
	return cmp.Or(
		cmp.Compare(slices.Index(WorkKinds, a.Kind), slices.Index(WorkKinds, b.Kind)),
		cmp.Compare(rank(a.ReasonCode), rank(b.ReasonCode)),
		cmp.Compare(itemA.Code, itemB.Code),
		cmp.Compare(itemA.Name, itemB.Name),
		cmp.Compare(itemA.EAN, itemB.EAN),
		cmp.Compare(productA.Number, productB.Number),
		cmp.Compare(productA.ID, productB.ID),
	)
}

func rank(reason string) int {
	if at := slices.Index(reasonOrder, reason); at >= 0 {
		return at
	}
	return len(reasonOrder)
}

func compareProducts(a, b Product) int {
	return cmp.Or(cmp.Compare(CleanKey(a.Number), CleanKey(b.Number)), cmp.Compare(a.ID, b.ID))
}

// rows are the rows of a draft: one, or as many as its names take.
func (d *draft) rows() []WorkRow {
	if d.Hints == nil {
		d.Hints = []Hint{}
	}
	items, products := lo.Chunk(d.Items, MaxWorkNames), lo.Chunk(d.Products, MaxWorkNames)
	rows := make([]WorkRow, max(len(items), len(products)))
	for i := range rows {
		rows[i] = d.WorkRow
		rows[i].Items, rows[i].Products = []WorkItem{}, []WorkProduct{}
		if i < len(items) {
			rows[i].Items = items[i]
		}
		if i < len(products) {
			rows[i].Products = products[i]
		}
	}
	return rows
}

// groups are sets of indexes that grow together.
type groups struct {
	parent map[int]int
	order  []int
}

func newGroups() groups { return groups{parent: map[int]int{}} }

func (g *groups) add(i int) {
	if _, known := g.parent[i]; !known {
		g.parent[i] = i
		g.order = append(g.order, i)
	}
}

func (g *groups) join(a, b int) {
	g.add(a)
	g.add(b)
	g.parent[g.root(a)] = g.root(b)
}

func (g *groups) root(i int) int {
	for g.parent[i] != i {
		g.parent[i] = g.parent[g.parent[i]] // halves the way for the next one
		i = g.parent[i]
	}
	return i
}

// all are the groups in the order of their first member, each in order.
func (g *groups) all() [][]int {
	members := map[int][]int{}
	slices.Sort(g.order)
	for _, i := range g.order {
		members[g.root(i)] = append(members[g.root(i)], i)
	}
	all := lo.Values(members)
	slices.SortFunc(all, slices.Compare)
	return all
}
