package site

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"
)

// Cost is what a part of a history costs.
type Cost struct {
	Events  int
	Bytes   int
	Actions int
}

// Plus is the cost of both.
func (c Cost) Plus(d Cost) Cost {
	return Cost{Events: c.Events + d.Events, Bytes: c.Bytes + d.Bytes, Actions: c.Actions + d.Actions}
}

// CostOf adds up what events cost. Heartbeats, queries and refused updates are
// billed as well, and leave no event.
func CostOf(events []*history.HistoryEvent) (c Cost) {
	marked := map[int64]bool{}
	for _, e := range events {
		c.Events++
		c.Bytes += proto.Size(e)
		c.Actions += actions(e)
		if m := e.GetMarkerRecordedEventAttributes(); m != nil && !marked[m.GetWorkflowTaskCompletedEventId()] {
			marked[m.GetWorkflowTaskCompletedEventId()] = true
			c.Actions++
		}
	}
	return c
}

// actions is what Temporal Cloud bills for an event alone, by its list of
// billable actions (docs.temporal.io/cloud/actions). All markers of one workflow
// task, so all its local activities, are one action together.
func actions(e *history.HistoryEvent) int {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		if e.GetWorkflowExecutionStartedEventAttributes().GetParentWorkflowExecution() != nil && e.GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId() == "" {
			return 0 // the parent's event counts for the start, too
		}
		return 1 // by a client, or as the next run: the event of continue-as-new is not billed again
	case enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
		return 2 // the intent, and the start
	case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		return int(e.GetActivityTaskStartedEventAttributes().GetAttempt()) - 1 // the first attempt is billed with its schedule
	case enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
		return int(e.GetWorkflowTaskCompletedEventAttributes().GetMeteringMetadata().GetNonfirstLocalActivityExecutionAttempts())
	case enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
		fields := e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()
		if _, version := fields["TemporalChangeVersion"]; version && len(fields) == 1 {
			return 0
		}
		return 1
	case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
		enums.EVENT_TYPE_TIMER_STARTED,
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		enums.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, // its other half is another workflow's event
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED:
		return 1
	}
	return 0
}

// Rest is a workflow that waits for nothing but time and for what others send.
type Rest struct {
	Run    string
	Events int
	Bytes  int // as the server counts them
}

const restEvery = 20 * time.Millisecond

// RestAfter waits until a workflow rests and has lived through something since
// before, in the same run or in a later one.
func RestAfter(ctx context.Context, c client.Client, id string, before Rest) (Rest, error) {
	ticker := time.NewTicker(restEvery)
	defer ticker.Stop()
	for {
		described, err := c.DescribeWorkflowExecution(ctx, id, "")
		if err != nil {
			return Rest{}, fmt.Errorf("look at %s: %w", id, err)
		}
		info := described.GetWorkflowExecutionInfo()
		now := Rest{Run: info.GetExecution().GetRunId(), Events: int(info.GetHistoryLength()), Bytes: int(info.GetHistorySizeBytes())}
		busy := described.GetPendingWorkflowTask() != nil || len(described.GetPendingChildren()) > 0 || len(described.GetPendingActivities()) > 0
		if !busy && (now.Run != before.Run || now.Events > before.Events) {
			return now, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return Rest{}, fmt.Errorf("wait until %s rests: %w", id, ctx.Err())
		}
	}
}
