package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

// rollbackTurn is a rollback that was asked for; the loop runs it.
type rollbackTurn struct {
	request protocol.RollbackRequest
	done    bool
	result  protocol.RollbackResult
}

func (s *stockSync) allowRollback(request protocol.RollbackRequest) error {
	switch {
	case s.rollback != nil:
		return refuse(message.RollbackRuns(s.Shop))
	case request.Pass < 0:
		return refuse(fmt.Sprintf("There is no pass %d.", request.Pass))
	}
	return s.allow()
}

// onRollback pauses the shop, so that no pass writes again what is undone, and
// waits for the loop to run the rollback: after the pass that runs.
func (s *stockSync) onRollback(ctx workflow.Context, request protocol.RollbackRequest) (protocol.RollbackResult, error) {
	if _, err := s.onPause(ctx, protocol.PauseRequest{Reason: message.RollbackReason(request.Pass), By: request.By}); err != nil {
		return protocol.RollbackResult{}, err
	}
	mine := &rollbackTurn{request: request}
	s.rollback = mine
	if err := workflow.Await(ctx, func() bool { return mine.done || s.left }); err != nil {
		return protocol.RollbackResult{}, err
	}
	if !mine.done {
		return protocol.RollbackResult{}, refuse(message.NotActive(s.Shop))
	}
	return mine.result, nil
}

// rollBack runs the rollback that was asked for and takes over what it left in
// the shop.
func (s *stockSync) rollBack(ctx workflow.Context) error {
	turn := s.rollback
	rollbackCtx, end := workflow.WithCancel(ctx)
	defer end()
	s.running = &runningPass{end: end}
	result, err := s.runRollback(rollbackCtx, turn.request)
	s.running, s.rollback = nil, nil
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // deactivated before there was anything to report
		result.Report = s.noRollback(ctx, protocol.RollbackRun{}, message.Unfinished(protocol.ShopUnavailable, cause(err))).Report
		result.Memory = s.Memory
	}
	s.Memory = result.Memory
	s.note(&result.Report)
	if s.Pause != nil && s.Pause.Reason == message.RollbackReason(0) && result.Undo != 0 { // which pass was the last one is known by now
		s.Pause.Reason = message.RollbackReason(result.Undo)
		s.Reason.Message, s.Reason.Hint = message.Paused(s.Shop, s.Pause.PauseRequest, s.zone())
	}
	result.State = s.State
	turn.result, turn.done = result, true
	return nil
}

// runRollback reads the settings and runs the child. The error is that it was
// cancelled.
func (s *stockSync) runRollback(ctx workflow.Context, request protocol.RollbackRequest) (protocol.RollbackResult, error) {
	run := protocol.RollbackRun{Shop: s.Shop, Undo: request.Pass, By: request.By, ShopID: s.ShopID, Memory: s.Memory}
	loaded, err := loadSettings(ctx, s.Shop, s.PassStartedAt)
	if err != nil {
		return protocol.RollbackResult{}, err
	}
	if loaded.Failure != nil {
		return s.noRollback(ctx, run, loaded.Failure), nil
	}
	s.Passes++
	run.Pass, run.Settings, run.SettingsHash, run.Connection = s.Passes, loaded.Settings, loaded.Hash, loaded.Connection
	for range takenIDTries {
		result, taken := s.startRollback(ctx, run)
		if !taken {
			return result, nil
		}
		if err := workflow.Sleep(ctx, takenIDRetry); err != nil {
			return protocol.RollbackResult{}, err
		}
	}
	detail := fmt.Sprintf("somebody else runs a workflow with the id %s; terminate it", protocol.SyncPassID(s.Shop))
	return s.noRollback(ctx, run, message.Unfinished(protocol.ShopUnavailable, detail)), nil
}

// startRollback runs Rollback under the id of the shop's pass and waits for its
// end, also where ctx is cancelled. taken tells that a workflow of its id runs
// already.
func (s *stockSync) startRollback(ctx workflow.Context, run protocol.RollbackRun) (result protocol.RollbackResult, taken bool) {
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            protocol.SyncPassID(s.Shop),
		WorkflowRunTimeout:    passTimeout,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation:   true,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         message.RollbackReason(run.Undo) + " of " + s.Shop,
		Priority:              priority(protocol.TriggerRollback, run.DryRun),
	}), protocol.Rollback, run)
	steady, _ := workflow.NewDisconnectedContext(ctx)
	for !child.IsReady() {
		// A context that is never cancelled gives no error.
		_ = workflow.Await(steady, func() bool { return child.IsReady() || s.signalled() })
		s.drain(ctx)
	}
	err := child.Get(steady, &result)
	var cancelled *temporal.CanceledError
	switch {
	case err == nil:
		return result, false
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		return result, true
	case errors.As(err, &cancelled) && cancelled.HasDetails() && cancelled.Details(&result) == nil:
		return result, false // what it remembers counts: it may have begun to write
	}
	result = s.noRollback(ctx, run, message.Unfinished(protocol.ShopUnavailable, "the rollback was ended before it was done ("+cause(err)+")"))
	result.Memory.Lost = run.Pass // it may have begun to write; the archive knows what
	return result, false
}

// noRollback is the result of a rollback that could not begin, or that ended
// without a word.
func (s *stockSync) noRollback(ctx workflow.Context, run protocol.RollbackRun, failure *protocol.Failure) protocol.RollbackResult {
	run.Shop = s.Shop
	report := rollbackReport(ctx, run)
	report.Result, report.Failure = protocol.ResultFailed, message.RollbackAgain(failure, s.Shop, run.Undo)
	return protocol.RollbackResult{Report: report, Undo: run.Undo, Memory: s.Memory}
}
