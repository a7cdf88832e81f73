package workflows_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/workflows"
)

var update = flag.Bool("update", false, "write testdata/state.json again; only before a first release")

// full is a state in which no field is empty.
func full() workflows.SyncState {
	state := running()
	report := protocol.Report{
		Shop: acme, Pass: 41, Trigger: protocol.TriggerNotification, Mode: protocol.ModeFull, Result: protocol.ResultFailed,
		Failure: &protocol.Failure{Code: protocol.ShopUnavailable, Message: "The e-shop does not answer.", Hint: "Wait."}, Warnings: []string{"moving"},
		SettingsHash: hash, StartedAt: begin.Add(-10 * time.Minute), FinishedAt: begin.Add(-9 * time.Minute), KrosRequests: 13,
		Counts:   stock.Counts{KrosItems: 1240, Held: 1200, Unmatched: 40, Products: 1300, Shared: 60, Missing: 2},
		PlanHash: "ab12", Samples: stock.Samples{"unmatched": {{Item: "A-1", Name: "Čaj", Key: "A-1", ReasonCode: "no_product", Reason: "none"}}},
	}
	state.Reason = &protocol.Reason{Failure: *report.Failure, Since: begin.Add(-9 * time.Minute)}
	state.State = protocol.StateFailing
	state.Memory = protocol.Memory{
		Baseline: protocol.Ref{Bucket: "b", Key: "acme/catalogue/40", SHA256: "01", Rows: 1240},
		Ledger:   protocol.Ref{Bucket: "b", Key: "acme/plan/41", SHA256: "02", Rows: 1240}, Products: 1300, Pass: 40,
	}
	state.Settings.Rules = stock.Rules{
		Match: stock.ByEAN, Quantity: stock.Sum, Warehouses: []string{"LT", "PR"}, UnitDecimals: map[string]int32{"kg": 3},
		SoldHold: 24 * time.Hour, Missing: stock.MissingKeep, Guard: stock.Guard{MaxZeroed: 0.3, MaxChanged: 0.8, MinItems: 5, MinCatalogue: 0.5},
	}
	state.Passes, state.LastPass = 41, &report
	state.LastSuccessAt, state.KrosChangedAt = after(-40*time.Minute), after(-70*time.Minute)
	state.PassStartedAt, state.PassTook = report.StartedAt, time.Minute
	state.NotBefore = report.StartedAt.Add(2 * time.Minute)
	state.Notifications = protocol.Notifications{State: protocol.NotificationsWorking, Count: 17, LastAt: after(-10 * time.Minute)}
	state.Activated = "run-1"
	return state
}

