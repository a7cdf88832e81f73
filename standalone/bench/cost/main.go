// Command cost counts what a pass costs on Temporal: events, bytes of history
// and billable actions, in StockSync and SyncPass together, from the histories
// of an embedded server. Small and large catalogues are counted side by side.
//
// The counts do not depend on the machine. It prints them beside the goals and
// judges nothing; the bounds that hold are tests (standalone/e2e).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/skladom/skladom/standalone/bench/internal/house"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options say how much is counted.
type options struct {
	small, large int // items
	passes       int // of each kind, by hand and by notification
	ticks        int // of each kind, by schedule; each takes a minute
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("cost", flag.ContinueOnError)
	o := options{}
	flags.IntVar(&o.small, "small", 1_000, "`number` of items of the small catalogue")
	flags.IntVar(&o.large, "large", 100_000, "`number` of items of the large catalogue")
	flags.IntVar(&o.passes, "passes", 3, "`number` of passes of each kind by hand and by notification")
	flags.IntVar(&o.ticks, "ticks", 1, "`number` of passes of each kind by schedule; each takes a minute")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return house.InTemporary(func(dir string) error { return measure(ctx, out, dir, o) })
}
