package soak

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/samber/lo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/market"
	"github.com/skladom/skladom/standalone/internal/process"
	"github.com/skladom/skladom/standalone/internal/site"
)

// halfHour is how far apart a shop's ticks are by default.
const halfHour = 30 * time.Minute

// TestSoak is the rule: however long shops live and whatever befalls them,
// within one healthy pass each is right, and nothing has piled up.
func TestSoak(t *testing.T) {
	repeatable(t)
	s := newSoak(t)
	require.NoError(t, s.work())
	require.NoError(t, s.activate(), s.tail())
	began := time.Now()
	var measured []point
	for i := range *points {
		meanwhile := func(context.Context) error { return nil }
		if i == 0 {
			meanwhile = s.restart // what is measured is the second worker
		}
		p, err := s.round(*lasts/time.Duration(*points), meanwhile, i == *points-1)
		require.NoError(t, err, s.tail())
		t.Logf("in step after %s: %s", time.Since(began).Round(time.Second), p)
		measured = append(measured, p)
		wrong, err := s.differences()
		require.NoError(t, err)
		require.Empty(t, wrong, s.tail())
	}
	lived := time.Since(began)

	require.NoError(t, s.rest(), s.tail())
	wrong, err := s.judge()
	require.NoError(t, err)
	assert.Empty(t, wrong)
	assert.Empty(t, growth(measured))
	s.looksInto(t, lived, measured)
}

// looksInto judges the histories and what is on the disk, and prints the summary.
func (s *soak) looksInto(t *testing.T, lived time.Duration, measured []point) {
	t.Helper()
	runs, longest, largest, err := s.histories()
	require.NoError(t, err)
	renewals, ofShop := 0, map[string]int{}
	for _, r := range runs {
		assert.Empty(t, r.excess())
		renewals += lo.Ternary(r.renewed, 1, 0)
		ofShop[r.id]++
	}
	for _, shop := range s.market.Shops {
		if passes := s.status[shop.Name].LastPass.Pass; passes > passesOfRun+1 {
			assert.Greater(t, ofShop[protocol.StockSyncID(shop.Name)], 1, "%s had %d passes and was not renewed", shop.Name, passes)
		}
	}
	assert.GreaterOrEqual(t, renewals, len(s.busy()))
	assert.LessOrEqual(t, longest.GetHistoryLength(), int64(eventsOfChild))
	assert.LessOrEqual(t, largest.GetHistorySizeBytes(), int64(bytesOfChild))

	files := []string{clusterFile, clusterFile + "-wal", s.logPath}
	found, err := site.Secrets(s.market.Secrets(), files...)
	require.NoError(t, err)
	assert.Empty(t, found)
	names, err := site.Secrets([]string{s.market.Shops[0].Name}, files...)
	require.NoError(t, err)
	assert.NotEmpty(t, names, "the search found not even the name of a shop")

	most := lo.MaxBy(runs, func(a, b run) bool { return a.events > b.events })
	t.Logf(`seed %d: %d shops, %s, a tick every %s: %.1f hours of a shop's life
  passes         %d, by result: %s
  happened       %s; %d notifications, %d pieces sold and not booked, a worker restarted
  faults         %s
  renewals       %d of %d runs of StockSync
  largest run    StockSync %s
                 SyncPass %d events, and %d KiB
  open timers    at most %d in a run
  memory         %s`,
		*seed, len(s.market.Shops), lived.Round(time.Second), *every, lived.Seconds()/every.Seconds()*halfHour.Hours(),
		lo.Sum(lo.Values(s.results)), counts(s.results),
		counts(s.done), lo.Sum(lo.Values(s.told)), lo.SumBy(s.market.Shops, (*market.Shop).Sold), counts(s.planted),
		renewals, len(runs), most, longest.GetHistoryLength(), largest.GetHistorySizeBytes()>>10,
		lo.MaxBy(runs, func(a, b run) bool { return a.timers > b.timers }).timers,
		strings.Join(lo.Map(measured, func(p point, _ int) string { return p.String() }), "\n                 "))
}

