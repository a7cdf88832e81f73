package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"google.golang.org/grpc/codes"

	"github.com/skladom/skladom/host"
)

// place names where a client connects to, for people.
type place struct{ address, namespace string }

// dial makes a client as every Temporal tool does: TEMPORAL_* and the profile
// file. It connects when it is used, so the relay can receive, and answer 503,
// while Temporal is away.
func dial(vars envconfig.EnvLookup, log hclog.Logger) (client.Client, place, error) {
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: vars})
	if err != nil {
		return nil, place{}, fmt.Errorf("read the settings of the Temporal connection (TEMPORAL_* and the profile file): %w", err)
	}
	options.Logger = host.TemporalLogger(log.Named("temporal"))
	at := place{cmp.Or(options.HostPort, client.DefaultHostPort), cmp.Or(options.Namespace, client.DefaultNamespace)}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, at, fmt.Errorf("prepare the connection to Temporal at %s: %w", at.address, err)
	}
	return c, at, nil
}

const (
	askTimeout = 5 * time.Second // for Temporal to say that it is there
	askAgain   = 2 * time.Second
)

// await waits until Temporal answers, since whoever starts both together need
// not care which is the first. It is false when ctx ended before. What it
// answers does not matter: a refusal is found, and explained, by its first use.
func await(ctx context.Context, c client.Client, at place, log hclog.Logger) bool {
	for {
		err := ask(ctx, c)
		if ctx.Err() != nil {
			return false
		}
		switch serviceerror.ToStatus(err).Code() {
		case codes.Unavailable, codes.DeadlineExceeded:
			log.Warn("Temporal does not answer, trying again", "address", at.address, "error", err)
		default:
			return true
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
		}
	}
}

// ask tells whether Temporal can be reached.
func ask(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	_, err := c.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}
