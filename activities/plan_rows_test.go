package activities_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// planRows reads all rows of a plan in pages of the given size.
func (b *bench) planRows(plan, catalogue protocol.Ref, limit int) []protocol.PlanRow {
	b.t.Helper()
	var rows []protocol.PlanRow
	request := protocol.InspectRequest{Shop: acme, Kind: protocol.InspectRows, Ref: plan, Catalogue: catalogue, Limit: limit}
	for {
		page, err := run[protocol.InspectPage](b, b.acts.ReadArchive, request)
		require.NoError(b.t, err)
		require.LessOrEqual(b.t, len(page.Rows), lo.CoalesceOrEmpty(limit, protocol.MaxInspectRows))
		for _, text := range page.Rows {
			var row protocol.PlanRow
			require.NoError(b.t, json.Unmarshal(text, &row))
			rows = append(rows, row)
		}
		if request.Offset = page.Next; page.Next == 0 {
			require.Len(b.t, rows, page.Total)
			return rows
		}
	}
}

// realistic is the merchant's catalogue with everything that goes wrong in life.
func realistic(t *testing.T) (krossim.Options, fynodesim.Options) {
	t.Helper()
	var items []krossim.Item
	require.NoError(t, json.Unmarshal(catalogue.Kros(), &items))
	var products []fynodesim.Product
	require.NoError(t, json.Unmarshal(catalogue.Shop(), &products))
	return krossim.Options{Items: items}, fynodesim.Options{ID: "fynode-1", Products: products}
}

func TestADryRunShowsWhatAPassWrites(t *testing.T) {
	kros, shop := realistic(t)
	b := newBench(t, kros, shop, "")
	request := b.fetchRequest(protocol.Memory{})
	request.DryRun, request.Pass = true, 0
	fetched, err := run[protocol.Fetched](b, b.acts.FetchStock, request)
	require.NoError(t, err)
	dry := b.matchRequest(fetched)
	dry.DryRun, dry.Pass = true, 0
	planned, err := run[protocol.Matched](b, b.acts.MatchProducts, dry)
	require.NoError(t, err)
	before := b.quantities()

	rows := b.planRows(planned.Plan, fetched.Catalogue.Ref, 0)
	shown, idle := map[string]string{}, 0
	for _, row := range rows {
		require.NotEmpty(t, row.Why, row.Item)
		switch {
		case row.Product == "":
			idle++
		case !row.ShopNow.Equal(*row.WouldBecome):
			require.Equal(t, before[row.Product], row.ShopNow.String())
			shown[row.Product] = row.WouldBecome.String()
		}
	}
	require.Equal(t, planned.Counts.Unmatched+planned.Counts.Ambiguous+planned.Counts.Skipped, idle)

	b.pass(protocol.Memory{})
	require.NotEmpty(t, shown)
	require.Equal(t, shown, lo.PickBy(b.quantities(), func(id, quantity string) bool { return quantity != before[id] }))
	require.Equal(t, rows, b.planRows(planned.Plan, fetched.Catalogue.Ref, 7), "the size of the pages is nobody's business")
}

func TestARowHasTheWarehousesAsKrosGaveThem(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	fetched := b.fetch(protocol.Memory{})
	rows := b.planRows(b.match(fetched).Plan, fetched.Catalogue.Ref, 0)
	short := lo.Map(rows, func(r protocol.PlanRow, _ int) string {
		return fmt.Sprintf("%s %v %v>%v %s: %s", r.Item, r.Warehouses, r.ShopNow, r.WouldBecome, r.Outcome, r.Why)
	})
	require.Equal(t, []string{
		"A-2 [{A 3}] 8>3 updated: KROS has 3",
		"A-3 [{A 9}] 2>9 updated: KROS has 9",
		"A-4 [{A 1}] <nil>><nil> unmatched: no product of the e-shop has item code A-4",
	}, short)
}

func TestAPageOfRowsStaysFarBelowTemporalsLimit(t *testing.T) {
	kros, shop := small()
	for i := range 400 {
		long := item(fmt.Sprintf("L%03d", i), "", "1")
		long.Name = strings.Repeat("Ť", 1000)
		kros.Items = append(kros.Items, long)
	}
	b := newBench(t, kros, shop, "")
	fetched := b.fetch(protocol.Memory{})
	page, err := run[protocol.InspectPage](b, b.acts.ReadArchive, protocol.InspectRequest{
		Shop: acme, Kind: protocol.InspectRows, Ref: b.match(fetched).Plan, Catalogue: fetched.Catalogue.Ref,
	})
	require.NoError(t, err)
	require.LessOrEqual(t, len(asJSON(t, page.Rows)), protocol.MaxInspectBytes+2)
	require.Equal(t, len(page.Rows), page.Next)
	require.Less(t, page.Next, page.Total)
}

func TestRowsOfAPlanThatIsGoneAreNotGuessed(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.onDisk()
	fetched := b.fetch(protocol.Memory{})
	matched := b.match(fetched)
	b.lose(fetched.Catalogue.Ref)
	_, err := run[protocol.InspectPage](b, b.acts.ReadArchive, protocol.InspectRequest{
		Shop: acme, Kind: protocol.InspectRows, Ref: matched.Plan, Catalogue: fetched.Catalogue.Ref,
	})
	require.Equal(t, "archive_lost_object", app(t, err).Type())
	require.Len(t, rows[stock.Line](b, matched.Plan), 4)
}
