package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// planned answers a dry run whose plan has the given rows, in pages of two
// unless more are asked for at once.
func planned(result protocol.PassResult, plan []protocol.PlanRow) *fakeTemporal {
	return &fakeTemporal{workflows: map[string]func(context.Context, string, any) (any, error){
		protocol.SyncPass: func(context.Context, string, any) (any, error) { return result, nil },
		protocol.Inspect: func(_ context.Context, _ string, in any) (any, error) {
			r := in.(protocol.InspectRequest)
			if r.Kind != protocol.InspectRows || r.Ref != result.Plan || r.Catalogue != result.Catalogue.Ref {
				return nil, fmt.Errorf("asked for %v", r)
			}
			end := min(len(plan), r.Offset+lo.CoalesceOrEmpty(r.Limit, 2))
			rows := lo.Map(plan[r.Offset:end], func(row protocol.PlanRow, _ int) json.RawMessage { return lo.Must(json.Marshal(row)) })
			return protocol.InspectPage{Ref: r.Ref, Rows: rows, Next: lo.Ternary(end < len(plan), end, 0), Total: len(plan)}, nil
		},
	}}
}

func dryRun(result protocol.Result) protocol.PassResult {
	r := pass(result)
	r.DryRun, r.KrosItems = true, 5
	r.Plan = protocol.Ref{Bucket: "b", Key: "plan"}
	r.Catalogue = &protocol.Catalogue{Ref: protocol.Ref{Bucket: "b", Key: "catalogue"}}
	return r
}

func planRow(item string, from, to int64) protocol.PlanRow {
	return protocol.PlanRow{
		Item: item, Name: "Item " + item, Product: "p-" + item,
		Warehouses: []stock.Row{{Warehouse: "LT", Quantity: decimal.NewFromInt(to)}},
		Kros:       lo.ToPtr(decimal.NewFromInt(to)), ShopNow: lo.ToPtr(decimal.NewFromInt(from)), WouldBecome: lo.ToPtr(decimal.NewFromInt(to)),
		Outcome: "updated", Why: fmt.Sprintf("KROS has %d", to),
	}
}

func idleRow(item string) protocol.PlanRow {
	return protocol.PlanRow{
		Item: item, Name: "Item " + item, Warehouses: []stock.Row{}, Outcome: "unmatched",
		ReasonCode: stock.ReasonNoProduct, Why: "no product of the e-shop has item code " + item,
	}
}

func manyRows() []protocol.PlanRow {
	rows := lo.Times(25, func(i int) protocol.PlanRow { return planRow(fmt.Sprintf("N%02d", i), 0, 1) })
	return append(rows, idleRow("X"))
}

func onTerminal(t *testing.T, f *fakeTemporal, args ...string) done {
	t.Helper()
	env := surroundings(f)
	env.terminal = true
	return runIn(t.Context(), env, args...)
}

func TestADryRunIsAWorkflowOfItsOwnAndShowsItsPlan(t *testing.T) {
	f := planned(dryRun(protocol.ResultOK), []protocol.PlanRow{planRow("B", 4, 6), planRow("D", 3, 0), idleRow("E")})
	d := skladom(t, f, "sync", "acme", "--dry-run")
	require.Equal(t, statusDone, d.status, d)
	require.Empty(t, f.updated, "StockSync is not involved")
	require.Equal(t, "dry-run:acme:id-1", f.started[0].ID)
	require.Equal(t, protocol.PassRequest{Shop: "acme", DryRun: true, Trigger: protocol.TriggerManual}, f.inputs[0])
	require.Contains(t, d.stdout, "Item B")
	require.Contains(t, d.stdout, "LT 6")
	require.Contains(t, d.stdout, "KROS has 0")
	require.Contains(t, d.stdout, "Item E", "in a file or a pipe it is whole")
}

func TestOnATerminalTheFirstChangesAreShownAndHowToSeeAll(t *testing.T) {
	f := planned(dryRun(protocol.ResultOK), manyRows())
	d := onTerminal(t, f, "sync", "acme", "--dry-run")
	require.Contains(t, d.stdout, "Item N19")
	require.NotContains(t, d.stdout, "Item N20")
	require.Contains(t, d.stdout, "20 of 26 rows")
	require.Contains(t, strings.Join(strings.Fields(d.stdout), " "), "skladom sync acme --dry-run --csv")
	require.Len(t, f.started, 2, "the rest is not read")
}

func TestOnATerminalWithoutAChangeThereIsNoTable(t *testing.T) {
	d := onTerminal(t, planned(dryRun(protocol.ResultOK), []protocol.PlanRow{idleRow("X"), idleRow("Y")}), "sync", "acme", "--dry-run")
	require.Equal(t, statusDone, d.status)
	require.Contains(t, d.stdout, "0 products would change.")
}

