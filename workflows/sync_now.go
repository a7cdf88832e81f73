package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
)

// SyncNow asks a shop's StockSync for a pass and does not wait for it. It is
// for Temporal Schedules, which can start workflows but not signal them, and
// for other people's workflows. It fails where the shop is not active.
func SyncNow(ctx workflow.Context, req protocol.SyncNowRequest) error {
	return workflow.SignalExternalWorkflow(ctx, protocol.StockSyncID(req.Shop), "", protocol.SignalSyncNow, nil).Get(ctx, nil)
}
