package activities

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sync"

	"github.com/samber/lo"

	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
)

// FetchStock sweeps KROS's catalogue and puts it into the archive. Pages are
// retried inside; an attempt that begins again sweeps again, since half a
// sweep is worth nothing.
func (a *Activities) FetchStock(ctx context.Context, req protocol.FetchRequest) (protocol.Fetched, error) {
	s, err := a.connect(ctx, req.Shop, req.Connection)
	if err != nil {
		return protocol.Fetched{}, err
	}
	client, err := a.kros(s)
	if err != nil {
		return protocol.Fetched{}, err
	}
	ctx, pulse, end := beat(ctx, protocol.Progress{Phase: "fetch"})
	defer end()
	fetched, err := a.fetch(ctx, client, req, pulse)
	return fetched, failed(ctx, req.Shop, err)
}

func (a *Activities) fetch(ctx context.Context, client *kros.Client, req protocol.FetchRequest, pulse *pulse) (protocol.Fetched, error) {
	options := kros.SweepOptions{
		OnlyEshopItems: req.Settings.OnlyEshopItems,
		Expected:       req.Memory.Baseline.Rows,
		Progress: func(p kros.Progress) {
			pulse.at(protocol.Progress{Phase: "fetch", Done: p.Items, Total: req.Memory.Baseline.Rows})
		},
	}
	recall := sync.OnceValues(func() (recollection, error) { return a.recollect(ctx, req) })
	go func() { _, _ = recall() }() // a large baseline takes as long as a part of the sweep
	sweep, delta, err := a.sweep(ctx, client, req, options, recall)
	known, unknown := recall() // also after a sweep that failed: nothing goes on behind the activity's back
	if unknown != nil {
		return protocol.Fetched{}, unknown
	}
	if err != nil {
		return protocol.Fetched{}, fmt.Errorf("sweep the catalogue of %q: %w", req.Shop, err)
	}
	memory, baseline, filter := known.refs, known.items(), ""
	moved := stock.Moved(sweep.Items, baseline)
	if !delta && !req.DryRun && sweep.Complete {
		var spent int
		if memory.Filter, spent, filter, err = judgeFilter(ctx, client, options, memory, sweep.Items, moved); err != nil {
			return protocol.Fetched{}, err
		}
		if memory.Filter != (protocol.Filter{}) {
			memory.Filter.Of = req.Connection
		}
		sweep.Requests += spent
	}
	items := stock.Track(sweep.Items, baseline)
	gone, asked, err := a.gone(ctx, client, req.Settings.Rules, items, known.Memory)
	if err != nil {
		return protocol.Fetched{}, err
	}
	ref, last, err := a.keep(ctx, req, append(slices.Clone(req.Protected), memory.Baseline, memory.Ledger), catalogueLines(items, gone))
	if err != nil {
		return protocol.Fetched{}, err
	}
	a.handover.give(ref, catalogue{items: items, gone: lo.Map(gone, func(item stock.Item, _ int) string { return item.Code })})
	a.handover.give(memory.Baseline, catalogue{items: baseline})
	fetched := protocol.Fetched{
		Catalogue: protocol.Catalogue{
			Ref: ref, TakenAt: sweep.StartedAt, Items: len(items), Requests: sweep.Requests + asked,
			Throttled: sweep.Throttled, Complete: sweep.Complete, Changed: len(moved) > 0, Delta: delta,
		},
		Memory:   memory,
		LastPass: last,
		Warnings: warnings(known.lost, filter),
	}
	if req.Brief && reflect.DeepEqual(memory, req.Memory) {
		fetched.Same, fetched.Memory = true, protocol.Memory{}
	}
	return fetched, nil
}

// sweep reads the whole catalogue or, where that is enough, what has changed.
func (a *Activities) sweep(ctx context.Context, client *kros.Client, req protocol.FetchRequest, options kros.SweepOptions, recall func() (recollection, error)) (sweep kros.Sweep, delta bool, err error) {
	if req.Delta {
		known, err := recall()
		if err != nil {
			return kros.Sweep{}, false, err
		}
		if deltaPossible(known.refs, known.items()) {
			sweep, err = readChanges(ctx, client, options, known.refs, known.items())
			return sweep, true, err
		}
	}
	options.Known = func() ([]string, error) {
		known, err := recall()
		if err != nil {
			return nil, err
		}
		return a.codes(ctx, req.Shop, known.items())
	}
	sweep, err = client.Sweep(ctx, options)
	return sweep, false, err
}

// codes are those that KROS had last time: of the baseline or, before there is
// one, of the newest catalogue.
func (a *Activities) codes(ctx context.Context, shop string, baseline []stock.Item) ([]string, error) {
	if len(baseline) == 0 {
		newest, err := a.find(ctx, protocol.InspectRequest{Shop: shop, Kind: protocol.InspectCatalogue})
		if err == nil {
			baseline, err = a.items(ctx, newest)
		}
		if err != nil && !forgotten(err) {
			return nil, err
		}
	}
	return lo.Map(baseline, func(item stock.Item, _ int) string { return item.Code }), nil
}

