package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/skladom/skladom/protocol"
)

// RecallMemory asks the shop's StockSync what it remembers, for a dry run or an
// activation, which are not it. A shop that is not active remembers nothing.
func (a *Activities) RecallMemory(ctx context.Context, shop string) (protocol.Recollection, error) {
	return recollect(ctx, activity.GetClient(ctx), shop)
}

// temporalClient is what a recollection needs of Temporal.
type temporalClient interface {
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
}

func recollect(ctx context.Context, client temporalClient, shop string) (protocol.Recollection, error) {
	id := protocol.StockSyncID(shop)
	described, err := client.DescribeWorkflowExecution(ctx, id, "")
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return protocol.Recollection{State: protocol.StateInactive}, nil
	}
	if err != nil {
		return protocol.Recollection{}, fmt.Errorf("describe %s: %w", id, err)
	}
	if described.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return protocol.Recollection{State: protocol.StateInactive}, nil
	}
	answer, err := client.QueryWorkflow(ctx, id, "", protocol.QueryMemory)
	if err != nil {
		return protocol.Recollection{}, fmt.Errorf("query %s of %s: %w", protocol.QueryMemory, id, err)
	}
	var recollection protocol.Recollection
	if err := answer.Get(&recollection); err != nil {
		return protocol.Recollection{}, fmt.Errorf("decode %s of %s: %w", protocol.QueryMemory, id, err)
	}
	return recollection, nil
}
