package market

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/stock"
)

// Setup is what to simulate. Black Friday is the 26th day.
type Setup struct {
	Seed  uint64
	Shops int // 18 are one of every class
	Days  int
	Holds []time.Duration
}

// Figures are pieces; the package comment says who counts as what.
type Figures struct {
	Wanted       int // by customers of the e-shop: the same for every hold
	Ordered      int
	SoldTwice    int
	NotDelivered int
	Lost         int
}

// Plus adds two figures up.
func (f Figures) Plus(g Figures) Figures {
	return Figures{
		Wanted:       f.Wanted + g.Wanted,
		Ordered:      f.Ordered + g.Ordered,
		SoldTwice:    f.SoldTwice + g.SoldTwice,
		NotDelivered: f.NotDelivered + g.NotDelivered,
		Lost:         f.Lost + g.Lost,
	}
}

// Shop is what became of one shop: Figures[i] under Setup.Holds[i].
type Shop struct {
	Class   Class
	Figures []Figures
}

// Run simulates every shop under every hold. The same setup gives the same
// shops, in the same order.
func Run(ctx context.Context, setup Setup) ([]Shop, error) {
	shops := make([]Shop, setup.Shops)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for number := range shops {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("simulate shop %d: %w", number, err)
			}
			scene := newScene(setup.Seed, number, setup.Days)
			shops[number] = Shop{Class: scene.class, Figures: lo.Map(setup.Holds, func(hold time.Duration, _ int) Figures {
				return newMarket(scene, hold).play(scene)
			})}
			return nil
		})
	}
	return shops, group.Wait()
}

// Total adds the figures of shops up, one for each hold.
func Total(shops []Shop) []Figures {
	var total []Figures
	for _, shop := range shops {
		if total == nil {
			total = make([]Figures, len(shop.Figures))
		}
		for i, figures := range shop.Figures {
			total[i] = total[i].Plus(figures)
		}
	}
	return total
}

// market is one shop under one hold.
type market struct {
	rules   stock.Rules
	basis   string
	goods   []good
	threads []int // pieces of the order, the counter sale or the delivery
	memory  *stock.Memory
	figures Figures

	// stirred: something happened since the last pass. A pass of which nothing
	// is new and that holds nothing back would change nothing, and is left out
	// unless every one is wanted.
	stirred, every bool
	after          func(m *market) // what a test wants to see after each pass
}

// good is one item and its product.
type good struct {
	shelf    int // what is there
	promised int // accepted orders that are neither booked nor cancelled
	kros     int // what KROS says; may be below 0
	web      int // what the e-shop shows
	astray   int // what KROS has to learn by stocktaking
}

func (g *good) free() int { return max(0, g.shelf-g.promised) }

func newMarket(s scene, hold time.Duration) *market {
	rules := stock.Rules{
		Match: stock.ByNumber, Quantity: stock.Max, Missing: stock.MissingKeep, SoldHold: hold,
		Guard: stock.Guard{MaxZeroed: 1, MaxChanged: 1},
	}
	return &market{
		rules: rules, basis: rules.Basis(), threads: make([]int, s.threads),
		goods: lo.Map(s.stock, func(pieces, _ int) good { return good{shelf: pieces, kros: pieces, web: pieces} }),
	}
}

func (m *market) play(s scene) Figures {
	for _, h := range s.happenings {
		if h.what == passed {
			m.pass(h.at)
			continue
		}
		m.happen(h, &m.goods[h.item], &m.threads[h.thread])
		m.stirred = true
	}
	return m.figures
}

// happen lets one thing happen to a good; pieces are those of its thread.
func (m *market) happen(h happening, g *good, pieces *int) {
	switch h.what {
	case wanted:
		*pieces = m.order(g, h.pieces)
	case packed:
		m.pack(g, *pieces)
	case cancelled:
		g.promised -= *pieces
		g.web += *pieces
	case bought:
		*pieces = min(h.pieces, g.shelf)
		g.shelf -= *pieces
	case cashed:
		g.kros -= *pieces
	case arrived:
		*pieces = max(0, h.pieces-g.free())
		g.shelf += *pieces
	case received:
		g.kros += *pieces
	case broke:
		if g.shelf > 0 {
			g.shelf--
			g.astray--
		}
	case found:
		g.shelf++
		g.astray++
	case counted:
		m.count(g)
	}
}

// count lets KROS learn what broke or was found.
func (m *market) count(g *good) {
	g.kros += g.astray
	g.astray = 0
}

// order is how much of what a customer wants the e-shop accepts.
func (m *market) order(g *good, pieces int) int {
	accepted, free := min(pieces, g.web), g.free()
	m.figures.Wanted += pieces
	m.figures.Ordered += accepted
	m.figures.SoldTwice += max(0, accepted-free)
	m.figures.Lost += min(pieces-accepted, max(0, free-accepted))
	g.web -= accepted
	g.promised += accepted
	return accepted
}

// pack books an order. What is not there cannot be sent: that part of the order
// is cancelled, which gives it back to the e-shop as any cancellation does.
func (m *market) pack(g *good, pieces int) {
	there := min(pieces, g.shelf)
	g.shelf -= there
	g.kros -= there
	g.promised -= pieces
	g.web += pieces - there
	m.figures.NotDelivered += pieces - there
	if there < pieces { // and whoever looks for it in vain tells KROS
		m.count(g)
	}
}

func (m *market) pass(now time.Time) {
	if m.quiet() && !m.every {
		return
	}
	items := lo.Map(m.goods, func(g good, i int) stock.Item {
		code := strconv.Itoa(i + 1)
		return stock.Item{Code: code, Rows: []stock.Row{{Warehouse: "1", Quantity: decimal.NewFromInt(int64(g.kros))}}}
	})
	plan := stock.NewPlan(stock.Input{
		Rules: m.rules, Items: items, Products: lo.Map(m.goods, func(g good, i int) stock.Product {
			number := strconv.Itoa(i + 1)
			return stock.Product{ID: number, Number: number, Quantity: decimal.NewFromInt(int64(g.web)), Tracked: true}
		}),
		Memory: m.memory, Now: now, Basis: m.basis, First: m.memory == nil,
	})
	receipts := lo.Map(plan.Writes(), func(w stock.Write, _ int) stock.Receipt {
		m.goods[lo.Must(strconv.Atoi(w.Product))-1].web = int(w.To.IntPart())
		return stock.Receipt{Item: w.Item, Product: w.Product, Had: w.From, Asked: w.To, Kros: w.Kros, Answer: stock.AnswerUpdated}
	})
	m.memory = &stock.Memory{
		Items: stock.Track(items, lo.FromPtr(m.memory).Items), Ledger: stock.NewLedger(len(plan.Lines), slices.Values(plan.Lines), receipts),
		Basis: m.basis, Products: plan.Matched(),
	}
	m.stirred = false
	if m.after != nil {
		m.after(m)
	}
}

// quiet tells whether a pass would find nothing new: neither in KROS nor in the
// e-shop, and no sale whose hold may end.
func (m *market) quiet() bool {
	return m.memory != nil && !m.stirred && !m.memory.Ledger.Sales()
}
