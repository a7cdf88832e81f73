package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// readRows returns one page of what people are shown of a plan. The whole plan
// stays in the archive: of 100,000 items in step not one has to travel.
func (a *Activities) readRows(ctx context.Context, req protocol.InspectRequest) (protocol.InspectPage, error) {
	plan, err := a.plan(ctx, req.Ref)
	if err != nil {
		return protocol.InspectPage{}, err
	}
	items, err := a.items(ctx, req.Catalogue)
	if err != nil {
		return protocol.InspectPage{}, err
	}
	differences, now, zone := plan.Differences(items), a.now(), a.zone(req.Shop)
	return pageOf(req, len(differences), func(i int) any { return planRow(differences[i], now, zone) })
}

// pageOf is what fits into a page of the total rows from the offset on.
func pageOf(req protocol.InspectRequest, total int, row func(i int) any) (protocol.InspectPage, error) {
	page, size := protocol.InspectPage{Ref: req.Ref, Total: total}, 0
	for i := max(req.Offset, 0); i < total; i++ {
		text, err := json.Marshal(row(i))
		if err != nil {
			return protocol.InspectPage{}, fmt.Errorf("row %d of plan %s: %w", i, req.Ref.Key, err)
		}
		size += len(text) + 1 // and the comma
		if len(page.Rows) == pageRows(req) || len(page.Rows) > 0 && size > protocol.MaxInspectBytes {
			page.Next = i
			break
		}
		page.Rows = append(page.Rows, text)
	}
	return page, nil
}

func planRow(d stock.Difference, now time.Time, zone *time.Location) protocol.PlanRow {
	row := protocol.PlanRow{
		Item: d.Line.Item, Name: d.Line.Name, Warehouses: rowsOf(d.Item),
		Outcome: lo.Ternary(d.Line.Missing, "missing", string(d.Line.Outcome)), ReasonCode: d.Line.ReasonCode,
		Why: message.Why(d, now, zone),
	}
	if e := d.Entry; e != nil {
		row.Product, row.Name = e.Product, lo.CoalesceOrEmpty(d.Line.Name, e.Name)
		row.Kros, row.ShopNow, row.WouldBecome = pointer(e.Kros), pointer(e.From), pointer(e.To)
	}
	return row
}

func pointer(d decimal.Decimal) *decimal.Decimal { return &d }

// rowsOf is never nil, which JSON would show as null.
func rowsOf(item stock.Item) []stock.Row {
	if item.Rows == nil {
		return []stock.Row{}
	}
	return item.Rows
}

// zone is the shop's time zone; where its settings are not at hand, UTC.
func (a *Activities) zone(shop string) *time.Location {
	s, err := a.shops.Shop(shop)
	if err != nil {
		return time.UTC
	}
	zone, err := time.LoadLocation(s.Settings.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}
