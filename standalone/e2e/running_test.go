package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

var byNumber = catalogue.Settings{Match: "number", Quantity: "max"}

// tea is a shop of n products that a first pass has brought in step: KROS has
// 5 of each.
func tea(t *testing.T, n int, lines settings) *house {
	t.Helper()
	return teaAs(t, newName(), n, lines)
}

func teaAs(t *testing.T, name string, n int, lines settings) *house {
	t.Helper()
	h := newHouseAt(t, temporal.Address(), name,
		krossim.Options{Items: rows(n, 5), NoLimits: true}, fynodesim.Options{Products: products(n, 1)}, lines)
	h.work()
	h.bringsInStep(byNumber, h.start)
	return h
}

// has makes KROS have another quantity of an item.
func (h *house) has(item string, quantity int) {
	h.t.Helper()
	require.NoError(h.t, h.kros.SetStock(item, stockOf(quantity)...))
}

// shows waits until the shop shows a quantity.
func (h *house) shows(product, quantity string) {
	h.t.Helper()
	require.Eventually(h.t, func() bool { return h.quantities()[product] == quantity }, patience, 50*time.Millisecond)
}

// goesOn waits until the shop is active and runs no pass.
func (h *house) goesOn() {
	h.t.Helper()
	h.eventually(func(s protocol.Status) bool { return s.State == protocol.StateActive })
	require.Equal(h.t, protocol.ResultOK, h.now().Result)
	h.isActive()
}

// everyMinute is a shop whose next tick comes soon: ticks are moved by an
// offset that depends on the shop's name alone.
const everyMinute settings = `
  schedule = "* * * * *"
  timezone = "UTC"`

func nameWithTickSoon(t *testing.T) string {
	t.Helper()
	for {
		name := newName()
		tick, err := config.Shop{Name: name, Settings: protocol.Settings{Schedule: "* * * * *", Timezone: "UTC"}}.NextTick(time.Now(), time.Time{})
		require.NoError(t, err)
		if in := time.Until(tick); in > 20*time.Second && in < 22*time.Second {
			return name
		}
	}
}

func TestTheScheduleTicks(t *testing.T) {
	t.Parallel()
	h := teaAs(t, nameWithTickSoon(t), 10, everyMinute)
	h.has("A0003", 8)
	h.shows("p0003", "8")
	status := h.eventually(passes(2))
	require.Equal(t, protocol.TriggerSchedule, status.LastPass.Trigger)
	require.NotNil(t, status.NextPassAt)
	tick := status.NextPassAt.Add(-time.Minute)
	require.False(t, status.LastPass.StartedAt.Before(tick))
	require.Zero(t, tick.Nanosecond(), "an offset of whole seconds")
}

func TestASuspendedShopGoesOnByItselfAtATick(t *testing.T) {
	t.Parallel()
	h := teaAs(t, nameWithTickSoon(t), 10, everyMinute)
	h.kros.SetToken("another")
	failed := h.now()
	require.Equal(t, protocol.KrosKeyInvalid, failed.Failure.Code)
	h.suspendedFor(protocol.KrosKeyInvalid)
	h.has("A0003", 8)
	h.kros.SetToken(krosToken)
	h.shows("p0003", "8")
	status := h.eventually(passes(failed.Pass + 1))
	require.Equal(t, protocol.TriggerSchedule, status.LastPass.Trigger)
	h.isActive()
}

func TestTroubleOfARunningShop(t *testing.T) {
	t.Parallel()
	h := tea(t, 30, `webhook { min_gap = "0s" }`)
	h.run("a suspended shop is probed, and left alone otherwise", suspended)
	h.run("a new key in the settings is tried at once", newKey)
	h.run("another shop at the address is never written", anotherShop)
	h.run("a catalogue that is not the one of last time is held", anotherCatalogue)
	h.run("settings that turn bad stop nobody", badSettings)
	h.run("a warehouse that vanishes fails the pass", lostWarehouse)
}

func TestWhatAPassIsBegunBy(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, `webhook { min_gap = "0s" }`)
	h.run("a notification leads to a pass, and many to one more", notified)
	h.run("a sync returns a pass that began after it was asked for", askedDuringAPass)
	h.run("SyncNow asks for a pass", syncNow)
	h.run("nobody but StockSync starts a pass that writes", startedByHand)
	h.run("a paused shop is left alone until it is resumed", paused)
	h.run("a pause lets the running pass end", pausedDuringAPass)
	h.run("notifications within the gap wait", notifiedWithinTheGap)
	h.run("a deactivated shop ends its pass and is left alone", deactivated)
}

