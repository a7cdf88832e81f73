package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/samber/lo"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
)

// typeNotKept is the type of the error that the archive has nothing to explain
// an item from.
const typeNotKept = "not_kept"

// ExplainItem says why an item has its quantity, from the plan of a dry run or
// of a pass that is over, the catalogue it was made of, and what the archive
// tells of the passes before. It decides nothing: what it says is what the plan
// says.
func (a *Activities) ExplainItem(ctx context.Context, req protocol.ExplainItemRequest) (protocol.Explanation, error) {
	ctx, _, end := beat(ctx, protocol.Progress{Phase: "match"})
	defer end()
	e := explaining{a: a, req: req, now: a.now()}
	explanation, err := e.run(ctx)
	return explanation, failed(ctx, req.Shop, err)
}

// explaining is one run of ExplainItem.
type explaining struct {
	a   *Activities
	req protocol.ExplainItemRequest
	now time.Time

	pass     int64 // 0: a dry run of now
	at       time.Time
	settings protocol.Settings
	rules    stock.Rules
	plan     stock.Plan
	items    []stock.Item
	receipts []stock.Receipt // of the pass, where it is over
	notes    []string
	last     map[string]stock.Receipt // of each product, the newest

	subject stock.Subject
	out     protocol.Explanation
}

func (e *explaining) run(ctx context.Context) (protocol.Explanation, error) {
	passes, err := e.a.pastPasses(ctx, e.req.Shop)
	if err != nil {
		return protocol.Explanation{}, err
	}
	if err := e.read(ctx, passes); err != nil {
		return protocol.Explanation{}, err
	}
	if err := e.completeRules(); err != nil {
		return protocol.Explanation{}, err
	}
	e.begin()
	known, err := e.find(ctx)
	if err != nil {
		return protocol.Explanation{}, err
	}
	if known {
		e.describe()
		if err := e.remember(ctx, passes); err != nil {
			return protocol.Explanation{}, err
		}
		e.judge()
	}
	e.say()
	return e.out, nil
}

// read finds the plan and the catalogue that tell of the item.
func (e *explaining) read(ctx context.Context, passes []pastPass) (err error) {
	plan, catalogue := e.req.Plan, e.req.Catalogue
	if e.at = e.req.TakenAt; plan.Zero() {
		if plan, catalogue, err = e.archived(ctx, passes); err != nil {
			return err
		}
	} else {
		e.settings = e.req.Settings
	}
	if e.plan, err = e.a.plan(ctx, plan); err != nil {
		return err
	}
	if !catalogue.Zero() {
		e.items, err = e.a.items(ctx, catalogue)
	}
	if catalogue.Zero() || forgotten(err) {
		e.notes = append(e.notes, message.CatalogueNotKept)
		return nil
	}
	return err
}

// archived is what the archive has of the pass that is asked for, or of the
// last one that has a plan. A rollback read no catalogue and explains nothing.
func (e *explaining) archived(ctx context.Context, passes []pastPass) (plan, catalogue protocol.Ref, err error) {
	plans, err := e.listed(ctx, snapshot.Plan)
	if err != nil {
		return protocol.Ref{}, protocol.Ref{}, err
	}
	plans = lo.Reject(plans, func(p snapshot.Entry, _ int) bool { return p.DryRun })
	slices.SortStableFunc(plans, func(a, b snapshot.Entry) int { return cmp.Compare(a.Pass, b.Pass) })
	tried := int64(0)
	for _, whole := range slices.Backward(plans) { // the newest plan of a pass is its whole plan
		if whole.Pass == tried || e.req.Pass > 0 && whole.Pass != e.req.Pass {
			continue
		}
		tried = whole.Pass
		rollback, err := e.recorded(ctx, passes, whole.Pass)
		if err != nil {
			return protocol.Ref{}, protocol.Ref{}, err
		}
		if !rollback {
			return e.from(ctx, whole)
		}
	}
	return protocol.Ref{}, protocol.Ref{}, e.notKept(plans)
}

// from takes a plan of the archive and the catalogue that it was made of.
func (e *explaining) from(ctx context.Context, whole snapshot.Entry) (plan, catalogue protocol.Ref, err error) {
	e.pass, e.at = whole.Pass, whole.At
	catalogues, err := e.listed(ctx, snapshot.Catalogue)
	if err != nil {
		return protocol.Ref{}, protocol.Ref{}, err
	}
	if used, ok := usedCatalogue(catalogues, whole); ok {
		e.at = used.At
		if catalogue, err = e.a.archive.Ref(ctx, used.Key); err != nil && !forgotten(err) {
			return protocol.Ref{}, protocol.Ref{}, err
		}
	}
	e.notes = append(e.notes, message.ToldFromArchive(e.pass, e.at, e.now, e.zone(), e.req.Failure))
	plan, err = e.a.archive.Ref(ctx, whole.Key)
	return plan, catalogue, err
}

// usedCatalogue is the catalogue that a plan was made of. The first pass of a
// shop uses the one that its activation has just read.
func usedCatalogue(catalogues []snapshot.Entry, plan snapshot.Entry) (snapshot.Entry, bool) {
	for _, own := range []bool{true, false} {
		used, _, ok := lo.FindLastIndexOf(catalogues, func(c snapshot.Entry) bool {
			if own != !c.DryRun || c.At.After(plan.At) {
				return false
			}
			return own && c.Pass == plan.Pass || !own && plan.At.Sub(c.At) < MaxAge
		})
		if ok {
			return used, true
		}
	}
	return snapshot.Entry{}, false
}

