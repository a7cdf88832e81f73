package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
)

// MakeWorklist compares the catalogue of the archive with all products of the
// shop and puts the worklist into the archive. KROS is not asked: a sweep costs
// minutes of the requests that it grants.
func (a *Activities) MakeWorklist(ctx context.Context, req protocol.MakeWorklistRequest) (protocol.WorklistMade, error) {
	s, err := a.shops.Shop(req.Shop)
	if err != nil {
		return protocol.WorklistMade{}, settingsError(req.Shop, err)
	}
	client, err := a.shop(s)
	if err != nil {
		return protocol.WorklistMade{}, err
	}
	ctx, pulse, end := beat(ctx, protocol.Progress{Phase: "list"})
	defer end()
	w := listing{a: a, req: req, shop: client, pulse: pulse, rules: s.Settings.Rules}
	w.rules.Items = s.Items
	made, err := w.run(ctx)
	return made, failed(ctx, req.Shop, err)
}

// listing is one run of MakeWorklist.
type listing struct {
	a     *Activities
	req   protocol.MakeWorklistRequest
	rules stock.Rules
	shop  shop.Shop
	pulse *pulse
}

func (w *listing) run(ctx context.Context) (protocol.WorklistMade, error) {
	items, readAt, err := w.catalogue(ctx)
	if err != nil {
		return protocol.WorklistMade{}, err
	}
	if readAt.IsZero() {
		return protocol.WorklistMade{Failure: message.NoCatalogue(w.req.Shop)}, nil
	}
	last, err := w.last(ctx)
	if err != nil {
		return protocol.WorklistMade{}, err
	}
	products, err := w.products(ctx)
	if err != nil {
		return protocol.WorklistMade{}, err
	}
	rows := stock.NewWorklist(stock.WorkInput{Rules: w.rules, Items: items, Products: products, Last: last})
	for i := range rows {
		w.word(&rows[i])
	}
	ref, err := snapshot.Write(ctx, w.a.archive, w.a.name(w.req.Shop, 0, true, snapshot.Worklist), slices.Values(rows))
	if err != nil {
		return protocol.WorklistMade{}, fmt.Errorf("archive the worklist of %q: %w", w.req.Shop, err)
	}
	return protocol.WorklistMade{
		Rows: ref, Counts: stock.CountWork(rows), Match: w.rules.Match,
		Items: len(items), Products: len(products), KrosReadAt: readAt,
	}, nil
}

// catalogue is the one that is asked for, or the newest, whoever read it: a dry
// run before the first activation serves as well. A zero time: there is none.
func (w *listing) catalogue(ctx context.Context) ([]stock.Item, time.Time, error) {
	entries, err := w.a.archive.List(ctx, w.req.Shop, snapshot.Catalogue)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list the archive of %q: %w", w.req.Shop, err)
	}
	if asked, ok := lo.Find(entries, func(e snapshot.Entry) bool { return e.Key == w.req.Catalogue.Key }); ok {
		items, err := w.a.items(ctx, w.req.Catalogue)
		return items, asked.At, err
	}
	newest, ok := lo.Last(entries)
	if !ok {
		return nil, time.Time{}, nil
	}
	ref, err := w.a.archive.Ref(ctx, newest.Key)
	if err != nil {
		return nil, time.Time{}, err
	}
	items, err := w.a.items(ctx, ref)
	return items, newest.At, err
}

// last are the lines that tell what was in step. A list without them is still
// worth having, so it does not matter where the archive has lost them.
func (w *listing) last(ctx context.Context) ([]stock.Line, error) {
	ref, err := w.a.find(ctx, protocol.InspectRequest{Shop: w.req.Shop, Kind: string(snapshot.Plan), Ref: w.req.Ledger})
	if err == nil {
		var plan stock.Plan
		if plan, err = w.a.plan(ctx, ref); err == nil {
			return plan.Lines, nil
		}
	}
	if forgotten(err) {
		w.a.log.Debug("no plan tells what was in step before", "shop", w.req.Shop, "reason", err)
		return nil, nil
	}
	return nil, err
}

func (w *listing) products(ctx context.Context) ([]stock.Product, error) {
	who, err := identity(ctx, w.shop, w.req.Shop, w.req.ShopID)
	if err != nil {
		return nil, err
	}
	products, err := shop.ListAll(ctx, w.shop, func(done int) {
		w.pulse.at(protocol.Progress{Phase: "list", Done: done, Total: who.Products})
	})
	if err != nil {
		return nil, fmt.Errorf("list the products of %q: %w", w.req.Shop, err)
	}
	return products, nil
}

// word puts into words what the row has in codes.
func (w *listing) word(row *stock.WorkRow) {
	row.Cure = message.Cure(*row, w.rules.Match)
	for i := range row.Hints {
		row.Hints[i].Text = message.HintText(row.Hints[i], w.rules.Match)
	}
}
