// Package e2e holds the end-to-end tests: a real Temporal server, a worker as
// the programs run it, and both simulators behind real HTTP. What a shop must
// show comes from the oracle in testsuite/catalogue, which shares no code with
// what it judges.
package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/standalone/server"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// What must never be seen in a history, a log or an error.
const (
	krosToken = "kros-token-5e1f0c"
	shopToken = "shop-token-77ab21"
	masterKey = "bTRzdGVyLWtleS1vZi10aGUtZW5kLXRvLWVuZC10ZXM="
)

// patience bounds every wait; nothing but a failure takes so long.
const patience = 5 * time.Minute

// temporal is one server for all tests of the package; shops keep them apart.
var temporal *server.Server

// Without the cache of workflows each step of one replays all that it lived
// through: whatever is not deterministic fails then.
var noCache = flag.Bool("no-cache", false, "keep no workflow in the worker's memory between two of its steps")

func TestMain(m *testing.M) {
	flag.Parse()
	if *noCache {
		worker.SetStickyWorkflowCacheSize(0)
	}
	// Most of the time of most tests is a wait that the product is to make.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	var err error
	temporal, err = server.Start(context.Background(), server.Options{UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	temporal.Stop()
	os.Exit(code)
}

// house is a shop with everything around it.
type house struct {
	t       *testing.T
	shop    string
	kros    *krossim.Server
	fynode  *fynodesim.Server
	atKros  gate // before kros
	atShop  gate // before fynode
	krosURL string
	shopURL string
	dir     string // configuration
	archive string
	queue   string
	client  client.Client
	logs    *site.Log

	mu  sync.Mutex
	env map[string]string // environment of the worker
}

// settings are lines of the shop's block.
type settings string

func newHouse(t *testing.T, kros krossim.Options, shop fynodesim.Options, lines settings) *house {
	t.Helper()
	return newHouseAt(t, temporal.Address(), "", kros, shop, lines)
}

// newHouseAt makes a house on the Temporal server at address. name is the
// shop's; "" makes one up.
func newHouseAt(t *testing.T, address, name string, kros krossim.Options, shop fynodesim.Options, lines settings) *house {
	t.Helper()
	kros.Token, shop.Token = krosToken, shopToken
	if name == "" {
		name = newName()
	}
	h := &house{
		t: t, shop: name,
		kros: krossim.New(kros), fynode: fynodesim.New(shop),
		dir: t.TempDir(), archive: t.TempDir(), logs: &site.Log{},
		env: map[string]string{"KROS_TOKEN": krosToken},
	}
	h.queue = "queue-" + h.shop
	t.Cleanup(h.kros.Close)
	h.krosURL = serve(t, &h.atKros, h.kros)
	h.shopURL = serve(t, &h.atShop, h.fynode)
	h.client = h.dial(address)
	t.Cleanup(h.keepsSecrets)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(h.logs.String())
		}
	})
	h.configure(lines)
	return h
}

func newName() string { return "s" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12] }

func serve(t *testing.T, g *gate, sim http.Handler) (url string) {
	t.Helper()
	web := httptest.NewServer(g.Before(sim))
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	return web.URL
}

func (h *house) dial(address string) client.Client {
	h.t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Logger: h.logger("temporal")})
	require.NoError(h.t, err)
	h.t.Cleanup(c.Close)
	return c
}

func (h *house) logger(name string) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Name: name, Output: h.logs, Level: hclog.Debug})
}

// gate stands before a simulator.
type gate struct{ site.Gate }

// hold keeps the nth request for path waiting, and those after it, until
// release is called. arrived is closed when it has come.
func (g *gate) hold(t *testing.T, path string, nth int32) (arrived <-chan struct{}, release func()) {
	came, open := make(chan struct{}), make(chan struct{})
	var count atomic.Int32
	g.Meet(func(r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, path) {
			return
		}
		switch n := count.Add(1); {
		case n < nth:
			return
		case n == nth:
			close(came)
		}
		select {
		case <-open:
		case <-r.Context().Done():
		}
	})
	release = sync.OnceFunc(func() {
		g.Meet(nil)
		close(open)
	})
	t.Cleanup(release)
	return came, release
}

func (h *house) wait(arrived <-chan struct{}) {
	h.t.Helper()
	select {
	case <-arrived:
	case <-time.After(patience):
		require.Fail(h.t, "the request never came")
	}
}

// configure writes the configuration: lines go into the shop's block. A worker
// that runs takes it up.
func (h *house) configure(lines settings) {
	h.t.Helper()
	h.configureWith("", lines)
}

