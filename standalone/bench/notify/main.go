// Command notify measures how fast a notification of KROS is followed by the
// new quantity in the shop, and what a storm of notifications does. Everything
// runs in this process, as in skladom-standalone: the Temporal server on a
// SQLite file, worker and relay, both simulators over HTTP, with KROS's limits.
//
// It prints ratios and judges nothing: how idle the machine is, it cannot know.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/hashicorp/go-hclog"

	"github.com/skladom/skladom/standalone/bench/internal/house"
	"github.com/skladom/skladom/standalone/notifytest"
	"github.com/skladom/skladom/testsuite/bench/goal"
)

func main() {
	samples := flag.Int("samples", 100, "`number` of notifications that are measured one by one")
	only := flag.Bool("only", false, "measure these alone; no storm, no renewals")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *samples, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, samples int, only bool) error {
	fmt.Fprintf(out, "%s, %d processors, load of the last minute %s\n", runtime.Version(), runtime.NumCPU(), house.Load())
	var figures []goal.Figure
	parts := []func(dir string) error{
		func(dir string) (err error) { figures, err = measure(ctx, out, dir, samples); return err },
		func(dir string) error { return renew(ctx, out, dir) },
		func(dir string) error { return endure(ctx, out, dir) },
	}
	if only {
		parts = parts[:1]
	}
	for _, part := range parts {
		if err := house.InTemporary(part); err != nil {
			return err
		}
	}
	goal.Print(out, figures...)
	return nil
}

// inTown opens a town whose shops are all activated.
func inTown(ctx context.Context, o notifytest.Options, do func(*notifytest.Town) error) (err error) {
	o.Logger = hclog.New(&hclog.LoggerOptions{Name: "bench", Output: os.Stderr, Level: hclog.Error})
	town, err := notifytest.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, town.Close()) }()
	if err := town.Activate(ctx, town.Shops...); err != nil {
		return err
	}
	return do(town)
}
