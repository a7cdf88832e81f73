package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/workflows"
)

const (
	acme    = "acme"
	shopID  = "fynode-1"
	minGap  = 30 * time.Second
	every   = 30 * time.Minute
	aPass   = 10 * time.Second // how long a pass takes unless told
	hash    = "5e771465"
	address = "c0ffee00" // fingerprint of the connection
)

// begin is on a tick of the schedule, so that times read well.
var begin = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

// world is all that StockSync meets: a schedule, two sides and passes, with a
// clock that leaps.
type world struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment

	load      func(protocol.LoadRequest) protocol.Loaded
	checkKROS func() error
	checkShop func() (protocol.ShopIdentity, error)
	pass      func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error)

	loads    []protocol.LoadRequest
	probes   []string // side@time
	requests []protocol.PassRequest
	passes   []string // trigger@time, in the order in which they began
}

func newWorld(t *testing.T) *world {
	t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	w := &world{t: t, env: suite.NewTestWorkflowEnvironment()}
	w.env.SetStartTime(begin)
	w.env.SetTestTimeout(time.Minute)
	w.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a loaded machine is no deadlock
	w.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: protocol.StockSyncID(acme), TaskQueue: "skladom"})
	w.load = func(r protocol.LoadRequest) protocol.Loaded { return loaded(r.After) }
	w.checkKROS = func() error { return nil }
	w.checkShop = func() (protocol.ShopIdentity, error) { return protocol.ShopIdentity{ID: shopID}, nil }
	w.pass = passing(aPass)

	w.env.RegisterWorkflowWithOptions(workflows.StockSync, workflow.RegisterOptions{Name: protocol.StockSync})
	w.env.RegisterWorkflowWithOptions(w.runPass, workflow.RegisterOptions{Name: protocol.SyncPass})
	w.activity("LoadSettings", func(_ context.Context, r protocol.LoadRequest) (protocol.Loaded, error) {
		w.loads = append(w.loads, r)
		return w.load(r), nil
	})
	w.activity("CheckKROS", func(_ context.Context, r protocol.CheckRequest) error {
		require.Equal(t, protocol.CheckRequest{Shop: acme, Connection: address}, r)
		w.probes = append(w.probes, "kros@"+w.clock())
		return w.checkKROS()
	})
	w.activity("CheckShop", func(context.Context, protocol.CheckRequest) (protocol.ShopIdentity, error) {
		w.probes = append(w.probes, "shop@"+w.clock())
		return w.checkShop()
	})
	return w
}

func (w *world) activity(name string, run any) {
	w.env.RegisterActivityWithOptions(run, activity.RegisterOptions{Name: name})
}

func (w *world) runPass(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
	w.requests = append(w.requests, r)
	w.passes = append(w.passes, fmt.Sprintf("%s@%s", r.Trigger, workflow.Now(ctx).Sub(begin)))
	return w.pass(ctx, r)
}

// clock is the time since the begin.
func (w *world) clock() string { return w.env.Now().Sub(begin).String() }

// at does something at a time after the begin.
func (w *world) at(when time.Duration, do func()) { w.env.RegisterDelayedCallback(do, when) }

func (w *world) signalAt(when time.Duration, name string, payload any) {
	w.at(when, func() { w.env.SignalWorkflow(name, payload) })
}

func (w *world) notifyAt(times ...time.Duration) {
	for _, when := range times {
		w.signalAt(when, protocol.SignalNotification, nil)
	}
}

// run runs StockSync until it ends, and returns what it ended with.
func (w *world) run(state workflows.SyncState) error {
	w.t.Helper()
	w.env.ExecuteWorkflow(protocol.StockSync, state)
	require.True(w.t, w.env.IsWorkflowCompleted())
	return w.env.GetWorkflowError()
}

// runUntil runs StockSync and deactivates it at a time after the begin.
func (w *world) runUntil(when time.Duration, state workflows.SyncState) {
	w.t.Helper()
	ended := w.updateAt(when, protocol.UpdateDeactivate)
	require.NoError(w.t, w.run(state))
	require.NoError(w.t, ended.err)
}

// continued is the state that StockSync hands to its next run.
func (w *world) continued(err error) workflows.SyncState {
	w.t.Helper()
	var next *workflow.ContinueAsNewError
	require.ErrorAs(w.t, err, &next)
	require.Equal(w.t, protocol.StockSync, next.WorkflowType.Name)
	var state workflows.SyncState
	require.NoError(w.t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &state))
	return state
}

func (w *world) status() protocol.Status {
	w.t.Helper()
	answer, err := w.env.QueryWorkflow(protocol.QueryStatus)
	require.NoError(w.t, err)
	var status protocol.Status
	require.NoError(w.t, answer.Get(&status))
	return status
}

