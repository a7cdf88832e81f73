package host

import (
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/config"
)

// How often the configuration files are looked at. Of many files that takes
// long, and a hundredth of the time is enough for it.
const (
	lookEvery    = 2 * time.Second
	maxLookEvery = time.Minute
	lookShare    = 100
)

// nextLook is when to look again after a look that took so long.
func nextLook(took time.Duration) time.Duration {
	return min(max(lookEvery, lookShare*took), maxLookEvery)
}

// follow takes changes of the configuration in until ctx is done: by itself,
// and at once on a hangup, which also tells again what is wrong in the files.
func (h *host) follow(ctx context.Context, hangup <-chan os.Signal) error {
	again := time.NewTimer(lookEvery)
	defer again.Stop()

	w := newWatch(h)
	w.report(h.Shops.Diagnostics())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			h.Logger.Info("reading the configuration again")
			w.reported = nil
		case <-again.C:
		}
		again.Reset(nextLook(w.look(ctx)))
	}
}

// watch is what follow remembers.
type watch struct {
	*host
	reported []config.Diagnostic
	untold   map[string]struct{} // shops whose StockSync does not yet know of their change
}

func newWatch(h *host) *watch { return &watch{host: h, untold: map[string]struct{}{}} }

// look reads what changed and tells those whom it concerns. It returns how long
// the reading took.
func (w *watch) look(ctx context.Context) (took time.Duration) {
	began := time.Now()
	changed, diagnostics := w.Shops.Reload()
	took = time.Since(began)
	w.report(diagnostics)
	if len(changed) > 0 {
		w.Logger.Info("settings changed", "shops", changed)
		w.keys.read(w.Shops.Shops())
	}
	if w.RelayOnly {
		return took // its files need not be those that the workers have
	}
	for _, shop := range changed {
		w.untold[shop] = struct{}{}
	}
	w.tell(ctx)
	return took
}

// tell signals until Temporal fails; the rest is tried at the next look.
func (w *watch) tell(ctx context.Context) {
	for _, shop := range slices.Sorted(maps.Keys(w.untold)) {
		if err := w.tellChanged(ctx, shop); err != nil {
			w.Logger.Warn("trying again: StockSync not told of changed settings", "shop", shop, "error", err)
			return
		}
		delete(w.untold, shop)
	}
}

// report logs what is wrong in the files, each thing once.
func (w *watch) report(now []config.Diagnostic) {
	fresh, mended := lo.Difference(now, w.reported)
	for _, d := range fresh {
		w.Logger.Error("wrong configuration", "file", d.File, "line", d.Line, "message", d.Message)
	}
	if len(now) == 0 && len(mended) > 0 {
		w.Logger.Info("nothing is wrong in the configuration any more")
	}
	w.reported = now
}
