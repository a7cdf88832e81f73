package workflows

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/samber/lo"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
)

// How Alerts makes one message of many alerts.
const (
	alertQuiet    = 10 * time.Second // nothing came for so long: the message is complete
	alertPatience = time.Minute      // it is sent in any case
	// From one message of a cause to the next. The time doubles: trouble of KROS
	// reaches thousands of shops one after the other, while their ticks come.
	alertWait    = time.Minute
	alertMaxWait = 30 * time.Minute
)

// alertGiveUp is how long a destination that takes nothing is tried.
const alertGiveUp = 24 * time.Hour

// maxSignalsOfAlerts is when a run of Alerts gives way to the next one.
const maxSignalsOfAlerts = 2000

// maxPendingBytes keeps what is carried from run to run below Temporal's limit.
const maxPendingBytes = 1 << 20

// alertRow is about what the rest of a shop takes beside its texts, in bytes.
const alertRow = 200

// deliverBounds are for a few attempts in a row. Those of a day are made by
// Alerts itself: what comes meanwhile joins the message, or makes it needless.
var deliverBounds = bounds{try: time.Minute, all: 4 * time.Minute}

// Alerts collects what there is to tell one destination of one cause, and has
// it delivered as one message, or two: who is in trouble, and who is out of it.
// It ends when there is nothing more to tell.
//
// Each destination and cause has a workflow of its own, so one that takes
// nothing keeps no other waiting, and what one took is not sent to it again
// because another failed.
func Alerts(ctx workflow.Context, state protocol.AlertsState) error {
	a := &alerts{AlertsState: state, inbox: workflow.GetSignalChannel(ctx, protocol.SignalAlert)}
	return a.run(ctx)
}

// alerts is one run of Alerts.
type alerts struct {
	protocol.AlertsState
	inbox workflow.ReceiveChannel
	taken int            // signals of this run
	at    map[string]int // places of shops in Pending
	bytes int            // of Pending, about
}

