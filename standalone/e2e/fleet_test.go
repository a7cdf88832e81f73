package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

func TestTheFleetIsListedFromVisibility(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, `title = "Čajovňa U Ďura"`)
	shop := fmt.Sprintf(" AND %s = %q", protocol.SearchShop, h.shop)
	state := func(state protocol.State) string { return fmt.Sprintf(" AND %s = %q", protocol.SearchState, state) }

	listed := h.listed(shop + state(protocol.StateActive) + fmt.Sprintf(" AND %s IS NULL AND %s >= %q",
		protocol.SearchReason, protocol.SearchLastSuccess, time.Now().Add(-time.Hour).Format(time.RFC3339)))
	require.Equal(t, protocol.StockSyncID(h.shop), listed.GetExecution().GetWorkflowId())
	var title string
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(listed.GetMemo().GetFields()[protocol.MemoTitle], &title))
	require.Equal(t, "Čajovňa U Ďura", title)

	h.kros.SetToken("another")
	h.now()
	h.listed(shop + state(protocol.StateSuspended) + fmt.Sprintf(" AND %s = %q", protocol.SearchReason, protocol.KrosKeyInvalid))
	h.update(protocol.UpdatePause, &protocol.Status{}, protocol.PauseRequest{})
	h.listed(shop + state(protocol.StatePaused))
	h.update(protocol.UpdateDeactivate, &protocol.Status{})
	h.listed(shop + state(protocol.StateInactive))
}

// listed waits until visibility lists one workflow of this house by a query.
func (h *house) listed(and string) *workflow.WorkflowExecutionInfo {
	h.t.Helper()
	var found []*workflow.WorkflowExecutionInfo
	require.Eventually(h.t, func() bool {
		found = h.executions(and)
		return len(found) == 1
	}, patience, 50*time.Millisecond, and)
	return found[0]
}

func TestNoSecretIsInAnyHistoryOrLog(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, "")
	// Both sides repeat the key that they were given, as careless servers do.
	require.NoError(t, h.kros.AddFault(krossim.Fault{
		Kind: krossim.FaultStatus, Status: 403, Count: -1, Body: `{"message": "Bearer ` + krosToken + ` is not allowed"}`,
	}))
	require.NoError(t, h.fynode.AddFault(fynodesim.Fault{
		Kind: fynodesim.FaultStatus, Status: 403, Count: -1, Body: `{"detail": "Bearer ` + shopToken + ` is not allowed"}`,
	}))
	for range 2 {
		require.NotNil(t, h.now().Failure)
		require.NotNil(t, h.activate(false).Failure)
		h.dryRun()
	}
	h.kros.ClearFaults()
	for range 2 {
		require.NotNil(t, h.now().Failure)
		require.NotNil(t, h.activate(false).Failure)
	}
	h.fynode.ClearFaults()
	h.now()
	h.inspect(protocol.InspectRequest{Shop: h.shop, Kind: protocol.InspectPlan}, func(row json.RawMessage) { h.secretsKept("the archive", string(row)) })
	require.NoError(t, h.execute("sync-now:"+h.shop, protocol.SyncNow, protocol.SyncNowRequest{Shop: h.shop}, nil))

	for _, workflow := range []string{protocol.ActivateConnection, protocol.StockSync, protocol.SyncPass, protocol.Inspect, protocol.SyncNow} {
		require.Eventually(t, func() bool { return len(h.executions(fmt.Sprintf(" AND WorkflowType = %q", workflow))) > 0 }, patience, 50*time.Millisecond, workflow)
	}
	h.keepsSecrets()
	require.NotEmpty(t, h.logs.String())
}
