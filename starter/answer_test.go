package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

const heldHash = "3f9c2b1a7d60e845"

// holding is a shop of which so many products wait to go from 5 to 0.
func holding(products int, change func(*protocol.Recollection)) *fakeTemporal {
	rows := lo.Times(products, func(i int) protocol.HeldRow {
		id := fmt.Sprintf("%03d", i)
		return protocol.HeldRow{Item: "I-" + id, Name: "Item " + id, Product: "p-" + id, ProductName: "Product " + id, Has: decimal.NewFromInt(5)}
	})
	known := protocol.Recollection{Running: true, State: protocol.StateHeld, Hold: &protocol.Hold{
		Code: protocol.TooManyZeroed, Hash: heldHash, Plan: protocol.Ref{Key: "held plan"}, Pass: 12, Since: now, Products: products,
		Why: message.Failure(protocol.TooManyZeroed, message.Params{Shop: "acme", Seen: products, Expected: 90}),
	}}
	if change != nil {
		change(&known)
	}
	answered := func(args []any, result any) (any, error) {
		if known.Hold == nil || args[0].(protocol.AnswerRequest).Hash != known.Hold.Hash {
			return nil, temporal.NewNonRetryableApplicationError(message.OtherHold("acme"), "refused", nil)
		}
		return result, nil
	}
	approved := pass(protocol.ResultOK)
	approved.Trigger = protocol.TriggerApproval
	return &fakeTemporal{
		describe: running, memory: known,
		workflows: map[string]func(context.Context, string, any) (any, error){
			protocol.Inspect: func(_ context.Context, _ string, in any) (any, error) {
				r := in.(protocol.InspectRequest)
				if r.Kind != protocol.InspectHeld || r.Ref != known.Hold.Plan {
					return nil, fmt.Errorf("asked for %v", r)
				}
				end := min(len(rows), r.Offset+lo.CoalesceOrEmpty(r.Limit, 40))
				return protocol.InspectPage{
					Rows:  lo.Map(rows[r.Offset:end], func(row protocol.HeldRow, _ int) json.RawMessage { return lo.Must(json.Marshal(row)) }),
					Total: len(rows), Next: lo.Ternary(end < len(rows), end, 0),
					Counts: &stock.Counts{Products: len(rows), Lowered: len(rows), Zeroed: len(rows)},
				}, nil
			},
		},
		updates: map[string]func(context.Context, []any) (any, error){
			protocol.UpdateApprove: func(_ context.Context, args []any) (any, error) { return answered(args, approved) },
			protocol.UpdateDismiss: func(_ context.Context, args []any) (any, error) {
				return answered(args, protocol.Status{Shop: "acme", State: protocol.StateActive})
			},
		},
	}
}

func pausedWhile(known *protocol.Recollection) { known.State = protocol.StatePaused }

func otherCatalogue(known *protocol.Recollection) {
	known.Hold.Code, known.Hold.Items = protocol.CatalogueChanged, 1240
	known.Hold.Why = message.Failure(protocol.CatalogueChanged, message.Params{Shop: "acme", Expected: 900})
}

func nothingHeld(known *protocol.Recollection) { known.Hold = nil }

// attended runs the command line on a terminal at which somebody types.
func attended(t *testing.T, f *fakeTemporal, types io.Reader, args ...string) done {
	t.Helper()
	env := surroundings(f)
	env.terminal, env.attended = true, true
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, types, &stdout, &stderr, env)
	return done{status, stdout.String(), stderr.String()}
}

func gave(t *testing.T, f *fakeTemporal, update string) {
	t.Helper()
	require.Len(t, f.updated, 1)
	require.Equal(t, update, f.updated[0].UpdateName)
	require.Equal(t, "stock-sync:acme", f.updated[0].WorkflowID)
	require.Equal(t, []any{protocol.AnswerRequest{Hash: heldHash, By: "jana"}}, f.updated[0].Args)
}

