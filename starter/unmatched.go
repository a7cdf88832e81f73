package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/samber/lo"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
	"github.com/skladom/skladom/stock"
)

// shownWork is how many rows of one reason a terminal shows.
const shownWork = 10

// unmatchedDocument is the JSON of unmatched.
type unmatchedDocument struct {
	Shop       string           `json:"shop"`
	KrosReadAt time.Time        `json:"krosReadAt"`
	Counts     stock.WorkCounts `json:"counts"`
	Rows       []stock.WorkRow  `json:"rows"`
}

func (a *app) unmatchedCommand() *cobra.Command {
	var csv bool
	cmd := &cobra.Command{
		Use:   "unmatched SHOP",
		Short: "List what has no counterpart, and what it may belong to",
		Long: `List what no pass can keep in step before a person puts it right: first what was
in step and is not any more, then items without a product, products without an
item, and keys that several items or too many products have. Each with what to
do, and where one is close with what it may belong to; nothing is written by
such a guess.

KROS is taken as it was read last, by a pass or a dry run; the e-shop is read
now. The shop need not be active. That there is something on the list is no
failure.`,
		Example: `  skladom unmatched acme
  skladom unmatched acme --csv > worklist.csv`,
		Args: oneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			if csv && a.json {
				return wrongUsage(cmd, errors.New("either --csv or --json"))
			}
			c, err := a.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			return a.unmatched(cmd.Context(), c, args[0], csv)
		},
	}
	cmd.Flags().BoolVar(&csv, "csv", false, "print all of it as CSV")
	return cmd
}

func (a *app) unmatched(ctx context.Context, c *connection, shop string, csv bool) error {
	var made protocol.WorklistMade
	err := c.execute(ctx, job{
		shop:     shop,
		workflow: protocol.Worklist,
		id:       protocol.WorklistID(shop, c.newID()),
		in:       protocol.WorklistRequest{Shop: shop},
		timeout:  worklistTimeout,
		private:  true,
	}, &made)
	if err != nil {
		return err
	}
	if made.Failure != nil {
		return failure(shop, *made.Failure)
	}
	rows, err := archived[stock.WorkRow](ctx, c, shop, protocol.InspectWorklist, made.Rows)
	if err != nil {
		return err
	}
	if csv {
		if err := writeCSV(a.stdout, workHeader, lo.Map(rows, workCells)); err != nil {
			return fmt.Errorf("write the worklist of %s: %w", shop, err)
		}
		return nil
	}
	rows = append([]stock.WorkRow{}, rows...) // an empty list, not null
	a.both(render.Worklist(shop, made, rows, lo.Ternary(a.terminal, shownWork, 0), a.zoneOf(shop)),
		unmatchedDocument{Shop: shop, KrosReadAt: made.KrosReadAt, Counts: made.Counts, Rows: rows})
	return nil
}

var workHeader = strings.Fields("kind item item_name item_ean kros product number product_ean product_name shop reason_code why what_to_do did_you_mean")

// workCells is a row for a spreadsheet. Where it speaks of several items or
// products, their cells have as many entries, in the same order.
func workCells(row stock.WorkRow, _ int) []string {
	items := func(of func(stock.WorkItem) string) string { return together(row.Items, of) }
	products := func(of func(stock.WorkProduct) string) string { return together(row.Products, of) }
	return []string{
		string(row.Kind),
		items(func(i stock.WorkItem) string { return i.Code }),
		items(func(i stock.WorkItem) string { return i.Name }),
		items(func(i stock.WorkItem) string { return i.EAN }),
		items(func(i stock.WorkItem) string { return lo.Ternary(i.Gone, "", i.Quantity.String()) }),
		products(func(p stock.WorkProduct) string { return p.ID }),
		products(func(p stock.WorkProduct) string { return p.Number }),
		products(func(p stock.WorkProduct) string { return p.EAN }),
		products(func(p stock.WorkProduct) string { return p.Name }),
		products(func(p stock.WorkProduct) string { return lo.Ternary(p.Gone, "", p.Quantity.String()) }),
		row.ReasonCode, row.Reason, row.Cure,
		together(row.Hints, render.Hint),
	}
}

func together[T any](list []T, of func(T) string) string {
	return strings.Join(lo.Map(list, func(one T, _ int) string { return of(one) }), " | ")
}
