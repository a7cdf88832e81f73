package workflows

import (
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
)

// Explain says why an item has its quantity. It tells it from a dry run, so
// that the reason is found by the very code of a pass; where that fails, or a
// pass that is over is asked for, from what the archive has.
func Explain(ctx workflow.Context, req protocol.ExplainRequest) (protocol.Explanation, error) {
	look := protocol.ExplainItemRequest{ExplainRequest: req}
	if err := lookAround(ctx, &look); err != nil {
		return protocol.Explanation{}, err
	}
	if req.Pass == 0 && look.Failure == nil {
		if err := lookNow(ctx, &look); err != nil {
			return protocol.Explanation{}, err
		}
	}
	return call[protocol.Explanation](ctx, tellBounds, "explain an item of "+req.Shop, do.ExplainItem, look)
}

// lookAround finds out how the shop is set and whether passes run.
func lookAround(ctx workflow.Context, look *protocol.ExplainItemRequest) error {
	loaded, err := loadSettings(ctx, look.Shop, time.Time{})
	if err != nil {
		return err
	}
	look.Settings, look.Connection = loaded.Settings, loaded.Connection
	if look.Pass == 0 {
		look.Failure = loaded.Failure
	}
	known, err := call[protocol.Recollection](ctx, readBounds, "memory of "+look.Shop, do.RecallMemory, look.Shop)
	look.State = known.State
	return err
}

// lookNow makes the plan that a pass now would have.
func lookNow(ctx workflow.Context, look *protocol.ExplainItemRequest) error {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          protocol.DryRunID(look.Shop, workflow.GetInfo(ctx).WorkflowExecution.RunID),
		WorkflowRunTimeout:  passTimeout,
		ParentClosePolicy:   enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation: true,
		StaticSummary:       "what a pass of " + look.Shop + " would do",
		Priority:            priority(protocol.TriggerManual, true),
	})
	var result protocol.PassResult
	err := workflow.ExecuteChildWorkflow(ctx, protocol.SyncPass, protocol.PassRequest{
		Shop: look.Shop, Trigger: protocol.TriggerManual, DryRun: true,
	}).Get(ctx, &result)
	switch {
	case temporal.IsCanceledError(err):
		return err
	case err != nil:
		look.Failure = failureOf(err, protocol.KrosUnavailable)
	case result.Plan.Zero() || result.Catalogue == nil:
		look.Failure = result.Failure
	default:
		look.Plan, look.Catalogue, look.TakenAt = result.Plan, result.Catalogue.Ref, result.Catalogue.TakenAt
	}
	return nil
}
