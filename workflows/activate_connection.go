package workflows

import (
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
)

// ActivateConnection tries both systems, shows what a first pass would do, and
// then starts StockSync or tells the running one. It writes nothing to the
// shop, and a failure leaves a running connection as it was.
func ActivateConnection(ctx workflow.Context, req protocol.ActivateRequest) (protocol.Activation, error) {
	ctx = workflow.WithPriority(ctx, priority(protocol.TriggerActivation, req.DryRun))
	a := &activation{req: req, result: protocol.Activation{Shop: req.Shop, State: protocol.StateInactive}}
	return a.run(ctx)
}

// activation is one run of ActivateConnection.
type activation struct {
	req    protocol.ActivateRequest
	result protocol.Activation
	loaded protocol.Loaded
	known  protocol.Recollection // of a connection that runs already
}

func (a *activation) run(ctx workflow.Context) (protocol.Activation, error) {
	for _, step := range []func(workflow.Context) (*protocol.Failure, error){a.settings, a.checkKROS} {
		if failure, err := step(ctx); failure != nil || err != nil {
			a.result.Failure = failure
			return a.result, err
		}
	}
	dryRun, err := a.dryRun(ctx)
	if err != nil {
		return a.result, err
	}
	a.result.Findings = dryRun.Findings
	// A hold is shown by the findings, and holds in the first pass, too.
	if dryRun.Result == protocol.ResultFailed {
		a.result.Failure = dryRun.Failure
		return a.result, nil
	}
	if a.req.DryRun {
		return a.result, nil
	}
	a.result.ID = workflow.GetInfo(ctx).WorkflowExecution.RunID
	a.result.State = protocol.StateActive
	return a.result, a.start(ctx, protocol.Activated{
		ID: a.result.ID, ShopID: dryRun.ShopID, LastPass: dryRun.LastPass, Catalogue: dryRun.Catalogue, By: a.req.By,
	})
}

func (a *activation) settings(ctx workflow.Context) (*protocol.Failure, error) {
	loaded, err := loadSettings(ctx, a.req.Shop, time.Time{})
	if err != nil {
		return nil, err
	}
	a.loaded = loaded
	a.known, err = call[protocol.Recollection](ctx, readBounds, "is it running already?", do.RecallMemory, a.req.Shop)
	if a.known.Running {
		a.result.State = a.known.State
	}
	return loaded.Failure, err
}

// checkKROS tries key and plan with two requests, before anything that takes
// long. The e-shop comes after KROS's catalogue, in the dry run.
func (a *activation) checkKROS(ctx workflow.Context) (*protocol.Failure, error) {
	err := run(ctx, checkBounds, "KROS: try the key", do.CheckKROS, protocol.CheckRequest{Shop: a.req.Shop, Connection: a.loaded.Connection}, nil)
	return failureOrCancel(err, protocol.KrosUnavailable)
}

// dryRun makes the findings. It compares with nothing, since a person looks at
// them; what a running connection remembers goes along, so that none of it is
// pruned and the shop has to be the same.
func (a *activation) dryRun(ctx workflow.Context) (protocol.PassResult, error) {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          protocol.DryRunID(a.req.Shop, workflow.GetInfo(ctx).WorkflowExecution.RunID),
		WorkflowRunTimeout:  passTimeout,
		ParentClosePolicy:   enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation: true,
		StaticSummary:       "what a first pass of " + a.req.Shop + " would do",
		Priority:            priority(protocol.TriggerActivation, true),
	})
	var result protocol.PassResult
	err := workflow.ExecuteChildWorkflow(ctx, protocol.SyncPass, protocol.PassRequest{
		Shop: a.req.Shop, Trigger: protocol.TriggerActivation, DryRun: true, Findings: true, Accept: true,
		Settings: a.loaded.Settings, SettingsHash: a.loaded.Hash, Connection: a.loaded.Connection,
		ShopID: a.known.ShopID, Memory: a.known.Memory, Basis: a.loaded.Basis, Protected: a.known.Hold.Refs(),
	}).Get(ctx, &result)
	return result, err
}

// start begins StockSync, which outlives this workflow, or tells the one that
// runs already.
func (a *activation) start(ctx workflow.Context, activated protocol.Activated) error {
	err := a.startSync(ctx, activated)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return workflow.SignalExternalWorkflow(ctx, protocol.StockSyncID(a.req.Shop), "", protocol.SignalActivated, activated).Get(ctx, nil)
	}
	return err
}

func (a *activation) startSync(ctx workflow.Context, activated protocol.Activated) error {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            protocol.StockSyncID(a.req.Shop),
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         "keeps " + a.req.Shop + " in step with KROS",
		// It has to see what came in before anybody knows how urgent that is.
		Priority: temporal.Priority{PriorityKey: protocol.PriorityNotification},
	})
	return workflow.ExecuteChildWorkflow(ctx, protocol.StockSync, SyncState{
		Shop: a.req.Shop, ShopID: activated.ShopID, State: protocol.StateActive,
		Settings: a.loaded.Settings, NextTick: a.loaded.NextTick,
		Passes: activated.LastPass, Activation: &activated,
		Notifications: protocol.Notifications{State: protocol.NotificationsWaiting},
	}).GetChildWorkflowExecution().Get(ctx, nil)
}
