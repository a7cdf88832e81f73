package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/protocol"
)

// Answer shows the answer of an explanation.
func Answer(e protocol.Explanation) string { return paragraph("", e.Answer+".") }

// AnswerLine is the answer as one line, however long: whoever reads it by a
// program takes the first.
func AnswerLine(e protocol.Explanation) string {
	return strings.Join(strings.Fields(Plain(e.Answer)), " ") + ".\n"
}

// Explanation shows what the answer rests on.
func Explanation(e protocol.Explanation, zone *time.Location) string {
	var out strings.Builder
	if e.Note != "" {
		out.WriteString(paragraph("  ", e.Note))
	}
	if e.Cause == protocol.CauseUnknown {
		return out.String()
	}
	for _, part := range []string{
		explainedItem(e), explainedWarehouses(e), explainedSteps(e), explainedProducts(e), explainedSales(e, zone), explainedNext(e), explainedChanges(e, zone),
	} {
		if part != "" {
			out.WriteString("\n" + part)
		}
	}
	return out.String()
}

func explainedItem(e protocol.Explanation) string {
	t := newTable(column(12), column(62))
	for _, row := range [][2]string{{"Item", e.Item}, {"Name", e.Name}, {"EAN", e.EAN}, {"Key", e.Key}, {"Outcome", e.Outcome}, {"To do", e.Cure}} {
		if row[1] != "" {
			t.AppendRow([]any{row[0], row[1]})
		}
	}
	if len(e.Also) > 0 {
		t.AppendRow([]any{"Also", strings.Join(e.Also, ", ")})
	}
	if t.Length() == 0 {
		return ""
	}
	return lines(t)
}

func explainedWarehouses(e protocol.Explanation) string {
	if len(e.Warehouses) == 0 {
		return ""
	}
	t := newTable(column(24), number(), column(30))
	t.AppendHeader([]any{"WAREHOUSE", "KROS HAS", ""})
	for _, w := range e.Warehouses {
		t.AppendRow([]any{w.Code, strings.TrimSpace(w.Quantity.String() + " " + e.Unit), lo.Ternary(w.Counted, "counts", "does not count")})
	}
	return lines(t)
}

func explainedSteps(e protocol.Explanation) string {
	if len(e.Steps) == 0 {
		return ""
	}
	t := newTable(column(12), column(48), number())
	t.AppendHeader([]any{"RULE", "", "GIVES"})
	for _, step := range e.Steps {
		t.AppendRow([]any{step.Name, step.Detail, step.Result})
	}
	return lines(t)
}

func explainedProducts(e protocol.Explanation) string {
	if len(e.Products) == 0 {
		return ""
	}
	t := newTable(column(22), cut(20), number(), number(), column(14))
	t.AppendHeader([]any{"PRODUCT", "NAME", "SHOP\nNOW", "WOULD\nBECOME", ""})
	for _, p := range e.Products {
		t.AppendRow([]any{p.ID, p.Name, shown(p.ShopNow), shown(p.WouldBecome), explainedState(p)})
	}
	return lines(t)
}

func explainedState(p protocol.ExplainedProduct) string {
	switch {
	case p.Held:
		return "held: " + shown(p.Want)
	case p.Dismissed:
		return "dismissed: " + shown(p.Want)
	case p.Approved:
		return "approved"
	case p.Left != nil:
		return "left at " + shown(p.Left)
	}
	return ""
}

func explainedSales(e protocol.Explanation, zone *time.Location) string {
	if len(e.Sales) == 0 {
		return ""
	}
	t := newTable(number(), column(26), column(26))
	t.AppendHeader([]any{"SOLD", "SEEN", "HELD BACK UNTIL"})
	for _, s := range e.Sales {
		t.AppendRow([]any{s.Quantity, moment(s.Seen, zone), moment(s.HeldUntil, zone)})
	}
	return lines(t)
}

func explainedNext(e protocol.Explanation) string {
	if e.Next == "" {
		return ""
	}
	return paragraph("  ", e.Next)
}

func explainedChanges(e protocol.Explanation, zone *time.Location) string {
	if len(e.Changes) == 0 {
		return ""
	}
	t := newTable(column(17), number(), column(15), column(36))
	t.AppendHeader([]any{"CHANGED", "PASS", "BY", "WHAT"})
	for _, c := range e.Changes {
		by := c.By
		if by == "" {
			by = Trigger(c.Trigger)
		}
		t.AppendRow([]any{c.At.In(zone).Format("2 Jan 2006 15:04"), c.Pass, by, explainedChange(c)})
	}
	return lines(t)
}

func explainedChange(c protocol.ItemChange) string {
	quantity := func(q *decimal.Decimal) string { return lo.CoalesceOrEmpty(shown(q), "0") }
	switch c.Kind {
	case protocol.ChangeSettings:
		return "setting " + c.Text
	case protocol.ChangeRefused:
		return fmt.Sprintf("%s: %s instead of %s: %s", c.Product, quantity(c.From), quantity(c.To), c.Text)
	}
	return fmt.Sprintf("%s: %s -> %s", c.Product, quantity(c.From), quantity(c.To))
}