func (a *alerts) run(ctx workflow.Context) error {
	for {
		a.drain(ctx)
		now, next := workflow.Now(ctx), a.next()
		var err error
		switch {
		case a.taken >= maxSignalsOfAlerts || workflow.GetInfo(ctx).GetContinueAsNewSuggested():
			return workflow.NewContinueAsNewError(ctx, Alerts, a.AlertsState)
		case now.Before(next):
			err = a.wait(ctx, next.Sub(now))
		case a.empty():
			return nil
		default:
			err = a.deliver(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// next is when something is to be done: a message, or the end.
func (a *alerts) next() time.Time {
	if a.empty() {
		return a.NotBefore
	}
	complete := a.LastAt.Add(alertQuiet)
	if latest := a.FirstAt.Add(alertPatience); latest.Before(complete) {
		complete = latest
	}
	if complete.Before(a.NotBefore) {
		return a.NotBefore
	}
	return complete
}

func (a *alerts) empty() bool { return len(a.Pending) == 0 && a.More == 0 && a.MoreCleared == 0 }

// wait sleeps. Not each signal wakes it, so that thousands cost no more timers
// than a few; only so many that the history has to be renewed.
func (a *alerts) wait(ctx workflow.Context, d time.Duration) error {
	timerCtx, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timerCtx, d, workflow.TimerOptions{Summary: "more of the same?"})
	return workflow.Await(ctx, func() bool { return timer.IsReady() || a.inbox.Len() >= maxSignalsOfAlerts })
}

// drain takes in every alert that has arrived.
func (a *alerts) drain(ctx workflow.Context) {
	now := workflow.Now(ctx)
	a.index()
	for {
		var alert protocol.Alert
		if !a.inbox.ReceiveAsync(&alert) {
			return
		}
		a.taken++
		if a.empty() {
			a.FirstAt = now
		}
		a.LastAt = now
		a.take(alert)
	}
}

// index counts anew what is pending.
func (a *alerts) index() {
	a.bytes, a.at = 0, make(map[string]int, len(a.Pending))
	for i, p := range a.Pending {
		a.at[p.Shop] = i
		a.bytes += weight(p.Alert)
	}
}

func weight(alert protocol.Alert) int {
	return len(alert.Title) + len(alert.Message) + len(alert.Hint) + alertRow
}

// take takes an alert in. The last one of a shop counts. Trouble that ended
// before anybody was told is told to nobody, nor is trouble that began again
// before anybody was told that it had ended.
func (a *alerts) take(alert protocol.Alert) {
	i, known := a.at[alert.Shop]
	switch {
	case !known && (len(a.Pending) >= protocol.MaxAlertedShops || a.bytes >= maxPendingBytes):
		if alert.Cleared {
			a.MoreCleared++
		} else {
			a.More++
		}
	case !known:
		a.at[alert.Shop], a.bytes = len(a.Pending), a.bytes+weight(alert)
		a.Pending = append(a.Pending, protocol.PendingAlert{Alert: alert, Told: alert.Again || alert.Cleared})
	case alert.Cleared && !a.Pending[i].Told, !alert.Cleared && a.Pending[i].Cleared:
		a.Pending = slices.Delete(a.Pending, i, i+1)
		a.index()
	default:
		a.Pending[i].Alert = alert
	}
}

// deliver sends what is pending. What the destination did not take is pending
// again, with what came meanwhile, until it is given up after a day.
func (a *alerts) deliver(ctx workflow.Context) error {
	for _, cleared := range []bool{false, true} {
		m := a.message(cleared)
		if m.Count == 0 {
			continue
		}
		err := run(ctx, deliverBounds, "alert: "+string(a.Kind), do.DeliverAlerts, m, nil)
		if temporal.IsCanceledError(err) {
			return err
		}
		a.FailingAt = a.failingAt(ctx, err)
		if err != nil && !a.hopeless(ctx, err) {
			break // the order is kept: trouble first, then its end
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("an alert was not delivered and is given up", "destination", a.Destination, "kind", a.Kind, "code", a.Code, "shops", m.Count, "error", cause(err))
			a.FailingAt = time.Time{}
		}
		a.forget(cleared)
	}
	a.Wait = min(max(2*a.Wait, alertWait), alertMaxWait)
	a.NotBefore = workflow.Now(ctx).Add(a.Wait)
	return nil
}

func (a *alerts) failingAt(ctx workflow.Context, err error) time.Time {
	switch {
	case err == nil:
		return time.Time{}
	case a.FailingAt.IsZero():
		return workflow.Now(ctx)
	}
	return a.FailingAt
}

// hopeless tells whether a message that was not delivered is given up.
func (a *alerts) hopeless(ctx workflow.Context, err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.NonRetryable() || workflow.Now(ctx).Sub(a.FailingAt) >= alertGiveUp
}

// forget drops what was delivered or given up.
func (a *alerts) forget(cleared bool) {
	a.Pending = lo.Reject(a.Pending, func(p protocol.PendingAlert, _ int) bool { return p.Cleared == cleared })
	if cleared {
		a.MoreCleared = 0
	} else {
		a.More = 0
	}
}

// message puts together who is in trouble, or who is out of it. What all shops
// have in common is said once.
func (a *alerts) message(cleared bool) protocol.AlertMessage {
	pending := lo.Filter(a.Pending, func(p protocol.PendingAlert, _ int) bool { return p.Cleared == cleared })
	slices.SortFunc(pending, func(a, b protocol.PendingAlert) int { return cmp.Compare(a.Shop, b.Shop) })
	m := protocol.AlertMessage{
		Destination: a.Destination, Kind: a.Kind, Code: a.Code, Cleared: cleared,
		Count: len(pending) + lo.Ternary(cleared, a.MoreCleared, a.More), Shops: []protocol.AlertedShop{},
	}
	if len(pending) == 0 {
		return m
	}
	m.State = pending[0].State
	m.Message = common(pending, func(p protocol.PendingAlert) string { return p.Message })
	m.Hint = common(pending, func(p protocol.PendingAlert) string { return p.Hint })
	size := 0
	for _, p := range pending {
		if p.At.After(m.At) {
			m.At = p.At
		}
		row := protocol.AlertedShop{Shop: p.Shop, Title: p.Title, Timezone: p.Timezone, Since: p.Since}
		if m.Message == "" {
			row.Message = p.Message
		}
		if m.Hint == "" {
			row.Hint = p.Hint
		}
		if size += len(row.Title) + len(row.Message) + len(row.Hint) + alertRow; size <= protocol.MaxAlertedBytes {
			m.Shops = append(m.Shops, row)
		}
	}
	return m
}

// common is the text that all have, or none.
func common(pending []protocol.PendingAlert, text func(protocol.PendingAlert) string) string {
	first := text(pending[0])
	if lo.EveryBy(pending, func(p protocol.PendingAlert) bool { return text(p) == first }) {
		return first
	}
	return ""
}
