package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/protocol"
)

// bubble runs a test on a clock of its own, so that waiting takes no time.
func bubble(t *testing.T, test func(t *testing.T)) { synctest.Test(t, test) }

func TestABrokenConnectionIsRepeatedWithTheSameUpdateId(t *testing.T) {
	bubble(t, func(t *testing.T) {
		accepts, gets := 0, 0
		f := &fakeTemporal{
			accept: func(context.Context, client.UpdateWorkflowOptions) error {
				if accepts++; accepts == 1 {
					return serviceerror.NewUnavailable("connection reset")
				}
				return nil
			},
			updates: map[string]func(context.Context, []any) (any, error){
				protocol.UpdateSync: func(context.Context, []any) (any, error) {
					if gets++; gets == 1 {
						return nil, client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded)
					}
					return pass(protocol.ResultOK), nil
				},
			},
		}
		require.Equal(t, statusDone, skladom(t, f, "sync", "acme").status)
		require.Len(t, f.updated, 2)
		require.Equal(t, f.updated[0].UpdateID, f.updated[1].UpdateID)
		require.NotEmpty(t, f.updated[0].UpdateID)
		require.Equal(t, 2, gets)
	})
}

func TestAConnectionThatStaysBrokenIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &fakeTemporal{updates: map[string]func(context.Context, []any) (any, error){
			protocol.UpdateSync: func(context.Context, []any) (any, error) { return nil, serviceerror.NewUnavailable("gone") },
		}}
		d := skladom(t, f, "sync", "acme")
		require.Equal(t, statusFailed, d.status)
		require.Contains(t, d.stderr, "Temporal at temporal.example.com:7233 does not answer.")
	})
}

func TestAnUpdateThatNobodyAcceptsBlamesTheWorkers(t *testing.T) {
	never := func(ctx context.Context, _ client.UpdateWorkflowOptions) error {
		<-ctx.Done()
		return client.NewWorkflowUpdateServiceTimeoutOrCanceledError(ctx.Err())
	}
	bubble(t, func(t *testing.T) {
		d := skladom(t, &fakeTemporal{accept: never, describe: running}, "pause", "acme")
		require.Equal(t, statusFailed, d.status)
		require.Contains(t, d.stderr, `No worker answers for the task queue "skladom"`)
	})
}

// waits is a workflow that never ends by itself.
func waits(ctx context.Context, _ string, _ any) (any, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestADryRunThatNoWorkerBeginsIsGivenUpAndCancelled(t *testing.T) {
	unstarted := func(context.Context, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
		return &workflowservice.DescribeWorkflowExecutionResponse{
			WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{HistoryLength: 2},
			PendingWorkflowTask:   &workflowpb.PendingWorkflowTaskInfo{State: enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED},
		}, nil
	}
	bubble(t, func(t *testing.T) {
		f := &fakeTemporal{describe: unstarted, workflows: map[string]func(context.Context, string, any) (any, error){protocol.SyncPass: waits}}
		d := skladom(t, f, "sync", "acme", "--dry-run", "--json")
		require.Equal(t, statusFailed, d.status)
		require.Contains(t, document(t, d)["failure"].(map[string]any)["message"], "No worker answers")
		require.Equal(t, []string{"dry-run:acme:id-1"}, f.cancelled)
	})
}

func TestAnInterruptEndsADryRunButNotAnActivation(t *testing.T) {
	for workflow, c := range map[string]struct {
		args      []string
		cancelled []string
	}{
		protocol.SyncPass:           {[]string{"sync", "acme", "--dry-run"}, []string{"dry-run:acme:id-1"}},
		protocol.ActivateConnection: {[]string{"activate", "acme"}, nil},
	} {
		bubble(t, func(t *testing.T) {
			f := &fakeTemporal{describe: running, workflows: map[string]func(context.Context, string, any) (any, error){workflow: waits}}
			ctx, interrupt := context.WithCancel(t.Context())
			time.AfterFunc(time.Minute, interrupt)
			d := skladomIn(ctx, f, c.args...)
			require.Equal(t, statusFailed, d.status)
			require.Contains(t, d.stderr, "Stopped")
			require.Equal(t, c.cancelled, f.cancelled)
		})
	}
}

func heartbeat(name string, attempt int32, p *protocol.Progress, failure string) *workflowpb.PendingActivityInfo {
	info := &workflowpb.PendingActivityInfo{ActivityType: &commonpb.ActivityType{Name: name}, Attempt: attempt}
	if p != nil {
		info.HeartbeatDetails = payloads(*p)
	}
	if failure != "" {
		info.LastFailure = &failurepb.Failure{FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
			ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: failure},
		}}
	}
	return info
}

