package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/market"
	"github.com/skladom/skladom/standalone/internal/process"
	"github.com/skladom/skladom/standalone/internal/site"
)

// aim is what a kill waits for.
type aim string

const (
	fetch      aim = "fetch"
	match      aim = "match"
	update     aim = "update"
	activation aim = "activation" // a request of one
	renewal    aim = "renewal"    // a StockSync about to continue as new
	anywhere   aim = "anywhere"
)

var aims = map[market.Phase]aim{market.Fetching: fetch, market.Matching: match, market.Updating: update}

// kill is when a process is to go: so long after the nth event of its aim.
type kill struct {
	aim   aim
	nth   int
	after time.Duration
}

// How long a kill waits for what it aims at, and the longest it waits then: a
// request takes about so long, with its answer on the way.
const (
	aimFor = 25 * time.Second
	swing  = 30 * time.Millisecond
)

// plan draws kills. Each aim comes about as often as its place in weights.
func plan(r *rand.Rand, n int, weights ...aim) []kill {
	return lo.Times(n, func(i int) kill {
		k := kill{aim: weights[i%len(weights)], nth: 1 + r.IntN(3), after: time.Duration(r.Int64N(int64(swing)))}
		switch k.aim {
		case anywhere:
			k.after = time.Duration(r.Int64N(int64(2 * time.Second)))
		case renewal:
			k.nth, k.after = 1, k.after/2
		case activation:
			k.nth += 2 * r.IntN(4)
		}
		return k
	})
}

// rigOptions say what a rig is like.
type rigOptions struct {
	name    string
	seed    uint64
	shops   int // of which a third is activated while it is being killed
	workers int // on the one queue
	address string
	rows    func(ith int) int

	schedule string // "": none that comes
	// meet, if not nil, hears every request as well, and may keep it waiting.
	meet func(*market.Shop, market.Phase)
}

// rig is a queue with its workers, and the shops that they serve.
type rig struct {
	rigOptions
	t       *testing.T
	dir     string
	logPath string
	log     *os.File
	market  *market.Market
	client  client.Client
	workers []*process.Process
	heard   chan aim
	began   time.Time

	mu      sync.Mutex
	waiting map[string]bool // shops that are not yet active
	waits   []func(context.Context) error
	sent    map[string]int64 // notifications
	aimed   map[aim]int
	caught  map[string]int // what was under way when a process went
	missed  int            // kills whose aim never came
}

func newRig(t *testing.T, o rigOptions) *rig {
	t.Helper()
	r := &rig{
		rigOptions: o, t: t, dir: t.TempDir(), heard: make(chan aim, 1000), began: time.Now(), client: dial(t, o.address),
		waiting: map[string]bool{}, sent: map[string]int64{}, aimed: map[aim]int{}, caught: map[string]int{},
	}
	var err error
	r.logPath = filepath.Join(r.dir, "workers.log")
	r.log, err = os.Create(r.logPath)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.log.Close() })
	r.market, err = market.Open(market.Options{
		Seed: o.seed, Name: o.name, Shops: o.shops, Rows: o.rows, Latency: 20 * time.Millisecond, Hear: r.hear,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.market.Close() })
	for _, s := range r.market.Shops {
		r.waiting[s.Name] = true
	}
	require.NoError(t, r.market.WriteSettings(filepath.Join(r.dir, "conf"),
		fmt.Sprintf("snapshots { url = %q }\n", r.archiveURL()),
		func(*market.Shop) string {
			return fmt.Sprintf("schedule = %q\n  webhook { min_gap = \"0s\" }", cmp.Or(o.schedule, "0 3 29 2 *"))
		}))
	return r
}

// hear tells what the shops are at; whoever does not listen misses it.
func (r *rig) hear(s *market.Shop, phase market.Phase, _ *http.Request) {
	if r.meet != nil {
		r.meet(s, phase)
	}
	what, known := aims[phase]
	r.mu.Lock()
	if r.waiting[s.Name] {
		what, known = activation, true
	}
	r.mu.Unlock()
	if known {
		r.tell(what)
	}
}

func (r *rig) tell(what aim) {
	select {
	case r.heard <- what:
	default:
	}
}

func (r *rig) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.t.Cleanup(cancel)
	return ctx
}

// work starts all workers.
func (r *rig) work() error {
	for range r.rigOptions.workers {
		w, err := r.worker()
		if err != nil {
			return err
		}
		r.workers = append(r.workers, w)
	}
	r.t.Cleanup(func() {
		for _, w := range r.workers {
			w.Kill()
		}
	})
	return nil
}

