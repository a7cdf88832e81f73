package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

func found() *protocol.Findings {
	return &protocol.Findings{
		ShopName: "Acme", Quantity: stock.Max, Match: stock.ByNumber, KrosItems: 1240, Matched: 31, MatchedByOther: 1106, Products: 31, Raised: 7,
		Warehouses: []protocol.WarehouseUse{{Code: "LT", Items: 1240, Counted: true}},
	}
}

func activation(answer func(protocol.ActivateRequest) protocol.Activation) map[string]func(context.Context, string, any) (any, error) {
	return map[string]func(context.Context, string, any) (any, error){
		protocol.ActivateConnection: func(_ context.Context, _ string, in any) (any, error) {
			return answer(in.(protocol.ActivateRequest)), nil
		},
	}
}

// activating is a Temporal in which the activation and the first pass succeed.
func activating(first protocol.PassResult) *fakeTemporal {
	return &fakeTemporal{
		workflows: activation(func(r protocol.ActivateRequest) protocol.Activation {
			if r.DryRun {
				return protocol.Activation{Shop: r.Shop, State: protocol.StateInactive, Findings: found()}
			}
			return protocol.Activation{Shop: r.Shop, State: protocol.StateActive, ID: "a-1", Findings: found()}
		}),
		updates: map[string]func(context.Context, []any) (any, error){
			protocol.UpdateSync: func(context.Context, []any) (any, error) { return first, nil },
		},
		describe: running,
		query: func(context.Context) (any, error) {
			return protocol.Status{Shop: "acme", State: protocol.StateHeld}, nil
		},
	}
}

func pass(result protocol.Result) protocol.PassResult {
	return protocol.PassResult{
		Report: protocol.Report{Shop: "acme", Pass: 1, Trigger: protocol.TriggerActivation, Mode: protocol.ModeFull, Result: result, StartedAt: now, FinishedAt: now},
		Plan:   protocol.Ref{Key: "plan"},
	}
}

func TestActivateIsAskedForOnceAndForTheShopsOwnId(t *testing.T) {
	f := activating(pass(protocol.ResultOK))
	dir := settings(t, map[string]string{"skladom.hcl": installation, "acme.hcl": acme})
	require.Equal(t, statusDone, skladom(t, f, "activate", "acme", "--config", dir).status)
	require.Len(t, f.started, 1)
	require.Equal(t, "activate:acme", f.started[0].ID)
	require.Equal(t, "stock", f.started[0].TaskQueue)
	require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, f.started[0].WorkflowIDConflictPolicy)
	require.Equal(t, []any{protocol.ActivateRequest{Shop: "acme", By: "jana"}}, f.inputs)
	require.Len(t, f.updated, 1)
	require.Equal(t, "stock-sync:acme", f.updated[0].WorkflowID)
	require.Equal(t, []any{protocol.SyncRequest{Activation: "a-1", By: "jana"}}, f.updated[0].Args)
}

func TestActivateShowsFindingsUrlKeyAndFirstPass(t *testing.T) {
	dir := settings(t, map[string]string{"skladom.hcl": installation, "acme.hcl": acme})
	d := skladom(t, activating(pass(protocol.ResultHeld)), "activate", "acme", "--config", dir, "--json")
	require.Equal(t, statusHeld, d.status)
	v := document(t, d)
	require.ElementsMatch(t, []string{"shop", "state", "webhookUrl", "authorizationKey", "findings", "firstPass"}, keys(v))
	require.Equal(t, "acme", v["shop"])
	require.Equal(t, "held", v["state"], "where it stands after the first pass")
	require.Equal(t, "https://sync.example.com/webhooks/kros/acme", v["webhookUrl"])
	require.Len(t, v["authorizationKey"], 43)
	require.Equal(t, float64(1106), v["findings"].(map[string]any)["matchedByOther"])
	require.ElementsMatch(t, reportKeys, keys(v["firstPass"].(map[string]any)))

	held := skladom(t, activating(pass(protocol.ResultHeld)), "activate", "acme", "--config", dir)
	require.Equal(t, statusHeld, held.status)
	require.True(t, strings.HasSuffix(held.stdout, "skladom approve acme\n"), "what waits for a person is the last that is said: %s", held.stdout)

	text := skladom(t, activating(pass(protocol.ResultOK)), "activate", "acme", "--config", dir)
	require.Equal(t, statusDone, text.status)
	require.NotContains(t, text.stdout, "skladom approve")
	require.Contains(t, text.stdout, `By number 31 of 1,240, by EAN 1,106: set match = "ean".`)
	require.Contains(t, text.stdout, "KROS does not know an order of the e-shop")
	require.Contains(t, text.stdout, "https://sync.example.com/webhooks/kros/acme")
	require.Contains(t, text.stdout, v["authorizationKey"])
	require.Contains(t, text.stdout, "pass 1 of 24 Dec 2026 09:30 GMT", "the shop's time zone")
	require.Empty(t, text.stderr)
}

