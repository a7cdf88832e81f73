package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
)

// Inspect returns a page of a shop's archive, for programs that reach Temporal
// but not the archive.
func Inspect(ctx workflow.Context, req protocol.InspectRequest) (protocol.InspectPage, error) {
	return call[protocol.InspectPage](ctx, readBounds, req.Kind+" of "+req.Shop, do.ReadArchive, req)
}
