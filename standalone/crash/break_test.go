package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/standalone/internal/market"
)

// wreck is what breaks in the archive, and when.
type wreck struct {
	phase  market.Phase    // the newest objects, while a request of this phase waits; "": before the pass
	kept   snapshot.Kind   // or the object of this kind that the pass has just put there
	always bool            // and every further one of the pass
	kinds  []snapshot.Kind // with phase
}

func (w wreck) String() string {
	switch {
	case w.kept != "":
		return string(w.kept) + lo.Ternary(w.always, " kept, always", " kept")
	case w.phase == "":
		return "between passes"
	}
	return string(w.phase)
}

// wrecks come in this order, so that a short run has each once.
var wrecks = []wreck{
	{kept: snapshot.Catalogue}, {}, {phase: market.Updating},
	{kept: snapshot.Plan, always: true}, {phase: market.Fetching}, {kept: snapshot.Receipt},
	{kept: snapshot.Plan}, {phase: market.Matching}, {kept: snapshot.Catalogue, always: true},
}

// TestObjectsOfTheArchiveBreak is the rule: what a pass does not find in the
// archive is worth one new look at KROS. Where it was what the shop was left
// with, that is a first pass and said so; everything else leaves sales as they
// are. No pass guesses, and a healthy one puts the shop right.
func TestObjectsOfTheArchiveBreak(t *testing.T) {
	t.Parallel()
	repeatable(t)
	shops := lo.Ternary(*breaks >= 50, 8, 3)
	var traps traps
	r := newRig(t, rigOptions{
		name: fmt.Sprintf("break-%d", *seed), seed: *seed + 200, shops: shops, workers: 1, address: temporal.Address(),
		rows: func(ith int) int { return 60 + 90*ith }, meet: traps.meet,
	})
	require.NoError(t, r.work())
	require.NoError(t, r.begin(r.market.Shops))
	breakers := lo.Map(r.market.Shops, func(s *market.Shop, i int) *breaker {
		return &breaker{rig: r, shop: s, traps: &traps, chance: random(uint64(200 + i)), seen: map[string]int{}}
	})
	var group errgroup.Group
	for i, b := range breakers {
		group.Go(func() error { return b.run(i, shops, *breaks) })
	}
	require.NoError(t, group.Wait(), r.tail())
	seen := map[string]int{}
	for _, b := range breakers {
		if !assert.Empty(t, b.wrong) {
			t.Log(r.tail())
		}
		for what, n := range b.seen {
			seen[what] += n
		}
	}
	keepsSecrets(t, r.market.Secrets(), temporalFile, r.logPath)
	t.Logf("seed %d: %d breaks in the archive in %s: %s", *seed, *breaks, time.Since(r.began).Round(time.Second), counts(seen))
}

// breaker breaks what lies in the archive of one shop.
type breaker struct {
	rig    *rig
	shop   *market.Shop
	traps  *traps
	chance *rand.Rand

	mu      sync.Mutex
	broken  map[string]bool // keys, of this round
	trouble error

	writes int // seen so far
	wrong  []string
	seen   map[string]int
}

// run breaks every so manieth time of all, and judges what became of the shop.
func (b *breaker) run(first, every, all int) (err error) {
	if _, b.writes, err = b.shop.Excess(0); err != nil { // what is there is the activation's
		return err
	}
	for i := first; i < all; i += every {
		if err := b.round(wrecks[i%len(wrecks)]); err != nil {
			return fmt.Errorf("break %d (%s): %w", i, wrecks[i%len(wrecks)], err)
		}
	}
	ctx := b.rig.context()
	last, err := market.Sync(ctx, b.rig.client, b.shop)
	if err != nil {
		return err
	}
	wrong, passes, err := market.Judge(ctx, b.rig.client, b.shop, last.Pass, true)
	b.wrong = append(b.wrong, wrong...)
	b.seen["passes"] += len(passes)
	return err
}

