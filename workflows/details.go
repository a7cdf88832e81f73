package workflows

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

// What the Temporal UI shows of a workflow, as Markdown.

func passDetails(r *protocol.Report) string {
	var b []byte
	b = fmt.Appendf(b, "**%s** · %s · %s\n\n", r.Shop, r.Trigger, outcome(r))
	if r.Failure != nil {
		b = fmt.Appendf(b, "%s %s\n\n", plain(r.Failure.Message), plain(r.Failure.Hint))
	}
	b = append(b, "| KROS items | updated | unchanged | unmatched | ambiguous | skipped | rejected | held |\n|--|--|--|--|--|--|--|--|\n"...)
	b = fmt.Appendf(b, "| %d | %d | %d | %d | %d | %d | %d | %d |\n", r.KrosItems, r.Updated, r.Unchanged, r.Unmatched, r.Ambiguous, r.Skipped, r.Rejected, r.Held)
	for _, w := range r.Warnings {
		b = fmt.Appendf(b, "\n⚠ %s\n", plain(w))
	}
	return string(b)
}

func outcome(r *protocol.Report) string {
	switch {
	case r.Failure != nil:
		return string(r.Result) + " (" + string(r.Failure.Code) + ")"
	case r.DryRun:
		return "dry run"
	}
	return string(r.Result)
}

// syncDetails is a table of the last passes, newest first.
func syncDetails(status protocol.Status, recent []passLine, zone *time.Location) string {
	var b []byte
	b = fmt.Appendf(b, "**%s** is **%s**", plain(status.Title), status.State)
	if status.NextPassAt != nil {
		b = fmt.Appendf(b, ", next pass %s", message.Time(*status.NextPassAt, zone))
	}
	b = append(b, "\n\n"...)
	if status.Reason != nil {
		b = fmt.Appendf(b, "%s %s\n\n", plain(status.Reason.Message), plain(status.Reason.Hint))
	}
	b = append(b, "| pass | began | took | by | result | updated | unmatched |\n|--|--|--|--|--|--|--|\n"...)
	for i := len(recent) - 1; i >= 0; i-- {
		l := recent[i]
		b = fmt.Appendf(b, "| %d | %s | %v | %s | %s | %d | %d |\n", l.Pass, message.Time(l.StartedAt, zone), l.Took.Round(10*time.Millisecond), l.Trigger, l.Result, l.Updated, l.Unmatched)
	}
	return string(b)
}

// plain keeps text from outside out of the Markdown, in its line and in its
// direction of writing.
func plain(s string) string {
	printed := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, s)
	return strings.NewReplacer("|", "/", "<", "‹", ">", "›", "[", "(", "]", ")", "`", "'", "*", "·", "_", "\\_").Replace(printed)
}
