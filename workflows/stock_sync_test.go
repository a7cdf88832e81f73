package workflows_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/samber/lo"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/workflows"
)

func TestATickRunsAPassWithTheSettingsAndTheMemoryOfNow(t *testing.T) {
	w := newWorld(t)
	w.runUntil(65*time.Minute, running())
	require.Equal(t, []string{"schedule@30m0s", "schedule@1h0m0s"}, w.passes)
	require.Empty(t, cmp.Diff(protocol.PassRequest{
		Shop: acme, Pass: 2, Trigger: protocol.TriggerSchedule, Settings: loaded(begin).Settings, SettingsHash: hash,
		Connection: address, ShopID: shopID,
		Memory: protocol.Memory{
			Baseline: protocol.Ref{Bucket: "b", Key: "sweep of pass 1"}, Ledger: protocol.Ref{Bucket: "b", Key: "plan of pass 1"}, Pass: 1,
		},
		Last: &protocol.Ended{Result: protocol.ResultOK},
	}, w.requests[1]))
	require.Equal(t, protocol.LoadRequest{Shop: acme, After: begin.Add(time.Hour), PassStartedAt: begin.Add(time.Hour)}, w.loads[1], "read at the start of the pass")
}

// When passes begin is all that the loop decides.
func TestWhatBeginsAPassAndWhen(t *testing.T) {
	tests := []struct {
		rule  string
		do    func(*world)
		until time.Duration // 0: 29 minutes, before the first tick
		want  []string
	}{
		{"nothing, no pass", func(*world) {}, 0, nil},
		{"a tick", func(*world) {}, 31 * time.Minute, []string{"schedule@30m0s"}},
		{"ticks that fall into a pass are one further pass", func(w *world) {
			w.pass = passing(70 * time.Minute)
		}, 2 * time.Hour, []string{"schedule@30m0s", "schedule@1h40m0s"}},
		{"a notification after quiet, at once", func(w *world) {
			w.notifyAt(time.Minute)
		}, 0, []string{"notification@1m0s"}},
		{"notifications during a pass are one further pass, not before the gap", func(w *world) {
			w.notifyAt(time.Minute, time.Minute+time.Second, time.Minute+5*time.Second, time.Minute+9*time.Second)
		}, 0, []string{"notification@1m0s", "notification@1m30s"}},
		{"notifications within the gap are one further pass", func(w *world) {
			w.notifyAt(time.Minute, 75*time.Second, 80*time.Second)
		}, 0, []string{"notification@1m0s", "notification@1m30s"}},
		{"a notification after the gap, at once", func(w *world) {
			w.notifyAt(time.Minute, 91*time.Second)
		}, 0, []string{"notification@1m0s", "notification@1m31s"}},
		{"a storm is a pass every twice its duration, and one after it", func(w *world) {
			w.pass = passing(time.Minute)
			for i := range 300 {
				w.notifyAt(time.Duration(i) * time.Second)
			}
		}, 0, []string{"notification@0s", "notification@2m0s", "notification@4m0s", "notification@6m0s"}},
		{"the gap is kept across a pass of another kind", func(w *world) {
			w.notifyAt(time.Minute)
			w.syncAt(70 * time.Second)
			w.notifyAt(75 * time.Second)
		}, 0, []string{"notification@1m0s", "manual@1m10s", "notification@1m30s"}},
		{"a pass of another kind that read KROS meanwhile serves it", func(w *world) {
			w.notifyAt(time.Minute, 75*time.Second)
			w.syncAt(80 * time.Second)
		}, 0, []string{"notification@1m0s", "manual@1m20s"}},
		{"a notification during a scheduled pass, after it", func(w *world) {
			w.notifyAt(30*time.Minute + 3*time.Second)
		}, 59 * time.Minute, []string{"schedule@30m0s", "notification@30m10s"}},
		{"a notification whose body is no JSON counts as well", func(w *world) {
			w.signalAt(time.Minute, protocol.SignalNotification, []byte{0xff, 0x00})
		}, 0, []string{"notification@1m0s"}},
		{"sync-now, at once", func(w *world) {
			w.signalAt(time.Minute, protocol.SignalSyncNow, nil)
		}, 0, []string{"manual@1m0s"}},
		{"sync-now during a pass, after it", func(w *world) {
			w.signalAt(time.Minute, protocol.SignalSyncNow, nil)
			w.signalAt(62*time.Second, protocol.SignalSyncNow, nil)
			w.signalAt(63*time.Second, protocol.SignalSyncNow, nil)
		}, 0, []string{"manual@1m0s", "manual@1m10s"}},
		{"a sync that serves a notification, too, is one pass", func(w *world) {
			w.notifyAt(time.Minute)
			w.notifyAt(65 * time.Second)
			w.syncAt(66 * time.Second)
		}, 0, []string{"notification@1m0s", "manual@1m10s"}},
		{"config-changed alone, none", func(w *world) {
			w.signalAt(time.Minute, protocol.SignalConfigChanged, nil)
		}, 0, nil},
		{"an activation, at once", func(w *world) {
			w.signalAt(time.Minute, protocol.SignalActivated, activated("a"))
		}, 0, []string{"activation@1m0s"}},
		{"an activation during a pass, after it and before all else", func(w *world) {
			w.notifyAt(time.Minute, 61*time.Second)
			w.syncAt(62 * time.Second)
			w.signalAt(63*time.Second, protocol.SignalActivated, activated("a"))
		}, 0, []string{"notification@1m0s", "activation@1m10s"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			w := newWorld(t)
			test.do(w)
			until := test.until
			if until == 0 {
				until = 29 * time.Minute
			}
			w.runUntil(until, running())
			require.Equal(t, test.want, w.passes)
		})
	}
}

