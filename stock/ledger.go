package stock

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// An import or a restore changes many products at once, and not only downwards
// as sales do.
const (
	minImported      = 10 // products that differ from what we left
	importedFraction = 3  // more than one in so many of the matched ones differ
	raisedFraction   = 4  // at least one in so many of those shows more
)

// Basis names the settings that decide which quantity an item has and where it
// goes, in 12 hexadecimal characters. Where it differs from the ledger's, what
// KROS shows now cannot be compared with what it showed then. The order of
// warehouses does not count; rules for single items have a hash of their own.
func (r Rules) Basis() string {
	codes := lo.Keys(cleanSet(r.Warehouses))
	slices.Sort(codes)
	text, err := json.Marshal([]any{r.Match, r.Quantity, codes, r.Buffer, r.Decimals, r.UnitDecimals})
	if err != nil {
		panic(err) // values of our own types always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// Ledger is what we last left in the shop and what was sold since: the plan of
// the last pass that ended, or began to write, with what the shop answered to
// it. Of a large shop it is in memory beside the next plan, so it holds no more
// than that needs. The zero value remembers nothing.
type Ledger struct { //nolint:recvcheck // it is filled by pointer and read by value
	lines  []ledgerLine
	byItem map[string]int32 // lines that have, or had, products
	rows   []ledgerRow      // of a line its kept ones first
	byID   map[string]int32 // rows by product; of several the last one counts
	sold   map[int32][]Sale // by line; mostly there are none
}

// ledgerLine is what is remembered of one item.
type ledgerLine struct {
	item, name, key string
	kros            decimal.Decimal // up to which sales count as booked
	rows            int32           // where its rows begin
}

// ledgerRow is what we last left of one product.
type ledgerRow struct {
	product, name string
	kros          decimal.Decimal
	left          decimal.Decimal
	or            *decimal.Decimal // the other possibility, where the answer to a write is unknown
	line          int32
	wrote         bool // by us, in this pass or an earlier one
	ever          bool // the same, as any row of the product says
	dismissed     bool
	superseded    bool // a later row is of the same product
}

// NewLedger makes a ledger of a plan and the answers to it, in order of time.
// lines is how many the plan has, or 0.
func NewLedger(lines int, plan iter.Seq[Line], receipts []Receipt) Ledger {
	l := Ledger{
		lines: make([]ledgerLine, 0, lines), byItem: make(map[string]int32, lines),
		rows: make([]ledgerRow, 0, lines), byID: make(map[string]int32, lines), sold: map[int32][]Sale{},
	}
	answers := lastAnswers(receipts)
	for line := range plan {
		l.add(&line, answers)
	}
	return l
}

// lastAnswers are the newest receipts, by product.
func lastAnswers(receipts []Receipt) map[string]*Receipt {
	answers := make(map[string]*Receipt, len(receipts))
	for i := range receipts {
		answers[receipts[i].Product] = &receipts[i]
	}
	return answers
}

func (l *Ledger) add(line *Line, answers map[string]*Receipt) {
	at := int32(len(l.lines))
	if _, again := l.byItem[line.Item]; !again && line.Item != "" && len(line.Entries)+len(line.Kept)+len(line.Sold) > 0 {
		l.byItem[line.Item] = at
	}
	if len(line.Sold) > 0 {
		l.sold[at] = line.Sold
	}
	l.lines = append(l.lines, ledgerLine{
		item: line.Item, name: line.Name, key: line.Key, kros: lo.FromPtrOr(line.Booked, line.Kros), rows: int32(len(l.rows)),
	})
	for _, entries := range [][]Entry{line.Kept, line.Entries} {
		for i := range entries {
			row := rowOf(&entries[i], answers)
			row.line = at
			l.remember(row)
		}
	}
}

func (l *Ledger) remember(row ledgerRow) {
	if before, again := l.byID[row.product]; again {
		row.ever = row.ever || l.rows[before].ever
		l.rows[before].superseded = true
	}
	l.byID[row.product] = int32(len(l.rows))
	l.rows = append(l.rows, row)
}

// of are the rows of a line, kept ones first.
func (l Ledger) of(line int32) []ledgerRow {
	end := int32(len(l.rows))
	if int(line)+1 < len(l.lines) {
		end = l.lines[line+1].rows
	}
	return l.rows[l.lines[line].rows:end]
}

// row is what is remembered of a product.
func (l Ledger) row(product string) (row *ledgerRow, known bool) {
	at, known := l.byID[product]
	if !known {
		return nil, false
	}
	return &l.rows[at], true
}

// Sales tells whether any sales are held back.
func (l Ledger) Sales() bool { return len(l.sold) > 0 }

// written are the products that we wrote, by the code of their item.
func (l Ledger) written() map[string][]string {
	written := map[string][]string{}
	for i := range l.rows {
		if item := l.lines[l.rows[i].line].item; l.rows[i].wrote && item != "" {
			written[item] = append(written[item], l.rows[i].product)
		}
	}
	return written
}

// ledger is a Ledger made ready for the lines of one plan.
type ledger struct {
	Ledger
	rules Rules
	now   time.Time
	same  bool    // the settings are those of the ledger
	own   []int32 // by line of the plan: 1 more than the line of its item, or 0
}

func newLedger(in Input, lines []Line) ledger {
	memory := lo.FromPtr(in.Memory)
	l := ledger{Ledger: memory.Ledger, rules: in.Rules, now: in.Now, same: memory.Basis == "" || memory.Basis == in.Basis}
	if len(l.lines) == 0 {
		return l
	}
	l.own = make([]int32, len(lines))
	for i := range lines {
		if own, known := l.byItem[lines[i].Item]; known {
			l.own[i] = own + 1
		}
	}
	return l
}

// line is the line of the ledger that is of the item of the plan's line i.
func (l ledger) line(i int) (own int32, known bool) {
	if i >= len(l.own) || l.own[i] == 0 {
		return 0, false
	}
	return l.own[i] - 1, true
}

// with is what is remembered of a product that the plan's line i has. Nearly
// always it was with the same item before, and need not be looked for.
func (l ledger) with(i int, product string) (row *ledgerRow, known bool) {
	if own, known := l.line(i); known {
		rows := l.of(own)
		for j := range rows {
			if rows[j].product == product && !rows[j].superseded {
				return &rows[j], true
			}
		}
	}
	return l.row(product)
}

// rowOf says what we left of a product: what the shop answered, and without an
// answer either what the plan wanted or what the shop had. A conflict left what
// the plan had read, so that what the shop fell until it answered is a sale as
// well; where the write was repeated, the conflict may be of our own making.
func rowOf(e *Entry, answers map[string]*Receipt) ledgerRow {
	row := ledgerRow{product: e.Product, name: e.Name, kros: e.Kros, left: e.To, wrote: e.Wrote, ever: e.Wrote, dismissed: e.Dismissed}
	answer, known := answers[e.Product]
	// An answer to another write is of an earlier plan of the same pass.
	known = known && answer.Had.Equal(e.From) && answer.Asked.Equal(e.To)
	switch conflict := known && answer.Answer == AnswerConflict; {
	case conflict && !answer.Repeated:
		row.left = answer.Had
	case conflict && (answer.Now == nil || !answer.Now.Equal(answer.Asked)):
		row.or = lo.ToPtr(e.From)
	case known && answer.Now != nil:
		row.left = *answer.Now
	case known && (answer.Answer == AnswerUpdated || answer.Answer == AnswerUnchanged):
		row.left = answer.Asked
	case known && answer.Answer == AnswerRejected:
		row.left = answer.Had
	case e.changes():
		row.or = lo.ToPtr(e.From)
	}
	return row
}

// before is what the shop had when we were done with the product, seen from
// what it has now. Where that is not known, the larger possibility counts: a
// sale too many costs a sale, one too few sells goods twice.
func (r *ledgerRow) before(now decimal.Decimal) decimal.Decimal {
	if r.or == nil || now.Equal(r.left) {
		return r.left
	}
	if now.Equal(*r.or) {
		return *r.or
	}
	return decimal.Max(r.left, *r.or)
}

// imported tells whether the shop differs from what we left in a way that no
// sales explain.
func (l ledger) imported(lines []Line) bool {
	matched, differ, raised := 0, 0, 0
	for i := range lines {
		if lines[i].Missing {
			continue
		}
		for j := range lines[i].Entries {
			e := &lines[i].Entries[j]
			matched++
			row, known := l.with(i, e.Product)
			if !known {
				continue
			}
			switch e.From.Cmp(row.before(e.From)) {
			case 1:
				raised++
				differ++
			case -1:
				differ++
			}
		}
	}
	return differ >= minImported && importedFraction*differ > matched && raisedFraction*raised >= differ
}

// forget is a ledger that remembers which products were ours, but no sales.
func (l ledger) forget() ledger {
	return ledger{rules: l.rules, now: l.now}
}

// sales are the unbooked sales of an item whose products the plan's line i has.
// Where KROS's number is not believed, its change books nothing.
func (l ledger) sales(i int, line *Line, believed bool) []Sale {
	if l.rules.SoldHold <= 0 || len(l.lines) == 0 {
		return nil
	}
	fell := decimal.Zero
	var sources []int32 // lines with sales; mostly there are none
	add := func(source int32) {
		if len(l.sold) > 0 && len(l.sold[source]) > 0 && !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	for j := range line.Entries {
		e := &line.Entries[j]
		if row, known := l.with(i, e.Product); known {
			add(row.line)
			if before := row.before(e.From); !before.Equal(e.From) {
				fell = fell.Add(before.Sub(e.From))
			}
		}
	}
	own, known := l.line(i)
	if known {
		add(own)
	}
	var sales []Sale
	for _, source := range sources {
		sales = append(sales, l.sold[source]...)
	}
	sales = fall(l.live(sales), fell, l.now)
	if known && l.same && believed && len(sales) > 0 {
		sales = bookSales(sales, l.lines[own].kros.Sub(line.Kros))
	}
	return sales
}

// live are the sales that are still held back, oldest first.
func (l ledger) live(sales []Sale) []Sale {
	if len(sales) == 0 {
		return nil
	}
	kept := lo.Filter(sales, func(s Sale, _ int) bool { return l.now.Before(s.Seen.Add(l.rules.SoldHold)) })
	slices.SortFunc(kept, func(a, b Sale) int { return cmp.Or(a.Seen.Compare(b.Seen), a.Quantity.Cmp(b.Quantity)) })
	return kept
}

// carry gives a line what the ledger knows of products that it had and has no
// more: they may come back. Where it has none at all, their sales are not booked
// meanwhile.
func (l ledger) carry(line *Line, claimed map[string]bool) {
	i, known := l.byItem[line.Item]
	if !known || line.Item == "" {
		return
	}
	line.Kept = lo.FilterMap(l.of(i), func(old ledgerRow, _ int) (Entry, bool) {
		row, _ := l.row(old.product)
		from := lo.FromPtrOr(row.or, row.left)
		kept := Entry{Product: old.product, Name: old.name, From: from, To: row.left, Kros: old.kros, Wrote: old.wrote}
		return kept, !claimed[old.product] && row.line == i
	})
	line.Kept = line.Kept[max(0, len(line.Kept)-MaxProducts):]
	if len(line.Kept) == 0 {
		line.Kept = nil
	}
	if len(line.Entries) > 0 {
		return
	}
	if line.Sold = l.live(l.sold[i]); len(line.Sold) == 0 {
		line.Sold = nil
	}
	if line.Kept != nil || line.Sold != nil {
		line.Booked = lo.ToPtr(l.lines[i].kros)
	}
}

// past are lines of the ledger whose items neither the sweep nor the baseline
// has, as after an approval of a smaller catalogue, while their sales are held
// back: the items may come back.
func (l ledger) past(lines []Line) []Line {
	held := slices.DeleteFunc(slices.Sorted(maps.Keys(l.sold)), func(i int32) bool { return len(l.live(l.sold[i])) == 0 })
	if len(held) == 0 {
		return nil
	}
	planned := make(map[string]bool, len(lines))
	for _, line := range lines {
		planned[line.Item] = true
	}
	claimed := Plan{Lines: lines}.products()
	var past []Line
	for _, i := range held {
		old := l.lines[i]
		if at, known := l.byItem[old.item]; planned[old.item] || !known || at != i {
			continue
		}
		line := Line{
			Item: old.item, Name: old.name, Key: old.key, Missing: true, Past: true,
			ReasonCode: ReasonMissingKept, Reason: sentence(ReasonMissingKept, "", "", nil),
		}
		l.carry(&line, claimed)
		past = append(past, line)
	}
	return past
}

// fall adds pieces that the shop fell to the sales. A rise takes back, the
// newest first: it is most likely a cancellation of what was just sold.
func fall(sales []Sale, pieces decimal.Decimal, now time.Time) []Sale {
	switch pieces.Sign() {
	case 1:
		return append(slices.Clone(sales), Sale{Quantity: pieces, Seen: now})
	case -1:
		newest := slices.Clone(sales)
		slices.Reverse(newest)
		left := bookSales(newest, pieces.Neg())
		slices.Reverse(left)
		return left
	}
	return sales
}

// bookSales takes pieces off the first sales.
func bookSales(sales []Sale, pieces decimal.Decimal) []Sale {
	var left []Sale
	for _, s := range sales {
		if !pieces.IsPositive() {
			left = append(left, s)
			continue
		}
		rest := s.Quantity.Sub(pieces)
		pieces = pieces.Sub(s.Quantity)
		if rest.IsPositive() {
			left = append(left, Sale{Quantity: rest, Seen: s.Seen})
		}
	}
	return left
}

// unbooked is how many pieces were sold and not booked.
func unbooked(sales []Sale) decimal.Decimal {
	return lo.Reduce(sales, func(sum decimal.Decimal, s Sale, _ int) decimal.Decimal { return sum.Add(s.Quantity) }, decimal.Zero)
}
