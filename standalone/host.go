package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/standalone/server"
)

// startWithin bounds the start of the Temporal server; it takes under a second
// on an idle machine.
const startWithin = time.Minute

// hostOptions are what a host needs.
type hostOptions struct {
	Shops   *config.Directory
	Archive string // address of the archive where the settings name none
	Server  server.Options
	Logger  hclog.Logger
}

// host is Skladom in this process: the Temporal server and what works on it.
type host struct {
	server *server.Server
}

func startHost(ctx context.Context, o hostOptions) (*host, error) {
	o.Server.SearchAttributes = skladom.SearchAttributes()
	o.Server.Logger = o.Logger.Named("temporal")
	starting, cancel := context.WithTimeoutCause(ctx, startWithin,
		fmt.Errorf("it took more than %s", startWithin))
	defer cancel()
	s, err := server.Start(starting, o.Server)
	if err != nil {
		return nil, err
	}
	return &host{server: s}, nil
}

// Stop lets what runs come to an end that can be gone on from.
func (h *host) Stop() {
	h.server.Stop()
}

// links tells where to look around, one line each.
func (h *host) links() string {
	return fmt.Sprintf("  Temporal UI  %s\n  Temporal     %s\n", h.server.UIURL(), h.server.Address())
}