func TestNotificationsAreCountedWhenTheyCome(t *testing.T) {
	w := newWorld(t)
	before := w.statusAt(time.Second)
	w.notifyAt(time.Minute, 61*time.Second, 62*time.Second)
	during := w.statusAt(63 * time.Second)
	w.runUntil(2*time.Minute, running())
	require.Equal(t, protocol.Notifications{State: protocol.NotificationsWaiting}, before.Notifications)
	require.Equal(t, protocol.Notifications{State: protocol.NotificationsWorking, Count: 3, LastAt: after(62 * time.Second)}, during.Notifications)
}

func TestChangedSettingsMoveTheNextTick(t *testing.T) {
	w := newWorld(t)
	w.signalAt(time.Minute, protocol.SignalConfigChanged, nil)
	w.load = func(r protocol.LoadRequest) protocol.Loaded {
		l := loaded(r.After)
		l.NextTick = r.After.Add(5 * time.Minute)
		return l
	}
	w.runUntil(7*time.Minute, running())
	require.Equal(t, []string{"schedule@6m0s"}, w.passes)
	require.True(t, w.loads[0].PassStartedAt.IsZero())
}

func TestSyncReturnsAPassBegunAfterItWasAccepted(t *testing.T) {
	w := newWorld(t)
	idle := w.syncAt(time.Minute)             // begins pass 1, 60..70 s
	first := w.syncAt(65 * time.Second)       // during it: pass 2, 70..80 s
	second := w.syncAt(69 * time.Second)      // shares it
	third := w.syncAt(70*time.Second + 500e6) // during pass 2: pass 3
	w.runUntil(5*time.Minute, running())
	for _, test := range []struct {
		*answer
		pass int64
		at   string
	}{{idle, 1, "1m10s"}, {first, 2, "1m20s"}, {second, 2, "1m20s"}, {third, 3, "1m30s"}} {
		require.NoError(t, test.err)
		require.Equal(t, test.pass, test.report.Pass)
		require.Equal(t, protocol.TriggerManual, test.report.Trigger)
		require.Equal(t, test.at, test.answer.at)
	}
	require.Equal(t, []string{"manual@1m0s", "manual@1m10s", "manual@1m20s"}, w.passes)
}

// The pass begins with its look at the settings: a sync accepted then must not
// get what was decided before.
func TestSyncDuringTheReadingOfSettingsIsAnotherPass(t *testing.T) {
	w := newWorld(t)
	late := &answer{}
	w.load = func(r protocol.LoadRequest) protocol.Loaded {
		if len(w.loads) == 1 {
			late = w.syncAt(0)
		}
		return loaded(r.After)
	}
	w.runUntil(31*time.Minute, running())
	require.Equal(t, int64(2), late.report.Pass)
	require.Equal(t, []string{"schedule@30m0s", "manual@30m10s"}, w.passes)
}

func TestSyncOfAnActivationReturnsItsFirstPass(t *testing.T) {
	t.Run("of a new connection", func(t *testing.T) {
		w := newWorld(t)
		state := running()
		state.Activation = lo.ToPtr(activated("a"))
		begun := w.updateAt(5*time.Second, protocol.UpdateSync, protocol.SyncRequest{Activation: "a"})
		ended := w.updateAt(time.Minute, protocol.UpdateSync, protocol.SyncRequest{Activation: "a"})
		w.runUntil(2*time.Minute, state)
		require.Equal(t, []string{"activation@0s"}, w.passes, "one pass serves both")
		require.Equal(t, int64(1), begun.report.Pass)
		require.Equal(t, "1m0s", ended.at)
		require.Equal(t, begun.report, ended.report)
	})
	t.Run("signalled to one that runs", func(t *testing.T) {
		w := newWorld(t)
		w.notifyAt(time.Minute)
		w.signalAt(62*time.Second, protocol.SignalActivated, activated("b"))
		sync := w.updateAt(63*time.Second, protocol.UpdateSync, protocol.SyncRequest{Activation: "b"})
		w.runUntil(2*time.Minute, running())
		require.Equal(t, protocol.TriggerActivation, sync.report.Trigger)
		require.Equal(t, []string{"notification@1m0s", "activation@1m10s"}, w.passes)
	})
	t.Run("in one task with the signal", func(t *testing.T) {
		w := newWorld(t)
		sync := &answer{}
		w.at(time.Minute, func() {
			w.env.SignalWorkflowSkippingWorkflowTask(protocol.SignalActivated, activated("b"))
			sync = w.updateAt(0, protocol.UpdateSync, protocol.SyncRequest{Activation: "b"})
		})
		w.runUntil(2*time.Minute, running())
		require.Equal(t, []string{"activation@1m0s"}, w.passes)
		require.Equal(t, protocol.TriggerActivation, sync.report.Trigger)
	})
	t.Run("another activation came between", func(t *testing.T) {
		w := newWorld(t)
		w.notifyAt(time.Minute)
		w.signalAt(61*time.Second, protocol.SignalActivated, activated("a"))
		sync := w.updateAt(62*time.Second, protocol.UpdateSync, protocol.SyncRequest{Activation: "a"})
		w.signalAt(63*time.Second, protocol.SignalActivated, activated("b"))
		w.runUntil(5*time.Minute, running())
		require.NoError(t, sync.err)
		require.Equal(t, protocol.TriggerActivation, sync.report.Trigger, "it does not wait for ever")
		require.Equal(t, []string{"notification@1m0s", "activation@1m10s"}, w.passes)
	})
	t.Run("of one that nobody knows", func(t *testing.T) {
		w := newWorld(t)
		sync := w.updateAt(time.Minute, protocol.UpdateSync, protocol.SyncRequest{Activation: "long ago"})
		w.runUntil(5*time.Minute, running())
		require.NoError(t, sync.err)
		require.Equal(t, []string{"manual@1m0s"}, w.passes)
	})
}

