package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/samber/lo"
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

// The recorded histories are those that a release must replay. A scenario that
// has been recorded is left alone: what it recorded is of code that runs
// somewhere. Its files are deleted, and recorded again, only where a change of
// workflow code is meant to break with runs that are under way.
//
//	go test ./e2e -run TestRecordHistories -record
var record = flag.Bool("record", false, "record the scenarios that ../testsuite/histories has no files of; with -run TestRecordHistories only")

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
		"answered":  (*recorder).answered,
		"undone":    (*recorder).undone,
		"asked":     (*recorder).asked,
		"told":      (*recorder).told,
	} {
		t.Run(name, func(t *testing.T) {
			recorded, err := filepath.Glob(filepath.Join(histories, name+"-*.json"))
			require.NoError(t, err)
			if len(recorded) > 0 {
				t.Skip("recorded before")
			}
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

// answered is a shop whose owner says yes to what is held once, and no once.
func (r *recorder) answered() {
	r.start()
	full := r.kros.State().Items
	empty := lo.Map(full, func(item krossim.Item, _ int) krossim.Item { return row(item.ItemCode, 0) })
	held := func() protocol.AnswerRequest {
		r.kros.SetItems(empty)
		report := r.now()
		r.standsFor(protocol.StateHeld, protocol.TooManyZeroed)
		return protocol.AnswerRequest{Hash: report.PlanHash, By: "Jana"}
	}
	yes := held()
	r.write("held-pass", protocol.SyncPassID(r.shop), "")
	r.update(protocol.UpdateApprove, nil, yes)
	r.write("approved-pass", protocol.SyncPassID(r.shop), "")
	r.isActive()
	r.kros.SetItems(full)
	r.now()
	r.update(protocol.UpdateDismiss, nil, held())
	r.isActive()
	r.now()
	r.write("dismissed-pass", protocol.SyncPassID(r.shop), "")
	r.isActive()
	r.end()
}

// undone is a shop whose last pass is rolled back.
func (r *recorder) undone() {
	r.start()
	require.NoError(r.t, r.kros.SetStock("A-1", stockOf(2)...))
	pass := r.now().Pass
	run := protocol.RollbackRun{Shop: r.shop, DryRun: true}
	require.NoError(r.t, r.execute(protocol.DryRunID(r.shop, "rollback"), protocol.Rollback, run, nil))
	r.write("dry-run", protocol.DryRunID(r.shop, "rollback"), "")
	var result protocol.RollbackResult
	r.update(protocol.UpdateRollback, &result, protocol.RollbackRequest{Pass: pass, By: "Jana"})
	require.Equal(r.t, protocol.ResultOK, result.Result)
	r.write("rollback", protocol.SyncPassID(r.shop), "")
	r.update(protocol.UpdateRollback, &result, protocol.RollbackRequest{Pass: pass + 100}) // there is none
	require.Equal(r.t, protocol.ResultFailed, result.Result)
	r.write("no-rollback", protocol.SyncPassID(r.shop), "")
	r.update(protocol.UpdateResume, nil)
	r.eventually(func(s protocol.Status) bool {
		return s.State == protocol.StateActive && s.LastPass.Trigger == protocol.TriggerManual
	})
	r.end()
}

// asked is a shop that somebody wants to understand.
func (r *recorder) asked() {
	ask := func(what, id, workflow string, input any) {
		require.NoError(r.t, r.execute(id, workflow, input, nil))
		r.write(what, id, "")
	}
	ask("worklist-before", protocol.WorklistID(r.shop, "1"), protocol.Worklist, protocol.WorklistRequest{Shop: r.shop})
	r.start()
	ask("worklist", protocol.WorklistID(r.shop, "2"), protocol.Worklist, protocol.WorklistRequest{Shop: r.shop})
	ask("history", protocol.HistoryID(r.shop, "1"), protocol.History, protocol.HistoryRequest{Shop: r.shop})
	ask("explain", protocol.ExplainID(r.shop, "1"), protocol.Explain, protocol.ExplainRequest{Shop: r.shop, Item: "A-1"})
	ask("explain-pass", protocol.ExplainID(r.shop, "2"), protocol.Explain, protocol.ExplainRequest{Shop: r.shop, Item: "A-1", Pass: r.status().LastPass.Pass})
	r.kros.SetToken("reset")
	ask("explain-unread", protocol.ExplainID(r.shop, "3"), protocol.Explain, protocol.ExplainRequest{Shop: r.shop, Item: "A-1"})
	r.kros.SetToken(krosToken)
	r.end()
}

// told is a shop whose owner is told of trouble, and of its end. It takes the
// minutes that Alerts waits between two messages.
func (r *recorder) told() {
	heard := make(chan struct{}, 10)
	owner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard <- struct{}{} }))
	r.t.Cleanup(owner.Close)
	r.configure(settings(fmt.Sprintf("schedule = \"0 3 1 1 *\"\n  alert {\n    url = %q\n  }", owner.URL)))
	r.start()
	r.kros.SetToken("reset")
	r.now()
	r.suspendedFor(protocol.KrosKeyInvalid)
	r.wait(heard)
	r.kros.SetToken(krosToken)
	r.now()
	r.isActive()
	r.wait(heard)
	var alerts []string
	require.Eventually(r.t, func() bool {
		alerts = nil
		for _, e := range r.executions(fmt.Sprintf(" AND WorkflowType = %q AND ExecutionStatus = 'Completed'", protocol.Alerts)) {
			alerts = append(alerts, e.GetExecution().GetWorkflowId())
		}
		return len(alerts) > 0
	}, 2*patience, time.Second)
	r.write("alerts", alerts[0], "")
	r.end()
}
