package stock

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"sort"

	"github.com/samber/lo"
)

// WarehouseUse is a warehouse that KROS has and how many items have a row in it.
type WarehouseUse struct {
	Code  string `json:"code"`
	Items int    `json:"items"`
}

// Warehouses are the warehouses that the rows of items name, by code. A row
// without a code names none.
func Warehouses(items []Item) []WarehouseUse {
	uses := warehouseItems(items)
	list := make([]WarehouseUse, 0, len(uses))
	for _, code := range slices.Sorted(maps.Keys(uses)) {
		list = append(list, WarehouseUse{Code: code, Items: uses[code]})
	}
	return list
}

// Track returns items with Tracked set where an item has rows or the baseline
// knows it as tracked: that an item is a stock item is never forgotten.
func Track(items, baseline []Item) []Item {
	var bare, known []int // positions of items that are not tracked yet: those that have no rows now, few, and the others
	for i := range items {
		switch {
		case !items[i].stocked():
			bare = append(bare, i)
		case !items[i].Tracked:
			known = append(known, i)
		}
	}
	if len(bare) > 0 && len(baseline) > 0 {
		bareBy := positionsBy(len(bare), func(i int) string { return identityOf(items[bare[i]]) })
		for i := range baseline {
			if baseline[i].stocked() {
				for at := range bareBy.each(identityOf(baseline[i])) {
					known = append(known, bare[at])
				}
			}
		}
	}
	if len(known) == 0 {
		return items // as where they come from the archive
	}
	tracked := slices.Clone(items)
	for _, i := range known {
		tracked[i].Tracked = true
	}
	return tracked
}

// MissingItems are the items of the baseline that items do not show, in the
// baseline's order. An item is known by its code, without one by name and EAN.
func MissingItems(items, baseline []Item) []Item {
	if len(baseline) == 0 {
		return nil
	}
	shown := positionsOf(items)
	var missing []Item
	for _, item := range baseline {
		if !shown.has(identityOf(item)) {
			missing = append(missing, item)
		}
	}
	return missing
}

// CountHidden is how many of the items that moved others do not show.
func CountHidden(shown []Item, moved []*Item) int {
	positions := positionsOf(shown)
	return lo.CountBy(moved, func(item *Item) bool { return !positions.has(identityOf(*item)) })
}

// Merge puts items that were read anew into a baseline: they take the place of
// all that the baseline has of them.
func Merge(baseline, fresh []Item) []Item {
	anew := positionsOf(fresh)
	merged := make([]Item, 0, len(baseline)+len(fresh))
	for _, item := range baseline {
		if !anew.has(identityOf(item)) {
			merged = append(merged, item)
		}
	}
	return append(merged, fresh...)
}

// Moved are the items to which KROS gives another quantity in some warehouse
// than the baseline has, or that the baseline did not have.
func Moved(items, baseline []Item) []*Item {
	before := positionsOf(baseline)
	var moved []*Item
	for i := range items {
		same := false
		for j := range before.each(identityOf(items[i])) {
			same = same || sameRows(baseline[j].Rows, items[i].Rows)
		}
		if !same {
			moved = append(moved, &items[i])
		}
	}
	return moved
}

// identityOf is what an item is known by from one sweep to the next: its code,
// and without one a text that is no code.
func identityOf(item Item) string {
	if code := CleanKey(item.Code); code != "" {
		return code
	}
	return "\x00" + item.Name + "\x00" + item.EAN
}

func positionsOf(items []Item) positions {
	return positionsBy(len(items), func(i int) string { return identityOf(items[i]) })
}

// stocked says whether KROS keeps stock for the item, or once did.
func (i Item) stocked() bool { return i.Tracked || len(i.Rows) > 0 }

// warehouseItems counts, for each warehouse code, the items with a row in it.
func warehouseItems(items []Item) map[string]int {
	uses := map[string]int{}
	for _, item := range items {
		for i, row := range item.Rows {
			code := CleanKey(row.Warehouse)
			again := slices.ContainsFunc(item.Rows[:i], func(r Row) bool { return CleanKey(r.Warehouse) == code })
			if code != "" && !again {
				uses[code]++
			}
		}
	}
	return uses
}