func TestAnActivationIsAcceptedAsItWasShown(t *testing.T) {
	a := activated("a")
	t.Run("its sweep is used", func(t *testing.T) {
		w := newWorld(t)
		state := running()
		state.Activation = &a
		w.runUntil(31*time.Minute, state)
		require.True(t, w.requests[0].Accept)
		require.Empty(t, cmp.Diff(a.Catalogue, w.requests[0].Catalogue))
		require.False(t, w.requests[1].Accept, "only the first pass is")
		require.Nil(t, w.requests[1].Catalogue)
	})
	t.Run("unless a pass has read KROS since", func(t *testing.T) {
		w := newWorld(t)
		w.signalAt(31*time.Minute, protocol.SignalActivated, a)
		w.runUntil(32*time.Minute, running())
		require.Equal(t, []string{"schedule@30m0s", "activation@31m0s"}, w.passes)
		require.True(t, w.requests[1].Accept)
		require.Nil(t, w.requests[1].Catalogue)
	})
	t.Run("unless somebody asks for what KROS has now", func(t *testing.T) {
		for _, signal := range []string{protocol.SignalNotification, protocol.SignalSyncNow} {
			w := newWorld(t)
			w.pauseAt(time.Second, nil)
			w.signalAt(time.Minute, signal, nil)
			b := activated("b")
			b.Catalogue.TakenAt = begin.Add(30 * time.Second)
			w.signalAt(2*time.Minute, protocol.SignalActivated, b)
			w.runUntil(3*time.Minute, running())
			require.Equal(t, []string{"activation@2m0s"}, w.passes)
			require.Nil(t, w.requests[0].Catalogue, "%s came after the sweep", signal)
		}
	})
	t.Run("pass numbers go on behind the archive's", func(t *testing.T) {
		w := newWorld(t)
		w.signalAt(time.Minute, protocol.SignalActivated, a)
		w.runUntil(2*time.Minute, running())
		require.Equal(t, int64(8), w.requests[0].Pass)
	})
	t.Run("a pause and a suspension end, and the shop may be another one", func(t *testing.T) {
		for _, state := range []workflows.SyncState{suspended(), running()} {
			w := newWorld(t)
			w.pauseAt(time.Second, nil)
			b := activated("b")
			b.ShopID = "fynode-2"
			w.signalAt(time.Minute, protocol.SignalActivated, b)
			during := w.statusAt(65 * time.Second)
			w.runUntil(2*time.Minute, state)
			require.Equal(t, protocol.StateActive, during.State)
			require.Nil(t, during.Reason)
			require.Empty(t, w.probes, "both sides have just answered")
			require.Equal(t, "fynode-2", w.requests[0].ShopID)
		}
	})
}