// listed are the objects of a kind, oldest first.
func (e *explaining) listed(ctx context.Context, kind snapshot.Kind) ([]snapshot.Entry, error) {
	entries, err := e.a.archive.List(ctx, e.req.Shop, kind)
	if err != nil {
		return nil, fmt.Errorf("list the archive of %q: %w", e.req.Shop, err)
	}
	return entries, nil
}

// notKept is the error that there is nothing to tell it from.
func (e *explaining) notKept(plans []snapshot.Entry) error {
	failure := e.req.Failure
	if e.req.Pass > 0 || failure == nil {
		first, last := int64(0), int64(0)
		if len(plans) > 0 {
			numbers := lo.Map(plans, func(p snapshot.Entry, _ int) int64 { return p.Pass })
			first, last = slices.Min(numbers), slices.Max(numbers)
		}
		failure = message.NotKept(e.req.Shop, e.req.Pass, first, last)
	}
	return temporal.NewApplicationErrorWithOptions(failure.Message, typeNotKept, temporal.ApplicationErrorOptions{
		NonRetryable: true, Details: []any{failure},
	})
}

// recorded takes from the record of a pass, or of the last one before it that
// left one, by which settings it went, and what the shop answered to it. It
// tells whether the pass was a rollback.
func (e *explaining) recorded(ctx context.Context, passes []pastPass, pass int64) (rollback bool, err error) {
	e.settings, e.receipts = e.req.Settings, nil
	for _, past := range passes {
		if past.number > pass || past.record == "" && past.number != pass {
			continue
		}
		record, err := e.a.record(ctx, e.req.Shop, past)
		if err != nil && !forgotten(err) {
			return false, err
		}
		if past.number == pass {
			if e.receipts, err = e.a.receipts(ctx, record.Receipts); err != nil && !forgotten(err) {
				return false, err
			}
		}
		if past.record != "" && record.Report.Pass == past.number {
			e.settings = record.Settings
			return past.number == pass && record.Undoes > 0, nil
		}
	}
	return false, nil
}

// completeRules adds the rules for single items, which do not travel.
func (e *explaining) completeRules() error {
	e.rules = e.settings.Rules
	s, err := e.a.shops.Shop(e.req.Shop)
	if err != nil {
		return nil // the file is gone; that is told already
	}
	complete, err := rules(s, e.settings.Terms())
	if errors.Is(err, errOtherItems) {
		e.notes = append(e.notes, message.ItemsChanged)
		return nil
	}
	if err != nil {
		return err
	}
	e.rules = complete
	return nil
}

func (e *explaining) begin() {
	e.out = protocol.Explanation{
		Shop: e.req.Shop, Asked: e.req.Item, Cause: protocol.CauseUnknown, Pass: e.pass, At: e.at, Timezone: e.zone().String(),
		Warehouses: []protocol.ExplainedWarehouse{}, Steps: []stock.Step{}, Products: []protocol.ExplainedProduct{},
		Sales: []protocol.ExplainedSale{}, Changes: []protocol.ItemChange{},
		Rules: protocol.ExplainedRules{
			Match: e.rules.Match, Quantity: e.rules.Quantity, Decimals: e.rules.Decimals,
			SoldHold: message.Span(e.rules.SoldHold), Missing: e.rules.Missing,
		},
	}
}

// find finds the item; where the plan does not know the word, it may be the
// number or EAN of a product, which only the shop knows.
func (e *explaining) find(ctx context.Context) (bool, error) {
	var known bool
	if e.subject, known = e.plan.Find(e.items, e.req.Item); known {
		return true, nil
	}
	products, err := e.lookUp(ctx)
	if err != nil {
		return false, err
	}
	for _, product := range products {
		if e.subject, known = e.plan.Find(e.items, product.ID); known {
			return true, nil
		}
	}
	if len(products) > 0 {
		e.out.Cause, e.out.ReasonCode = protocol.CauseNoItem, stock.ReasonNoItem
		e.out.Cure = message.CureOf(stock.ReasonNoItem, e.rules.Match, e.req.Shop)
		e.out.Products = lo.Map(products[:min(len(products), protocol.MaxExplainedProducts)], func(p stock.Product, _ int) protocol.ExplainedProduct {
			return protocol.ExplainedProduct{ID: p.ID, Name: p.Name, ShopNow: &p.Quantity}
		})
		return false, nil
	}
	e.out.Near = e.plan.Near(e.req.Item)
	return false, nil
}

// lookUp asks the shop for products with the word as number or EAN. A pass that
// is over is not explained by what the shop has now.
func (e *explaining) lookUp(ctx context.Context) ([]stock.Product, error) {
	if e.pass > 0 || e.req.Connection == "" {
		return nil, nil
	}
	s, err := e.a.connect(ctx, e.req.Shop, e.req.Connection)
	if err != nil {
		return nil, err
	}
	client, err := e.a.shop(s)
	if err != nil {
		return nil, err
	}
	var products []stock.Product
	for _, by := range []stock.Match{stock.ByNumber, stock.ByEAN} {
		found, err := shop.LookupAll(ctx, client, by, stock.LookupKeys(by, []stock.Item{{Code: e.req.Item, EAN: e.req.Item}}), nil)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			e.notes = append(e.notes, message.ShopNotAsked)
			return nil, nil
		}
		products = append(products, found...)
	}
	return lo.UniqBy(products, func(p stock.Product) string { return p.ID }), nil
}

func (e *explaining) zone() *time.Location {
	name := lo.CoalesceOrEmpty(e.settings.Timezone, e.req.Settings.Timezone)
	if zone, err := time.LoadLocation(name); err == nil && name != "" {
		return zone
	}
	return e.a.zone(e.req.Shop)
}
