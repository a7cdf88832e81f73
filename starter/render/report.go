package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Report shows what a pass did, or would do.
func Report(r protocol.Report, zone *time.Location) string {
	var out strings.Builder
	out.WriteString(paragraph("", heading(r, zone)))
	if r.Failure != nil {
		out.WriteString(paragraph("  ", r.Failure.Message))
		out.WriteString(paragraph("  ", r.Failure.Hint))
	}
	if r.KrosItems > 0 {
		out.WriteString("\n" + lo.Ternary(r.Trigger == protocol.TriggerRollback, undone, outcomes)(r))
	}
	for _, warning := range r.Warnings {
		out.WriteString("\n" + paragraph("  ", "Note: "+warning))
	}
	if examples := samples(r.Samples); examples != "" {
		out.WriteString("\n" + examples)
	}
	return out.String()
}

func heading(r protocol.Report, zone *time.Location) string {
	name := fmt.Sprintf("pass %d", r.Pass)
	if r.DryRun {
		name = "dry run"
	}
	return fmt.Sprintf("%s: %s of %s (%s) %s.", r.Shop, name, moment(r.StartedAt, zone), Trigger(r.Trigger), ending(r))
}

// Trigger says in a few words what a pass was begun by.
func Trigger(t protocol.Trigger) string { return triggers[t] }

var triggers = map[protocol.Trigger]string{
	protocol.TriggerActivation:   "activation",
	protocol.TriggerSchedule:     "on schedule",
	protocol.TriggerNotification: "KROS notified",
	protocol.TriggerManual:       "by hand",
	protocol.TriggerApproval:     "approved",
	protocol.TriggerRollback:     "rollback",
}

func ending(r protocol.Report) string {
	took := r.FinishedAt.Sub(r.StartedAt).Round(time.Second)
	took = max(took, time.Second)
	switch {
	case r.Result == protocol.ResultFailed:
		return "failed"
	case r.DryRun:
		return fmt.Sprintf("took %s, nothing was written", took)
	case r.Result == protocol.ResultHeld && r.Held > 0:
		return fmt.Sprintf("took %s, %s held for approval", took, lo.Ternary(r.Held == 1, "1 item is", Count(r.Held)+" items are"))
	case r.Result == protocol.ResultHeld:
		return fmt.Sprintf("took %s, held for approval", took)
	}
	return fmt.Sprintf("took %s", took)
}

func outcomes(r protocol.Report) string {
	t := newTable(number(), column(12), column(54))
	for _, row := range []struct {
		count    int
		outcome  stock.Outcome
		meaning  string
		required bool
	}{
		{r.Updated, stock.Updated, changes(r), true},
		{r.Unchanged, stock.Unchanged, "the e-shop shows the right quantity already", true},
		{r.Unmatched, stock.Unmatched, "no product in the e-shop has this key", false},
		{r.Ambiguous, stock.Ambiguous, "several items or too many products share one key", false},
		{r.Skipped, stock.Skipped, "no stock item, no usable key or product without stock", false},
		{r.Rejected, stock.Rejected, "the e-shop did not take the quantity", false},
		{r.Held, stock.Held, heldMeaning(r), false},
		{r.Missing, "missing", "seen in KROS last time, not now", false},
	} {
		if row.count > 0 || row.required {
			t.AppendRow([]any{Count(row.count), row.outcome, row.meaning})
		}
	}
	return paragraph("  ", Of(r.KrosItems, "item")+" in KROS") + lines(t)
}

// heldMeaning tells what waits for a person from what was dismissed by one.
func heldMeaning(r protocol.Report) string {
	if r.Result == protocol.ResultOK {
		return "kept as they are, since they were dismissed"
	}
	return "kept as they are until a person approves"
}

// changes counts products, where the outcomes count items.
func changes(r protocol.Report) string {
	if r.Raised+r.Lowered == 0 {
		return ""
	}
	text := fmt.Sprintf("products: %s up, %s down", Count(r.Raised), Count(r.Lowered))
	if r.Zeroed > 0 {
		text += fmt.Sprintf(" (%s to 0)", Count(r.Zeroed))
	}
	return text
}

// sampled is the order in which examples are shown: what needs a person first.
var sampled = []string{
	string(stock.Held), string(stock.Rejected), string(stock.Ambiguous), string(stock.Unmatched), string(stock.Skipped), "missing",
}

func samples(all stock.Samples) string {
	t := newTable(column(9), column(15), column(23), column(23))
	t.AppendHeader([]any{"EXAMPLE", "ITEM", "NAME", "WHY"})
	for _, outcome := range sampled {
		for _, s := range all[outcome] {
			t.AppendRow([]any{outcome, s.Item, s.Name, lo.CoalesceOrEmpty(s.Reason, s.ReasonCode)})
		}
	}
	if t.Length() == 0 {
		return ""
	}
	return lines(t)
}
