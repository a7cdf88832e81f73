package market

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// Phase is what a pass is at when it sends a request.
type Phase string

// The phases that requests show.
const (
	Checking Phase = "check"
	Fetching Phase = "fetch"
	Matching Phase = "match"
	Updating Phase = "update"
)

var phases = map[string]Phase{"catalog-items": Fetching, "products/lookup": Matching, "products/stock": Updating}

// Options say what a market is like. Shops and Rows are required.
type Options struct {
	Seed    uint64
	Name    string            // that the names of shops begin with
	Shops   int               //
	Rows    func(ith int) int // of each shop's catalogue
	Latency time.Duration     // of every answer
	// Hear, if not nil, hears every request before it is answered, and keeps it
	// waiting for as long as it likes.
	Hear func(*Shop, Phase, *http.Request)
}

// Market is a number of shops.
type Market struct {
	Shops []*Shop

	options Options
	url     string
	web     *http.Server
}

// Open builds the shops and serves them on loopback. None is activated.
func Open(o Options) (*Market, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port for the simulators: %w", err)
	}
	m := &Market{options: o, url: "http://" + listener.Addr().String()}
	mux := http.NewServeMux()
	for i := range o.Shops {
		s, err := m.newShop(i)
		if err != nil {
			_ = listener.Close()
			return nil, err
		}
		m.Shops = append(m.Shops, s)
		mux.Handle("/"+s.Name+"/kros/", http.StripPrefix("/"+s.Name+"/kros", m.before(s, s.KROS)))
		mux.Handle("/"+s.Name+"/fynode/", http.StripPrefix("/"+s.Name+"/fynode", m.before(s, s.Fynode)))
	}
	m.web = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go m.web.Serve(listener) //nolint:errcheck // it ends with the market
	return m, nil
}

// Close ends the simulators.
func (m *Market) Close() error {
	for _, s := range m.Shops {
		s.KROS.Close()
	}
	return m.web.Close()
}

// WriteSettings writes the files of an installation that has all the shops:
// lines belong outside of their blocks. of gives what else stands in a shop's block.
func (m *Market) WriteSettings(dir, lines string, of func(*Shop) string) error {
	var text strings.Builder
	text.WriteString(lines)
	for _, s := range m.Shops {
		text.WriteString(s.settings(of(s)))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the settings: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "skladom.hcl"), []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

// Secrets are what may be seen nowhere.
func (m *Market) Secrets() []string {
	var all []string
	for _, s := range m.Shops {
		all = append(all, s.krosToken, s.shopToken)
	}
	return all
}

// before stands before a simulator.
func (m *Market) before(s *Shop, sim http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/api/")
		phase, known := phases[path]
		if !known {
			phase = Checking
		}
		if phase == Updating {
			defer s.writing(r)()
		}
		if m.options.Hear != nil {
			m.options.Hear(s, phase, r)
		}
		sim.ServeHTTP(w, r)
	})
}

func (m *Market) newShop(ith int) (*Shop, error) {
	name := fmt.Sprintf("%s-%03d", m.options.Name, ith)
	seed := m.options.Seed*1000 + uint64(ith)
	krosJSON, shopJSON := catalogue.Generate(seed, m.options.Rows(ith))
	items, err := krossim.LoadItems(bytes.NewReader(krosJSON))
	if err != nil {
		return nil, err
	}
	products, err := fynodesim.LoadProducts(bytes.NewReader(shopJSON))
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 2))
	secret := func(side string) string { return fmt.Sprintf("%s-%s-%016x", side, name, random.Uint64()) }
	s := &Shop{
		Name: name, random: random, krosToken: secret("kros"), shopToken: secret("fynode"),
		krosURL: m.url + "/" + name + "/kros", shopURL: m.url + "/" + name + "/fynode/api/v1",
	}
	s.stock(items, products)
	s.KROS = krossim.New(krossim.Options{Items: items, Token: s.krosToken, NoLimits: true, Latency: m.options.Latency, Seed: seed})
	s.Fynode = fynodesim.New(fynodesim.Options{Products: products, Token: s.shopToken, ID: "id-" + name, Latency: m.options.Latency})
	return s, s.govern()
}
