package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/samber/lo"
	"golang.org/x/sync/errgroup"

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
	m := matching{a: a, req: req, shop: client, pulse: pulse}
	if m.rules, err = rules(s, req.Settings); err != nil {
		return protocol.Matched{}, failed(ctx, req.Shop, err)
	}
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

	items   []stock.Item
	gone    []string
	memory  *stock.Memory
	answers stock.Answers
	told    []string // warnings
}

func (m *matching) run(ctx context.Context) (protocol.Matched, error) {
	if err := m.read(ctx); err != nil {
		return protocol.Matched{}, err
	}
	who, err := identity(ctx, m.shop, m.req.Shop, m.req.ShopID)
	if err != nil {
		return protocol.Matched{}, err
	}
	doubt, warnings := stock.Examine(m.rules, m.items, m.compared())
	m.told = lo.Map(warnings, func(w stock.Warning, _ int) string { return warning(w) })
	doubtful := doubt != nil && doubt.Kind == stock.DoubtCatalogueChanged // a person may approve it: plan what that would do
	if doubt != nil && !doubtful {
		return m.doubt(doubt), nil
	}
	m.forgetSeen()
	products, err := m.lookUp(ctx)
	if err != nil {
		return protocol.Matched{}, err
	}
	plan := m.plan(products, doubtful)
	if m.req.Accept && m.memory != nil && plan.Doubt(m.memory) != nil {
		// The shop was rebuilt and a person has seen it: what we left there says
		// nothing about sales.
		m.memory.Ledger = stock.Ledger{}
		plan = m.plan(products, doubtful)
	}
	if doubt := plan.Doubt(m.compared()); doubt != nil && !doubtful {
		matched := m.doubt(doubt)
		return matched, m.findings(ctx, &matched, plan, products, who)
	}
	if plan.Imported {
		m.told = append(m.told, message.ShopImported)
	}
	return m.keep(ctx, plan, products, who, doubt)
}