func TestPause(t *testing.T) {
	t.Run("no pass begins, and who asks for one is told why", func(t *testing.T) {
		w := newWorld(t)
		pause := w.pauseAt(time.Minute, nil)
		sync := w.syncAt(2 * time.Minute)
		w.signalAt(3*time.Minute, protocol.SignalSyncNow, nil)
		w.notifyAt(4*time.Minute, 5*time.Minute)
		seen := w.statusAt(3 * time.Hour)
		w.runUntil(3*time.Hour+time.Minute, running())
		require.Empty(t, w.passes)
		require.False(t, sync.accepted)
		require.Equal(t, message.SyncWhilePaused(acme), sentence(sync.rejected))
		require.Equal(t, protocol.StatePaused, pause.status.State)
		require.Equal(t, protocol.StatePaused, seen.State)
		require.Equal(t, "Paused by Jana: stocktaking.", seen.Reason.Message)
		require.Equal(t, begin.Add(time.Minute), seen.Reason.Since)
		require.Nil(t, seen.NextPassAt)
		require.Equal(t, int64(2), seen.Notifications.Count, "notifications are remembered")
	})
	t.Run("the pass that runs ends", func(t *testing.T) {
		w := newWorld(t)
		running30 := w.syncAt(time.Minute)
		waiting := w.syncAt(62 * time.Second)
		pause := w.pauseAt(65*time.Second, nil)
		during, behind := w.statusAt(66*time.Second), w.statusAt(2*time.Minute)
		w.runUntil(2*time.Hour, running())
		require.Equal(t, []string{"manual@1m0s"}, w.passes)
		require.Equal(t, "1m5s", pause.at, "pause does not wait for it")
		require.Equal(t, protocol.ResultOK, running30.report.Result)
		require.True(t, waiting.accepted)
		require.Equal(t, message.SyncWhilePaused(acme), sentence(waiting.err), "its pass will not begin")
		require.Equal(t, "1m10s", waiting.at)
		require.Equal(t, protocol.StatePaused, during.State)
		require.Equal(t, protocol.StatePaused, behind.State, "the pass does not end the pause")
		require.Equal(t, after(70*time.Second), behind.LastSuccessAt)
	})
	t.Run("a pass that has begun to read its settings has begun", func(t *testing.T) {
		w := newWorld(t)
		sync := w.syncAt(time.Minute)
		w.load = func(r protocol.LoadRequest) protocol.Loaded {
			w.pauseAt(0, nil)
			return loaded(r.After)
		}
		w.runUntil(2*time.Minute, running())
		require.NoError(t, sync.err)
		require.Equal(t, int64(1), sync.report.Pass)
	})
	t.Run("resume goes on at once, with one pass for all that was remembered", func(t *testing.T) {
		w := newWorld(t)
		w.pauseAt(time.Minute, nil)
		w.notifyAt(2*time.Minute, 3*time.Minute)
		resume := w.updateAt(10*time.Minute, protocol.UpdateResume)
		w.runUntil(20*time.Minute, running())
		require.Equal(t, protocol.StateActive, resume.status.State)
		require.Nil(t, resume.status.Reason)
		require.Equal(t, []string{"manual@10m0s"}, w.passes)
	})
	t.Run("until a time, then by itself", func(t *testing.T) {
		w := newWorld(t)
		w.pauseAt(time.Minute, after(7*time.Minute))
		seen := w.statusAt(2 * time.Minute)
		w.runUntil(20*time.Minute, running())
		require.Equal(t, "Paused by Jana until 2 Mar 2026 11:07 CET: stocktaking.", seen.Reason.Message)
		require.Equal(t, []string{"manual@7m0s"}, w.passes)
	})
	t.Run("the later of two counts", func(t *testing.T) {
		w := newWorld(t)
		w.pauseAt(time.Minute, after(7*time.Minute))
		w.pauseAt(2*time.Minute, after(9*time.Minute))
		w.runUntil(20*time.Minute, running())
		require.Equal(t, []string{"manual@9m0s"}, w.passes)
	})
	t.Run("who pauses again says anew why, and since when stays", func(t *testing.T) {
		w := newWorld(t)
		w.pauseAt(time.Minute, after(7*time.Minute))
		again := w.updateAt(2*time.Minute, protocol.UpdatePause, protocol.PauseRequest{By: "Peter"})
		seen := w.statusAt(15 * time.Minute)
		w.runUntil(20*time.Minute, running())
		require.Empty(t, w.passes)
		require.Equal(t, "Paused by Peter.", again.status.Reason.Message)
		require.Equal(t, begin.Add(time.Minute), seen.Reason.Since)
	})
	t.Run("after a resume it is a pause of its own", func(t *testing.T) {
		w := newWorld(t)
		w.pauseAt(time.Minute, nil)
		w.updateAt(2*time.Minute, protocol.UpdateResume)
		second := w.pauseAt(3*time.Minute, nil)
		w.runUntil(4*time.Minute, running())
		require.Equal(t, begin.Add(3*time.Minute), second.status.Reason.Since)
	})
	t.Run("not until a time that is over", func(t *testing.T) {
		for _, end := range []time.Duration{-time.Hour, time.Minute} {
			w := newWorld(t)
			pause := w.pauseAt(time.Minute, after(end))
			seen := w.statusAt(2 * time.Minute)
			w.runUntil(3*time.Minute, running())
			require.Equal(t, message.PauseOver(begin.Add(end), bratislava(t)), sentence(pause.rejected))
			require.Equal(t, protocol.StateActive, seen.State)
		}
	})
	t.Run("resume of what runs does nothing", func(t *testing.T) {
		w := newWorld(t)
		w.updateAt(time.Minute, protocol.UpdateResume)
		w.runUntil(2*time.Minute, running())
		require.Empty(t, w.passes)
	})
}

func bratislava(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Bratislava")
	require.NoError(t, err)
	return zone
}

