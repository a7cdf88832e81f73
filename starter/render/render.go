// Package render turns what crosses Temporal into text for a terminal of 80
// columns, in words that a merchant understands.
//
// Values in, text out: no I/O, no clock, no Temporal and no decision may enter.
package render

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/samber/lo"
	"golang.org/x/text/language"
	numbers "golang.org/x/text/message"

	"github.com/skladom/skladom/protocol"
)

// Width is how many columns every line fits into, unless a single word (a URL,
// a key) is longer: those are copied and must stay whole.
const Width = 80

// Failure shows what went wrong and what to do about it.
func Failure(f protocol.Failure) string {
	out := paragraph("", f.Message)
	if f.Hint != "" {
		out += paragraph("  ", f.Hint)
	}
	return out
}

// Count shows a number with its thousands set apart: 1,240.
func Count(n int) string { return numbers.NewPrinter(language.English).Sprintf("%d", n) }

// Of shows a number of things: 1 item, 1,240 items.
func Of(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + one + "s"
}

// moment shows a time in the zone, with its name, so that nobody has to guess.
func moment(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2 Jan 2006 15:04 MST")
}

func momentOr(t *time.Time, zone *time.Location, never string) string {
	if t == nil || t.IsZero() {
		return never
	}
	return moment(*t, zone)
}

// ago shows how long before now t was, in its largest unit.
func ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return Count(int(d/time.Minute)) + " min ago"
	case d < 48*time.Hour:
		return Count(int(d/time.Hour)) + " h ago"
	default:
		return Count(int(d/(24*time.Hour))) + " days ago"
	}
}

// paragraph wraps a text at words and indents each of its lines.
func paragraph(indent, s string) string {
	var out strings.Builder
	for _, line := range strings.Split(text.WrapSoft(Plain(s), Width-len(indent)), "\n") {
		out.WriteString(strings.TrimRight(indent+line, " ") + "\n")
	}
	return out.String()
}

// newTable makes a table without lines: two spaces stand between its columns
// and before the first one.
func newTable(columns ...table.ColumnConfig) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "  ", ""
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	for i := range columns {
		columns[i].Number = i + 1
		columns[i].Transformer = plainCell
	}
	t.SetColumnConfigs(columns)
	return t
}

// Plain keeps names that others wrote from steering the terminal: what does not
// print (an escape sequence, a mark that turns the direction of writing) is left
// out, and the end of a line, which would make one name look like several, is a
// space.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// stacked are the lines of one cell.
type stacked []string

func plainCell(cell any) string {
	if lines, ok := cell.(stacked); ok {
		return strings.Join(lo.Map(lines, func(line string, _ int) string { return Plain(line) }), "\n")
	}
	return Plain(fmt.Sprint(cell))
}

func lines(t table.Writer) string {
	var out strings.Builder
	for _, line := range strings.Split(t.Render(), "\n") {
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

func column(width int) table.ColumnConfig {
	return table.ColumnConfig{WidthMax: width, WidthMaxEnforcer: text.WrapSoft}
}

func number() table.ColumnConfig { return table.ColumnConfig{Align: text.AlignRight} }