func TestOnATerminalWhatIsHeldIsShownAndThenAskedFor(t *testing.T) {
	for answer, yes := range map[string]bool{"y\n": true, " YES \n": true, "y": true, "n\n": false, "\n": false, "": false, "yo\n": false} {
		t.Run(fmt.Sprintf("approve %q", answer), func(t *testing.T) {
			f := holding(3, nil)
			d := attended(t, f, strings.NewReader(answer), "approve", "acme")
			require.Contains(t, d.stdout, "KROS would take 3 products to 0, of 90")
			require.Contains(t, d.stdout, "I-002  Item 002  p-002      5          0\n")
			require.Contains(t, d.stderr, "Write these 3 products? [y/N]")
			if !yes {
				require.Equal(t, statusHeld, d.status)
				require.Contains(t, d.stdout, "acme stays held")
				require.Empty(t, f.updated)
				return
			}
			require.Equal(t, statusDone, d.status)
			require.Contains(t, d.stdout, "(approved) took 1s.")
			gave(t, f, protocol.UpdateApprove)
		})
		t.Run(fmt.Sprintf("dismiss %q", answer), func(t *testing.T) {
			f := holding(3, nil)
			d := attended(t, f, strings.NewReader(answer), "dismiss", "acme")
			require.Contains(t, d.stderr, "Keep these 3 products as they are? [y/N]")
			require.Equal(t, lo.Ternary(yes, statusDone, statusHeld), d.status)
			require.Equal(t, yes, strings.Contains(d.stdout, "acme: active"))
			require.Equal(t, yes, len(f.updated) == 1)
			if yes {
				gave(t, f, protocol.UpdateDismiss)
			}
		})
	}
}

func TestATerminalShowsFiftyProductsAndHowToSeeAll(t *testing.T) {
	f := holding(62, nil)
	d := attended(t, f, strings.NewReader(""), "approve", "acme")
	require.Contains(t, d.stdout, "Item 049")
	require.NotContains(t, d.stdout, "Item 050")
	require.Contains(t, d.stdout, "and 12 more; all of them: skladom approve acme --json\n")
	require.Contains(t, d.stdout, "62 products are held: 62 would fall to 0.")
	require.Len(t, f.started, 1, "the rest is not read")
}

func TestWhereNobodyCanBeAskedNothingIsAnswered(t *testing.T) {
	for _, command := range []string{"approve", "dismiss"} {
		f := holding(62, nil)
		d := skladom(t, f, command, "acme")
		require.Equal(t, statusHeld, d.status)
		require.Contains(t, d.stdout, "Item 061", "in a file or a pipe it is whole")
		require.Contains(t, d.stdout, "skladom "+command+" acme --plan "+heldHash)
		require.Empty(t, f.updated)
	}
}

func TestJSONAloneShowsAndNeverAnswers(t *testing.T) {
	for _, command := range []string{"approve", "dismiss"} {
		f := holding(62, nil)
		d := attended(t, f, strings.NewReader("y\n"), command, "acme", "--json")
		require.Equal(t, statusHeld, d.status)
		require.Empty(t, f.updated)
		v := document(t, d)
		require.ElementsMatch(t, strings.Fields("shop code planHash message hint products rows"), keys(v))
		require.Equal(t, "too_many_zeroed", v["code"])
		require.Equal(t, heldHash, v["planHash"])
		require.Contains(t, v["message"], "62 products to 0")
		require.Contains(t, v["hint"], "skladom approve acme")
		require.Equal(t, 62.0, v["products"])
		require.Len(t, v["rows"], 62, "all of them")
		require.Equal(t, map[string]any{
			"item": "I-061", "name": "Item 061", "product": "p-061", "productName": "Product 061", "has": "5", "wants": "0", "kros": "0",
		}, v["rows"].([]any)[61])
	}
}

func TestScriptsAnswerByAFlag(t *testing.T) {
	for _, flags := range [][]string{{"--yes"}, {"--plan", heldHash}, {"--yes", "--plan", heldHash}} {
		f := holding(3, nil)
		d := skladom(t, f, append([]string{"approve", "acme", "--json"}, flags...)...)
		require.Equal(t, statusDone, d.status)
		require.ElementsMatch(t, reportKeys, keys(document(t, d)))
		gave(t, f, protocol.UpdateApprove)
		require.Empty(t, f.started, "the products are not read for nobody")

		f = holding(3, nil)
		d = skladom(t, f, append([]string{"dismiss", "acme", "--json"}, flags...)...)
		require.Equal(t, statusDone, d.status)
		require.ElementsMatch(t, statusKeys, keys(document(t, d)))
		gave(t, f, protocol.UpdateDismiss)

		text := skladom(t, holding(3, nil), append([]string{"approve", "acme"}, flags...)...)
		require.Equal(t, statusDone, text.status)
		require.NotContains(t, text.stdout, "[y/N]")
	}
}

func TestAnApprovalEndsAsItsPass(t *testing.T) {
	for want, result := range map[int]protocol.Result{statusHeld: protocol.ResultHeld, statusFailed: protocol.ResultFailed} {
		f := holding(3, nil)
		f.updates[protocol.UpdateApprove] = func(context.Context, []any) (any, error) {
			r := pass(result)
			r.Failure = message.Failure(protocol.KrosUnavailable, message.Params{})
			return r, nil
		}
		require.Equal(t, want, skladom(t, f, "approve", "acme", "--yes").status)
		require.Equal(t, want, skladom(t, f, "approve", "acme", "--yes", "--json").status)
	}
}

