package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/workflows"
)

// alerting is a world in which somebody wants to be told.
type alerting struct {
	*world
	raise  func(protocol.Alert) error
	raised []protocol.Alert
	told   []string // kind code@time, with "over" or "again"
}

func newAlerting(t *testing.T) *alerting {
	t.Helper()
	w := &alerting{world: newWorld(t), raise: func(protocol.Alert) error { return nil }}
	w.load = func(r protocol.LoadRequest) protocol.Loaded { return alerted(loaded(r.After)) }
	w.activity("RaiseAlert", func(_ context.Context, a protocol.Alert) error {
		if err := w.raise(a); err != nil {
			return err
		}
		w.raised = append(w.raised, a)
		line := fmt.Sprintf("%s %s@%s", a.Kind, a.Code, w.clock())
		if a.Cleared {
			line = "over: " + line
		}
		if a.Again {
			line = "again: " + line
		}
		w.told = append(w.told, line)
		return nil
	})
	return w
}

func alerted(l protocol.Loaded) protocol.Loaded {
	l.Settings.Alerts, l.Settings.MissedPasses = true, 3
	return l
}

// watched is a StockSync of which somebody wants to be told.
func watched() workflows.SyncState {
	state := running()
	state.Settings = alerted(loaded(begin)).Settings
	return state
}

// outcomes are passes that end one after the other as told, the last one again
// and again: ok, held, or the code of a failure.
func outcomes(ends ...string) passFunc {
	n := 0
	return func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		end := ends[min(n, len(ends)-1)]
		n++
		switch end {
		case "ok":
			return passing(aPass)(ctx, r)
		case "held":
			return ending(aPass, protocol.ResultHeld, message.Failure(protocol.CatalogueChanged, message.Params{Seen: 1, Expected: 10}))(ctx, r)
		}
		return failing(protocol.Code(end))(ctx, r)
	}
}

func TestWhatIsWorthAnAlert(t *testing.T) {
	tests := []struct {
		rule  string
		do    func(*alerting)
		until time.Duration
		want  []string
	}{
		{"all is well", func(*alerting) {}, 3 * time.Hour, nil},
		{"suspended: at once, once", func(w *alerting) {
			w.pass = outcomes("kros_key_invalid")
			w.checkKROS = func() error { return refused(protocol.KrosKeyInvalid) }
		}, 3 * time.Hour, []string{"suspended kros_key_invalid@30m10s"}},
		{"suspended for another reason", func(w *alerting) {
			w.pass = outcomes("kros_key_invalid")
			w.checkKROS = func() error {
				return refused(lo.Ternary(w.env.Now().Before(begin.Add(90*time.Minute)), protocol.KrosKeyInvalid, protocol.KrosNoAPIAccess))
			}
		}, 3 * time.Hour, []string{"suspended kros_key_invalid@30m10s", "suspended kros_no_api_access@1h30m0s"}},
		{"mended: the all-clear, once", func(w *alerting) {
			w.pass = outcomes("kros_key_invalid", "ok")
		}, 3 * time.Hour, []string{"suspended kros_key_invalid@30m10s", "over: suspended kros_key_invalid@1h0m10s"}},
		{"suspended by settings outside a pass", func(w *alerting) {
			w.load = func(r protocol.LoadRequest) protocol.Loaded {
				return protocol.Loaded{NextTick: r.After.Add(every), Failure: message.Failure(protocol.ConfigInvalid, message.Params{Shop: acme})}
			}
			w.signalAt(time.Minute, protocol.SignalConfigChanged, nil)
		}, 2 * time.Hour, []string{"suspended config_invalid@1m0s"}},
		{"held: at once", func(w *alerting) {
			w.pass = outcomes("held")
		}, 3 * time.Hour, []string{"held catalogue_changed@30m10s"}},
		{"approved", func(w *alerting) {
			w.pass = outcomes("held", "held", "ok")
		}, 3 * time.Hour, []string{"held catalogue_changed@30m10s", "over: held catalogue_changed@1h30m10s"}},
		{"a side that does not answer: after three intervals", func(w *alerting) {
			w.pass = outcomes("shop_unavailable")
		}, 4 * time.Hour, []string{"failing shop_unavailable@1h30m10s"}},
		{"and again well", func(w *alerting) {
			w.pass = outcomes("shop_unavailable", "shop_unavailable", "kros_unavailable", "shop_unavailable", "ok")
		}, 4 * time.Hour, []string{"failing kros_unavailable@1h30m10s", "over: failing kros_unavailable@2h30m10s"}},
		{"well before the third: nobody needs to know", func(w *alerting) {
			w.pass = outcomes("shop_unavailable", "shop_unavailable", "ok", "shop_unavailable", "shop_unavailable", "ok")
		}, 4 * time.Hour, nil},
		{"failed passes within one interval are one", func(w *alerting) {
			w.pass = outcomes("shop_unavailable")
			w.notifyAt(time.Minute, 3*time.Minute, 5*time.Minute, 7*time.Minute, 9*time.Minute)
		}, 65 * time.Minute, []string{"failing shop_unavailable@1h0m10s"}},
		{"paused: not before a day is over", func(w *alerting) {
			w.pauseAt(time.Minute, nil)
		}, 23 * time.Hour, nil},
		{"a trouble becomes another", func(w *alerting) {
			w.pass = outcomes("kros_key_invalid", "held", "ok")
		}, 3 * time.Hour, []string{"suspended kros_key_invalid@30m10s", "held catalogue_changed@1h0m10s", "over: held catalogue_changed@1h30m10s"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			w := newAlerting(t)
			test.do(w)
			w.runUntil(test.until, watched())
			require.Equal(t, test.want, w.told)
		})
	}
}

