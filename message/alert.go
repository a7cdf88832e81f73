package message

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/skladom/skladom/protocol"
)

// maxAlert bounds, in characters, what one shop adds to an alert: reasons are
// given by people and by other programs.
const maxAlert = 600

// Alert completes an alert with its sentences, which are those of the failure
// or of the pause that stands behind it.
func Alert(a protocol.Alert, behind protocol.Failure) protocol.Alert {
	a.Code, a.Message, a.Hint = behind.Code, cut(behind.Message), cut(behind.Hint)
	if a.Cleared {
		a.Message, a.Hint = "Stock is kept in step again.", ""
	}
	return a
}

// MatchLost says that products of a shop are not kept any more.
func MatchLost(shop string, products int) protocol.Failure {
	text := fmt.Sprintf("%d products were in step with KROS and are not any more.", products)
	if products == 1 {
		text = "1 product was in step with KROS and is not any more."
	}
	return protocol.Failure{
		Code: protocol.MatchLost, Message: text,
		Hint: "Usually a number or an EAN was changed in KROS or in the e-shop. These come first in: skladom unmatched " + shop,
	}
}

// KrosQuiet says since when no quantity has changed in KROS; zone is the shop's
// time zone.
func KrosQuiet(since time.Time, zone *time.Location) protocol.Failure {
	return protocol.Failure{
		Code: protocol.KrosQuiet, Message: "No quantity has changed in KROS since " + Time(since, zone) + ".",
		Hint: "If that cannot be, look whether stock is kept in KROS; with OMEGA, check that its upload ran.",
	}
}

func cut(text string) string {
	runes := []rune(text)
	if len(runes) <= maxAlert {
		return text
	}
	return string(runes[:maxAlert-1]) + "…"
}

// AlertHeadline says in a line what an alert is about, and whom it concerns.
func AlertHeadline(m protocol.AlertMessage) string {
	whom := fmt.Sprintf("%d shops", m.Count)
	if m.Count == 1 && len(m.Shops) == 1 {
		whom = plainTitle(m.Shops[0])
	}
	return whom + ": " + what(m)
}

func what(m protocol.AlertMessage) string {
	if m.Cleared {
		return "in step again"
	}
	switch m.Kind {
	case protocol.AlertSuspended:
		return "stopped, somebody has to act"
	case protocol.AlertHeld:
		return "waits for approval"
	case protocol.AlertFailing:
		return "stock could not be kept in step for a while"
	case protocol.AlertPaused:
		return "paused for more than a day"
	case protocol.AlertUnmatched:
		return "products are not kept in step any more"
	case protocol.AlertQuiet:
		return "KROS has not changed for a while"
	}
	return string(m.Kind)
}

// AlertSubject is the subject of a mail, one line whatever a shop is called.
func AlertSubject(m protocol.AlertMessage) string { return "Skladom: " + AlertHeadline(m) }

// AlertSentence says what happened to all shops of a message.
func AlertSentence(m protocol.AlertMessage) string {
	return cmp.Or(m.Message, AlertHeadline(m)+".")
}

// AlertBody is the text of a mail. Times are those of each shop's zone.
func AlertBody(m protocol.AlertMessage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n", AlertHeadline(m))
	if m.Message != "" {
		fmt.Fprintf(&b, "%s\n", inLine(m.Message))
	}
	if m.Hint != "" {
		fmt.Fprintf(&b, "What to do: %s\n", inLine(m.Hint))
	}
	if m.Message != "" || m.Hint != "" {
		b.WriteString("\n")
	}
	for _, s := range m.Shops {
		fmt.Fprintf(&b, "- %s (%s), %s %s\n", plainTitle(s), s.Shop, since(m.Cleared), Time(s.Since, zoneOf(s.Timezone)))
		for _, text := range []string{s.Message, s.Hint} {
			if text != "" {
				fmt.Fprintf(&b, "  %s\n", inLine(text))
			}
		}
	}
	if more := m.Count - len(m.Shops); more > 0 {
		fmt.Fprintf(&b, "- and %d more\n", more)
	}
	fmt.Fprintf(&b, "\n%s\n", where(m))
	return b.String()
}

// where says what to type to see more.
func where(m protocol.AlertMessage) string {
	if m.Count == 1 && len(m.Shops) == 1 {
		return "The state of now: skladom status " + m.Shops[0].Shop
	}
	return "The states of now: skladom status --state " + string(m.State)
}

func since(cleared bool) string {
	if cleared {
		return "the trouble began"
	}
	return "since"
}

func plainTitle(s protocol.AlertedShop) string { return inLine(cmp.Or(s.Title, s.Shop)) }

// inLine keeps a text to its line and to its direction of writing: a title is
// not to look like a sentence of ours.
func inLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(printed, text)), " ")
}

func printed(r rune) rune {
	switch {
	case unicode.IsPrint(r):
		return r
	case unicode.Is(unicode.Cf, r):
		return -1
	}
	return ' '
}

func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