// statusAt looks at the status while StockSync runs.
func (w *world) statusAt(when time.Duration) *protocol.Status {
	var seen protocol.Status
	w.at(when, func() { seen = w.status() })
	return &seen
}

// answer is what became of an update.
type answer struct {
	accepted bool
	rejected error
	done     bool
	err      error
	report   protocol.Report // of sync
	status   protocol.Status // of the others
	at       string
}

func (w *world) updateAt(when time.Duration, name string, args ...any) *answer {
	a := &answer{}
	w.at(when, func() {
		w.env.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
			OnAccept: func() { a.accepted = true },
			OnReject: func(err error) { a.rejected = err },
			OnComplete: func(result any, err error) {
				a.done, a.err, a.at = true, err, w.clock()
				switch value := result.(type) {
				case protocol.Report:
					a.report = value
				case protocol.Status:
					a.status = value
				}
			},
		}, args...)
	})
	return a
}

func (w *world) syncAt(when time.Duration) *answer {
	return w.updateAt(when, protocol.UpdateSync, protocol.SyncRequest{})
}

func (w *world) pauseAt(when time.Duration, until *time.Time) *answer {
	return w.updateAt(when, protocol.UpdatePause, protocol.PauseRequest{Until: until, Reason: "stocktaking", By: "Jana"})
}

func after(d time.Duration) *time.Time { return lo.ToPtr(begin.Add(d)) }

func loaded(now time.Time) protocol.Loaded {
	return protocol.Loaded{
		Settings:   protocol.Settings{Title: "Acme s.r.o.", Schedule: "*/30 * * * *", Timezone: "Europe/Bratislava", MinGap: minGap},
		Hash:       hash,
		Connection: address,
		NextTick:   now.Truncate(every).Add(every),
	}
}

// running is a StockSync that has begun, between two ticks.
func running() workflows.SyncState {
	return workflows.SyncState{
		Shop: acme, ShopID: shopID, State: protocol.StateActive, Settings: loaded(begin).Settings,
		NextTick: begin.Add(every), Notifications: protocol.Notifications{State: protocol.NotificationsWaiting},
	}
}

// suspended is one whose key was refused.
func suspended() workflows.SyncState {
	state := running()
	state.State = protocol.StateSuspended
	state.Reason = &protocol.Reason{Failure: *message.Failure(protocol.KrosKeyInvalid, message.Params{}), Since: begin.Add(-time.Hour)}
	return state
}

func activated(id string) protocol.Activated {
	return protocol.Activated{ID: id, ShopID: shopID, LastPass: 7, Catalogue: &protocol.Catalogue{
		Ref: protocol.Ref{Bucket: "b", Key: "sweep of an activation"}, TakenAt: begin.Add(-time.Minute), Items: 3,
	}}
}

type passFunc = func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error)

// passing is a pass that ends well after some time.
func passing(took time.Duration) passFunc { return ending(took, protocol.ResultOK, nil) }

// failing is one that fails.
func failing(code protocol.Code) passFunc {
	return ending(aPass, protocol.ResultFailed, message.Failure(code, message.Params{Shop: acme}))
}

func ending(took time.Duration, result protocol.Result, failure *protocol.Failure) passFunc {
	return func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		report := protocol.Report{Shop: r.Shop, Pass: r.Pass, Trigger: r.Trigger, Result: result, Failure: failure, StartedAt: workflow.Now(ctx)}
		memory := r.Memory
		memory.Ledger = protocol.Ref{Bucket: "b", Key: fmt.Sprintf("plan of pass %d", r.Pass)}
		err := workflow.Sleep(ctx, took)
		report.FinishedAt = workflow.Now(ctx)
		if err != nil {
			report.Result, report.Failure = protocol.ResultFailed, message.Unfinished(protocol.ShopUnavailable, "cancelled")
			return protocol.PassResult{}, temporal.NewCanceledError(protocol.PassResult{Report: report, Memory: memory})
		}
		if result == protocol.ResultOK {
			memory.Baseline, memory.Pass = protocol.Ref{Bucket: "b", Key: fmt.Sprintf("sweep of pass %d", r.Pass)}, r.Pass
		}
		return protocol.PassResult{Report: report, Memory: memory}, nil
	}
}

// refused is how an activity says that no repeat helps.
func refused(code protocol.Code) error {
	return temporal.NewApplicationErrorWithOptions("refused", string(code), temporal.ApplicationErrorOptions{
		NonRetryable: true, Details: []any{message.Failure(code, message.Params{Shop: acme})},
	})
}

// sentence is what an update's refusal says.
func sentence(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return fmt.Sprint(err)
}

// nothing becomes of an update.
type nothing struct{}

func (nothing) Accept()             {}
func (nothing) Reject(error)        {}
func (nothing) Complete(any, error) {}

// silent is a logger of the test environment.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
