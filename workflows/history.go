package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
)

// History returns a page of the records of a shop's passes, whether the shop is
// active or not.
func History(ctx workflow.Context, req protocol.HistoryRequest) (protocol.HistoryPage, error) {
	return call[protocol.HistoryPage](ctx, readBounds, "history of "+req.Shop, do.ReadHistory, req)
}
