package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/hashicorp/go-hclog"
	"github.com/rs/zerolog"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/standalone/server"
	"github.com/skladom/skladom/testsuite/krossim"
)

const (
	namespace = "default"
	queue     = "skladom"
	// secret is a part of every token, so that one search finds them all.
	secret = "tajnost-4f7c1e"
	// patience bounds a whole sequence.
	patience = 20 * time.Minute
	// longestWait is how long the product lets a side keep it waiting.
	longestWait = 15 * time.Minute
)

// Ground is where sequences are played: one Temporal server, one worker, one
// archive, and a network for every shop.
type Ground struct {
	dir     string
	server  *server.Server
	client  client.Client
	stop    func()
	network *toxiproxy.ApiServer
	log     *watch
}

// Open starts everything. dir takes the configuration and the archive.
func Open(ctx context.Context, dir string) (_ *Ground, err error) {
	g := &Ground{dir: dir, log: newWatch(), network: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	defer func() {
		if err != nil {
			g.Close()
		}
	}()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some toxics log to the screen
	if g.server, err = server.Start(ctx, server.Options{UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes()}); err != nil {
		return nil, err
	}
	logger := hclog.New(&hclog.LoggerOptions{Output: g.log, Level: hclog.Debug})
	if g.client, err = client.Dial(client.Options{HostPort: g.server.Address(), Logger: logger.Named("temporal")}); err != nil {
		return nil, err
	}
	installation := fmt.Sprintf("temporal { task_queue = %q }\nsnapshots { url = \"file://%s\" }\n", queue, filepath.Join(dir, "archive"))
	if err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "archive"), 0o700), os.MkdirAll(filepath.Join(dir, "conf", "shops"), 0o700),
		os.WriteFile(filepath.Join(dir, "conf", "skladom.hcl"), []byte(installation), 0o600),
	); err != nil {
		return nil, err
	}
	g.stop, err = site.Worker{
		Client: g.client, Dir: filepath.Join(dir, "conf"), Queue: queue,
		Getenv: func(string) (string, bool) { return "", false }, Logger: logger.Named("skladom"),
	}.Start(ctx)
	return g, err
}

// Close stops everything.
func (g *Ground) Close() {
	if g.stop != nil {
		g.stop()
	}
	if g.client != nil {
		g.client.Close()
	}
	if g.server != nil {
		g.server.Stop()
	}
}

// Played is what a sequence was like.
type Played struct {
	Results   map[string]int // passes, by result or failure
	Met       map[string]int // faults that came to a request, by kind
	Requests  int            // to both sides
	Writes    int            // quantities that were changed
	Histories int
}

// Broken is what did not hold in a sequence.
type Broken struct { //nolint:errname // it says what it is
	Sequence Sequence
	Faults   []string
	Passes   []string // what they reported
	Log      string   // its last lines
}

func (b *Broken) Error() string { return strings.Join(b.Faults, "\n") }

// Play plays a sequence. The error is a *Broken where something did not hold.
func (g *Ground) Play(ctx context.Context, seq Sequence) (Played, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	name := fmt.Sprintf("seq-%d", seq.Seed)
	w, err := newWorld(seq, g.network, secret+"-kros-"+name, secret+"-shop-"+name)
	if err != nil {
		return Played{}, err
	}
	defer w.close()
	p := &play{g: g, w: w, shop: name, seq: seq, judge: newJudge(w), played: Played{Results: map[string]int{}, Met: map[string]int{}}}
	defer p.leave()
	if err := p.configure(); err != nil {
		return p.played, err
	}
	if err := p.run(ctx); err != nil {
		p.judge.fault("%v", err)
	}
	p.judge.limits()
	if err := p.secrets(); err != nil {
		p.judge.fault("%v", err)
	}
	p.count()
	if len(p.judge.broken) > 0 {
		return p.played, &Broken{Sequence: seq, Faults: p.judge.broken, Passes: p.passes, Log: g.log.of(name)}
	}
	return p.played, nil
}

// play is one sequence under way.
type play struct {
	g      *Ground
	w      *world
	shop   string
	seq    Sequence
	judge  *judge
	played Played
	passes []string
	runs   []string // of ActivateConnection
	active bool     // StockSync runs
}

func (p *play) file() string { return filepath.Join(p.g.dir, "conf", "shops", p.shop+".hcl") }