// What is told is remembered across runs, and repeated daily while it waits.
func TestWhatWaitsIsToldDailyAcrossRuns(t *testing.T) {
	tests := []struct {
		rule  string
		first func(*alerting)
		want  []string
	}{
		{"held", func(w *alerting) { w.pass = outcomes("held") }, []string{
			"held catalogue_changed@30m10s", "again: held catalogue_changed@24h30m10s", "again: held catalogue_changed@48h30m10s", "again: held catalogue_changed@72h30m10s",
		}},
		{"paused", func(w *alerting) { w.pauseAt(time.Minute, nil) }, []string{
			"paused paused@24h1m0s", "again: paused paused@48h1m0s", "again: paused paused@72h1m0s",
		}},
		{"suspended: once", func(w *alerting) { w.pass = outcomes("kros_key_invalid") }, []string{"suspended kros_key_invalid@30m10s"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			var got []string
			state, now := watched(), begin
			for now.Before(begin.Add(80 * time.Hour)) {
				w := newAlerting(t)
				w.env.SetStartTime(now)
				w.pass = outcomes(lo.Ternary(test.rule == "held", "held", "ok"))
				w.checkKROS = func() error { return refused(protocol.KrosKeyInvalid) }
				if now.Equal(begin) {
					test.first(w)
				}
				state = w.continued(w.run(state))
				now = w.env.Now()
				got = append(got, w.told...)
			}
			require.Equal(t, test.want, got)
		})
	}
}

// The day is counted from when the pause began, whatever was told of the last one.
func TestAPauseThatEndsWithinADayIsNotTold(t *testing.T) {
	w := newAlerting(t)
	w.pauseAt(time.Minute, after(23*time.Hour))
	w.runUntil(23*time.Hour+40*time.Minute, watched())
	require.Empty(t, w.told)
}

func TestResumeAfterAReminderGivesTheAllClear(t *testing.T) {
	w := newAlerting(t)
	state := watched()
	state.State = protocol.StatePaused
	state = w.paused(state, begin.Add(-23*time.Hour))
	w.updateAt(2*time.Hour, protocol.UpdateResume)
	w.runUntil(3*time.Hour, state)
	require.Equal(t, []string{"paused paused@1h0m0s", "over: paused paused@2h0m10s"}, w.told)
}

// paused is a state that a person has paused.
func (w *alerting) paused(state workflows.SyncState, since time.Time) workflows.SyncState {
	w.t.Helper()
	first := newAlerting(w.t)
	first.env.SetStartTime(since)
	first.updateAt(0, protocol.UpdatePause, protocol.PauseRequest{Reason: "stocktaking", By: "Jana"})
	first.at(time.Minute, func() {
		first.env.SetContinueAsNewSuggested(true)
		first.env.SignalWorkflow(protocol.SignalConfigChanged, nil)
	})
	state.State = protocol.StateActive
	state.NextTick = since.Add(every)
	return first.continued(first.run(state))
}

func TestSilenceOfKROSIsToldOnceUntilItChanges(t *testing.T) {
	quiet := func(l protocol.Loaded) protocol.Loaded {
		l = alerted(l)
		l.Settings.QuietAfter = 2 * time.Hour
		return l
	}
	changed := map[int64]bool{1: true, 9: true}
	w := newAlerting(t)
	w.load = func(r protocol.LoadRequest) protocol.Loaded { return quiet(loaded(r.After)) }
	w.pass = func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		result, err := passing(aPass)(ctx, r)
		result.Catalogue = &protocol.Catalogue{Changed: changed[r.Pass]}
		return result, err
	}
	state := watched()
	state.Settings = quiet(loaded(begin)).Settings
	w.runUntil(8*time.Hour, state)
	require.Equal(t, []string{"quiet kros_quiet@2h30m10s", "quiet kros_quiet@6h30m10s"}, w.told)
	require.Contains(t, w.raised[0].Hint, "with OMEGA, check that its upload ran")
	require.Equal(t, begin.Add(every), w.raised[0].Since)
}

