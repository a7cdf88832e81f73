package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
	"github.com/skladom/skladom/stock"
)

// shownChanges is how many changes of a plan a terminal shows.
const shownChanges = 20

// dryRunDocument is what a dry run prints as JSON: its report and its plan.
type dryRunDocument struct {
	protocol.Report
	Plan []protocol.PlanRow `json:"plan"`
}

// checkCSV refuses --csv where there is nothing to write so, or where it was
// asked for something else as well.
func (a *app) checkCSV(cmd *cobra.Command, csv, dryRun bool) error {
	switch {
	case csv && !dryRun:
		return wrongUsage(cmd, errors.New("--csv needs --dry-run"))
	case csv && a.json:
		return wrongUsage(cmd, errors.New("either --csv or --json"))
	}
	return nil
}

func (a *app) dryRun(ctx context.Context, c *connection, shop string, csv bool) error {
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
	switch {
	case csv && report.Result == protocol.ResultFailed:
		return failure(shop, lo.FromPtr(report.Failure))
	case csv:
		rows, _, err := c.planRows(ctx, shop, result, 0)
		if err != nil {
			return err
		}
		if err := writeCSV(a.stdout, planHeader, lo.Map(rows, planCells)); err != nil {
			return fmt.Errorf("write the plan of %s: %w", shop, err)
		}
	case a.json:
		rows, _, err := c.planRows(ctx, shop, result, 0)
		if err != nil {
			return err
		}
		a.document(dryRunDocument{report, rows})
	default:
		a.say(render.Report(report, a.zoneOf(shop)))
		rows, total, err := c.planRows(ctx, shop, result, lo.Ternary(a.terminal, shownChanges, 0))
		if err != nil {
			return err
		}
		a.say(render.Plan(report, rows, total))
	}
	return ending(report)
}

// planRows reads the first rows of a dry run's plan, or all where limit is 0,
// and tells how many there are.
func (c *connection) planRows(ctx context.Context, shop string, result protocol.PassResult, limit int) (rows []protocol.PlanRow, total int, err error) {
	rows = []protocol.PlanRow{}
	if result.Plan.Zero() || result.Catalogue == nil {
		return rows, 0, nil
	}
	request := protocol.InspectRequest{
		Shop: shop, Kind: protocol.InspectRows, Ref: result.Plan, Catalogue: result.Catalogue.Ref, Limit: limit,
	}
	for {
		page, err := c.inspect(ctx, request)
		if err != nil {
			return nil, 0, err
		}
		for _, text := range page.Rows {
			var row protocol.PlanRow
			if err := json.Unmarshal(text, &row); err != nil {
				return nil, 0, fmt.Errorf("read the plan of %s: %w", shop, err)
			}
			rows = append(rows, row)
		}
		if page.Next == 0 || limit > 0 {
			return rows, page.Total, nil
		}
		request.Offset = page.Next
	}
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

var planHeader = strings.Fields("item name product warehouses kros shop_now would_become outcome reason_code why")

func planCells(row protocol.PlanRow, _ int) []string {
	quantity := func(q *decimal.Decimal) string {
		if q == nil {
			return ""
		}
		return q.String()
	}
	return []string{
		row.Item, row.Name, row.Product, render.Warehouses(row.Warehouses), quantity(row.Kros), quantity(row.ShopNow), quantity(row.WouldBecome),
		row.Outcome, row.ReasonCode, row.Why,
	}
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
