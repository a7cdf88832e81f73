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
func (a *Activities) ReplanConflicts(ctx context.Context, req protocol.ReplanRequest) (protocol.Replanned, error) {
	s, err := a.connect(ctx, req.Shop, req.Connection)
	if err != nil {
		return protocol.Replanned{}, err
	}
	client, err := a.shop(s)
	if err != nil {
		return protocol.Replanned{}, err
	}
	ctx, _, end := beat(ctx, protocol.Progress{Phase: "match"})
	defer end()
	rules, err := rules(s, req.Settings)
	if err != nil {
		return protocol.Replanned{}, failed(ctx, req.Shop, err)
	}
	replanned, err := a.replan(ctx, client, rules, req)
	return replanned, failed(ctx, req.Shop, err)
}

func (a *Activities) replan(ctx context.Context, client shop.Shop, rules stock.Rules, req protocol.ReplanRequest) (protocol.Replanned, error) {
	plan, err := a.plan(ctx, req.Plan)
	if err != nil {
		return protocol.Replanned{}, err
	}
	receipts, err := a.receipts(ctx, req.Receipts)
	if err != nil {
		return protocol.Replanned{}, err
	}
	conflicts := stock.Conflicts(receipts)
	products, err := again(ctx, client, rules.Match, plan.Of(conflicts))
	if err != nil {
		return protocol.Replanned{}, fmt.Errorf("look up products of %q again: %w", req.Shop, err)
	}
	wanted := lo.SliceToMap(conflicts, func(r stock.Receipt) (string, struct{}) { return r.Product, struct{}{} })
	fresh := lo.Filter(products, func(p stock.Product, _ int) bool { return lo.HasKey(wanted, p.ID) })
	second, whole := stock.Replan(rules, plan, fresh, conflicts, a.now())
	var refs [2]protocol.Ref
	for i, p := range []stock.Plan{second, whole} { // in this order: the newest one of a pass is its whole plan
		name := a.name(req.Shop, req.Pass, false, snapshot.Plan)
		if refs[i], err = snapshot.Write(ctx, a.archive, name, slices.Values(p.Lines)); err != nil {
			return protocol.Replanned{}, fmt.Errorf("archive the second plan of %q: %w", req.Shop, err)
		}
	}
	return protocol.Replanned{Plan: refs[0], Whole: refs[1]}, nil
}

// again looks the products of a plan up once more.
func again(ctx context.Context, client shop.Shop, by stock.Match, plan stock.Plan) ([]stock.Product, error) {
	products, err := shop.LookupAll(ctx, client, by, plan.LookupKeys(by), nil)
	if err != nil {
		return nil, err
	}
	paired, err := shop.LookupAll(ctx, client, stock.ByNumber, plan.PairedNumbers(), nil)
	return append(products, paired...), err
}
