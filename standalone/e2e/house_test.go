// Package e2e holds the end-to-end tests: a real Temporal server, a worker as
// the programs run it, and both simulators behind real HTTP.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/server"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// What must never be seen in a history, a log or an error.
const (
	krosToken = "kros-token-5e1f0c"
	shopToken = "shop-token-77ab21"
)

const patience = time.Minute

// temporal is one server for all tests of the package; shops keep them apart.
var temporal *server.Server

func TestMain(m *testing.M) {
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
	krosURL string
	shopURL string
	dir     string // configuration
	archive string
	queue   string
	client  client.Client
	logs    *bytes.Buffer
}

// settings are lines of the shop's block.
type settings string

func newHouse(t *testing.T, kros krossim.Options, shop fynodesim.Options, lines settings) *house {
	t.Helper()
	kros.Token, shop.Token = krosToken, shopToken
	h := &house{
		t: t, shop: "s" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12],
		kros: krossim.New(kros), fynode: fynodesim.New(shop),
		dir: t.TempDir(), archive: t.TempDir(), logs: &bytes.Buffer{},
	}
	h.queue = "queue-" + h.shop
	krosServer, shopServer := httptest.NewServer(h.kros), httptest.NewServer(h.fynode)
	t.Cleanup(krosServer.Close)
	t.Cleanup(shopServer.Close)
	h.krosURL, h.shopURL = krosServer.URL, shopServer.URL

	var err error
	h.client, err = client.Dial(client.Options{HostPort: temporal.Address(), Logger: hclog.NewNullLogger()})
	require.NoError(t, err)
	t.Cleanup(h.client.Close)
	h.configure(lines)
	return h
}

// configure writes the configuration; a worker that runs takes it up.
func (h *house) configure(lines settings) {
	h.t.Helper()
	text := fmt.Sprintf(`
temporal { task_queue = %q }
snapshots { url = "file://%s" }
shop %q {
  kros {
    url     = %q
    api_key = %q
    requests_per_second = 1000
    requests_per_minute = 100000
  }
  fynode {
    url     = "%s/api/v1"
    api_key = %q
  }
  %s
}
`, h.queue, h.archive, h.shop, h.krosURL, krosToken, h.shopURL, shopToken, lines)
	require.NoError(h.t, os.WriteFile(filepath.Join(h.dir, "all.hcl"), []byte(text), 0o600))
}

// work starts a worker and returns how to stop it.
func (h *house) work() (stop func()) {
	h.t.Helper()
	shops, err := config.Open(h.dir, config.OS())
	require.NoError(h.t, err)
	logger := hclog.New(&hclog.LoggerOptions{Output: h.logs, Level: hclog.Debug})
	plugin, err := skladom.NewPlugin(context.Background(), skladom.Options{Shops: shops, Logger: logger})
	require.NoError(h.t, err)
	w := worker.New(h.client, h.queue, worker.Options{Plugins: []worker.Plugin{plugin}, WorkerStopTimeout: 10 * time.Second})
	require.NoError(h.t, w.Start())
	var once bool
	stop = func() {
		if !once {
			once = true
			w.Stop()
		}
	}
	h.t.Cleanup(stop)
	return stop
}

func (h *house) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	h.t.Cleanup(cancel)
	return ctx
}

func (h *house) activate(dryRun bool) protocol.Activation {
	h.t.Helper()
	run, err := h.client.ExecuteWorkflow(h.context(), client.StartWorkflowOptions{
		ID: protocol.ActivateID(h.shop), TaskQueue: h.queue,
	}, protocol.ActivateConnection, protocol.ActivateRequest{Shop: h.shop, DryRun: dryRun})
	require.NoError(h.t, err)
	var activation protocol.Activation
	require.NoError(h.t, run.Get(h.context(), &activation))
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
	return report
}

func (h *house) update(name string, result any, args ...any) {
	h.t.Helper()
	require.NoError(h.t, h.tryUpdate(name, result, args...))
}

func (h *house) tryUpdate(name string, result any, args ...any) error {
	handle, err := h.client.UpdateWorkflow(h.context(), client.UpdateWorkflowOptions{
		WorkflowID: protocol.StockSyncID(h.shop), UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(h.context(), result)
}

func (h *house) status() protocol.Status {
	h.t.Helper()
	answer, err := h.client.QueryWorkflow(h.context(), protocol.StockSyncID(h.shop), "", protocol.QueryStatus)
	require.NoError(h.t, err)
	var status protocol.Status
	require.NoError(h.t, answer.Get(&status))
	return status
}

func (h *house) quantities() map[string]string {
	all := map[string]string{}
	for _, p := range h.fynode.Products() {
		all[p.ID] = p.Quantity.String()
	}
	return all
}

// history of a workflow, as text.
func (h *house) history(id string) (text string, events int) {
	h.t.Helper()
	iterator := h.client.GetWorkflowHistory(h.context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var all []string
	for iterator.HasNext() {
		event, err := iterator.Next()
		require.NoError(h.t, err)
		all = append(all, event.String())
		events++
	}
	return strings.Join(all, "\n"), events
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

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	return string(text)
}
