package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
)

// Worklist lists what of a shop waits for a person to put it right, whether the
// shop is active or not. Its rows lie in the archive.
func Worklist(ctx workflow.Context, req protocol.WorklistRequest) (protocol.WorklistMade, error) {
	known, err := call[protocol.Recollection](ctx, readBounds, "memory of "+req.Shop, do.RecallMemory, req.Shop)
	if err != nil {
		return protocol.WorklistMade{}, err
	}
	request := protocol.MakeWorklistRequest{Shop: req.Shop, ShopID: known.ShopID, Ledger: known.Memory.Ledger}
	if known.Hold != nil && known.Hold.Code == protocol.CatalogueChanged {
		// The newest catalogue is the one that nobody believes yet.
		request.Catalogue = known.Memory.Baseline
	}
	return call[protocol.WorklistMade](ctx, matchBounds, "e-shop: list all products", do.MakeWorklist, request)
}