func (r *rig) worker() (*process.Process, error) {
	w, err := process.Start(r.context(), process.Part{Worker: &process.Worker{
		Config: filepath.Join(r.dir, "conf"), Temporal: r.address, Queue: "queue-" + r.name,
	}}, struct{ io.Writer }{r.log}) // a pipe: a worker whose files may not grow has its log all the same
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	go func() {
		for range w.Renewing {
			r.tell(renewal)
		}
	}()
	return w, nil
}

func (r *rig) archive() string { return filepath.Join(r.dir, "archive") }

func (r *rig) archiveURL() string { return "file://" + filepath.ToSlash(r.archive()) }

// activate begins to activate a shop.
func (r *rig) activate(s *market.Shop) error {
	wait, err := market.Activate(r.context(), r.client, "queue-"+r.name, s)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		err := wait(r.context())
		r.mu.Lock()
		delete(r.waiting, s.Name)
		r.mu.Unlock()
		done <- err
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits = append(r.waits, func(ctx context.Context) error {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return fmt.Errorf("wait for the activation of %s: %w", s.Name, context.Cause(ctx))
		}
	})
	return nil
}

// begin activates shops and waits for it.
func (r *rig) begin(shops []*market.Shop) error {
	for _, s := range shops {
		if err := r.activate(s); err != nil {
			return err
		}
	}
	return r.settled()
}

// settled waits for all activations that were begun.
func (r *rig) settled() error {
	r.mu.Lock()
	waits := r.waits
	r.waits = nil
	r.mu.Unlock()
	for _, wait := range waits {
		if err := wait(r.context()); err != nil {
			return err
		}
	}
	return nil
}