// catalogue is a sweep made ready for judging: each item once, in the order of
// the plan, and who else has an item's code or key.
type catalogue struct {
	items []catalogueItem // by code
	byKey positions
}

type catalogueItem struct {
	*Item
	code string // trimmed, in NFC
	key  key
	rule *ItemRule // never nil
}

func newCatalogue(rules Rules, items []Item) catalogue {
	c := catalogue{items: distinct(rules, items)}
	c.byKey = positionsBy(len(c.items), func(i int) string { return c.items[i].key.compare })
	return c
}

// sameCode are the other items with the code of item i, which lie beside it.
func (c catalogue) sameCode(i int) []catalogueItem {
	code := c.items[i].code
	has := func(at int) bool { return at >= 0 && at < len(c.items) && c.items[at].code == code }
	if code == "" || !has(i-1) && !has(i+1) { // as nearly always
		return nil
	}
	first := sort.Search(i, has)
	return c.others(i, func(yield func(int) bool) {
		for at := first; has(at) && yield(at); at++ {
		}
	})
}

// sameKey are the other items with the key of item i.
func (c catalogue) sameKey(i int) []catalogueItem {
	return c.others(i, c.byKey.each(c.items[i].key.compare))
}

// others is capped: a placeholder nobody knows may stand in every item, and
// each of them naming all would be quadratic.
func (c catalogue) others(self int, all iter.Seq[int]) []catalogueItem {
	var others []catalogueItem
	for i := range all {
		if len(others) == maxOthers {
			break
		}
		if i != self {
			others = append(others, c.items[i])
		}
	}
	return others
}

// distinct sorts items and drops those that are equal in everything: one row
// that a moving list showed twice.
func distinct(rules Rules, items []Item) []catalogueItem {
	sorted := make([]catalogueItem, 0, len(items))
	for i := range items {
		one := catalogueItem{Item: &items[i], code: CleanKey(items[i].Code), key: keyOf(rules.Match, items[i])}
		one.rule = rules.own(one.code)
		if one.rule.Ignore || len(one.rule.Products) > 0 {
			one.key.compare = "" // a person has settled it, so its key is nobody's trouble
		}
		sorted = append(sorted, one)
	}
	slices.SortFunc(sorted, compareItems)
	unique := sorted[:0]
	for _, item := range sorted {
		if last := len(unique) - 1; last >= 0 && compareItems(unique[last], item) == 0 {
			continue
		}
		unique = append(unique, item)
	}
	return unique
}

var noRule ItemRule

// own is what the rules say of one item alone, by its clean code.
func (r Rules) own(code string) *ItemRule {
	if rule, has := r.Items[code]; has {
		kept := rule // only what is found takes memory
		return &kept
	}
	return &noRule
}

func compareItems(a, b catalogueItem) int {
	if order := cmp.Compare(a.code, b.code); order != 0 { // as nearly always
		return order
	}
	if order := cmp.Or(
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.EAN, b.EAN),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Unit, b.Unit),
	); order != 0 {
		return order
	}
	return slices.CompareFunc(orderedRows(a.Rows), orderedRows(b.Rows), compareRows)
}

// orderedRows makes the order in which KROS listed the warehouses irrelevant.
func orderedRows(rows []Row) []Row {
	if slices.IsSortedFunc(rows, compareRows) { // as nearly always
		return rows
	}
	return slices.SortedFunc(slices.Values(rows), compareRows)
}

func compareRows(a, b Row) int {
	return cmp.Or(cmp.Compare(a.Warehouse, b.Warehouse), a.Quantity.Cmp(b.Quantity))
}

