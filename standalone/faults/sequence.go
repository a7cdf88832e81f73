package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// Sequence is all that happens to one shop. It is made from its seed alone.
type Sequence struct { //nolint:recvcheck // it is filled by pointer and read by value
	Seed       uint64
	Settings   catalogue.Settings
	Missing    string
	SoldHold   string // "0s": KROS always wins
	Guard      string // lines of the block guard
	Moving     int    // rows of KROS's list that change places after each answer
	Shuffle    bool
	Skew       map[Side]time.Duration // by how much its clock is wrong
	NoDate     map[Side]bool          // it tells no time
	Learned    bool                   // KROS's filter by time has proved itself: on a notification only changes are read
	Activation []Fault                // of a first try to activate
	Passes     []Pass

	kros krossim.Options
	shop fynodesim.Options
}

// Pass is one pass and what happens to it.
type Pass struct {
	Kind   string  // what asks for it
	Faults []Fault `json:",omitempty"`
	Events []Event `json:",omitempty"`
}

// What asks for a pass: a person who syncs, approves what is held or activates
// again, or KROS.
const (
	doSync     = "sync"
	doApprove  = "approve"
	doActivate = "activate"
	doNotify   = "notify"
)

// Event is life going on: it happens when the side gets its Nth request of the
// pass, or when the pass ends.
type Event struct {
	Side       Side                `json:"side"`
	Nth        int                 `json:"nth"`
	What       string              `json:"what"`
	Item       string              `json:"item,omitempty"`
	Product    string              `json:"product,omitempty"`
	Pieces     int                 `json:"pieces,omitempty"`
	Warehouses []krossim.Warehouse `json:"warehouses,omitempty"`
}

// What can happen.
const (
	evStock   = "stock"   // KROS has another quantity
	evEmpty   = "empty"   // KROS shows an item without warehouses
	evRemove  = "remove"  // KROS does not show an item any more
	evRestore = "restore" // it does again
	evTwin    = "twin"    // another item gets the item's key
	evEdit    = "edit"    // somebody changes the shop's number
	evDrop    = "drop"    // the shop loses a product
	evReturn  = "return"  // and has it again
	evSell    = "sell"    // the shop sells
	evBook    = "book"    // KROS learns of what was sold
	evReceive = "receive" // goods arrive
)

// Make makes the sequence of a seed.
func Make(seed uint64) (Sequence, error) {
	r := rand.New(rand.NewPCG(seed, 0x6661756c7473))
	s := Sequence{Seed: seed, Skew: map[Side]time.Duration{}, NoDate: map[Side]bool{}}
	s.settle(r)
	size := 30 + r.IntN(130)
	if r.IntN(5) == 0 {
		size = 160 + r.IntN(260)
	}
	var err error
	if s.kros, s.shop, err = site.Sides(seed, size); err != nil {
		return Sequence{}, fmt.Errorf("make the catalogue of sequence %d: %w", seed, err)
	}
	s.bend(r)
	life, err := newLife(r, s)
	if err != nil {
		return Sequence{}, err
	}
	if !s.sells() && r.IntN(4) == 0 {
		s.Activation = lo.Reject(s.faults(r, 1+r.IntN(2)), func(f Fault, _ int) bool { return f.waitsLong() || f.lies() })
	}
	for range 2 + r.IntN(3) {
		p := Pass{Kind: doSync, Faults: s.faults(r, 1+r.IntN(3))}
		switch {
		case s.Learned:
			p.Kind = doNotify
		case r.IntN(6) == 0:
			p.Kind = doApprove
		case r.IntN(12) == 0 && !s.sells():
			p.Kind = doActivate
			p.Faults = lo.Reject(p.Faults, func(f Fault, _ int) bool { return f.waitsLong() })
		}
		for range r.IntN(8) {
			p.Events = append(p.Events, life.event())
		}
		s.Passes = append(s.Passes, p)
	}
	return s, nil
}