func TestProgressIsReadFromHeartbeats(t *testing.T) {
	half := &protocol.Progress{Phase: "fetch", Done: 600, Total: 1240}
	for _, c := range []struct {
		name    string
		pending []*workflowpb.PendingActivityInfo
		want    string
	}{
		{"no activity", nil, ""},
		{"an activity that has not told yet", []*workflowpb.PendingActivityInfo{heartbeat("FetchStock", 1, nil, "")}, ""},
		{"a heartbeat", []*workflowpb.PendingActivityInfo{heartbeat("FetchStock", 1, half, "")}, "Reading KROS"},
		{"KROS is down", []*workflowpb.PendingActivityInfo{heartbeat("FetchStock", 2, half, "kros_unavailable")}, "KROS does not answer; attempt 2"},
		{"the e-shop is down", []*workflowpb.PendingActivityInfo{heartbeat("CheckShop", 3, nil, "shop_unavailable")}, "The e-shop does not answer; attempt 3"},
		{"a worker was stopped", []*workflowpb.PendingActivityInfo{heartbeat("FetchStock", 2, half, "worker_stopping")}, "Interrupted, trying again; attempt 2"},
		{"details of another program", []*workflowpb.PendingActivityInfo{{HeartbeatDetails: payloads("text")}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, ok := (&connection{temporalClient: &fakeTemporal{}}).observe(c.pending)
			require.Equal(t, c.want != "", ok)
			if ok {
				require.Equal(t, c.want, p.label())
			}
		})
	}
}

func TestProgressOfAChildIsShownWhileItsParentOnlyWaits(t *testing.T) {
	half := &protocol.Progress{Phase: "match", Done: 1, Total: 2}
	f := &fakeTemporal{describe: func(_ context.Context, id string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
		if id == "activate:acme" {
			return &workflowservice.DescribeWorkflowExecutionResponse{PendingChildren: []*workflowpb.PendingChildExecutionInfo{{WorkflowId: "dry-run:acme:x"}}}, nil
		}
		return &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: []*workflowpb.PendingActivityInfo{heartbeat("MatchProducts", 1, half, "")}}, nil
	}}
	c := &connection{temporalClient: f}
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c.look(ctx, "activate:acme", time.Second, func(p progress) {
			require.Equal(t, *half, p.Progress)
			cancel()
		}, nil)
	})
}

// screen is a terminal that is written and read at the same time.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) shows(text string) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.text.String(), text)
	}
}

func TestTheBarShowsThePhaseThatRuns(t *testing.T) {
	s := &screen{}
	b := newBar(s)
	const soon, often = 10 * time.Second, 5 * time.Millisecond
	b.show(progress{Progress: protocol.Progress{Phase: "fetch", Done: 600}})
	require.Eventually(t, s.shows("Reading KROS"), soon, often)
	b.show(progress{Progress: protocol.Progress{Phase: "match", Done: 5, Total: 10}})
	require.Eventually(t, s.shows("Looking products up"), soon, often)
	b.show(progress{Progress: protocol.Progress{Phase: "match", Done: 5, Total: 10}, trouble: "The e-shop does not answer; attempt 2"})
	require.Eventually(t, s.shows("The e-shop does not answer; attempt 2"), soon, often)
	b.stop()
	require.False(t, s.shows("done!")(), "nobody knows how a phase ended that was on the screen last")
}

func TestABarIsTakenDownBeforeItShowedAnything(t *testing.T) {
	s := &screen{}
	newBar(s).stop()
	require.False(t, s.shows("Reading")())
}
