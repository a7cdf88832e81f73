package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	bars "github.com/jedib0t/go-pretty/v6/progress"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/skladom/skladom/protocol"
)

// progress is how far a pass is, as its activities tell.
type progress struct {
	protocol.Progress
	trouble string // why it does not get on, empty while it does
}

// observe reads the progress of the first pending activity that tells any, or
// what is wrong with it.
func (c *connection) observe(pending []*workflowpb.PendingActivityInfo) (progress, bool) {
	for _, activity := range pending {
		var p progress
		told := activity.GetHeartbeatDetails() != nil &&
			c.FromPayloads(activity.GetHeartbeatDetails(), &p.Progress) == nil
		if last := activity.GetLastFailure(); last != nil {
			p.trouble = fmt.Sprintf("%s; attempt %d", obstacle(last.GetApplicationFailureInfo().GetType()), activity.GetAttempt())
		}
		if told || p.trouble != "" {
			return p, true
		}
	}
	return progress{}, false
}

// obstacle says in a few words what stands behind the type of a failure, which
// is its code where a side failed.
func obstacle(code string) string {
	switch {
	case strings.HasPrefix(code, "kros_"):
		return "KROS does not answer"
	case strings.HasPrefix(code, "shop_"):
		return "The e-shop does not answer"
	}
	return "Interrupted, trying again"
}

func noBar(progress) {}

// bar shows progress on a terminal: a line for the phase that runs. It leaves
// nothing behind, since the report tells all.
type bar struct {
	writer bars.Writer
	phases map[string]*bars.Tracker
	latest *bars.Tracker
	ended  chan struct{}
}

var phaseNames = map[string]string{
	"":      "Waiting",
	"fetch": "Reading KROS",
	"match": "Looking products up",
	"list":  "Listing the products",
	"write": "Writing to the e-shop",
}

const (
	barColumns  = 20
	nameColumns = 40 // with bar and number less than 80: a line that wraps cannot be taken back
)

func newBar(screen io.Writer) *bar {
	b := &bar{writer: bars.NewWriter(), phases: map[string]*bars.Tracker{}, ended: make(chan struct{})}
	b.writer.SetOutputWriter(screen)
	b.writer.SetUpdateFrequency(100 * time.Millisecond)
	b.writer.SetTrackerLength(barColumns)
	b.writer.SetMessageLength(nameColumns)
	b.writer.SetTrackerPosition(bars.PositionRight)
	b.writer.Style().Visibility = bars.StyleVisibility{Tracker: true, Value: true}
	go func() {
		defer close(b.ended)
		b.writer.Render()
	}()
	return b
}

func (b *bar) show(p progress) {
	tracker, ok := b.phases[p.Phase]
	if !ok {
		b.finish()
		tracker = &bars.Tracker{Message: p.label(), Total: int64(p.Total), AutoStopDisabled: true, RemoveOnCompletion: true}
		b.phases[p.Phase] = tracker
		b.writer.AppendTracker(tracker)
	}
	b.latest = tracker
	tracker.UpdateMessage(p.label())
	tracker.UpdateTotal(int64(p.Total))
	tracker.SetValue(int64(p.Done))
}

func (p progress) label() string {
	switch {
	case p.trouble != "":
		return p.trouble
	case p.Note != "":
		return phaseNames[p.Phase] + ": " + p.Note
	}
	return phaseNames[p.Phase]
}

// finish marks the phase that was shown last as done.
func (b *bar) finish() {
	if b.latest != nil && !b.latest.IsDone() {
		b.latest.MarkAsDone()
	}
}

// stop takes the bar down and waits until nothing more is printed.
func (b *bar) stop() {
	b.finish()
	for {
		b.writer.Stop() // is lost on a writer that has not begun to render
		select {
		case <-b.ended:
			return
		case <-time.After(time.Millisecond):
		}
	}
}
