package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/workflows"
)

// desk is what one activation meets.
type desk struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment

	workflow string // to run
	loaded   protocol.Loaded
	known    protocol.Recollection
	check    error
	dryRun   func(protocol.PassRequest) (protocol.PassResult, error)

	steps   []string
	request protocol.PassRequest  // of the dry run
	started []workflows.SyncState // StockSync
	told    []protocol.Activated  // the one that runs
}

var findings = &protocol.Findings{ShopName: "Acme", KrosItems: 1240, Matched: 31, MatchedByOther: 1106}

func newDesk(t *testing.T) *desk {
	t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	d := &desk{t: t, env: suite.NewTestWorkflowEnvironment(), workflow: protocol.ActivateConnection, loaded: loaded(begin), known: protocol.Recollection{State: protocol.StateInactive}}
	d.env.SetStartTime(begin)
	d.env.SetTestTimeout(time.Minute)
	d.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a loaded machine is no deadlock
	d.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: protocol.ActivateID(acme), TaskQueue: "skladom"})
	d.dryRun = func(protocol.PassRequest) (protocol.PassResult, error) {
		return protocol.PassResult{
			Report: protocol.Report{Shop: acme, DryRun: true, Result: protocol.ResultOK}, Findings: findings,
			ShopID: shopID, LastPass: 7, Catalogue: activated("a").Catalogue,
		}, nil
	}
	for name, run := range map[string]any{
		protocol.ActivateConnection: workflows.ActivateConnection,
		protocol.SyncNow:            workflows.SyncNow,
		protocol.Inspect:            workflows.Inspect,
		protocol.SyncPass: func(_ workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
			d.steps, d.request = append(d.steps, "dry run"), r
			return d.dryRun(r)
		},
		protocol.StockSync: func(ctx workflow.Context, s workflows.SyncState) error {
			d.steps, d.started = append(d.steps, "start"), append(d.started, s)
			return nil
		},
	} {
		d.env.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: name})
	}
	for name, run := range map[string]any{
		"LoadSettings": func(context.Context, protocol.LoadRequest) (protocol.Loaded, error) {
			d.steps = append(d.steps, "settings")
			return d.loaded, nil
		},
		"RecallMemory": func(context.Context, string) (protocol.Recollection, error) { return d.known, nil },
		"CheckKROS": func(context.Context, protocol.CheckRequest) error {
			d.steps = append(d.steps, "KROS")
			return d.check
		},
	} {
		d.env.RegisterActivityWithOptions(run, activity.RegisterOptions{Name: name})
	}
	return d
}

// runs makes a StockSync of the shop that runs already.
func (d *desk) runs() {
	d.known = protocol.Recollection{Running: true, State: protocol.StateFailing, ShopID: shopID, Memory: request().Memory}
	d.env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		for {
			var a protocol.Activated
			workflow.GetSignalChannel(ctx, protocol.SignalActivated).Receive(ctx, &a)
			d.told = append(d.told, a)
		}
	}, workflow.RegisterOptions{Name: "running"})
	d.env.RegisterWorkflowWithOptions(func(ctx workflow.Context, r protocol.ActivateRequest) (result protocol.Activation, err error) {
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: protocol.StockSyncID(r.Shop)})
		if err := workflow.ExecuteChildWorkflow(child, "running").GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return result, err
		}
		err = workflow.ExecuteChildWorkflow(ctx, protocol.ActivateConnection, r).Get(ctx, &result)
		return result, err
	}, workflow.RegisterOptions{Name: "house"})
	d.workflow = "house"
}

func (d *desk) activate(dryRun bool) protocol.Activation {
	d.t.Helper()
	d.env.ExecuteWorkflow(d.workflow, protocol.ActivateRequest{Shop: acme, DryRun: dryRun})
	require.True(d.t, d.env.IsWorkflowCompleted())
	require.NoError(d.t, d.env.GetWorkflowError())
	var result protocol.Activation
	require.NoError(d.t, d.env.GetWorkflowResult(&result))
	return result
}

func TestActivationLooksThenStartsStockSync(t *testing.T) {
	d := newDesk(t)
	result := d.activate(false)
	require.Equal(t, []string{"settings", "KROS", "dry run", "start"}, d.steps)
	require.Nil(t, result.Failure)
	require.Equal(t, protocol.StateActive, result.State)
	require.Equal(t, findings, result.Findings)
	require.NotEmpty(t, result.ID)
	require.Empty(t, cmp.Diff(protocol.PassRequest{
		Shop: acme, Trigger: protocol.TriggerActivation, DryRun: true, Findings: true, Accept: true,
		Settings: loaded(begin).Settings, SettingsHash: hash, Connection: address,
	}, d.request))
	first := activated(result.ID)
	require.Empty(t, cmp.Diff([]workflows.SyncState{{
		Shop: acme, ShopID: shopID, State: protocol.StateActive, Settings: loaded(begin).Settings, NextTick: begin.Add(every),
		Passes: 7, Activation: &first, Notifications: protocol.Notifications{State: protocol.NotificationsWaiting},
	}}, d.started))
}

func TestActivationOfAShopThatRunsTellsIt(t *testing.T) {
	d := newDesk(t)
	d.runs()
	result := d.activate(false)
	require.Equal(t, protocol.StateActive, result.State)
	require.Empty(t, d.started)
	require.Empty(t, cmp.Diff([]protocol.Activated{activated(result.ID)}, d.told))
	require.Equal(t, shopID, d.request.ShopID, "it has to be the same shop")
	require.Equal(t, request().Memory, d.request.Memory, "so that its memory is not pruned")
}

