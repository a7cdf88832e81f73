package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

func explaining(e protocol.Explanation, err error) *fakeTemporal {
	return &fakeTemporal{workflows: map[string]func(context.Context, string, any) (any, error){
		protocol.Explain: func(context.Context, string, any) (any, error) { return e, err },
	}}
}

func explanation() protocol.Explanation {
	return protocol.Explanation{
		Shop: "acme", Asked: "A-1", Answer: "7, because KROS has 7 in LT", Cause: protocol.CauseKros, At: now, Timezone: "Europe/London", Item: "A-1", Outcome: "unchanged",
		Warehouses: []protocol.ExplainedWarehouse{}, Steps: []stock.Step{}, Products: []protocol.ExplainedProduct{}, Sales: []protocol.ExplainedSale{},
		Changes: []protocol.ItemChange{{At: now, Pass: 3, By: "jana", Kind: protocol.ChangeSettings, Text: "buffer: 0 -> 1"}},
	}
}

func TestTheAnswerIsTheFirstLine(t *testing.T) {
	f := explaining(explanation(), nil)
	d := skladom(t, f, "explain", "acme", "A-1")
	require.Equal(t, statusDone, d.status, d)
	require.True(t, strings.HasPrefix(d.stdout, "7, because KROS has 7 in LT.\n"), d.stdout)
	require.Contains(t, d.stdout, "24 Dec 2026 09:30", "in the shop's zone, which the answer speaks in")
	require.Equal(t, "explain:acme:id-1", f.started[0].ID)
	require.Equal(t, protocol.ExplainRequest{Shop: "acme", Item: "A-1"}, f.inputs[0])

	require.Equal(t, statusDone, skladom(t, f, "explain", "acme", "00123", "--pass", "12").status)
	require.Equal(t, protocol.ExplainRequest{Shop: "acme", Item: "00123", Pass: 12}, f.inputs[1])
}

func TestTheAnswerIsOneLineForPrograms(t *testing.T) {
	e := explanation()
	e.Answer = strings.Repeat("because ", 20) + "so\nor \x1b[2Jso"
	d := skladom(t, explaining(e, nil), "explain", "acme", "A-1")
	first, _, _ := strings.Cut(d.stdout, "\n")
	require.Equal(t, strings.Repeat("because ", 20)+"so or [2Jso.", first)
	first, _, _ = strings.Cut(onTerminal(t, explaining(e, nil), "explain", "acme", "A-1").stdout, "\n")
	require.Less(t, len(first), 81)
}

func TestAnExplanationAsJSONIsTheDocumented(t *testing.T) {
	v := document(t, skladom(t, explaining(explanation(), nil), "explain", "acme", "A-1", "--json"))
	require.ElementsMatch(t, strings.Fields(`shop asked answer cause pass at timezone item name ean unit key outcome kros
		warehouses rules steps products sales next changes`), keys(v))
	require.ElementsMatch(t, strings.Fields("match quantity decimals unitDecimals soldHold missing"), keys(v["rules"].(map[string]any)))
}

func TestWhatNobodyKnowsIsAFailureThatSaysSo(t *testing.T) {
	e := protocol.Explanation{Shop: "acme", Asked: "a-1", Cause: protocol.CauseUnknown, Answer: "KROS has no item", Timezone: "UTC"}
	d := skladom(t, explaining(e, nil), "explain", "acme", "a-1")
	require.Equal(t, statusFailed, d.status)
	require.Equal(t, "KROS has no item.\n", d.stdout)
}

func TestAPassThatIsNotKeptSaysWhatIs(t *testing.T) {
	failure := message.NotKept("acme", 3, 120, 167)
	converter := temporal.GetDefaultFailureConverter()
	err := converter.FailureToError(converter.ErrorToFailure(temporal.NewApplicationErrorWithOptions("x", "not_kept", temporal.ApplicationErrorOptions{Details: []any{failure}})))
	d := skladom(t, explaining(protocol.Explanation{}, err), "explain", "acme", "A-1", "--pass", "3")
	require.Equal(t, statusFailed, d.status)
	require.Contains(t, strings.Join(strings.Fields(d.stderr), " "), failure.Message)
}
