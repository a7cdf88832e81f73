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

// sells makes KROS have another quantity of an item.
func (h *house) has(item string, quantity int) {
	h.t.Helper()
	require.NoError(h.t, h.kros.SetStock(item, stockOf(quantity)...))
}

// shows waits until the shop shows a quantity.
func (h *house) shows(product, quantity string) {
	h.t.Helper()
	require.Eventually(h.t, func() bool { return h.quantities()[product] == quantity }, patience, 50*time.Millisecond)
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

func TestASuspendedShopIsProbedAndLeftAloneOtherwise(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, `webhook { min_gap = "0s" }`)
	h.kros.SetToken("another")
	h.now()
	since := h.status().Reason.Since
	pages := h.kros.State().ByPath["catalog-items"]
	h.has("A0003", 8)
	h.signal(protocol.SignalNotification, nil) // is no reason to hammer KROS
	h.unmoved(func() { require.Equal(t, protocol.KrosKeyInvalid, h.now().Failure.Code) })
	h.suspendedFor(protocol.KrosKeyInvalid)
	status := h.status()
	require.Equal(t, since, status.Reason.Since, "it has been so all the time")
	require.EqualValues(t, 1, status.Notifications.Count)
	require.Equal(t, pages, h.kros.State().ByPath["catalog-items"])

	h.kros.SetToken(krosToken)
	h.update(protocol.UpdateResume, &protocol.Status{})
	h.shows("p0003", "8")
	h.eventually(func(s protocol.Status) bool { return s.State == protocol.StateActive })
}

func TestANewKeyInTheSettingsIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.kros.SetToken("the-next-token")
	h.now()
	h.suspendedFor(protocol.KrosKeyInvalid)
	h.has("A0003", 8)
	h.setenv("KROS_TOKEN", " Bearer the-next-token\n") // as people paste it
	h.signal(protocol.SignalConfigChanged, nil)
	h.shows("p0003", "8")
	h.eventually(func(s protocol.Status) bool { return s.State == protocol.StateActive })
}

func TestAnotherShopAtTheAddressIsNeverWritten(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.has("A0003", 8)
	h.fynode.SetShop("other", "Iný obchod")
	for range 2 { // in a pass, and then by the probe
		h.unmoved(func() { require.Equal(t, protocol.ShopChanged, h.now().Failure.Code) })
		h.suspendedFor(protocol.ShopChanged)
	}
	h.fynode.SetShop("sim", "Simulated shop")
	h.bringsInStep(byNumber, h.now)
	h.isActive()
}

func TestACatalogueThatIsNotTheOneOfLastTimeIsHeld(t *testing.T) {
	t.Parallel()
	h := tea(t, 30, "")
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
	h.has("A0003", 8)
	require.Equal(t, 1, h.bringsInStep(byNumber, h.now).Updated)
	h.isActive()
}

func TestAWarehouseThatVanishesFailsThePass(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.configureWith(`warehouses = ["LT"]`, "")
	h.bringsInStep(byNumber, h.now)
	renamed := rows(10, 9)
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
}

func TestSettingsThatTurnBadStopNobody(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.has("A0003", 8)
	h.write("shops/"+h.shop+".hcl", `shop "`+h.shop+`" { match = `)
	h.bringsInStep(byNumber, h.now) // as they were
	h.isActive()

	h.remove("shops/" + h.shop + ".hcl")
	h.has("A0003", 9)
	h.unmoved(func() { require.Equal(t, protocol.ConfigMissing, h.now().Failure.Code) })
	h.suspendedFor(protocol.ConfigMissing)

	h.configure("")
	h.signal(protocol.SignalConfigChanged, nil)
	h.shows("p0003", "9")
	h.eventually(func(s protocol.Status) bool { return s.State == protocol.StateActive })
}

func TestAWorkerThatNeverSawGoodSettingsSuspends(t *testing.T) {
	t.Parallel()
	h := newHouse(t, krossim.Options{Items: rows(10, 5), NoLimits: true}, fynodesim.Options{Products: products(10, 1)}, "")
	stop := h.work()
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

func TestANotificationLeadsToAPassAndManyToOneMore(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, `webhook { min_gap = "0s" }`)
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
	h.shows("p0003", "9")
	status = h.eventually(passes(4))
	require.EqualValues(t, 22, status.Notifications.Count)
	require.EqualValues(t, 5, h.now().Pass, "twenty became one")
}

func TestNotificationsWithinTheGapWait(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, `webhook { min_gap = "3s" }`)
	h.signal(protocol.SignalNotification, nil)
	first := h.eventually(passes(2)).LastPass
	h.signal(protocol.SignalNotification, nil)
	second := h.eventually(passes(3)).LastPass
	require.Equal(t, protocol.TriggerNotification, second.Trigger)
	require.GreaterOrEqual(t, second.StartedAt.Sub(first.StartedAt), 3*time.Second)
}

func TestSyncNowAsksForAPass(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.has("A0003", 8)
	request := protocol.SyncNowRequest{Shop: h.shop}
	require.NoError(t, h.execute("sync-now:"+h.shop, protocol.SyncNow, request, nil))
	h.shows("p0003", "8")
	require.Equal(t, protocol.TriggerManual, h.eventually(passes(2)).LastPass.Trigger)

	h.update(protocol.UpdateDeactivate, &protocol.Status{})
	require.Error(t, h.execute("sync-now:"+h.shop, protocol.SyncNow, request, nil), "a shop that is not active")
}

