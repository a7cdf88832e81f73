package krossim

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/samber/lo"
)

// Server is a simulated KROS. It is an http.Handler, safe for concurrent use.
type Server struct {
	options Options
	mux     *http.ServeMux

	ctx           context.Context // of the notifications under way
	stop          context.CancelFunc
	notifications sync.WaitGroup

	mu       sync.Mutex
	random   *rand.Rand
	token    string
	items    []*row // in the order in which they were given
	order    []*row // in the order in which they are shown
	faults   []*Fault
	windows  map[string]*window // by whom the limits count for
	requests []Request
	counts   Counts
}

// row is an item with what never leaves the simulator.
type row struct {
	Item
	id   int
	wire []byte // the item as it is sent; nil where that is not known
}

// New makes a simulated KROS. Close ends what it does in the background.
func New(options Options) *Server {
	options.PerSecond = cmp.Or(options.PerSecond, 10)
	options.PerMinute = cmp.Or(options.PerMinute, 300)
	options.WebhookWait = cmp.Or(options.WebhookWait, time.Second)
	options.EANField = cmp.Or(options.EANField, "eanCode")
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Client == nil {
		options.Client = &http.Client{Timeout: 10 * time.Second}
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		options: options,
		ctx:     ctx,
		stop:    stop,
		random:  rand.New(rand.NewPCG(options.Seed, 1)),
		token:   options.Token,
		windows: map[string]*window{},
		counts:  Counts{ByPath: map[string]int{}},
	}
	s.SetItems(options.Items)
	s.mux = s.routes()
	return s
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/api/", http.HandlerFunc(s.serveAPI))
	mux.HandleFunc("GET /_sim/state", s.getState)
	mux.HandleFunc("PUT /_sim/items/{itemCode}", s.putItem)
	mux.HandleFunc("POST /_sim/faults", s.postFault)
	mux.HandleFunc("DELETE /_sim/faults", s.deleteFaults)
	return mux
}

// ServeHTTP answers as KROS does under /api, and to steering under /_sim.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Run serves on listener until ctx ends, and closes both it and the server.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	defer s.Close()
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	release := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer release()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close gives up the notifications under way and returns when they have ended.
func (s *Server) Close() {
	s.stop()
	s.notifications.Wait()
}

// serveAPI counts and limits a request when it arrives, breaks it where a
// fault waits, and only then looks at it: a proxy that breaks asks for no token.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	recorder := &statusRecorder{ResponseWriter: w}
	path := strings.ToLower(strings.TrimPrefix(r.URL.Path, "/api/"))
	index, wait, ok := s.arrive(r, path)
	defer func() { s.answered(index, recorder.status) }()
	if !ok {
		s.refuseTooMany(recorder, wait)
		return
	}
	if !pause(r.Context(), s.options.Latency) {
		return
	}
	if fault := s.takeFault(path); fault != nil && !s.breakAnswer(fault, recorder, r, path) {
		return
	}
	s.answer(recorder, r, path)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, path string) {
	switch {
	case !s.authorized(r):
		w.WriteHeader(http.StatusUnauthorized)
	case path != "auth/check" && path != "catalog-items":
		w.WriteHeader(http.StatusNotFound)
	case r.Method != http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case s.options.NoAPIAccess == RefusedAtCheck,
		s.options.NoAPIAccess == RefusedAtItems && path == "catalog-items":
		w.WriteHeader(http.StatusPaymentRequired)
	case path == "auth/check":
		w.WriteHeader(http.StatusOK)
	default:
		s.listItems(w, r)
	}
}

func (s *Server) authorized(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token != "" && r.Header.Get("Authorization") == "Bearer "+s.token
}

// SetToken resets the token: from now on only this one is accepted.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// SetItems replaces the whole catalogue. No notification is sent.
func (s *Server) SetItems(items []Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = lo.Map(items, func(item Item, i int) *row { return &row{Item: item, id: i + 1} })
	s.order = slices.Clone(s.items)
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

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(p []byte) (int, error) {
	r.status = cmp.Or(r.status, http.StatusOK)
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