func TestAnAlertSaysWhatAPersonNeeds(t *testing.T) {
	w := newAlerting(t)
	w.pass = outcomes("kros_key_invalid", "ok")
	w.runUntil(65*time.Minute, watched())
	trouble := message.Failure(protocol.KrosKeyInvalid, message.Params{Shop: acme})
	require.Empty(t, cmp.Diff([]protocol.Alert{
		{
			Shop: acme, Title: "Acme s.r.o.", Timezone: "Europe/Bratislava", Kind: protocol.AlertSuspended, State: protocol.StateSuspended,
			Code: protocol.KrosKeyInvalid, Message: trouble.Message, Hint: trouble.Hint, Since: *after(every + aPass), At: *after(every + aPass),
		},
		{
			Shop: acme, Title: "Acme s.r.o.", Timezone: "Europe/Bratislava", Kind: protocol.AlertSuspended, State: protocol.StateActive, Cleared: true,
			Code: protocol.KrosKeyInvalid, Message: "Stock is kept in step again.", Since: *after(every + aPass), At: *after(2*every + aPass),
		},
	}, w.raised))
}

func TestNobodyIsToldWhereNobodyWantsTo(t *testing.T) {
	w := newAlerting(t)
	w.load = func(r protocol.LoadRequest) protocol.Loaded { return loaded(r.After) }
	w.pass = outcomes("kros_key_invalid", "held", "shop_unavailable")
	state := running()
	w.runUntil(5*time.Hour, state)
	require.Empty(t, w.told)
}

// Who asks to be told in the middle of a trouble is told of it.
func TestAlertsThatAreSwitchedOnTellWhatIs(t *testing.T) {
	w := newAlerting(t)
	w.pass = outcomes("held")
	w.load = func(r protocol.LoadRequest) protocol.Loaded {
		if r.After.Before(begin.Add(2 * time.Hour)) {
			return loaded(r.After)
		}
		return alerted(loaded(r.After))
	}
	w.runUntil(4*time.Hour, running())
	require.Equal(t, []string{"held catalogue_changed@2h0m10s"}, w.told)
}

func TestAnAlertThatCannotBeRaisedIsRaisedLaterAndStopsNoPass(t *testing.T) {
	w := newAlerting(t)
	w.pass = outcomes("shop_unavailable", "shop_unavailable", "shop_unavailable", "shop_unavailable", "shop_unavailable", "held")
	w.raise = func(protocol.Alert) error {
		if w.env.Now().Before(begin.Add(2*time.Hour + time.Minute)) {
			return temporal.NewNonRetryableApplicationError("no", "no", errors.New("no"))
		}
		return nil
	}
	w.runUntil(3*time.Hour+time.Minute, watched())
	require.Len(t, w.passes, 6)
	require.Equal(t, []string{"failing shop_unavailable@2h30m0s", "held catalogue_changed@3h0m10s"}, w.told)
}

// How many products were lost is known of a good pass; fewer are no news.
func TestLostMatchesAreToldWhenThereAreMore(t *testing.T) {
	w := newAlerting(t)
	state := watched()
	require.NoError(t, json.Unmarshal([]byte(`{"told":{"lost":3,"lostTold":2}}`), &state))
	w.runUntil(2*time.Minute, state)
	require.Equal(t, []string{"unmatched match_lost@0s"}, w.told)
	require.Contains(t, w.raised[0].Message, "3 products")
	require.Contains(t, w.raised[0].Hint, "skladom unmatched acme")
}

// Passes missed by one run count in the next one.
func TestWhatWasToldIsCarried(t *testing.T) {
	w := newAlerting(t)
	w.pass = outcomes("shop_unavailable", "shop_unavailable")
	w.at(65*time.Minute, func() { w.env.SetContinueAsNewSuggested(true); w.env.SignalWorkflow(protocol.SignalConfigChanged, nil) })
	state := w.continued(w.run(watched()))
	require.Empty(t, w.told)

	second := newAlerting(t)
	second.env.SetStartTime(begin.Add(66 * time.Minute))
	second.pass = outcomes("shop_unavailable", "ok")
	second.updateAt(2*time.Hour, protocol.UpdateDeactivate)
	require.NoError(t, second.run(state))
	require.Equal(t, []string{"failing shop_unavailable@1h30m10s", "over: failing shop_unavailable@2h0m10s"}, second.told)
}
