package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/samber/lo"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
	"github.com/skladom/skladom/stock"
)

// shownPasses is how many passes of the history are shown unless told.
const shownPasses = 50

// historyDocument is the JSON of history. More tells that there are older
// passes than those shown.
type historyDocument struct {
	Shop   string            `json:"shop"`
	Passes []render.PastPass `json:"passes"`
	More   bool              `json:"more"`
}

// passDocument is the JSON of history with a pass.
type passDocument struct {
	render.PastPass
	Changes []stock.Change `json:"changes"`
}

func (a *app) historyCommand() *cobra.Command {
	var limit int
	var csv bool
	cmd := &cobra.Command{
		Use:   "history SHOP [PASS]",
		Short: "Show the passes of a shop, or what one of them changed",
		Long: `Show the passes of a shop, the newest first: those that wrote, and those that
ended otherwise or with other settings than the one before. With the number of a
pass: every product that it changed, before and after, and the settings that
were other ones than before. The shop need not be active.`,
		Example: `  skladom history acme
  skladom history acme 12 --csv > pass-12.csv`,
		Args: shopAndPass,
		RunE: func(cmd *cobra.Command, args []string) error {
			pass, err := passOf(args)
			switch {
			case err != nil:
				return wrongUsage(cmd, err)
			case csv && pass == 0:
				return wrongUsage(cmd, errors.New("--csv goes with the changes of one pass, not with the list"))
			case csv && a.json:
				return wrongUsage(cmd, errors.New("either --csv or --json"))
			case limit < 1:
				return wrongUsage(cmd, fmt.Errorf("--limit %d is not above 0", limit))
			}
			c, err := a.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			if pass != 0 {
				return a.historyOf(cmd.Context(), c, args[0], pass, csv)
			}
			return a.history(cmd.Context(), c, args[0], limit)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", shownPasses, "show so many `passes`")
	cmd.Flags().BoolVar(&csv, "csv", false, "print the changes of a pass as CSV")
	return cmd
}

func shopAndPass(_ *cobra.Command, args []string) error {
	if len(args) == 0 || len(args) > 2 {
		return fmt.Errorf("it needs the name of one shop, and takes the number of a pass; it got %d", len(args))
	}
	return atMostOneShop(nil, args[:1])
}

// passOf is the number of the pass that was given, 0 where none was.
func passOf(args []string) (int64, error) {
	if len(args) < 2 {
		return 0, nil
	}
	pass, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil || pass < 1 {
		return 0, fmt.Errorf("%q is not the number of a pass", args[1])
	}
	return pass, nil
}

func (a *app) history(ctx context.Context, c *connection, shop string, limit int) error {
	records, err := c.history(ctx, shop, 0, limit+1) // one more, to compare settings with
	if err != nil {
		return err
	}
	passes := pastPasses(records)
	more := len(passes) > limit
	passes = lo.Slice(passes, 0, limit)
	if last := c.quietPass(ctx, shop, passes); last != nil {
		passes = append([]render.PastPass{*last}, passes...)
	}
	a.both(render.History(shop, passes, a.zoneOf(shop)), historyDocument{shop, passes, more})
	if more {
		a.say(fmt.Sprintf("\nThere are older ones: skladom history %s --limit %d\n", shop, 4*limit))
	}
	if len(passes) > 0 {
		a.say(fmt.Sprintf("\nWhat a pass changed: skladom history %s %d\n", shop, passes[0].Pass))
	}
	return nil
}

// quietPass is the last pass of a shop that runs, where it left no record since
// there was nothing to tell. A shop that cannot be asked has its history still.
func (c *connection) quietPass(ctx context.Context, shop string, passes []render.PastPass) *render.PastPass {
	status, err := c.status(ctx, shop)
	if err != nil || status.LastPass == nil || len(passes) > 0 && status.LastPass.Pass <= passes[0].Pass {
		return nil
	}
	return &render.PastPass{Report: *status.LastPass, SettingsChanged: []protocol.SettingChange{}}
}

func (a *app) historyOf(ctx context.Context, c *connection, shop string, pass int64, csv bool) error {
	records, err := c.history(ctx, shop, pass+1, 2)
	if err != nil {
		return err
	}
	if len(records) == 0 || records[0].Report.Pass != pass {
		return trouble(shop, fmt.Sprintf("The archive has no record of pass %d of %s.", pass, shop),
			"A pass leaves one if it wrote, or ended otherwise or with other settings than the one before; it is kept for snapshots.keep_receipts. To see those there are: skladom history "+shop)
	}
	var receipts []stock.Receipt
	for _, ref := range records[0].Receipts {
		some, err := archived[stock.Receipt](ctx, c, shop, protocol.InspectReceipt, ref)
		if err != nil {
			return err
		}
		receipts = append(receipts, some...)
	}
	past := pastPasses(records)[0]
	if render.Unreported(past.Report) {
		past.Counts = stock.Written(receipts)
	}
	changes := lo.Map(receipts, func(r stock.Receipt, _ int) stock.Change { return r.Change() })
	if csv {
		if err := writeCSV(a.stdout, changesHeader, lo.Map(changes, changeCells)); err != nil {
			return fmt.Errorf("write the changes of pass %d of %s: %w", pass, shop, err)
		}
		return nil
	}
	before := int64(0)
	if len(records) > 1 {
		before = records[1].Report.Pass
	}
	a.both(render.Pass(past, before, changes, a.zoneOf(shop)), passDocument{past, changes})
	return nil
}

var changesHeader = strings.Fields("item product before after kros answer reason")

func changeCells(c stock.Change, _ int) []string {
	return []string{c.Item, c.Product, c.Before.String(), c.After.String(), c.Kros.String(), string(c.Answer), c.Reason}
}

// pastPasses are records as they are shown. Settings are compared with those of
// the next older one that has any.
func pastPasses(records []protocol.PassRecord) []render.PastPass {
	return lo.Map(records, func(r protocol.PassRecord, i int) render.PastPass {
		past := render.PastPass{Report: complete(r.Report), By: r.By, Undoes: r.Undoes, SettingsChanged: []protocol.SettingChange{}}
		older, ok := lo.Find(records[i+1:], func(o protocol.PassRecord) bool { return !render.Unreported(o.Report) })
		if ok && !render.Unreported(r.Report) {
			past.SettingsChanged = message.SettingsChanges(older.Settings, r.Settings)
		}
		return past
	})
}

// history reads the records of at most so many passes, newest first: those with
// a lower number than before, unless that is 0.
func (c *connection) history(ctx context.Context, shop string, before int64, limit int) ([]protocol.PassRecord, error) {
	var records []protocol.PassRecord
	for len(records) < limit {
		var page protocol.HistoryPage
		err := c.execute(ctx, job{
			shop:     shop,
			workflow: protocol.History,
			id:       protocol.HistoryID(shop, c.newID()),
			in:       protocol.HistoryRequest{Shop: shop, Before: before, Limit: min(limit-len(records), protocol.MaxHistoryRecords)},
			timeout:  inspectTimeout,
			private:  true,
		}, &page)
		if err != nil {
			return nil, err
		}
		records = append(records, page.Records...)
		if before = page.Next; before == 0 {
			break
		}
	}
	return records, nil
}

// archived reads all rows of an object in the archive.
func archived[T any](ctx context.Context, c *connection, shop, kind string, ref protocol.Ref) ([]T, error) {
	var all []T
	request := protocol.InspectRequest{Shop: shop, Kind: kind, Ref: ref}
	for {
		page, err := c.inspect(ctx, request)
		if err != nil {
			return nil, err
		}
		for _, text := range page.Rows {
			var row T
			if err := json.Unmarshal(text, &row); err != nil {
				return nil, fmt.Errorf("read the %s of %s: %w", kind, shop, err)
			}
			all = append(all, row)
		}
		if page.Next == 0 {
			return all, nil
		}
		request.Offset = page.Next
	}
}
