package main

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
)

// How long the shop may take to count a notification, and to end a pass for it.
const (
	countWithin = 10 * time.Second
	passWithin  = time.Minute
	beginWithin = 45 * time.Second // a pass that is to begin later cannot be waited for
)

// signal waits until the shop has counted one notification more.
func (t *trial) signal(ctx context.Context) (string, error) {
	if t.silence != nil {
		return "", t.unseen("whether it arrived", t.silence)
	}
	counted := func(s protocol.Status) bool {
		return s.Notifications.Count > t.before.Notifications.Count && s.Notifications.LastAt != nil
	}
	after, err := t.until(ctx, countWithin, counted)
	switch {
	case err != nil:
		return "", t.unseen("whether it arrived", err)
	case !counted(after):
		return "", t.trouble(fmt.Sprintf("Answered with 200, and %s has not counted it within %s.", t.shop, countWithin),
			fmt.Sprintf("Another program answers at this URL, or the relay passes notifications on to another Temporal than %s, namespace %q.", t.temporal.address, t.temporal.namespace), nil)
	}
	t.after = after
	return fmt.Sprintf("%s has counted it: notifications were %s and are %s, the last %s.", t.shop,
		render.Count(int(t.before.Notifications.Count)), render.Count(int(after.Notifications.Count)), message.Time(*after.Notifications.LastAt, t.zone)), nil
}

// pass waits for the end of a pass that began after the notification was counted.
func (t *trial) pass(ctx context.Context) (string, error) {
	t.announce()
	end := t.temporal.follow(ctx, protocol.SyncPassID(t.shop), nil)
	status, err := t.until(ctx, passWithin, func(s protocol.Status) bool {
		return t.begunSince(s.LastPass) || blocked(s) || t.heldBack(s)
	})
	end()
	switch {
	case err != nil:
		return "", t.unseen("what became of it", err)
	case t.begunSince(status.LastPass):
		return t.result(*status.LastPass)
	case status.State == protocol.StatePaused:
		return fmt.Sprintf("None now: %s is paused. It is remembered and acted on at: skladom resume %s", t.shop, t.shop), nil
	case blocked(status):
		return "", t.standstill(status)
	case t.heldBack(status):
		return fmt.Sprintf("Not yet, it begins at about %s: %s. To see it: skladom status %s", message.Time(t.next(status), t.zone), t.apart(), t.shop), nil
	}
	return t.unended(ctx)
}

// announce says that a pass is coming that does not begin at once.
func (t *trial) announce() {
	wait := t.next(t.after).Sub(*t.after.Notifications.LastAt)
	if wait > 0 && !t.heldBack(t.after) && !t.begunSince(t.after.LastPass) && !blocked(t.after) {
		t.say(render.Step(render.Waiting, "pass", fmt.Sprintf("It begins in about %s: %s.", brief(wait), t.apart())))
	}
}

// begunSince tells a pass that reflects what KROS had when the notification came.
func (t *trial) begunSince(r *protocol.Report) bool {
	return r != nil && !r.StartedAt.Before(*t.after.Notifications.LastAt)
}

// blocked tells a shop in which no notification begins a pass.
func blocked(s protocol.Status) bool {
	return s.State == protocol.StatePaused || s.State == protocol.StateSuspended || s.State == protocol.StateInactive
}

func (t *trial) standstill(s protocol.Status) error {
	if s.Reason == nil {
		return t.trouble(fmt.Sprintf("No pass: %s is %s.", t.shop, s.State), "To see more: skladom status "+t.shop, nil)
	}
	return t.trouble(fmt.Sprintf("No pass: %s is %s. %s", t.shop, s.State, s.Reason.Message), s.Reason.Hint, nil)
}

// heldBack tells that a pass for the notification begins too late to be waited
// for, since another one was run not long ago.
func (t *trial) heldBack(s protocol.Status) bool {
	return t.next(s).Sub(*t.after.Notifications.LastAt) > beginWithin
}

func (t *trial) apart() string {
	return fmt.Sprintf("passes for notifications keep webhook.min_gap (%s) and twice their duration apart", t.minGap)
}

// next is about when a pass for a notification can begin, the zero time where
// the last pass tells nothing of it. It reckons as StockSync does, which knows
// of earlier passes, too, and has the last word.
func (t *trial) next(s protocol.Status) time.Time {
	if s.LastPass == nil || s.LastPass.Trigger != protocol.TriggerNotification {
		return time.Time{}
	}
	return s.LastPass.StartedAt.Add(max(t.minGap, 2*s.LastPass.FinishedAt.Sub(s.LastPass.StartedAt)))
}

func (t *trial) result(r protocol.Report) (string, error) {
	late := ""
	if t.next(t.before).After(*t.after.Notifications.LastAt) {
		late = ", since " + t.apart() + ","
	}
	text := fmt.Sprintf("Pass %d (%s) began %s after the signal%s and took %s", r.Pass, render.Trigger(r.Trigger),
		brief(r.StartedAt.Sub(*t.after.Notifications.LastAt)), late, brief(r.FinishedAt.Sub(r.StartedAt)))
	switch r.Result {
	case protocol.ResultFailed:
		failed := protocol.Failure{Message: "It failed."}
		if r.Failure != nil {
			failed = *r.Failure
		}
		return "", t.trouble(text+". "+failed.Message, failed.Hint, nil)
	case protocol.ResultHeld:
		return text + fmt.Sprintf("; it is held. To see why: skladom status %s", t.shop), nil
	}
	return text + fmt.Sprintf(": %s, %s updated.", render.Of(r.KrosItems, "item"), render.Count(r.Updated)), nil
}

// unended says why no pass has ended in time: one that runs is no failure.
func (t *trial) unended(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	seen, err := t.temporal.DescribeWorkflowExecution(ctx, protocol.SyncPassID(t.shop), "")
	info := seen.GetWorkflowExecutionInfo()
	switch {
	case err != nil || info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return "", t.trouble(fmt.Sprintf("No pass began within %s.", passWithin),
			fmt.Sprintf("Passes for notifications keep webhook.min_gap (%s) and twice their duration apart. If none was run for so long, look at the workflow %s in the Temporal UI, and into the log of the worker.",
				t.minGap, protocol.StockSyncID(t.shop)), err)
	case info.GetStartTime().AsTime().Before(*t.after.Notifications.LastAt):
		return fmt.Sprintf("A pass that began before still runs after %s; the one for this notification follows it. To see it: skladom status %s", passWithin, t.shop), nil
	}
	return fmt.Sprintf("A pass began after the signal and still runs after %s. To see its result: skladom status %s", passWithin, t.shop), nil
}

// until asks the shop again and again, until it is as wanted or the time is
// over; the last answer is returned.
func (t *trial) until(ctx context.Context, within time.Duration, wanted func(protocol.Status) bool) (protocol.Status, error) {
	over := time.NewTimer(within)
	defer over.Stop()
	for {
		status, err := t.temporal.status(ctx, t.shop)
		if err != nil || wanted(status) {
			return status, err
		}
		select {
		case <-ctx.Done():
			return status, ctx.Err()
		case <-over.C:
			return status, nil
		case <-time.After(lookEvery):
		}
	}
}

// unseen says that the notification was sent, and nobody could tell what
// became of it.
func (t *trial) unseen(what string, err error) error {
	f := asProblem(err).failure
	return t.trouble(fmt.Sprintf("It cannot be seen from here %s. %s", what, f.Message), f.Hint, err)
}

// brief is a time as far as people care.
func brief(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}