// configureWith also writes lines into the block kros.
func (h *house) configureWith(inKros, lines settings) {
	h.t.Helper()
	limits := "requests_per_second = 1000\n    requests_per_minute = 100000"
	if strings.Contains(string(inKros), "requests_per") {
		limits = ""
	}
	if !strings.Contains(string(lines), "schedule") {
		lines += "\n  schedule = \"0 3 29 2 *\"" // no tick comes between two steps of a test
	}
	h.write("skladom.hcl", fmt.Sprintf(`
temporal { task_queue = %q }
snapshots { url = "file://%s" }
secrets { master_key = %q }
`, h.queue, h.archive, masterKey))
	h.write("shops/"+h.shop+".hcl", site.Shop{
		Name: h.shop, KrosURL: h.krosURL, ShopURL: h.shopURL, KrosKey: `env("KROS_TOKEN")`, ShopToken: shopToken,
		InKros: limits + "\n    " + string(inKros), Lines: string(lines),
	}.HCL())
}

func (h *house) write(file, text string) {
	h.t.Helper()
	path := filepath.Join(h.dir, file)
	require.NoError(h.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(h.t, os.WriteFile(path, []byte(text), 0o600))
}

func (h *house) remove(file string) {
	h.t.Helper()
	require.NoError(h.t, os.Remove(filepath.Join(h.dir, file)))
}

func (h *house) setenv(name, value string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.env[name] = value
}

func (h *house) unsetenv(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.env, name)
}

func (h *house) getenv(name string) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	value, ok := h.env[name]
	return value, ok
}

// work starts a worker and returns how to stop it.
func (h *house) work() (stop func()) {
	h.t.Helper()
	return h.workFor(h.client)
}

func (h *house) workFor(c client.Client) (stop func()) {
	h.t.Helper()
	stop, err := site.Worker{
		Client: c, Dir: h.dir, Queue: h.queue, Getenv: h.getenv, Logger: h.logger("skladom"),
		Options: worker.Options{WorkerStopTimeout: 10 * time.Second},
	}.Start(context.Background())
	require.NoError(h.t, err)
	h.t.Cleanup(stop)
	return stop
}

func (h *house) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	h.t.Cleanup(cancel)
	return ctx
}

// execute runs a workflow to its end.
func (h *house) execute(id, workflow string, input, result any) error {
	h.t.Helper()
	return site.Execute(h.context(), h.client, h.queue, id, workflow, input, result)
}

func (h *house) activate(dryRun bool) protocol.Activation {
	h.t.Helper()
	var activation protocol.Activation
	request := protocol.ActivateRequest{Shop: h.shop, DryRun: dryRun}
	require.NoError(h.t, h.execute(protocol.ActivateID(h.shop), protocol.ActivateConnection, request, &activation))
	return activation
}

// start activates the shop and waits for its first pass.
func (h *house) start() protocol.Report {
	h.t.Helper()
	activation := h.activate(false)
	require.Nil(h.t, activation.Failure)
	return h.sync(protocol.SyncRequest{Activation: activation.ID})
}

func (h *house) sync(request protocol.SyncRequest) protocol.Report {
	h.t.Helper()
	var report protocol.Report
	h.update(protocol.UpdateSync, &report, request)
	addsUp(h.t, report)
	return report
}

// now is a pass by hand.
func (h *house) now() protocol.Report {
	h.t.Helper()
	return h.sync(protocol.SyncRequest{})
}

// dryRun is what the command line does for sync --dry-run.
func (h *house) dryRun() protocol.Report {
	h.t.Helper()
	var result protocol.PassResult
	request := protocol.PassRequest{Shop: h.shop, DryRun: true, Trigger: protocol.TriggerManual}
	require.NoError(h.t, h.execute(protocol.DryRunID(h.shop, uuid.NewString()), protocol.SyncPass, request, &result))
	addsUp(h.t, result.Report)
	return result.Report
}

func addsUp(t *testing.T, r protocol.Report) {
	t.Helper()
	require.Equal(t, r.KrosItems, r.Updated+r.Unchanged+r.Unmatched+r.Ambiguous+r.Skipped+r.Rejected+r.Held, asJSON(t, r))
}

func (h *house) update(name string, result any, args ...any) {
	h.t.Helper()
	require.NoError(h.t, h.tryUpdate(name, result, args...))
}

// tryUpdate repeats, as the command line does, what found the workflow between
// two runs.
func (h *house) tryUpdate(name string, result any, args ...any) error {
	return site.Update(h.context(), h.client, h.shop, name, result, args...)
}

