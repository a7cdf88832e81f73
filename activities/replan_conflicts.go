package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
)

// ReplanConflicts plans the products again whose quantity in the shop changed
// between reading and writing, from what the shop has now.
func (a *Activities) ReplanConflicts(ctx context.Context, req protocol.ReplanRequest) (protocol.Ref, error) {
	s, err := a.connect(ctx, req.Shop, req.Connection)
	if err != nil {
		return protocol.Ref{}, err
	}
	client, err := a.shop(s)
	if err != nil {
		return protocol.Ref{}, err
	}
	ctx, _, end := beat(ctx, protocol.Progress{Phase: "match"})
	defer end()
	ref, err := a.replan(ctx, client, req)
	return ref, failed(ctx, req.Shop, err)
}

func (a *Activities) replan(ctx context.Context, client shop.Shop, req protocol.ReplanRequest) (protocol.Ref, error) {
	plan, err := a.plan(ctx, req.Plan)
	if err != nil {
		return protocol.Ref{}, err
	}
	receipts, err := a.receipts(ctx, req.Receipts)
	if err != nil {
		return protocol.Ref{}, err
	}
	conflicts := stock.Conflicts(receipts)
	by := req.Settings.Rules.Match
	products, err := shop.LookupAll(ctx, client, by, plan.Of(conflicts).LookupKeys(by), func(int) {})
	if err != nil {
		return protocol.Ref{}, fmt.Errorf("look up products of %q again: %w", req.Shop, err)
	}
	wanted := lo.SliceToMap(conflicts, func(r stock.Receipt) (string, struct{}) { return r.Product, struct{}{} })
	fresh := lo.Filter(products, func(p stock.Product, _ int) bool { return lo.HasKey(wanted, p.ID) })
	again := stock.Replan(req.Settings.Rules, plan, fresh, nil)
	ref, err := snapshot.Write(ctx, a.archive, a.name(req.Shop, req.Pass, false, snapshot.Plan), slices.Values(again.Lines))
	if err != nil {
		return protocol.Ref{}, fmt.Errorf("archive the second plan of %q: %w", req.Shop, err)
	}
	return ref, nil
}
