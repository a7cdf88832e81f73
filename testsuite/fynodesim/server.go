package fynodesim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is a simulated shop. It is an http.Handler, safe for concurrent use.
// The API answers below / and below /api/v1 alike.
type Server struct {
	options Options
	mux     *http.ServeMux

	mu       sync.Mutex
	token    string
	shop     Identity
	catalog  catalog
	rejected map[string]bool
	faults   []*Fault
	answers  memory
	arrivals []time.Time // of the last second, for the limit
	requests map[string]int
	writes   []Write
}

// New makes a simulated shop.
func New(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Server{
		options:  options,
		token:    options.Token,
		shop:     Identity{cmp.Or(options.ID, "sim"), cmp.Or(options.Name, "Simulated shop")},
		answers:  memory{answers: map[string]remembered{}},
		requests: map[string]int{},
	}
	s.SetProducts(options.Products)
	s.SetRejected(options.Rejected...)
	s.mux = s.routes()
	return s
}

func (s *Server) routes() *http.ServeMux {
	api := http.HandlerFunc(s.serveAPI)
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", api))
	mux.HandleFunc("GET /_sim/state", s.getState)
	mux.HandleFunc("PUT /_sim/products/{id}", s.putProduct)
	mux.HandleFunc("DELETE /_sim/products/{id}", s.deleteProduct)
	mux.HandleFunc("PUT /_sim/shop", s.putShop)
	mux.HandleFunc("POST /_sim/faults", s.postFault)
	mux.HandleFunc("DELETE /_sim/faults", s.deleteFaults)
	return mux
}

// ServeHTTP answers as a shop does, and to steering under /_sim.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Run serves on listener until ctx ends, and closes it.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	release := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer release()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// serveAPI counts and limits a request when it arrives, breaks it where a
// fault waits, and only then looks at it: a proxy that breaks asks for no token.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.URL.Path, "/")
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	if !s.arrive(path) {
		w.Header().Set("Retry-After", "1")
		problem(w, http.StatusTooManyRequests, "more requests in a second than the shop allows")
		return
	}
	if !pause(r.Context(), s.options.Latency) {
		return
	}
	if fault := s.takeFault(path, body); fault != nil {
		fault.serve(w, r, s, body)
		return
	}
	s.answer(w, r, body)
}

// arrive counts a request and tells whether it keeps the limit.
func (s *Server) arrive(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[path]++
	if s.options.RequestsPerSecond <= 0 {
		return true
	}
	now := s.options.Now()
	for len(s.arrivals) > 0 && now.Sub(s.arrivals[0]) >= time.Second {
		s.arrivals = s.arrivals[1:]
	}
	if len(s.arrivals) >= s.options.RequestsPerSecond {
		return false
	}
	s.arrivals = append(s.arrivals, now)
	return true
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" || r.Header.Get("Authorization") != "Bearer "+s.token {
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem(w, http.StatusUnauthorized, "the token is missing or not valid")
		return
	}
	endpoints := map[string]struct {
		method string
		serve  func(http.ResponseWriter, *http.Request, []byte)
	}{
		pathShop:     {http.MethodGet, s.getShop},
		pathProducts: {http.MethodGet, s.listProducts},
		pathLookup:   {http.MethodPost, s.lookupProducts},
		pathStock:    {http.MethodPatch, s.setStock},
	}
	endpoint, ok := endpoints[strings.Trim(r.URL.Path, "/")]
	switch {
	case !ok:
		problem(w, http.StatusNotFound, "no such resource: "+r.URL.Path)
	case r.Method != endpoint.method:
		w.Header().Set("Allow", endpoint.method)
		problem(w, http.StatusMethodNotAllowed, r.Method+" is not possible here")
	default:
		endpoint.serve(w, r, body)
	}
}

// problem answers as RFC 9457 says.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

// writeWritten answers with JSON that is written already.
func writeWritten(w http.ResponseWriter, answer []byte) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

// pause waits for d and tells whether the caller is still there.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
