package e2e

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// The recorded histories are those that a release must replay. They are
// recorded again only where a change of workflow code is meant to break with
// runs that are under way:
//
//	go test ./e2e -run TestRecordHistories -record
var record = flag.Bool("record", false, "write ../testsuite/histories again; with -run TestRecordHistories only")

const histories = "../../testsuite/histories"

func TestRecordHistories(t *testing.T) {
	if !*record {
		t.Skip("only with -record")
	}
	for name, live := range map[string]func(*recorder){
		"connected": (*recorder).connected,
		"paused":    (*recorder).paused,
		"scheduled": (*recorder).scheduled,
		"suspended": (*recorder).suspended,
		"failing":   (*recorder).failing,
		"held":      (*recorder).held,
		"conflict":  (*recorder).conflict,
		"cancelled": (*recorder).cancelled,
		"renewed":   (*recorder).renewed,
		"refused":   (*recorder).refused,
	} {
		t.Run(name, func(t *testing.T) {
			live(newRecorder(t, name))
		})
	}
}

// recorder is a house whose life is written down.
type recorder struct {
	*house
	name string
}

func newRecorder(t *testing.T, name string) *recorder {
	t.Helper()
	kros := krossim.Options{NoLimits: true, Items: []krossim.Item{row("A-1", 5), row("A-2", 3), row("A-3", 9), row("A-4", 1), row("A-5", 2), row("A-6", 7)}}
	shop := fynodesim.Options{ID: "fynode-1", Name: "Acme", Products: []fynodesim.Product{
		{ID: "p1", Number: "A-1", Quantity: decimal.NewFromInt(7)}, {ID: "p2", Number: "A-2", Quantity: decimal.NewFromInt(3)},
		{ID: "p3", Number: "A-3", Quantity: decimal.NewFromInt(2)},
	}}
	r := &recorder{newHouseAt(t, temporal.Address(), name, kros, shop, `schedule = "0 3 1 1 *"`), name}
	named, err := client.Dial(client.Options{HostPort: temporal.Address(), Logger: hclog.NewNullLogger(), Identity: "skladom"})
	require.NoError(t, err)
	unnamed := r.client // which the checks at the end need
	t.Cleanup(func() {
		r.client = unnamed
		named.Close()
	})
	r.client = named
	r.work()
	return r
}

// write writes the history of a run down; run "" is the newest one.
func (r *recorder) write(what, id, run string) {
	r.t.Helper()
	var events []*history.HistoryEvent
	iterator := r.client.GetWorkflowHistory(r.context(), id, run, true, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iterator.HasNext() {
		event, err := iterator.Next()
		require.NoError(r.t, err)
		if scheduled := event.GetWorkflowTaskScheduledEventAttributes(); scheduled.GetTaskQueue().GetKind() == enums.TASK_QUEUE_KIND_STICKY {
			scheduled.TaskQueue = &taskqueue.TaskQueue{Name: r.queue, Kind: enums.TASK_QUEUE_KIND_NORMAL} // its name is the machine's
		}
		events = append(events, event)
	}
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: ""}.Marshal(&history.History{Events: events})
	require.NoError(r.t, err)
	r.secretsKept(what, string(text))
	require.NoError(r.t, os.WriteFile(filepath.Join(histories, r.name+"-"+what+".json"), append(text, '\n'), 0o600))
}

// end deactivates the shop and writes down what StockSync lived through.
func (r *recorder) end() {
	r.t.Helper()
	r.update(protocol.UpdateDeactivate, nil)
	r.write("stock-sync", protocol.StockSyncID(r.shop), "")
}

func (r *recorder) connected() {
	r.start()
	r.write("activate", protocol.ActivateID(r.shop), "")
	r.write("first-pass", protocol.SyncPassID(r.shop), "")
	r.dryRun()
	for _, e := range r.executions("") {
		if strings.HasPrefix(e.GetExecution().GetWorkflowId(), "dry-run:") {
			r.write("dry-run", e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId())
		}
	}
	r.now()
	r.write("idle-pass", protocol.SyncPassID(r.shop), "")
	r.signal(protocol.SignalNotification, nil)
	status := r.eventually(passes(3))
	require.NoError(r.t, r.kros.SetStock("A-1", stockOf(4)...))
	require.NoError(r.t, r.execute("sync-now:"+r.shop, protocol.SyncNow, protocol.SyncNowRequest{Shop: r.shop}, nil))
	r.write("sync-now", "sync-now:"+r.shop, "")
	r.eventually(passes(status.LastPass.Pass + 1))
	r.write("pass", protocol.SyncPassID(r.shop), "")
	require.NoError(r.t, r.execute(protocol.InspectID(r.shop, "1"), protocol.Inspect, protocol.InspectRequest{Shop: r.shop, Kind: protocol.InspectPlan}, nil))
	r.write("inspect", protocol.InspectID(r.shop, "1"), "")
	r.start() // again
	r.write("activate-again", protocol.ActivateID(r.shop), "")
	r.configure(`schedule = "0 4 1 1 *"`)
	r.signal(protocol.SignalConfigChanged, nil)
	r.now()
	r.end()
}

