package notifytest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/notifytest"
)

// One town for all, since it costs more than what is tried in it; each has
// shops of its own.
func TestWhatFollowsANotification(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule string
		try  func(t *testing.T, town *notifytest.Town, active, never *notifytest.Shop)
	}{
		{"a paused shop remembers", whilePaused},
		{"a suspended shop remembers", whileSuspended},
		{"a shop that was never activated is refused and not started", neverActivated},
		{"a shop that is not active any more is refused", deactivated},
		{"whatever speaks to Temporal can notify", anyOtherRelay},
		{"a Schedule that starts SyncNow leads to a pass", schedule},
	}
	town := newTown(t, len(tests), notifytest.Options{Shops: 2 * len(tests), MinGap: "0s"})
	for i, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			test.try(t, town, town.Shops[i], town.Shops[len(tests)+i])
		})
	}
}

func whilePaused(t *testing.T, _ *notifytest.Town, shop, _ *notifytest.Shop) {
	update(t, shop, protocol.UpdatePause, protocol.PauseRequest{Reason: "stocktaking"}, &protocol.Status{})
	remembers(t, shop, protocol.StatePaused)
	update(t, shop, protocol.UpdateResume, nil, &protocol.Status{})
	follows(t, shop, 20)
}

func whileSuspended(t *testing.T, _ *notifytest.Town, shop, _ *notifytest.Shop) {
	shop.KROS.SetToken("another")
	update(t, shop, protocol.UpdateSync, protocol.SyncRequest{}, &protocol.Report{})
	remembers(t, shop, protocol.StateSuspended)
	shop.KROS.SetToken(shop.KrosToken)
	update(t, shop, protocol.UpdateResume, nil, &protocol.Status{})
	follows(t, shop, 20)
}

// remembers notifies a shop that does not follow now.
func remembers(t *testing.T, shop *notifytest.Shop, state protocol.State) {
	t.Helper()
	before, asked := status(t, shop), shop.KROS.State().Requests
	require.Equal(t, state, before.State)
	books(t, shop, 20, http.StatusOK)
	require.NoError(t, shop.Signal(within(t), nil))
	now := counts(t, shop, 2)
	require.Equal(t, state, now.State)
	require.Equal(t, before.LastPass, now.LastPass)
	require.Equal(t, asked, shop.KROS.State().Requests, "nobody read KROS")
	require.False(t, shop.Shows(0, 20))
}

func neverActivated(t *testing.T, town *notifytest.Town, active, never *notifytest.Shop) {
	books(t, never, 7, http.StatusUnauthorized)
	require.ErrorContains(t, never.Signal(within(t), nil), "not found")

	// What comes after it is carried out, and nothing was for it.
	books(t, active, 8, http.StatusOK)
	follows(t, active, 8)
	require.Zero(t, never.KROS.State().Requests)
	for _, id := range []string{protocol.StockSyncID(never.Name), protocol.SyncPassID(never.Name), protocol.ActivateID(never.Name)} {
		_, err := town.Client.DescribeWorkflowExecution(within(t), id, "")
		require.ErrorContains(t, err, "not found", id)
	}
	runs, err := never.Runs(within(t))
	require.NoError(t, err)
	require.Zero(t, runs)
}

func deactivated(t *testing.T, town *notifytest.Town, shop, _ *notifytest.Shop) {
	update(t, shop, protocol.UpdateDeactivate, nil, &protocol.Status{})
	await(t, func() bool {
		described, err := town.Client.DescribeWorkflowExecution(within(t), protocol.StockSyncID(shop.Name), "")
		require.NoError(t, err)
		return described.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	}, "StockSync has to end")
	books(t, shop, 9, http.StatusUnauthorized)
	require.False(t, shop.Shows(0, 9))
}

// What docs/notifications.md tells other programs to do.
func anyOtherRelay(t *testing.T, _ *notifytest.Town, shop, _ *notifytest.Shop) {
	for i, payload := range []any{
		nil, // temporal workflow signal --workflow-id stock-sync:SHOP --name notification
		map[string]any{"itemCode": "T-0000", "quantity": 99},
		[]int{1, 2},
		[]byte{0xff, 0x00},
		strings.Repeat("ž", 200_000),
	} {
		require.NoError(t, shop.Book(0, 50+i))
		require.NoError(t, shop.Signal(within(t), payload))
		follows(t, shop, 50+i)
		counts(t, shop, int64(i+1))
	}
	await(t, func() bool { return status(t, shop).LastPass.Trigger == protocol.TriggerNotification }, "a notified pass")
}

// And the Schedule it describes, which starts no shop either.
func schedule(t *testing.T, town *notifytest.Town, shop, never *notifytest.Shop) {
	opening := func(s *notifytest.Shop) client.ScheduleHandle {
		handle, err := town.Client.ScheduleClient().Create(within(t), client.ScheduleOptions{
			ID:   "opening-" + s.Name,
			Spec: client.ScheduleSpec{CronExpressions: []string{"55 7 1 1 *"}, TimeZoneName: "Europe/Bratislava"},
			Action: &client.ScheduleWorkflowAction{
				ID: "sync-now:" + s.Name, Workflow: protocol.SyncNow, TaskQueue: "skladom",
				Args: []any{protocol.SyncNowRequest{Shop: s.Name}},
			},
		})
		require.NoError(t, err)
		return handle
	}
	handle := opening(shop)
	for quantity := 60; quantity < 62; quantity++ {
		require.NoError(t, shop.Book(0, quantity))
		require.NoError(t, handle.Trigger(within(t), client.ScheduleTriggerOptions{}))
		follows(t, shop, quantity)
		await(t, func() bool { return status(t, shop).LastPass.Trigger == protocol.TriggerManual }, "a pass by hand")
	}

	handle = opening(never)
	require.NoError(t, handle.Trigger(within(t), client.ScheduleTriggerOptions{}))
	await(t, func() bool {
		described, err := handle.Describe(within(t))
		require.NoError(t, err)
		return described.Info.NumActions == 1 && len(described.Info.RunningWorkflows) == 0
	}, "SyncNow has to end")
	_, err := town.Client.DescribeWorkflowExecution(within(t), protocol.StockSyncID(never.Name), "")
	require.ErrorContains(t, err, "not found")
}
