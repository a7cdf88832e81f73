package render

import (
	"fmt"
	"strings"

	"github.com/samber/lo"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Findings shows what an activation saw before anything is written: which
// warehouses count, how many items match by either key, what would change, and
// what KROS cannot know.
func Findings(shop string, f protocol.Findings) string {
	var out strings.Builder
	out.WriteString(paragraph("", fmt.Sprintf("%s: KROS and the e-shop %q both answer. Nothing was written yet.", shop, f.ShopName)))
	out.WriteString("\n" + warehouses(f))
	out.WriteString("\n" + matches(f))
	if advice := OtherKey(f); advice != "" {
		out.WriteString("\n" + paragraph("  ", advice))
	}
	if f.Holding != nil {
		out.WriteString("\n" + paragraph("  ", f.Holding.Message))
	}
	out.WriteString("\n" + paragraph("  ", message.OrdersNotBooked))
	return out.String()
}

// OtherKey advises the key that was not chosen where it matches far more items
// than the chosen one, else it is empty.
func OtherKey(f protocol.Findings) string {
	if f.MatchedByOther <= 2*f.Matched {
		return ""
	}
	return fmt.Sprintf("By %s %s of %s, by %s %s: set match = %q.",
		key(f.Match), Count(f.Matched), Count(f.KrosItems), key(f.Match.Other()), Count(f.MatchedByOther), f.Match.Other())
}

func warehouses(f protocol.Findings) string {
	t := newTable(column(24), number(), column(40))
	t.AppendHeader([]any{"WAREHOUSE", "ITEMS", ""})
	for _, w := range f.Warehouses {
		t.AppendRow([]any{w.Code, Count(w.Items), lo.Ternary(w.Counted, "counts", "does not count")})
	}
	return lines(t) + paragraph("  ", "Of several warehouses that count: "+combined[f.Quantity]+".")
}

var combined = map[stock.Combine]string{
	stock.Max: "max, the largest single warehouse, not added up",
	stock.Sum: "sum, all added up",
}

func matches(f protocol.Findings) string {
	t := newTable(number(), column(64))
	row := func(n int, what string) { t.AppendRow([]any{Count(n), what}) }
	row(f.KrosItems, "items in KROS")
	row(f.Matched, "have a product by "+key(f.Match))
	row(f.MatchedByOther, "would have one by "+key(f.Match.Other()))
	for _, rest := range []struct {
		count int
		what  string
	}{
		{f.Unmatched, "without a product in the e-shop"},
		{f.Ambiguous, "ambiguous: several items or too many products share one key"},
		{f.Skipped, "skipped: no stock item, no usable key or product without stock"},
	} {
		if rest.count > 0 {
			row(rest.count, rest.what)
		}
	}
	t.AppendRow([]any{""})
	row(f.Products, "products would be kept in step"+shopProducts(f))
	row(f.Raised, "of them would rise")
	row(f.Lowered, "would fall")
	row(f.Zeroed, "of those to 0")
	if f.Held > 0 {
		row(f.Held, "would be held: they keep what they have until you approve")
	}
	return lines(t)
}

func shopProducts(f protocol.Findings) string {
	if f.ShopProducts == 0 {
		return ""
	}
	return ", of " + Count(f.ShopProducts) + " in the e-shop"
}

func key(m stock.Match) string {
	if m == stock.ByEAN {
		return "EAN"
	}
	return "number"
}
