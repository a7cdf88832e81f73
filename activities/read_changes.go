package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// overlap is how far before the last reading changes are asked for. It covers a
// timestamp that KROS means in the time of Slovakia or of anywhere near, clocks
// that differ, and bookings that take a while.
const overlap = 3 * time.Hour

// readChanges reads what KROS says has changed since the baseline was read, and
// puts it into the baseline.
func readChanges(ctx context.Context, client *kros.Client, options kros.SweepOptions, m protocol.Memory, baseline []stock.Item) (kros.Sweep, error) {
	options.ChangedSince, options.Expected = m.ReadAt.Add(-overlap), 0
	sweep, err := client.Sweep(ctx, options)
	if err != nil {
		return kros.Sweep{}, fmt.Errorf("read the changes since %s: %w", options.ChangedSince.UTC().Format(time.RFC3339), err)
	}
	sweep.Items = stock.Merge(baseline, sweep.Items)
	return sweep, nil
}

// judgeFilter compares what a whole sweep of items found moved with what KROS's
// filter shows. It is asked after the sweep, so what it does not show was not changed
// to it. Only sweeps that found something say anything.
func judgeFilter(ctx context.Context, client *kros.Client, options kros.SweepOptions, m protocol.Memory, items []stock.Item, moved []*stock.Item) (f protocol.Filter, requests int, warning string, err error) {
	f = m.Filter
	if f.Refuted || m.SweptAt.IsZero() || len(moved) == 0 {
		return f, 0, "", nil
	}
	options.ChangedSince, options.Expected, options.Progress = m.SweptAt.Add(-overlap), 0, nil
	shown, err := client.Sweep(ctx, options)
	if kind := kros.KindOf(err); kind == kros.Invalid || kind == kros.NotFound {
		return protocol.Filter{Refuted: true}, 1, "", nil // this KROS has no such filter
	}
	if kind := kros.KindOf(err); kind == kros.Unavailable || kind == kros.BadResponse {
		// The sweep before it was whole: a filter that does not answer fails no
		// pass. It has to prove itself anew.
		if f.Proven() {
			warning = message.FilterSilent
		}
		return protocol.Filter{}, shown.Requests, warning, nil
	}
	if err != nil {
		return f, 0, "", fmt.Errorf("ask KROS what has changed: %w", err)
	}
	switch hidden := stock.CountHidden(shown.Items, moved); {
	case hidden > 0 && f.Proven():
		return protocol.Filter{Refuted: true}, shown.Requests, message.FilterWrong(hidden, len(moved)), nil
	case hidden > 0, 2*len(shown.Items) > len(items) && 4*len(moved) < len(items):
		return protocol.Filter{Refuted: true}, shown.Requests, "", nil
	}
	f.Agreed = min(f.Agreed+1, protocol.FilterProof)
	return f, shown.Requests, "", nil
}

// deltaPossible tells whether reading changes is enough: the filter has proved
// itself, the baseline is there, and its reading is known.
func deltaPossible(memory protocol.Memory, baseline []stock.Item) bool {
	return memory.Filter.Proven() && !memory.ReadAt.IsZero() && len(baseline) > 0
}

func warnings(texts ...string) []string { return lo.Compact(texts) }