func suspended(t *testing.T, h *house) {
	h.kros.SetToken("another")
	h.now()
	since, counted := h.status().Reason.Since, h.status().Notifications.Count
	pages := h.kros.State().ByPath["catalog-items"]
	h.has("A0003", 8)
	h.signal(protocol.SignalNotification, nil) // is no reason to hammer KROS
	h.unmoved(func() { require.Equal(t, protocol.KrosKeyInvalid, h.now().Failure.Code) })
	h.suspendedFor(protocol.KrosKeyInvalid)
	status := h.status()
	require.Equal(t, since, status.Reason.Since, "it has been so all the time")
	require.Equal(t, counted+1, status.Notifications.Count)
	require.Equal(t, pages, h.kros.State().ByPath["catalog-items"])

	h.kros.SetToken(krosToken)
	h.update(protocol.UpdateResume, &protocol.Status{})
	h.shows("p0003", "8")
	h.goesOn()
}

func newKey(t *testing.T, h *house) {
	h.kros.SetToken("the-next-token")
	h.now()
	h.suspendedFor(protocol.KrosKeyInvalid)
	h.has("A0003", 9)
	h.setenv("KROS_TOKEN", " Bearer the-next-token\n") // as people paste it
	h.signal(protocol.SignalConfigChanged, nil)
	h.shows("p0003", "9")
	h.goesOn()
}

func anotherShop(t *testing.T, h *house) {
	h.has("A0003", 10)
	h.fynode.SetShop("other", "Iný obchod")
	for range 2 { // in a pass, and then by the probe
		h.unmoved(func() { require.Equal(t, protocol.ShopChanged, h.now().Failure.Code) })
		h.suspendedFor(protocol.ShopChanged)
	}
	h.fynode.SetShop("sim", "Simulated shop")
	h.bringsInStep(byNumber, h.now)
	h.isActive()
}

func anotherCatalogue(t *testing.T, h *house) {
	mine := h.kros.State().Items
	foreign := rows(60, 0)[31:]
	emptied := rows(30, 0)
	for i := range emptied {
		emptied[i].Warehouses = nil
	}
	for name, items := range map[string][]krossim.Item{
		"empty": nil, "half of it and less": rows(14, 0), "another company's": foreign, "no row of any warehouse": emptied,
	} {
		h.kros.SetItems(items)
		h.unmoved(func() {
			report := h.now()
			require.Equal(t, protocol.ResultHeld, report.Result, name)
			require.Equal(t, protocol.CatalogueChanged, report.Failure.Code, name)
		})
		h.standsFor(protocol.StateHeld, protocol.CatalogueChanged)
	}
	h.kros.SetItems(mine)
	h.has("A0003", 11)
	require.Equal(t, 1, h.bringsInStep(byNumber, h.now).Updated)
	h.isActive()
}

func lostWarehouse(t *testing.T, h *house) {
	h.configureWith(`warehouses = ["LT"]`, "")
	h.bringsInStep(byNumber, h.now)
	renamed := rows(30, 7)
	for i := range renamed {
		renamed[i].Warehouses[0].Code = "HLAVNY"
	}
	h.kros.SetItems(renamed)
	h.unmoved(func() {
		report := h.now()
		require.Equal(t, protocol.WarehouseUnknown, report.Failure.Code)
		require.Contains(t, report.Failure.Hint, "HLAVNY")
	})
	h.standsFor(protocol.StateFailing, protocol.WarehouseUnknown)
	h.configureWith(`warehouses = ["HLAVNY"]`, "")
	h.bringsInStep(byNumber, h.now)
	h.isActive()
}

func badSettings(t *testing.T, h *house) {
	h.has("A0003", 12)
	h.write("shops/"+h.shop+".hcl", `shop "`+h.shop+`" { match = `)
	h.bringsInStep(byNumber, h.now) // as they were
	h.isActive()

	h.remove("shops/" + h.shop + ".hcl")
	h.has("A0003", 13)
	h.unmoved(func() { require.Equal(t, protocol.ConfigMissing, h.now().Failure.Code) })
	h.suspendedFor(protocol.ConfigMissing)

	h.configure("")
	h.signal(protocol.SignalConfigChanged, nil)
	h.shows("p0003", "13")
	h.goesOn()
}

