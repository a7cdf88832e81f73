package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/samber/lo"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
	"github.com/skladom/skladom/stock"
)

// rollbackDocument is the JSON of rollback: what was done, or with DryRun what
// would be done.
type rollbackDocument struct {
	Shop         string              `json:"shop"`
	Pass         int64               `json:"pass"` // that is undone
	DryRun       bool                `json:"dryRun"`
	Restored     int                 `json:"restored"`
	Unchanged    int                 `json:"unchanged"`
	ChangedSince int                 `json:"changedSince"`
	Rejected     int                 `json:"rejected"`
	State        protocol.State      `json:"state"` // of the shop, afterwards
	Failure      *protocol.Failure   `json:"failure"`
	Rows         []stock.Restoration `json:"rows"`
}

func newRollbackDocument(shop string, r protocol.RollbackResult, rows []stock.Restoration) rollbackDocument {
	count := func(outcome stock.RestoredAs) int {
		return lo.CountBy(rows, func(r stock.Restoration) bool { return r.Outcome == outcome })
	}
	return rollbackDocument{
		Shop: shop, Pass: r.Undo, DryRun: r.DryRun, State: r.State, Failure: r.Failure, Rows: rows,
		Restored: count(stock.Restored), Unchanged: count(stock.AsBefore), ChangedSince: count(stock.ChangedSince), Rejected: count(stock.NotRestored),
	}
}

func (a *app) rollbackCommand() *cobra.Command {
	var pass int64
	var yes bool
	cmd := &cobra.Command{
		Use:   "rollback SHOP",
		Short: "Undo a pass: give products back what they had before it",
		Long: `Undo the last pass that wrote, or the one of --pass: give each of its products
back what the shop had before it, where the shop still has what the pass wrote.
Products that somebody has changed since, or that sold, are left as they are and
listed. Shows first what it would do, and asks. The shop is paused by it, or the
next pass would write again what was undone.`,
		Example: `  skladom rollback acme
  skladom rollback acme --pass 12 --yes
  skladom rollback acme --json              # shows what it would do, writes nothing`,
		Args: oneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			if pass < 0 || pass == 0 && cmd.Flags().Changed("pass") {
				return wrongUsage(cmd, fmt.Errorf("--pass %d is not the number of a pass", pass))
			}
			c, err := a.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			return a.rollback(cmd, c, args[0], pass, yes)
		},
	}
	cmd.Flags().Int64Var(&pass, "pass", 0, "undo this `pass`; else the last one that wrote")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (a *app) rollback(cmd *cobra.Command, c *connection, shop string, pass int64, yes bool) error {
	ctx := cmd.Context()
	planned, rows, err := c.planRollback(ctx, shop, pass)
	if err != nil {
		return err
	}
	would := newRollbackDocument(shop, planned, rows)
	if !a.json {
		of, err := c.reportOf(ctx, shop, planned)
		if err != nil {
			return err
		}
		a.say(render.RollbackPlan(of, rows, a.zoneOf(shop)))
	}
	switch {
	case would.Restored == 0, a.json && !yes:
		a.document(would)
		a.say("\nNothing was written.\n")
		return nil
	case planned.State == protocol.StateInactive:
		return trouble(shop, message.NotActive(shop), "Only an active shop is written to.")
	}
	if !yes {
		if !a.attended {
			return wrongUsage(cmd, errors.New("nothing was written: it asks first, and there is no terminal to ask on; give --yes"))
		}
		agreed, err := a.confirm(cmd, fmt.Sprintf("\nUndo pass %d and pause %s?", planned.Undo, shop))
		if err != nil {
			return err
		}
		if !agreed {
			a.say("Nothing was written.\n")
			return nil
		}
	}
	return a.rollBack(ctx, c, shop, planned.Undo)
}

// planRollback finds out what a rollback would do.
func (c *connection) planRollback(ctx context.Context, shop string, pass int64) (protocol.RollbackResult, []stock.Restoration, error) {
	var result protocol.RollbackResult
	err := c.execute(ctx, job{
		shop:     shop,
		workflow: protocol.Rollback,
		id:       protocol.DryRunID(shop, c.newID()),
		in:       protocol.RollbackRun{Shop: shop, Undo: pass, DryRun: true},
		timeout:  passTimeout,
		private:  true,
	}, &result)
	if err != nil {
		return protocol.RollbackResult{}, nil, err
	}
	if result.Failure != nil {
		return protocol.RollbackResult{}, nil, failure(shop, *result.Failure)
	}
	rows, err := c.restorations(ctx, shop, result)
	return result, rows, err
}

// reportOf is the report of the pass that is to be undone.
func (c *connection) reportOf(ctx context.Context, shop string, planned protocol.RollbackResult) (protocol.Report, error) {
	records, err := c.history(ctx, shop, planned.Undo+1, 1)
	if err != nil {
		return protocol.Report{}, err
	}
	if len(records) == 0 || records[0].Report.Pass != planned.Undo {
		return protocol.Report{}, trouble(shop, fmt.Sprintf("The archive has lost what pass %d of %s wrote.", planned.Undo, shop), "Run the command again.")
	}
	return records[0].Report, nil
}

// rollBack asks StockSync to undo a pass and shows what it did.
func (a *app) rollBack(ctx context.Context, c *connection, shop string, pass int64) error {
	end := c.follow(ctx, protocol.SyncPassID(shop), nil)
	var result protocol.RollbackResult
	err := c.update(ctx, shop, protocol.UpdateRollback, &result, protocol.RollbackRequest{Pass: pass, By: a.user})
	end()
	if err != nil {
		return err
	}
	if result.Result == protocol.ResultFailed && result.Pass != 0 {
		// It may have written more than it knows of; the archive knows.
		records, err := c.history(ctx, shop, result.Pass+1, 1)
		if err != nil {
			return err
		}
		if len(records) == 1 && records[0].Report.Pass == result.Pass {
			result.Receipts = records[0].Receipts
		}
	}
	rows, err := c.restorations(ctx, shop, result)
	if err != nil {
		return err
	}
	a.say("\n" + render.RolledBack(shop, result, rows))
	a.document(newRollbackDocument(shop, result, rows))
	if result.Result == protocol.ResultFailed {
		return told(statusFailed)
	}
	return nil
}

// restorations reads what a rollback does to each product, or did.
func (c *connection) restorations(ctx context.Context, shop string, result protocol.RollbackResult) ([]stock.Restoration, error) {
	if result.Plan.Zero() {
		return []stock.Restoration{}, nil
	}
	plan, err := archived[stock.Line](ctx, c, shop, protocol.InspectPlan, result.Plan)
	if err != nil {
		return nil, err
	}
	var receipts []stock.Receipt
	for _, ref := range result.Receipts {
		some, err := archived[stock.Receipt](ctx, c, shop, protocol.InspectReceipt, ref)
		if err != nil {
			return nil, err
		}
		receipts = append(receipts, some...)
	}
	return stock.Plan{Lines: plan}.Restorations(!result.DryRun, receipts), nil
}