func TestDeactivate(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		w := newWorld(t)
		ended := w.updateAt(time.Minute, protocol.UpdateDeactivate)
		require.NoError(t, w.run(running()))
		require.Equal(t, protocol.StateInactive, ended.status.State)
		require.Nil(t, ended.status.NextPassAt)
		require.Equal(t, protocol.StateInactive, w.status().State, "also when it is over")
	})
	t.Run("cancels the pass, waits for it, and answers everybody", func(t *testing.T) {
		w := newWorld(t)
		stopped := ""
		w.pass = func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
			err := workflow.Sleep(ctx, time.Hour)
			steady, _ := workflow.NewDisconnectedContext(ctx)
			require.NoError(t, workflow.Sleep(steady, 3*time.Second)) // the batch under way
			stopped = w.clock()
			return protocol.PassResult{}, err
		}
		begun, waiting := w.syncAt(time.Minute), w.syncAt(2*time.Minute)
		ended := w.updateAt(3*time.Minute, protocol.UpdateDeactivate)
		again := w.updateAt(3*time.Minute+time.Second, protocol.UpdateDeactivate)
		late := w.syncAt(3*time.Minute + time.Second)
		require.NoError(t, w.run(running()))
		require.Equal(t, "3m3s", stopped)
		require.Equal(t, "3m3s", ended.at)
		require.Equal(t, protocol.StateInactive, ended.status.State)
		require.Equal(t, message.NotActive(acme), sentence(begun.err))
		require.Equal(t, message.NotActive(acme), sentence(waiting.err))
		require.Equal(t, message.NotActive(acme), sentence(late.rejected))
		require.Equal(t, message.NotActive(acme), sentence(again.rejected))
	})
	t.Run("before the pass has come to its child", func(t *testing.T) {
		w := newWorld(t)
		state := suspended()
		w.checkKROS = func() error { return errors.New("not now") } // tried again after a second
		w.updateAt(30*time.Minute+time.Second/2, protocol.UpdateDeactivate)
		require.NoError(t, w.run(state))
		require.Equal(t, []string{"kros@30m0s"}, w.probes)
		require.Empty(t, w.passes)
	})
	t.Run("while settings are read", func(t *testing.T) {
		w := newWorld(t)
		state := running()
		state.NextTick = time.Time{}
		state.Requested = true
		w.load = func(r protocol.LoadRequest) protocol.Loaded {
			w.updateAt(0, protocol.UpdateDeactivate)
			return loaded(r.After)
		}
		require.NoError(t, w.run(state))
		require.Empty(t, w.passes)
	})
	t.Run("paused", func(t *testing.T) {
		w := newWorld(t)
		w.pauseAt(time.Second, nil)
		ended := w.updateAt(time.Minute, protocol.UpdateDeactivate)
		require.NoError(t, w.run(running()))
		require.Equal(t, protocol.StateInactive, ended.status.State)
	})
	t.Run("cancelled in the Temporal UI", func(t *testing.T) {
		w := newWorld(t)
		begun := w.syncAt(time.Minute)
		w.at(65*time.Second, w.env.CancelWorkflow)
		err := w.run(running())
		require.True(t, temporal.IsCanceledError(err), err)
		require.True(t, begun.done)
		require.Equal(t, protocol.StateInactive, w.status().State)
	})
}

func TestStatesAfterAPass(t *testing.T) {
	tests := []struct {
		rule  string
		pass  passFunc
		state protocol.State
		code  protocol.Code
	}{
		{"in step", passing(aPass), protocol.StateActive, ""},
		{"key refused", failing(protocol.KrosKeyInvalid), protocol.StateSuspended, protocol.KrosKeyInvalid},
		{"no API access", failing(protocol.KrosNoAPIAccess), protocol.StateSuspended, protocol.KrosNoAPIAccess},
		{"KROS forbids", failing(protocol.KrosForbidden), protocol.StateSuspended, protocol.KrosForbidden},
		{"e-shop's key refused", failing(protocol.ShopKeyInvalid), protocol.StateSuspended, protocol.ShopKeyInvalid},
		{"e-shop forbids", failing(protocol.ShopForbidden), protocol.StateSuspended, protocol.ShopForbidden},
		{"another e-shop", failing(protocol.ShopChanged), protocol.StateSuspended, protocol.ShopChanged},
		{"KROS down", failing(protocol.KrosUnavailable), protocol.StateFailing, protocol.KrosUnavailable},
		{"KROS answers nonsense", failing(protocol.KrosBadResponse), protocol.StateFailing, protocol.KrosBadResponse},
		{"e-shop down", failing(protocol.ShopUnavailable), protocol.StateFailing, protocol.ShopUnavailable},
		{"a warehouse gone", failing(protocol.WarehouseUnknown), protocol.StateFailing, protocol.WarehouseUnknown},
		{"products gone", failing(protocol.ProductsMissing), protocol.StateFailing, protocol.ProductsMissing},
		{"another catalogue", ending(aPass, protocol.ResultHeld, message.Failure(protocol.CatalogueChanged, message.Params{Seen: 1, Expected: 9})),
			protocol.StateHeld, protocol.CatalogueChanged},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			w := newWorld(t)
			w.pass = test.pass
			bad := w.statusAt(40 * time.Minute)
			good := w.statusAt(70 * time.Minute)
			w.at(41*time.Minute, func() { w.pass = passing(aPass) })
			w.runUntil(71*time.Minute, running())
			require.Equal(t, test.state, bad.State)
			if test.code == "" {
				require.Nil(t, bad.Reason)
				require.Equal(t, after(30*time.Minute+aPass), bad.LastSuccessAt)
			} else {
				require.Equal(t, test.code, bad.Reason.Code)
				require.NotEmpty(t, bad.Reason.Message)
				require.NotEmpty(t, bad.Reason.Hint)
				require.Equal(t, begin.Add(30*time.Minute+aPass), bad.Reason.Since)
				require.Nil(t, bad.LastSuccessAt)
			}
			require.Equal(t, after(time.Hour), bad.NextPassAt)
			require.Equal(t, protocol.StateActive, good.State, "and back by itself")
			require.Nil(t, good.Reason)
			require.Equal(t, after(time.Hour+aPass), good.LastSuccessAt)
		})
	}
}

