package activities

import (
	"context"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// readHeld returns one page of the products that wait for a person, and in
// numbers what all of them come to.
func (a *Activities) readHeld(ctx context.Context, req protocol.InspectRequest) (protocol.InspectPage, error) {
	plan, err := a.plan(ctx, req.Ref)
	if err != nil {
		return protocol.InspectPage{}, err
	}
	rows := lo.FlatMap(plan.HeldLines(), heldRows)
	page, err := pageOf(req, len(rows), func(i int) any { return rows[i] })
	page.Counts = lo.ToPtr(plan.HeldCounts())
	return page, err
}

func heldRows(line stock.Line, _ int) []protocol.HeldRow {
	return lo.Map(line.Entries, func(e stock.Entry, _ int) protocol.HeldRow {
		return protocol.HeldRow{
			Item: line.Item, Name: lo.CoalesceOrEmpty(line.Name, e.Name), Product: e.Product, ProductName: e.Name,
			Has: e.From, Wants: lo.FromPtr(e.Want), Kros: e.Kros,
		}
	})
}