func (r *recorder) paused() {
	r.start()
	arrived, release := r.atKros.hold(r.t, "/catalog-items", 1)
	r.signal(protocol.SignalSyncNow, nil)
	r.wait(arrived)
	r.update(protocol.UpdatePause, nil, protocol.PauseRequest{Reason: "stocktaking", By: "Jana"})
	release()
	r.eventually(passes(2))
	require.Error(r.t, r.tryUpdate(protocol.UpdateSync, nil, protocol.SyncRequest{}))
	r.signal(protocol.SignalNotification, nil)
	r.update(protocol.UpdateResume, nil)
	r.eventually(passes(3))
	until := time.Now().Add(3 * time.Second)
	r.update(protocol.UpdatePause, nil, protocol.PauseRequest{Until: &until})
	r.eventually(passes(4))
	r.end()
}

func (r *recorder) scheduled() {
	r.configure(`schedule = "@every 1m"`)
	r.start()
	r.eventually(func(s protocol.Status) bool { return s.NextPassAt != nil && time.Until(*s.NextPassAt) < 10*time.Second })
	r.eventually(passes(2))
	require.Equal(r.t, protocol.TriggerSchedule, r.status().LastPass.Trigger)
	r.end()
}

func (r *recorder) suspended() {
	r.start()
	r.kros.SetToken("reset")
	r.now()
	r.suspendedFor(protocol.KrosKeyInvalid)
	r.write("failed-pass", protocol.SyncPassID(r.shop), "")
	r.signal(protocol.SignalNotification, nil)
	r.now() // a probe
	r.suspendedFor(protocol.KrosKeyInvalid)
	r.kros.SetToken(krosToken)
	r.update(protocol.UpdateResume, nil)
	r.eventually(func(s protocol.Status) bool { return s.State == protocol.StateActive })
	r.end()
}

func (r *recorder) failing() {
	r.start()
	require.NoError(r.t, r.kros.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: http.StatusNotFound}))
	r.now()
	r.standsFor(protocol.StateFailing, protocol.KrosBadResponse)
	r.now()
	r.isActive()
	r.end()
}

func (r *recorder) held() {
	r.start()
	items := r.kros.State().Items
	r.kros.SetItems(items[:2])
	r.now()
	r.standsFor(protocol.StateHeld, protocol.CatalogueChanged)
	r.write("pass", protocol.SyncPassID(r.shop), "")
	r.kros.SetItems(items)
	r.now()
	r.isActive()
	r.end()
}

func (r *recorder) conflict() {
	r.start()
	require.NoError(r.t, r.kros.SetStock("A-1", stockOf(1)...))
	var sold atomic.Bool
	r.atShop.Meet(func(request *http.Request) {
		if strings.HasSuffix(request.URL.Path, "/products/stock") && !sold.Swap(true) {
			_ = r.fynode.SetQuantity("p1", decimal.NewFromInt(3))
		}
	})
	report := r.now()
	require.Equal(r.t, 1, report.Conflicts)
	require.Equal(r.t, 1, report.Updated)
	r.write("pass", protocol.SyncPassID(r.shop), "")
	r.end()
}

func (r *recorder) cancelled() {
	r.start()
	arrived, _ := r.atKros.hold(r.t, "/catalog-items", 1)
	r.signal(protocol.SignalSyncNow, nil)
	r.wait(arrived)
	r.end()
	r.write("pass", protocol.SyncPassID(r.shop), "")
}

func (r *recorder) renewed() {
	r.start()
	first := r.running()
	for r.running() == first {
		r.now()
	}
	r.write("first-run", protocol.StockSyncID(r.shop), first)
	r.now()
	r.end()
}

func (r *recorder) refused() {
	r.kros.SetToken("reset")
	require.Equal(r.t, protocol.KrosKeyInvalid, r.activate(false).Failure.Code)
	r.write("activate", protocol.ActivateID(r.shop), "")
	r.kros.SetToken(krosToken)
	r.fynode.SetToken("reset")
	require.Equal(r.t, protocol.ShopKeyInvalid, r.activate(false).Failure.Code)
	r.write("activate-late", protocol.ActivateID(r.shop), "")
}
