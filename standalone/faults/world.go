package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// world is what surrounds one shop: both simulators, each behind a network of
// its own, and the memory of what was true when.
type world struct {
	seq    Sequence
	kros   *krossim.Server
	fynode *fynodesim.Server
	ends   map[Side]*end

	mu      sync.Mutex
	pending []Event // of the pass that runs
	truths  []truth
	gone    map[string]krossim.Item      // rows that were taken out of the catalogue
	dropped map[string]fynodesim.Product // products that the shop lost
	emptied map[string]bool              // items whose warehouses went
	sold    map[string]decimal.Decimal   // pieces, by item
	booked  map[string]decimal.Decimal   // pieces, by item
	waiting []Fault                      // that no request has met yet
	met     map[string]int               // those that one has, by kind
}

// end is one side as the worker sees it.
type end struct {
	side  Side
	token string
	web   *httptest.Server
	proxy *toxiproxy.Proxy

	mu       sync.Mutex
	requests int // of this pass
	again    int // pages that come again
	toxics   int // that were ever added
}

// truth is what the rules gave each product over a time. Both ends belong to
// it: while something changes, before and after are true.
type truth struct {
	from, until time.Time
	targets     map[string]catalogue.Target
}

func newWorld(seq Sequence, network *toxiproxy.ApiServer, krosToken, shopToken string) (_ *world, err error) {
	w := &world{
		seq: seq, ends: map[Side]*end{},
		gone: map[string]krossim.Item{}, dropped: map[string]fynodesim.Product{}, emptied: map[string]bool{},
		sold: map[string]decimal.Decimal{}, booked: map[string]decimal.Decimal{}, met: map[string]int{},
	}
	seq.kros.Token, seq.kros.Now = krosToken, time.Now
	seq.shop.Token, seq.shop.ID, seq.shop.Name = shopToken, "shop-"+strconv.FormatUint(seq.Seed, 10), "Acme"
	w.kros, w.fynode = krossim.New(seq.kros), fynodesim.New(seq.shop)
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	for side, sim := range map[Side]http.Handler{Kros: w.kros, Shop: w.fynode} {
		e := &end{side: side, token: lo.Ternary(side == Kros, krosToken, shopToken)}
		w.ends[side] = e
		e.web = httptest.NewServer(w.before(e, sim))
		e.proxy = toxiproxy.NewProxy(network, fmt.Sprintf("%s-%d", side, seq.Seed), "127.0.0.1:0", e.web.Listener.Addr().String())
		if err := e.proxy.Start(); err != nil {
			return nil, fmt.Errorf("start the network of %s: %w", side, err)
		}
	}
	return w, w.change(func() error { return nil })
}

func (w *world) close() {
	for _, e := range w.ends {
		if e.proxy != nil {
			e.proxy.Stop()
		}
		e.web.CloseClientConnections()
		e.web.Close()
	}
	w.kros.Close()
}

func (e *end) url() string { return "http://" + e.proxy.Listen }

// before stands before a simulator: life goes on there, its clock is wrong, and
// pages come again.
func (w *world) before(e *end, sim http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.requests++
		nth := e.requests
		e.mu.Unlock()
		if err := w.live(func(v Event) bool { return v.Side == e.side && v.Nth <= nth }); err != nil {
			panic(err)
		}
		rw.Header().Set("Date", w.clock(e.side).UTC().Format(http.TimeFormat))
		if w.seq.NoDate[e.side] {
			rw.Header()["Date"] = nil
		}
		e.turnBack(r.URL)
		w.meet(e.side, r.URL.Path)
		sim.ServeHTTP(rw, r)
	})
}

func (w *world) clock(side Side) time.Time { return time.Now().Add(w.seq.Skew[side]) }

// meet counts the faults that this request meets. It is a little generous: of
// two for one request the second waits, and one for a product of the shop is
// only met by a batch that holds it.
func (w *world) meet(side Side, path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var waiting []Fault
	for _, f := range w.waiting {
		switch {
		case f.Side != side || f.Answer != nil && !strings.HasSuffix(path, f.Answer.Path):
			waiting = append(waiting, f)
		case f.Answer != nil && f.Answer.After > 0:
			later := *f.Answer
			later.After--
			f.Answer = &later
			waiting = append(waiting, f)
		default:
			w.met[f.name()]++
		}
	}
	w.waiting = waiting
}

