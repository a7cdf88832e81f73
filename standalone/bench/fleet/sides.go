package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/standalone/bench/internal/house"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// The shops that are not one of many.
const (
	small = "small" // is notified
	large = "large" // is its neighbour
)

// moving is how many items of a small shop's catalogue move at once.
const moving = 5

// tokenOf is what both sides of a shop accept.
func tokenOf(shop string) string { return "token-of-" + shop }

// sides are both simulators of all shops. The many have one catalogue of KROS
// together, since it is the same for all; each has an e-shop of its own, made
// when it is first asked. Their products share what does not change.
type sides struct {
	task     sidesTask
	common   *krossim.Server
	products []fynodesim.Product
	moves    int // of the common catalogue

	small *krossim.Server
	told  int           // how often it was moved
	wrote chan struct{} // the small e-shop was asked something
	large [2]*krossim.Server
	turn  atomic.Int32 // of the large ones

	mu    sync.Mutex
	shops map[string]*fynodesim.Server
}

// sidesTask is what the sides are to be. WebhookURL is where notifications for
// the small shop go.
type sidesTask struct {
	Items      int    `json:"items"`
	Large      int    `json:"large"`
	WebhookURL string `json:"webhookUrl"`
	WebhookKey string `json:"webhookKey"`
}

func runSides(ctx context.Context, in io.Reader, out io.Writer) error {
	var task sidesTask
	if err := json.NewDecoder(in).Decode(&task); err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	return house.ServeSides(ctx, out, newSides(task).routes())
}

func newSides(task sidesTask) *sides {
	kros := func(items, moves int, webhook krossim.Options) *krossim.Server {
		webhook.Token, webhook.NoLimits, webhook.Items = tokenOf("all"), true, krosItems(items, moves)
		return krossim.New(webhook)
	}
	none := krossim.Options{}
	return &sides{
		task: task, common: kros(task.Items, 0, none), products: products(task.Items),
		small: kros(task.Items, 0, krossim.Options{WebhookURL: task.WebhookURL, WebhookKey: task.WebhookKey}),
		wrote: make(chan struct{}, 1),
		large: [2]*krossim.Server{kros(task.Large, 1, none), kros(task.Large, 2, none)},
		shops: map[string]*fynodesim.Server{},
	}
}

func (s *sides) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/kros/{shop}/", s.serveKros)
	mux.HandleFunc("/fynode/{shop}/", s.serveFynode)
	mux.HandleFunc("POST /move", s.move)
	mux.HandleFunc("POST /turn", func(http.ResponseWriter, *http.Request) { s.turn.Add(1) })
	mux.HandleFunc("POST /follow", s.follow)
	return mux
}

// serveKros lets a shop in with its own token only.
func (s *sides) serveKros(w http.ResponseWriter, r *http.Request) {
	shop := r.PathValue("shop")
	if r.Header.Get("Authorization") == "Bearer "+tokenOf(shop) {
		r.Header.Set("Authorization", "Bearer "+tokenOf("all"))
	}
	kros := s.common
	switch shop {
	case small:
		kros = s.small
	case large:
		kros = s.large[s.turn.Load()%2]
	}
	http.StripPrefix("/kros/"+shop, kros).ServeHTTP(w, r)
}

func (s *sides) serveFynode(w http.ResponseWriter, r *http.Request) {
	shop := r.PathValue("shop")
	http.StripPrefix("/fynode/"+shop, s.shop(shop)).ServeHTTP(w, r)
	if shop == small {
		select {
		case s.wrote <- struct{}{}:
		default:
		}
	}
}

func (s *sides) shop(name string) *fynodesim.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shops[name] == nil {
		has := s.products
		if name == large {
			has = products(s.task.Large)
		}
		s.shops[name] = fynodesim.New(fynodesim.Options{Token: tokenOf(name), ID: name, Products: has})
	}
	return s.shops[name]
}

// move moves some items of the catalogue that the many have.
func (s *sides) move(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range moving {
		i := s.moves % s.task.Items
		s.moves++
		if err := s.common.SetStock(number(i), inWarehouse(quantity(i, 1+s.moves/s.task.Items))); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
}

// follow moves an item of the small shop, of which KROS notifies, and answers
// how long its e-shop took to show it.
func (s *sides) follow(w http.ResponseWriter, r *http.Request) {
	item, wanted := s.told%s.task.Items, quantity(s.told%s.task.Items, 1+s.told/s.task.Items)
	s.told++
	began := time.Now()
	if err := s.small.SetStock(number(item), inWarehouse(wanted)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	id := s.products[item].ID
	for {
		if product, _ := s.shop(small).Product(id); product.Quantity.Equal(decimal.NewFromInt(int64(wanted))) {
			_ = json.NewEncoder(w).Encode(lo.LastOrEmpty(s.shop(small).Writes()).At.Sub(began))
			return
		}
		select {
		case <-s.wrote:
		case <-r.Context().Done():
			return
		}
	}
}

// post has the sides do something.
func (b *bench) post(ctx context.Context, path string) ([]byte, error) {
	return b.sides.Ask(ctx, http.MethodPost, path, nil)
}

// follow is how long the small e-shop took to show what a notification told.
func (b *bench) follow(ctx context.Context) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	text, err := b.post(ctx, "/follow")
	if err != nil {
		return 0, fmt.Errorf("the small shop did not follow: %w", err)
	}
	return took, json.Unmarshal(text, &took)
}