// soak is a market with its one worker.
type soak struct {
	t       *testing.T
	part    process.Part
	queue   string
	log     *os.File
	logPath string
	market  *market.Market
	client  client.Client
	worker  *process.Process
	random  *rand.Rand

	// Of the steps, which come one after the other.
	told   map[string]int64 // notifications, by shop
	paused []*market.Shop   // without an end

	status map[string]protocol.Status // by shop, when last all was healthy

	mu      sync.Mutex
	synced  map[string]int // busy shops
	done    map[string]int
	planted map[string]int // faults, by kind
	results map[string]int // of passes
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	dir := t.TempDir()
	s := &soak{
		t: t, queue: "soak", logPath: filepath.Join(dir, "worker.log"), random: rand.New(rand.NewPCG(*seed, 1)),
		told: map[string]int64{}, status: map[string]protocol.Status{},
		synced: map[string]int{}, done: map[string]int{}, planted: map[string]int{}, results: map[string]int{},
	}
	s.part = process.Part{Worker: &process.Worker{Config: filepath.Join(dir, "conf"), Temporal: cluster.Address(), Queue: s.queue}}
	var err error
	s.log, err = os.Create(s.logPath)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.log.Close() })
	s.client, err = client.NewLazyClient(client.Options{HostPort: cluster.Address(), Logger: host.TemporalLogger(hclog.NewNullLogger())})
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	s.market, err = market.Open(market.Options{Seed: *seed, Name: fmt.Sprintf("soak%d", *seed), Shops: *shops, Rows: rows, Latency: 5 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.market.Close() })
	require.NoError(t, s.market.WriteSettings(s.part.Worker.Config,
		fmt.Sprintf("snapshots { url = %q }\n", "file://"+filepath.ToSlash(filepath.Join(dir, "archive"))),
		func(*market.Shop) string {
			return fmt.Sprintf("schedule = \"@every %s\"\n  webhook { min_gap = %q }", max(*every, leastSchedule), *every/60)
		}))
	return s
}

// rows are small catalogues, and every twentieth is of several pages.
func rows(ith int) int {
	if ith%20 == 5 {
		return 450
	}
	return 25 + 5*(ith%10)
}

func (s *soak) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	return ctx
}

// work starts the worker.
func (s *soak) work() (err error) {
	if s.worker, err = process.Start(s.context(), s.part, s.log); err != nil {
		return err
	}
	s.t.Cleanup(s.worker.Kill)
	return nil
}

// restart has the worker end as it does for a new version, and starts it again.
func (s *soak) restart(ctx context.Context) error {
	wait(ctx, *lasts/time.Duration(2**points))
	s.worker.Stop()
	return s.work()
}

func (s *soak) activate() error {
	return s.each(func(shop *market.Shop) error {
		wait, err := market.Activate(s.context(), s.client, s.queue, shop)
		if err != nil {
			return err
		}
		return wait(s.context())
	})
}

// round lets all shops live, and then come to be in step. Before that, in the
// last one, the busy shops have the machine for themselves until they are renewed.
func (s *soak) round(lasts time.Duration, meanwhile func(context.Context) error, last bool) (point, error) {
	if err := s.inRhythm(func() error { return s.live(lasts, meanwhile) }); err != nil {
		return point{}, err
	}
	for _, shop := range s.busy() {
		for last && s.synced[shop.Name] < chased {
			if err := s.sync(shop); err != nil {
				return point{}, err
			}
		}
	}
	if err := s.inRhythm(s.heal); err != nil {
		return point{}, err
	}
	return s.measure()
}

func (s *soak) count(in map[string]int, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in[what]++
}

// tail is the end of the worker's log.
func (s *soak) tail() string {
	text, _ := os.ReadFile(s.logPath)
	lines := strings.Split(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

func counts(m map[string]int) string {
	return strings.Join(lo.Map(slices.Sorted(maps.Keys(m)), func(k string, _ int) string { return fmt.Sprintf("%s %d", k, m[k]) }), ", ")
}
