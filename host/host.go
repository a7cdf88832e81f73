// Package host runs Skladom in a process: a worker of its workflows and
// activities, the relay where one is configured, and the watch over the
// configuration files. skladom-worker and skladom-standalone share it.
//
// It is for main programs: it takes SIGHUP and listens on ports. Who adds
// Skladom to a worker of his own needs the plugin alone. No flags, no decision
// about stock and no driver of a cloud may enter.
package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/relay"
)

// workerStopTimeout is how long activities have to come to an end when the
// worker stops. They are told at once, and what they did not finish another
// worker goes on with.
const workerStopTimeout = 20 * time.Second

// Options are what a process gives its host. Client, Shops, Logger and
// Namespace are required.
type Options struct {
	Client    client.Client // stays open
	Shops     *config.Directory
	Logger    hclog.Logger
	Namespace string // that Client is connected to
	TaskQueue string // "": as configured
	Archive   string // address of the archive where the configuration names none

	RelayOnly     bool         // no worker
	RelayListener net.Listener // nil: where the configuration says, if it does; closed in any case

	// Each, if not nil, is called once: when the worker polls and the relay
	// listens, and when they begin to stop.
	Started, Stopping func()
}

// Run runs until ctx is done and everything has come to an end, which is no
// error, or until something fails that it cannot work without.
func Run(ctx context.Context, o Options) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	h := &host{Options: o, keys: &keyring{}}
	h.keys.read(o.Shops.Shops())
	receive, closeRelay, err := h.openRelay(ctx)
	if err != nil {
		return err
	}
	defer closeRelay()

	fatal := make(chan error, 1)
	if !o.RelayOnly {
		stop, err := h.startWorker(ctx, fatal)
		if err != nil {
			return err
		}
		defer stop()
	}
	call(o.Started)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return receive(ctx) })
	group.Go(func() error { return h.follow(ctx, hangup) })
	group.Go(func() error {
		select {
		case err := <-fatal:
			return fmt.Errorf("the worker had to stop: %w", err)
		case <-ctx.Done():
			return nil
		}
	})
	<-ctx.Done()
	o.Logger.Info("stopping")
	call(o.Stopping)
	return group.Wait() // the relay first, then, deferred, the worker
}

func call(listener func()) {
	if listener != nil {
		listener()
	}
}

type host struct {
	Options
	keys *keyring
}

// startWorker starts a worker of everything that Skladom has. What stops it
// later by itself goes to fatal.
func (h *host) startWorker(ctx context.Context, fatal chan<- error) (stop func(), err error) {
	if err := skladom.PrepareNamespace(ctx, h.Client, h.Namespace); err != nil {
		return nil, err
	}
	plugin, err := skladom.NewPlugin(ctx, skladom.Options{Shops: h.Shops, Archive: h.Archive, Logger: h.Logger})
	if err != nil {
		return nil, err
	}
	queue := h.TaskQueue
	if queue == "" {
		queue = h.Shops.Installation().Temporal.TaskQueue
	}
	makeRoom(len(h.Shops.Shops()))
	w := worker.New(h.Client, queue, worker.Options{
		Plugins:           []worker.Plugin{plugin},
		WorkerStopTimeout: workerStopTimeout,
		OnFatalError:      func(err error) { fatal <- err },
	})
	if err := w.Start(); err != nil {
		return nil, fmt.Errorf("start the worker on task queue %q of namespace %q: %w", queue, h.Namespace, err)
	}
	h.Logger.Info("worker started", "namespace", h.Namespace, "taskQueue", queue, "shops", len(h.Shops.Shops()))
	return w.Stop, nil
}

// openRelay opens the port of the relay, where there is to be one. What it
// returns serves the relay until its context is done.
func (h *host) openRelay(ctx context.Context) (serve func(context.Context) error, stop func(), err error) {
	installation := h.Shops.Installation()
	configured, listener := installation.Relay, h.RelayListener
	if configured == nil && listener == nil {
		if h.RelayOnly {
			return nil, nil, errors.New(`there is no relay in the configuration; write: relay { listen = ":8088" }`)
		}
		return func(context.Context) error { return nil }, func() {}, nil
	}
	if configured == nil {
		configured = &config.Relay{}
	}
	if listener == nil {
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", configured.Listen); err != nil {
			return nil, nil, fmt.Errorf("relay.listen %q: %w", configured.Listen, err)
		}
	}
	stop = func() { _ = listener.Close() }
	master, err := installation.MasterKey()
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("notifications cannot be verified: %w", err)
	}
	log := h.Logger.Named("relay")
	handler := relay.New(relay.Options{
		Shops:          h.keys,
		MasterKey:      master,
		Signal:         h.signal,
		TrustedProxies: configured.TrustedProxies,
		Logger:         log,
		Now:            time.Now,
	})
	return func(ctx context.Context) error {
		log.Info("relay listens", "address", listener.Addr().String(), "publicURL", configured.PublicURL)
		return relay.Serve(ctx, listener, handler, log)
	}, stop, nil
}