// round is a pass under which something breaks, and a healthy one.
func (b *breaker) round(w wreck) error {
	b.broken = map[string]bool{}
	for range 2 { // one of them may break nothing that was needed
		w.kinds = append(w.kinds, lo.Sample([]snapshot.Kind{snapshot.Catalogue, snapshot.Plan, snapshot.Receipt}))
	}
	if err := b.shop.Live(20); err != nil {
		return err
	}
	before, err := b.memory()
	if err != nil {
		return err
	}
	report, err := b.passUnder(w)
	if err != nil {
		return err
	}
	if err := b.judgeBroken(w, before, report); err != nil {
		return err
	}
	after, err := b.memory()
	if err != nil {
		return err
	}
	lost := b.hit(after)
	if lost || after.Baseline.Zero() && after.Ledger.Zero() {
		b.shop.Forget()
	}
	healthy, err := market.Sync(b.rig.context(), b.rig.client, b.shop)
	if err != nil {
		return err
	}
	b.expect(healthy.Result == protocol.ResultOK, "the healthy pass %d after it ended %s", healthy.Pass, healthy.Result)
	b.expect(forgot(healthy) == lost, "pass %d, whose memory is lost: %v, warned %q", healthy.Pass, lost, healthy.Warnings)
	return b.inStep(healthy)
}

// passUnder runs a pass while things break.
func (b *breaker) passUnder(w wreck) (protocol.Report, error) {
	end := b.lay(w)
	report, err := market.Sync(b.rig.context(), b.rig.client, b.shop)
	end()
	b.seen[w.String()] += lo.Ternary(len(b.broken) > 0, 1, 0)
	b.seen["objects"] += len(b.broken)
	return report, errors.Join(err, b.trouble)
}

// judgeBroken judges the pass itself.
func (b *breaker) judgeBroken(w wreck, before protocol.Memory, report protocol.Report) error {
	mustForget := w.phase == "" && w.kept == "" && b.hit(before)
	b.expect(!forgot(report) || b.hit(before), "pass %d counts as a first one although nothing of its memory broke", report.Pass)
	b.expect(forgot(report) || !mustForget, "pass %d does not say that its memory is lost", report.Pass)
	if report.Result == protocol.ResultFailed && w.always {
		return b.judgeFailed(report)
	}
	b.expect(report.Result == protocol.ResultOK, "pass %d ended %s: %s", report.Pass, report.Result, lo.FromPtr(report.Failure).Message)
	if forgot(report) {
		b.seen["first passes"]++
		b.shop.Forget()
	}
	return b.inStep(report)
}

// judgeFailed: a pass fails that finds nothing a second time, and says so.
func (b *breaker) judgeFailed(report protocol.Report) error {
	b.seen["failures"]++
	status, err := ask[protocol.Status](b.rig.context(), b.rig, b.shop, protocol.QueryStatus)
	if err != nil {
		return err
	}
	b.expect(status.State == protocol.StateFailing, "after pass %d failed the shop is %s", report.Pass, status.State)
	b.expect(strings.Contains(report.Failure.Message, "from archive") && strings.Contains(report.Failure.Hint, "removes or damages files"),
		"pass %d failed and says %q, %q", report.Pass, report.Failure.Message, report.Failure.Hint)
	_, writes, err := b.shop.Excess(b.writes)
	b.expect(writes == b.writes, "pass %d wrote %d quantities without its plan", report.Pass, writes-b.writes)
	return err
}

// inStep: the shop shows what it must, and was never given more.
func (b *breaker) inStep(report protocol.Report) error {
	differences, err := b.shop.Differences()
	if err != nil {
		return err
	}
	excess, writes, err := b.shop.Excess(b.writes)
	b.writes = writes
	for _, text := range append(differences, excess...) {
		b.expect(false, "after pass %d: %s", report.Pass, text)
	}
	return err
}