func TestARunGivesWayAndItsStateGoesOn(t *testing.T) {
	tests := []struct {
		rule string
		do   func(*world)
		from workflows.SyncState
		at   time.Duration
		is   func(*testing.T, workflows.SyncState)
	}{
		{"after 48 passes", func(w *world) {
			w.load = func(r protocol.LoadRequest) protocol.Loaded {
				l := loaded(r.After)
				l.NextTick = r.After.Truncate(10 * time.Minute).Add(10 * time.Minute)
				return l
			}
		}, running(), 500*time.Minute + aPass, func(t *testing.T, s workflows.SyncState) {
			require.Equal(t, int64(48), s.Passes)
			require.Len(t, s.Recent, 10)
			require.Equal(t, int64(39), s.Recent[0].Pass)
			require.Equal(t, begin.Add(510*time.Minute), s.NextTick)
			require.Equal(t, "sweep of pass 48", s.Memory.Baseline.Key)
		}},
		{"after 24 hours", func(w *world) { w.load = rarely }, running(), 24 * time.Hour, func(t *testing.T, s workflows.SyncState) {
			require.Equal(t, int64(1), s.Passes)
		}},
		{"when the server suggests it", func(w *world) {
			w.at(time.Minute, func() { w.env.SetContinueAsNewSuggested(true) })
			w.notifyAt(2 * time.Minute)
		}, running(), 2 * time.Minute, func(t *testing.T, s workflows.SyncState) {
			require.True(t, s.Notified, "taken in before, acted on by the next run")
			require.Equal(t, int64(1), s.Notifications.Count)
		}},
		{"paused", func(w *world) {
			w.pauseAt(time.Minute, nil)
			w.notifyAt(2 * time.Minute)
			w.signalAt(3*time.Minute, protocol.SignalSyncNow, nil)
		}, running(), 24 * time.Hour, func(t *testing.T, s workflows.SyncState) {
			require.Equal(t, protocol.StatePaused, s.State)
			require.Equal(t, "stocktaking", s.Pause.Reason)
			require.Equal(t, "paused", string(s.Reason.Code))
			require.True(t, s.Notified)
			require.True(t, s.Requested)
			require.Empty(t, s.Passes)
		}},
		{"paused, with a pass that waits in vain", func(w *world) {
			w.at(103*time.Minute, func() { w.env.SetContinueAsNewSuggested(true) })
			w.syncAt(100 * time.Minute)
			w.syncAt(101 * time.Minute)
			w.pass = passing(5 * time.Minute)
			w.pauseAt(102*time.Minute, nil)
		}, running(), 105 * time.Minute, func(t *testing.T, s workflows.SyncState) {
			require.Equal(t, protocol.StatePaused, s.State)
		}},
		{"suspended", func(w *world) {
			w.checkKROS = func() error { return refused(protocol.KrosKeyInvalid) }
			w.notifyAt(23*time.Hour + 59*time.Minute)
		}, suspended(), 24 * time.Hour, func(t *testing.T, s workflows.SyncState) {
			require.Equal(t, protocol.StateSuspended, s.State)
			require.Equal(t, begin.Add(-time.Hour), s.Reason.Since)
			require.Empty(t, s.Passes, "probes only")
		}},
		{"although it is never idle", func(w *world) {
			w.pass = passing(31 * time.Minute)
		}, running(), every + 46*31*time.Minute, func(t *testing.T, s workflows.SyncState) {
			require.Equal(t, int64(46), s.Passes)
			require.False(t, s.NextTick.After(begin.Add(24*time.Hour+time.Hour)))
		}},
		{"between the passes of those who ask all the time", func(w *world) {
			w.at(time.Minute, func() { w.env.SetContinueAsNewSuggested(true) })
			for i := range 30 {
				w.syncAt(2*time.Minute + time.Duration(i)*aPass/2)
			}
		}, running(), 2*time.Minute + 30*aPass/2 + aPass, func(*testing.T, workflows.SyncState) {}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			w := newWorld(t)
			test.do(w)
			next := w.continued(w.run(test.from))
			require.LessOrEqual(t, w.env.Now().Sub(begin), test.at+time.Minute)
			require.GreaterOrEqual(t, w.env.Now().Sub(begin), test.at-time.Minute)
			require.Equal(t, 1, next.Version)
			test.is(t, next)
		})
	}
}

// rarely is a schedule of one tick a year.
func rarely(r protocol.LoadRequest) protocol.Loaded {
	l := loaded(r.After)
	l.NextTick = begin.AddDate(1, 0, 0)
	return l
}

func TestAnOldRunWaitsForThoseWhoWaitForIt(t *testing.T) {
	w := newWorld(t)
	w.pass = passing(20 * time.Minute)
	w.load = rarely
	sync := w.syncAt(24*time.Hour - time.Minute)
	next := w.continued(w.run(running()))
	require.True(t, sync.done)
	require.NoError(t, sync.err)
	require.Equal(t, int64(2), sync.report.Pass)
	require.Equal(t, int64(2), next.Passes)
}

