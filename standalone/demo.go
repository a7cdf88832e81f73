package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/standalone/server"
)

func demoCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See stock flow from a simulated KROS to a simulated e-shop",
		Long: `Runs Skladom between a simulated KROS and a simulated e-shop: activates a shop,
shows what the merchant would see and the first pass, changes stock in KROS and
shows how long the e-shop took to follow. Then it stays up for looking around,
until Ctrl-C. Nothing is kept; all ports are free ones.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), once, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end when all was shown: exit status 1 if anything differed from what it should be")
	return cmd
}

// showWithin bounds what demo shows; it takes a few seconds.
const showWithin = 3 * time.Minute

// demo shows Skladom at work, and then stays until ctx ends unless once is set.
func demo(ctx context.Context, once bool, stdout, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "skladom-demo-")
	if err != nil {
		return fmt.Errorf("make a directory for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	stage, err := setStage(dir)
	if err != nil {
		return err
	}
	defer stage.strike()
	fmt.Fprintln(stdout, "Starting a Temporal server, a simulated KROS and a simulated e-shop ...")
	h, err := startHost(ctx, hostOptions{
		Shops: stage.shops, Relay: stage.relay,
		Server: server.Options{UIPort: 0},
		Logger: hclog.New(&hclog.LoggerOptions{Name: "skladom", Output: stderr, Level: hclog.Error}),
	})
	if err != nil {
		return ended(ctx, err)
	}
	defer h.Stop()

	showing, cancel := context.WithTimeoutCause(ctx, showWithin, fmt.Errorf("the demo took more than %s", showWithin))
	defer cancel()
	if err := stage.play(showing, h.client, stdout); err != nil {
		return ended(ctx, err)
	}
	if once {
		return nil
	}
	fmt.Fprintf(stdout, "\nIt goes on running. Look around:\n\n%s%s\nCtrl-C ends it.\n", h.links(), stage.links())
	select {
	case <-ctx.Done():
		return nil
	case err := <-h.ended:
		return err
	}
}
