package render

import (
	"fmt"

	"github.com/samber/lo"

	"github.com/skladom/skladom/stock"
)

// Changes shows the products that the lines of a plan change. total is how
// many products the whole plan changes.
func Changes(plan []stock.Line, total int) string {
	t := newTable(column(14), cut(23), column(13), right(10), right(10))
	t.AppendHeader([]any{"ITEM", "NAME", "PRODUCT", "HAS", "GETS"})
	for _, line := range plan {
		for _, e := range line.Entries {
			if !e.From.Equal(e.To) {
				t.AppendRow([]any{line.Item, lo.CoalesceOrEmpty(e.Name, line.Name), e.Product, e.From, e.To})
			}
		}
	}
	if t.Length() == 0 {
		return ""
	}
	out := lines(t)
	if rest := total - t.Length(); rest > 0 {
		out += paragraph("  ", fmt.Sprintf("... and %s more", Count(rest)))
	}
	return out
}