// Notifications spread over many runs: each is counted once, and reflected by a
// pass that begins after it and as soon as the gap allows.
func TestNotificationsAreNotLostAtContinueAsNew(t *testing.T) {
	const count, spread = 1000, 40 * time.Second
	random := rand.New(rand.NewPCG(3, 5))
	upTo := func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d))) }
	var arrived, began []time.Time
	state, now, runs := running(), begin, 0
	for {
		w := newWorld(t)
		w.load = rarely
		w.env.SetStartTime(now)
		runs++
		took := upTo(time.Minute)
		w.pass = func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
			began = append(began, workflow.Now(ctx))
			return passing(took)(ctx, r)
		}
		for at := upTo(spread); len(arrived) < count && at < 30*time.Minute; at += upTo(spread) {
			w.at(at, func() {
				if !w.env.IsWorkflowCompleted() && len(arrived) < count {
					arrived = append(arrived, w.env.Now())
					w.env.SignalWorkflow(protocol.SignalNotification, nil)
				}
			})
		}
		if len(arrived) == count {
			w.runUntil(10*time.Minute, state)
			break
		}
		w.at(upTo(20*time.Minute), func() { w.env.SetContinueAsNewSuggested(true) })
		state = w.continued(w.run(state))
		now = w.env.Now()
		require.Equal(t, int64(len(arrived)), state.Notifications.Count)
	}
	require.Greater(t, runs, 20)
	for _, at := range arrived {
		next, ok := lo.Find(began, func(b time.Time) bool { return !b.Before(at) })
		require.True(t, ok, "no pass after %v", at)
		require.LessOrEqual(t, next.Sub(at), 2*time.Minute, "a pass at %v for what came at %v", next, at)
	}
}

// What StockSync carries was written by the releases before this one.
func TestStateOfARecordedRunIsUnderstood(t *testing.T) {
	const file = "testdata/state.json"
	if *update {
		recorded, err := json.MarshalIndent(full(), "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(recorded, '\n'), 0o600))
	}
	recorded, err := os.ReadFile(file)
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(recorded))
	decoder.DisallowUnknownFields()
	var state workflows.SyncState
	require.NoError(t, decoder.Decode(&state), "a field that was once written is still read")
	require.Empty(t, cmp.Diff(full(), state))

	w := newWorld(t)
	status := w.statusAt(time.Minute)
	activation := w.updateAt(time.Minute, protocol.UpdateSync, protocol.SyncRequest{Activation: "run-1"})
	w.runUntil(31*time.Minute, state)
	require.Equal(t, protocol.StateFailing, status.State)
	require.Equal(t, begin.Add(-9*time.Minute), status.Reason.Since)
	require.Equal(t, int64(17), status.Notifications.Count)
	require.Equal(t, int64(41), activation.report.Pass, "the activation's first pass has ended in an earlier run")
	require.Equal(t, int64(42), w.requests[0].Pass)
	require.Empty(t, cmp.Diff(full().Memory, w.requests[0].Memory))
}

// A field that is not carried is lost after at most a day, and no test of one
// run notices.
func TestNothingOfTheStateIsLost(t *testing.T) {
	w := newWorld(t)
	w.env.SetContinueAsNewSuggested(true)
	state := full()
	state.Version = 1
	state.Activation = lo.ToPtr(activated("run-2"))
	state.Notified, state.Requested = true, true
	require.Empty(t, cmp.Diff(state, w.continued(w.run(state))))
}

func TestTheNextRunBeginsWhereThisOneEnded(t *testing.T) {
	first := newWorld(t)
	first.pauseAt(time.Minute, after(25*time.Hour))
	first.notifyAt(2 * time.Minute)
	state := first.continued(first.run(running()))

	second := newWorld(t)
	second.env.SetStartTime(begin.Add(24 * time.Hour))
	refusedSync := second.syncAt(time.Minute)
	second.updateAt(2*time.Hour, protocol.UpdateDeactivate)
	require.NoError(t, second.run(state))
	require.Equal(t, message.SyncWhilePaused(acme), sentence(refusedSync.rejected))
	require.Equal(t, []string{"manual@25h0m0s", "schedule@25h30m0s"}, second.passes)
}

// The history of a day must not grow with what does not happen.
func TestWaitingCostsNoTimers(t *testing.T) {
	w := newWorld(t)
	timers := 0
	w.env.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
	w.load = rarely
	w.pass = func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error) {
		return protocol.PassResult{Report: protocol.Report{Result: protocol.ResultOK}}, nil
	}
	w.pauseAt(time.Minute, nil)
	w.notifyAt(time.Hour, 2*time.Hour)
	w.continued(w.run(running()))
	require.LessOrEqual(t, timers, 6)
}