func (p *play) configure() error {
	s := p.seq.Settings
	var text strings.Builder
	fmt.Fprintf(&text, "match = %q\n  quantity = %q\n  decimals = %d\n  missing = %q\n  sold_hold = %q\n  schedule = \"0 3 29 2 *\"\n  webhook { min_gap = \"1s\" }\n",
		s.Match, s.Quantity, s.Decimals, p.seq.Missing, p.seq.SoldHold)
	if s.Buffer != "" {
		fmt.Fprintf(&text, "  buffer = %s\n", s.Buffer)
	}
	if s.UnitDecimals != nil {
		fmt.Fprint(&text, "  unit_decimals = { kg = 3, m = 2 }\n")
	}
	if p.seq.Guard != "" {
		fmt.Fprintf(&text, "  guard {\n    %s\n  }\n", p.seq.Guard)
	}
	warehouses := ""
	if len(s.Warehouses) > 0 {
		warehouses = fmt.Sprintf("warehouses = [\"%s\"]", strings.Join(s.Warehouses, `", "`))
	}
	return os.WriteFile(p.file(), []byte(site.Shop{
		Name: p.shop, KrosURL: p.w.ends[Kros].url(), ShopURL: p.w.ends[Shop].url(),
		KrosKey: fmt.Sprintf("%q", p.w.ends[Kros].token), ShopToken: p.w.ends[Shop].token,
		InKros: warehouses, Lines: text.String(),
	}.HCL()), 0o600)
}

// leave takes the shop away, so that the next one finds a small house.
func (p *play) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if p.active {
		_ = site.Update(ctx, p.g.client, p.shop, protocol.UpdateDeactivate, nil)
	}
	_ = os.Remove(p.file())
	_ = os.RemoveAll(filepath.Join(p.g.dir, "archive", p.shop))
}

func (p *play) run(ctx context.Context) error {
	p.w.kros.SetMoving(p.seq.Moving, p.seq.Shuffle)
	if len(p.seq.Activation) > 0 {
		if err := p.troubled(ctx, Pass{Kind: doActivate, Faults: p.seq.Activation}); err != nil {
			return fmt.Errorf("activate in trouble: %w", err)
		}
	}
	if !p.active {
		p.w.kros.SetMoving(0, false)
		if err := p.settle(ctx); err != nil {
			return fmt.Errorf("activate: %w", err)
		}
		p.w.kros.SetMoving(p.seq.Moving, p.seq.Shuffle)
	}
	p.judge.remember()
	if err := p.learn(ctx); err != nil {
		return fmt.Errorf("let the filter prove itself: %w", err)
	}
	for i, pass := range p.seq.Passes {
		if err := p.troubled(ctx, pass); err != nil {
			return fmt.Errorf("pass %d in trouble: %w", i+1, err)
		}
	}
	p.w.kros.SetMoving(0, false)
	before := p.w.quantities()
	if err := p.settle(ctx); err != nil {
		return fmt.Errorf("all is healthy again: %w", err)
	}
	p.judge.inStep(before)
	return p.quiet(ctx)
}

// troubled runs one pass with its faults and events. Whatever comes of it is
// right, as long as nothing wrong is written.
func (p *play) troubled(ctx context.Context, pass Pass) error {
	if err := p.w.begin(pass.Faults, pass.Events); err != nil {
		return err
	}
	lifts, stop := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	for _, f := range pass.Faults {
		if f.Lift > 0 {
			helpers.Go(func() {
				if sleep(lifts, f.Lift) {
					p.w.heal(lifts, f.Side)
				}
			})
		}
	}
	var hurried error
	helpers.Go(func() { hurried = p.hurry(lifts) })
	_, err := p.do(ctx, pass.Kind)
	stop()
	helpers.Wait()
	return errors.Join(err, hurried, p.w.end(ctx))
}

// do does what a person does and judges the pass that comes of it.
func (p *play) do(ctx context.Context, kind string) (report protocol.Report, err error) {
	begun := time.Now()
	switch {
	case kind == doActivate || !p.active:
		report, err = p.activate(ctx)
	case kind == doApprove:
		report, err = p.approve(ctx)
	case kind == doNotify:
		report, err = p.notified(ctx)
	default:
		err = site.Update(ctx, p.g.client, p.shop, protocol.UpdateSync, &report, protocol.SyncRequest{})
	}
	if err != nil {
		return report, err
	}
	p.note(kind, report, time.Since(begun))
	p.judge.report(report)
	p.judge.pass(begun)
	return report, nil
}

