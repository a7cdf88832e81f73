package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// shownRestored is how many of the products that go back are shown; those that
// do not are shown one and all.
const shownRestored = 20

// RollbackPlan shows what a rollback would do. of is the report of the pass that
// it undoes.
func RollbackPlan(of protocol.Report, rows []stock.Restoration, zone *time.Location) string {
	var out strings.Builder
	out.WriteString(paragraph("", fmt.Sprintf("%s: undo pass %d of %s%s.", of.Shop, of.Pass, moment(of.StartedAt, zone), brackets(Trigger(of.Trigger)))))
	back := outcome(rows, stock.Restored)
	switch len(back) {
	case 0:
		out.WriteString("\n" + paragraph("  ", "No product goes back to what it had."))
	default:
		out.WriteString("\n" + paragraph("  ", Of(len(back), "product")+lo.Ternary(len(back) == 1, " goes", " go")+" back to what the shop had before it") + "\n" + restored(back))
	}
	return out.String() + left(rows)
}

// RolledBack shows what a rollback did.
func RolledBack(shop string, r protocol.RollbackResult, rows []stock.Restoration) string {
	var out strings.Builder
	back := len(outcome(rows, stock.Restored))
	out.WriteString(paragraph("", fmt.Sprintf("%s: %s again what the shop had before pass %d.", shop, lo.Ternary(back == 1, "1 product has", Count(back)+" products have"), r.Undo)))
	if r.Failure != nil {
		out.WriteString(paragraph("  ", r.Failure.Message) + paragraph("  ", r.Failure.Hint))
	}
	out.WriteString(left(rows))
	if r.State == protocol.StatePaused {
		out.WriteString("\n" + paragraph("", fmt.Sprintf("%s is paused, or the next pass would write again what was undone. Mend what was wrong, look at what a pass would do (skladom sync %s --dry-run), then go on: skladom resume %s", shop, shop, shop)))
	}
	return out.String()
}

// left lists the products that do not go back.
func left(rows []stock.Restoration) string {
	var out strings.Builder
	for _, group := range []struct {
		outcome stock.RestoredAs
		one     string
		many    string
	}{
		{stock.ChangedSince, "1 product is left as it is, since it was changed after the pass", "%s products are left as they are, since they were changed after the pass"},
		{stock.NotRestored, "1 product could not be written", "%s products could not be written"},
	} {
		list := outcome(rows, group.outcome)
		if len(list) == 0 {
			continue
		}
		heading := group.one
		if len(list) > 1 {
			heading = fmt.Sprintf(group.many, Count(len(list)))
		}
		t := newTable(column(12), column(12), right(9), right(9), column(28))
		t.AppendHeader([]any{"ITEM", "PRODUCT", "HAS", "HAD", "WHY"})
		for _, r := range list {
			t.AppendRow([]any{r.Item, r.Product, shown(r.From), shown(r.To), r.Reason})
		}
		out.WriteString("\n" + paragraph("  ", heading) + "\n" + lines(t))
	}
	if same := len(outcome(rows, stock.AsBefore)); same > 0 {
		out.WriteString("\n" + paragraph("  ", lo.Ternary(same == 1, "1 product has", Count(same)+" products have")+" again what the shop had before it"))
	}
	return out.String()
}

func restored(rows []stock.Restoration) string {
	t := newTable(column(14), cut(23), column(13), right(10), right(10))
	t.AppendHeader([]any{"ITEM", "NAME", "PRODUCT", "HAS", "GETS"})
	for _, r := range lo.Slice(rows, 0, shownRestored) {
		t.AppendRow([]any{r.Item, r.Name, r.Product, shown(r.From), shown(r.To)})
	}
	out := lines(t)
	if rest := len(rows) - shownRestored; rest > 0 {
		out += paragraph("  ", fmt.Sprintf("... and %s more", Count(rest)))
	}
	return out
}

func outcome(rows []stock.Restoration, outcome stock.RestoredAs) []stock.Restoration {
	return lo.Filter(rows, func(r stock.Restoration, _ int) bool { return r.Outcome == outcome })
}

func brackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// undone are the counts of a rollback, which are those of products.
func undone(r protocol.Report) string {
	t := newTable(number(), column(12), column(54))
	for _, row := range []struct {
		count   int
		what    string
		meaning string
	}{
		{r.Updated, "restored", changes(r)},
		{r.Unchanged, "unchanged", "had again what the shop had before"},
		{r.Held + r.Unmatched, "left", "changed since, and left as they are"},
		{r.Rejected, "rejected", "changed meanwhile, or not taken by the e-shop"},
	} {
		if row.count > 0 {
			t.AppendRow([]any{Count(row.count), row.what, row.meaning})
		}
	}
	return paragraph("  ", Of(r.KrosItems, "product")+" of the pass that was undone") + lines(t)
}
