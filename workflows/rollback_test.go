package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/workflows"
)

// undo is what one rollback meets.
type undo struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment

	plan  func(protocol.PlanRollbackRequest) (protocol.PlannedRollback, error)
	write func(protocol.UpdateRequest) (protocol.Written, error)

	plans   []protocol.PlanRollbackRequest
	writes  []protocol.UpdateRequest
	records []protocol.RecordRequest
}

func newUndo(t *testing.T) *undo {
	t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	u := &undo{t: t, env: suite.NewTestWorkflowEnvironment()}
	u.env.SetStartTime(begin)
	u.env.SetTestTimeout(time.Minute)
	u.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	u.plan = func(protocol.PlanRollbackRequest) (protocol.PlannedRollback, error) { return undoing(), nil }
	u.write = func(protocol.UpdateRequest) (protocol.Written, error) {
		return protocol.Written{Receipts: []protocol.Ref{ref("undone")}, Counts: undoing().Counts}, nil
	}
	u.env.RegisterWorkflowWithOptions(workflows.Rollback, workflow.RegisterOptions{Name: protocol.Rollback})
	u.env.RegisterWorkflowWithOptions(func(ctx workflow.Context, r protocol.RollbackRun) (protocol.RollbackResult, error) {
		ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: protocol.SyncPassID(r.Shop), WaitForCancellation: true})
		var result protocol.RollbackResult
		err := workflow.ExecuteChildWorkflow(ctx, protocol.Rollback, r).Get(ctx, &result)
		return result, err
	}, workflow.RegisterOptions{Name: "parent"})
	for name, run := range map[string]any{
		"LoadSettings": func(_ context.Context, r protocol.LoadRequest) (protocol.Loaded, error) { return loaded(r.After), nil },
		"RecallMemory": func(context.Context, string) (protocol.Recollection, error) {
			return protocol.Recollection{Running: true, State: protocol.StateHeld, ShopID: shopID, Memory: rollbackRun().Memory}, nil
		},
		"PlanRollback": func(_ context.Context, r protocol.PlanRollbackRequest) (protocol.PlannedRollback, error) {
			u.plans = append(u.plans, r)
			return u.plan(r)
		},
		"UpdateStock": func(_ context.Context, r protocol.UpdateRequest) (protocol.Written, error) {
			u.writes = append(u.writes, r)
			return u.write(r)
		},
		"RecordPass": func(_ context.Context, r protocol.RecordRequest) error {
			u.records = append(u.records, r)
			return nil
		},
	} {
		u.env.RegisterActivityWithOptions(run, activity.RegisterOptions{Name: name})
	}
	return u
}

// undoing is the plan of a rollback of ten products, of which two were changed
// since and one is not shown any more.
func undoing() protocol.PlannedRollback {
	return protocol.PlannedRollback{
		Undo: 12, Plan: ref("plan"), Ledger: ref("ledger"), Hash: "h", Writes: 6, TakenAt: begin,
		Counts: stock.Counts{KrosItems: 10, Updated: 6, Unchanged: 1, Held: 2, Unmatched: 1, Products: 9, Raised: 4, Lowered: 2, Zeroed: 1},
	}
}

func rollbackRun() protocol.RollbackRun {
	return protocol.RollbackRun{
		Shop: acme, Pass: 14, By: "jana", Settings: loaded(begin).Settings, SettingsHash: hash, Connection: address, ShopID: shopID,
		Memory: protocol.Memory{Baseline: ref("sweep"), Ledger: ref("old ledger"), Receipts: []protocol.Ref{ref("old receipt")}, Products: 8, Pass: 13},
	}
}

// run is a rollback by StockSync.
func (u *undo) run(r protocol.RollbackRun) (protocol.RollbackResult, error) {
	u.t.Helper()
	u.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: protocol.StockSyncID(acme), TaskQueue: "skladom"})
	return u.execute("parent", r)
}

