package stock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// HoldKind says why a plan waits for a person. The values are the codes of a
// report.
type HoldKind string

// The kinds of holds.
const (
	HoldZeroed    HoldKind = "too_many_zeroed"
	HoldChanged   HoldKind = "too_many_changed"
	HoldCatalogue HoldKind = "catalogue_changed"
)

// Guard works from these numbers on, whatever the thresholds.
const (
	minAllZeroed = 3  // a shop of so many stocked products never goes to 0 as a whole
	minChanged   = 20 // so few products are no mass change
)

// Day is what the last 24 hours were like: how many matched products were
// above 0 a day ago, and how many we took from above 0 to 0 since.
type Day struct {
	Stocked int `json:"stocked"`
	Zeroed  int `json:"zeroed"`
}

// Hold is why a plan waits for a person. Products of Of are held: to be zeroed
// against those stocked a day ago (too_many_zeroed), or to be changed against
// those stocked now (too_many_changed). Zeroed are those taken to 0 within the
// day before.
type Hold struct {
	Kind     HoldKind `json:"kind"`
	Products int      `json:"products"`
	Of       int      `json:"of"`
	Zeroed   int      `json:"zeroed,omitempty"`
}

// Answers are what a person has said to plans that were held: the lines of
// those plans.
type Answers struct {
	Approved  []Line
	Dismissed []Line
}

