package message_test

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

var alertedAt = time.Date(2026, time.July, 1, 6, 30, 0, 0, time.UTC)

func alertedShop(name, title string) protocol.AlertedShop {
	return protocol.AlertedShop{Shop: name, Title: title, Timezone: "Europe/Bratislava", Since: alertedAt}
}

// mails are alerts of every kind, as their readers get them.
func mails() string {
	zone, err := time.LoadLocation("Europe/Bratislava")
	if err != nil {
		panic(err)
	}
	pausedText, pausedHint := message.Paused("acme", protocol.PauseRequest{By: "Jana", Reason: "stocktaking"}, zone)
	behind := []struct {
		kind    protocol.AlertKind
		state   protocol.State
		failure protocol.Failure
	}{
		{protocol.AlertSuspended, protocol.StateSuspended, *message.Failure(protocol.KrosKeyInvalid, message.Params{})},
		{protocol.AlertHeld, protocol.StateHeld, *message.Failure(protocol.CatalogueChanged, message.Params{Seen: 31, Expected: 1240})},
		{protocol.AlertFailing, protocol.StateFailing, *message.Failure(protocol.ShopUnavailable, message.Params{})},
		{protocol.AlertPaused, protocol.StatePaused, protocol.Failure{Code: "paused", Message: pausedText, Hint: pausedHint}},
		{protocol.AlertUnmatched, protocol.StateActive, message.MatchLost("acme", 3)},
		{protocol.AlertUnmatched, protocol.StateActive, message.MatchLost("acme", 1)},
		{protocol.AlertQuiet, protocol.StateActive, message.KrosQuiet(alertedAt, zone)},
	}
	var out strings.Builder
	show := func(m protocol.AlertMessage) {
		out.WriteString("Subject: " + message.AlertSubject(m) + "\n\n" + message.AlertBody(m) + "----\n")
	}
	for _, b := range behind {
		a := message.Alert(protocol.Alert{Kind: b.kind}, b.failure)
		show(protocol.AlertMessage{
			Kind: b.kind, Code: a.Code, State: b.state, Message: a.Message, Hint: a.Hint,
			Shops: []protocol.AlertedShop{alertedShop("acme", "Acme s.r.o.")}, Count: 1,
		})
	}
	over := message.Alert(protocol.Alert{Kind: protocol.AlertHeld, Cleared: true}, behind[1].failure)
	show(protocol.AlertMessage{
		Kind: over.Kind, Code: over.Code, State: protocol.StateActive, Cleared: true, Message: over.Message, Hint: over.Hint,
		Shops: []protocol.AlertedShop{alertedShop("acme", "Acme s.r.o.")}, Count: 1,
	})
	first, second := alertedShop("acme", "Acme s.r.o."), alertedShop("caj", "Čajovňa")
	second.Timezone = "Europe/London"
	show(protocol.AlertMessage{
		Kind: protocol.AlertSuspended, Code: protocol.KrosKeyInvalid, State: protocol.StateSuspended, Message: "KROS does not accept the API key.", Hint: "Generate a new one.",
		Shops: []protocol.AlertedShop{first, second}, Count: 1002,
	})
	first.Message, first.Hint = `KROS has no stock in warehouse "LT".`, "Write the codes exactly so."
	second.Message = `KROS has no stock in warehouse "PR".`
	show(protocol.AlertMessage{
		Kind: protocol.AlertFailing, Code: protocol.WarehouseUnknown, State: protocol.StateFailing, Shops: []protocol.AlertedShop{first, second}, Count: 2,
	})
	return out.String()
}

func TestAlertsReadAsTheyWereRead(t *testing.T) {
	const file = "testdata/alerts.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(mails()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), mails(), "read the new alerts, then run with -update")
}

func TestATitleStaysInItsLine(t *testing.T) {
	for _, title := range []string{"Acme\r\nBcc: thief@example.com", "Acme\x00\x1b[2J\u2028x", "Acme\n\nPay here: example.com", "Acme\u202egpj.exe\u2066\u009b2J"} {
		s := alertedShop("acme", title)
		s.Message, s.Hint = title, title
		m := protocol.AlertMessage{Kind: protocol.AlertQuiet, State: protocol.StateActive, Message: title, Hint: title, Shops: []protocol.AlertedShop{s}, Count: 1}
		require.NotRegexp(t, `[\x00-\x1f\x7f]`, message.AlertSubject(m))
		require.Equal(t, strings.Count(message.AlertBody(m), "\n"), strings.Count(message.AlertBody(tame(m)), "\n"))
		for _, r := range message.AlertBody(m) {
			require.True(t, r == '\n' || unicode.IsPrint(r), "%q", r)
		}
	}
}

func tame(m protocol.AlertMessage) protocol.AlertMessage {
	s := m.Shops[0]
	s.Title, s.Message, s.Hint = "t", "t", "t"
	m.Message, m.Hint, m.Shops = "t", "t", []protocol.AlertedShop{s}
	return m
}

func TestAnAlertIsBoundedWhateverIsBehindIt(t *testing.T) {
	a := message.Alert(protocol.Alert{}, protocol.Failure{Message: strings.Repeat("č", 100_000), Hint: strings.Repeat("x", 601)})
	require.Len(t, []rune(a.Message), 600)
	require.Len(t, []rune(a.Hint), 600)
	require.True(t, strings.HasSuffix(a.Message, "č…"))
}

func TestAnAlertOfManyShopsNamesTheCount(t *testing.T) {
	m := protocol.AlertMessage{Kind: protocol.AlertSuspended, Shops: []protocol.AlertedShop{alertedShop("a", ""), alertedShop("b", "")}, Count: 12}
	require.Equal(t, "12 shops: stopped, somebody has to act", message.AlertHeadline(m))
	require.Equal(t, "12 shops: stopped, somebody has to act.", message.AlertSentence(m), "where each has a sentence of its own")
	m.Message = "KROS does not accept the API key."
	require.Equal(t, m.Message, message.AlertSentence(m))
	require.Contains(t, message.AlertBody(m), "- and 10 more\n")
}
