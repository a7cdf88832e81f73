package market

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// Shop is a shop with its KROS. Its settings match by number and take the
// largest warehouse; no guard stands in the way of what happens by chance.
type Shop struct {
	Name   string
	KROS   *krossim.Server
	Fynode *fynodesim.Server

	krosURL, krosToken, shopURL, shopToken string
	governed                               map[string]bool // products that a pass may write

	mu     sync.Mutex
	random *rand.Rand
	goods  []*good // what moves
	open   bool    // customers buy
	writes []*Writing
}

// good is an item with one product of its number. Of what is sold either goods
// arrive or sales are booked: where both happen between two passes, KROS's one
// number cannot tell them apart.
type good struct {
	code, product string
	kind          int
	kros          int // quantity in KROS
	sold, booked  int // pieces
	journal       []entry
}

// entry is something that happened to a good.
type entry struct {
	at   time.Time
	what string
}

func (g *good) note(format string, args ...any) {
	g.journal = append(g.journal, entry{time.Now(), fmt.Sprintf(format, args...)})
}

// The kinds of goods.
const (
	moved    = iota // KROS's quantity changes, and nobody buys
	supplied        // is bought, and arrives
	counted         // is bought, and the sales are booked
	kinds
)

// mostSold keeps what is sold from ever running out.
const mostSold = 100

// Writing is a request that writes quantities, as the shop saw it.
type Writing struct {
	Key          string // Idempotency-Key
	Began, Ended time.Time
}

// stock finds what can move, and gives what is sold enough to begin with.
func (s *Shop) stock(items []krossim.Item, products []fynodesim.Product) {
	rows := lo.CountValuesBy(items, func(i krossim.Item) string { return i.ItemCode })
	numbers := lo.GroupBy(products, func(p fynodesim.Product) string { return p.Number })
	parents := lo.SliceToMap(products, func(p fynodesim.Product) (string, bool) { return p.ParentID, true })
	for i, item := range items {
		own := numbers[item.ItemCode]
		if item.ItemCode == "" || rows[item.ItemCode] != 1 || len(own) != 1 || len(item.Warehouses) == 0 || parents[own[0].ID] || own[0].Tracked != nil {
			continue
		}
		g := &good{code: item.ItemCode, product: own[0].ID, kind: len(s.goods) % kinds, kros: 2*mostSold + s.random.IntN(mostSold)}
		items[i].Warehouses = warehouse(g.kros)
		s.goods = append(s.goods, g)
	}
}

// govern finds the products that a pass may write at all: those of which the
// oracle says another quantity than an absurd one that they have.
func (s *Shop) govern() error {
	const absurd = 987_654
	products := s.Fynode.Products()
	for i := range products {
		products[i].Quantity = decimal.NewFromInt(absurd)
	}
	expected, err := s.expect(products)
	if err != nil {
		return err
	}
	s.governed = map[string]bool{}
	for id, quantity := range expected {
		s.governed[id] = quantity != strconv.Itoa(absurd)
	}
	for _, g := range s.goods {
		if !s.governed[g.product] {
			return fmt.Errorf("item %q of %s moves, and its product is none that may be written", g.code, s.Name)
		}
	}
	return nil
}

func (s *Shop) expect(products []fynodesim.Product) (map[string]string, error) {
	kros, err := json.Marshal(s.KROS.State().Items)
	if err != nil {
		return nil, err
	}
	shop, err := json.Marshal(products)
	if err != nil {
		return nil, err
	}
	return catalogue.Expect(kros, shop, "number", "max", nil), nil
}

func warehouse(quantity int) []krossim.Warehouse {
	return []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(strconv.Itoa(quantity))}}
}

// settings is the shop's block, with lines of the caller's.
func (s *Shop) settings(lines string) string {
	return fmt.Sprintf(`
shop %q {
  kros {
    url                 = %q
    api_key             = %q
    requests_per_second = 1000
    requests_per_minute = 60000
  }
  fynode {
    url     = %q
    api_key = %q
  }
  guard {
    max_zeroed  = "100%%"
    max_changed = "100%%"
  }
  %s
}
`, s.Name, s.krosURL, s.krosToken, s.shopURL, s.shopToken, lines)
}

// Open lets customers buy. Before the shop's first pass nothing is remembered
// of what it had, so a sale would not be told from a wrong number.
func (s *Shop) Open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = true
}

