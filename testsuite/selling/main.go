// Selling simulates shops whose orders are booked in KROS sooner or later, and
// prints how many pieces were sold twice and how many sales were lost under
// each sold_hold: the tables of docs/selling.md. Package market says how.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/skladom/skladom/testsuite/selling/market"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	setup := market.Setup{}
	cmd := &cobra.Command{
		Use:          "selling",
		Short:        "Pieces sold twice and sales lost under each sold_hold, in simulated shops",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), cmd.OutOrStdout(), setup)
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&setup.Seed, "seed", 1, "what happens by chance")
	flags.IntVar(&setup.Shops, "shops", 198, "how many shops; 18 are one of every class")
	flags.IntVar(&setup.Days, "days", 60, "how many days; Black Friday is the 26th")
	flags.DurationSliceVar(&setup.Holds, "hold", []time.Duration{0, 24 * time.Hour, 96 * time.Hour}, "the values of sold_hold to compare")
	return cmd
}

func run(ctx context.Context, out io.Writer, setup market.Setup) error {
	switch {
	case setup.Shops < 1:
		return fmt.Errorf("--shops %d: at least 1", setup.Shops)
	case setup.Days < 1 || setup.Days > 60:
		return fmt.Errorf("--days %d: 1 to 60", setup.Days)
	case len(setup.Holds) == 0:
		return errors.New("--hold: at least one")
	case slices.Min(setup.Holds) < 0:
		return fmt.Errorf("--hold %s: not below 0s", slices.Min(setup.Holds))
	}
	shops, err := market.Run(ctx, setup)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d shops, %d days, seed %d\n\n%s\n\nPer 1,000 pieces ordered:\n\n%s\n\n%s\n",
		setup.Shops, setup.Days, setup.Seed, totals(setup.Holds, shops),
		rates("orders are booked", byBooking(), setup.Holds, shops), rates("", byCounter(), setup.Holds, shops))
	return err
}