func TestAReasonThatStaysKeepsItsBeginning(t *testing.T) {
	w := newWorld(t)
	w.pass = failing(protocol.ShopUnavailable)
	seen := w.statusAt(2*time.Hour + time.Minute)
	w.runUntil(2*time.Hour+2*time.Minute, running())
	require.Equal(t, begin.Add(30*time.Minute+aPass), seen.Reason.Since)
}

func TestASuspendedShopIsProbedOnceATickAndGoesOnByItself(t *testing.T) {
	w := newWorld(t)
	w.checkKROS = func() error { return refused(protocol.KrosKeyInvalid) }
	w.notifyAt(time.Minute, 2*time.Minute, 31*time.Minute)
	seen := w.statusAt(61 * time.Minute)
	w.at(62*time.Minute, func() { w.checkKROS = func() error { return nil } })
	good := w.statusAt(91 * time.Minute)
	w.runUntil(95*time.Minute, suspended())
	require.Equal(t, []string{"kros@30m0s", "kros@1h0m0s", "kros@1h30m0s", "shop@1h30m0s"}, w.probes, "a notification does not probe")
	require.Equal(t, []string{"schedule@1h30m0s"}, w.passes, "and the pass sees what was notified")
	require.Equal(t, protocol.StateSuspended, seen.State)
	require.Equal(t, begin.Add(-time.Hour), seen.Reason.Since)
	require.Equal(t, int64(3), seen.Notifications.Count)
	require.Equal(t, protocol.ResultFailed, seen.LastPass.Result)
	require.Equal(t, protocol.StateActive, good.State)
}

func TestWhatProbesASuspendedShopAtOnce(t *testing.T) {
	for name, do := range map[string]func(*world){
		"sync":           func(w *world) { w.syncAt(time.Minute) },
		"sync-now":       func(w *world) { w.signalAt(time.Minute, protocol.SignalSyncNow, nil) },
		"resume":         func(w *world) { w.updateAt(time.Minute, protocol.UpdateResume) },
		"config-changed": func(w *world) { w.signalAt(time.Minute, protocol.SignalConfigChanged, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			do(w)
			w.runUntil(20*time.Minute, suspended())
			require.Equal(t, []string{"kros@1m0s", "shop@1m0s"}, w.probes)
			require.Equal(t, []string{"manual@1m0s"}, w.passes)
		})
	}
}

func TestWhatAProbeFinds(t *testing.T) {
	tests := []struct {
		rule string
		do   func(*world)
		want protocol.Code
	}{
		{"the same again", func(w *world) { w.checkKROS = func() error { return refused(protocol.KrosKeyInvalid) } }, protocol.KrosKeyInvalid},
		{"another trouble for a person", func(w *world) {
			w.checkKROS = func() error { return refused(protocol.KrosNoAPIAccess) }
		}, protocol.KrosNoAPIAccess},
		{"the e-shop refuses", func(w *world) {
			w.checkShop = func() (protocol.ShopIdentity, error) {
				return protocol.ShopIdentity{}, refused(protocol.ShopKeyInvalid)
			}
		}, protocol.ShopKeyInvalid},
		{"another e-shop", func(w *world) {
			w.checkShop = func() (protocol.ShopIdentity, error) { return protocol.ShopIdentity{ID: "other"}, nil }
		}, protocol.ShopChanged},
		{"no answer: the reason stands", func(w *world) {
			w.checkKROS = func() error { return refused(protocol.KrosUnavailable) }
		}, protocol.KrosKeyInvalid},
		{"settings gone", func(w *world) {
			w.load = unusable(protocol.ConfigMissing)
		}, protocol.ConfigMissing},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			w := newWorld(t)
			test.do(w)
			sync := w.syncAt(time.Minute)
			seen := w.statusAt(20 * time.Minute)
			w.runUntil(21*time.Minute, suspended())
			require.Empty(t, w.passes)
			require.Equal(t, protocol.StateSuspended, seen.State)
			require.Equal(t, test.want, seen.Reason.Code)
			require.Equal(t, protocol.ResultFailed, sync.report.Result, "who asked is told")
			require.NotNil(t, sync.report.Failure)
		})
	}
}

func TestAfterTheProbeTroubleIsNewTrouble(t *testing.T) {
	w := newWorld(t)
	w.pass = failing(protocol.WarehouseUnknown)
	seen := w.statusAt(40 * time.Minute)
	w.runUntil(41*time.Minute, suspended())
	require.Equal(t, protocol.StateFailing, seen.State)
	require.Equal(t, protocol.WarehouseUnknown, seen.Reason.Code)
}

func unusable(code protocol.Code) func(protocol.LoadRequest) protocol.Loaded {
	return func(r protocol.LoadRequest) protocol.Loaded {
		return protocol.Loaded{NextTick: r.After.Add(every), Failure: message.Failure(code, message.Params{Shop: acme, Detail: "acme.hcl:3"})}
	}
}

