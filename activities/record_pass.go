package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
)

// RecordPass keeps what a pass did and by which settings, for history, explain
// and rollback. A repeat replaces the record with itself: its name has nothing
// of the attempt.
func (a *Activities) RecordPass(ctx context.Context, req protocol.RecordRequest) error {
	if req.SamplesOfPlan {
		plan, err := a.plan(ctx, req.Record.Plan)
		if err != nil && !forgotten(err) {
			return failed(ctx, req.Shop, err)
		}
		req.Record.Report.Samples = plan.Samples()
	}
	name := snapshot.Name{Shop: req.Shop, Pass: req.Pass, Kind: snapshot.Pass, At: req.Record.Report.StartedAt, Unique: "record"}
	if _, err := snapshot.Write(ctx, a.archive, name, slices.Values([]protocol.PassRecord{req.Record})); err != nil {
		return failed(ctx, req.Shop, fmt.Errorf("archive the record of pass %d of %q: %w", req.Pass, req.Shop, err))
	}
	return nil
}
