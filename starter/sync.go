package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
)

func (a *app) syncCommand() *cobra.Command {
	var dryRun, csv bool
	cmd := &cobra.Command{
		Use:   "sync SHOP",
		Short: "Run a pass now and show what it did",
		Long: `Run a pass now and wait for it: read KROS, look the products up, write what
differs. A pass that runs already is waited for first.

With --dry-run nothing is written: it shows what would be written and what would
not, and why.`,
		Args: oneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkCSV(cmd, csv, dryRun); err != nil {
				return err
			}
			c, err := a.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			if dryRun {
				return a.dryRun(cmd.Context(), c, args[0], csv)
			}
			return a.sync(cmd.Context(), c, args[0])
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "write nothing, show what would be written")
	cmd.Flags().BoolVar(&csv, "csv", false, "with --dry-run: the whole plan as a table for spreadsheets")
	return cmd
}

func (a *app) sync(ctx context.Context, c *connection, shop string) error {
	report, err := c.pass(ctx, shop, protocol.UpdateSync, protocol.SyncRequest{By: a.user})
	return a.passed(shop, report, err)
}

// passed shows what a pass did that was asked for.
func (a *app) passed(shop string, report protocol.Report, err error) error {
	if err != nil {
		return err
	}
	a.both(render.Report(report, a.zoneOf(shop)), report)
	return ending(report)
}

// pass asks StockSync by an update for a pass and waits for its report.
func (c *connection) pass(ctx context.Context, shop, update string, request any) (protocol.Report, error) {
	end := c.follow(ctx, protocol.SyncPassID(shop), nil)
	defer end()
	var report protocol.Report
	err := c.update(ctx, shop, update, &report, request)
	return complete(report), err
}