// HoldHash names what is held: its kind, the baseline it was found against, and
// each product with the quantity that KROS gives it. It stays the same while
// the shop sells.
func (p Plan) HoldHash(baseline string) string {
	if p.Hold == nil {
		return ""
	}
	var rows []string
	for _, line := range p.Lines {
		for _, e := range line.Entries {
			if e.waits() {
				rows = append(rows, fmt.Sprintf("%q %s", e.Product, e.Kros))
			}
		}
	}
	slices.Sort(rows)
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n%q\n%q\n", p.Hold.Kind, baseline, rows)
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// HeldLines are the lines with products that wait for a person, with these
// products only.
func (p Plan) HeldLines() []Line {
	return lo.FilterMap(p.Lines, func(line Line, _ int) (Line, bool) {
		line.Entries = lo.Filter(line.Entries, func(e Entry, _ int) bool { return e.waits() })
		return line, len(line.Entries) > 0
	})
}

// Stocked is how many products of the plan were above 0 before it.
func (p Plan) Stocked() int {
	return lo.SumBy(p.Lines, func(line Line) int { return lo.CountBy(line.Entries, Entry.stocked) })
}

// Zeroings are the products that the plan takes from above 0 to 0 without a
// person having said so: what counts against the thresholds of the next day.
func (p Plan) Zeroings() int {
	return lo.SumBy(p.Lines, func(line Line) int {
		return lo.CountBy(line.Entries, func(e Entry) bool { return e.zeroed() && !e.Approved })
	})
}

// waits tells whether the product waits for a person.
func (e Entry) waits() bool { return e.Want != nil && !e.Dismissed }

func (e Entry) stocked() bool { return e.From.IsPositive() }

func (e Entry) zeroed() bool { return e.stocked() && e.To.IsZero() }

// halved tells whether a stocked product changes by more than half, up or down.
func (e Entry) halved() bool {
	if !e.stocked() {
		return false
	}
	from, wholeFrom := whole(e.From)
	to, wholeTo := whole(e.To)
	if wholeFrom && wholeTo { // as nearly always
		return 2*max(to-from, from-to) > from
	}
	return e.To.Sub(e.From).Abs().Mul(decimal.NewFromInt(2)).GreaterThan(e.From)
}

// whole is a quantity as a machine's number, where it is one and not too large
// to calculate with.
func whole(quantity decimal.Decimal) (number int64, ok bool) {
	const digits = 15
	if quantity.Exponent() != 0 || quantity.NumDigits() > digits {
		return 0, false
	}
	return quantity.CoefficientInt64(), true
}

// guard looks at the changes of a plan as a whole.
type guard struct {
	plan      *Plan
	rules     Guard
	day       *Day // nil: only the shop's present stock is known
	first     bool // a first pass, or one that a person has just seen
	approved  map[string]decimal.Decimal
	dismissed map[string]decimal.Decimal
}

func newGuard(in Input, plan *Plan) guard {
	g := guard{
		plan: plan, rules: in.Rules.Guard, day: in.Day, first: in.First,
		approved:  answered(in.Answers.Approved, Entry.waits),
		dismissed: answered(in.Answers.Dismissed, Entry.waits),
	}
	// What was dismissed by an earlier pass stays so.
	for _, row := range lo.FromPtr(in.Memory).Ledger.rows {
		if row.dismissed {
			g.dismissed[row.product] = row.kros
		}
	}
	return g
}

func answered(lines []Line, which func(Entry) bool) map[string]decimal.Decimal {
	rows := map[string]decimal.Decimal{}
	for _, line := range lines {
		for _, e := range line.Entries {
			if which(e) {
				rows[e.Product] = e.Kros
			}
		}
	}
	return rows
}

// watch marks what a person has answered and holds what looks wrong. Of a
// doubtful catalogue nothing is written, not even what was approved before.
func (g guard) watch(doubtful bool) {
	if doubtful {
		entries := g.open(everyKind)
		g.hold(entries, ReasonHeldCatalogue)
		g.plan.Hold = &Hold{Kind: HoldCatalogue, Products: len(entries), Of: g.plan.Matched()}
		return
	}
	g.answer()
	if changed := g.open(Entry.halved); g.massChange(len(changed)) {
		g.hold(g.open(everyKind), ReasonHeldChanged)
		g.plan.Hold = &Hold{Kind: HoldChanged, Products: len(changed), Of: g.stocked()}
		return
	}
	zeroings := g.open(Entry.zeroed)
	if g.tooManyZeroed(len(zeroings)) {
		g.hold(zeroings, ReasonHeldZeroed)
		g.plan.Hold = &Hold{Kind: HoldZeroed, Products: len(zeroings), Of: g.base(), Zeroed: lo.FromPtr(g.day).Zeroed}
	}
}

// answer marks the products that a person has decided about, as long as KROS
// gives them the quantity that he saw.
func (g guard) answer() {
	for i := range g.plan.Lines {
		line := &g.plan.Lines[i]
		for j := range line.Entries {
			e := &line.Entries[j]
			if !e.changes() {
				continue
			}
			if kros, said := g.approved[e.Product]; said && kros.Equal(e.Kros) {
				e.Approved = true
			} else if kros, said := g.dismissed[e.Product]; said && kros.Equal(e.Kros) {
				g.hold([]heldRow{{line, e}}, ReasonDismissed)
				e.Dismissed = true
			}
		}
	}
}

// heldRow is a product of the plan and its line.
type heldRow struct {
	line  *Line
	entry *Entry
}

func everyKind(Entry) bool { return true }

// open are the changes of a kind that nobody has answered.
func (g guard) open(kind func(Entry) bool) []heldRow {
	var open []heldRow
	for i := range g.plan.Lines {
		line := &g.plan.Lines[i]
		for j := range line.Entries {
			if e := &line.Entries[j]; e.changes() && !e.Approved && kind(*e) {
				open = append(open, heldRow{line, e})
			}
		}
	}
	return open
}

// hold lets products keep what they have.
func (g guard) hold(rows []heldRow, reason string) {
	for _, r := range rows {
		r.entry.Want, r.entry.To = lo.ToPtr(r.entry.To), r.entry.From
		if !r.line.Missing {
			r.line.Outcome = Held
		}
		r.line.ReasonCode = reason
		r.line.Reason = sentence(reason, "", r.entry.Want.String(), nil)
	}
}

// stocked are the products above 0 now that no person has answered for.
func (g guard) stocked() int {
	return lo.SumBy(g.plan.Lines, func(line Line) int {
		return lo.CountBy(line.Entries, func(e Entry) bool { return e.stocked() && !e.Approved && !e.Dismissed })
	})
}

// base is what zeroings are measured against.
func (g guard) base() int {
	if g.day != nil {
		return g.day.Stocked
	}
	return g.stocked()
}

func (g guard) massChange(changed int) bool {
	return !g.first && g.rules.MaxChanged < 1 && changed >= minChanged && exceeds(changed, g.rules.MaxChanged, g.stocked())
}

func (g guard) tooManyZeroed(zeroings int) bool {
	if zeroings == 0 || g.rules.MaxZeroed >= 1 {
		return false
	}
	within := zeroings + lo.FromPtr(g.day).Zeroed
	all := zeroings >= minAllZeroed && zeroings == g.stocked()
	return all || within >= g.rules.MinItems && exceeds(within, g.rules.MaxZeroed, g.base())
}

// exceeds compares in decimals: 30 % of 10 are 3, not 3.0000000000000004.
func exceeds(part int, fraction float64, whole int) bool {
	limit := decimal.NewFromFloat(fraction).Mul(decimal.NewFromInt(int64(whole)))
	return decimal.NewFromInt(int64(part)).GreaterThan(limit)
}