func TestSyncReturnsAPassThatBeganAfterItWasAsked(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, `webhook { min_gap = "0s" }`)
	arrived, release := h.atShop.hold(t, "products/lookup", 1)
	h.signal(protocol.SignalNotification, nil)
	h.wait(arrived) // KROS has been read
	h.has("A0003", 8)
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
	require.EqualValues(t, 3, report.Pass)
	require.Equal(t, 1, report.Updated)
	require.Equal(t, "8", h.quantities()["p0003"])
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

func TestAPausedShopIsLeftAloneUntilItIsResumed(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, `webhook { min_gap = "0s" }`)
	var paused protocol.Status
	h.update(protocol.UpdatePause, &paused, protocol.PauseRequest{Reason: "inventúra", By: "Jana"})
	require.Equal(t, protocol.StatePaused, paused.State)
	require.Contains(t, paused.Reason.Message, "inventúra")
	require.Nil(t, paused.NextPassAt)

	h.has("A0003", 8)
	h.unmoved(func() {
		h.signal(protocol.SignalNotification, nil)
		err := h.tryUpdate(protocol.UpdateSync, &protocol.Report{}, protocol.SyncRequest{})
		require.ErrorContains(t, err, "is paused")
		require.ErrorContains(t, err, "skladom resume "+h.shop)
	})
	h.eventually(func(s protocol.Status) bool { return s.Notifications.Count == 1 && s.State == protocol.StatePaused })

	h.update(protocol.UpdateResume, &protocol.Status{})
	h.shows("p0003", "8")
	h.eventually(func(s protocol.Status) bool { return s.State == protocol.StateActive && s.Reason == nil })

	h.has("A0003", 9)
	until := time.Now().Add(2 * time.Second)
	h.update(protocol.UpdatePause, &paused, protocol.PauseRequest{Until: &until})
	h.shows("p0003", "9") // by itself
	status := h.eventually(passes(3))
	require.Equal(t, protocol.StateActive, status.State)
	require.False(t, status.LastPass.StartedAt.Before(until))
}

func TestAPauseLetsTheRunningPassEnd(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.has("A0003", 8)
	arrived, release := h.atShop.hold(t, "products/stock", 1)
	h.signal(protocol.SignalSyncNow, nil)
	h.wait(arrived)
	var paused protocol.Status
	h.update(protocol.UpdatePause, &paused, protocol.PauseRequest{})
	require.Equal(t, protocol.StatePaused, paused.State)
	release()
	h.shows("p0003", "8")
	require.Equal(t, protocol.StatePaused, h.eventually(passes(2)).State)
}

func TestADeactivatedShopEndsItsPassAndIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.has("A0003", 8)
	arrived, release := h.atKros.hold(t, "catalog-items", 1)
	h.signal(protocol.SignalSyncNow, nil)
	h.wait(arrived)
	h.unmoved(func() {
		var status protocol.Status
		h.update(protocol.UpdateDeactivate, &status)
		require.Equal(t, protocol.StateInactive, status.State)
		release()
		require.Empty(t, h.running())
		require.Error(t, h.tryUpdate(protocol.UpdateSync, &protocol.Report{}, protocol.SyncRequest{}))
	})
	require.Equal(t, protocol.StateInactive, h.status().State)
	pass, err := h.client.DescribeWorkflowExecution(h.context(), protocol.SyncPassID(h.shop), "")
	require.NoError(t, err)
	require.NotNil(t, pass.GetWorkflowExecutionInfo().GetCloseTime())

	again := h.bringsInStep(byNumber, h.start)
	require.Greater(t, again.Pass, int64(1), "the archive knows the passes before")
	h.isActive()
}

func TestNobodyButStockSyncStartsAPassThatWrites(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	h.has("A0003", 8)
	h.unmoved(func() {
		err := h.execute(protocol.SyncPassID(h.shop), protocol.SyncPass, protocol.PassRequest{Shop: h.shop}, nil)
		require.ErrorContains(t, err, "started by StockSync only")
	})
	h.bringsInStep(byNumber, h.now)
}

func TestNothingIsLostOrCountedTwiceWhereARunGivesWayToTheNext(t *testing.T) {
	t.Parallel()
	h := tea(t, 3, `webhook { min_gap = "0s" }`)
	run := h.running()
	notified := make(chan error, 1)
	const notifications = 150
	go func() {
		for range notifications {
			if err := h.client.SignalWorkflow(h.context(), protocol.StockSyncID(h.shop), "", protocol.SignalNotification, nil); err != nil {
				notified <- err
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		notified <- nil
	}()
	for quantity := 10; h.running() == run; quantity++ {
		h.has("A0001", quantity)
		require.Equal(t, protocol.ResultOK, h.now().Result)
	}
	require.NoError(t, <-notified)
	h.eventually(func(s protocol.Status) bool { return s.Notifications.Count == notifications })
	h.bringsInStep(byNumber, h.now)
	status := h.status()
	require.Equal(t, protocol.StateActive, status.State)
	require.EqualValues(t, notifications, status.Notifications.Count)
	require.Greater(t, status.LastPass.Pass, int64(48))
}
