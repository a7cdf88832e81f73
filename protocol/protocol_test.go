package protocol_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// The JSON of a report and of a status is read by scripts (docs/design.md, 5).
func TestReportHasTheFieldsOfItsContract(t *testing.T) {
	require.Equal(t, strings.Fields(`shop pass trigger mode dryRun result failure warnings settingsHash startedAt finishedAt
		krosRequests krosItems updated unchanged unmatched ambiguous skipped rejected held missing products raised lowered
		zeroed shared conflicts planHash samples`), fields(t, protocol.Report{}))
	require.Equal(t, strings.Fields("item name key product reasonCode reason"),
		fields(t, stock.Sample{Name: "n", Key: "k", Product: "p", ReasonCode: "c", Reason: "r"}))
}

func TestStatusHasTheFieldsOfItsContract(t *testing.T) {
	require.Equal(t, strings.Fields("shop title state reason nextPassAt lastPass lastSuccessAt krosChangedAt notifications"), fields(t, protocol.Status{}))
	require.Equal(t, strings.Fields("code message hint since"), fields(t, protocol.Reason{}))
	require.Equal(t, strings.Fields("state lastAt count"), fields(t, protocol.Notifications{}))
	require.Equal(t, strings.Fields("code message hint"), fields(t, protocol.Failure{}))
}

// fields are the names in the order in which they are written.
func fields(t *testing.T, v any) []string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	var names []string
	depth, name := 0, true
	for decoder.More() || depth > 0 {
		next, err := decoder.Token()
		require.NoError(t, err)
		switch next {
		case json.Delim('{'), json.Delim('['):
			depth++
			name = true
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			name = true
			continue
		}
		if depth == 1 && name {
			names = append(names, next.(string))
		}
		if depth == 1 {
			name = !name
		}
	}
	return names
}

func TestAPassResultReadsAsItsReport(t *testing.T) {
	at := time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)
	result := protocol.PassResult{
		Report: protocol.Report{
			Shop: "acme", Pass: 7, Trigger: protocol.TriggerManual, Mode: protocol.ModeFull, Result: protocol.ResultOK, Warnings: []string{},
			StartedAt: at, FinishedAt: at, Counts: stock.Counts{KrosItems: 3, Updated: 3}, Samples: stock.Samples{},
		},
		Memory: protocol.Memory{Products: 3}, ShopID: "x",
	}
	text, err := json.Marshal(result)
	require.NoError(t, err)
	var report protocol.Report
	require.NoError(t, json.Unmarshal(text, &report))
	require.Equal(t, result.Report, report)
}

func TestWorkflowIDsAreThoseOfTheContract(t *testing.T) {
	require.Equal(t, "stock-sync:acme", protocol.StockSyncID("acme"))
	require.Equal(t, "sync-pass:acme", protocol.SyncPassID("acme"))
	require.Equal(t, "dry-run:acme:1", protocol.DryRunID("acme", "1"))
	require.Equal(t, "activate:acme", protocol.ActivateID("acme"))
	require.Equal(t, "inspect:acme:1", protocol.InspectID("acme", "1"))
	require.Equal(t, "alerts:d1:suspended:kros_key_invalid", protocol.AlertsID("d1", protocol.AlertSuspended, protocol.KrosKeyInvalid))
}

// Others send these names; SkladomShop and its like are in visibility.
func TestNamesAreThoseOfTheContract(t *testing.T) {
	sent := strings.Fields(`notification sync-now config-changed sync pause resume approve dismiss deactivate status`)
	require.Equal(t, []string{
		protocol.SignalNotification, protocol.SignalSyncNow, protocol.SignalConfigChanged,
		protocol.UpdateSync, protocol.UpdatePause, protocol.UpdateResume, protocol.UpdateApprove, protocol.UpdateDismiss, protocol.UpdateDeactivate,
		protocol.QueryStatus,
	}, sent)
	listed := strings.Fields(`SkladomShop SkladomState SkladomReason SkladomLastSuccess`)
	require.Equal(t, []string{protocol.SearchShop, protocol.SearchState, protocol.SearchReason, protocol.SearchLastSuccess}, listed)
	started := strings.Fields(`ActivateConnection StockSync SyncPass SyncNow Inspect`)
	require.Equal(t, []string{protocol.ActivateConnection, protocol.StockSync, protocol.SyncPass, protocol.SyncNow, protocol.Inspect}, started)
}

// A field without a name of its own would change its name with the code, and
// one that could hold a key must not be here at all.
func TestEveryFieldThatTravelsHasAName(t *testing.T) {
	files, err := parser.ParseDir(token.NewFileSet(), ".", nil, parser.SkipObjectResolution) //nolint:staticcheck // one package, no build tags
	require.NoError(t, err)
	for _, file := range files["protocol"].Files {
		ast.Inspect(file, func(node ast.Node) bool {
			structure, ok := node.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range structure.Fields.List {
				if len(field.Names) == 0 {
					continue // embedded: its fields have names
				}
				name := field.Names[0].Name
				require.NotNil(t, field.Tag, name)
				require.Contains(t, field.Tag.Value, `json:"`, name)
				for _, secret := range []string{"token", "apikey", "secret", "password", "masterkey"} {
					require.NotContains(t, strings.ToLower(name), secret)
				}
			}
			return true
		})
	}
}