func TestAWorkerThatNeverSawGoodSettings(t *testing.T) {
	t.Parallel()
	h := newHouse(t, krossim.Options{Items: rows(10, 5), NoLimits: true}, fynodesim.Options{Products: products(10, 1)}, `match = "name"`)
	stop := h.work()
	h.refused(trouble{code: protocol.ConfigInvalid, says: []string{"match", h.shop + ".hcl"}})
	require.Empty(t, h.running())
	h.configure("")
	h.start()
	stop()

	h.configure(`match = "name"`)
	stop = h.work()
	h.has("A0003", 8)
	h.unmoved(func() {
		failure := h.now().Failure
		require.Equal(t, protocol.ConfigInvalid, failure.Code)
		require.Contains(t, failure.Message, h.shop+".hcl")
	})
	h.suspendedFor(protocol.ConfigInvalid)
	stop()
	h.configure("")
	h.work()
	h.bringsInStep(byNumber, h.now)
	h.isActive()
}

func notified(t *testing.T, h *house) {
	require.Equal(t, protocol.NotificationsWaiting, h.status().Notifications.State)
	h.has("A0003", 8)
	h.signal(protocol.SignalNotification, map[string]any{"event": []int{1}}) // whatever KROS sends
	h.shows("p0003", "8")
	status := h.eventually(passes(2))
	require.Equal(t, protocol.TriggerNotification, status.LastPass.Trigger)
	require.Equal(t, protocol.NotificationsWorking, status.Notifications.State)
	require.EqualValues(t, 1, status.Notifications.Count)

	arrived, release := h.atKros.hold(t, "catalog-items", 1)
	h.signal(protocol.SignalNotification, nil)
	h.wait(arrived)
	for range 20 {
		h.signal(protocol.SignalNotification, "while a pass reads")
	}
	h.has("A0003", 9)
	release()
	status = h.eventually(passes(4))
	require.Equal(t, "9", h.quantities()["p0003"])
	require.EqualValues(t, 22, status.Notifications.Count)
	require.EqualValues(t, 5, h.now().Pass, "twenty became one")
}

func notifiedWithinTheGap(t *testing.T, h *house) {
	h.configure(`webhook { min_gap = "3s" }`)
	last := h.now().Pass
	h.signal(protocol.SignalNotification, nil)
	first := h.eventually(passes(last + 1)).LastPass
	h.signal(protocol.SignalNotification, nil)
	second := h.eventually(passes(last + 2)).LastPass
	require.Equal(t, protocol.TriggerNotification, second.Trigger)
	require.Greater(t, second.StartedAt.Sub(first.StartedAt), 2*time.Second) // of the pass; the gap counts from its order
}

func syncNow(t *testing.T, h *house) {
	last := h.status().LastPass.Pass
	h.has("A0003", 11)
	require.NoError(t, h.execute("sync-now:"+h.shop, protocol.SyncNow, protocol.SyncNowRequest{Shop: h.shop}, nil))
	h.shows("p0003", "11")
	require.Equal(t, protocol.TriggerManual, h.eventually(passes(last+1)).LastPass.Trigger)
}

func askedDuringAPass(t *testing.T, h *house) {
	last := h.status().LastPass.Pass
	arrived, release := h.atShop.hold(t, "products/lookup", 1)
	h.signal(protocol.SignalNotification, nil)
	h.wait(arrived) // KROS has been read
	h.has("A0003", 10)
	done := make(chan protocol.Report, 1)
	go func() {
		var report protocol.Report
		if h.tryUpdate(protocol.UpdateSync, &report, protocol.SyncRequest{}) == nil {
			done <- report
		}
		close(done)
	}()
	h.acceptsUpdates(1)
	release()
	report := <-done
	require.Equal(t, last+2, report.Pass)
	require.Equal(t, 1, report.Updated)
	require.Equal(t, "10", h.quantities()["p0003"])
}

// acceptsUpdates waits until StockSync has accepted n more updates than it has
// answered.
func (h *house) acceptsUpdates(n int) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		text, _ := h.history(protocol.StockSyncID(h.shop))
		return strings.Count(text, "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED")-
			strings.Count(text, "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED") >= n
	}, patience, 100*time.Millisecond)
}