func (u *undo) execute(name string, r protocol.RollbackRun) (protocol.RollbackResult, error) {
	u.t.Helper()
	u.env.ExecuteWorkflow(name, r)
	require.True(u.t, u.env.IsWorkflowCompleted())
	if err := u.env.GetWorkflowError(); err != nil {
		return protocol.RollbackResult{}, err
	}
	var result protocol.RollbackResult
	require.NoError(u.t, u.env.GetWorkflowResult(&result))
	addsUp(u.t, result.Report)
	return result, nil
}

func TestARollbackPlansWritesAndLeavesARecord(t *testing.T) {
	u := newUndo(t)
	result, err := u.run(rollbackRun())
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]protocol.PlanRollbackRequest{{
		Shop: acme, Pass: 14, Connection: address, Settings: rollbackRun().Settings, ShopID: shopID, Memory: rollbackRun().Memory,
	}}, u.plans))
	require.Equal(t, []protocol.UpdateRequest{{
		Shop: acme, Pass: 14, Connection: address, Plan: ref("plan"), TakenAt: begin,
	}}, u.writes)
	require.Equal(t, protocol.Memory{Baseline: ref("sweep"), Ledger: ref("ledger"), Receipts: []protocol.Ref{ref("undone")}, Products: 8, Pass: 13}, result.Memory)
	require.Equal(t, int64(12), result.Undo)
	require.Equal(t, protocol.TriggerRollback, result.Trigger)
	require.Equal(t, protocol.ResultOK, result.Result)
	require.Equal(t, undoing().Counts, result.Counts)
	require.Equal(t, []string{message.ChangedSince(3)}, result.Warnings)
	require.Len(t, u.records, 2)
	require.Empty(t, u.records[0].Record.Report.Result, "before anything is written: it has not ended")
	require.Equal(t, protocol.TriggerRollback, u.records[0].Record.Report.Trigger)
	require.Empty(t, cmp.Diff([]protocol.RecordRequest{{Shop: acme, Pass: 14, Record: protocol.PassRecord{
		Report: result.Report, By: "jana", Settings: rollbackRun().Settings, Plan: ref("plan"), Receipts: []protocol.Ref{ref("undone")}, Undoes: 12,
	}}}, u.records[1:]))
}

func TestADryRunOfARollbackFindsOutTheRestAndWritesNothing(t *testing.T) {
	u := newUndo(t)
	result, err := u.execute(protocol.Rollback, protocol.RollbackRun{Shop: acme, DryRun: true, Undo: 12})
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]protocol.PlanRollbackRequest{{
		Shop: acme, Undo: 12, DryRun: true, Connection: address, Settings: rollbackRun().Settings, ShopID: shopID, Memory: rollbackRun().Memory,
	}}, u.plans))
	require.Empty(t, u.writes)
	require.Empty(t, u.records)
	require.Equal(t, ref("plan"), result.Plan)
	require.Equal(t, undoing().Counts, result.Counts)
	require.Equal(t, protocol.StateHeld, result.State)
	require.Equal(t, rollbackRun().Memory, result.Memory)
}

func TestARollbackThatWritesIsStartedByStockSyncOnly(t *testing.T) {
	u := newUndo(t)
	_, err := u.execute(protocol.Rollback, rollbackRun())
	require.ErrorContains(t, err, "skladom rollback acme")
	require.Empty(t, u.plans)
	require.Empty(t, u.records)
}