func TestADryActivationStartsNothing(t *testing.T) {
	for _, runs := range []bool{false, true} {
		d := newDesk(t)
		if runs {
			d.runs()
		}
		result := d.activate(true)
		require.Nil(t, result.Failure)
		require.Equal(t, findings, result.Findings)
		require.Empty(t, result.ID)
		require.Equal(t, d.known.State, result.State)
		require.Empty(t, d.started)
		require.Empty(t, d.told)
	}
}

func TestAFailedActivationSaysWhyAndChangesNothing(t *testing.T) {
	checked := func(code protocol.Code) func(*desk) { return func(d *desk) { d.check = refused(code) } }
	tried := func(code protocol.Code) func(*desk) {
		return func(d *desk) {
			d.dryRun = func(protocol.PassRequest) (protocol.PassResult, error) {
				return protocol.PassResult{Findings: findings, Report: protocol.Report{
					Result: protocol.ResultFailed, Failure: message.Failure(code, message.Params{Shop: acme}),
				}}, nil
			}
		}
	}
	unset := func(code protocol.Code) func(*desk) {
		return func(d *desk) { d.loaded = unusable(code)(protocol.LoadRequest{}) }
	}
	tests := []struct {
		code  protocol.Code
		do    func(*desk)
		steps int
	}{
		{protocol.ConfigMissing, unset(protocol.ConfigMissing), 1},
		{protocol.ConfigInvalid, unset(protocol.ConfigInvalid), 1},
		{protocol.KrosKeyInvalid, checked(protocol.KrosKeyInvalid), 2},
		{protocol.KrosNoAPIAccess, checked(protocol.KrosNoAPIAccess), 2},
		{protocol.KrosForbidden, checked(protocol.KrosForbidden), 2},
		{protocol.KrosUnavailable, checked(protocol.KrosUnavailable), 2},
		{protocol.KrosBadResponse, checked(protocol.KrosBadResponse), 2},
		{protocol.KrosUnavailable, func(d *desk) { d.check = errors.New("without a code") }, 4}, // tried again until the bounds end
		{protocol.KrosNoAPIAccess, tried(protocol.KrosNoAPIAccess), 3},
		{protocol.KrosNoStock, tried(protocol.KrosNoStock), 3},
		{protocol.WarehouseUnknown, tried(protocol.WarehouseUnknown), 3},
		{protocol.NothingMatched, tried(protocol.NothingMatched), 3},
		{protocol.ShopKeyInvalid, tried(protocol.ShopKeyInvalid), 3},
		{protocol.ShopForbidden, tried(protocol.ShopForbidden), 3},
		{protocol.ShopUnavailable, tried(protocol.ShopUnavailable), 3},
		{protocol.ShopBadResponse, tried(protocol.ShopBadResponse), 3},
		{protocol.ShopChanged, tried(protocol.ShopChanged), 3},
	}
	for _, test := range tests {
		for _, runs := range []bool{false, true} {
			t.Run(string(test.code), func(t *testing.T) {
				d := newDesk(t)
				if runs {
					d.runs()
				}
				test.do(d)
				result := d.activate(false)
				require.NotNil(t, result.Failure)
				require.Equal(t, test.code, result.Failure.Code)
				require.NotEmpty(t, result.Failure.Message)
				require.NotEmpty(t, result.Failure.Hint)
				require.Equal(t, d.known.State, result.State, "as it was")
				require.Empty(t, result.ID)
				require.GreaterOrEqual(t, len(d.steps), test.steps)
				require.Empty(t, d.started)
				require.Empty(t, d.told)
				if test.steps == 3 {
					require.Equal(t, findings, result.Findings)
				}
			})
		}
	}
}

func TestSyncNowSignalsAndDoesNotWait(t *testing.T) {
	d := newDesk(t)
	d.env.OnSignalExternalWorkflow(mock.Anything, protocol.StockSyncID(acme), "", protocol.SignalSyncNow, nil).Return(nil).Once()
	d.env.ExecuteWorkflow(protocol.SyncNow, protocol.SyncNowRequest{Shop: acme})
	require.NoError(t, d.env.GetWorkflowError())
	d.env.AssertExpectations(t)

	d = newDesk(t)
	d.env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", mock.Anything, nil).Return(serviceerror.NewNotFound("not active"))
	d.env.ExecuteWorkflow(protocol.SyncNow, protocol.SyncNowRequest{Shop: acme})
	require.ErrorContains(t, d.env.GetWorkflowError(), "not active")
}

func TestInspectReturnsAPage(t *testing.T) {
	d := newDesk(t)
	asked := protocol.InspectRequest{Shop: acme, Kind: protocol.InspectPlan, Pass: 7, Offset: 500, Limit: 10}
	d.env.RegisterActivityWithOptions(func(_ context.Context, r protocol.InspectRequest) (protocol.InspectPage, error) {
		require.Equal(t, asked, r)
		return protocol.InspectPage{Ref: ref("plan"), Next: 510, Total: 1240}, nil
	}, activity.RegisterOptions{Name: "ReadArchive"})
	d.env.ExecuteWorkflow(protocol.Inspect, asked)
	require.NoError(t, d.env.GetWorkflowError())
	var page protocol.InspectPage
	require.NoError(t, d.env.GetWorkflowResult(&page))
	require.Equal(t, 1240, page.Total)
}
