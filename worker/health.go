package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"
)

// Why the process is not ready.
var (
	errStarting = errors.New("starting")
	errStopping = errors.New("stopping")
)

// health answers probes: /healthz while the process lives, /readyz while it
// has started and reaches Temporal.
type health struct {
	check  atomic.Pointer[func(context.Context) error]
	server *http.Server // nil: nobody asks
}

// startHealth listens on an address; "" leaves it out.
func startHealth(ctx context.Context, address string, log hclog.Logger) (*health, error) {
	h := &health{}
	h.notReady(errStarting)
	if address == "" {
		return h, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--health-listen %q: %w", address, err)
	}
	h.server = &http.Server{Handler: h.handler(), ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second}
	log.Info("health listens", "address", listener.Addr().String())
	go func() {
		if err := h.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("health cannot be told any more", "error", err)
		}
	}()
	return h, nil
}

// close ends the answers. It may be called without a server.
func (h *health) close() error {
	if h.server == nil {
		return nil
	}
	if err := h.server.Close(); err != nil {
		return fmt.Errorf("close the health endpoint: %w", err)
	}
	return nil
}

// ready means ready as long as Temporal answers.
func (h *health) ready(c client.Client) {
	check := func(ctx context.Context) error {
		if err := ask(ctx, c); err != nil {
			return fmt.Errorf("no answer of Temporal: %w", err)
		}
		return nil
	}
	h.check.Store(&check)
}

func (h *health) notReady(why error) {
	check := func(context.Context) error { return why }
	h.check.Store(&check)
}

func (h *health) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { say(w, (*h.check.Load())(r.Context())) })
	return mux
}

func say(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, err.Error()+"\n")
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}
