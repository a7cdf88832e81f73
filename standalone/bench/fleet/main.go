// Command fleet measures many small shops on one worker: how many passes a
// second it sustains, against the same workflows with empty activities; how
// late ticks begin at their natural pace; what a small shop's notification
// feels of a large neighbour; and what a second worker adds.
//
// What is compared runs in processes of its own: both simulators in one, the
// worker is the program itself, the worker with empty activities another. The
// Temporal server, on a SQLite file, is in the process that measures.
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
	"time"

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
	"empty":         runEmpty,
	"work":          runWorker,
}

// options say what is measured.
type options struct {
	shops, busy, items, large int
	flight, rounds, samples   int
	window, ticks             time.Duration
	schedule                  string
	worker, profile           string
	only                      string
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 1 {
		if role := roles[args[0]]; role != nil {
			return role(ctx, in, out)
		}
	}
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	o := options{}
	flags.IntVar(&o.shops, "shops", 10_000, "`number` of shops that have a schedule")
	flags.IntVar(&o.busy, "busy", 400, "`number` of further shops, which sustained passes go round")
	flags.IntVar(&o.items, "items", 100, "`number` of items of a shop")
	flags.IntVar(&o.large, "large", 100_000, "`number` of items of the large neighbour")
	flags.IntVar(&o.flight, "flight", 32, "`number` of passes asked for at once while passes are sustained")
	flags.IntVar(&o.rounds, "rounds", 3, "`number` of times that sustained passes are measured")
	flags.DurationVar(&o.window, "window", 20*time.Second, "how long each time takes")
	flags.DurationVar(&o.ticks, "ticks", 3*time.Minute, "how long the lateness of ticks is looked at")
	flags.StringVar(&o.schedule, "schedule", "*/30 * * * *", "`cron` expression of the shops' schedule")
	flags.IntVar(&o.samples, "samples", 30, "`number` of notifications, without the neighbour and with it")
	flags.StringVar(&o.worker, "worker", "../bin/skladom-worker", "`program` of the worker")
	flags.StringVar(&o.profile, "profile", "", "`file` for a profile of the worker over the sustained passes; it is this program then")
	flags.StringVar(&o.only, "only", "", "measure one `part` alone: sustained, ticks, neighbours or workers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %d processors, load of the last minute %s\n", runtime.Version(), runtime.NumCPU(), house.Load())
	return house.InTemporary(func(dir string) error { return measure(ctx, out, dir, o) })
}
