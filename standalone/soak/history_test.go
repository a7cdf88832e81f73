package soak

import (
	"context"
	"fmt"
	"sync"

	"github.com/samber/lo"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/site"
)

// What a history may have. A run of StockSync gives way after 48 passes, as soon
// as nobody waits for one: who asks meanwhile is served first, and settings are
// looked at once more when a shop is activated. A pass costs it at most
// eventsOfPass, and a signal, an update or a timer eventsOfAsking, with the
// workflow task that it causes. SyncPass has no loop that grows with the
// catalogue or with the faults it meets, since tries of an activity leave no
// event: 29 to 31, and room for reading KROS and matching once more.
const (
	passesOfRun    = 48
	spareLooks     = 4
	eventsOfStart  = 20
	eventsOfPass   = 24
	eventsOfAsking = 5
	eventsOfChild  = 48
	bytesOfChild   = 64 << 10

	// At these Temporal suggests a new run; it warns at 10,240 events and 10 MiB.
	suggestedEvents = 4096
	suggestedBytes  = 4 << 20

	// One alarm is set at a time: for the next tick, the end of a pause, a
	// reminder or the renewal, whichever comes first.
	timersOfRun = 1
)

// run is what a run of StockSync lived through.
type run struct {
	id            string
	events, bytes int
	passes        int // begun, by its looks at the settings
	asked         int // signals, updates and timers
	timers        int // started and neither fired nor cancelled
	renewed       bool
}

func (r run) String() string {
	return fmt.Sprintf("%s: %d events, %d KiB, %d looks at the settings, %d signals, updates and timers", r.id, r.events, r.bytes>>10, r.passes, r.asked)
}

// read counts a history.
func read(id string, events []*history.HistoryEvent) run {
	r := run{id: id, events: len(events)}
	for _, e := range events {
		r.bytes += proto.Size(e)
		switch e.GetEventType() {
		case enums.EVENT_TYPE_MARKER_RECORDED:
			r.passes += lo.Ternary(e.GetMarkerRecordedEventAttributes().GetMarkerName() == "LocalActivity", 1, 0)
		case enums.EVENT_TYPE_TIMER_STARTED:
			r.timers++
			r.asked++
		case enums.EVENT_TYPE_TIMER_FIRED, enums.EVENT_TYPE_TIMER_CANCELED:
			r.timers--
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
			r.asked++
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
			r.renewed = true
		}
	}
	return r
}

// excess says what of a run is more than the design gives it.
func (r run) excess() (found []string) {
	complain := func(what string, is, most int) {
		if is > most {
			found = append(found, fmt.Sprintf("%s: %d %s, of which %d are the most", r, is, what, most))
		}
	}
	complain("open timers", r.timers, timersOfRun)
	complain("looks at the settings", r.passes, passesOfRun+spareLooks)
	complain("events", r.events, min(suggestedEvents, eventsOfStart+eventsOfPass*r.passes+eventsOfAsking*r.asked))
	complain("bytes", r.bytes, suggestedBytes)
	return found
}

// histories are all runs of StockSync, and of SyncPass the one with the most
// events and the one with the most bytes.
func (s *soak) histories() (runs []run, longest, largest *workflow.WorkflowExecutionInfo, err error) {
	syncs, err := s.list(protocol.StockSync)
	if err != nil {
		return nil, nil, nil, err
	}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for _, e := range syncs {
		group.Go(func() error {
			id := e.GetExecution()
			events, err := site.History(s.context(), s.client, id.GetWorkflowId(), id.GetRunId())
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			runs = append(runs, read(id.GetWorkflowId(), events))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, nil, err
	}
	passes, err := s.list(protocol.SyncPass)
	if err != nil {
		return nil, nil, nil, err
	}
	longest = lo.MaxBy(passes, func(a, b *workflow.WorkflowExecutionInfo) bool { return a.GetHistoryLength() > b.GetHistoryLength() })
	largest = lo.MaxBy(passes, func(a, b *workflow.WorkflowExecutionInfo) bool {
		return a.GetHistorySizeBytes() > b.GetHistorySizeBytes()
	})
	return runs, longest, largest, nil
}

func (s *soak) list(workflowType string) (all []*workflow.WorkflowExecutionInfo, err error) {
	request := &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000, Query: fmt.Sprintf("WorkflowType = %q", workflowType)}
	for {
		page, err := s.client.ListWorkflow(context.Background(), request)
		if err != nil {
			return nil, fmt.Errorf("list the runs of %s: %w", workflowType, err)
		}
		all = append(all, page.GetExecutions()...)
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return all, nil
		}
	}
}
