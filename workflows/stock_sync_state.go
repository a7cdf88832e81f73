package workflows

import (
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// stateVersion is raised when the meaning of a field changes; a field that is
// added needs no new version.
const stateVersion = 1

// SyncState is all that StockSync carries from run to run. Nothing in it grows
// with the catalogue or with the age of the shop.
type SyncState struct {
	Version int    `json:"version"`
	Shop    string `json:"shop"`
	ShopID  string `json:"shopId"` // who the shop said it was at activation

	State  protocol.State   `json:"state"`
	Reason *protocol.Reason `json:"reason,omitempty"`
	Pause  *pause           `json:"pause,omitempty"`

	Memory   protocol.Memory   `json:"memory"`
	Settings protocol.Settings `json:"settings"` // as last read; for title, zone and gaps
	Passes   int64             `json:"passes"`   // number of the last pass begun
	Recent   []passLine        `json:"recent,omitempty"`

	LastPass      *protocol.Report `json:"lastPass,omitempty"`
	LastSuccessAt *time.Time       `json:"lastSuccessAt,omitempty"`
	KrosChangedAt *time.Time       `json:"krosChangedAt,omitempty"`
	PassStartedAt time.Time        `json:"passStartedAt"` // of the last pass
	PassTook      time.Duration    `json:"passTook"`
	NextTick      time.Time        `json:"nextTick"`
	// NotBefore holds back the next pass for a notification. It is in the future
	// only after another such pass, whatever passes came between: a storm cannot
	// keep KROS busy, and after quiet a pass begins at once.
	NotBefore time.Time `json:"notBefore,omitzero"`

	Notifications protocol.Notifications `json:"notifications"`

	Hold      *protocol.Hold `json:"hold,omitempty"`     // what waits for a person
	Approval  *approval      `json:"approval,omitempty"` // the last answer "yes", until a pass has carried it out
	Dismissed protocol.Ref   `json:"dismissed,omitzero"` // the last answer "no", until a ledger has it
	Answer    string         `json:"answer,omitempty"`   // hash of the last approval
	Hours     []hour         `json:"hours,omitempty"`    // of the last day, for the guard

	Told told `json:"told,omitzero"` // by alerts

	// What is asked for and not yet begun.
	Notified   bool                `json:"notified,omitempty"`   // KROS notified since the last pass began
	Requested  bool                `json:"requested,omitempty"`  // signal sync-now
	Activation *protocol.Activated `json:"activation,omitempty"` // its first pass is still to come
	Activated  string              `json:"activated,omitempty"`  // id of the activation whose first pass has ended
}

// pause is a stop by a person.
type pause struct {
	protocol.PauseRequest
	Since time.Time `json:"since"`
}

// approval is a held plan that a person wants to be written.
type approval struct {
	Hold protocol.Hold `json:"hold"`
	By   string        `json:"by,omitempty"`
	Due  bool          `json:"due,omitempty"` // its pass is still to begin
}

// hour is what the guard has to know of an hour: how many products were above
// 0 when its first pass began, and how many its passes took to 0.
type hour struct {
	At      time.Time `json:"at"`
	Stocked int       `json:"stocked"`
	Zeroed  int       `json:"zeroed"`
}

// passLine is what is shown of an earlier pass.
type passLine struct {
	Pass      int64            `json:"pass"`
	StartedAt time.Time        `json:"startedAt"`
	Took      time.Duration    `json:"took"`
	Trigger   protocol.Trigger `json:"trigger"`
	Result    string           `json:"result"`
	Updated   int              `json:"updated"`
	Unmatched int              `json:"unmatched"`
}

// refusedAfter is how long after a valid notification one with a wrong
// signature tells nothing about the key that KROS has.
const refusedAfter = 24 * time.Hour

// maxRecent is how many earlier passes the Temporal UI shows.
const maxRecent = 10

// zone is the shop's time zone, UTC where it is not known. It serves texts for
// people only: workers may have different databases of zones.
func (s *SyncState) zone() *time.Location {
	zone, err := time.LoadLocation(s.Settings.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (s *SyncState) status() protocol.Status {
	status := protocol.Status{
		Shop: s.Shop, Title: s.Settings.Title, State: s.State, Reason: s.Reason,
		LastPass: s.LastPass, LastSuccessAt: s.LastSuccessAt, KrosChangedAt: s.KrosChangedAt,
		Notifications: s.Notifications,
	}
	if s.Memory.Filter.Proven() {
		status.Reading = protocol.ModeDelta
	}
	if status.Title == "" {
		status.Title = s.Shop
	}
	if !s.NextTick.IsZero() && s.State != protocol.StateInactive && s.Pause == nil {
		next := s.NextTick
		status.NextPassAt = &next
	}
	return status
}

// notify takes in a notification of KROS.
func (s *SyncState) notify(now time.Time) {
	s.Notified = true
	s.Notifications.Count++
	s.Notifications.LastAt = &now
	s.Notifications.State = protocol.NotificationsWorking
}

// refuseNotification takes in that a notification came whose signature was
// wrong. Anybody can send such a one: while valid ones come, KROS has the right
// key. It is only shown, and asks for no pass.
func (s *SyncState) refuseNotification(now time.Time) {
	n := &s.Notifications
	if n.State == protocol.NotificationsWorking && n.LastAt != nil && now.Sub(*n.LastAt) < refusedAfter {
		return
	}
	n.State, n.LastAt = protocol.NotificationsRefused, &now
}

// note remembers a pass that has ended.
func (s *SyncState) note(r *protocol.Report) {
	s.LastPass = r
	s.PassTook = r.FinishedAt.Sub(r.StartedAt)
	if r.Trigger == protocol.TriggerNotification {
		s.NotBefore = s.PassStartedAt.Add(max(s.Settings.MinGap, 2*s.PassTook))
	}
	s.Recent = append(s.Recent, passLine{
		Pass: r.Pass, StartedAt: r.StartedAt, Took: s.PassTook, Trigger: r.Trigger,
		Result: outcome(r), Updated: r.Updated, Unmatched: r.Unmatched,
	})
	if len(s.Recent) > maxRecent {
		s.Recent = s.Recent[len(s.Recent)-maxRecent:]
	}
}

// due says what a pass has to begin for now, if for anything. A person waits,
// so a request comes first.
func (s *SyncState) due(now time.Time, asked bool) (protocol.Trigger, bool) {
	switch {
	case s.Pause != nil:
		return "", false
	case s.Activation != nil:
		return protocol.TriggerActivation, true
	case s.Approval != nil && s.Approval.Due:
		return protocol.TriggerApproval, true
	case asked || s.Requested:
		return protocol.TriggerManual, true
	case s.Notified && s.State != protocol.StateSuspended && !now.Before(s.NotBefore):
		return protocol.TriggerNotification, true
	case !s.NextTick.IsZero() && !now.Before(s.NextTick):
		return protocol.TriggerSchedule, true
	}
	return "", false
}

// wakeAt is the next time at which something may be due by itself.
func (s *SyncState) wakeAt() time.Time {
	if s.Pause != nil {
		if s.Pause.Until != nil {
			return *s.Pause.Until
		}
		return time.Time{}
	}
	wake := s.NextTick
	if s.Notified && s.State != protocol.StateSuspended {
		if wake.IsZero() || s.NotBefore.Before(wake) {
			wake = s.NotBefore
		}
	}
	return wake
}

// guardedDay is how long zeroings count together.
const guardedDay = 24 * time.Hour

// day is what the last 24 hours were like, nil where they say nothing about
// numbers of these settings.
func (s *SyncState) day(now time.Time, basis string) *stock.Day {
	hours := s.lastDay(now)
	if len(hours) == 0 || basis != s.Memory.Basis {
		return nil
	}
	return &stock.Day{Stocked: hours[0].Stocked, Zeroed: lo.SumBy(hours, func(h hour) int { return h.Zeroed })}
}

// lastDay are the hours of which the last 24 hours have seen something.
func (s *SyncState) lastDay(now time.Time) []hour {
	return lo.Filter(s.Hours, func(h hour, _ int) bool { return h.At.After(now.Add(-guardedDay)) })
}

// count takes a pass into its hour. Where its settings are new, the hours
// before say nothing any more.
func (s *SyncState) count(day *stock.Day, begun time.Time, fresh bool) {
	if day == nil {
		return
	}
	s.Hours = s.lastDay(begun)
	if fresh {
		s.Hours = nil
	}
	at := begun.Truncate(time.Hour)
	if last := len(s.Hours) - 1; last >= 0 && s.Hours[last].At.Equal(at) {
		s.Hours[last].Zeroed += day.Zeroed
		return
	}
	s.Hours = append(s.Hours, hour{At: at, Stocked: day.Stocked, Zeroed: day.Zeroed})
}

// ended is how the last pass ended.
func (s *SyncState) ended() *protocol.Ended {
	if s.LastPass == nil {
		return &protocol.Ended{}
	}
	e := &protocol.Ended{Result: s.LastPass.Result, SettingsHash: s.LastPass.SettingsHash}
	if s.LastPass.Failure != nil {
		e.Code = s.LastPass.Failure.Code
	}
	return e
}
