package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/samber/lo"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
)

// MatchProducts looks the items' products up in the shop and puts the plan of
// the pass into the archive, before anything is written.
func (a *Activities) MatchProducts(ctx context.Context, req protocol.MatchRequest) (protocol.Matched, error) {
	s, err := a.connect(ctx, req.Shop, req.Connection)
	if err != nil {
		return protocol.Matched{}, err
	}
	client, err := a.shop(s)
	if err != nil {
		return protocol.Matched{}, err
	}
	ctx, pulse, end := beat(ctx, protocol.Progress{Phase: "match"})
	defer end()
	m := matching{a: a, req: req, rules: req.Settings.Rules, shop: client, pulse: pulse}
	matched, err := m.run(ctx)
	return matched, failed(ctx, req.Shop, err)
}

// matching is one run of MatchProducts.
type matching struct {
	a     *Activities
	req   protocol.MatchRequest
	rules stock.Rules
	shop  shop.Shop
	pulse *pulse

	items  []stock.Item
	gone   []string
	memory *stock.Memory
}

func (m *matching) run(ctx context.Context) (protocol.Matched, error) {
	if err := m.read(ctx); err != nil {
		return protocol.Matched{}, err
	}
	doubt, warnings := stock.Examine(m.rules, m.items, m.compared())
	told := lo.Map(warnings, func(w stock.Warning, _ int) string { return warning(w) })
	if doubt != nil {
		return m.doubtful(doubt, told), nil
	}
	who, err := identity(ctx, m.shop, m.req.Shop, m.req.ShopID)
	if err != nil {
		return protocol.Matched{}, err
	}
	products, err := m.lookup(ctx, m.rules.Match)
	if err != nil {
		return protocol.Matched{}, err
	}
	plan := stock.NewPlan(stock.Input{Rules: m.rules, Items: m.items, Products: products, Memory: m.memory, Gone: m.gone})
	if doubt := plan.Doubt(m.compared()); doubt != nil {
		matched := m.doubtful(doubt, told)
		return matched, m.findings(ctx, &matched, plan, products, who)
	}
	return m.keep(ctx, plan, products, who, told)
}

func (m *matching) read(ctx context.Context) (err error) {
	if m.items, m.gone, err = m.a.catalogue(ctx, m.req.Catalogue.Ref); err != nil {
		return err
	}
	m.memory, err = m.a.recall(ctx, m.req.Memory)
	return err
}

// compared is what the catalogue and the products are compared with: nothing,
// where an activation has shown them to a person.
func (m *matching) compared() *stock.Memory {
	if m.req.Accept {
		return nil
	}
	return m.memory
}

// keep archives the plan.
func (m *matching) keep(ctx context.Context, plan stock.Plan, products []stock.Product, who shop.Identity, warnings []string) (protocol.Matched, error) {
	ref, err := snapshot.Write(ctx, m.a.archive, m.a.name(m.req.Shop, m.req.Pass, m.req.DryRun, snapshot.Plan), slices.Values(plan.Lines))
	if err != nil {
		return protocol.Matched{}, fmt.Errorf("archive the plan of %q: %w", m.req.Shop, err)
	}
	matched := protocol.Matched{
		Plan: ref, Hash: plan.Hash(), ShopID: who.ID, Writes: len(plan.Writes()), Products: plan.Matched(),
		Counts: plan.Counts(), Samples: plan.Samples(), Warnings: warnings,
	}
	return matched, m.findings(ctx, &matched, plan, products, who)
}

// lookup asks the shop for the products of all items, and of those that are
// gone, by one key.
func (m *matching) lookup(ctx context.Context, by stock.Match) ([]stock.Product, error) {
	keys := stock.LookupKeys(by, m.items)
	if by == m.rules.Match {
		keys = lo.Uniq(append(keys, stock.GoneKeys(by, m.memory, m.gone)...))
	}
	products, err := shop.LookupAll(ctx, m.shop, by, keys, func(done int) {
		m.pulse.at(protocol.Progress{Phase: "match", Done: done, Total: len(keys)})
	})
	if err != nil {
		return nil, fmt.Errorf("look up products of %q by %s: %w", m.req.Shop, by, err)
	}
	return products, nil
}

// findings says what an activation shows before anything is written, with what
// the other key would have matched.
func (m *matching) findings(ctx context.Context, matched *protocol.Matched, plan stock.Plan, products []stock.Product, who shop.Identity) error {
	if !m.req.Findings {
		return nil
	}
	others, err := m.lookup(ctx, m.rules.Match.Other())
	if err != nil {
		return err
	}
	counts := plan.Counts()
	matched.Findings = &protocol.Findings{
		ShopName: who.Name, ShopProducts: who.Products,
		Warehouses: warehouseUses(m.items, m.rules.Warehouses), Quantity: m.rules.Quantity,
		Match:          m.rules.Match,
		Matched:        stock.CountMatches(m.rules.Match, m.items, products),
		MatchedByOther: stock.CountMatches(m.rules.Match.Other(), m.items, others),
		KrosItems:      counts.KrosItems, Products: counts.Products,
		Raised: counts.Raised, Lowered: counts.Lowered, Zeroed: counts.Zeroed,
		Unmatched: counts.Unmatched, Ambiguous: counts.Ambiguous, Skipped: counts.Skipped,
	}
	return nil
}

var doubtCodes = map[stock.DoubtKind]protocol.Code{
	stock.DoubtKrosNoStock:      protocol.KrosNoStock,
	stock.DoubtWarehouseUnknown: protocol.WarehouseUnknown,
	stock.DoubtCatalogueChanged: protocol.CatalogueChanged,
	stock.DoubtProductsMissing:  protocol.ProductsMissing,
	stock.DoubtNothingMatched:   protocol.NothingMatched,
}

func (m *matching) doubtful(d *stock.Doubt, warnings []string) protocol.Matched {
	code := doubtCodes[d.Kind]
	return protocol.Matched{
		Doubt: message.Failure(code, message.Params{
			Shop: m.req.Shop, Warehouses: d.Warehouses, Known: d.Known, Seen: d.Seen, Expected: d.Expected, By: string(m.rules.Match),
		}),
		Held:     code == protocol.CatalogueChanged,
		Counts:   stock.Counts{KrosItems: len(m.items)},
		Samples:  stock.Samples{},
		Warnings: warnings,
	}
}

func warning(w stock.Warning) string {
	if w.Kind == stock.WarnWarehouseNew {
		return message.WarehouseNew(w.Warehouses)
	}
	return message.WarehouseGone(w.Warehouses, w.Known)
}