func TestHowARollbackEnds(t *testing.T) {
	gone := refused(protocol.ShopUnavailable)
	for name, tc := range map[string]struct {
		plan     func(protocol.PlanRollbackRequest) (protocol.PlannedRollback, error)
		write    func(protocol.UpdateRequest) (protocol.Written, error)
		code     protocol.Code
		writes   int
		ledger   string
		receipts []protocol.Ref
		warning  string
	}{
		"nothing to undo": {
			plan: func(protocol.PlanRollbackRequest) (protocol.PlannedRollback, error) {
				return protocol.PlannedRollback{Undo: 11, Refused: message.NothingToRollBack(acme, 11)}, nil
			},
			code: protocol.NothingToRollBack, ledger: "old ledger", receipts: []protocol.Ref{ref("old receipt")},
		},
		"everything was changed since": {
			plan: func(protocol.PlanRollbackRequest) (protocol.PlannedRollback, error) {
				return protocol.PlannedRollback{Undo: 11, Plan: ref("plan"), Counts: stock.Counts{KrosItems: 1, Held: 1}}, nil
			},
			ledger: "old ledger", receipts: []protocol.Ref{ref("old receipt")}, warning: message.ChangedSince(1),
		},
		"the shop cannot be looked at": {
			plan: fails[protocol.PlanRollbackRequest, protocol.PlannedRollback](gone), code: protocol.ShopUnavailable,
			ledger: "old ledger", receipts: []protocol.Ref{ref("old receipt")},
		},
		"the shop breaks off: it may have what was written": {
			write: fails[protocol.UpdateRequest, protocol.Written](gone), code: protocol.ShopUnavailable,
			writes: 1, ledger: "ledger", warning: message.ChangedSince(3),
		},
		"changed between looking and writing": {
			write: func(protocol.UpdateRequest) (protocol.Written, error) {
				counts := undoing().Counts
				counts.Updated, counts.Rejected = counts.Updated-2, 2
				return protocol.Written{Receipts: []protocol.Ref{ref("undone")}, Counts: counts, Conflicts: 2}, nil
			},
			writes: 1, ledger: "ledger", receipts: []protocol.Ref{ref("undone")}, warning: message.ChangedSince(5),
		},
		"it takes too long": {
			write: func(protocol.UpdateRequest) (protocol.Written, error) {
				return protocol.Written{Receipts: []protocol.Ref{ref("undone")}, Counts: undoing().Counts, Stale: true}, nil
			},
			code: protocol.ShopUnavailable, writes: 1, ledger: "ledger", receipts: []protocol.Ref{ref("undone")}, warning: message.ChangedSince(3),
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUndo(t)
			if tc.plan != nil {
				u.plan = tc.plan
			}
			if tc.write != nil {
				u.write = tc.write
			}
			result, err := u.run(rollbackRun())
			require.NoError(t, err)
			require.Len(t, u.writes, tc.writes)
			require.Equal(t, tc.ledger, result.Memory.Ledger.Key)
			require.Equal(t, tc.receipts, result.Memory.Receipts)
			require.Len(t, u.records, 1+tc.writes)
			require.Empty(t, cmp.Diff(result.Report, u.records[tc.writes].Record.Report))
			if tc.warning != "" {
				require.Equal(t, []string{tc.warning}, result.Warnings)
			}
			if tc.code == "" {
				require.Equal(t, protocol.ResultOK, result.Result)
				return
			}
			require.Equal(t, protocol.ResultFailed, result.Result)
			require.Equal(t, tc.code, result.Failure.Code)
		})
	}
}

func TestACancelledRollbackSaysWhatItLeft(t *testing.T) {
	u := newUndo(t)
	u.write = func(protocol.UpdateRequest) (protocol.Written, error) {
		u.env.CancelWorkflow()
		return protocol.Written{}, temporal.NewCanceledError()
	}
	_, err := u.run(rollbackRun())
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, err, &cancelled)
	require.Len(t, u.records, 2, "it is in the history all the same")
	require.Equal(t, protocol.ResultFailed, u.records[1].Record.Report.Result)
}

