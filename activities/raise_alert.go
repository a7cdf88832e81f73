package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/protocol"
)

// RaiseAlert tells an alert to the workflows that collect alerts, one for each
// destination of the shop and each cause. An attempt goes on where the last one
// ended: who was signalled is not signalled again.
func (a *Activities) RaiseAlert(ctx context.Context, alert protocol.Alert) error {
	return a.raise(ctx, activity.GetClient(ctx), alert)
}

// signaller is what raising an alert needs of Temporal.
type signaller interface {
	SignalWithStartWorkflow(ctx context.Context, workflowID, signalName string, signalArg any,
		options client.StartWorkflowOptions, workflow any, workflowArgs ...any) (client.WorkflowRun, error)
}

func (a *Activities) raise(ctx context.Context, temporal signaller, alert protocol.Alert) error {
	var done []string // ids
	if activity.HasHeartbeatDetails(ctx) {
		_ = activity.GetHeartbeatDetails(ctx, &done) // what does not decode was done by nobody
	}
	var failed []error
	for _, to := range a.destinations(alert.Shop) {
		if slices.Contains(done, to.id) {
			continue
		}
		id := protocol.AlertsID(to.id, alert.Kind, alert.Code)
		_, err := temporal.SignalWithStartWorkflow(ctx, id, protocol.SignalAlert, alert, client.StartWorkflowOptions{
			ID: id, TaskQueue: activity.GetInfo(ctx).TaskQueue, StaticSummary: fmt.Sprintf("alerts: %s (%s)", alert.Kind, alert.Code),
		}, protocol.Alerts, protocol.AlertsState{Destination: to.id, Kind: alert.Kind, Code: alert.Code})
		if err != nil {
			failed = append(failed, fmt.Errorf("signal %s: %w", id, err))
			continue
		}
		done = append(done, to.id)
		activity.RecordHeartbeat(ctx, done)
	}
	return errors.Join(failed...)
}