// live lets the shops live until ctx ends, each change followed by a
// notification. The first two live most: they come to be renewed.
func (r *rig) live(ctx context.Context, random *rand.Rand, every time.Duration) error {
	for {
		s := r.market.Shops[random.IntN(len(r.market.Shops))]
		if random.IntN(2) == 0 {
			s = r.market.Shops[random.IntN(min(2, len(r.market.Shops)))]
		}
		changes := 1 + random.IntN(6)
		if s.Items() > 500 {
			changes = 3 * s.Items() // more than one batch
		}
		if r.isActive(s) {
			if err := s.Live(changes); err != nil {
				return err
			}
			if err := market.Signal(context.WithoutCancel(ctx), r.client, s); err != nil {
				return fmt.Errorf("signal %s: %w", s.Name, err)
			}
			r.mu.Lock()
			r.sent[s.Name]++
			r.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

func (r *rig) isActive(s *market.Shop) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.waiting[s.Name]
}

// aimAt waits for the moment of a kill.
func (r *rig) aimAt(k kill) {
	for len(r.heard) > 0 {
		<-r.heard
	}
	late := time.After(aimFor)
	for seen := 0; k.aim != anywhere && seen < k.nth; {
		select {
		case what := <-r.heard:
			seen += lo.Ternary(what == k.aim, 1, 0)
		case <-late:
			r.missed++
			return
		}
	}
	time.Sleep(k.after) // the moment that was drawn
}

// victim kills the nth time, brings back what it killed, and tells what was caught.
type victim func(nth int) (caught map[string]int, err error)

// strike runs the kills, one after the other.
func (r *rig) strike(kills []kill, victim victim) error {
	for i, k := range kills {
		if k.aim == activation {
			if s, found := r.next(); found {
				if err := r.activate(s); err != nil {
					return err
				}
			} else {
				k.aim = fetch
			}
		}
		r.aimAt(k)
		caught, err := victim(i)
		if err != nil {
			return err
		}
		r.aimed[k.aim]++
		for what, n := range caught {
			r.caught[what] += n
		}
		r.t.Logf("%s, after %s: kill %d, aimed at %s %d, caught %s", r.name, time.Since(r.began).Round(time.Millisecond), i, k.aim, k.nth, counts(caught))
	}
	return nil
}

// next is a shop that nobody has begun to activate.
func (r *rig) next() (*market.Shop, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return lo.Find(r.market.Shops, func(s *market.Shop) bool {
		return r.waiting[s.Name] && s.KROS.State().Requests == 0
	})
}

// killWorker kills the workers in turn, and starts another one.
func (r *rig) killWorker(nth int) (caught map[string]int, err error) {
	i := nth % len(r.workers)
	r.workers[i].Kill()
	if caught, err = r.underWay(); err != nil {
		return nil, err
	}
	w, err := r.worker()
	if err == nil {
		r.workers[i] = w
	}
	return caught, err
}

// underWay is what workers have taken on and not ended, by the names of
// activities; or by the workflow, where that is between two of them.
func (r *rig) underWay() (map[string]int, error) {
	found := map[string]int{}
	for _, s := range r.market.Shops {
		for _, id := range []string{protocol.SyncPassID(s.Name), protocol.ActivateID(s.Name)} {
			described, err := r.client.DescribeWorkflowExecution(r.context(), id, "")
			switch {
			case errors.As(err, new(*serviceerror.NotFound)):
				continue
			case err != nil:
				return nil, err
			case described.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING:
				continue
			}
			started := lo.Filter(described.GetPendingActivities(), func(a *workflow.PendingActivityInfo, _ int) bool {
				return a.GetState() == enums.PENDING_ACTIVITY_STATE_STARTED
			})
			if len(started) == 0 {
				found[described.GetWorkflowExecutionInfo().GetType().GetName()]++
			}
			for _, a := range started {
				found[a.GetActivityType().GetName()]++
			}
		}
	}
	return found, nil
}

// run has shops activated, lets them live while processes are killed, and
// returns when the last one was.
func (r *rig) run(random *rand.Rand, kills []kill, victim victim, pace time.Duration) error {
	first := lo.Slice(r.market.Shops, 0, (2*len(r.market.Shops)+2)/3)
	if err := r.begin(first); err != nil {
		return err
	}
	living, enough := context.WithCancel(context.Background())
	var life errgroup.Group
	life.Go(func() error { return r.live(living, random, pace) })
	err := r.strike(kills, victim)
	enough()
	if lifeErr := life.Wait(); err == nil {
		err = lifeErr
	}
	return err
}

// judge has every shop synced once, and says what is wrong.
func (r *rig) judge() (wrong []string, passes, runs int, err error) {
	for {
		s, found := r.next()
		if !found {
			break
		}
		if err := r.activate(s); err != nil {
			return nil, 0, 0, err
		}
	}
	if err := r.settled(); err != nil {
		return nil, 0, 0, err
	}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(4)
	for _, s := range r.market.Shops {
		group.Go(func() error {
			found, all, renewed, err := r.judgeShop(s)
			mu.Lock()
			defer mu.Unlock()
			wrong, passes, runs = append(wrong, found...), passes+all, runs+renewed
			return err
		})
	}
	return wrong, passes, runs, group.Wait()
}

func (r *rig) judgeShop(s *market.Shop) (wrong []string, passes, renewed int, err error) {
	ctx := r.context()
	last, err := market.Sync(ctx, r.client, s)
	if err != nil {
		return nil, 0, 0, err
	}
	wrong, all, err := market.Judge(ctx, r.client, s, last.Pass, false)
	if err != nil {
		return nil, 0, 0, err
	}
	status, err := ask[protocol.Status](ctx, r, s, protocol.QueryStatus)
	if err != nil {
		return nil, 0, 0, err
	}
	if status.State != protocol.StateActive {
		wrong = append(wrong, fmt.Sprintf("%s is %s", s.Name, status.State))
	}
	if status.Notifications.Count != r.sent[s.Name] {
		wrong = append(wrong, fmt.Sprintf("%s counted %d notifications of %d", s.Name, status.Notifications.Count, r.sent[s.Name]))
	}
	counted, err := r.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowId = %q", protocol.StockSyncID(s.Name)),
	})
	if err != nil {
		return nil, 0, 0, err
	}
	return wrong, len(all), int(counted.GetCount()) - 1, nil
}

// ask queries a shop's StockSync.
func ask[Answer any](ctx context.Context, r *rig, s *market.Shop, query string) (answer Answer, err error) {
	err = site.Query(ctx, r.client, s.Name, query, &answer)
	return answer, err
}

// tail is the end of the log of the workers.
func (r *rig) tail() string {
	text, _ := os.ReadFile(r.logPath)
	lines := strings.Split(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

func counts[K ~string](m map[K]int) string {
	return strings.Join(lo.Map(slices.Sorted(maps.Keys(m)), func(k K, _ int) string { return fmt.Sprintf("%s %d", k, m[k]) }), ", ")
}