func (p *play) note(kind string, r protocol.Report, took time.Duration) {
	result := string(r.Result)
	if r.Failure != nil {
		result += " " + string(r.Failure.Code)
	}
	if r.Mode == protocol.ModeDelta {
		result += " of changes only"
	}
	p.played.Results[result]++
	text := fmt.Sprintf("%s: pass %d %s after %.1f s: %d items, %d updated, %d unchanged, %d unmatched, %d ambiguous, %d skipped, %d rejected, %d held, %d missing, %d conflicts",
		kind, r.Pass, result, took.Seconds(), r.KrosItems, r.Updated, r.Unchanged, r.Unmatched, r.Ambiguous, r.Skipped, r.Rejected, r.Held, r.Missing, r.Conflicts)
	if r.Failure != nil {
		text += ": " + r.Failure.Message
	}
	p.passes = append(p.passes, text)
}

// activate connects the shop and waits for the first pass. The report of a
// failed activation has its failure.
func (p *play) activate(ctx context.Context) (protocol.Report, error) {
	run, err := p.g.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: protocol.ActivateID(p.shop), TaskQueue: queue},
		protocol.ActivateConnection, protocol.ActivateRequest{Shop: p.shop})
	if err != nil {
		return protocol.Report{}, fmt.Errorf("start the activation: %w", err)
	}
	p.runs = append(p.runs, run.GetRunID())
	var activation protocol.Activation
	if err := run.Get(ctx, &activation); err != nil {
		return protocol.Report{}, fmt.Errorf("activate: %w", err)
	}
	if activation.Failure != nil {
		return protocol.Report{Result: protocol.ResultFailed, Failure: activation.Failure}, nil
	}
	p.active = true
	var report protocol.Report
	err = site.Update(ctx, p.g.client, p.shop, protocol.UpdateSync, &report, protocol.SyncRequest{Activation: activation.ID})
	return report, err
}

// approve says yes to what is held, and syncs where nothing is.
func (p *play) approve(ctx context.Context) (report protocol.Report, err error) {
	var known protocol.Recollection
	if err := site.Query(ctx, p.g.client, p.shop, protocol.QueryMemory, &known); err != nil {
		return report, err
	}
	if known.Hold == nil {
		err = site.Update(ctx, p.g.client, p.shop, protocol.UpdateSync, &report, protocol.SyncRequest{})
		return report, err
	}
	err = site.Update(ctx, p.g.client, p.shop, protocol.UpdateApprove, &report, protocol.AnswerRequest{Hash: known.Hold.Hash, By: "Jana"})
	return report, err
}

// notified has KROS notify and waits for the pass that comes of it.
func (p *play) notified(ctx context.Context) (protocol.Report, error) {
	var status protocol.Status
	if err := site.Query(ctx, p.g.client, p.shop, protocol.QueryStatus, &status); err != nil {
		return protocol.Report{}, err
	}
	if status.State == protocol.StateSuspended { // where a notification asks for nothing
		var report protocol.Report
		err := site.Update(ctx, p.g.client, p.shop, protocol.UpdateSync, &report, protocol.SyncRequest{})
		return report, err
	}
	last := status.LastPass.StartedAt
	if err := p.g.client.SignalWorkflow(ctx, protocol.StockSyncID(p.shop), "", protocol.SignalNotification, nil); err != nil {
		return protocol.Report{}, err
	}
	for status.LastPass.StartedAt.Equal(last) {
		if !sleep(ctx, 200*time.Millisecond) {
			return protocol.Report{}, ctx.Err()
		}
		if err := site.Query(ctx, p.g.client, p.shop, protocol.QueryStatus, &status); err != nil {
			return protocol.Report{}, err
		}
	}
	return *status.LastPass, nil
}

// learn has passes see, one after the other, that KROS's filter by time shows
// what changes, until the product reads nothing but changes on a notification.
func (p *play) learn(ctx context.Context) error {
	if !p.seq.Learned {
		return nil
	}
	item := p.w.someItem()
	for i := range protocol.FilterProof {
		stock := []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(strconv.Itoa(100 + i))}, {Code: "PR", QuantityOnHand: "1"}}
		if err := p.w.begin(nil, []Event{{What: evStock, Item: item, Warehouses: stock}}); err != nil {
			return err
		}
		if err := p.w.end(ctx); err != nil {
			return err
		}
		if err := p.settle(ctx); err != nil {
			return err
		}
	}
	p.judge.remember()
	return nil
}

