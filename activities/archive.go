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

// catalogue is a snapshot: its items, and the codes that are gone.
type catalogue struct {
	items []stock.Item
	gone  []string
}

func (a *Activities) catalogue(ctx context.Context, ref protocol.Ref) (catalogue, error) {
	c := catalogue{items: make([]stock.Item, 0, max(ref.Rows, 0))}
	for line, err := range snapshot.Read[snapshot.CatalogueLine](ctx, a.archive, ref) {
		if err != nil {
			return catalogue{}, fmt.Errorf("read catalogue %s: %w", ref.Key, err)
		}
		if line.Gone {
			c.gone = append(c.gone, line.Code)
			continue
		}
		c.items = append(c.items, line.Item)
	}
	return c, nil
}

// items are those of a snapshot.
func (a *Activities) items(ctx context.Context, ref protocol.Ref) ([]stock.Item, error) {
	c, err := a.catalogue(ctx, ref)
	return c.items, err
}

func (a *Activities) plan(ctx context.Context, ref protocol.Ref) (stock.Plan, error) {
	lines, err := snapshot.ReadAll[stock.Line](ctx, a.archive, ref)
	if err != nil {
		return stock.Plan{}, fmt.Errorf("read plan %s: %w", ref.Key, err)
	}
	return stock.Plan{Lines: lines}, nil
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

// remembered is what of a memory needs no archive; nil where it is empty.
func remembered(m protocol.Memory) *stock.Memory {
	if m.Baseline.Zero() && m.Ledger.Zero() {
		return nil
	}
	return &stock.Memory{Products: m.Products, Basis: m.Basis}
}

// recall reads what the archive remembers; nil where that is nothing.
func (a *Activities) recall(ctx context.Context, m protocol.Memory) (*stock.Memory, error) {
	memory := remembered(m)
	if memory == nil {
		return nil, nil
	}
	group, reading := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if !m.Baseline.Zero() {
			memory.Items, err = a.items(reading, m.Baseline)
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
