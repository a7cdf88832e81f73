package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/samber/lo"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
	"github.com/skladom/skladom/stock"
)

// What of a dry run's plan is shown.
const (
	shownChanges = 20
	maxPages     = 20 // a page has up to 500 lines; a plan of more with so few changes is not read to its end
)

func (a *app) syncCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "sync SHOP",
		Short: "Run a pass now and show what it did",
		Long: `Run a pass now and wait for it: read KROS, look the products up, write what
differs. A pass that runs already is waited for first.`,
		Args: oneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			if dryRun {
				return a.dryRun(cmd.Context(), c, args[0])
			}
			return a.sync(cmd.Context(), c, args[0])
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "write nothing, show what would be written")
	return cmd
}

func (a *app) sync(ctx context.Context, c *connection, shop string) error {
	report, err := c.pass(ctx, shop, protocol.SyncRequest{})
	if err != nil {
		return err
	}
	a.both(render.Report(report, a.zoneOf(shop)), report)
	return ending(report)
}

// pass asks StockSync for a pass and waits for its report.
func (c *connection) pass(ctx context.Context, shop string, request protocol.SyncRequest) (protocol.Report, error) {
	end := c.follow(ctx, protocol.SyncPassID(shop), nil)
	defer end()
	var report protocol.Report
	err := c.update(ctx, shop, protocol.UpdateSync, &report, request)
	return complete(report), err
}

func (a *app) dryRun(ctx context.Context, c *connection, shop string) error {
	var result protocol.PassResult
	err := c.execute(ctx, job{
		shop:     shop,
		workflow: protocol.SyncPass,
		id:       protocol.DryRunID(shop, c.newID()),
		in:       protocol.PassRequest{Shop: shop, DryRun: true, Trigger: protocol.TriggerManual},
		timeout:  passTimeout,
		private:  true,
	}, &result)
	if err != nil {
		return err
	}
	report := complete(result.Report)
	a.both(render.Report(report, a.zoneOf(shop)), report)
	if total := report.Raised + report.Lowered; total > 0 && !result.Plan.Zero() && !a.json {
		changes, err := c.changes(ctx, shop, result.Plan, min(total, shownChanges))
		if err != nil {
			return err
		}
		a.say("\nWould be written:\n\n" + render.Changes(changes, total))
	}
	return ending(report)
}

// changes reads the first lines of a plan that change products, until they
// change want of them.
func (c *connection) changes(ctx context.Context, shop string, plan protocol.Ref, want int) ([]stock.Line, error) {
	var changes []stock.Line
	found := 0
	request := protocol.InspectRequest{Shop: shop, Kind: protocol.InspectPlan, Ref: plan}
	for range maxPages {
		page, err := c.inspect(ctx, request)
		if err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			var line stock.Line
			if err := json.Unmarshal(row, &line); err != nil {
				return nil, fmt.Errorf("read the plan of %s: %w", shop, err)
			}
			line.Entries = lo.Filter(line.Entries, func(e stock.Entry, _ int) bool { return !e.From.Equal(e.To) })
			line.Entries = line.Entries[:min(len(line.Entries), want-found)]
			if len(line.Entries) == 0 {
				continue
			}
			changes = append(changes, line)
			if found += len(line.Entries); found == want {
				return changes, nil
			}
		}
		if page.Next == 0 {
			break
		}
		request.Offset = page.Next
	}
	return changes, nil
}

func (c *connection) inspect(ctx context.Context, request protocol.InspectRequest) (protocol.InspectPage, error) {
	var page protocol.InspectPage
	err := c.execute(ctx, job{
		shop:     request.Shop,
		workflow: protocol.Inspect,
		id:       protocol.InspectID(request.Shop, c.newID()),
		in:       request,
		timeout:  inspectTimeout,
		private:  true,
	}, &page)
	return page, err
}

// complete has no list that JSON would show as null.
func complete(r protocol.Report) protocol.Report {
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	if r.Samples == nil {
		r.Samples = stock.Samples{}
	}
	return r
}
