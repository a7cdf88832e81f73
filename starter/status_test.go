package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

// statusKeys are the fields of a Status, from section 5 of the design.
var statusKeys = []string{"shop", "title", "state", "reason", "nextPassAt", "lastPass", "lastSuccessAt", "krosChangedAt", "notifications"}

func TestAShopWithoutARunningWorkflowIsInactive(t *testing.T) {
	ended := func(context.Context, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
		return &workflowservice.DescribeWorkflowExecutionResponse{
			WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		}, nil
	}
	for name, f := range map[string]*fakeTemporal{"never activated": {}, "deactivated": {describe: ended}} {
		t.Run(name, func(t *testing.T) {
			d := skladom(t, f, "status", "acme", "--json")
			require.Equal(t, statusDone, d.status)
			v := document(t, d)
			require.ElementsMatch(t, statusKeys, keys(v))
			require.Equal(t, "inactive", v["state"])
			require.Equal(t, map[string]any{"state": "waiting", "lastAt": nil, "count": float64(0)}, v["notifications"])
			require.Contains(t, skladom(t, f, "status", "acme").stdout, "skladom activate acme")
		})
	}
}

func TestStatusOfOneShopIsWhatItsWorkflowSays(t *testing.T) {
	last := pass(protocol.ResultOK).Report
	f := &fakeTemporal{describe: running, query: func(context.Context) (any, error) {
		return protocol.Status{
			Shop: "acme", Title: "Acme s.r.o.", State: protocol.StateSuspended, LastPass: &last, NextPassAt: &now,
			Reason: &protocol.Reason{Failure: *message.Failure(protocol.KrosNoAPIAccess, message.Params{}), Since: now},
		}, nil
	}}
	d := skladom(t, f, "status", "acme", "--json")
	require.Equal(t, statusDone, d.status)
	v := document(t, d)
	require.ElementsMatch(t, statusKeys, keys(v))
	require.ElementsMatch(t, []string{"code", "message", "hint", "since"}, keys(v["reason"].(map[string]any)))
	require.ElementsMatch(t, reportKeys, keys(v["lastPass"].(map[string]any)))
	require.Equal(t, []any{}, v["lastPass"].(map[string]any)["warnings"])
	require.Contains(t, skladom(t, f, "status", "acme").stdout, "Premium")
}

