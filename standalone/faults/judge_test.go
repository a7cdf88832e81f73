package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/krossim"
)

// A judge that finds nothing proves nothing: each wrong that it is there for is
// done to a shop by hand.
func TestTheJudgeSeesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		sells bool
		do    func(*bench)
		wrong string // "": nothing is
	}{
		"what KROS has is written": {do: func(b *bench) {
			b.write(b.product, b.quantity())
		}},
		"one piece too many": {do: func(b *bench) {
			b.write(b.product, b.quantity().Add(decimal.NewFromInt(1)))
		}, wrong: "the rules give"},
		"one piece too few, though KROS always wins": {do: func(b *bench) {
			b.write(b.product, b.quantity().Sub(decimal.NewFromInt(1)))
		}, wrong: "KROS always wins"},
		"a quantity that KROS had during the pass": {do: func(b *bench) {
			before := b.quantity()
			b.stock("3")
			b.write(b.product, before)
		}},
		"a quantity that KROS had before the pass": {do: func(b *bench) {
			before := b.quantity()
			b.stock("3")
			b.begun = time.Now()
			b.write(b.product, before)
		}, wrong: "the rules give"},
		"a product that no item has": {do: func(b *bench) {
			b.write(b.stranger, decimal.NewFromInt(1))
		}, wrong: "no clear item"},
		"an item that became ambiguous before the pass": {do: func(b *bench) {
			before := b.quantity()
			b.happen(Event{What: evTwin, Item: b.item})
			b.begun = time.Now()
			b.write(b.product, before)
		}, wrong: "no clear item"},
		"a shop that is not in step": {do: func(b *bench) {
			b.equal()
			b.shows(b.product, b.quantity().Add(decimal.NewFromInt(1)))
			b.inStep()
		}, wrong: "instead of"},
		"a shop that is in step": {do: func(b *bench) {
			b.equal()
			b.inStep()
		}},
		"a stranger that was touched": {do: func(b *bench) {
			b.equal()
			before := b.w.quantities()
			b.shows(b.stranger, decimal.NewFromInt(4711))
			b.judge.inStep(before)
		}, wrong: "no rule touches"},
		"sold goods that are on sale again": {sells: true, do: func(b *bench) {
			b.equal()
			b.happen(Event{What: evSell, Item: b.item, Product: b.product, Pieces: 2})
			b.shows(b.product, b.quantity())
			b.inStep()
		}, wrong: "were sold"},
		"sold goods that stay sold": {sells: true, do: func(b *bench) {
			b.equal()
			b.happen(Event{What: evSell, Item: b.item, Product: b.product, Pieces: 2})
			b.inStep()
		}},
		"booked goods that are held back": {sells: true, do: func(b *bench) {
			b.equal()
			b.happen(Event{What: evSell, Item: b.item, Product: b.product, Pieces: 2})
			b.happen(Event{What: evBook, Item: b.item, Pieces: 2})
			b.shows(b.product, b.quantity().Sub(decimal.NewFromInt(2)))
			b.inStep()
		}, wrong: "shows only"},
		"outcomes that do not add up": {do: func(b *bench) {
			b.judge.report(protocol.Report{Counts: stock.Counts{KrosItems: 3, Updated: 1, Held: 1}})
		}, wrong: "outcomes"},
		"eleven requests in a second": {do: func(b *bench) {
			for range 11 {
				b.ask(http.MethodGet, Kros, "/api/auth/check", "")
			}
			b.judge.limits()
		}, wrong: "times in a second"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.sells)
			c.do(b)
			b.judge.pass(b.begun)
			broken := strings.Join(b.judge.broken, "\n")
			if c.wrong == "" {
				require.Empty(t, broken)
				return
			}
			require.Contains(t, broken, c.wrong)
		})
	}
}

// bench is a shop without anybody who keeps it in step.
type bench struct {
	t                       *testing.T
	w                       *world
	judge                   *judge
	begun                   time.Time
	product, item, stranger string
}

func newBench(t *testing.T, sells bool) *bench {
	t.Helper()
	kros, shop, err := site.Sides(1, 100)
	require.NoError(t, err)
	s := Sequence{Settings: catalogue.Settings{Match: "number", Quantity: "sum"}, Missing: "keep", SoldHold: "0s", kros: kros, shop: shop}
	if sells {
		s.SoldHold = "24h"
	}
	w, err := newWorld(s, toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "k", "s")
	require.NoError(t, err)
	t.Cleanup(w.close)
	b := &bench{t: t, w: w, judge: newJudge(w), begun: time.Now()}
	targets := w.now().targets
	for _, id := range slices.Sorted(keys(w.quantities())) {
		target, ok := targets[id]
		switch {
		case !ok:
			if p, _ := w.fynode.Product(id); p.Tracked == nil && strings.HasPrefix(p.Name, "Darčeková") {
				b.stranger = id
			}
		case b.product == "" && target.Item != "" && target.Quantity.GreaterThan(decimal.NewFromInt(5)) && onlyOne(targets, target.Item):
			b.product, b.item = id, target.Item
		}
	}
	require.NotEmpty(t, b.product)
	require.NotEmpty(t, b.stranger)
	b.judge.remember()
	return b
}

func (b *bench) quantity() decimal.Decimal { return b.w.now().targets[b.product].Quantity }

func (b *bench) happen(v Event) {
	b.t.Helper()
	require.NoError(b.t, b.w.begin(nil, []Event{v}))
	require.NoError(b.t, b.w.end(b.t.Context()))
}

func (b *bench) stock(quantity string) {
	b.t.Helper()
	b.happen(Event{What: evStock, Item: b.item, Warehouses: []krossim.Warehouse{{Code: "LT", QuantityOnHand: jsonNumber(decimal.RequireFromString(quantity))}}})
}

// equal brings the shop in step, as nobody's write.
func (b *bench) equal() {
	for id, target := range b.w.now().targets {
		b.shows(id, target.Quantity)
	}
}

func (b *bench) shows(id string, quantity decimal.Decimal) {
	b.t.Helper()
	require.NoError(b.t, b.w.fynode.SetQuantity(id, quantity))
}

func (b *bench) inStep() { b.judge.inStep(b.w.quantities()) }

func (b *bench) write(id string, quantity decimal.Decimal) {
	b.t.Helper()
	b.ask(http.MethodPatch, Shop, "/api/v1/products/stock", fmt.Sprintf(`{"items":[{"id":%q,"quantity":%s}]}`, id, quantity))
	require.Len(b.t, b.w.fynode.Writes(), 1)
}

func (b *bench) ask(method string, side Side, path, body string) {
	b.t.Helper()
	request, err := http.NewRequest(method, b.w.ends[side].url()+path, strings.NewReader(body))
	require.NoError(b.t, err)
	request.Header.Set("Authorization", "Bearer "+b.w.ends[side].token)
	request.Header.Set("Idempotency-Key", "1")
	response, err := http.DefaultClient.Do(request)
	require.NoError(b.t, err)
	require.NoError(b.t, response.Body.Close())
	require.Contains(b.t, []int{http.StatusOK, http.StatusTooManyRequests}, response.StatusCode)
}

func onlyOne(targets map[string]catalogue.Target, item string) bool {
	n := 0
	for _, target := range targets {
		if target.Item == item {
			n++
		}
	}
	return n == 1
}