func paused(t *testing.T, h *house) {
	before := h.status()
	var status protocol.Status
	h.update(protocol.UpdatePause, &status, protocol.PauseRequest{Reason: "inventúra", By: "Jana"})
	require.Equal(t, protocol.StatePaused, status.State)
	require.Contains(t, status.Reason.Message, "inventúra")
	require.Nil(t, status.NextPassAt)

	h.has("A0003", 13)
	h.unmoved(func() {
		h.signal(protocol.SignalNotification, nil)
		err := h.tryUpdate(protocol.UpdateSync, &protocol.Report{}, protocol.SyncRequest{})
		require.ErrorContains(t, err, "is paused")
		require.ErrorContains(t, err, "skladom resume "+h.shop)
		h.eventually(func(s protocol.Status) bool { return s.Notifications.Count > before.Notifications.Count })
		require.Equal(t, protocol.StatePaused, h.status().State)
	})
	h.update(protocol.UpdateResume, &protocol.Status{})
	h.shows("p0003", "13")
	h.goesOn()

	last := h.now().Pass
	h.has("A0003", 14)
	until := time.Now().Add(2 * time.Second)
	h.update(protocol.UpdatePause, &status, protocol.PauseRequest{Until: &until})
	h.shows("p0003", "14") // by itself
	status = h.eventually(passes(last + 1))
	require.Equal(t, protocol.StateActive, status.State)
	require.False(t, status.LastPass.StartedAt.Before(until))
}

func pausedDuringAPass(t *testing.T, h *house) {
	last := h.now().Pass
	h.has("A0003", 15)
	arrived, release := h.atShop.hold(t, "products/stock", 1)
	h.signal(protocol.SignalSyncNow, nil)
	h.wait(arrived)
	var status protocol.Status
	h.update(protocol.UpdatePause, &status, protocol.PauseRequest{})
	require.Equal(t, protocol.StatePaused, status.State)
	release()
	status = h.eventually(passes(last + 1))
	require.Equal(t, protocol.StatePaused, status.State)
	require.Equal(t, "15", h.quantities()["p0003"])
	h.update(protocol.UpdateResume, &protocol.Status{})
	h.goesOn()
}

func startedByHand(t *testing.T, h *house) {
	h.has("A0003", 12)
	h.unmoved(func() {
		err := h.execute(protocol.SyncPassID(h.shop), protocol.SyncPass, protocol.PassRequest{Shop: h.shop}, nil)
		require.ErrorContains(t, err, "started by StockSync only")
	})
	h.bringsInStep(byNumber, h.now)
}

func deactivated(t *testing.T, h *house) {
	last := h.now().Pass
	h.has("A0003", 16)
	arrived, release := h.atKros.hold(t, "catalog-items", 1)
	h.signal(protocol.SignalSyncNow, nil)
	h.wait(arrived)
	h.unmoved(func() {
		var status protocol.Status
		h.update(protocol.UpdateDeactivate, &status)
		require.Equal(t, protocol.StateInactive, status.State)
		release()
		require.Eventually(t, func() bool { return h.running() == "" }, patience, 50*time.Millisecond)
		require.Error(t, h.tryUpdate(protocol.UpdateSync, &protocol.Report{}, protocol.SyncRequest{}))
		require.Error(t, h.execute("sync-now:"+h.shop, protocol.SyncNow, protocol.SyncNowRequest{Shop: h.shop}, nil))
	})
	require.Equal(t, protocol.StateInactive, h.status().State)
	pass, err := h.client.DescribeWorkflowExecution(h.context(), protocol.SyncPassID(h.shop), "")
	require.NoError(t, err)
	require.NotNil(t, pass.GetWorkflowExecutionInfo().GetCloseTime())

	again := h.bringsInStep(byNumber, h.start)
	require.Greater(t, again.Pass, last, "the archive knows the passes before")
	h.isActive()
}

// A pass of a shop whose settings are gone costs nothing and counts like any
// other, so a run of StockSync is soon old enough to give way to the next.
func TestNothingIsLostOrCountedTwiceWhereARunGivesWayToTheNext(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.remove("shops/" + h.shop + ".hcl")
	run := h.running()
	notified := make(chan int, 1)
	stop := make(chan struct{})
	go func() {
		for sent := 0; ; sent++ {
			select {
			case <-stop:
				notified <- sent
				return
			default:
			}
			if h.client.SignalWorkflow(h.context(), protocol.StockSyncID(h.shop), "", protocol.SignalNotification, nil) != nil {
				notified <- -1
				return
			}
		}
	}()
	asked := 0
	for ; h.running() == run; asked++ {
		require.Equal(t, protocol.ConfigMissing, h.now().Failure.Code)
	}
	close(stop)
	require.GreaterOrEqual(t, asked, 45)
	sent := <-notified
	require.Positive(t, sent)
	h.eventually(func(s protocol.Status) bool { return s.Notifications.Count >= int64(sent) })
	h.suspendedFor(protocol.ConfigMissing)

	h.configure("")
	h.has("A0003", 8)
	h.bringsInStep(byNumber, h.now)
	status := h.status()
	require.Equal(t, protocol.StateActive, status.State)
	require.EqualValues(t, sent, status.Notifications.Count)
	require.EqualValues(t, 2, status.LastPass.Pass)
}
