package stock

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
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
	NoStock    bool            `json:"noStock,omitempty"` // KROS keeps no stock for it and never did
	Missing    bool            `json:"missing,omitempty"` // not in this sweep, but in the baseline; has no outcome
	Entries    []Entry         `json:"entries,omitempty"`

	// Sold are the unbooked sales of the item, oldest first: what its products
	// sold and KROS has not booked yet. Products of one item share them.
	Sold []Sale `json:"sold,omitempty"`
	// Booked is the quantity of KROS up to which sales count as booked, where
	// that is not Kros: a held quantity is not believed yet.
	Booked *decimal.Decimal `json:"booked,omitempty"`
	// Kept is what the ledger says of products that were in step with this item
	// before and are not any more: unmatched, ambiguous or missing.
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

// Memory is what the archive of a shop remembers. None at all makes a pass the
// first one.
type Memory struct {
	Items    []Item // the baseline: the snapshot of the last accepted pass
	Ledger   []Line // the last plan that began to write
	Products int    // Plan.Matched of the last accepted pass
}

// Input is everything a plan is made of.
type Input struct {
	Rules    Rules
	Items    []Item    // the sweep, each distinct row once or more
	Products []Product // what the shop has for LookupKeys and GoneKeys
	Memory   *Memory   // nil: the first pass
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
		catalogue: newCatalogue(in.Rules.Match, Track(in.Items, memory.Items)),
		shelf:     newShelf(in.Rules.Match, in.Products),
		wrote:     writtenProducts(memory.Ledger),
	}
	lines := make([]Line, 0, len(p.catalogue.items))
	for i := range p.catalogue.items {
		lines = append(lines, p.judge(i))
	}
	if gone := p.missing(in, memory); len(gone) > 0 {
		lines = append(lines, gone...)
		slices.SortStableFunc(lines, func(a, b Line) int {
			return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Name, b.Name))
		})
	}
	return Plan{Lines: lines}
}

// Replan plans products again whose quantity changed under the writer's hands.
// fresh is what the shop has for them now. Only lines with a fresh product are
// in the answer, with these products only; one that is not fresh, has lost the
// item's key or keeps no stock any more is left out.
func Replan(rules Rules, plan Plan, fresh []Product, memory *Memory) Plan {
	p := planner{match: rules.Match, shelf: newShelf(rules.Match, fresh), wrote: writtenProducts(lo.FromPtr(memory).Ledger)}
	byID := lo.KeyBy(distinctProducts(fresh), func(product Product) string { return product.ID })
	var again []Line
	for _, line := range plan.Lines {
		entries := lo.FilterMap(line.Entries, func(old Entry, _ int) (Entry, bool) {
			product, ok := byID[old.Product]
			if !ok || !p.shelf.writable(product) || productKey(p.match, product) != comparison(p.match, line.Key) {
				return Entry{}, false
			}
			entry := p.entry(product, line.Kros)
			entry.Wrote = entry.Wrote || old.Wrote
			return entry, true
		})
		if len(entries) == 0 {
			continue
		}
		line.Entries = entries
		if !line.Missing {
			line.Outcome = outcomeOf(entries)
		}
		again = append(again, line)
	}
	return Plan{Lines: again}
}

