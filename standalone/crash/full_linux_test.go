package crash

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/standalone/internal/market"
	"github.com/skladom/skladom/standalone/internal/process"
)

// want is how little room the disk has left, for one file, and from when on.
type want struct {
	share float64      // of the largest object that the archive has; what is larger is cut short
	phase market.Phase // "": before the pass
}

// TestTheDiskOfTheArchiveIsFull is the rule: a pass whose objects do not fit
// into the archive fails and says what to do, no half object is ever taken for
// one, nothing is written that was not planned in the archive, customers may
// buy meanwhile, and when there is room the shop goes on by itself.
func TestTheDiskOfTheArchiveIsFull(t *testing.T) {
	t.Parallel()
	repeatable(t)
	many := *breaks / 3
	disks := max(1, many/8)
	seen := make([]map[string]int, disks)
	began := time.Now()
	t.Run("disks", func(t *testing.T) {
		for i := range disks {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				seen[i] = fillDisk(t, i, max(2, (many+i)/disks))
			})
		}
	})
	all := map[string]int{}
	for _, one := range seen {
		for what, n := range one {
			all[what] += n
		}
	}
	t.Logf("seed %d: %d disks filled in %s: %s", *seed, disks, time.Since(began).Round(time.Second), counts(all))
}

func fillDisk(t *testing.T, ith, times int) map[string]int {
	t.Helper()
	var traps traps
	r := newRig(t, rigOptions{
		name: fmt.Sprintf("full%d-%d", ith, *seed), seed: *seed + uint64(300+ith), shops: 1, workers: 1, address: temporal.Address(),
		rows: func(int) int { return 80 + 120*ith }, meet: traps.meet, schedule: "@every 1m",
	})
	require.NoError(t, r.work())
	require.NoError(t, r.begin(r.market.Shops))
	archive, err := snapshot.Open(r.context(), r.archiveURL())
	require.NoError(t, err)
	t.Cleanup(func() { _ = archive.Close() })
	d := &disk{rig: r, shop: r.market.Shops[0], traps: &traps, archive: archive, chance: random(uint64(300 + ith)), seen: map[string]int{}}
	require.NoError(t, d.run(times), r.tail())
	if !assert.Empty(t, d.wrong) {
		t.Log(r.tail())
	}
	keepsSecrets(t, r.market.Secrets(), temporalFile, r.logPath)
	return d.seen
}

// disk is the disk of one worker, which has one shop.
type disk struct {
	rig     *rig
	shop    *market.Shop
	traps   *traps
	archive *snapshot.Archive
	chance  *rand.Rand
	wrong   []string
	seen    map[string]int
}

// run fills the disk so often. The first time nothing fits, then nothing fits
// any more once quantities are written, then it is as it comes.
func (d *disk) run(times int) error {
	phases := []market.Phase{"", market.Fetching, market.Matching, market.Updating}
	wants := append([]want{{}, {phase: market.Updating}}, lo.Times(times, func(int) want {
		return want{share: d.chance.Float64(), phase: phases[d.chance.IntN(len(phases))]}
	})...)
	for i, w := range wants[:times] {
		if err := d.round(w, i < 2, i == times-1); err != nil {
			return fmt.Errorf("full disk %d (%+v): %w", i, w, err)
		}
	}
	ctx := d.rig.context()
	last, err := d.status()
	if err != nil {
		return err
	}
	wrong, passes, err := market.Judge(ctx, d.rig.client, d.shop, last.LastPass.Pass, true)
	d.wrong = append(d.wrong, wrong...)
	d.seen["passes"] += len(passes)
	return err
}

// round fills the disk under a pass, lets customers buy, and makes room again.
func (d *disk) round(w want, mustFail, last bool) error {
	if err := d.shop.Live(20); err != nil {
		return err
	}
	before, err := d.status()
	if err != nil {
		return err
	}
	remove, err := d.fill(w)
	if err != nil {
		return err
	}
	living, enough := context.WithCancel(context.Background())
	defer enough()
	var life errgroup.Group
	life.Go(func() error { return d.live(living, w) })
	if err := market.Signal(d.rig.context(), d.rig.client, d.shop); err != nil {
		return err
	}
	status, err := d.await("a pass under a full disk", func(s protocol.Status) bool { return s.LastPass.Pass > before.LastPass.Pass })
	if err != nil {
		return err
	}
	remove()
	d.expect(status.LastPass.Result == protocol.ResultFailed || !mustFail, "pass %d ended well on a full disk", status.LastPass.Pass)
	if status.LastPass.Result == protocol.ResultFailed {
		if err := d.judgeFailed(status); err != nil {
			return err
		}
	}
	d.seen["passes that "+lo.Ternary(status.LastPass.Result == protocol.ResultOK, "had room enough", "failed")]++
	enough()
	if err := life.Wait(); err != nil {
		return err
	}
	return d.recover(last)
}

