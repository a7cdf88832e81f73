package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/workflows"
)

func (w *world) refuseAt(times ...time.Duration) {
	for _, when := range times {
		w.signalAt(when, protocol.SignalRefused, nil)
	}
}

// A refused notification is shown, and nothing else comes of it.
func TestRefusedNotifications(t *testing.T) {
	waiting := func(*workflows.SyncState) {}
	working := func(ago time.Duration) func(*workflows.SyncState) {
		return func(s *workflows.SyncState) {
			s.Notifications = protocol.Notifications{State: protocol.NotificationsWorking, Count: 17, LastAt: after(-ago)}
		}
	}
	tests := []struct {
		rule string
		from func(*workflows.SyncState)
		do   func(*world)
		want protocol.Notifications
		pass []string
	}{
		{"before any valid one", waiting, func(w *world) {
			w.refuseAt(time.Minute)
		}, protocol.Notifications{State: protocol.NotificationsRefused, LastAt: after(time.Minute)}, nil},
		{"again: the last one is shown", waiting, func(w *world) {
			w.refuseAt(time.Minute, 9*time.Minute)
		}, protocol.Notifications{State: protocol.NotificationsRefused, LastAt: after(9 * time.Minute)}, nil},
		{"whatever it carries", waiting, func(w *world) {
			w.signalAt(time.Minute, protocol.SignalRefused, []byte{0xff, 0x00})
		}, protocol.Notifications{State: protocol.NotificationsRefused, LastAt: after(time.Minute)}, nil},
		{"within a day of a valid one it is somebody else's", working(24*time.Hour - 2*time.Minute), func(w *world) {
			w.refuseAt(time.Minute)
		}, protocol.Notifications{State: protocol.NotificationsWorking, Count: 17, LastAt: after(2*time.Minute - 24*time.Hour)}, nil},
		{"a day after the last valid one", working(24*time.Hour - 2*time.Minute), func(w *world) {
			w.refuseAt(2 * time.Minute)
		}, protocol.Notifications{State: protocol.NotificationsRefused, Count: 17, LastAt: after(2 * time.Minute)}, nil},
		{"the next valid one makes it work again", working(48 * time.Hour), func(w *world) {
			w.refuseAt(time.Minute)
			w.notifyAt(2 * time.Minute)
			w.refuseAt(3 * time.Minute)
		}, protocol.Notifications{State: protocol.NotificationsWorking, Count: 18, LastAt: after(2 * time.Minute)}, []string{"notification@2m0s"}},
		{"together with a valid one", waiting, func(w *world) {
			w.at(time.Minute, func() {
				w.env.SignalWorkflowSkippingWorkflowTask(protocol.SignalRefused, nil)
				w.env.SignalWorkflow(protocol.SignalNotification, nil)
			})
		}, protocol.Notifications{State: protocol.NotificationsWorking, Count: 1, LastAt: after(time.Minute)}, []string{"notification@1m0s"}},
		{"during a pass it is taken in, and no further pass comes of it", working(48 * time.Hour), func(w *world) {
			w.syncAt(time.Minute)
			w.refuseAt(65 * time.Second)
		}, protocol.Notifications{State: protocol.NotificationsRefused, Count: 17, LastAt: after(65 * time.Second)}, []string{"manual@1m0s"}},
		{"paused", waiting, func(w *world) {
			w.pauseAt(time.Second, after(10*time.Minute))
			w.refuseAt(time.Minute)
		}, protocol.Notifications{State: protocol.NotificationsRefused, LastAt: after(time.Minute)}, []string{"manual@10m0s"}},
		{"suspended: no probe", func(s *workflows.SyncState) { *s = suspended() }, func(w *world) {
			w.refuseAt(time.Minute)
		}, protocol.Notifications{State: protocol.NotificationsRefused, LastAt: after(time.Minute)}, nil},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			w := newWorld(t)
			state := running()
			test.from(&state)
			test.do(w)
			seen := w.statusAt(20 * time.Minute)
			w.runUntil(21*time.Minute, state)
			require.Equal(t, test.want, seen.Notifications)
			require.Equal(t, test.pass, w.passes)
			require.Empty(t, w.probes)
		})
	}
}

func TestARefusedNotificationIsNotLostAtContinueAsNew(t *testing.T) {
	w := newWorld(t)
	w.at(time.Minute, func() {
		w.env.SetContinueAsNewSuggested(true)
		w.env.SignalWorkflow(protocol.SignalRefused, nil)
	})
	next := w.continued(w.run(running()))
	require.Equal(t, protocol.Notifications{State: protocol.NotificationsRefused, LastAt: after(time.Minute)}, next.Notifications)
	require.False(t, next.Notified)
}