// settle is a pass with nothing in its way: it has to end well. Where the
// product asks a person for something, he does it: approves what is held,
// activates again where products or warehouses are missing.
func (p *play) settle(ctx context.Context) error {
	kind := doSync
	var report protocol.Report
	var err error
	for range 4 {
		if report, err = p.do(ctx, kind); err != nil {
			return err
		}
		switch {
		case report.Result == protocol.ResultOK:
			if report.Rejected > len(p.seq.shop.Rejected) || report.Conflicts > 0 {
				return fmt.Errorf("a healthy pass left something undone: %s", lines(report))
			}
			return nil
		case report.Result == protocol.ResultHeld:
			kind = doApprove
		case report.Failure.Code == protocol.ProductsMissing, report.Failure.Code == protocol.WarehouseUnknown:
			kind = doActivate
		default:
			return fmt.Errorf("a healthy pass failed: %s", lines(report.Failure))
		}
	}
	return fmt.Errorf("a person has done all he can, and still: %s", lines(report))
}

// quiet: the shop is active and without a reason.
func (p *play) quiet(ctx context.Context) error {
	var status protocol.Status
	if err := site.Query(ctx, p.g.client, p.shop, protocol.QueryStatus, &status); err != nil {
		return err
	}
	if status.State != protocol.StateActive || status.Reason != nil {
		return fmt.Errorf("the shop is %s: %s", status.State, lines(status.Reason))
	}
	return nil
}

// hurry lets time pass: where Temporal waits for longer than anybody here has
// patience, it is told to go on. What it is waiting for is never more than the
// product allows.
func (p *play) hurry(ctx context.Context) error {
	for sleep(ctx, 2*time.Second) {
		id := protocol.SyncPassID(p.shop)
		described, err := p.g.client.DescribeWorkflowExecution(ctx, id, "")
		if err != nil {
			continue // there is no pass, or this one has just ended
		}
		for _, a := range described.GetPendingActivities() {
			wait := time.Until(a.GetNextAttemptScheduleTime().AsTime())
			if a.GetState() != enums.PENDING_ACTIVITY_STATE_SCHEDULED || wait < 5*time.Second {
				continue
			}
			if wait > longestWait {
				return fmt.Errorf("%s waits for %v", a.GetActivityType().GetName(), wait)
			}
			_, err := p.g.client.WorkflowService().ResetActivity(ctx, &workflowservice.ResetActivityRequest{
				Namespace: namespace, Execution: &common.WorkflowExecution{WorkflowId: id}, Identity: "faults",
				Activity: &workflowservice.ResetActivityRequest_Id{Id: a.GetActivityId()},
			})
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("go on with %s: %w", a.GetActivityType().GetName(), err)
			}
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// secrets looks through the log and all histories of the shop.
func (p *play) secrets() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if leak := p.g.log.leak(); leak != "" {
		return fmt.Errorf("the log holds a secret: %s", leak)
	}
	for _, run := range p.runs {
		if err := p.search(ctx, protocol.ActivateID(p.shop), run); err != nil {
			return err
		}
	}
	return nil
}

// search looks through a run and, after it, those it started.
func (p *play) search(ctx context.Context, id, run string) error {
	events, err := site.History(ctx, p.g.client, id, run)
	if err != nil {
		return err
	}
	p.played.Histories++
	for _, event := range events {
		raw, err := proto.Marshal(event)
		if err != nil {
			return err
		}
		if bytes.Contains(raw, []byte(secret)) {
			return fmt.Errorf("the history of %s holds a secret: %s", id, event)
		}
		child := event.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution()
		if child == nil {
			continue
		}
		if err := p.search(ctx, child.GetWorkflowId(), child.GetRunId()); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) count() {
	p.played.Met = p.w.met
	p.played.Writes = len(p.w.fynode.Writes())
	p.played.Requests = p.w.kros.State().Requests
	for _, n := range p.w.fynode.State().Requests {
		p.played.Requests += n
	}
}

// watch is a log that looks for secrets and keeps the last lines of each shop.
type watch struct {
	mu    sync.Mutex
	lines []string
	found string
}

// keep is how many lines are remembered.
const keep = 50_000

func newWatch() *watch { return &watch{} }

func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.found == "" && bytes.Contains(p, []byte(secret)) {
		w.found = string(p)
	}
	if len(w.lines) == keep {
		w.lines = append(w.lines[:0], w.lines[keep/2:]...)
	}
	w.lines = append(w.lines, string(p))
	return len(p), nil
}

func (w *watch) leak() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found
}

// of are the last lines that name the shop.
func (w *watch) of(shop string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []string
	for _, line := range w.lines {
		if strings.Contains(line, shop) {
			found = append(found, line)
		}
	}
	return strings.Join(found[max(0, len(found)-40):], "")
}
