package main

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
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
	f := syncing(pass(protocol.ResultOK))
	d := skladom(t, f, "sync", "acme", "--json")
	require.Equal(t, statusDone, d.status)
	require.Equal(t, []any{protocol.SyncRequest{By: "jana"}}, f.updated[0].Args)
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
	for _, command := range []string{"sync", "pause", "resume", "approve", "dismiss", "deactivate"} {
		d := skladom(t, &fakeTemporal{}, command, "acme", "--json")
		require.Equal(t, statusFailed, d.status)
		require.Equal(t, message.NotActive("acme"), document(t, d)["failure"].(map[string]any)["message"], command)
	}
}
