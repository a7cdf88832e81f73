package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// reportKeys are the fields of a Report, from section 5 of the design.
var reportKeys = []string{
	"shop", "pass", "trigger", "mode", "dryRun", "result", "failure", "warnings", "settingsHash", "startedAt", "finishedAt",
	"krosItems", "krosRequests", "updated", "unchanged", "unmatched", "ambiguous", "skipped", "rejected", "held", "missing",
	"products", "raised", "lowered", "zeroed", "shared", "conflicts", "planHash", "samples",
}

func keys(v map[string]any) []string { return slices.Collect(maps.Keys(v)) }

func syncing(result protocol.PassResult) *fakeTemporal {
	return &fakeTemporal{updates: map[string]func(context.Context, []any) (any, error){
		protocol.UpdateSync: func(context.Context, []any) (any, error) { return result, nil },
	}}
}

func TestSyncPrintsTheReportAndNothingMore(t *testing.T) {
	d := skladom(t, syncing(pass(protocol.ResultOK)), "sync", "acme", "--json")
	require.Equal(t, statusDone, d.status)
	v := document(t, d)
	require.ElementsMatch(t, reportKeys, keys(v))
	require.Equal(t, []any{}, v["warnings"])
	require.Equal(t, map[string]any{}, v["samples"])
	require.Nil(t, v["failure"])
}

func TestTheExitStatusOfAPass(t *testing.T) {
	failed := pass(protocol.ResultFailed)
	failed.Failure = message.Failure(protocol.KrosUnavailable, message.Params{})
	for want, result := range map[int]protocol.PassResult{
		statusDone: pass(protocol.ResultOK), statusFailed: failed, statusHeld: pass(protocol.ResultHeld),
	} {
		require.Equal(t, want, skladom(t, syncing(result), "sync", "acme").status)
		d := skladom(t, syncing(result), "sync", "acme", "--json")
		require.Equal(t, want, d.status)
		require.Equal(t, string(result.Result), document(t, d)["result"], "a failed pass is a report, too")
	}
}

func TestWhatARunningShopRefusesIsItsOwnSentence(t *testing.T) {
	f := &fakeTemporal{updates: map[string]func(context.Context, []any) (any, error){
		protocol.UpdateSync: func(context.Context, []any) (any, error) {
			return nil, temporal.NewNonRetryableApplicationError(message.SyncWhilePaused("acme"), "refused", nil)
		},
	}}
	d := skladom(t, f, "sync", "acme", "--json")
	require.Equal(t, statusFailed, d.status)
	v := document(t, d)
	require.Equal(t, "acme", v["shop"])
	require.Equal(t, message.SyncWhilePaused("acme"), v["failure"].(map[string]any)["message"])
}

func TestWhatNeedsAnActiveShopSaysSo(t *testing.T) {
	for _, command := range []string{"sync", "pause", "resume", "deactivate"} {
		d := skladom(t, &fakeTemporal{}, command, "acme", "--json")
		require.Equal(t, statusFailed, d.status)
		require.Equal(t, message.NotActive("acme"), document(t, d)["failure"].(map[string]any)["message"], command)
	}
}

// planned answers a dry run whose plan has the given lines, in pages of two.
func planned(result protocol.PassResult, plan []stock.Line) *fakeTemporal {
	const page = 2
	return &fakeTemporal{workflows: map[string]func(context.Context, string, any) (any, error){
		protocol.SyncPass: func(context.Context, string, any) (any, error) { return result, nil },
		protocol.Inspect: func(_ context.Context, _ string, in any) (any, error) {
			r := in.(protocol.InspectRequest)
			if r.Kind != protocol.InspectPlan || r.Ref != result.Plan {
				return nil, fmt.Errorf("asked for %v", r)
			}
			end := min(len(plan), r.Offset+page)
			rows := lo.Map(plan[r.Offset:end], func(line stock.Line, _ int) json.RawMessage { return lo.Must(json.Marshal(line)) })
			return protocol.InspectPage{Ref: r.Ref, Rows: rows, Next: lo.Ternary(end < len(plan), end, 0), Total: len(plan)}, nil
		},
	}}
}

func line(item string, from, to int64) stock.Line {
	return stock.Line{Item: item, Name: "Item " + item, Entries: []stock.Entry{{
		Product: "p-" + item, From: decimal.NewFromInt(from), To: decimal.NewFromInt(to),
	}}}
}

func TestADryRunIsAWorkflowOfItsOwnAndShowsItsChanges(t *testing.T) {
	result := pass(protocol.ResultOK)
	result.DryRun, result.Raised, result.Lowered, result.KrosItems = true, 1, 1, 5
	f := planned(result, []stock.Line{line("A", 1, 1), line("B", 4, 6), line("C", 2, 2), line("D", 3, 0), line("E", 9, 9)})
	d := skladom(t, f, "sync", "acme", "--dry-run")
	require.Equal(t, statusDone, d.status, d)
	require.Empty(t, f.updated, "StockSync is not involved")
	require.Equal(t, "dry-run:acme:id-1", f.started[0].ID)
	require.Equal(t, protocol.PassRequest{Shop: "acme", DryRun: true, Trigger: protocol.TriggerManual}, f.inputs[0])
	require.Contains(t, d.stdout, "Item B")
	require.Contains(t, d.stdout, "Item D")
	require.NotContains(t, d.stdout, "Item C")
	require.Len(t, f.started, 3, "two pages are enough")

	f = planned(result, nil)
	v := document(t, skladom(t, f, "sync", "acme", "--dry-run", "--json"))
	require.ElementsMatch(t, reportKeys, keys(v))
	require.Equal(t, true, v["dryRun"])
	require.Len(t, f.started, 1, "the changes are not asked for where nobody sees them")
}

func TestOfManyChangesTheFirstAreShown(t *testing.T) {
	result := pass(protocol.ResultOK)
	result.DryRun, result.Raised, result.KrosItems = true, 25, 25
	plan := lo.Map(lo.Range(25), func(i, _ int) stock.Line { return line(fmt.Sprintf("N%02d", i), 0, 1) })
	d := skladom(t, planned(result, plan), "sync", "acme", "--dry-run")
	require.Contains(t, d.stdout, "Item N19")
	require.NotContains(t, d.stdout, "Item N20")
	require.Contains(t, d.stdout, "and 5 more")
}

func TestADryRunWithoutChangesAsksForNoPlan(t *testing.T) {
	result := pass(protocol.ResultOK)
	result.DryRun = true
	f := planned(result, nil)
	require.Equal(t, statusDone, skladom(t, f, "sync", "acme", "--dry-run").status)
	require.Len(t, f.started, 1)
}