// keep archives the catalogue and prunes the shop's archive. For a dry run it
// returns the archive's highest pass number, which an activation goes on from.
// Where there is no room it is pruned first: a full disk would else keep what
// nothing needs any more.
func (a *Activities) keep(ctx context.Context, req protocol.FetchRequest, protected []protocol.Ref, lines iter.Seq[snapshot.CatalogueLine]) (ref protocol.Ref, last int64, err error) {
	write := func() (protocol.Ref, error) {
		return snapshot.Write(ctx, a.archive, a.name(req.Shop, req.Pass, req.DryRun, snapshot.Catalogue), lines)
	}
	if ref, err = write(); err != nil && a.prune(ctx, req.Shop, protected, true) > 0 {
		ref, err = write()
	}
	if err != nil {
		return protocol.Ref{}, 0, fmt.Errorf("archive the catalogue of %q: %w", req.Shop, err)
	}
	a.prune(ctx, req.Shop, append(protected, ref), !req.DryRun && req.Pass%tidyEvery == 0)
	if !req.DryRun {
		return ref, 0, nil
	}
	if last, err = a.archive.LastPass(ctx, req.Shop); err != nil {
		return protocol.Ref{}, 0, fmt.Errorf("list the archive of %q: %w", req.Shop, err)
	}
	return ref, last, nil
}

// recollection is what the archive remembers of a shop.
type recollection struct {
	*stock.Memory                 // nil: nothing
	refs          protocol.Memory // of which it was read
	lost          string          // a warning, where there should be more
}

func (r recollection) items() []stock.Item { return lo.FromPtr(r.Memory).Items }

// recollect reads what the archive remembers. Where it has lost that there is no
// memory at all, and a warning: better a first pass than a wrong comparison.
func (a *Activities) recollect(ctx context.Context, req protocol.FetchRequest) (recollection, error) {
	refs, err := a.lost(ctx, req.Shop, req.Memory)
	if err != nil {
		return recollection{}, err
	}
	if refs.Filter.Of != req.Connection { // another company's, perhaps, and so may the baseline be
		refs.Filter = protocol.Filter{}
	}
	memory, err := a.compared(ctx, refs, req.Settings.Rules)
	if err != nil && forgotten(err) {
		a.log.Warn("the archive has lost what it remembers of the shop; this is a first pass", "shop", req.Shop, "error", err)
		return recollection{lost: message.MemoryLost}, nil
	}
	return recollection{Memory: memory, refs: refs}, err
}

// compared is what a sweep is compared with: the baseline and, where missing
// items are written to zero, what we wrote. The rest only has to be there.
func (a *Activities) compared(ctx context.Context, m protocol.Memory, rules stock.Rules) (*stock.Memory, error) {
	if rules.Missing == stock.MissingZero {
		return a.recall(ctx, m)
	}
	receipts, err := a.listed(ctx, m.Receipts)
	if err != nil {
		return nil, err
	}
	for _, ref := range append([]protocol.Ref{m.Ledger}, receipts...) {
		if ref.Zero() {
			continue
		}
		if err := a.archive.Check(ctx, ref); err != nil {
			return nil, err
		}
	}
	return a.recall(ctx, protocol.Memory{Baseline: m.Baseline, Products: m.Products, Basis: m.Basis})
}

// lost makes the plan of a pass that ended without a word the ledger: it may
// have begun to write it.
func (a *Activities) lost(ctx context.Context, shop string, m protocol.Memory) (protocol.Memory, error) {
	if m.Lost == 0 {
		return m, nil
	}
	plan, err := a.find(ctx, protocol.InspectRequest{Shop: shop, Kind: protocol.InspectPlan, Pass: m.Lost})
	switch {
	case forgotten(err): // it never came to write
	case err != nil:
		return protocol.Memory{}, err
	case plan.Key != m.Ledger.Key:
		m.Ledger, m.Receipts = plan, nil
	}
	m.Lost = 0
	return m, nil
}

// gone asks KROS singly for items that the sweep did not show, where the rules
// would write them to zero: not being in a sweep is no proof.
func (a *Activities) gone(ctx context.Context, client *kros.Client, rules stock.Rules, items []stock.Item, known *stock.Memory) (gone []stock.Item, asked int, err error) {
	if rules.Missing != stock.MissingZero || known == nil || len(known.Items) == 0 {
		return nil, 0, nil
	}
	if doubt, _ := stock.Examine(rules, items, known); doubt != nil {
		return nil, 0, nil // nothing will be written at all
	}
	for _, item := range stock.MissingWritten(items, known) {
		found, err := client.Item(ctx, item.Code)
		asked++
		switch {
		case errors.Is(err, kros.ErrCannotAsk):
			continue
		case err != nil:
			return nil, asked, fmt.Errorf("ask KROS for item %q: %w", item.Code, err)
		case len(found) == 0:
			gone = append(gone, item)
		}
	}
	return gone, asked, nil
}

func catalogueLines(items, gone []stock.Item) iter.Seq[snapshot.CatalogueLine] {
	return func(yield func(snapshot.CatalogueLine) bool) {
		for _, item := range items {
			if !yield(snapshot.CatalogueLine{Item: item}) {
				return
			}
		}
		for _, item := range gone {
			if !yield(snapshot.CatalogueLine{Item: item, Gone: true}) {
				return
			}
		}
	}
}

// tidyEvery is after how many passes all of a shop's history is looked at for
// what is too old: about once a day. A history of 90 days has some 8,000
// objects, and to list them takes longer than a small shop's pass.
const tidyEvery = 48

// prune removes what nothing needs from the shop's archive, of its history too
// where wanted, and returns how much that was. A failure to prune is no reason
// to fail a pass.
func (a *Activities) prune(ctx context.Context, shop string, protected []protocol.Ref, history bool) int {
	keep := a.shops.Installation().Snapshots
	removed, err := a.archive.Prune(ctx, shop, snapshot.Retention{
		Catalogues: keep.Keep, Receipts: keep.KeepReceipts, Now: a.now(),
		Protected:    lo.Reject(protected, func(r protocol.Ref, _ int) bool { return r.Zero() }),
		SkipReceipts: !history,
	})
	if err != nil {
		a.log.Warn("cannot prune the archive", "shop", shop, "error", err)
	}
	return removed
}
