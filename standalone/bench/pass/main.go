// Command pass measures a whole pass over a large catalogue without KROS's
// limits, against three anchors in the same run: the bare requests (the floor),
// the script one would write by hand, and the flow one would draw in Node-RED.
//
// Everything that is compared runs in a process of its own, on the same
// simulators: "sides" holds both of them, "floor" and "script" are anchors, and
// Skladom's worker and Node-RED are the programs themselves. The Temporal server
// is in the process that measures. Where Node-RED is not installed
// (make bench-pass does it), it is left out and the table says so.
//
// It prints ratios beside their goals and fails for none that is not met: how
// idle the machine is, it cannot know.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/skladom/skladom/standalone/bench/internal/house"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// roles are what this program is when it starts itself.
var roles = map[string]func(context.Context, io.Reader, io.Writer) error{
	house.SidesRole: runSides,
	"floor":         anchor(floor),
	"script":        anchor(script),
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 1 {
		if role := roles[args[0]]; role != nil {
			return role(ctx, in, out)
		}
	}
	flags := flag.NewFlagSet("pass", flag.ContinueOnError)
	o := options{}
	flags.IntVar(&o.items, "items", 100_000, "`number` of items of the catalogue")
	flags.IntVar(&o.rounds, "rounds", 5, "`number` of times that everything is measured")
	flags.StringVar(&o.worker, "worker", "../bin/skladom-worker", "`program` of the worker")
	flags.StringVar(&o.limit, "memory", "off", "`GOMEMLIMIT` of the worker (docs/operations.md)")
	flags.StringVar(&o.nodeRED, "node-red", "../bin/node-red", "`folder` in which npm has installed Node-RED")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %d processors, load of the last minute %s; worker with GOMEMLIMIT=%s\n", runtime.Version(), runtime.NumCPU(), house.Load(), o.limit)
	return house.InTemporary(func(dir string) error { return measure(ctx, out, dir, o) })
}