// read reads what the shop is asked by: the catalogue, and the baseline that it
// is compared with. They are as large as each other, so they are read side by
// side.
func (m *matching) read(ctx context.Context) error {
	m.memory = remembered(m.req.Memory)
	group, reading := errgroup.WithContext(ctx)
	group.Go(func() error {
		catalogue, err := handed(reading, m.a, m.req.Catalogue.Ref, m.a.catalogue)
		m.items, m.gone = catalogue.items, catalogue.gone
		return err
	})
	if !m.req.Memory.Baseline.Zero() {
		group.Go(func() error {
			baseline, err := handed(reading, m.a, m.req.Memory.Baseline, m.a.catalogue)
			m.memory.Items = baseline.items
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var err error
	m.answers.Approved, err = m.answered(ctx, m.req.Approved)
	if err != nil {
		return err
	}
	m.answers.Dismissed, err = m.answered(ctx, m.req.Dismissed)
	return err
}

// lookUp asks the shop for the products, and reads the ledger while it answers.
func (m *matching) lookUp(ctx context.Context) (products []stock.Product, err error) {
	var ledger stock.Ledger
	group, looking := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		products, err = m.products(looking)
		return err
	})
	group.Go(func() (err error) {
		ledger, err = m.a.ledger(looking, m.req.Memory)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if m.memory != nil {
		m.memory.Ledger = ledger
	}
	return products, nil
}

// forgetSeen lets go of the items of the baseline that the sweep shows. Once the
// two are compared only the missing ones matter: what was tracked in the baseline
// is marked so in the catalogue. A large shop has them all in memory else.
func (m *matching) forgetSeen() {
	if m.memory != nil {
		m.memory.Items = stock.MissingItems(m.items, m.memory.Items)
	}
}

// answered are the lines of a held plan that a person has answered.
func (m *matching) answered(ctx context.Context, ref protocol.Ref) ([]stock.Line, error) {
	if ref.Zero() {
		return nil, nil
	}
	plan, err := m.a.plan(ctx, ref)
	if forgotten(err) { // then nothing is approved, and it is held again
		m.a.log.Warn("the archive has lost the plan that was answered", "shop", m.req.Shop, "error", err)
		return nil, nil
	}
	return plan.Lines, err
}

// compared is what the catalogue and the products are compared with: nothing
// in a first pass, and where an activation has shown them to a person.
func (m *matching) compared() *stock.Memory {
	if m.req.Accept || m.req.Memory.Baseline.Zero() {
		return nil
	}
	return m.memory
}

func (m *matching) plan(products []stock.Product, doubtful bool) stock.Plan {
	return stock.NewPlan(stock.Input{
		Rules: m.rules, Items: m.items, Products: products, Memory: m.memory, Now: m.a.now(), Basis: m.req.Basis,
		First: m.compared() == nil, Doubtful: doubtful, Day: m.req.Day, Answers: m.answers, Gone: m.gone,
	})
}

// keep archives the plan, and counts meanwhile what is in it.
func (m *matching) keep(ctx context.Context, plan stock.Plan, products []stock.Product, who shop.Identity, doubt *stock.Doubt) (protocol.Matched, error) {
	var ref protocol.Ref
	group, archiving := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		ref, err = snapshot.Write(archiving, m.a.archive, m.a.name(m.req.Shop, m.req.Pass, m.req.DryRun, snapshot.Plan), slices.Values(plan.Lines))
		return err
	})
	matched := protocol.Matched{
		Hash: plan.Hash(), ShopID: who.ID, Writes: plan.Changes(), Products: plan.Matched(),
		Counts: plan.Counts(), Samples: plan.Samples(), Warnings: m.told,
		Stocked: plan.Stocked(), Zeroings: plan.Zeroings(), Lost: plan.Lost(),
	}
	if err := group.Wait(); err != nil {
		return protocol.Matched{}, fmt.Errorf("archive the plan of %q: %w", m.req.Shop, err)
	}
	matched.Plan = ref
	if !m.req.DryRun {
		m.a.handover.give(ref, stock.Plan{Lines: plan.Lines}) // as it is read from the archive
	}
	if m.req.SamplesHash != "" && protocol.SamplesHash(matched.Samples) == m.req.SamplesHash {
		matched.Samples, matched.SamplesKnown = nil, true
	}
	m.hold(&matched, plan, doubt)
	return matched, m.findings(ctx, &matched, plan, products, who)
}

// hold says what of the plan waits for a person, and why.
func (m *matching) hold(matched *protocol.Matched, plan stock.Plan, doubt *stock.Doubt) {
	if plan.Hold == nil {
		return
	}
	matched.Hold = &protocol.Hold{
		Code: protocol.Code(plan.Hold.Kind), Hash: plan.HoldHash(m.req.Memory.Baseline.SHA256),
		Plan: matched.Plan, Catalogue: m.req.Catalogue.Ref,
		Products: plan.Hold.Products, Matched: plan.Matched(), Pass: m.req.Pass, Items: m.req.Catalogue.Items,
	}
	matched.Hash = matched.Hold.Hash
	matched.Holding = message.Failure(matched.Hold.Code, message.Params{
		Shop: m.req.Shop, Seen: plan.Hold.Products, Expected: plan.Hold.Of, Earlier: plan.Hold.Zeroed,
	})
	if doubt != nil {
		matched.Holding = m.failure(doubt)
	}
	matched.Hold.Why = matched.Holding
}

// products asks the shop for the products of all items, of those that are gone
// and of those that the items file names.
func (m *matching) products(ctx context.Context) ([]stock.Product, error) {
	keys := append(stock.LookupKeys(m.rules.Match, m.items), stock.GoneKeys(m.rules.Match, m.memory, m.gone)...)
	products, err := m.lookup(ctx, m.rules.Match, keys)
	if err != nil {
		return nil, err
	}
	paired, err := m.lookup(ctx, stock.ByNumber, stock.PairedNumbers(m.rules, m.items))
	return append(products, paired...), err
}

func (m *matching) lookup(ctx context.Context, by stock.Match, keys []string) ([]stock.Product, error) {
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
	other := m.rules.Match.Other()
	others, err := m.lookup(ctx, other, stock.LookupKeys(other, m.items))
	if err != nil {
		return err
	}
	counts := plan.Counts()
	matched.Findings = &protocol.Findings{
		ShopName: who.Name, ShopProducts: who.Products,
		Warehouses: warehouseUses(m.items, m.rules.Warehouses), Quantity: m.rules.Quantity,
		Match:          m.rules.Match,
		Matched:        stock.CountMatches(m.rules.Match, m.items, products),
		MatchedByOther: stock.CountMatches(other, m.items, others),
		KrosItems:      counts.KrosItems, Products: counts.Products,
		Raised: counts.Raised, Lowered: counts.Lowered, Zeroed: counts.Zeroed,
		Unmatched: counts.Unmatched, Ambiguous: counts.Ambiguous, Skipped: counts.Skipped,
		Held: plan.HeldCounts().Products, Holding: matched.Holding,
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

func (m *matching) doubt(d *stock.Doubt) protocol.Matched {
	return protocol.Matched{
		Doubt: m.failure(d), Counts: stock.Counts{KrosItems: len(m.items)}, Samples: stock.Samples{}, Warnings: m.told,
	}
}

func (m *matching) failure(d *stock.Doubt) *protocol.Failure {
	return message.Failure(doubtCodes[d.Kind], message.Params{
		Shop: m.req.Shop, Warehouses: d.Warehouses, Known: d.Known, Seen: d.Seen, Expected: d.Expected, By: string(m.rules.Match),
	})
}

func warning(w stock.Warning) string {
	if w.Kind == stock.WarnWarehouseNew {
		return message.WarehouseNew(w.Warehouses)
	}
	return message.WarehouseGone(w.Warehouses, w.Known)
}