// settle draws what the merchant has set.
func (s *Sequence) settle(r *rand.Rand) {
	s.Settings = catalogue.Settings{
		Match: pick(r, []string{"number", "ean"}), Quantity: pick(r, []string{"max", "sum"}),
		Warehouses: pick(r, [][]string{nil, nil, {"LT"}, {"PR"}, {"LT", "PR"}}),
		Buffer:     pick(r, []string{"", "", "", "1", "2.5"}), Decimals: pick(r, []int32{0, 0, 0, 2}),
	}
	if r.IntN(2) == 0 {
		s.Settings.UnitDecimals = map[string]int32{"kg": 3, "m": 2}
	}
	s.Missing = pick(r, []string{"keep", "keep", "zero"})
	s.SoldHold = pick(r, []string{"0s", "0s", "24h"})
	if s.sells() {
		s.Missing = "keep"
	}
	s.Guard = pick(r, []string{
		"", "", `max_zeroed = "100%", max_changed = "100%", min_catalogue = "0%"`, `max_zeroed = "1%", min_items = 1, max_changed = "1%"`,
	})
	s.Guard = strings.ReplaceAll(s.Guard, ", ", "\n    ")
}

// bend draws what differs between companies and shops.
func (s *Sequence) bend(r *rand.Rand) {
	s.kros.NumbersAsStrings = r.IntN(3) == 0
	s.kros.EANField = pick(r, []string{"", "ean", "barcode"})
	s.Learned = r.IntN(15) == 0
	s.kros.QuantityTouches = s.Learned || r.IntN(3) == 0
	s.kros.UnknownFields = r.IntN(3) == 0
	s.kros.RejectedCount = r.IntN(3) == 0
	s.kros.ItemCodeSearches = r.IntN(3) == 0
	s.shop.NumbersAsStrings = r.IntN(3) == 0
	s.shop.ForgetsKeys = r.IntN(4) == 0
	s.shop.HidesQuantity = r.IntN(4) == 0
	if r.IntN(5) == 0 {
		for range 1 + r.IntN(2) {
			s.shop.Rejected = append(s.shop.Rejected, pick(r, s.shop.Products).ID)
		}
	}
	switch r.IntN(6) {
	case 0:
		s.Shuffle = true
	case 1, 2:
		s.Moving = 1 + r.IntN(20)
	}
	for _, side := range []Side{Kros, Shop} {
		s.Skew[side] = pick(r, []time.Duration{0, 0, 0, -3 * time.Hour, 26 * time.Hour, 40 * time.Second})
		s.NoDate[side] = r.IntN(8) == 0
	}
}

func (s *Sequence) faults(r *rand.Rand, n int) []Fault {
	products := lo.Map(s.shop.Products, func(p fynodesim.Product, _ int) string { return p.ID })
	return lo.Times(n, func(int) Fault { return makeFault(r, products) })
}

// sells tells whether sold goods stay sold in this shop. Then its life is one
// in which it can be said exactly what was sold and not booked.
func (s Sequence) sells() bool { return s.SoldHold != "0s" }

// lies tells whether KROS or the shop say in good form what is not so.
func (s Sequence) lies() bool { return s.anyFault(Fault.lies) }

func (s Sequence) losesWrites() bool { return s.anyFault(Fault.losesWrites) }

func (s Sequence) anyFault(which func(Fault) bool) bool {
	return slices.ContainsFunc(s.Activation, which) || slices.ContainsFunc(s.Passes, func(p Pass) bool { return slices.ContainsFunc(p.Faults, which) })
}

// String is the sequence for people who look at a failure.
func (s Sequence) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sequence %d: %d rows, %d products, %s\n", s.Seed, len(s.kros.Items), len(s.shop.Products), lines(s.Settings))
	fmt.Fprintf(&b, "  missing %s, sold_hold %s, guard %q, moving %d, shuffle %t, learned %t, skew %v, no date %v\n", s.Missing, s.SoldHold, s.Guard, s.Moving, s.Shuffle, s.Learned, s.Skew, s.NoDate)
	fmt.Fprintf(&b, "  kros %s\n  shop %s\n", lines(s.kros.Switches), lines(s.shop.Switches))
	if len(s.Activation) > 0 {
		fmt.Fprintf(&b, "  activation\n    %s\n", lines(s.Activation))
	}
	for i, p := range s.Passes {
		fmt.Fprintf(&b, "  %d: %s\n    %s\n    %s\n", i+1, p.Kind, lines(p.Faults), lines(p.Events))
	}
	return b.String()
}

