package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/samber/lo"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/protocol"
)

// pass is when what happened, by the histories of a pass and of the StockSync
// that started it.
type pass struct {
	signal, taken, initiated time.Time // in StockSync
	begun                    time.Time // of SyncPass
	work                     []work    // fetch, match, write
}

// work is an activity.
type work struct{ scheduled, started, closed time.Time }

// steps name what steps returns.
var steps = []string{
	"relay: signature, signal",
	"StockSync gets to work",
	"StockSync: settings, starts SyncPass",
	"SyncPass runs",
	"SyncPass: asks for FetchStock",
	"FetchStock starts",
	"FetchStock",
	"SyncPass: asks for MatchProducts",
	"MatchProducts starts",
	"MatchProducts",
	"SyncPass: asks for UpdateStock",
	"UpdateStock starts",
	"UpdateStock, until the shop has the quantity",
}

func (p pass) steps(sent, followed time.Time) []time.Duration {
	at := []time.Time{sent, p.signal, p.taken, p.initiated, p.begun}
	for _, w := range p.work {
		at = append(at, w.scheduled, w.started, w.closed)
	}
	at[len(at)-1] = followed
	return lo.Map(at[1:], func(t time.Time, i int) time.Duration { return t.Sub(at[i]) })
}

// working is the time that went into activities, until the shop had followed.
func (p pass) working(followed time.Time) (sum time.Duration) {
	for _, w := range p.work[:len(p.work)-1] {
		sum += w.closed.Sub(w.started)
	}
	return sum + followed.Sub(lo.LastOrEmpty(p.work).started)
}

// profile reads the histories of the shop's notified passes, oldest first, and
// leaves out those of the warm-up.
func profile(ctx context.Context, c client.Client, shop string) ([]pass, error) {
	runs, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 1000, Query: fmt.Sprintf("WorkflowId = %q", protocol.SyncPassID(shop)),
	})
	if err != nil {
		return nil, fmt.Errorf("list the passes of %s: %w", shop, err)
	}
	parents := map[string][]*history.HistoryEvent{}
	var passes []pass
	for _, run := range runs.GetExecutions() {
		own, err := events(ctx, c, protocol.SyncPassID(shop), run.GetExecution().GetRunId())
		if err != nil {
			return nil, err
		}
		started := own[0].GetWorkflowExecutionStartedEventAttributes()
		parent := started.GetParentWorkflowExecution().GetRunId()
		if parents[parent] == nil {
			if parents[parent], err = events(ctx, c, protocol.StockSyncID(shop), parent); err != nil {
				return nil, err
			}
		}
		if p, ok := read(own, parents[parent], started.GetParentInitiatedEventId()); ok {
			passes = append(passes, p)
		}
	}
	slices.SortFunc(passes, func(x, y pass) int { return x.begun.Compare(y.begun) })
	return passes[warmUp:], nil
}

func events(ctx context.Context, c client.Client, workflow, run string) (all []*history.HistoryEvent, err error) {
	iterator := c.GetWorkflowHistory(ctx, workflow, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iterator.HasNext() {
		event, err := iterator.Next()
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", workflow, err)
		}
		all = append(all, event)
	}
	return all, nil
}

// read puts a pass together. It is false for one that no signal began.
func read(own, parent []*history.HistoryEvent, initiated int64) (p pass, notified bool) {
	before := parent[:initiated]
	p.initiated = lo.LastOrEmpty(before).GetEventTime().AsTime()
	for _, e := range slices.Backward(before) {
		switch e.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_TASK_STARTED:
			if p.taken.IsZero() {
				p.taken = e.GetEventTime().AsTime()
			}
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			if e.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() == protocol.SignalNotification {
				p.signal = e.GetEventTime().AsTime()
				p.begun = own[0].GetEventTime().AsTime()
				p.work = activities(own)
				return p, len(p.work) == 3
			}
			return p, false
		}
	}
	return p, false
}

func activities(own []*history.HistoryEvent) (all []work) {
	index := map[int64]int{}
	for _, e := range own {
		at := e.GetEventTime().AsTime()
		switch e.GetEventType() {
		case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			index[e.GetEventId()] = len(all)
			all = append(all, work{scheduled: at})
		case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			all[index[e.GetActivityTaskStartedEventAttributes().GetScheduledEventId()]].started = at
		case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			all[index[e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId()]].closed = at
		}
	}
	return all
}
