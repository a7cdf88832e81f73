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

// PlanRollback finds the pass that is to be undone, looks at what the shop has
// now of the products that it wrote, and archives what would be written back
// and the ledger that belongs to it.
func (a *Activities) PlanRollback(ctx context.Context, req protocol.PlanRollbackRequest) (protocol.PlannedRollback, error) {
	s, err := a.connect(ctx, req.Shop, req.Connection)
	if err != nil {
		return protocol.PlannedRollback{}, err
	}
	client, err := a.shop(s)
	if err != nil {
		return protocol.PlannedRollback{}, err
	}
	ctx, _, end := beat(ctx, protocol.Progress{Phase: "match"})
	defer end()
	r := undoing{a: a, req: req, shop: client}
	planned, err := r.run(ctx)
	return planned, failed(ctx, req.Shop, err)
}

// undoing is one run of PlanRollback.
type undoing struct {
	a    *Activities
	req  protocol.PlanRollbackRequest
	shop shop.Shop

	record   protocol.PassRecord // of the pass to be undone
	receipts []stock.Receipt
	ledger   []stock.Line
}

func (u *undoing) run(ctx context.Context) (protocol.PlannedRollback, error) {
	refused, err := u.find(ctx)
	if refused != nil || err != nil {
		return protocol.PlannedRollback{Undo: u.req.Undo, Refused: refused}, err
	}
	if _, err := identity(ctx, u.shop, u.req.Shop, u.req.ShopID); err != nil {
		return protocol.PlannedRollback{}, err
	}
	if u.req.Memory, err = u.a.lost(ctx, u.req.Shop, u.req.Memory); err != nil {
		return protocol.PlannedRollback{}, err
	}
	at := u.a.now()
	known, err := u.known(ctx)
	if err != nil {
		return protocol.PlannedRollback{}, err
	}
	products, err := u.lookup(ctx, known)
	if err != nil {
		return protocol.PlannedRollback{}, err
	}
	return u.keep(ctx, stock.Rollback(u.receipts, products, known), at)
}

// find reads what the pass that is meant has written.
func (u *undoing) find(ctx context.Context) (refused *protocol.Failure, err error) {
	passes, err := u.a.pastPasses(ctx, u.req.Shop)
	if err != nil {
		return nil, err
	}
	for _, past := range passes {
		if u.req.Undo != 0 && past.number != u.req.Undo || len(past.receipts) == 0 {
			continue
		}
		if u.record, err = u.a.record(ctx, u.req.Shop, past); err != nil {
			return nil, err
		}
		if u.record.Report.Trigger == protocol.TriggerRollback {
			if u.req.Undo != 0 {
				return message.RollbackOfRollback(u.req.Shop, u.req.Undo), nil
			}
			continue
		}
		if u.receipts, err = u.a.receipts(ctx, u.record.Receipts); err != nil {
			return nil, err
		}
		if stock.Wrote(u.receipts) {
			return nil, nil
		}
	}
	return message.NothingToRollBack(u.req.Shop, u.req.Undo), nil
}

// known are the lines that tell by which keys the shop knows the products: of
// the ledger, and for those that are not in it any more, of the pass's own
// plan. Either may be gone.
func (u *undoing) known(ctx context.Context) ([]stock.Line, error) {
	var known []stock.Line
	for i, ref := range []protocol.Ref{u.req.Memory.Ledger, u.record.Plan} {
		if ref.Zero() {
			continue
		}
		plan, err := u.a.plan(ctx, ref)
		if err != nil && !forgotten(err) {
			return nil, err
		}
		if i == 0 {
			u.ledger = plan.Lines
		}
		known = append(known, plan.Of(u.receipts).Lines...)
	}
	return known, nil
}

// lookup asks the shop for the products that the pass wrote. Settings may have
// changed since, so the keys are tried as those of then and of now.
func (u *undoing) lookup(ctx context.Context, known []stock.Line) ([]stock.Product, error) {
	var products []stock.Product
	for _, by := range lo.Uniq(lo.Compact([]stock.Match{u.req.Settings.Rules.Match, u.record.Settings.Rules.Match})) {
		found, err := again(ctx, u.shop, by, stock.Plan{Lines: append(slices.Clone(known), u.untold(by, known)...)})
		if err != nil {
			return nil, fmt.Errorf("look up products of %q by %s: %w", u.req.Shop, by, err)
		}
		products = append(products, found...)
	}
	return products, nil
}

// untold are lines for the products that no plan tells of any more. Of their
// keys the code of the item is all that is left.
func (u *undoing) untold(by stock.Match, known []stock.Line) []stock.Line {
	if by != stock.ByNumber {
		return nil
	}
	told := map[string]bool{}
	for _, line := range known {
		for _, e := range slices.Concat(line.Entries, line.Kept) {
			told[e.Product] = true
		}
	}
	return lo.FilterMap(u.receipts, func(r stock.Receipt, _ int) (stock.Line, bool) {
		return stock.Line{Key: r.Item}, !told[r.Product]
	})
}

// keep archives the plan and then the ledger: the newest plan of a pass is its
// whole one.
func (u *undoing) keep(ctx context.Context, plan stock.Plan, at time.Time) (protocol.PlannedRollback, error) {
	planned := protocol.PlannedRollback{
		Undo: u.record.Report.Pass, Hash: plan.Hash(), Writes: len(plan.Writes()), TakenAt: at,
		Counts: plan.Counts(), Samples: plan.Samples(),
	}
	var err error
	if planned.Plan, err = u.archive(ctx, plan.Lines); err != nil {
		return protocol.PlannedRollback{}, err
	}
	if u.req.DryRun || planned.Writes == 0 || len(u.ledger) == 0 {
		return planned, nil
	}
	answers, err := u.a.receipts(ctx, u.req.Memory.Receipts)
	if err != nil && !forgotten(err) {
		return protocol.PlannedRollback{}, err
	}
	planned.Ledger, err = u.archive(ctx, plan.RolledBack(u.ledger, answers))
	return planned, err
}

func (u *undoing) archive(ctx context.Context, lines []stock.Line) (protocol.Ref, error) {
	ref, err := snapshot.Write(ctx, u.a.archive, u.a.name(u.req.Shop, u.req.Pass, u.req.DryRun, snapshot.Plan), slices.Values(lines))
	if err != nil {
		return protocol.Ref{}, fmt.Errorf("archive the plan of a rollback of %q: %w", u.req.Shop, err)
	}
	return ref, nil
}
