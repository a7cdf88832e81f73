package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/samber/lo"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
)

func (a *Activities) name(shop string, pass int64, dryRun bool, kind snapshot.Kind) snapshot.Name {
	return snapshot.Name{Shop: shop, Pass: pass, DryRun: dryRun, Kind: kind, At: a.now(), Unique: uuid.NewString()[:8]}
}

// fetched is a catalogue that FetchStock has put into the archive, or read there:
// its items, and the codes that are gone.
type fetched struct {
	items []stock.Item
	gone  []string
}

func (a *Activities) fetched(ctx context.Context, ref protocol.Ref) (c fetched, err error) {
	if held, ok := a.handover.take(ref); ok {
		return held.(fetched), a.archive.Check(ctx, ref)
	}
	c.items, c.gone, err = a.catalogue(ctx, ref)
	return c, err
}

// catalogue reads a snapshot: its items, and the codes that are gone.
func (a *Activities) catalogue(ctx context.Context, ref protocol.Ref) (items []stock.Item, gone []string, err error) {
	items = make([]stock.Item, 0, max(ref.Rows, 0))
	for line, err := range snapshot.Read[snapshot.CatalogueLine](ctx, a.archive, ref) {
		if err != nil {
			return nil, nil, fmt.Errorf("read catalogue %s: %w", ref.Key, err)
		}
		if line.Gone {
			gone = append(gone, line.Code)
			continue
		}
		items = append(items, line.Item)
	}
	return items, gone, nil
}

func (a *Activities) plan(ctx context.Context, ref protocol.Ref) (stock.Plan, error) {
	lines, err := snapshot.ReadAll[stock.Line](ctx, a.archive, ref)
	if err != nil {
		return stock.Plan{}, fmt.Errorf("read plan %s: %w", ref.Key, err)
	}
	return stock.Plan{Lines: lines}, nil
}

// matched are the lines of a plan that MatchProducts has put into the archive.
func (a *Activities) matched(ctx context.Context, ref protocol.Ref) (stock.Plan, error) {
	if held, ok := a.handover.take(ref); ok {
		return stock.Plan{Lines: held.([]stock.Line)}, a.archive.Check(ctx, ref)
	}
	return a.plan(ctx, ref)
}

// listed are the receipts that refs point to: some point to a list of them.
func (a *Activities) listed(ctx context.Context, refs []protocol.Ref) ([]protocol.Ref, error) {
	var all []protocol.Ref
	for _, ref := range refs {
		if snapshot.KindOf(ref) != snapshot.Receipts {
			all = append(all, ref)
			continue
		}
		some, err := snapshot.ReadAll[protocol.Ref](ctx, a.archive, ref)
		if err != nil {
			return nil, fmt.Errorf("read the list of receipts %s: %w", ref.Key, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func (a *Activities) receipts(ctx context.Context, refs []protocol.Ref) ([]stock.Receipt, error) {
	refs, err := a.listed(ctx, refs)
	if err != nil {
		return nil, err
	}
	receipts := make([]stock.Receipt, 0, max(0, lo.SumBy(refs, func(r protocol.Ref) int { return r.Rows })))
	for _, ref := range refs {
		some, err := snapshot.ReadAll[stock.Receipt](ctx, a.archive, ref)
		if err != nil {
			return nil, fmt.Errorf("read receipt %s: %w", ref.Key, err)
		}
		receipts = append(receipts, some...)
	}
	return receipts, nil
}

// recall reads what the archive remembers; nil where that is nothing.
func (a *Activities) recall(ctx context.Context, m protocol.Memory) (*stock.Memory, error) {
	if m.Baseline.Zero() && m.Ledger.Zero() {
		return nil, nil
	}
	memory := &stock.Memory{Products: m.Products, Basis: m.Basis}
	group, reading := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if !m.Baseline.Zero() {
			memory.Items, _, err = a.catalogue(reading, m.Baseline)
		}
		return err
	})
	group.Go(func() (err error) {
		memory.Ledger, err = a.ledger(reading, m)
		return err
	})
	return memory, group.Wait()
}

// ledger reads the last plan and the answers to it, line by line: of a large
// shop all of it takes as much memory as the plan that is made next.
func (a *Activities) ledger(ctx context.Context, m protocol.Memory) (stock.Ledger, error) {
	if m.Ledger.Zero() {
		return stock.Ledger{}, nil
	}
	receipts, err := a.receipts(ctx, m.Receipts)
	if err != nil {
		return stock.Ledger{}, err
	}
	var broken error
	ledger := stock.NewLedger(m.Ledger.Rows, func(yield func(stock.Line) bool) {
		for line, err := range snapshot.Read[stock.Line](ctx, a.archive, m.Ledger) {
			if err != nil {
				broken = fmt.Errorf("read plan %s: %w", m.Ledger.Key, err)
				return
			}
			if !yield(line) {
				return
			}
		}
	}, receipts)
	return ledger, broken
}

// forgotten tells whether the archive has lost what it should remember: then
// the next pass counts as a first one.
func forgotten(err error) bool {
	return errors.Is(err, snapshot.ErrMissing) || errors.Is(err, snapshot.ErrCorrupt)
}

// maxWarehouses keeps findings far below Temporal's limit of a payload.
const maxWarehouses = 200

func warehouseUses(items []stock.Item, selected []string) []protocol.WarehouseUse {
	return lo.Map(lo.Slice(stock.Warehouses(items), 0, maxWarehouses), func(w stock.WarehouseUse, _ int) protocol.WarehouseUse {
		return protocol.WarehouseUse{Code: w.Code, Items: w.Items, Counted: len(selected) == 0 || lo.Contains(selected, w.Code)}
	})
}
