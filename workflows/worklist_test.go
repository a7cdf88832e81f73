package workflows_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/workflows"
)

func TestAWorklistIsMadeOfWhatTheShopRemembers(t *testing.T) {
	memory := protocol.Memory{Baseline: ref("baseline"), Ledger: ref("ledger")}
	tests := []struct {
		rule  string
		known protocol.Recollection
		want  protocol.MakeWorklistRequest
	}{
		{"a shop that was never activated", protocol.Recollection{State: protocol.StateInactive}, protocol.MakeWorklistRequest{Shop: acme}},
		{"one that runs", protocol.Recollection{Running: true, ShopID: shopID, Memory: memory},
			protocol.MakeWorklistRequest{Shop: acme, ShopID: shopID, Ledger: memory.Ledger}},
		{"one that holds zeroings", protocol.Recollection{Running: true, ShopID: shopID, Memory: memory, Hold: &protocol.Hold{Code: protocol.TooManyZeroed}},
			protocol.MakeWorklistRequest{Shop: acme, ShopID: shopID, Ledger: memory.Ledger}},
		{"one that does not believe the newest catalogue", protocol.Recollection{Running: true, ShopID: shopID, Memory: memory, Hold: &protocol.Hold{Code: protocol.CatalogueChanged}},
			protocol.MakeWorklistRequest{Shop: acme, ShopID: shopID, Ledger: memory.Ledger, Catalogue: memory.Baseline}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			d := newDesk(t)
			d.known = test.known
			made := protocol.WorklistMade{Rows: ref("worklist"), Counts: stock.WorkCounts{Item: 3}}
			d.env.RegisterWorkflowWithOptions(workflows.Worklist, workflow.RegisterOptions{Name: protocol.Worklist})
			d.env.RegisterActivityWithOptions(func(_ context.Context, r protocol.MakeWorklistRequest) (protocol.WorklistMade, error) {
				require.Equal(t, test.want, r)
				return made, nil
			}, activity.RegisterOptions{Name: "MakeWorklist"})
			d.env.ExecuteWorkflow(protocol.Worklist, protocol.WorklistRequest{Shop: acme})
			require.NoError(t, d.env.GetWorkflowError())
			var got protocol.WorklistMade
			require.NoError(t, d.env.GetWorkflowResult(&got))
			require.Equal(t, made, got)
		})
	}
}
