package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Decision is what a person can say to what is held. Its value is the command.
type Decision string

// The decisions.
const (
	Approve Decision = "approve"
	Dismiss Decision = "dismiss"
)

// Hold shows what waits for a person and why. whole counts all of its products,
// of which rows are the first.
func Hold(shop string, h protocol.Hold, rows []protocol.HeldRow, whole stock.Counts, zone *time.Location) string {
	var out strings.Builder
	out.WriteString(paragraph("", fmt.Sprintf("%s: held since %s, shown as pass %d found it.", shop, moment(h.Since, zone), h.Pass)))
	out.WriteString(paragraph("  ", lo.FromPtr(h.Why).Message))
	if whole.Products == 0 {
		return out.String() + "\n" + paragraph("  ", "No product would change: they all keep what they have, whatever you answer.")
	}
	t := newTable(column(14), cut(23), column(13), right(9), right(9))
	t.AppendHeader([]any{"ITEM", "NAME", "PRODUCT", "HAS", "WOULD GET"})
	for _, r := range rows {
		t.AppendRow([]any{r.Item, r.Name, r.Product, r.Has, r.Wants})
	}
	out.WriteString("\n" + lines(t))
	if rest := whole.Products - len(rows); rest > 0 {
		out.WriteString(paragraph("  ", fmt.Sprintf("and %s more; all of them: skladom approve %s --json", Count(rest), shop)))
	}
	return out.String() + "\n" + paragraph("  ", heldTotals(whole))
}

func heldTotals(whole stock.Counts) string {
	var parts []string
	if whole.Raised > 0 {
		parts = append(parts, Count(whole.Raised)+" would rise")
	}
	if whole.Lowered > 0 {
		text := Count(whole.Lowered) + " would fall"
		switch whole.Zeroed {
		case 0:
		case whole.Lowered:
			text += " to 0"
		default:
			text += ", " + Count(whole.Zeroed) + " of them to 0"
		}
		parts = append(parts, text)
	}
	return fmt.Sprintf("%s held: %s.", lo.Ternary(whole.Products == 1, "1 product is", Count(whole.Products)+" products are"), strings.Join(parts, ", "))
}

// Consequence says what an answer would do.
func Consequence(shop string, answer Decision, h protocol.Hold, whole stock.Counts) string {
	if answer == Dismiss {
		return paragraph("  ", fmt.Sprintf("If you dismiss it, they keep what they have until KROS gives them another quantity than now. If KROS is right: skladom approve %s", shop))
	}
	var yes []string
	if whole.Products > 0 {
		yes = append(yes, "they get what KROS gives them (one for which KROS has changed meanwhile is left out)")
	}
	no := "mend it there, or keep the products as they are: skladom dismiss " + shop
	if h.Code == protocol.CatalogueChanged {
		yes = append(yes, fmt.Sprintf("from now on KROS's catalogue of %s is the one that later passes are compared with", Of(h.Items, "item")))
		no = "mend it there: passes write nothing until it is right."
	}
	return paragraph("  ", fmt.Sprintf("If you approve it, %s.", strings.Join(yes, ", and "))) + paragraph("  ", fmt.Sprintf("If KROS is not right, %s", no))
}

// Question asks for an answer.
func Question(answer Decision, whole stock.Counts) string {
	switch {
	case answer == Dismiss:
		return fmt.Sprintf("Keep %s as they are?", these(whole))
	case whole.Products == 0:
		return "Approve this catalogue?"
	}
	return fmt.Sprintf("Write %s?", these(whole))
}

func these(whole stock.Counts) string {
	if whole.Products == 1 {
		return "this product"
	}
	return fmt.Sprintf("these %s products", Count(whole.Products))
}

// InScript says how to answer where nobody can be asked.
func InScript(shop string, answer Decision, h protocol.Hold) string {
	return paragraph("  ", fmt.Sprintf("Nobody can be asked here, so nothing was answered. To %s exactly this: skladom %s %s --plan %s", answer, answer, shop, h.Hash))
}

// Unanswered ends what is shown of shops of which something is held.
func Unanswered(shops []string) string {
	if len(shops) == 1 {
		return paragraph("", fmt.Sprintf("%s waits for you. To see what is held, and to answer: skladom approve %s", shops[0], shops[0]))
	}
	named := shops[:min(len(shops), maxWaiting)]
	return paragraph("", fmt.Sprintf("%s shops wait for an answer: %s. To see what is held, and to answer: skladom approve SHOP",
		Count(len(shops)), strings.Join(named, ", ")+lo.Ternary(len(shops) > maxWaiting, " and others", "")))
}

// maxWaiting is how many shops are named that wait.
const maxWaiting = 5