// turnBack asks for the page before, where pages are to come again.
func (e *end) turnBack(u *url.URL) {
	e.mu.Lock()
	defer e.mu.Unlock()
	query := u.Query()
	skip, _ := strconv.Atoi(query.Get("Skip"))
	if e.again == 0 || skip < 100 {
		return
	}
	e.again--
	query.Set("Skip", strconv.Itoa(skip-100))
	u.RawQuery = query.Encode()
}

// begin starts the troubles of a pass.
func (w *world) begin(p []Fault, events []Event) error {
	w.mu.Lock()
	w.pending = slices.Clone(events)
	w.mu.Unlock()
	for _, e := range w.ends {
		e.mu.Lock()
		e.requests = 0
		e.mu.Unlock()
	}
	for _, f := range p {
		if err := w.install(f); err != nil {
			return fmt.Errorf("install %s: %w", lines(f), err)
		}
	}
	return nil
}

func (w *world) install(f Fault) error {
	e := w.ends[f.Side]
	w.mu.Lock()
	w.waiting = append(w.waiting, f)
	w.mu.Unlock()
	switch {
	case f.Toxic != nil:
		e.mu.Lock()
		e.toxics++
		text := f.Toxic.json(e.toxics)
		e.mu.Unlock()
		_, err := e.proxy.Toxics.AddToxicJson(strings.NewReader(text))
		return apiError(err)
	case f.Again > 0:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.again += f.Again
		return nil
	case f.Side == Kros:
		return w.kros.AddFault(f.Answer.ofKros(e.token, w.clock(Kros)))
	}
	return w.fynode.AddFault(f.Answer.ofShop(e.token, w.clock(Shop)))
}

// apiError takes the nil out of toxiproxy's typed errors.
func apiError(err error) error {
	if e, ok := err.(*toxiproxy.ApiError); ok && e == nil { //nolint:errorlint // the very type is meant
		return nil
	}
	return err
}