func (b *breaker) expect(held bool, format string, args ...any) {
	if !held {
		b.wrong = append(b.wrong, fmt.Sprintf("%s: %s (broken: %v)", b.shop.Name, fmt.Sprintf(format, args...), lo.Keys(b.broken)))
	}
}

func forgot(r protocol.Report) bool { return slices.Contains(r.Warnings, message.MemoryLost) }

func (b *breaker) memory() (protocol.Memory, error) {
	known, err := ask[protocol.Recollection](b.rig.context(), b.rig, b.shop, protocol.QueryMemory)
	return known.Memory, err
}

// hit tells whether something broke that is remembered.
func (b *breaker) hit(m protocol.Memory) bool {
	return lo.SomeBy(append([]protocol.Ref{m.Baseline, m.Ledger}, m.Receipts...), func(r protocol.Ref) bool { return b.broken[r.Key] })
}

// lay prepares a wreck. The function that it returns is called when the pass has
// ended, and breaks what has not come to it.
func (b *breaker) lay(w wreck) (end func()) {
	newest := sync.OnceFunc(func() {
		for _, kind := range w.kinds {
			if all := b.objects(kind); len(all) > 0 {
				b.smash(all[len(all)-1])
			}
		}
	})
	switch {
	case w.kept != "":
		return b.watch(w)
	case w.phase == "":
		newest()
		return func() {}
	}
	remove := b.traps.lay(b.shop, w.phase, 1+b.chance.IntN(2), newest)
	return func() {
		remove()
		newest()
	}
}

// watch smashes what the pass puts into the archive, as soon as it is there.
func (b *breaker) watch(w wreck) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	known := b.objects(w.kept)
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			for _, key := range lo.Without(b.objects(w.kept), known...) {
				b.smash(key)
				if known = append(known, key); !w.always {
					return
				}
			}
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}

// objects are the keys of what passes have archived of a kind, the oldest first.
func (b *breaker) objects(kind snapshot.Kind) []string {
	prefix := b.shop.Name + "/" + string(kind) + "/"
	entries, err := os.ReadDir(filepath.Join(b.rig.archive(), filepath.FromSlash(prefix)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.fail(err)
	}
	return lo.FilterMap(entries, func(e os.DirEntry, _ int) (string, bool) {
		return prefix + e.Name(), strings.HasSuffix(e.Name(), ".zst") && !strings.HasPrefix(e.Name(), "dry-")
	})
}

// smash deletes an object or cuts it short.
func (b *breaker) smash(key string) {
	path := filepath.Join(b.rig.archive(), filepath.FromSlash(key))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken[key] {
		return
	}
	b.broken[key] = true
	info, err := os.Stat(path)
	switch {
	case err != nil:
	case b.chance.IntN(2) == 0:
		err = os.Remove(path)
	default:
		err = os.Truncate(path, b.chance.Int64N(info.Size()))
	}
	b.trouble = errors.Join(b.trouble, err)
}

func (b *breaker) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trouble = errors.Join(b.trouble, err)
}

// traps wait for requests of shops.
type traps struct {
	mu   sync.Mutex
	laid map[*market.Shop]*trap
}

type trap struct {
	phase  market.Phase
	after  int // requests that pass
	spring func()
}

// lay sets the trap of a shop for the nth request of a phase, which waits while
// it springs.
func (t *traps) lay(s *market.Shop, phase market.Phase, nth int, spring func()) (remove func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.laid == nil {
		t.laid = map[*market.Shop]*trap{}
	}
	t.laid[s] = &trap{phase: phase, after: nth - 1, spring: spring}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.laid, s)
	}
}

func (t *traps) meet(s *market.Shop, phase market.Phase) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch laid := t.laid[s]; {
	case laid == nil || laid.phase != phase:
	case laid.after > 0:
		laid.after--
	default:
		delete(t.laid, s)
		laid.spring()
	}
}