// shelf is what the shop has, by the key of the plan.
type shelf struct { //nolint:recvcheck // it is filled by pointer and read by value
	products []Product            // as they were given
	places   []int32              // of products, by key, then by id; without those that a person gave to an item
	keys     []string             // of places
	first    map[string]int32     // by key: its first place
	byNumber map[string][]Product // those
	given    map[string][]string  // by key: the items that have its products
	parents  map[string]bool      // ids of products whose variants are products themselves
}

func newShelf(rules Rules, products []Product) shelf {
	s := shelf{
		products: products, places: make([]int32, 0, len(products)), keys: make([]string, 0, len(products)),
		first: make(map[string]int32, len(products)), byNumber: map[string][]Product{}, given: map[string][]string{}, parents: map[string]bool{},
	}
	owners := map[string]string{}
	for code, rule := range rules.Items {
		for _, number := range rule.Products {
			owners[CleanKey(number)] = code
		}
	}
	for _, product := range products {
		if product.ParentID != "" && product.ParentID != product.ID {
			s.parents[product.ParentID] = true
		}
	}
	for _, place := range distinctPlaces(products) {
		product := products[place]
		key := productKey(rules.Match, product)
		if owner, given := owners[CleanKey(product.Number)]; given {
			number := CleanKey(product.Number)
			s.byNumber[number] = append(s.byNumber[number], product)
			s.given[key] = append(s.given[key], owner)
			continue
		}
		s.places, s.keys = append(s.places, place), append(s.keys, key)
	}
	s.order()
	for i, key := range slices.Backward(s.keys) {
		s.first[key] = int32(i)
	}
	return s
}

// order sorts the products, which are sorted by id, by key.
func (s *shelf) order() {
	if slices.IsSorted(s.keys) {
		return
	}
	order := lo.Range(len(s.keys))
	slices.SortFunc(order, func(a, b int) int {
		if by := cmp.Compare(s.keys[a], s.keys[b]); by != 0 {
			return by
		}
		return a - b
	})
	s.places = lo.Map(order, func(at, _ int) int32 { return s.places[at] })
	s.keys = lo.Map(order, func(at, _ int) string { return s.keys[at] })
}

// of are the products with a key, by id.
func (s shelf) of(key string) []Product {
	from, found := s.first[key]
	if !found {
		return nil
	}
	to := from
	for int(to) < len(s.keys) && s.keys[to] == key {
		to++
	}
	if place := s.places[from]; to == from+1 { // as nearly always
		return s.products[place : place+1 : place+1]
	}
	return lo.Map(s.places[from:to], func(place int32, _ int) Product { return s.products[place] })
}

// paired are the products with one of the numbers.
func (s shelf) paired(numbers []string) []Product {
	return lo.FlatMap(lo.Uniq(numbers), func(number string, _ int) []Product { return s.byNumber[CleanKey(number)] })
}

// writable says whether the product has a stock of its own.
func (s shelf) writable(product Product) bool { return product.Tracked && !s.parents[product.ID] }

// distinctProducts sorts products by id, each once: one product is found by
// several written forms of its key. Where it sold between two look-ups the
// lower reading stays; if that is the older one, the write ends in a conflict
// and is planned again.
func distinctProducts(products []Product) []Product {
	return lo.Map(distinctPlaces(products), func(place int32, _ int) Product { return products[place] })
}

// distinctPlaces is where the distinct products stand.
func distinctPlaces(products []Product) []int32 {
	places := make([]int32, len(products))
	for i := range places {
		places[i] = int32(i)
	}
	slices.SortFunc(places, func(i, j int32) int {
		a, b := &products[i], &products[j]
		if order := cmp.Compare(a.ID, b.ID); order != 0 { // as nearly always
			return order
		}
		return cmp.Or(
			a.Quantity.Cmp(b.Quantity),
			cmp.Compare(a.Number, b.Number),
			cmp.Compare(a.EAN, b.EAN),
			cmp.Compare(a.ParentID, b.ParentID),
			cmp.Compare(a.Name, b.Name),
			compareBool(a.Tracked, b.Tracked),
		)
	})
	return slices.CompactFunc(places, func(i, j int32) bool { return products[i].ID == products[j].ID })
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