func TestSettingsThatCannotBeUsedSuspendUntilTheyCan(t *testing.T) {
	for _, code := range []protocol.Code{protocol.ConfigMissing, protocol.ConfigInvalid} {
		t.Run(string(code)+" at a tick", func(t *testing.T) {
			w := newWorld(t)
			w.load = unusable(code)
			bad := w.statusAt(40 * time.Minute)
			w.at(41*time.Minute, func() { w.load = func(r protocol.LoadRequest) protocol.Loaded { return loaded(r.After) } })
			good := w.statusAt(65 * time.Minute)
			w.runUntil(66*time.Minute, running())
			require.Equal(t, protocol.StateSuspended, bad.State)
			require.Equal(t, code, bad.Reason.Code)
			require.Equal(t, after(time.Hour), bad.NextPassAt, "looked at again")
			require.Equal(t, protocol.StateActive, good.State)
			require.Equal(t, []string{"schedule@1h0m0s"}, w.passes)
			require.Equal(t, []string{"kros@1h0m0s", "shop@1h0m0s"}, w.probes)
		})
		t.Run(string(code)+" told by config-changed, and mended", func(t *testing.T) {
			w := newWorld(t)
			w.load = unusable(code)
			w.signalAt(time.Minute, protocol.SignalConfigChanged, nil)
			bad := w.statusAt(2 * time.Minute)
			w.at(3*time.Minute, func() { w.load = func(r protocol.LoadRequest) protocol.Loaded { return loaded(r.After) } })
			w.signalAt(4*time.Minute, protocol.SignalConfigChanged, nil)
			w.runUntil(20*time.Minute, running())
			require.Equal(t, code, bad.Reason.Code)
			require.Equal(t, []string{"manual@4m0s"}, w.passes)
		})
	}
	t.Run("not while paused", func(t *testing.T) {
		w := newWorld(t)
		w.load = unusable(protocol.ConfigInvalid)
		w.pauseAt(time.Second, nil)
		w.signalAt(time.Minute, protocol.SignalConfigChanged, nil)
		seen := w.statusAt(2 * time.Minute)
		w.runUntil(3*time.Minute, running())
		require.Equal(t, protocol.StatePaused, seen.State)
	})
}

func TestSettingsThatCannotEvenBeLookedAtEndNoWorkflow(t *testing.T) {
	w := newWorld(t)
	w.load = func(protocol.LoadRequest) protocol.Loaded { panic("disk on fire") }
	seen := w.statusAt(40 * time.Minute)
	w.runUntil(41*time.Minute, running())
	require.Equal(t, protocol.ConfigInvalid, seen.Reason.Code)
	require.Contains(t, seen.Reason.Message, "disk on fire")
	require.NotNil(t, seen.NextPassAt)
}

func TestATakenIDIsWaitedOut(t *testing.T) {
	squat := func(w *world, duration time.Duration) {
		w.env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
			squatter := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: protocol.SyncPassID(acme)})
			taken := workflow.ExecuteChildWorkflow(squatter, "Squatter", duration)
			if err := taken.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
				return err
			}
			own := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: protocol.StockSyncID(acme)})
			return workflow.ExecuteChildWorkflow(own, protocol.StockSync, running()).Get(ctx, nil)
		}, workflow.RegisterOptions{Name: "House"})
		w.env.RegisterWorkflowWithOptions(workflow.Sleep, workflow.RegisterOptions{Name: "Squatter"})
		w.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "house", TaskQueue: "skladom"})
	}
	update := func(w *world, when time.Duration, name string) {
		w.at(when, func() {
			_ = w.env.UpdateWorkflowByID(protocol.StockSyncID(acme), name, "u-"+name, nothing{})
		})
	}
	t.Run("and then the pass runs", func(t *testing.T) {
		w := newWorld(t)
		squat(w, 30*time.Minute+70*time.Second)
		update(w, 40*time.Minute, protocol.UpdateDeactivate)
		w.env.ExecuteWorkflow("House")
		require.NoError(t, w.env.GetWorkflowError())
		require.Equal(t, []string{"schedule@31m30s"}, w.passes)
	})
	t.Run("not for ever in silence", func(t *testing.T) {
		w := newWorld(t)
		squat(w, 3*time.Hour)
		var seen protocol.Status
		w.at(45*time.Minute, func() {
			answer, err := w.env.QueryWorkflowByID(protocol.StockSyncID(acme), protocol.QueryStatus)
			require.NoError(t, err)
			require.NoError(t, answer.Get(&seen))
		})
		update(w, 46*time.Minute, protocol.UpdateDeactivate)
		w.env.ExecuteWorkflow("House")
		require.NoError(t, w.env.GetWorkflowError())
		require.Equal(t, protocol.StateFailing, seen.State)
		require.Contains(t, seen.Reason.Message, "sync-pass:acme")
	})
	t.Run("deactivate does not wait for it", func(t *testing.T) {
		w := newWorld(t)
		squat(w, 30*time.Minute+50*time.Second)
		update(w, 30*time.Minute+5*time.Second, protocol.UpdateDeactivate)
		ended := ""
		w.env.SetOnChildWorkflowCompletedListener(func(info *workflow.Info, _ converter.EncodedValue, _ error) {
			if info.WorkflowType.Name == protocol.StockSync {
				ended = w.clock()
			}
		})
		w.env.ExecuteWorkflow("House")
		require.NoError(t, w.env.GetWorkflowError())
		require.Equal(t, "30m5s", ended)
		require.Empty(t, w.passes)
	})
}