// recover makes room. In the end nobody tells the shop to go on.
func (d *disk) recover(byItself bool) error {
	room := time.Now()
	if err := d.rig.workers[0].LimitFiles(process.NoLimit); err != nil {
		return err
	}
	if !byItself {
		if err := market.Signal(d.rig.context(), d.rig.client, d.shop); err != nil {
			return err
		}
	}
	_, err := d.await("a pass after there is room", func(s protocol.Status) bool {
		return s.LastPass.StartedAt.After(room) && s.LastPass.Result == protocol.ResultOK && s.State == protocol.StateActive
	})
	if err != nil {
		return err
	}
	differences, err := d.shop.Differences()
	d.wrong = append(d.wrong, differences...)
	if err != nil {
		return err
	}
	return d.whole()
}

// fill fills the disk, or lays a trap that does.
func (d *disk) fill(w want) (remove func(), err error) {
	largest := int64(0)
	err = d.each(func(e snapshot.Entry) { largest = max(largest, e.Size) })
	if err != nil {
		return nil, err
	}
	room := uint64(w.share * float64(largest))
	limit := func() {
		if err := d.rig.workers[0].LimitFiles(room); err != nil {
			d.rig.t.Error(err)
		}
	}
	if w.phase == "" {
		limit()
		return func() {}, nil
	}
	return d.traps.lay(d.shop, w.phase, 1, limit), nil
}

// unlikeAnyWrite is more pieces than arrive of anything between two passes.
const unlikeAnyWrite = 25

// live lets customers buy and KROS change while the disk is full. Where only the
// receipt is missing a sale is of no number by which a write may raise a
// product: of one that shows what it had before, the rules take it that it was
// not written (docs/rules.md, 4), and a sale of just as much would be missed.
func (d *disk) live(ctx context.Context, w want) error {
	written := len(d.shop.Writings())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(250 * time.Millisecond):
		}
		if w.phase == market.Updating {
			if len(d.shop.Writings()) == written {
				continue
			}
			_, err := d.shop.Sell(10, unlikeAnyWrite)
			return err
		}
		if err := d.shop.Live(2); err != nil {
			return err
		}
	}
}

// judgeFailed: the merchant and the operator learn what is full and what to do,
// and the shop was not written to unless the plan is kept.
func (d *disk) judgeFailed(status protocol.Status) error {
	report := status.LastPass
	d.expect(status.State == protocol.StateFailing, "after pass %d failed the shop is %s", report.Pass, status.State)
	want := fmt.Sprintf("The pass could not be finished: the archive at %s cannot be written: file too large.", d.rig.archiveURL())
	d.expect(report.Failure.Message == want, "pass %d says %q", report.Pass, report.Failure.Message)
	d.expect(status.Reason != nil && status.Reason.Message == want && strings.Contains(status.Reason.Hint, "make room at snapshots.url"),
		"the shop's reason is %+v", status.Reason)
	planned, received := false, false
	err := d.each(func(e snapshot.Entry) {
		planned = planned || e.Kind == snapshot.Plan && e.Pass == report.Pass && !e.DryRun
		received = received || e.Kind == snapshot.Receipt && e.Pass == report.Pass
	})
	wrote := lo.CountBy(d.shop.Writings(), func(w market.Writing) bool {
		return w.Began.After(report.StartedAt) && w.Began.Before(report.FinishedAt)
	})
	d.expect(planned || wrote == 0, "pass %d wrote %d times, and its plan is not in the archive", report.Pass, wrote)
	d.expect(planned == (wrote > 0), "pass %d has a plan, wrote %d times, and failed", report.Pass, wrote)
	d.expect(!received, "pass %d has its receipt, and failed", report.Pass)
	d.seen[lo.Ternary(planned, "failed without a receipt", "failed without a plan")]++
	return err
}

// whole: every object can be read to its end, and nothing else lies about.
func (d *disk) whole() error {
	err := d.each(func(e snapshot.Entry) {
		_, err := d.archive.Ref(d.rig.context(), e.Key)
		d.expect(err == nil, "%s is in the archive, and: %v", e.Key, err)
		d.seen["objects read"]++
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(d.rig.archive(), func(path string, entry fs.DirEntry, err error) error {
		d.expect(err != nil || !strings.HasSuffix(path, ".tmp"), "%s was left", path)
		return err
	})
}

func (d *disk) each(do func(snapshot.Entry)) error {
	for _, kind := range []snapshot.Kind{snapshot.Catalogue, snapshot.Plan, snapshot.Receipt, snapshot.Receipts, snapshot.Pass} {
		all, err := d.archive.List(d.rig.context(), d.shop.Name, kind)
		if err != nil {
			return err
		}
		for _, e := range all {
			do(e)
		}
	}
	return nil
}

func (d *disk) status() (protocol.Status, error) {
	return ask[protocol.Status](d.rig.context(), d.rig, d.shop, protocol.QueryStatus)
}

// await waits until the shop's status is as it is to be.
func (d *disk) await(what string, is func(protocol.Status) bool) (protocol.Status, error) {
	ctx := d.rig.context()
	for {
		status, err := ask[protocol.Status](ctx, d.rig, d.shop, protocol.QueryStatus)
		if err != nil || status.LastPass != nil && is(status) {
			return status, err
		}
		select {
		case <-ctx.Done():
			return status, fmt.Errorf("wait for %s, and the shop is %s, last pass %+v: %w", what, status.State, status.LastPass, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *disk) expect(held bool, format string, args ...any) {
	if !held {
		d.wrong = append(d.wrong, d.shop.Name+": "+fmt.Sprintf(format, args...))
	}
}