func TestActivateWithoutFilesWorksAndSaysWhatIsMissing(t *testing.T) {
	none := t.TempDir() + "/none"
	d := skladom(t, activating(pass(protocol.ResultOK)), "activate", "acme", "--config", none, "--json")
	require.Equal(t, statusDone, d.status)
	v := document(t, d)
	require.Empty(t, v["webhookUrl"])
	require.Empty(t, v["authorizationKey"])

	f := activating(pass(protocol.ResultOK))
	text := skladom(t, f, "activate", "acme", "--config", none)
	require.Equal(t, statusDone, text.status)
	require.Contains(t, text.stdout, "--config")
	require.Equal(t, "skladom", f.started[0].TaskQueue)
}

func TestActivateWithoutMasterKeySaysHowToMakeOne(t *testing.T) {
	dir := settings(t, map[string]string{"skladom.hcl": `relay { public_url = "https://sync.example.com" }`, "acme.hcl": acme})
	d := skladom(t, activating(pass(protocol.ResultOK)), "activate", "acme", "--config", dir)
	require.Equal(t, statusDone, d.status)
	require.Contains(t, d.stdout, "openssl rand -base64 32")
}

func TestActivateDryRunStopsAfterTheFindings(t *testing.T) {
	f := activating(pass(protocol.ResultOK))
	d := skladom(t, f, "activate", "acme", "--dry-run", "--json")
	require.Equal(t, statusDone, d.status)
	v := document(t, d)
	require.Equal(t, "inactive", v["state"])
	require.NotNil(t, v["findings"])
	require.Nil(t, v["firstPass"])
	require.Empty(t, v["authorizationKey"])
	require.Empty(t, f.updated)
	require.Equal(t, []any{protocol.ActivateRequest{Shop: "acme", DryRun: true, By: "jana"}}, f.inputs)
}

func TestAFailedActivationTellsWhatToDo(t *testing.T) {
	f := &fakeTemporal{workflows: activation(func(r protocol.ActivateRequest) protocol.Activation {
		return protocol.Activation{Shop: r.Shop, Failure: message.Failure(protocol.KrosKeyInvalid, message.Params{})}
	})}
	d := skladom(t, f, "activate", "acme", "--json")
	require.Equal(t, statusFailed, d.status)
	v := document(t, d)
	require.ElementsMatch(t, []string{"shop", "failure"}, keys(v))
	require.Equal(t, "kros_key_invalid", v["failure"].(map[string]any)["code"])
	require.Empty(t, f.updated)

	text := skladom(t, f, "activate", "acme")
	require.Equal(t, statusFailed, text.status)
	require.Empty(t, text.stdout)
	require.Contains(t, strings.Join(strings.Fields(text.stderr), " "), "Vygenerovať token")
}

func TestNothingMatchedNamesTheKeyThatWould(t *testing.T) {
	f := &fakeTemporal{workflows: activation(func(r protocol.ActivateRequest) protocol.Activation {
		findings := found()
		findings.Matched = 0
		return protocol.Activation{Shop: r.Shop, Findings: findings, Failure: message.Failure(protocol.NothingMatched, message.Params{Expected: 1240, By: "number"})}
	})}
	v := document(t, skladom(t, f, "activate", "acme", "--json"))
	require.Contains(t, v["failure"].(map[string]any)["hint"], "by EAN 1,106")
}

func TestAnActivationThatAttachedToADryRunHasItsOwnTurn(t *testing.T) {
	f := activating(pass(protocol.ResultOK))
	turn := 0
	f.workflows = activation(func(r protocol.ActivateRequest) protocol.Activation {
		if turn++; turn == 1 {
			return protocol.Activation{Shop: r.Shop, State: protocol.StateInactive, Findings: found()}
		}
		return protocol.Activation{Shop: r.Shop, State: protocol.StateActive, ID: "a-2", Findings: found()}
	})
	require.Equal(t, statusDone, skladom(t, f, "activate", "acme").status)
	require.Equal(t, []any{protocol.SyncRequest{Activation: "a-2", By: "jana"}}, f.updated[0].Args)
}

func TestAFirstPassThatIsLostLeavesUrlAndKey(t *testing.T) {
	dir := settings(t, map[string]string{"skladom.hcl": installation, "acme.hcl": acme})
	f := activating(pass(protocol.ResultOK))
	f.updates[protocol.UpdateSync] = func(context.Context, []any) (any, error) {
		return nil, temporal.NewNonRetryableApplicationError(message.SyncWhilePaused("acme"), "refused", nil)
	}
	d := skladom(t, f, "activate", "acme", "--config", dir, "--json")
	require.Equal(t, statusFailed, d.status)
	v := document(t, d)
	require.Equal(t, message.SyncWhilePaused("acme"), v["failure"].(map[string]any)["message"])
	require.Len(t, v["authorizationKey"], 43)
	require.Nil(t, v["firstPass"])

	text := skladom(t, f, "activate", "acme", "--config", dir)
	require.Equal(t, statusFailed, text.status)
	require.Contains(t, text.stderr, "paused")
	require.Contains(t, text.stdout, "https://sync.example.com/webhooks/kros/acme")
}

func TestAnActivationThatTemporalEndedIsNoSuccess(t *testing.T) {
	f := &fakeTemporal{workflows: map[string]func(context.Context, string, any) (any, error){
		protocol.ActivateConnection: func(context.Context, string, any) (any, error) {
			return nil, serviceerror.NewInternal("odd")
		},
	}}
	d := skladom(t, f, "activate", "acme", "--json")
	require.Equal(t, statusFailed, d.status)
	require.Equal(t, "acme", document(t, d)["shop"])
}
