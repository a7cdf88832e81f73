package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

const (
	remindEvery = 24 * time.Hour   // of a pause or a hold
	raiseAgain  = 15 * time.Minute // after an alert that could not be raised
)

// raiseBounds are short: raising an alert is a signal, and the next pass waits.
var raiseBounds = bounds{try: 30 * time.Second, all: time.Minute}

// told is what has been told of a shop, so that it is told once.
type told struct {
	// The last trouble, until its all-clear. At is when it was told last.
	Kind  protocol.AlertKind `json:"kind,omitempty"`
	Code  protocol.Code      `json:"code,omitempty"`
	Since time.Time          `json:"since,omitzero"`
	At    time.Time          `json:"at,omitzero"`

	// Failed passes since the last good one; at most one an interval counts, and
	// the next one not before MissesAt.
	Misses   int       `json:"misses,omitempty"`
	MissesAt time.Time `json:"missesAt,omitzero"`

	Lost     int       `json:"lost,omitempty"`     // products that are not kept any more
	LostTold int       `json:"lostTold,omitempty"` // of which this many were told
	Quiet    time.Time `json:"quiet,omitzero"`     // the change in KROS after which silence was told
}

// count takes in how a pass ended. lost is the number of products that were in
// step and are not any more; it is believed of a good pass only.
func (t *told) count(result protocol.Result, lost int, begun, nextTick time.Time) {
	switch {
	case result == protocol.ResultOK:
		t.Misses, t.MissesAt = 0, time.Time{}
		t.Lost, t.LostTold = lost, min(t.LostTold, lost)
	case result == protocol.ResultFailed && !begun.Before(t.MissesAt):
		t.Misses++
		t.MissesAt = nextTick
	}
}

// alert raises what is worth an alert and was not told yet. What could not be
// raised is raised later, if it still holds then.
func (s *stockSync) alert(ctx workflow.Context) {
	if !s.Settings.Alerts {
		s.Told = told{}
		return
	}
	now := workflow.Now(ctx)
	for !now.Before(s.alertsFrom) {
		alert, after := s.untold(now)
		if alert == nil {
			return
		}
		if err := run(ctx, raiseBounds, "alert: "+string(alert.Kind), do.RaiseAlert, *alert, nil); err != nil {
			workflow.GetLogger(ctx).Error("an alert could not be raised", "shop", s.Shop, "kind", alert.Kind, "code", alert.Code, "error", cause(err))
			s.alertsFrom = now.Add(raiseAgain)
			return
		}
		s.Told = after
	}
}

// untold is the next thing to tell, nil if there is none, and what has been
// told then.
func (s *SyncState) untold(now time.Time) (*protocol.Alert, told) {
	for _, look := range []func(time.Time) (*protocol.Alert, told){s.untoldState, s.untoldLoss, s.untoldSilence} {
		if alert, after := look(now); alert != nil {
			return alert, after
		}
	}
	return nil, s.Told
}

// untoldState is the trouble that the state stands for, its daily repeat or
// its end.
func (s *SyncState) untoldState(now time.Time) (*protocol.Alert, told) {
	if s.State == protocol.StateActive {
		return s.allClear(now)
	}
	kind, is := troubles[s.State]
	if !is || s.Reason == nil {
		return nil, s.Told
	}
	after := s.Told
	after.Kind, after.Code, after.Since, after.At = kind, s.Reason.Code, s.Reason.Since, now
	again := s.Told.Kind == kind && s.Told.Code == s.Reason.Code
	remind := s.remindAt()
	switch {
	case kind == protocol.AlertFailing && (s.Told.Kind == kind || s.Told.Misses < s.Settings.MissedPasses):
		return nil, s.Told
	case kind == protocol.AlertSuspended && again:
		return nil, s.Told
	case !remind.IsZero() && now.Before(remind):
		return nil, s.Told
	}
	alert := message.Alert(s.newAlert(kind, s.Reason.Since, now), s.Reason.Failure)
	alert.Again = again
	return &alert, after
}

var troubles = map[protocol.State]protocol.AlertKind{
	protocol.StateSuspended: protocol.AlertSuspended, protocol.StateHeld: protocol.AlertHeld,
	protocol.StateFailing: protocol.AlertFailing, protocol.StatePaused: protocol.AlertPaused,
}

// allClear follows a trouble that was told, once a pass has ended well since.
func (s *SyncState) allClear(now time.Time) (*protocol.Alert, told) {
	if s.Told.Kind == "" || s.LastSuccessAt == nil || !s.LastSuccessAt.After(s.Told.At) {
		return nil, s.Told
	}
	alert := s.newAlert(s.Told.Kind, s.Told.Since, now)
	alert.Cleared = true
	alert = message.Alert(alert, protocol.Failure{Code: s.Told.Code})
	after := s.Told
	after.Kind, after.Code, after.Since, after.At = "", "", time.Time{}, time.Time{}
	return &alert, after
}

// untoldLoss are products that were in step and are not any more.
func (s *SyncState) untoldLoss(now time.Time) (*protocol.Alert, told) {
	if s.Told.Lost <= s.Told.LostTold {
		return nil, s.Told
	}
	after := s.Told
	after.LostTold = after.Lost
	alert := message.Alert(s.newAlert(protocol.AlertUnmatched, now, now), message.MatchLost(s.Shop, s.Told.Lost))
	return &alert, after
}

// untoldSilence is that KROS, read again and again, shows no other quantity.
// It is told once, until one changes.
func (s *SyncState) untoldSilence(now time.Time) (*protocol.Alert, told) {
	after := s.Settings.QuietAfter
	if after <= 0 || s.KrosChangedAt == nil || s.LastSuccessAt == nil ||
		s.LastSuccessAt.Before(s.KrosChangedAt.Add(after)) || s.Told.Quiet.Equal(*s.KrosChangedAt) {
		return nil, s.Told
	}
	next := s.Told
	next.Quiet = *s.KrosChangedAt
	alert := message.Alert(s.newAlert(protocol.AlertQuiet, *s.KrosChangedAt, now), message.KrosQuiet(*s.KrosChangedAt, s.zone()))
	return &alert, next
}

// remindAt is when a pause or a hold is told again; the first time of a hold is
// at once, that of a pause after a day. The zero time where nothing is due by
// itself.
func (s *SyncState) remindAt() time.Time {
	if !s.Settings.Alerts || s.Reason == nil {
		return time.Time{}
	}
	kind := troubles[s.State]
	told := s.Told.Kind == kind && s.Told.Code == s.Reason.Code
	switch {
	case kind == protocol.AlertPaused && (!told || s.Told.At.Before(s.Reason.Since)):
		return s.Reason.Since.Add(remindEvery)
	case told && (kind == protocol.AlertPaused || kind == protocol.AlertHeld):
		return s.Told.At.Add(remindEvery)
	}
	return time.Time{}
}

// alertAt is when an alert may be due by itself; the zero time: never.
func (s *stockSync) alertAt() time.Time {
	at := s.remindAt()
	if !at.IsZero() && at.Before(s.alertsFrom) {
		return s.alertsFrom
	}
	return at
}

func (s *SyncState) newAlert(kind protocol.AlertKind, since, at time.Time) protocol.Alert {
	return protocol.Alert{
		Shop: s.Shop, Title: s.status().Title, Timezone: s.Settings.Timezone, Kind: kind, State: s.State, Since: since, At: at,
	}
}
