package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// PastPass is a pass of the history. Settings are those that differ from the
// pass before, as far as the history tells.
type PastPass struct {
	protocol.Report
	By              string                   `json:"by"`
	Undoes          int64                    `json:"undoes,omitempty"` // the pass that this rollback undid
	SettingsChanged []protocol.SettingChange `json:"settingsChanged"`
}

// History shows passes, one a row, in the order in which they come.
func History(shop string, passes []PastPass, zone *time.Location) string {
	if len(passes) == 0 {
		return paragraph("", "The archive tells of no pass of "+shop+".")
	}
	t := newTable(column(6), column(12), column(6), column(12), column(17), column(15))
	t.AppendHeader([]any{"PASS", "BEGAN", "TOOK", "BY", "RESULT", "CHANGED"})
	for _, p := range passes {
		t.AppendRow([]any{p.Pass, p.StartedAt.In(zone).Format("2 Jan 15:04"), took(p.Report), begunBy(p), result(p), changed(p)})
	}
	return paragraph("", fmt.Sprintf("Passes of %s, times of %s:", shop, zone)) + "\n" + lines(t)
}

// Unreported tells a pass of which the archive has nothing but what it wrote.
func Unreported(r protocol.Report) bool { return r.Result == "" }

func took(r protocol.Report) string {
	if Unreported(r) {
		return ""
	}
	return max(r.FinishedAt.Sub(r.StartedAt).Round(time.Second), time.Second).String()
}

func begunBy(p PastPass) string {
	what := Trigger(p.Trigger)
	if p.By == "" {
		return what
	}
	return strings.TrimSpace(what + ", " + p.By)
}

func result(p PastPass) string {
	switch {
	case Unreported(p.Report):
		return "no report"
	case p.Failure != nil:
		return fmt.Sprintf("%s %s", p.Result, p.Failure.Code)
	case p.Undoes != 0:
		return fmt.Sprintf("%s undid pass %d", p.Result, p.Undoes)
	}
	return string(p.Result)
}

// changed says in one cell what became of the products, and which settings
// were other ones than before.
func changed(p PastPass) string {
	var parts []string
	for _, c := range []struct {
		count int
		what  string
	}{{p.Raised, "up"}, {p.Lowered, "down"}, {p.Zeroed, "to 0"}, {p.Held, "held"}} {
		if c.count > 0 {
			parts = append(parts, Count(c.count)+" "+c.what)
		}
	}
	if len(p.SettingsChanged) > 0 {
		names := lo.Map(p.SettingsChanged, func(c protocol.SettingChange, _ int) string { return c.Setting })
		parts = append(parts, "settings: "+strings.Join(names, ", "))
	}
	return strings.Join(parts, ", ")
}

// Pass shows one pass of the history with every change that it made. before is
// the pass that its settings are compared with, 0 where there is none.
func Pass(p PastPass, before int64, changes []stock.Change, zone *time.Location) string {
	var out strings.Builder
	if Unreported(p.Report) {
		out.WriteString(paragraph("", fmt.Sprintf("%s: pass %d wrote at %s and left no report: it was ended by force, or ran before reports were kept.", p.Shop, p.Pass, moment(p.StartedAt, zone))))
	} else {
		out.WriteString(Report(p.Report, zone))
	}
	if p.Undoes != 0 {
		out.WriteString("\n" + paragraph("  ", fmt.Sprintf("It undid pass %d.", p.Undoes)))
	}
	if p.By != "" {
		out.WriteString("\n" + paragraph("  ", "Asked for by "+p.By+"."))
	}
	if len(p.SettingsChanged) > 0 {
		out.WriteString("\n" + settingsChanged(p.SettingsChanged, before))
	}
	if len(changes) == 0 {
		return out.String() + "\n" + paragraph("  ", "It wrote nothing.")
	}
	out.WriteString("\n" + paragraph("  ", fmt.Sprintf("Products: %s up, %s down, %s of them to 0", Count(p.Raised), Count(p.Lowered), Count(p.Zeroed))))
	return out.String() + "\n" + written(changes)
}

func settingsChanged(changes []protocol.SettingChange, before int64) string {
	t := newTable(column(22), column(25), column(25))
	t.AppendHeader([]any{"SETTING", "BEFORE", "AFTER"})
	for _, c := range changes {
		t.AppendRow([]any{c.Setting, c.Before, c.After})
	}
	return paragraph("  ", fmt.Sprintf("Settings that were other ones in pass %d", before)) + "\n" + lines(t)
}

func written(changes []stock.Change) string {
	t := newTable(column(16), column(15), right(9), right(9), right(9), column(10))
	t.AppendHeader([]any{"ITEM", "PRODUCT", "BEFORE", "AFTER", "KROS", "ANSWER"})
	for _, c := range changes {
		t.AppendRow([]any{c.Item, c.Product, c.Before, c.After, c.Kros, strings.TrimSpace(string(c.Answer) + " " + c.Reason)})
	}
	return lines(t)
}

// right is a column of numbers that may be too long for it.
func right(width int) table.ColumnConfig {
	c := column(width)
	c.Align, c.AlignHeader = text.AlignRight, text.AlignRight
	return c
}