func (h *house) signal(name string, payload any) {
	h.t.Helper()
	require.NoError(h.t, h.client.SignalWorkflow(h.context(), protocol.StockSyncID(h.shop), "", name, payload))
}

func (h *house) status() protocol.Status {
	h.t.Helper()
	var status protocol.Status
	require.NoError(h.t, site.Query(h.context(), h.client, h.shop, protocol.QueryStatus, &status))
	return status
}

// run is a subtest in the same house. Each leaves the shop in step and active.
func (h *house) run(name string, scenario func(t *testing.T, h *house)) {
	h.t.Helper()
	outer := h.t
	defer func() { h.t = outer }()
	outer.Run(name, func(t *testing.T) {
		h.t = t
		scenario(t, h)
	})
	if outer.Failed() {
		outer.FailNow()
	}
}

// eventually waits until the shop's status is as wanted and returns it.
func (h *house) eventually(wanted func(protocol.Status) bool) protocol.Status {
	h.t.Helper()
	var status protocol.Status
	require.Eventually(h.t, func() bool {
		status = h.status()
		return wanted(status)
	}, patience, 250*time.Millisecond)
	return status
}

// passes tells how many passes have ended, as the number of the last one.
func passes(atLeast int64) func(protocol.Status) bool {
	return func(s protocol.Status) bool { return s.LastPass != nil && s.LastPass.Pass >= atLeast }
}

// suspendedFor checks that the shop waits for a person, and tells him so.
func (h *house) suspendedFor(code protocol.Code) {
	h.t.Helper()
	h.standsFor(protocol.StateSuspended, code)
}

func (h *house) standsFor(state protocol.State, code protocol.Code) {
	h.t.Helper()
	status := h.status()
	require.Equal(h.t, state, status.State, asJSON(h.t, status))
	require.NotNil(h.t, status.Reason)
	require.Equal(h.t, code, status.Reason.Code)
	require.NotEmpty(h.t, status.Reason.Message)
	require.NotEmpty(h.t, status.Reason.Hint)
	require.False(h.t, status.Reason.Since.IsZero())
}

func (h *house) isActive() {
	h.t.Helper()
	status := h.status()
	require.Equal(h.t, protocol.StateActive, status.State, asJSON(h.t, status))
	require.Nil(h.t, status.Reason)
}

// quantities are what the shop shows, by product.
func (h *house) quantities() map[string]string {
	all := map[string]string{}
	for _, p := range h.fynode.Products() {
		all[p.ID] = p.Quantity.String()
	}
	return all
}

// expect is what the shop must show after a pass over both sides as they are
// now; s holds the settings of the pass.
func (h *house) expect(s catalogue.Settings) map[string]string {
	h.t.Helper()
	kros, shop, err := site.Lists(h.kros.State().Items, h.fynode.Products())
	require.NoError(h.t, err)
	return s.Expect(kros, shop)
}

// bringsInStep runs a pass and checks that afterwards every product shows what
// it must, that what differed was written once, and nothing else.
func (h *house) bringsInStep(s catalogue.Settings, pass func() protocol.Report) protocol.Report {
	h.t.Helper()
	before, want, done := h.quantities(), h.expect(s), len(h.fynode.Writes())
	report := pass()
	require.Equal(h.t, protocol.ResultOK, report.Result, asJSON(h.t, report))
	require.Empty(h.t, cmp.Diff(want, h.quantities()), "quantities of products (-want +got)")
	written := map[string]string{}
	for _, w := range h.fynode.Writes()[done:] {
		require.Empty(h.t, written[w.ID], "%s was written twice", w.ID)
		written[w.ID] = w.To.String()
	}
	differed := map[string]string{}
	for id, quantity := range want {
		if before[id] != quantity {
			differed[id] = quantity
		}
	}
	require.Empty(h.t, cmp.Diff(differed, written), "what was written (-want +got)")
	require.Equal(h.t, len(written), report.Raised+report.Lowered, asJSON(h.t, report))
	return report
}

// unmoved runs something and checks that it wrote nothing to the shop.
func (h *house) unmoved(do func()) {
	h.t.Helper()
	before := len(h.fynode.Writes())
	do()
	require.Len(h.t, h.fynode.Writes(), before)
}

// running is the run of the shop's StockSync, "" where none runs.
func (h *house) running() string {
	h.t.Helper()
	described, err := h.client.DescribeWorkflowExecution(h.context(), protocol.StockSyncID(h.shop), "")
	if errors.As(err, new(*serviceerror.NotFound)) {
		return ""
	}
	require.NoError(h.t, err)
	info := described.GetWorkflowExecutionInfo()
	if info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return ""
	}
	return info.GetExecution().GetRunId()
}

