package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/samber/lo"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// shownNames is how many items, or products, of one row are shown.
const shownNames = 10

// Worklist shows what waits for a person, by kind and reason, at most limit
// rows of each; 0: all.
func Worklist(shop string, made protocol.WorklistMade, rows []stock.WorkRow, limit int, zone *time.Location) string {
	seen := fmt.Sprintf("KROS as it was read %s (%s), the e-shop as it is now (%s).",
		moment(made.KrosReadAt, zone), Of(made.Items, "item"), Of(made.Products, "product"))
	if len(rows) == 0 {
		return paragraph("", shop+": nothing to put right.") + paragraph("  ", seen)
	}
	var out strings.Builder
	out.WriteString(paragraph("", fmt.Sprintf("%s: %s to put right.", shop, Count(len(rows)))))
	out.WriteString(paragraph("  ", seen))
	for _, kind := range stock.WorkKinds {
		out.WriteString(workKind(rowsOf(rows, kind), kind, made.Match, limit))
	}
	out.WriteString("\n" + paragraph("", "\"Did you mean\" is a guess; nothing is written by it. All rows for a spreadsheet: skladom unmatched "+shop+" --csv"))
	return out.String()
}

func rowsOf(rows []stock.WorkRow, kind stock.WorkKind) []stock.WorkRow {
	return lo.Filter(rows, func(row stock.WorkRow, _ int) bool { return row.Kind == kind })
}

var workTitles = map[stock.WorkKind]string{
	stock.WorkLost:      "WAS IN STEP AND IS NOT ANY MORE",
	stock.WorkNoProduct: "ITEMS OF KROS WITHOUT A PRODUCT",
	stock.WorkNoItem:    "PRODUCTS OF THE E-SHOP WITHOUT AN ITEM",
	stock.WorkAmbiguous: "ONE KEY OF SEVERAL",
}

func workKind(rows []stock.WorkRow, kind stock.WorkKind, match stock.Match, limit int) string {
	if len(rows) == 0 {
		return ""
	}
	var out strings.Builder
	out.WriteString("\n" + paragraph("", fmt.Sprintf("%s: %s", workTitles[kind], Count(len(rows)))))
	for len(rows) > 0 {
		end := slices.IndexFunc(rows, func(row stock.WorkRow) bool { return row.ReasonCode != rows[0].ReasonCode })
		if end < 0 {
			end = len(rows)
		}
		out.WriteString("\n" + workReason(rows[:end], match, limit))
		rows = rows[end:]
	}
	return out.String()
}

func workReason(rows []stock.WorkRow, match stock.Match, limit int) string {
	shown := rows
	if limit > 0 {
		shown = rows[:min(len(rows), limit)]
	}
	var t table.Writer
	switch rows[0].Kind {
	case stock.WorkNoProduct:
		t = newTable(column(14), cut(22), right(8), column(26))
		t.AppendHeader([]any{"ITEM", "NAME", "IN KROS", "DID YOU MEAN"})
		for _, row := range shown {
			item := lo.FirstOrEmpty(row.Items)
			appendLines(t, []string{calledItem(item)}, []string{item.Name}, []string{item.Quantity.String()}, hints(row))
		}
	case stock.WorkNoItem:
		t = newTable(column(14), cut(22), right(8), column(26))
		t.AppendHeader([]any{"PRODUCT", "NAME", "IN SHOP", "DID YOU MEAN"})
		for _, row := range shown {
			product := lo.FirstOrEmpty(row.Products)
			appendLines(t, []string{calledProduct(product)}, []string{product.Name}, []string{product.Quantity.String()}, hints(row))
		}
	case stock.WorkLost:
		t = newTable(column(23), column(24), column(25))
		t.AppendHeader([]any{"ITEM", "WAS IN STEP WITH", "DID YOU MEAN"})
		for _, row := range shown {
			appendLines(t, some(row.Items, namedItem), some(row.Products, namedProduct), hints(row))
		}
	default:
		t = newTable(column(37), column(37))
		t.AppendHeader([]any{"ITEMS", "PRODUCTS"})
		for i, row := range shown {
			if i > 0 {
				t.AppendRow([]any{"", ""}) // else nobody sees which names belong together
			}
			appendLines(t, some(row.Items, namedItem), some(row.Products, namedProduct))
		}
	}
	out := paragraph("  ", fmt.Sprintf("%s: %s", message.WorkTitle(rows[0], match), Count(len(rows))))
	if cure := rows[0].Cure; cure != "" {
		out += paragraph("  ", cure)
	}
	out += lines(t)
	if rest := len(rows) - len(shown); rest > 0 {
		out += paragraph("  ", fmt.Sprintf("... and %s more", Count(rest)))
	}
	return out
}

// appendLines appends a row whose cells have several entries, each on a line of
// its own: inside a cell they would run together.
func appendLines(t table.Writer, cells ...[]string) {
	for i := range lo.Max(lo.Map(cells, func(cell []string, _ int) int { return len(cell) })) {
		t.AppendRow(lo.Map(cells, func(cell []string, _ int) any { return lo.NthOrEmpty(cell, i) }))
	}
}

// Hint shows what a row may belong to, and why.
func Hint(h stock.Hint) string {
	called, name := "", ""
	switch {
	case h.Item != nil:
		called, name = calledItem(*h.Item), h.Item.Name
	case h.Product != nil:
		called, name = calledProduct(*h.Product), h.Product.Name
	}
	if slices.Contains(h.Why, stock.WhyName) {
		name = "" // the row has it already
	}
	return fmt.Sprintf("%s (%s)", strings.TrimSpace(called+" "+name), h.Text)
}

func hints(row stock.WorkRow) []string {
	return lo.Map(row.Hints, func(h stock.Hint, _ int) string { return Hint(h) })
}

func namedItem(i stock.WorkItem) string { return strings.TrimSpace(calledItem(i) + " " + i.Name) }

func namedProduct(p stock.WorkProduct) string {
	name := strings.TrimSpace(calledProduct(p) + " " + p.Name)
	return lo.Ternary(p.Gone, name+" (not in the e-shop any more)", name)
}

// calledItem is what people know an item by.
func calledItem(i stock.WorkItem) string { return lo.CoalesceOrEmpty(i.Code, i.EAN) }

// calledProduct is what people know a product by.
func calledProduct(p stock.WorkProduct) string { return lo.CoalesceOrEmpty(p.Number, p.EAN, p.ID) }

// some are the first names of a list, and how many there are beside them.
func some[T any](list []T, of func(T) string) []string {
	names := lo.Map(list[:min(len(list), shownNames)], func(one T, _ int) string { return of(one) })
	if rest := len(list) - len(names); rest > 0 {
		names = append(names, fmt.Sprintf("... and %s more", Count(rest)))
	}
	return names
}
