package stock

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// MaxProducts is how many products one item may have in the shop and still be
// written.
const MaxProducts = 10

// Plan is what one pass would do: a line for every item of the sweep and for
// every missing item, sorted by item code, then name, then EAN.
type Plan struct {
	Lines []Line `json:"lines"`
	Hold  *Hold  `json:"hold,omitempty"` // why some of it waits for a person
	// Imported tells that somebody changed the shop's stock as a whole, so that
	// the ledger says nothing about sales.
	Imported bool `json:"imported,omitempty"`
}

// Line is what a plan says of one item; Entries are its writable products, by
// id. Only an item that is updated, unchanged or held has any, or a missing
// one whose products go to 0.
type Line struct {
	Item       string          `json:"item,omitempty"` // trimmed
	Name       string          `json:"name,omitempty"`
	Key        string          `json:"key,omitempty"` // what it is matched by, trimmed, as it is written in KROS
	Outcome    Outcome         `json:"outcome,omitempty"`
	ReasonCode string          `json:"reasonCode,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Kros       decimal.Decimal `json:"kros,omitzero"`     // the quantity that KROS gives: combined, buffered, floored, rounded down
	Others     []string        `json:"others,omitempty"`  // other items, or products, that the reason speaks of
	Paired     []string        `json:"paired,omitempty"`  // numbers of the products that the items file gives it
	NoStock    bool            `json:"noStock,omitempty"` // KROS keeps no stock for it and never did
	Missing    bool            `json:"missing,omitempty"` // not in this sweep, but in the baseline; has no outcome
	Entries    []Entry         `json:"entries,omitempty"`

	// Past is a missing line whose item the baseline does not have either: it is
	// kept in mind for its unbooked sales alone, and counts nowhere.
	Past bool `json:"past,omitempty"`
	// Sold are the unbooked sales of the item, oldest first: what its products
	// sold and KROS has not booked yet. Products of one item share them.
	Sold []Sale `json:"sold,omitempty"`
	// Booked is the quantity of KROS up to which sales count as booked, where
	// that is not Kros: a held quantity is not believed yet.
	Booked *decimal.Decimal `json:"booked,omitempty"`
	// Kept is what the ledger says of products that were in step with this item
	// before and are not any more: it is unmatched, ambiguous or missing, or has
	// other products now.
	Kept []Entry `json:"kept,omitempty"`
}

// Sale is a number of pieces that the shop fell between two passes and KROS
// has not booked yet. Seen is when a pass saw it.
type Sale struct {
	Quantity decimal.Decimal `json:"quantity"`
	Seen     time.Time       `json:"seen"`
}

// Entry is what a plan says of one product. As a row of the ledger it is what
// we last left in the shop.
type Entry struct {
	Product  string          `json:"product"`
	Name     string          `json:"name,omitempty"`
	From     decimal.Decimal `json:"from,omitzero"`
	To       decimal.Decimal `json:"to,omitzero"`
	Kros     decimal.Decimal `json:"kros,omitzero"`
	Unbooked decimal.Decimal `json:"unbooked,omitzero"`
	Wrote    bool            `json:"wrote,omitempty"` // we changed this product, in this pass or an earlier one

	// Want is the quantity that a held product would get; To is then From.
	Want *decimal.Decimal `json:"want,omitempty"`
	// Approved was wanted by a person, and counts in no threshold.
	Approved bool `json:"approved,omitempty"`
	// Dismissed keeps what it has until KROS gives another quantity than Kros.
	Dismissed bool `json:"dismissed,omitempty"`
}

// Write is one change of a plan: Product is to go from From to To.
type Write struct {
	Item     string          `json:"item,omitempty"`
	Product  string          `json:"product"`
	From     decimal.Decimal `json:"from,omitzero"`
	To       decimal.Decimal `json:"to,omitzero"`
	Kros     decimal.Decimal `json:"kros,omitzero"`
	Unbooked decimal.Decimal `json:"unbooked,omitzero"`
}

// Memory is what the archive of a shop remembers.
type Memory struct {
	Items    []Item // the baseline: the snapshot of the last accepted pass
	Ledger   Ledger // of the last plan that ended, or began to write
	Basis    string // the settings of the ledger's pass, see Input.Basis; empty: not known
	Products int    // Plan.Matched of the last accepted pass
}

// Input is everything a plan is made of.
type Input struct {
	Rules    Rules
	Items    []Item    // the sweep, each distinct row once or more
	Products []Product // what the shop has for LookupKeys and GoneKeys
	Memory   *Memory   // nil: nothing is remembered
	Now      time.Time // when the shop's products were read

	// Basis names the settings that decide about quantities: Rules.Basis, and
	// whatever else the caller knows of them.
	Basis string
	// First is a pass without a baseline, or one whose changes a person has just
	// seen as an activation's findings: it is no mass change.
	First bool
	// Doubtful is a catalogue of which everything is held.
	Doubtful bool
	Day      *Day // nil: only the shop's present stock is known
	Answers  Answers

	// Gone are the codes of missing items that KROS does not know even when
	// asked for one by one. They count only with MissingZero.
	Gone []string
}

// NewPlan decides what becomes of every item. It writes nothing that it does
// not know for certain: a key of several items, a product without a stock of
// its own, a missing item that was not asked for singly are left alone.
func NewPlan(in Input) Plan {
	memory := lo.FromPtr(in.Memory)
	p := planner{
		match:     in.Rules.Match,
		measure:   newMeasure(in.Rules),
		catalogue: newCatalogue(in.Rules, Track(in.Items, memory.Items)),
		shelf:     newShelf(in.Rules, in.Products),
		entries:   &entries{},
	}
	plan := Plan{Lines: make([]Line, 0, len(p.catalogue.items))}
	for i := range p.catalogue.items {
		plan.Lines = append(plan.Lines, p.judge(i))
	}
	plan.Lines = append(plan.Lines, p.missing(in, memory)...)
	remembered := newLedger(in, plan.Lines)
	believed := remembered
	if plan.Imported = remembered.imported(plan.Lines); plan.Imported {
		believed = remembered.forget()
	}
	plan.aim(believed)
	newGuard(in, &plan).watch(in.Doubtful)
	plan.close(believed, remembered)
	plan.Lines = append(plan.Lines, remembered.past(plan.Lines)...)
	if !slices.IsSortedFunc(plan.Lines, orderLines) {
		slices.SortStableFunc(plan.Lines, orderLines)
	}
	return plan
}

// orderLines is the order of a plan.
func orderLines(a, b Line) int {
	if order := cmp.Compare(a.Item, b.Item); order != 0 {
		return order
	}
	return cmp.Compare(a.Name, b.Name)
}

// aim gives every product the quantity of KROS without what was sold and is not
// booked: never above the plain rule.
func (p Plan) aim(l ledger) {
	for i := range p.Lines {
		line := &p.Lines[i]
		if len(line.Entries) == 0 {
			continue
		}
		line.Sold = l.sales(i, line, true)
		sold := unbooked(line.Sold)
		for j := range line.Entries {
			line.Entries[j] = line.Entries[j].aimed(sold)
		}
		if !line.Missing {
			line.Outcome = outcomeOf(line.Entries)
		}
	}
}

// close makes the plan the ledger of the next pass: of a held product KROS's
// number is not believed, and products that have left their item are kept in
// mind.
func (p Plan) close(believed, remembered ledger) {
	for i := range p.Lines {
		line := &p.Lines[i]
		held := false
		for j := range line.Entries {
			e := &line.Entries[j]
			row, known := remembered.with(i, e.Product)
			e.Wrote = e.changes() || known && row.ever
			held = held || e.Want != nil
		}
		if own, known := believed.line(i); held && known {
			line.Sold, line.Booked = believed.sales(i, line, false), lo.ToPtr(believed.lines[own].kros)
		}
	}
	var claimed map[string]bool
	for i := range p.Lines {
		line := &p.Lines[i]
		if own, known := remembered.line(i); !known || hasAll(line.Entries, remembered.of(own)) {
			continue
		}
		if claimed == nil {
			claimed = p.products()
		}
		remembered.carry(line, claimed)
	}
}

// hasAll tells whether all products that a line had are still with it.
func hasAll(entries []Entry, old []ledgerRow) bool {
	return len(entries) > 0 && lo.EveryBy(old, func(row ledgerRow) bool {
		return slices.ContainsFunc(entries, func(e Entry) bool { return e.Product == row.product })
	})
}

// products are those that belong to a line.
func (p Plan) products() map[string]bool {
	products := make(map[string]bool, len(p.Lines))
	for _, line := range p.Lines {
		for _, e := range line.Entries {
			products[e.Product] = true
		}
	}
	return products
}

// Replan plans products again whose quantity changed under the writer's hands.
// fresh is what the shop has for them now; what it fell meanwhile was sold.
// Only lines with a fresh product are in again, with these products only; one
// that is not fresh, has lost the item's key or keeps no stock any more is left
// out. whole is the plan with these products as they are planned now.
//
// Where the conflict is the answer to a repeated write, the first one may have
// come through and the product have sold since: then it fell from the larger of
// what it had and what it was to get, so that nothing is sold twice.
func Replan(rules Rules, plan Plan, fresh []Product, conflicts []Receipt, now time.Time) (again, whole Plan) {
	repeated := map[string]bool{}
	for _, r := range conflicts {
		repeated[r.Product] = r.Repeated
	}
	shelf := newShelf(rules, fresh)
	byID := lo.KeyBy(distinctProducts(fresh), func(product Product) string { return product.ID })
	whole = plan
	whole.Lines = slices.Clone(plan.Lines)
	for i, line := range plan.Lines {
		second := line
		second.Entries = nil
		for _, old := range line.Entries {
			product, ok := byID[old.Product]
			if !ok || !shelf.writable(product) || !line.has(rules.Match, product) {
				continue
			}
			if rules.SoldHold > 0 {
				had := old.From
				if repeated[old.Product] {
					had = (&ledgerRow{left: old.To, or: &old.From}).before(product.Quantity)
				}
				second.Sold = fall(second.Sold, had.Sub(product.Quantity), now)
			}
			old.From = product.Quantity
			second.Entries = append(second.Entries, old)
		}
		if len(second.Entries) == 0 {
			continue
		}
		for j := range second.Entries {
			e := second.Entries[j].aimed(unbooked(second.Sold))
			e.Wrote = e.Wrote || e.changes()
			second.Entries[j] = e
		}
		if !second.Missing {
			second.Outcome = outcomeOf(second.Entries)
		}
		again.Lines = append(again.Lines, second)
		whole.Lines[i] = line.with(second)
	}
	return again, whole
}

// with is the line with what was planned again.
func (l Line) with(second Line) Line {
	planned := lo.KeyBy(second.Entries, func(e Entry) string { return e.Product })
	l.Sold = second.Sold
	l.Entries = lo.Map(l.Entries, func(e Entry, _ int) Entry {
		if fresh, ok := planned[e.Product]; ok {
			return fresh
		}
		return e
	})
	return l
}

// has tells whether the product still has the line's key.
func (l Line) has(match Match, product Product) bool {
	if len(l.Paired) > 0 {
		return slices.Contains(l.Paired, CleanKey(product.Number))
	}
	return productKey(match, product) == comparison(match, l.Key)
}

// MissingWritten are the missing items that have products we wrote: the ones
// to ask KROS for singly before their products may go to 0. Items without a
// code cannot be asked for.
func MissingWritten(items []Item, memory *Memory) []Item {
	known := lo.FromPtr(memory)
	written := known.Ledger.written()
	return lo.Filter(MissingItems(items, known.Items), func(item Item, _ int) bool {
		return len(written[CleanKey(item.Code)]) > 0
	})
}

// GoneKeys are the values to ask the shop for to find the products of gone
// items, beside the LookupKeys of the sweep.
func GoneKeys(match Match, memory *Memory, gone []string) []string {
	codes := cleanSet(gone)
	return LookupKeys(match, lo.Filter(lo.FromPtr(memory).Items, func(item Item, _ int) bool {
		return codes[CleanKey(item.Code)]
	}))
}

// PairedNumbers are the product numbers that the rules for single items give to
// items of the sweep: what to ask the shop for by number, beside the LookupKeys.
func PairedNumbers(rules Rules, items []Item) []string {
	var numbers []string
	for _, item := range items {
		numbers = append(numbers, rules.Items[CleanKey(item.Code)].Products...)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// CountMatches is how many items have a usable key of this kind, theirs alone,
// that a product has as well.
func CountMatches(match Match, items []Item, products []Product) int {
	catalogue, shelf := newCatalogue(Rules{Match: match}, items), newShelf(Rules{Match: match}, products)
	return lo.CountBy(lo.Range(len(catalogue.items)), func(i int) bool {
		key := catalogue.items[i].key
		return key.fault == "" && len(catalogue.sameCode(i)) == 0 && len(catalogue.sameKey(i)) == 0 &&
			len(shelf.of(key.compare)) > 0
	})
}

// Writes are the changes, decreases first: what is sold out must not be
// sellable for a moment longer than needed. Within both, by product.
func (p Plan) Writes() []Write {
	writes := make([]Write, 0, p.Changes())
	for _, increases := range []bool{false, true} {
		began := len(writes)
		for i := range p.Lines {
			line := &p.Lines[i]
			for j := range line.Entries {
				if e := &line.Entries[j]; e.changes() && e.To.GreaterThan(e.From) == increases {
					writes = append(writes, Write{Item: line.Item, Product: e.Product, From: e.From, To: e.To, Kros: e.Kros, Unbooked: e.Unbooked})
				}
			}
		}
		byProduct := func(a, b Write) int { return cmp.Compare(a.Product, b.Product) }
		if part := writes[began:]; !slices.IsSortedFunc(part, byProduct) {
			slices.SortStableFunc(part, byProduct)
		}
	}
	return writes
}

// Changes is how many Writes there are.
func (p Plan) Changes() int {
	changes := 0
	for i := range p.Lines {
		for j := range p.Lines[i].Entries {
			if p.Lines[i].Entries[j].changes() {
				changes++
			}
		}
	}
	return changes
}

// Hash names the changes of the plan: equal for equal (product, quantity it
// would get), whatever the order of the lines.
func (p Plan) Hash() string {
	changes := make([]*Entry, 0, p.Changes())
	for i := range p.Lines {
		for j := range p.Lines[i].Entries {
			if e := &p.Lines[i].Entries[j]; e.changes() {
				changes = append(changes, e)
			}
		}
	}
	slices.SortFunc(changes, func(a, b *Entry) int { return cmp.Compare(a.Product, b.Product) })
	hash := sha256.New()
	var text []byte
	for _, e := range changes {
		text = strconv.AppendQuote(text[:0], e.Product)
		text = append(append(append(text, ' '), e.To.String()...), '\n')
		_, _ = hash.Write(text) // a hash takes everything
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Matched is how many products belong to items of the sweep.
func (p Plan) Matched() int {
	return lo.SumBy(p.Lines, func(line Line) int { return lo.Ternary(line.Missing, 0, len(line.Entries)) })
}

// Lost is how many products were in step with an item of the sweep by an
// earlier pass, while the item has none any more.
func (p Plan) Lost() int {
	return lo.SumBy(p.Lines, func(line Line) int { return lo.Ternary(line.Missing || len(line.Entries) > 0, 0, len(line.Kept)) })
}

// Counts are the numbers of the plan if every write succeeds.
func (p Plan) Counts() Counts {
	counts, _ := p.tally()
	return counts
}

// Samples are examples of what the plan does not write.
func (p Plan) Samples() Samples {
	_, samples := p.tally()
	return samples
}

func (p Plan) tally() (Counts, Samples) {
	t := newTally()
	for _, line := range p.Lines {
		t.line(line)
		for _, e := range line.Entries {
			t.change(e.From, e.To)
		}
	}
	return t.counts, t.samples
}

func (e Entry) changes() bool { return !e.From.Equal(e.To) }

// planner holds what every line of a plan is judged by.
type planner struct {
	match     Match
	measure   measure
	catalogue catalogue
	shelf     shelf
	entries   *entries
}

// judge decides about one item. What makes it ambiguous comes first: an
// ambiguous item must be seen even where it would be skipped anyway.
func (p planner) judge(i int) Line {
	item := p.catalogue.items[i]
	line := Line{
		Item:    item.code,
		Name:    item.Name,
		Key:     item.key.written,
		Kros:    p.measure.of(*item.Item),
		NoStock: !item.stocked(),
	}
	if same := p.catalogue.sameCode(i); len(same) > 0 {
		return p.because(line, Ambiguous, ReasonDuplicateCode, lo.Map(same, func(other catalogueItem, _ int) string {
			return cmp.Or(other.Name, other.EAN, other.code)
		}))
	}
	if same := p.catalogue.sameKey(i); len(same) > 0 {
		return p.because(line, Ambiguous, ReasonSharedKey, lo.Map(same, func(other catalogueItem, _ int) string {
			return cmp.Or(other.code, other.Name, other.EAN)
		}))
	}
	if item.rule.Ignore {
		return p.because(line, Skipped, ReasonIgnored, nil)
	}
	if line.NoStock {
		return p.because(line, Skipped, ReasonNotStock, nil)
	}
	if len(item.rule.Products) > 0 {
		line.Paired = lo.Map(item.rule.Products, func(number string, _ int) string { return CleanKey(number) })
		return p.assign(line, p.shelf.paired(line.Paired))
	}
	if item.key.fault != "" {
		return p.because(line, Skipped, item.key.fault, nil)
	}
	return p.assign(line, p.shelf.of(item.key.compare))
}

// assign gives a line its products.
func (p planner) assign(line Line, products []Product) Line {
	if len(products) == 0 {
		if others := p.shelf.given[comparison(p.match, line.Key)]; len(others) > 0 && len(line.Paired) == 0 {
			return p.because(line, Unmatched, ReasonPaired, others)
		}
		return p.because(line, Unmatched, ReasonNoProduct, nil)
	}
	writable := products
	if !lo.EveryBy(products, p.shelf.writable) {
		writable = lo.Filter(products, func(product Product, _ int) bool { return p.shelf.writable(product) })
	}
	if len(writable) == 0 {
		parent := lo.SomeBy(products, func(product Product) bool { return p.shelf.parents[product.ID] })
		return p.because(line, Skipped, lo.Ternary(parent, ReasonParent, ReasonUntracked), productIDs(products))
	}
	if len(writable) > MaxProducts {
		return p.because(line, Ambiguous, ReasonTooManyProducts, productIDs(writable))
	}
	line.Entries = p.entries.of(writable, line.Kros)
	return line
}

// entries lays the products of lines side by side: nearly every line has one.
type entries struct{ block []Entry }

// entriesBlock is how many entries lie in one piece of memory.
const entriesBlock = 1024

// of are the products of one line, yet to be aimed at a quantity.
func (e *entries) of(products []Product, kros decimal.Decimal) []Entry {
	if cap(e.block)-len(e.block) < len(products) {
		e.block = make([]Entry, 0, max(entriesBlock, len(products)))
	}
	began := len(e.block)
	for _, product := range products {
		e.block = append(e.block, entryOf(product, kros))
	}
	return e.block[began:len(e.block):len(e.block)]
}

// entryOf is a product that is yet to be aimed at a quantity.
func entryOf(product Product, kros decimal.Decimal) Entry {
	return Entry{Product: product.ID, Name: product.Name, From: product.Quantity, Kros: kros}
}

// aimed is the one place that decides what a product gets.
func (e Entry) aimed(sold decimal.Decimal) Entry {
	e.Unbooked = sold
	if sold.IsZero() && !e.Kros.IsNegative() { // as nearly always
		e.To = e.Kros
		return e
	}
	e.To = decimal.Max(decimal.Zero, e.Kros.Sub(sold))
	return e
}

func (p planner) because(line Line, outcome Outcome, code string, others []string) Line {
	line.Outcome, line.ReasonCode, line.Others = outcome, code, others
	line.Reason = sentence(code, p.match, line.Key, others)
	return line
}

// missing are the lines of items that the baseline has and the sweep does not.
func (p planner) missing(in Input, memory Memory) []Line {
	items := distinct(in.Rules, MissingItems(in.Items, memory.Items))
	if len(items) == 0 {
		return nil
	}
	var ours map[string][]string
	if in.Rules.Missing == MissingZero {
		ours = lo.PickByKeys(memory.Ledger.written(), lo.Keys(cleanSet(in.Gone)))
	}
	zeroed := map[string]bool{}
	return lo.Map(items, func(item catalogueItem, _ int) Line {
		line := Line{Item: item.code, Name: item.Name, Key: item.key.written, Missing: true}
		line.Entries = p.zeroings(item, ours[item.code], zeroed)
		code := lo.Ternary(len(line.Entries) > 0, ReasonMissingZeroed, ReasonMissingKept)
		return p.because(line, "", code, nil)
	})
}

// zeroings take the products that we wrote for a gone item to 0. A product
// whose key an item of the sweep has follows that item, or stays as it is
// where that item is ambiguous.
func (p planner) zeroings(item catalogueItem, ours []string, zeroed map[string]bool) []Entry {
	if len(ours) == 0 || item.key.compare == "" || p.catalogue.byKey.has(item.key.compare) {
		return nil
	}
	var entries []Entry
	for _, product := range p.shelf.of(item.key.compare) {
		if slices.Contains(ours, product.ID) && p.shelf.writable(product) && !zeroed[product.ID] {
			zeroed[product.ID] = true
			entries = append(entries, entryOf(product, decimal.Zero))
		}
	}
	return entries
}

func outcomeOf(entries []Entry) Outcome {
	if lo.SomeBy(entries, Entry.changes) {
		return Updated
	}
	return Unchanged
}

func productIDs(products []Product) []string {
	return lo.Map(products[:min(len(products), maxOthers)], func(product Product, _ int) string { return product.ID })
}

func cleanSet(codes []string) map[string]bool {
	set := make(map[string]bool, len(codes))
	for _, code := range codes {
		if code = CleanKey(code); code != "" {
			set[code] = true
		}
	}
	return set
}
