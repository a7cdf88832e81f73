package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/samber/lo"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

// Status shows one shop.
func Status(s protocol.Status, zone *time.Location) string {
	var out strings.Builder
	out.WriteString(paragraph("", fmt.Sprintf("%s: %s", named(s), s.State)))
	if s.Reason != nil {
		if !s.Reason.Since.IsZero() {
			out.WriteString(paragraph("  ", "since "+moment(s.Reason.Since, zone)))
		}
		out.WriteString(paragraph("  ", s.Reason.Message))
		out.WriteString(paragraph("  ", s.Reason.Hint))
	}
	if s.State == protocol.StateInactive {
		return out.String() + paragraph("  ", "To begin: skladom activate "+s.Shop)
	}
	t := newTable(column(14), column(60))
	t.AppendRow([]any{"Last pass", lastPass(s.LastPass, zone)})
	t.AppendRow([]any{"Last success", momentOr(s.LastSuccessAt, zone, "none yet")})
	t.AppendRow([]any{"Next pass", momentOr(s.NextPassAt, zone, "none planned")})
	t.AppendRow([]any{"KROS changed", momentOr(s.KrosChangedAt, zone, "not seen yet")})
	t.AppendRow([]any{"Notifications", notifications(s, zone)})
	t.AppendRow([]any{"Reading", reading(s)})
	return out.String() + "\n" + lines(t)
}

// reading says what a pass for a notification reads of KROS.
func reading(s protocol.Status) string {
	if s.Reading == protocol.ModeDelta {
		return "on a notification only what changed in KROS, else everything"
	}
	return "everything"
}

// Listed is what is known of a shop without asking it: shop, title, state, last
// success and reason. Until is when a pause ends by itself.
type Listed struct {
	protocol.Status
	Until *time.Time
}

// Fleet shows many shops, one a line, and those that wait for an answer by name.
// Times are those of the zone of now.
func Fleet(shops []Listed, now time.Time) string {
	if len(shops) == 0 {
		return "No shop is there to show.\n"
	}
	t := newTable(wrapped(17), cut(14), column(9), column(12), column(18))
	t.AppendHeader([]any{"SHOP", "TITLE", "STATE", "LAST SUCCESS", "REASON"})
	for _, s := range shops {
		t.AppendRow([]any{s.Shop, s.Title, s.State, success(s.Status, now), reason(s, now)})
	}
	held := lo.FilterMap(shops, func(s Listed, _ int) (string, bool) { return s.Shop, s.State == protocol.StateHeld })
	if len(held) == 0 {
		return lines(t)
	}
	return lines(t) + "\n" + Unanswered(held)
}

func named(s protocol.Status) string {
	if s.Title == "" || s.Title == s.Shop {
		return s.Shop
	}
	return s.Title + " (" + s.Shop + ")"
}

func lastPass(r *protocol.Report, zone *time.Location) string {
	if r == nil {
		return "none yet"
	}
	at := moment(r.StartedAt, zone)
	switch {
	case r.Result == protocol.ResultHeld: // what is held stands above
		return fmt.Sprintf("%s, %s: %s, %s updated, %s held", at, r.Result, Of(r.KrosItems, "item"), Count(r.Updated), Count(r.Held))
	case r.Failure != nil:
		return fmt.Sprintf("%s, %s: %s", at, r.Result, r.Failure.Message)
	}
	return fmt.Sprintf("%s, %s: %s, %s updated", at, r.Result, Of(r.KrosItems, "item"), Count(r.Updated))
}

func notifications(s protocol.Status, zone *time.Location) string {
	n := s.Notifications
	switch n.State {
	case protocol.NotificationsWorking:
		return fmt.Sprintf("working, %s so far, the last %s", Count(int(n.Count)), momentOr(n.LastAt, zone, "unknown"))
	case protocol.NotificationsRefused:
		return fmt.Sprintf("KROS calls with a wrong key, last %s: paste it again (skladom webhook %s)", momentOr(n.LastAt, zone, "unknown"), s.Shop)
	}
	return "none came yet; to enter URL and key in KROS: skladom webhook " + s.Shop
}

func success(s protocol.Status, now time.Time) string {
	if s.LastSuccessAt == nil {
		return "never"
	}
	return ago(*s.LastSuccessAt, now)
}

// reason says why a shop is in its state, and since when where a person has to
// do something about it.
func reason(s Listed, now time.Time) string {
	switch {
	case s.Reason == nil:
		return ""
	case s.Reason.Since.IsZero() || s.State == protocol.StateFailing:
		return string(s.Reason.Code)
	case s.State != protocol.StatePaused:
		return fmt.Sprintf("%s\n%s", s.Reason.Code, ago(s.Reason.Since, now))
	case s.Until == nil:
		return ago(s.Reason.Since, now) + ", without end"
	}
	return fmt.Sprintf("%s, until %s", ago(s.Reason.Since, now), message.Clock(*s.Until, now, now.Location()))
}

// wrapped breaks long names anywhere, since all of a name is needed to type it.
func wrapped(width int) table.ColumnConfig {
	return table.ColumnConfig{WidthMax: width, WidthMaxEnforcer: text.WrapHard}
}

func cut(width int) table.ColumnConfig {
	return table.ColumnConfig{WidthMax: width, WidthMaxEnforcer: func(s string, n int) string {
		return text.Snip(s, n, "…")
	}}
}