// rollbacks gives a world its rollbacks, and returns what they were begun with.
func (w *world) rollbacks(run func(workflow.Context, protocol.RollbackRun) (protocol.RollbackResult, error)) *[]protocol.RollbackRun {
	var begun []protocol.RollbackRun
	w.env.RegisterWorkflowWithOptions(func(ctx workflow.Context, r protocol.RollbackRun) (protocol.RollbackResult, error) {
		begun = append(begun, r)
		w.passes = append(w.passes, "rollback@"+workflow.Now(ctx).Sub(begin).String())
		require.Equal(w.t, protocol.SyncPassID(acme), workflow.GetInfo(ctx).WorkflowExecution.ID)
		return run(ctx, r)
	}, workflow.RegisterOptions{Name: protocol.Rollback})
	return &begun
}

func undoes(ctx workflow.Context, r protocol.RollbackRun) (protocol.RollbackResult, error) {
	report := protocol.Report{Shop: r.Shop, Pass: r.Pass, Trigger: protocol.TriggerRollback, Result: protocol.ResultOK, StartedAt: workflow.Now(ctx)}
	result := protocol.RollbackResult{Report: report, Undo: max(r.Undo, 1), Memory: protocol.Memory{Ledger: ref("rolled back")}}
	err := workflow.Sleep(ctx, aPass)
	result.FinishedAt = workflow.Now(ctx)
	if err != nil {
		return protocol.RollbackResult{}, temporal.NewCanceledError(result)
	}
	return result, nil
}

// rolled is what became of an update "rollback".
type rolled struct {
	answer
	result protocol.RollbackResult
}

func (w *world) rollbackAt(when time.Duration, pass int64) *rolled {
	r := &rolled{}
	w.at(when, func() {
		w.env.UpdateWorkflow(protocol.UpdateRollback, "", &testsuite.TestUpdateCallback{
			OnAccept: func() { r.accepted = true },
			OnReject: func(err error) { r.rejected = err },
			OnComplete: func(result any, err error) {
				r.done, r.err, r.at = true, err, w.clock()
				r.result, _ = result.(protocol.RollbackResult)
			},
		}, protocol.RollbackRequest{Pass: pass, By: "jana"})
	})
	return r
}

func TestARollbackPausesTheShopAndIsATurnOfTheLoop(t *testing.T) {
	w := newWorld(t)
	begun := w.rollbacks(undoes)
	w.syncAt(time.Minute) // a pass, until 1m10s
	done := w.rollbackAt(65*time.Second, 0)
	during := w.statusAt(75 * time.Second)
	refusedPass := w.syncAt(76 * time.Second)
	second := w.rollbackAt(77*time.Second, 0)
	seen := w.statusAt(2 * time.Minute)
	w.updateAt(70*time.Minute, protocol.UpdateResume)
	w.runUntil(75*time.Minute, running())

	require.Equal(t, []string{"manual@1m0s", "rollback@1m10s", "manual@1h10m0s"}, w.passes, "after the pass that ran; none while paused")
	require.Equal(t, protocol.RollbackRun{
		Shop: acme, By: "jana", Pass: 2, Settings: loaded(begin).Settings, SettingsHash: hash, Connection: address, ShopID: shopID, Memory: w.requests[0].Memory,
	}.Pass, (*begun)[0].Pass)
	require.Equal(t, "plan of pass 1", (*begun)[0].Memory.Ledger.Key, "what the pass before left")
	require.Equal(t, "jana", (*begun)[0].By)
	require.NoError(t, done.err)
	require.Equal(t, "1m20s", done.at)
	require.Equal(t, int64(1), done.result.Undo)
	require.Equal(t, protocol.StatePaused, done.result.State)
	require.Equal(t, protocol.StatePaused, during.State)
	require.Equal(t, message.SyncWhilePaused(acme), sentence(refusedPass.rejected))
	require.Equal(t, message.RollbackRuns(acme), sentence(second.rejected))
	require.Equal(t, protocol.StatePaused, seen.State)
	require.Contains(t, seen.Reason.Message, "by jana: rollback of pass 1", "which pass the last one was is known by then")
	require.Equal(t, protocol.TriggerRollback, seen.LastPass.Trigger)
	require.Equal(t, "rolled back", w.requests[1].Memory.Ledger.Key, "the next pass knows what was left")
	require.Equal(t, int64(3), w.requests[1].Pass)
}

