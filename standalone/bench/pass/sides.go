package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/skladom/skladom/standalone/bench/internal/house"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// token is what both simulators accept.
const token = "bench-token"

// sides are both simulators as a whole: PUT /goods fills them, GET /goods says
// whether the shop has what it is to have. Each pass has simulators of its own,
// so that none pays for what an earlier one left.
type sides struct{ now atomic.Pointer[pair] }

type pair struct {
	goods  goods
	kros   *krossim.Server
	fynode *fynodesim.Server
}

func runSides(ctx context.Context, _ io.Reader, out io.Writer) error {
	return house.ServeSides(ctx, out, (&sides{}).routes())
}

func (s *sides) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /goods", s.fill)
	mux.HandleFunc("GET /goods", s.check)
	mux.HandleFunc("/kros/", func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/kros", s.now.Load().kros).ServeHTTP(w, r)
	})
	// Two shops may not have one address; here they are one shop.
	mux.HandleFunc("/fynode/{shop}/", func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/fynode/"+r.PathValue("shop"), s.now.Load().fynode).ServeHTTP(w, r)
	})
	return mux
}

func (s *sides) fill(w http.ResponseWriter, r *http.Request) {
	var g goods
	if err := json.NewDecoder(r.Body).Decode(&g); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if old := s.now.Load(); old != nil {
		old.kros.Close()
	}
	s.now.Store(&pair{
		goods:  g,
		kros:   krossim.New(krossim.Options{Token: token, NoLimits: true, Items: g.kros()}),
		fynode: fynodesim.New(fynodesim.Options{Token: token, ID: "bench", Products: g.products()}),
	})
}

func (s *sides) check(w http.ResponseWriter, _ *http.Request) {
	now := s.now.Load()
	if err := now.goods.check(now.fynode.Products()); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

// fill gives the sides their goods, check has them compare what the shop has.
func fill(ctx context.Context, sides *house.Sides, g goods) error {
	body, err := json.Marshal(g)
	if err != nil {
		return err
	}
	_, err = sides.Ask(ctx, http.MethodPut, "/goods", bytes.NewReader(body))
	return err
}

func check(ctx context.Context, sides *house.Sides) error {
	_, err := sides.Ask(ctx, http.MethodGet, "/goods", nil)
	return err
}
