package render

import (
	"fmt"
	"strings"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Plan shows the plan of a dry run: its rows, and in numbers what they come to.
// total is how many rows there are; where not all are given, only those of
// products are shown, and how to see the others is told.
func Plan(r protocol.Report, rows []protocol.PlanRow, total int) string {
	if total == 0 {
		return ""
	}
	whole := len(rows) == total
	t := newTable(column(11), cut(12), column(10), number(), number(), column(19))
	t.AppendHeader([]any{"ITEM", "NAME", "WAREHOUSES", "SHOP\nNOW", "WOULD\nBECOME", "WHY"})
	for _, row := range rows {
		if whole || row.Product != "" {
			t.AppendRow([]any{row.Item, row.Name, stacked(warehouseTexts(row.Warehouses)), shown(row.ShopNow), shown(row.WouldBecome), row.Why})
		}
	}
	var out strings.Builder
	if t.Length() > 0 {
		out.WriteString("\n" + lines(t))
	}
	out.WriteString("\n" + paragraph("  ", planTotals(r)))
	if t.Length() < total {
		out.WriteString(paragraph("  ", fmt.Sprintf("Shown are %s of %s. All, with the items that would not be written and why: skladom sync %s --dry-run --csv",
			Count(t.Length()), Of(total, "row"), r.Shop)))
	}
	return out.String()
}

// Warehouses shows the quantities of an item as KROS gave them: LT 3; PR 7.
func Warehouses(rows []stock.Row) string { return strings.Join(warehouseTexts(rows), "; ") }

func warehouseTexts(rows []stock.Row) []string {
	return lo.Map(rows, func(row stock.Row, _ int) string {
		return strings.TrimSpace(strings.TrimSpace(row.Warehouse) + " " + row.Quantity.String())
	})
}

func shown(quantity *decimal.Decimal) string {
	if quantity == nil {
		return ""
	}
	return quantity.String()
}

func planTotals(r protocol.Report) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s would change", Of(r.Raised+r.Lowered, "product"))
	if r.Raised+r.Lowered > 0 {
		fmt.Fprintf(&out, ": %s up, %s down", Count(r.Raised), Count(r.Lowered))
	}
	if r.Zeroed > 0 {
		fmt.Fprintf(&out, " (%s to 0)", Count(r.Zeroed))
	}
	out.WriteString(".")
	for _, rest := range []struct {
		count int
		what  string
	}{
		{r.Held, lo.Ternary(r.Result == protocol.ResultOK, "would be kept as dismissed", "would be held for approval")},
		{r.Unmatched + r.Ambiguous + r.Skipped + r.Rejected, "would not be written"},
		{r.Missing, "KROS does not show any more"},
	} {
		if rest.count > 0 {
			fmt.Fprintf(&out, " %s %s.", Of(rest.count, "item"), rest.what)
		}
	}
	return out.String()
}
