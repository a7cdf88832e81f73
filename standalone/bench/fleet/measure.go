package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/standalone/bench/internal/house"
	"github.com/skladom/skladom/workflows"
)

// bench is a fleet of shops on one machine.
type bench struct {
	options
	out   io.Writer
	house *house.House
	sides *house.Sides
	one   *house.Process // the worker
	empty *house.Process // the one with empty activities
	alone string         // settings of a second worker
	shops map[string]config.Shop
	begun bool // the busy shops have had their first pass
	table table
}

// parts are what is measured, in this order: ticks come last, since they go on.
func (b *bench) parts() []part {
	return []part{
		{"sustained", b.sustained}, {"workers", b.workers}, {"neighbours", b.neighbours}, {"ticks", b.lateness},
	}
}

type part struct {
	name    string
	measure func(context.Context) error
}

func measure(ctx context.Context, out io.Writer, dir string, o options) (err error) {
	b := &bench{options: o, out: out}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(ctx, dir); err != nil {
		return err
	}
	for _, part := range b.parts() {
		if b.only != "" && b.only != part.name {
			continue
		}
		b.say("%s", part.name)
		if err := part.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	peak, err := b.one.Peak()
	if err != nil {
		return err
	}
	b.table.row("worker's peak memory, MiB", "%d", peak)
	b.table.print(out, b.options)
	return nil
}

// say tells on the way how far it is, since the whole takes a while.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.out, "  %s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}

func (b *bench) open(ctx context.Context, dir string) (err error) {
	address, err := relayOf(ctx)
	if err != nil {
		return err
	}
	if b.sides, err = house.StartSides(ctx, sidesOf(b.options, address)); err != nil {
		return err
	}
	settings, archive := filepath.Join(dir, "conf"), filepath.Join(dir, "archive")
	b.alone = filepath.Join(dir, "conf-alone")
	if err := writeSettings(settings, archive, address, b.sides.URL, b.options); err != nil {
		return err
	}
	if err := writeSettings(b.alone, archive, "", b.sides.URL, b.options); err != nil {
		return err
	}
	if b.shops, err = open(b.alone); err != nil {
		return err
	}
	if b.house, err = house.Open(ctx, dir); err != nil {
		return err
	}
	if b.one, err = b.work(ctx, settings); err != nil {
		return err
	}
	if b.empty, err = house.Self(ctx, "empty", emptyTask{Temporal: b.house.Address(), Items: b.items}); err != nil {
		return err
	}
	b.say("beginning %d shops", b.options.shops+2*b.busy+2)
	began := time.Now()
	if err := b.begin(ctx); err != nil {
		return err
	}
	b.say("begun and at rest in %.0f s", time.Since(began).Seconds())
	return nil
}

// begin starts all shops and returns when they have come to rest. Their first
// tick is far, until somebody says that their settings have changed.
func (b *bench) begin(ctx context.Context) error {
	none := names("none", b.busy)
	if err := b.each(ctx, none, func(ctx context.Context, shop string) error {
		return b.house.Begin(ctx, emptyQueue, workflows.SyncState{Shop: shop, NextTick: farAway()})
	}); err != nil {
		return err
	}
	shops := append(append(busy(b.options), small, large), ticking(b.options)...)
	if err := b.each(ctx, shops, func(ctx context.Context, shop string) error {
		return b.house.Begin(ctx, house.Queue, workflows.SyncState{Shop: shop, NextTick: farAway(), Settings: b.shops[shop].Settings})
	}); err != nil {
		return err
	}
	return b.atRest(ctx, append(none, shops...))
}

func farAway() time.Time { return time.Now().AddDate(0, 1, 0) }

// each does something for all shops, some at once.
func (b *bench) each(ctx context.Context, shops []string, do func(context.Context, string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.flight)
	for _, shop := range shops {
		group.Go(func() error { return do(ctx, shop) })
	}
	return group.Wait()
}

func (b *bench) close() (err error) {
	for _, p := range []*house.Process{b.one, b.empty} {
		if p != nil {
			err = errors.Join(err, p.Stop())
		}
	}
	if b.house != nil {
		b.house.Close()
	}
	if b.sides != nil {
		err = errors.Join(err, b.sides.Stop())
	}
	return err
}