func TestStatusTellsASilentTemporalFromSilentWorkers(t *testing.T) {
	slow := func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
	for _, c := range []struct {
		name string
		f    *fakeTemporal
		want string
	}{
		{"Temporal", &fakeTemporal{describe: func(context.Context, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
			return nil, serviceerror.NewUnavailable("connection refused")
		}}, "Temporal at temporal.example.com:7233 does not answer."},
		{"a worker that takes too long", &fakeTemporal{describe: running, query: slow}, `No worker answers for the task queue "stock"`},
		{"no worker for long", &fakeTemporal{describe: running, query: func(context.Context) (any, error) {
			return nil, serviceerror.NewFailedPrecondition("no poller seen for task queue recently, worker may be down")
		}}, `No worker answers for the task queue "stock"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := settings(t, map[string]string{"skladom.hcl": installation, "acme.hcl": acme})
			bubble(t, func(t *testing.T) {
				begin := time.Now()
				d := skladom(t, c.f, "status", "acme", "--config", dir, "--json")
				require.Equal(t, statusFailed, d.status)
				require.LessOrEqual(t, time.Since(begin), 5*time.Second)
				require.Contains(t, document(t, d)["failure"].(map[string]any)["message"], c.want)
			})
		})
	}
}

func TestTheFleetIsListedFromVisibilityPageByPage(t *testing.T) {
	success := now.Add(-3 * time.Hour)
	abba := execution("abba", "", map[string]any{protocol.SearchState: "paused", protocol.SearchReason: "paused"})
	until := now.Add(4 * time.Hour)
	abba.Memo.Fields[protocol.MemoReason] = payload(protocol.NotedReason{Until: &until, Reason: protocol.Reason{
		Failure: protocol.Failure{Code: "paused", Message: "Paused by jana: summer.", Hint: "h"}, Since: now.Add(-48 * time.Hour),
	}})
	var queries []string
	f := &fakeTemporal{list: func(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
		queries = append(queries, r.Query)
		if len(r.NextPageToken) == 0 {
			return &workflowservice.ListWorkflowExecutionsResponse{NextPageToken: []byte("more"), Executions: []*workflowpb.WorkflowExecutionInfo{
				execution("zoo", "Zoo", map[string]any{protocol.SearchShop: "zoo", protocol.SearchState: "suspended", protocol.SearchReason: "shop_changed", protocol.SearchLastSuccess: success}),
			}}, nil
		}
		return &workflowservice.ListWorkflowExecutionsResponse{Executions: []*workflowpb.WorkflowExecutionInfo{execution("acme", "", nil), abba}}, nil
	}}
	d := skladom(t, f, "status", "--json")
	require.Equal(t, statusDone, d.status)
	require.JSONEq(t, `[
		{"shop":"abba","title":"abba","state":"paused","reason":{"code":"paused","message":"Paused by jana: summer.","hint":"h","since":"2026-12-22T09:30:00Z"},
		 "nextPassAt":null,"lastPass":null,"lastSuccessAt":null,"krosChangedAt":null,"notifications":null},
		{"shop":"acme","title":"acme","state":null,"reason":null,"nextPassAt":null,"lastPass":null,"lastSuccessAt":null,"krosChangedAt":null,"notifications":null},
		{"shop":"zoo","title":"Zoo","state":"suspended","reason":{"code":"shop_changed","message":null,"hint":null,"since":null},
		 "nextPassAt":null,"lastPass":null,"lastSuccessAt":"2026-12-24T06:30:00Z","krosChangedAt":null,"notifications":null}
	]`, d.stdout)
	require.Equal(t, []string{"WorkflowType = 'StockSync' AND ExecutionStatus = 'Running'", "WorkflowType = 'StockSync' AND ExecutionStatus = 'Running'"}, queries)

	text := skladom(t, f, "status")
	require.Contains(t, text.stdout, "3 h ago")
	require.Contains(t, text.stdout, "2 days ago, until\n")
	require.Contains(t, text.stdout, "14:30\n", "the time zone of the machine")
	require.Contains(t, text.stdout, "never")
}

func TestAFleetOfNobodyIsAnEmptyList(t *testing.T) {
	f := &fakeTemporal{list: func(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
		return &workflowservice.ListWorkflowExecutionsResponse{}, nil
	}}
	require.JSONEq(t, `[]`, skladom(t, f, "status", "--json").stdout)
}

func TestFiltersAreLeftToVisibility(t *testing.T) {
	var query string
	f := &fakeTemporal{list: func(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
		query = r.Query
		return &workflowservice.ListWorkflowExecutionsResponse{}, nil
	}}
	require.Equal(t, statusDone, skladom(t, f, "status", "--state", "held", "--stale", "2h").status)
	require.Equal(t, "WorkflowType = 'StockSync' AND ExecutionStatus = 'Running' AND SkladomState = 'held' AND "+
		"(SkladomLastSuccess < '2026-12-24T07:30:00Z' OR SkladomLastSuccess IS NULL)", query)
}

func TestAServerWithoutTheSearchAttributesIsExplained(t *testing.T) {
	f := &fakeTemporal{list: func(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
		return nil, serviceerror.NewInvalidArgument("invalid query: invalid search attribute: SkladomState")
	}}
	failure := document(t, skladom(t, f, "status", "--state", "held", "--json"))["failure"].(map[string]any)
	require.Contains(t, failure["message"], "does not know the search attributes")
	require.Contains(t, failure["hint"], "temporal operator search-attribute create")
	require.True(t, strings.HasSuffix(failure["hint"].(string), "--name SkladomLastSuccess --type Datetime"))
}

func execution(shop, title string, attributes map[string]any) *workflowpb.WorkflowExecutionInfo {
	info := &workflowpb.WorkflowExecutionInfo{
		Execution:        &commonpb.WorkflowExecution{WorkflowId: protocol.StockSyncID(shop)},
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{}},
		Memo:             &commonpb.Memo{Fields: map[string]*commonpb.Payload{}},
	}
	for name, value := range attributes {
		info.SearchAttributes.IndexedFields[name] = payload(value)
	}
	if title != "" {
		info.Memo.Fields[protocol.MemoTitle] = payload(title)
	}
	return info
}