// life draws events that fit a sequence.
type life struct {
	r        *rand.Rand
	sells    bool
	learned  bool
	items    []string // codes that are matched
	products []string // that are
	of       map[string]string
	rising   map[string]bool // items that goods arrive of, where the shop sells; of the others sales are booked
	removed  []string
	dropped  []string
}

func newLife(r *rand.Rand, s Sequence) (*life, error) {
	kros, shop, err := site.Lists(s.kros.Items, s.shop.Products)
	if err != nil {
		return nil, err
	}
	l := &life{r: r, sells: s.sells(), learned: s.Learned, of: map[string]string{}, rising: map[string]bool{}}
	for id, target := range s.Settings.Targets(kros, shop) {
		if target.Item != "" {
			l.products = append(l.products, id)
			l.of[id] = target.Item
		}
	}
	slices.Sort(l.products)
	l.items = lo.Uniq(lo.Map(l.products, func(id string, _ int) string { return l.of[id] }))
	for _, item := range l.items {
		l.rising[item] = r.IntN(2) == 0
	}
	if len(l.items) < 5 {
		return nil, fmt.Errorf("sequence %d: only %d items are matched", s.Seed, len(l.items))
	}
	return l, nil
}

func (l *life) event() Event {
	e := Event{Side: pick(l.r, []Side{Kros, Shop}), Nth: 1 + l.r.IntN(7)}
	if l.sells {
		e.Product, e.Pieces = pick(l.r, l.products), 1+l.r.IntN(8)
		e.Item = l.of[e.Product]
		switch {
		case l.r.IntN(2) == 0:
			e.What = evSell
		case l.rising[e.Item]:
			e.What = evReceive
		default:
			e.What = evBook
		}
		return e
	}
	e.Item, e.Product = pick(l.r, l.items), pick(l.r, l.products)
	n := l.r.IntN(100)
	if l.learned {
		n %= 70 // what comes and goes shows in no filter
	}
	switch {
	case n < 45:
		e.What, e.Warehouses = evStock, l.warehouses()
	case n < 60:
		e.What, e.Pieces = evSell, 1+l.r.IntN(8)
	case n < 70:
		e.What, e.Pieces = evEdit, l.r.IntN(60)
	case n < 76:
		e.What = evEmpty
	case n < 84:
		e.What = evRemove
		l.removed = append(l.removed, e.Item)
	case n < 88 && len(l.removed) > 0:
		e.What, e.Item = evRestore, pick(l.r, l.removed)
	case n < 92:
		e.What = evTwin
	case n < 96:
		e.What = evDrop
		l.dropped = append(l.dropped, e.Product)
	case len(l.dropped) > 0:
		e.What, e.Product = evReturn, pick(l.r, l.dropped)
	default:
		e.What, e.Warehouses = evStock, l.warehouses()
	}
	return e
}

func (l *life) warehouses() []krossim.Warehouse {
	quantity := func() json.Number {
		switch l.r.IntN(8) {
		case 0:
			return "0"
		case 1:
			return json.Number(strconv.Itoa(-l.r.IntN(5)))
		case 2:
			return json.Number(fmt.Sprintf("%d.%03d", l.r.IntN(50), l.r.IntN(1000)))
		}
		return json.Number(strconv.Itoa(l.r.IntN(150)))
	}
	all := []krossim.Warehouse{{Code: "LT", QuantityOnHand: quantity()}, {Code: "PR", QuantityOnHand: quantity()}}
	return all[:1+l.r.IntN(2)]
}