// MissingWritten are the missing items that have products we wrote: the ones
// to ask KROS for singly before their products may go to 0. Items without a
// code cannot be asked for.
func MissingWritten(items []Item, memory *Memory) []Item {
	known := lo.FromPtr(memory)
	ledger := ledgerEntries(known.Ledger)
	return lo.Filter(MissingItems(items, known.Items), func(item Item, _ int) bool {
		return len(ledger[CleanKey(item.Code)]) > 0
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

// CountMatches is how many items have a usable key of this kind, theirs alone,
// that a product has as well.
func CountMatches(match Match, items []Item, products []Product) int {
	catalogue, shelf := newCatalogue(match, items), newShelf(match, products)
	return lo.CountBy(lo.Range(len(catalogue.items)), func(i int) bool {
		key := catalogue.items[i].key
		return key.fault == "" && len(catalogue.sameCode(i)) == 0 && len(catalogue.sameKey(i)) == 0 &&
			len(shelf.byKey[key.compare]) > 0
	})
}

// Writes are the changes, decreases first: what is sold out must not be
// sellable for a moment longer than needed. Within both, by product.
func (p Plan) Writes() []Write {
	var writes []Write
	for _, line := range p.Lines {
		for _, e := range line.Entries {
			if e.changes() {
				writes = append(writes, Write{Item: line.Item, Product: e.Product, From: e.From, To: e.To, Kros: e.Kros, Unbooked: e.Unbooked})
			}
		}
	}
	slices.SortStableFunc(writes, func(a, b Write) int {
		return cmp.Or(compareBool(a.To.GreaterThan(a.From), b.To.GreaterThan(b.From)), cmp.Compare(a.Product, b.Product))
	})
	return writes
}

// Hash names the changes of the plan: equal for equal (product, quantity it
// would get), whatever the order of the lines.
func (p Plan) Hash() string {
	writes := p.Writes()
	slices.SortFunc(writes, func(a, b Write) int { return cmp.Compare(a.Product, b.Product) })
	hash := sha256.New()
	for _, w := range writes {
		fmt.Fprintf(hash, "%q %s\n", w.Product, w.To)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Matched is how many products belong to items of the sweep.
func (p Plan) Matched() int {
	return lo.SumBy(p.Lines, func(line Line) int { return lo.Ternary(line.Missing, 0, len(line.Entries)) })
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
	wrote     map[string]bool // products that the ledger says we wrote
}

// judge decides about one item. What makes it ambiguous comes first: an
// ambiguous item must be seen even where it would be skipped anyway.
func (p planner) judge(i int) Line {
	item := p.catalogue.items[i]
	line := Line{
		Item:    item.code,
		Name:    item.Name,
		Key:     item.key.written,
		Kros:    p.measure.of(item.Item),
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
	if line.NoStock {
		return p.because(line, Skipped, ReasonNotStock, nil)
	}
	if item.key.fault != "" {
		return p.because(line, Skipped, item.key.fault, nil)
	}
	return p.assign(line, p.shelf.byKey[item.key.compare])
}

// assign gives a line its products.
func (p planner) assign(line Line, products []Product) Line {
	if len(products) == 0 {
		return p.because(line, Unmatched, ReasonNoProduct, nil)
	}
	writable := lo.Filter(products, func(product Product, _ int) bool { return p.shelf.writable(product) })
	if len(writable) == 0 {
		parent := lo.SomeBy(products, func(product Product) bool { return p.shelf.parents[product.ID] })
		return p.because(line, Skipped, lo.Ternary(parent, ReasonParent, ReasonUntracked), productIDs(products))
	}
	if len(writable) > MaxProducts {
		return p.because(line, Ambiguous, ReasonTooManyProducts, productIDs(writable))
	}
	line.Entries = lo.Map(writable, func(product Product, _ int) Entry { return p.entry(product, line.Kros) })
	line.Outcome = outcomeOf(line.Entries)
	return line
}

// entry is the one place that decides what a product gets.
func (p planner) entry(product Product, kros decimal.Decimal) Entry {
	e := Entry{Product: product.ID, Name: product.Name, From: product.Quantity, To: kros, Kros: kros}
	e.Wrote = e.changes() || p.wrote[product.ID]
	return e
}

func (p planner) because(line Line, outcome Outcome, code string, others []string) Line {
	line.Outcome, line.ReasonCode, line.Others = outcome, code, others
	line.Reason = sentence(code, p.match, line.Key, others)
	return line
}

// missing are the lines of items that the baseline has and the sweep does not.
func (p planner) missing(in Input, memory Memory) []Line {
	items := distinct(p.match, MissingItems(in.Items, memory.Items))
	if len(items) == 0 {
		return nil
	}
	var ledger map[string][]Entry
	if in.Rules.Missing == MissingZero {
		ledger = lo.PickByKeys(ledgerEntries(memory.Ledger), lo.Keys(cleanSet(in.Gone)))
	}
	zeroed := map[string]bool{}
	return lo.Map(items, func(item catalogueItem, _ int) Line {
		line := Line{Item: item.code, Name: item.Name, Key: item.key.written, Missing: true}
		line.Entries = p.zeroings(item, ledger[item.code], zeroed)
		code := lo.Ternary(len(line.Entries) > 0, ReasonMissingZeroed, ReasonMissingKept)
		return p.because(line, "", code, nil)
	})
}

// zeroings take the products that we wrote for a gone item to 0. A product
// whose key an item of the sweep has follows that item, or stays as it is
// where that item is ambiguous.
func (p planner) zeroings(item catalogueItem, ledger []Entry, zeroed map[string]bool) []Entry {
	if len(ledger) == 0 || item.key.compare == "" || len(p.catalogue.byKey[item.key.compare]) > 0 {
		return nil
	}
	ours := lo.SliceToMap(ledger, func(e Entry) (string, bool) { return e.Product, true })
	var entries []Entry
	for _, product := range p.shelf.byKey[item.key.compare] {
		if ours[product.ID] && p.shelf.writable(product) && !zeroed[product.ID] {
			zeroed[product.ID] = true
			entries = append(entries, p.entry(product, decimal.Zero))
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

// ledgerEntries are the products that we wrote, by the code of their item.
func ledgerEntries(ledger []Line) map[string][]Entry {
	entries := map[string][]Entry{}
	for _, line := range ledger {
		if line.Item == "" {
			continue
		}
		for _, e := range line.Entries {
			if e.Wrote {
				entries[line.Item] = append(entries[line.Item], e)
			}
		}
	}
	return entries
}

func writtenProducts(ledger []Line) map[string]bool {
	wrote := map[string]bool{}
	for _, line := range ledger {
		for _, e := range line.Entries {
			if e.Wrote {
				wrote[e.Product] = true
			}
		}
	}
	return wrote
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