// Live lets n things happen, by chance: a quantity of KROS changes, goods
// arrive, something is sold, or what was sold is booked.
func (s *Shop) Live(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		if err := s.happen(s.goods[s.random.IntN(len(s.goods))]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shop) happen(g *good) error {
	unbooked := g.sold - g.booked
	switch pieces := 1 + s.random.IntN(3); {
	case g.kind == moved:
		g.kros = mostSold + s.random.IntN(2*mostSold)
		g.note("KROS has %d", g.kros)
	case s.random.IntN(2) == 0 && s.open && g.sold+pieces <= mostSold:
		sold, err := s.Fynode.Sell(g.product, decimal.NewFromInt(int64(pieces)))
		g.sold += int(sold.IntPart())
		g.note("%s sold", sold)
		return err
	case g.kind == supplied:
		g.kros += pieces
		g.note("%d arrived, KROS has %d", pieces, g.kros)
	case unbooked > 0:
		pieces = min(pieces, unbooked)
		g.booked += pieces
		g.kros -= pieces
		g.note("%d booked, KROS has %d", pieces, g.kros)
	}
	return s.KROS.SetStock(g.code, warehouse(g.kros)...)
}

// Sell sells so many pieces of each of up to n goods that are also supplied,
// and returns how many goods that were.
func (s *Shop) Sell(n, pieces int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := 0
	for _, g := range s.goods {
		if g.kind != supplied || done == n {
			continue
		}
		sold, err := s.Fynode.Sell(g.product, decimal.NewFromInt(int64(pieces)))
		if err != nil {
			return done, err
		}
		g.sold += int(sold.IntPart())
		done++
	}
	return done, nil
}

// Supply adds so many pieces of all goods to KROS.
func (s *Shop) Supply(pieces int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.goods {
		g.kros += pieces
		if err := s.KROS.SetStock(g.code, warehouse(g.kros)...); err != nil {
			return err
		}
	}
	return nil
}

// Forget makes all sales forgotten, as a first pass does, which remembers none.
func (s *Shop) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.goods {
		g.sold, g.booked = 0, 0
	}
}

// Items is how many items KROS has: two rows that are equal are one.
func (s *Shop) Items() int {
	return len(lo.UniqBy(s.KROS.State().Items, func(i krossim.Item) string { return fmt.Sprint(i) }))
}

// Sold is how many pieces customers have bought that nobody has booked.
func (s *Shop) Sold() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return lo.SumBy(s.goods, func(g *good) int { return g.sold - g.booked })
}

// Differences tells, product by product, where the shop is not what it must be
// after a pass: equal to KROS under the rules, less what was sold and is not
// booked. Of a product that was sold it may show less: where a killed write left
// open what came through, the larger sale counts (docs/decisions.md).
func (s *Shop) Differences() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	products := s.Fynode.Products()
	want, err := s.expect(products)
	if err != nil {
		return nil, err
	}
	kept, sold := map[string]int{}, map[string]bool{}
	for _, g := range s.goods {
		kept[g.product], sold[g.product] = g.sold-g.booked, g.sold > 0
	}
	var found []string
	for _, p := range products {
		wanted := decimal.RequireFromString(want[p.ID])
		if unbooked := kept[p.ID]; unbooked > 0 {
			wanted = decimal.Max(decimal.Zero, wanted.Sub(decimal.NewFromInt(int64(unbooked))))
		}
		if p.Quantity.GreaterThan(wanted) || !sold[p.ID] && !p.Quantity.Equal(wanted) {
			found = append(found, fmt.Sprintf("%s: product %s shows %s and must show %s (%d sold and not booked): %s", s.Name, p.ID, p.Quantity, wanted, kept[p.ID], s.story(p.ID)))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.Fynode.State().LastWrite)) {
		if !s.governed[id] {
			found = append(found, fmt.Sprintf("%s: product %s was written, which belongs to no item clearly", s.Name, id))
		}
	}
	return found, nil
}

// told is how much of a story is told.
const told = 60

// story is what happened to a product of late, and who wrote what.
func (s *Shop) story(product string) string {
	var all []entry
	for _, g := range s.goods {
		if g.product == product {
			all = append(all, g.journal...)
		}
	}
	for _, w := range s.Fynode.Writes() {
		if w.ID == product {
			all = append(all, entry{w.At, fmt.Sprintf("written from %s to %s", w.From, w.To)})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return a.at.Compare(b.at) })
	return strings.Join(lo.Map(all[max(0, len(all)-told):], func(e entry, _ int) string {
		return e.at.Format("15:04:05.000 ") + e.what
	}), "; ")
}

// Excess tells which of the shop's writes, from the nth on, gave a product more
// than the rules do for what KROS has now, and how many writes there are.
func (s *Shop) Excess(from int) (found []string, writes int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	want, err := s.expect(s.Fynode.Products())
	if err != nil {
		return nil, 0, err
	}
	all := s.Fynode.Writes()
	for _, w := range all[from:] {
		if s.governed[w.ID] && w.To.GreaterThan(decimal.RequireFromString(want[w.ID])) {
			found = append(found, fmt.Sprintf("%s: product %s was written from %s to %s; the rules give %s", s.Name, w.ID, w.From, w.To, want[w.ID]))
		}
	}
	return found, len(all), nil
}

// Writings are the requests so far that wrote, oldest first.
func (s *Shop) Writings() []Writing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return lo.Map(s.writes, func(w *Writing, _ int) Writing { return *w })
}

// writing notes a request that writes, until what it returns is called.
func (s *Shop) writing(r *http.Request) (ended func()) {
	w := &Writing{Key: r.Header.Get("Idempotency-Key"), Began: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, w)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Ended = time.Now()
	}
}
