package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/standalone/server"
)

const queue = "skladom"

// Passes by hand and by notification are counted where no tick comes between.
const (
	noTicks   = "0 3 29 2 *"
	eachTicks = "@every 1m"
)

// home is Skladom as it runs on one machine, with the shops that are counted.
type home struct {
	dir    string // configuration
	shops  []*shop
	web    *http.Server
	url    string
	server *server.Server
	client client.Client
	stop   func() // the worker

	heartbeats atomic.Int64 // that reached the server
}

func openHome(ctx context.Context, dir string, shops ...*shop) (_ *home, err error) {
	h := &home{dir: filepath.Join(dir, "conf"), shops: shops}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	log := hclog.New(&hclog.LoggerOptions{Name: "bench", Output: os.Stderr, Level: hclog.Error})
	if err := h.serve(ctx); err != nil {
		return nil, err
	}
	if h.server, err = server.Start(ctx, server.Options{
		File: filepath.Join(dir, "temporal.db"), UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes(), Logger: log,
	}); err != nil {
		return nil, err
	}
	if h.client, err = client.DialContext(ctx, client.Options{
		HostPort: h.server.Address(), Logger: host.TemporalLogger(log),
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(h.hear)}},
	}); err != nil {
		return nil, fmt.Errorf("connect to the Temporal server: %w", err)
	}
	if err := h.configure(noTicks); err != nil {
		return nil, err
	}
	h.stop, err = site.Worker{Client: h.client, Dir: h.dir, Queue: queue, Getenv: os.LookupEnv, Logger: log}.Start(ctx)
	return h, err
}

// hear counts heartbeats, which leave no event.
func (h *home) hear(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if strings.HasSuffix(method, "/RecordActivityTaskHeartbeat") {
		h.heartbeats.Add(1)
	}
	return invoke(ctx, method, request, reply, conn, options...)
}

// serve serves both simulators of every shop.
func (h *home) serve(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open a port for the simulators: %w", err)
	}
	mux := http.NewServeMux()
	for _, s := range h.shops {
		mux.Handle("/kros/"+s.name+"/", http.StripPrefix("/kros/"+s.name, s.kros))
		mux.Handle("/fynode/"+s.name+"/", http.StripPrefix("/fynode/"+s.name, s.fynode))
	}
	h.url = "http://" + listener.Addr().String()
	h.web = &http.Server{Handler: mux, ReadHeaderTimeout: startWithin}
	go h.web.Serve(listener) //nolint:errcheck // it ends with the home
	return nil
}

// configure writes the configuration of all shops with a schedule.
func (h *home) configure(schedule string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "temporal { task_queue = %q }\nsnapshots { url = %q }\n", queue, "file://"+filepath.ToSlash(filepath.Join(h.dir, "archive")))
	for _, s := range h.shops {
		text.WriteString(site.Shop{
			Name: s.name, KrosURL: h.url + "/kros/" + s.name, ShopURL: h.url + "/fynode/" + s.name,
			KrosKey: fmt.Sprintf("%q", token), ShopToken: token,
			InKros: "requests_per_second = 100000\n    requests_per_minute = 1000000",
			Lines:  fmt.Sprintf("schedule = %q\n  webhook { min_gap = \"0s\" }", schedule),
		}.HCL())
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return fmt.Errorf("make the settings: %w", err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "skladom.hcl"), []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

func (h *home) close() error {
	if h.stop != nil {
		h.stop()
	}
	if h.client != nil {
		h.client.Close()
	}
	if h.server != nil {
		h.server.Stop()
	}
	for _, s := range h.shops {
		s.kros.Close()
	}
	if h.web == nil {
		return nil
	}
	return h.web.Close()
}
