package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	skladomhost "github.com/skladom/skladom/host"
	"github.com/skladom/skladom/standalone/server"
)

// startWithin bounds the start of the Temporal server; it takes under a second
// on an idle machine.
const startWithin = time.Minute

// namespace is the one namespace of the embedded server.
const namespace = "default"

// hostOptions are what a host needs.
type hostOptions struct {
	Shops   *config.Directory
	Archive string // address of the archive where the settings name none
	Server  server.Options
	Relay   net.Listener // nil: where the settings say, if they do
	Logger  hclog.Logger
}

// host is Skladom in this process: the Temporal server and what works on it.
type host struct {
	server *server.Server
	client client.Client
	stop   context.CancelFunc
	ended  chan error // what the worker and the relay ended with
}

// startHost returns when the worker polls and the relay listens.
func startHost(ctx context.Context, o hostOptions) (*host, error) {
	h := &host{ended: make(chan error, 1)}
	if err := h.start(ctx, o); err != nil {
		h.Stop()
		return nil, err
	}
	return h, nil
}

func (h *host) start(ctx context.Context, o hostOptions) (err error) {
	o.Server.SearchAttributes = skladom.SearchAttributes()
	o.Server.Namespace = namespace
	o.Server.Logger = o.Logger.Named("temporal")
	starting, cancel := context.WithTimeoutCause(ctx, startWithin,
		fmt.Errorf("it took more than %s", startWithin))
	defer cancel()
	if h.server, err = server.Start(starting, o.Server); err != nil {
		return err
	}
	h.client, err = client.DialContext(ctx, client.Options{
		HostPort: h.server.Address(), Namespace: namespace, Logger: skladomhost.TemporalLogger(o.Logger.Named("temporal")),
	})
	if err != nil {
		return fmt.Errorf("connect to the Temporal server of this process: %w", err)
	}
	return h.work(ctx, o)
}

// work runs worker and relay until Stop.
func (h *host) work(ctx context.Context, o hostOptions) error {
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx)) // Stop ends them before the server
	started := make(chan struct{})
	go func() {
		h.ended <- skladomhost.Run(ctx, skladomhost.Options{
			Client: h.client, Namespace: namespace, Shops: o.Shops, Archive: o.Archive,
			RelayListener: o.Relay, Logger: o.Logger,
			Started: func() { close(started) },
		})
		close(h.ended)
	}()
	select {
	case <-started:
		return nil
	case err := <-h.ended:
		return err
	}
}

// Stop lets what runs come to an end that can be gone on from.
func (h *host) Stop() {
	if h.stop != nil {
		h.stop()
		for range h.ended { // until closed
		}
	}
	if h.client != nil {
		h.client.Close()
	}
	if h.server != nil {
		h.server.Stop()
	}
}

// links tells where to look around, one line each.
func (h *host) links() string {
	return fmt.Sprintf("  Temporal UI  %s\n  Temporal     %s\n", h.server.UIURL(), h.server.Address())
}