// heal ends all troubles of one side.
func (w *world) heal(ctx context.Context, side Side) {
	e := w.ends[side]
	w.mu.Lock()
	w.waiting = lo.Reject(w.waiting, func(f Fault, _ int) bool { return f.Side == side })
	w.mu.Unlock()
	e.proxy.Toxics.ResetToxics(ctx)
	if side == Kros {
		w.kros.ClearFaults()
	} else {
		w.fynode.ClearFaults()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.again = 0
}

// end ends a pass: its troubles are over and what was to happen has happened.
func (w *world) end(ctx context.Context) error {
	w.heal(ctx, Kros)
	w.heal(ctx, Shop)
	return w.live(func(Event) bool { return true })
}

// live lets happen what is due.
func (w *world) live(due func(Event) bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	ready, rest := lo.FilterReject(w.pending, func(v Event, _ int) bool { return due(v) })
	w.pending = rest
	for _, v := range ready {
		if err := w.change(func() error { return w.happen(v) }); err != nil {
			return fmt.Errorf("let happen %s: %w", lines(v), err)
		}
	}
	return nil
}

// change does something to the sides and remembers what is true from then on.
func (w *world) change(do func() error) error {
	from := time.Now()
	if err := do(); err != nil {
		return err
	}
	targets, err := w.targets()
	if err != nil {
		return err
	}
	now := time.Now()
	if n := len(w.truths); n > 0 {
		w.truths[n-1].until = now
	}
	w.truths = append(w.truths, truth{from: from, until: now.Add(100 * 365 * 24 * time.Hour), targets: targets})
	return nil
}

// targets is what the rules give now. An item whose warehouses went has 0.
func (w *world) targets() (map[string]catalogue.Target, error) {
	items := slices.Clone(w.kros.State().Items)
	for i, item := range items {
		if w.emptied[strings.TrimSpace(item.ItemCode)] && len(item.Warehouses) == 0 {
			items[i].Warehouses = []krossim.Warehouse{{Code: "LT", QuantityOnHand: "0"}}
		}
	}
	kros, shop, err := site.Lists(items, w.fynode.Products())
	if err != nil {
		return nil, err
	}
	return w.seq.Settings.Targets(kros, shop), nil
}

func (w *world) happen(v Event) error {
	switch v.What {
	case evStock:
		if w.has(v.Item) {
			return w.kros.SetStock(v.Item, v.Warehouses...)
		}
	case evEmpty:
		if w.has(v.Item) {
			w.emptied[v.Item] = true
			return w.kros.SetStock(v.Item, []krossim.Warehouse{}...)
		}
	case evRemove:
		w.edit(func(item krossim.Item) (krossim.Item, bool) {
			if strings.TrimSpace(item.ItemCode) != v.Item {
				return item, true
			}
			w.gone[v.Item] = item
			return item, false
		})
	case evRestore:
		if item, ok := w.gone[v.Item]; ok && !w.has(v.Item) {
			w.kros.SetItems(append(w.kros.State().Items, item))
		}
	case evTwin:
		w.twin(v.Item)
	case evEdit:
		if _, ok := w.fynode.Product(v.Product); ok {
			return w.fynode.SetQuantity(v.Product, decimal.NewFromInt(int64(v.Pieces)))
		}
	case evDrop:
		if p, ok := w.fynode.Product(v.Product); ok {
			w.dropped[v.Product] = p
			w.fynode.RemoveProduct(v.Product)
		}
	case evReturn:
		if p, ok := w.dropped[v.Product]; ok {
			delete(w.dropped, v.Product)
			w.fynode.PutProduct(p)
		}
	case evSell:
		if _, ok := w.fynode.Product(v.Product); ok {
			sold, err := w.fynode.Sell(v.Product, decimal.NewFromInt(int64(v.Pieces)))
			w.sold[v.Item] = w.sold[v.Item].Add(sold)
			return err
		}
	case evBook:
		n := decimal.Min(decimal.NewFromInt(int64(v.Pieces)), w.sold[v.Item].Sub(w.booked[v.Item]))
		w.booked[v.Item] = w.booked[v.Item].Add(n)
		return w.move(v.Item, n.Neg())
	case evReceive:
		return w.move(v.Item, decimal.NewFromInt(int64(v.Pieces)))
	}
	return nil
}

func (w *world) has(code string) bool {
	return slices.ContainsFunc(w.kros.State().Items, func(item krossim.Item) bool { return strings.TrimSpace(item.ItemCode) == code })
}

// edit rewrites KROS's catalogue.
func (w *world) edit(change func(krossim.Item) (_ krossim.Item, stays bool)) {
	w.kros.SetItems(lo.FilterMap(w.kros.State().Items, func(item krossim.Item, _ int) (krossim.Item, bool) { return change(item) }))
}

// twin adds an item with the key of another one: from then on neither is clear.
func (w *world) twin(code string) {
	items := w.kros.State().Items
	item, ok := lo.Find(items, func(item krossim.Item) bool { return strings.TrimSpace(item.ItemCode) == code })
	if !ok {
		return
	}
	item.Name += " (dvojča)"
	if w.seq.Settings.Match == "ean" {
		item.ItemCode = "DV" + strconv.Itoa(len(items))
	}
	w.kros.SetItems(append(items, item))
}

// move changes the first warehouse of an item.
func (w *world) move(code string, by decimal.Decimal) error {
	item, ok := lo.Find(w.kros.State().Items, func(item krossim.Item) bool { return strings.TrimSpace(item.ItemCode) == code })
	if !ok || len(item.Warehouses) == 0 || by.IsZero() {
		return nil
	}
	warehouses := slices.Clone(item.Warehouses)
	now, err := decimal.NewFromString(warehouses[0].QuantityOnHand.String())
	if err != nil {
		return err
	}
	warehouses[0].QuantityOnHand = jsonNumber(now.Add(by))
	return w.kros.SetStock(code, warehouses...)
}

// during are the truths that held at any moment between two times.
func (w *world) during(from, until time.Time) []truth {
	w.mu.Lock()
	defer w.mu.Unlock()
	return lo.Filter(w.truths, func(t truth, _ int) bool { return !t.until.Before(from) && !t.from.After(until) })
}

// someItem is the code of an item that is matched, always the same.
func (w *world) someItem() string {
	targets := w.now().targets
	for _, id := range slices.Sorted(keys(targets)) {
		if targets[id].Item != "" {
			return targets[id].Item
		}
	}
	return ""
}

// now is what is true now.
func (w *world) now() truth {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.truths[len(w.truths)-1]
}

// quantities are what the shop shows, by product.
func (w *world) quantities() map[string]decimal.Decimal {
	return lo.SliceToMap(w.fynode.Products(), func(p fynodesim.Product) (string, decimal.Decimal) { return p.ID, p.Quantity })
}

func jsonNumber(d decimal.Decimal) json.Number { return json.Number(d.String()) }
