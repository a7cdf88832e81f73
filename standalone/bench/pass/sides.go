package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
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
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open a port for the simulators: %w", err)
	}
	fmt.Fprintln(out, "http://"+listener.Addr().String())
	server := &http.Server{Handler: (&sides{}).routes()}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
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

// remote are the sides in their own process.
type remote struct {
	*house.Process
	url string
}

func startSides(ctx context.Context) (*remote, error) {
	p, err := house.Self(ctx, "sides", nil)
	if err != nil {
		return nil, err
	}
	address, err := bufio.NewReader(p.Out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the simulators: %w", err), p.Stop())
	}
	return &remote{Process: p, url: strings.TrimSpace(address)}, nil
}

func (r *remote) fill(ctx context.Context, g goods) error {
	body, err := json.Marshal(g)
	if err != nil {
		return err
	}
	return r.ask(ctx, http.MethodPut, strings.NewReader(string(body)))
}

func (r *remote) check(ctx context.Context) error { return r.ask(ctx, http.MethodGet, nil) }

func (r *remote) ask(ctx context.Context, method string, body io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, method, r.url+"/goods", body)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s /goods: %s", method, text)
	}
	return err
}