func TestWhatAPassRemembersIsNotLostWithIt(t *testing.T) {
	t.Run("cancelled by hand", func(t *testing.T) {
		w := newWorld(t)
		w.at(30*time.Minute+time.Second, func() { w.env.CancelWorkflowByID(protocol.SyncPassID(acme), "") })
		seen := w.statusAt(35 * time.Minute)
		w.runUntil(61*time.Minute, running())
		require.Equal(t, protocol.StateFailing, seen.State)
		require.Equal(t, "schedule", string(seen.LastPass.Trigger))
		require.Equal(t, int64(1), seen.LastPass.Pass)
		require.Equal(t, "plan of pass 1", w.requests[1].Memory.Ledger.Key, "it may have begun to write")
	})
	t.Run("broken without a word", func(t *testing.T) {
		w := newWorld(t)
		state := running()
		state.Memory.Ledger = protocol.Ref{Bucket: "b", Key: "plan before"}
		w.pass = func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error) {
			return protocol.PassResult{}, temporal.NewNonRetryableApplicationError("no such workflow type", "bug", nil)
		}
		seen := w.statusAt(35 * time.Minute)
		w.runUntil(61*time.Minute, state)
		require.Equal(t, protocol.StateFailing, seen.State)
		require.Contains(t, seen.Reason.Message, "no such workflow type")
		require.Equal(t, hash, seen.LastPass.SettingsHash)
		require.Equal(t, "plan before", w.requests[1].Memory.Ledger.Key)
	})
}

func TestKrosChangedAtIsWhenAPassLastSawOtherQuantities(t *testing.T) {
	w := newWorld(t)
	changed := true
	w.pass = func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		result, err := passing(aPass)(ctx, r)
		result.Catalogue = &protocol.Catalogue{Changed: changed}
		changed = false
		return result, err
	}
	seen := w.statusAt(100 * time.Minute)
	w.runUntil(101*time.Minute, running())
	require.Equal(t, after(30*time.Minute), seen.KrosChangedAt)
	require.Equal(t, after(90*time.Minute+aPass), seen.LastSuccessAt)
}

func TestTheFleetIsListedByWhatIsPublished(t *testing.T) {
	w := newWorld(t)
	var states []string
	w.env.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
		attributes := args.Get(0).(temporal.SearchAttributes)
		if state, ok := attributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(protocol.SearchState)); ok {
			states = append(states, state+"@"+w.clock())
		}
	}).Return(nil)
	w.pass = failing(protocol.ShopUnavailable)
	w.at(95*time.Minute, func() { w.pass = passing(aPass) })
	w.pauseAt(121*time.Minute, nil)
	w.runUntil(122*time.Minute, running())
	require.Equal(t, []string{"active@0s", "failing@30m10s", "active@2h0m10s", "paused@2h1m0s", "inactive@2h2m0s"}, states, "only when it changes")
}

// The list of all shops asks none of them: what it shows of a pause or a hold is
// in the memo.
func TestTheListKnowsWhyAndSinceWhen(t *testing.T) {
	w := newWorld(t)
	var noted []string
	w.env.OnUpsertMemo(mock.Anything).Run(func(args mock.Arguments) {
		reason, upserted := args.Get(0).(map[string]any)[protocol.MemoReason]
		if !upserted {
			return
		}
		line := "none"
		if r := reason.(*protocol.NotedReason); r != nil {
			line = fmt.Sprintf("%s %s since %v", r.Code, r.Message, r.Since.Sub(begin))
			if r.Until != nil {
				line += fmt.Sprintf(" until %v", r.Until.Sub(begin))
			}
		}
		noted = append(noted, line+"@"+w.clock())
	}).Return(nil)
	w.pass = failing(protocol.ShopUnavailable)
	w.at(65*time.Minute, func() { w.pass = passing(aPass) })
	w.pauseAt(100*time.Minute, after(110*time.Minute))
	w.runUntil(150*time.Minute, running())
	down := message.Failure(protocol.ShopUnavailable, message.Params{Shop: acme}).Message
	require.Equal(t, []string{
		"shop_unavailable " + down + " since 30m10s@30m10s",
		"none@1h30m10s",
		"paused Paused by Jana until 2 Mar 2026 12:50 CET: stocktaking. since 1h40m0s until 1h50m0s@1h40m0s",
		"none@1h50m0s",
	}, noted, "only when it changes")
}

// They are in every report all the same: of the status and of the update.
func TestSamplesThatStayedTravelOnce(t *testing.T) {
	samples := stock.Samples{"unmatched": {{Item: "A-4", Reason: "no product"}}}
	w := newWorld(t)
	w.pass = func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		result, err := passing(aPass)(ctx, r)
		if result.SamplesKnown = r.SamplesHash == protocol.SamplesHash(samples); !result.SamplesKnown {
			result.Samples = samples
		}
		return result, err
	}
	first, second := w.syncAt(time.Minute), w.syncAt(2*time.Minute)
	seen := w.statusAt(3 * time.Minute)
	w.at(4*time.Minute, func() { w.pass = failing(protocol.KrosUnavailable) }) // knows of none
	w.syncAt(5 * time.Minute)
	w.syncAt(6 * time.Minute)
	w.runUntil(7*time.Minute, running())
	require.NotEmpty(t, protocol.SamplesHash(samples))
	require.Equal(t, []string{"", protocol.SamplesHash(samples), protocol.SamplesHash(samples), ""}, lo.Map(w.requests, func(r protocol.PassRequest, _ int) string { return r.SamplesHash }))
	require.Equal(t, samples, first.report.Samples)
	require.Equal(t, samples, second.report.Samples)
	require.Equal(t, samples, seen.LastPass.Samples)
}