func TestARollbackReplacesAPauseThatWouldEnd(t *testing.T) {
	w := newWorld(t)
	w.rollbacks(undoes)
	w.pauseAt(time.Second, after(10*time.Minute))
	done := w.rollbackAt(time.Minute, 7)
	seen := w.statusAt(20 * time.Minute)
	w.runUntil(30*time.Minute, running())
	require.NoError(t, done.err)
	require.Equal(t, protocol.StatePaused, seen.State)
	require.Contains(t, seen.Reason.Message, "rollback of pass 7")
	require.Equal(t, []string{"rollback@1m0s"}, w.passes)
}

func TestARollbackThatCannotBegin(t *testing.T) {
	t.Run("settings cannot be read", func(t *testing.T) {
		w := newWorld(t)
		begun := w.rollbacks(undoes)
		w.load = func(r protocol.LoadRequest) protocol.Loaded {
			return protocol.Loaded{NextTick: r.After.Add(time.Hour), Failure: message.Failure(protocol.ConfigMissing, message.Params{Shop: acme})}
		}
		done := w.rollbackAt(time.Minute, 7)
		w.runUntil(2*time.Minute, running())
		require.NoError(t, done.err)
		require.Equal(t, protocol.ConfigMissing, done.result.Failure.Code)
		require.Equal(t, protocol.StatePaused, done.result.State)
		require.Empty(t, *begun)
	})
	t.Run("there is no such pass", func(t *testing.T) {
		w := newWorld(t)
		done := w.rollbackAt(time.Minute, -1)
		seen := w.statusAt(90 * time.Second)
		w.runUntil(2*time.Minute, running())
		require.ErrorContains(t, done.rejected, "no pass -1")
		require.Equal(t, protocol.StateActive, seen.State, "it is not paused for nothing")
	})
	t.Run("the child breaks", func(t *testing.T) {
		w := newWorld(t)
		w.rollbacks(func(workflow.Context, protocol.RollbackRun) (protocol.RollbackResult, error) {
			return protocol.RollbackResult{}, errors.New("a bug")
		})
		done := w.rollbackAt(time.Minute, 7)
		w.runUntil(2*time.Minute, running())
		require.NoError(t, done.err)
		require.Equal(t, protocol.ResultFailed, done.result.Result)
		require.Contains(t, done.result.Failure.Message, "a bug")
		require.Equal(t, int64(1), done.result.Memory.Lost, "it may have begun to write")
	})
}

func TestDeactivateEndsARollback(t *testing.T) {
	w := newWorld(t)
	w.rollbacks(undoes)
	done := w.rollbackAt(time.Minute, 7)
	w.runUntil(61*time.Second, running())
	require.True(t, done.done)
	require.NoError(t, done.err)
	require.Equal(t, ref("rolled back"), done.result.Memory.Ledger, "what it did is told")
}

func TestHistoryIsRead(t *testing.T) {
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	env := suite.NewTestWorkflowEnvironment()
	want := protocol.HistoryPage{Records: []protocol.PassRecord{{By: "jana"}}, Next: 3}
	env.RegisterActivityWithOptions(func(_ context.Context, r protocol.HistoryRequest) (protocol.HistoryPage, error) {
		require.Equal(t, protocol.HistoryRequest{Shop: acme, Before: 4, Limit: 2}, r)
		return want, nil
	}, activity.RegisterOptions{Name: "ReadHistory"})
	env.ExecuteWorkflow(workflows.History, protocol.HistoryRequest{Shop: acme, Before: 4, Limit: 2})
	require.NoError(t, env.GetWorkflowError())
	var page protocol.HistoryPage
	require.NoError(t, env.GetWorkflowResult(&page))
	require.Empty(t, cmp.Diff(want, page))
}
