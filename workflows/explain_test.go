package workflows_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/workflows"
)

// look is what Explain meets.
type look struct {
	env      *testsuite.TestWorkflowEnvironment
	loaded   protocol.Loaded
	pass     func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error)
	dryRuns  []protocol.PassRequest
	dryRunID string
	asked    []protocol.ExplainItemRequest
}

func newLook() *look {
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	l := &look{env: suite.NewTestWorkflowEnvironment(), loaded: loaded(begin)}
	l.env.SetTestTimeout(time.Minute)
	l.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	l.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: protocol.ExplainID(acme, "1")})
	l.pass = func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error) {
		return protocol.PassResult{
			Plan: protocol.Ref{Key: "plan"}, Catalogue: &protocol.Catalogue{Ref: protocol.Ref{Key: "catalogue"}, TakenAt: begin},
		}, nil
	}
	l.env.RegisterWorkflowWithOptions(workflows.Explain, workflow.RegisterOptions{Name: protocol.Explain})
	l.env.RegisterWorkflowWithOptions(func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		l.dryRuns, l.dryRunID = append(l.dryRuns, r), workflow.GetInfo(ctx).WorkflowExecution.ID
		return l.pass(ctx, r)
	}, workflow.RegisterOptions{Name: protocol.SyncPass})
	for name, run := range map[string]any{
		"LoadSettings": func(context.Context, protocol.LoadRequest) (protocol.Loaded, error) { return l.loaded, nil },
		"RecallMemory": func(context.Context, string) (protocol.Recollection, error) {
			return protocol.Recollection{Running: true, State: protocol.StatePaused}, nil
		},
		"ExplainItem": func(_ context.Context, r protocol.ExplainItemRequest) (protocol.Explanation, error) {
			l.asked = append(l.asked, r)
			return protocol.Explanation{Answer: "because"}, nil
		},
	} {
		l.env.RegisterActivityWithOptions(run, activity.RegisterOptions{Name: name})
	}
	return l
}

func (l *look) at(t *testing.T, request protocol.ExplainRequest) protocol.ExplainItemRequest {
	t.Helper()
	l.env.ExecuteWorkflow(protocol.Explain, request)
	require.NoError(t, l.env.GetWorkflowError())
	var e protocol.Explanation
	require.NoError(t, l.env.GetWorkflowResult(&e))
	require.Equal(t, "because", e.Answer)
	require.Len(t, l.asked, 1)
	return l.asked[0]
}

var asked = protocol.ExplainRequest{Shop: acme, Item: "A-1"}

func TestAnItemIsExplainedByADryRun(t *testing.T) {
	l := newLook()
	got := l.at(t, asked)
	same(t, []protocol.PassRequest{{Shop: acme, DryRun: true, Trigger: protocol.TriggerManual}}, l.dryRuns) // as sync --dry-run asks for it
	require.Regexp(t, "^dry-run:acme:", l.dryRunID)
	same(t, protocol.ExplainItemRequest{
		ExplainRequest: asked, Settings: l.loaded.Settings, Connection: address, State: protocol.StatePaused,
		Plan: protocol.Ref{Key: "plan"}, Catalogue: protocol.Ref{Key: "catalogue"}, TakenAt: begin,
	}, got)
}

// same compares what crosses Temporal.
func same(t *testing.T, want, got any) {
	t.Helper()
	wanted, err := json.Marshal(want)
	require.NoError(t, err)
	gotten, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, string(wanted), string(gotten))
}

func TestAnEarlierPassIsExplainedWithoutADryRun(t *testing.T) {
	l := newLook()
	l.loaded = protocol.Loaded{Failure: message.Failure(protocol.ConfigMissing, message.Params{Shop: acme})}
	got := l.at(t, protocol.ExplainRequest{Shop: acme, Item: "A-1", Pass: 12})
	require.Empty(t, l.dryRuns)
	require.Nil(t, got.Failure, "what is wrong now is nothing to that pass")
	require.Equal(t, int64(12), got.Pass)
}

func TestWhatKeepsADryRunFromAPlanIsHandedOn(t *testing.T) {
	down := message.Failure(protocol.KrosUnavailable, message.Params{})
	for name, pass := range map[string]func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error){
		"it failed": func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error) {
			return protocol.PassResult{Report: protocol.Report{Result: protocol.ResultFailed, Failure: down}}, nil
		},
		"it broke": func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error) {
			return protocol.PassResult{}, temporal.NewNonRetryableApplicationError(down.Message, "kros_unavailable", nil, down)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLook()
			l.pass = pass
			got := l.at(t, asked)
			require.Equal(t, down, got.Failure)
			require.True(t, got.Plan.Zero())
		})
	}
}

func TestWithoutSettingsTheArchiveIsAskedAtOnce(t *testing.T) {
	l := newLook()
	l.loaded = protocol.Loaded{Failure: message.Failure(protocol.ConfigMissing, message.Params{Shop: acme})}
	require.Equal(t, l.loaded.Failure, l.at(t, asked).Failure)
	require.Empty(t, l.dryRuns)
}

func TestAHeldDryRunExplainsWhatItHolds(t *testing.T) {
	l := newLook()
	held := l.pass
	l.pass = func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		result, err := held(ctx, r)
		result.Result, result.Failure = protocol.ResultHeld, message.Failure(protocol.TooManyZeroed, message.Params{})
		return result, err
	}
	got := l.at(t, asked)
	require.Nil(t, got.Failure)
	require.Equal(t, "plan", got.Plan.Key)
}

func TestAnExplanationThatIsCancelledTakesItsDryRunAlong(t *testing.T) {
	l := newLook()
	ended := false
	l.pass = func(ctx workflow.Context, _ protocol.PassRequest) (protocol.PassResult, error) {
		err := workflow.Sleep(ctx, time.Hour)
		ended = temporal.IsCanceledError(err)
		return protocol.PassResult{}, err
	}
	l.env.RegisterDelayedCallback(l.env.CancelWorkflow, time.Minute)
	l.env.ExecuteWorkflow(protocol.Explain, asked)
	require.True(t, temporal.IsCanceledError(l.env.GetWorkflowError()))
	require.True(t, ended)
	require.Empty(t, l.asked)
}