func TestAnotherPlanThanTheOneNamedIsNotAnswered(t *testing.T) {
	for _, command := range []string{"approve", "dismiss"} {
		d := skladom(t, holding(3, nil), command, "acme", "--plan", "0123456789abcdef", "--yes", "--json")
		require.Equal(t, statusFailed, d.status)
		require.Equal(t, message.OtherHold("acme"), document(t, d)["failure"].(map[string]any)["message"])

		f := holding(3, nil)
		d = skladom(t, f, command, "acme", "--yes", "--plan", "")
		require.Equal(t, statusUsage, d.status, "an empty variable of a script answers nothing")
		require.Empty(t, f.updated)
	}
}

func TestWhereNothingIsHeldItSaysSo(t *testing.T) {
	for _, args := range [][]string{{"approve", "acme"}, {"dismiss", "acme"}, {"approve", "acme", "--yes"}, {"dismiss", "acme", "--yes"}} {
		f := holding(0, nothingHeld)
		d := skladom(t, f, append(args, "--json")...)
		require.Equal(t, statusFailed, d.status)
		require.Equal(t, map[string]any{"shop": "acme", "failure": map[string]any{"message": message.NothingHeld("acme"), "hint": ""}}, document(t, d))
		require.Empty(t, f.updated)
		require.Equal(t, message.NothingHeld("acme")+"\n", skladom(t, f, args...).stderr)
	}
}

func TestNobodyIsAskedInVain(t *testing.T) {
	for name, c := range map[string]struct {
		command string
		change  func(*protocol.Recollection)
		want    string
	}{
		"a paused shop has no passes":                      {"approve", pausedWhile, message.ApprovalWhilePaused("acme")},
		"of another catalogue there is nothing to be kept": {"dismiss", otherCatalogue, message.NotDismissible("acme")},
	} {
		t.Run(name, func(t *testing.T) {
			f := holding(3, c.change)
			d := attended(t, f, strings.NewReader("y\n"), c.command, "acme")
			require.Equal(t, statusFailed, d.status)
			require.Contains(t, d.stdout, "Item 002", "it can be looked at all the same")
			require.Equal(t, c.want, strings.Join(strings.Fields(d.stderr), " "))
			require.Empty(t, f.updated)
			require.Equal(t, statusHeld, skladom(t, f, c.command, "acme", "--json").status)
		})
	}
	t.Run("a paused shop's hold is dismissed all the same", func(t *testing.T) {
		f := holding(3, pausedWhile)
		require.Equal(t, statusDone, attended(t, f, strings.NewReader("y\n"), "dismiss", "acme").status)
		gave(t, f, protocol.UpdateDismiss)
	})
}

func TestAnEmptyCatalogueHasNoProductsAndCanBeApproved(t *testing.T) {
	f := holding(0, otherCatalogue)
	d := attended(t, f, strings.NewReader("y\n"), "approve", "acme")
	require.Equal(t, statusDone, d.status)
	flat := strings.Join(strings.Fields(d.stdout), " ")
	require.Contains(t, flat, "No product would change")
	require.Contains(t, flat, "from now on KROS's catalogue of 1,240 items is the one that later passes are compared with")
	gave(t, f, protocol.UpdateApprove)
	require.Equal(t, []any{}, document(t, skladom(t, holding(0, otherCatalogue), "approve", "acme", "--json"))["rows"])
}

func TestCtrlCEndsAQuestion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		silent, typing := io.Pipe()
		defer typing.Close()
		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, interrupt)
		f := holding(3, nil)
		env := surroundings(f)
		env.terminal, env.attended = true, true
		var stdout, stderr bytes.Buffer
		status := run(ctx, []string{"approve", "acme"}, silent, &stdout, &stderr, env)
		require.Equal(t, statusFailed, status)
		require.Contains(t, stderr.String(), "Nothing was written.")
		require.Empty(t, f.updated)
	})
}

func TestWrongUsesOfAnswers(t *testing.T) {
	for _, args := range [][]string{{"approve"}, {"dismiss"}, {"approve", "acme", "zoo"}, {"dismiss", "Acme"}, {"approve", "acme", "--all"}} {
		require.Equal(t, statusUsage, skladom(t, &fakeTemporal{}, args...).status, args)
	}
}