func TestTheWholePlanStandsBesideTheReport(t *testing.T) {
	v := document(t, skladom(t, planned(dryRun(protocol.ResultOK), manyRows()), "sync", "acme", "--dry-run", "--json"))
	require.ElementsMatch(t, append([]string{"plan"}, reportKeys...), keys(v))
	require.Equal(t, true, v["dryRun"])
	rows := v["plan"].([]any)
	require.Len(t, rows, 26)
	require.Equal(t, map[string]any{
		"item": "N00", "name": "Item N00", "product": "p-N00", "warehouses": []any{map[string]any{"warehouse": "LT", "quantity": "1"}},
		"kros": "1", "shopNow": "0", "wouldBecome": "1", "outcome": "updated", "why": "KROS has 1",
	}, rows[0])
	require.Equal(t, map[string]any{
		"item": "X", "name": "Item X", "warehouses": []any{}, "kros": nil, "shopNow": nil, "wouldBecome": nil,
		"outcome": "unmatched", "reasonCode": "no_product", "why": "no product of the e-shop has item code X",
	}, rows[25])
}

func TestAPlanAsCSVIsWholeAndHoldsNoFormula(t *testing.T) {
	evil := planRow("=cmd|'/C calc'!A0", -2, 1)
	evil.Name = "+421 900 123 456, \"čaj\""
	rows := append(manyRows(), evil)
	d := skladom(t, planned(dryRun(protocol.ResultOK), rows), "sync", "acme", "--dry-run", "--csv")
	require.Equal(t, statusDone, d.status)
	read, err := csv.NewReader(strings.NewReader(d.stdout)).ReadAll()
	require.NoError(t, err)
	require.Len(t, read, len(rows)+1)
	require.Equal(t, strings.Fields("item name product warehouses kros shop_now would_become outcome reason_code why"), read[0])
	require.Equal(t, []string{"N00", "Item N00", "p-N00", "LT 1", "1", "0", "1", "updated", "", "KROS has 1"}, read[1])
	require.Equal(t, []string{"X", "Item X", "", "", "", "", "", "unmatched", "no_product", "no product of the e-shop has item code X"}, read[26])
	require.Equal(t, []string{"'=cmd|'/C calc'!A0", "'+421 900 123 456, \"čaj\"", "p-=cmd|'/C calc'!A0", "LT 1", "1", "'-2"}, read[27][:6])
}

func TestNoCellBeginsAFormula(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "' =1", "\r=1": "' =1", " \n @1": "'   @1", "＝1": "'＝1",
		"čaj;=1+1;-2": "čaj;'=1+1;'-2", "a; =1": "a;' =1", "a-1;b+1": "a-1;b+1", "LT 3; PR -7": "LT 3; PR -7", "\u202e=1": "'=1",
		"a\x1b[2J\u009b\nb\u2028c\xff": "a [2J  b c\uFFFD", "A\u200b1": "A\u200b1", "👩‍👧": "👩‍👧",
		"": "", "1=1": "1=1", "A": "A", "'=1": "'=1", "č": "č",
	} {
		require.Equal(t, want, neutral(cell))
	}
}

func TestADryRunThatFailedHasNoPlan(t *testing.T) {
	result := pass(protocol.ResultFailed)
	result.DryRun, result.Failure = true, message.Failure(protocol.KrosUnavailable, message.Params{})
	for _, flags := range [][]string{{}, {"--json"}, {"--csv"}} {
		f := planned(result, nil)
		d := skladom(t, f, append([]string{"sync", "acme", "--dry-run"}, flags...)...)
		require.Equal(t, statusFailed, d.status)
		require.Contains(t, d.stdout+d.stderr, result.Failure.Message)
		require.Len(t, f.started, 1, "no plan is asked for")
		if len(flags) > 0 && flags[0] == "--json" {
			require.Equal(t, []any{}, document(t, d)["plan"])
		}
		if len(flags) > 0 && flags[0] == "--csv" {
			require.Empty(t, d.stdout, "what is no table is not among the rows")
		}
	}
}

func TestAHeldDryRunIsShownAndTold(t *testing.T) {
	for _, flags := range [][]string{{}, {"--json"}, {"--csv"}} {
		d := skladom(t, planned(dryRun(protocol.ResultHeld), []protocol.PlanRow{planRow("A", 0, 1)}), append([]string{"sync", "acme", "--dry-run"}, flags...)...)
		require.Equal(t, statusHeld, d.status)
		require.Contains(t, d.stdout, "p-A"[2:])
	}
}

func TestCSVIsForDryRunsAndInsteadOfJSON(t *testing.T) {
	for _, args := range [][]string{{"sync", "acme", "--csv"}, {"sync", "acme", "--dry-run", "--csv", "--json"}} {
		d := skladom(t, &fakeTemporal{}, args...)
		require.Equal(t, statusUsage, d.status)
		require.Contains(t, d.stdout+d.stderr, "--csv")
	}
}