// executions are all runs of workflows of this house that visibility knows of.
func (h *house) executions(and string) []*workflow.WorkflowExecutionInfo {
	h.t.Helper()
	listed, err := h.client.ListWorkflow(h.context(), &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("TaskQueue = %q%s", h.queue, and),
	})
	require.NoError(h.t, err)
	return listed.GetExecutions()
}

// history of the newest run of a workflow, as text.
func (h *house) history(id string) (text string, events int) {
	h.t.Helper()
	return h.historyOf(id, "")
}

func (h *house) historyOf(id, run string) (text string, events int) {
	h.t.Helper()
	all, err := site.History(h.context(), h.client, id, run)
	require.NoError(h.t, err)
	return strings.Join(lo.Map(all, func(e *history.HistoryEvent, _ int) string { return e.String() }), "\n"), len(all)
}

// keepsSecrets checks, for every test, that no history, no attribute, no
// heartbeat, no line of the log and no object of the archive holds a secret.
func (h *house) keepsSecrets() {
	h.secretsKept("the log", h.logs.String())
	for _, e := range h.executions("") {
		id, run := e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId()
		text, _ := h.historyOf(id, run)
		h.secretsKept("the history of "+id, text)
		h.secretsKept("the attributes of "+id, e.String())
		h.secretsKept("what is pending of "+id, h.described(id, run))
	}
	h.archived(func(key, rows string) { h.secretsKept("the archive, in "+key, rows) })
}

// described is what can be seen of a run from outside: its activities that are
// under way, with their heartbeats and failures, its memo and its attributes.
func (h *house) described(id, run string) string {
	h.t.Helper()
	described, err := h.client.DescribeWorkflowExecution(h.context(), id, run)
	require.NoError(h.t, err)
	return described.String()
}

// archived reads everything that the archive has of the shop.
func (h *house) archived(read func(key, rows string)) {
	h.t.Helper()
	archive, err := snapshot.Open(h.context(), "file://"+h.archive)
	require.NoError(h.t, err)
	defer func() { require.NoError(h.t, archive.Close()) }()
	for _, kind := range []snapshot.Kind{snapshot.Catalogue, snapshot.Plan, snapshot.Receipt, snapshot.Receipts, snapshot.Pass, snapshot.Worklist} {
		objects, err := archive.List(h.context(), h.shop, kind)
		require.NoError(h.t, err)
		for _, object := range objects {
			ref, err := archive.Ref(h.context(), object.Key)
			if err != nil {
				continue // a test has damaged it, or it was removed meanwhile
			}
			page, err := archive.Page(h.context(), ref, 0, 1<<30, 1<<30)
			require.NoError(h.t, err)
			read(object.Key, string(bytes.Join(lo.Map(page.Rows, func(row json.RawMessage, _ int) []byte { return row }), []byte("\n"))))
		}
	}
}

// secrets are all that a house knows: also those that are made of others.
func (h *house) secrets() []string {
	key, err := base64.StdEncoding.DecodeString(masterKey)
	require.NoError(h.t, err)
	return []string{krosToken, shopToken, masterKey, string(key), kros.AuthorizationKey(key, h.shop, 1)}
}

func (h *house) secretsKept(where, text string) {
	for _, secret := range h.secrets() {
		if strings.Contains(text, secret) {
			h.t.Errorf("%s holds the secret %s", where, secret)
		}
	}
}

func krosItems(t *testing.T, data []byte) []krossim.Item {
	t.Helper()
	items, err := krossim.LoadItems(bytes.NewReader(data))
	require.NoError(t, err)
	return items
}

func shopProducts(t *testing.T, data []byte) []fynodesim.Product {
	t.Helper()
	products, err := fynodesim.LoadProducts(bytes.NewReader(data))
	require.NoError(t, err)
	return products
}

// sides are both simulators with a generated catalogue of n rows.
func sides(t *testing.T, seed uint64, n int) (krossim.Options, fynodesim.Options) {
	t.Helper()
	kros, shop, err := site.Sides(seed, n)
	require.NoError(t, err)
	kros.NoLimits = true
	return kros, shop
}

// row is an item of one warehouse, and product what the shop has of it.
func row(code string, quantity int) krossim.Item {
	return krossim.Item{ItemCode: code, Name: "Čaj " + code, Warehouses: stockOf(quantity)}
}

func stockOf(quantity int) []krossim.Warehouse {
	return []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(strconv.Itoa(quantity))}}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	return number
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	return string(text)
}
