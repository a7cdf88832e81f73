package activities_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/fynodesim"
)

func (b *bench) worklist(memory protocol.Memory) protocol.WorklistMade {
	b.t.Helper()
	made, err := run[protocol.WorklistMade](b, b.acts.MakeWorklist, protocol.MakeWorklistRequest{Shop: acme, ShopID: "fynode-1", Ledger: memory.Ledger})
	require.NoError(b.t, err)
	return made
}

// inspected are all rows of a worklist, as the command line reads them.
func (b *bench) inspected(made protocol.WorklistMade) []stock.WorkRow {
	b.t.Helper()
	var all []stock.WorkRow
	request := protocol.InspectRequest{Shop: acme, Kind: protocol.InspectWorklist, Ref: made.Rows}
	for {
		page, err := run[protocol.InspectPage](b, b.acts.ReadArchive, request)
		require.NoError(b.t, err)
		for _, text := range page.Rows {
			var row stock.WorkRow
			require.NoError(b.t, json.Unmarshal(text, &row))
			all = append(all, row)
		}
		if request.Offset = page.Next; page.Next == 0 {
			return all
		}
	}
}

func TestTheWorklistNamesWhatThePassCouldNotWrite(t *testing.T) {
	for _, match := range []string{`match = "number"`, `match = "ean"`} {
		t.Run(match, func(t *testing.T) {
			kros, shop := realistic(t)
			b := newBench(t, kros, shop, match)
			fetched := b.fetch(protocol.Memory{})
			matched := b.match(fetched)
			asked := len(b.kros.State().Log)
			made := b.worklist(protocol.Memory{})
			require.Len(t, b.kros.State().Log, asked, "KROS is not asked")
			require.Equal(t, fetched.Catalogue.Items, made.Items)
			require.Equal(t, len(shop.Products), made.Products)
			require.WithinDuration(t, b.now, made.KrosReadAt, time.Second)

			all := b.inspected(made)
			require.Equal(t, made.Counts, stock.CountWork(all))
			require.Positive(t, made.Counts.Item)
			require.Positive(t, made.Counts.Product)
			require.Positive(t, made.Counts.Ambiguous)
			require.Zero(t, made.Counts.Lost)
			want := lo.CountBy(rows[stock.Line](b, matched.Plan), func(l stock.Line) bool {
				return l.Outcome == stock.Unmatched || l.Outcome == stock.Ambiguous || l.Outcome == stock.Skipped && l.ReasonCode != stock.ReasonNotStock
			})
			require.Equal(t, want, lo.SumBy(all, func(r stock.WorkRow) int { return len(r.Items) }))
			for _, row := range all {
				require.NotEmpty(t, row.Reason)
				require.NotEmpty(t, row.Cure, row.ReasonCode)
				for _, hint := range row.Hints {
					require.NotEmpty(t, hint.Text)
				}
			}
		})
	}
}

func TestWhatWasInStepComesFirst(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{})
	b.shop.RemoveProduct("p1")
	b.shop.PutProduct(product("p2", "a-2", "", "3"))

	made := b.worklist(memory)
	require.Equal(t, stock.WorkCounts{Lost: 2, Item: 1}, made.Counts)
	all := b.inspected(made)
	require.Equal(t, []string{"A-1", "A-2", "A-4"}, lo.Map(all, func(r stock.WorkRow, _ int) string { return r.Items[0].Code }))
	require.True(t, all[0].Products[0].Gone)
	require.Equal(t, "a-2", all[1].Products[0].Number)
	require.Contains(t, all[1].Reason, "it was in step with product p2, which has number a-2 now")

	require.Equal(t, made.Counts, b.worklist(protocol.Memory{}).Counts, "without a ledger the newest plan tells")
}

// The first pass after it was lost writes a plan in which it has no product. An
// item that KROS does not show is forgotten by the pass after that, but its
// product stays on the list.
func TestWhatWasInStepStaysOnTheListAfterFurtherPasses(t *testing.T) {
	kros, shop := many(10)
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{})
	b.shop.RemoveProduct("p00003")
	b.shop.PutProduct(product("p00004", "c00004", "", "2"))
	b.kros.SetItems(b.kros.State().Items[:9])
	for _, want := range [][]string{
		{"lost C00009 p00009", "lost C00003 p00003", "lost C00004 p00004"},
		{"lost C00003 p00003", "lost C00004 p00004", "product  p00009"},
	} {
		b.now = b.now.Add(time.Minute)
		memory, _ = b.pass(memory)
		all := b.inspected(b.worklist(memory))
		require.Equal(t, want, lo.Map(all, func(r stock.WorkRow, _ int) string {
			return fmt.Sprintf("%s %s %s", r.Kind, lo.FirstOrEmpty(r.Items).Code, r.Products[0].ID)
		}))
	}
}

func TestAWorklistNeedsNoMoreThanTheCatalogueOfADryRun(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	made := b.worklist(protocol.Memory{})
	require.Equal(t, message.NoCatalogue(acme), made.Failure)
	require.Zero(t, b.shop.Requests("products"), "nothing to compare it with")

	request := b.fetchRequest(protocol.Memory{})
	request.DryRun, request.Pass = true, 0
	_, err := run[protocol.Fetched](b, b.acts.FetchStock, request)
	require.NoError(t, err)
	made = b.worklist(protocol.Memory{})
	require.Nil(t, made.Failure)
	require.Equal(t, stock.WorkCounts{Item: 1}, made.Counts)
}

func TestAWorklistIsMadeOfTheCatalogueThatIsBelieved(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{})
	believed := b.now
	b.now = b.now.Add(time.Hour)
	b.kros.SetItems(nil)
	b.fetch(memory)

	require.Equal(t, stock.WorkCounts{Lost: 3}, b.worklist(memory).Counts, "the newest one has nothing")
	made, err := run[protocol.WorklistMade](b, b.acts.MakeWorklist, protocol.MakeWorklistRequest{Shop: acme, Catalogue: memory.Baseline, Ledger: memory.Ledger})
	require.NoError(t, err)
	require.Equal(t, stock.WorkCounts{Item: 1}, made.Counts)
	require.WithinDuration(t, believed, made.KrosReadAt, time.Second)
}

func TestAWorklistKnowsTheItemsFile(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.fetch(protocol.Memory{})
	require.Equal(t, stock.WorkCounts{Item: 1}, b.worklist(protocol.Memory{}).Counts)

	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "items.csv"), []byte("item;ignore\nA-4;yes\n"), 0o600))
	text, err := os.ReadFile(filepath.Join(b.dir, acme+".hcl"))
	require.NoError(t, err)
	b.write(acme, strings.Replace(string(text), "title ", "items = \"items.csv\"\n title ", 1))
	b.shops.Reload()
	require.Empty(t, b.shops.Diagnostics())
	require.Equal(t, stock.WorkCounts{}, b.worklist(protocol.Memory{}).Counts)
}

func TestAnotherShopHasNoWorklistOfThisOne(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.fetch(protocol.Memory{})
	b.shop.SetShop("fynode-2", "Another")
	_, err := run[protocol.WorklistMade](b, b.acts.MakeWorklist, protocol.MakeWorklistRequest{Shop: acme, ShopID: "fynode-1"})
	fails(t, protocol.ShopChanged, err)
}

func TestAShopThatCannotBeListedHasNoWorklist(t *testing.T) {
	tests := []struct {
		rule  string
		fault fynodesim.Fault
		code  protocol.Code
	}{
		{"it refuses", fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 403}, protocol.ShopForbidden},
		{"it has no such list", fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 404}, protocol.ShopBadResponse},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			kros, shop := small()
			b := newBench(t, kros, shop, "")
			b.fetch(protocol.Memory{})
			test.fault.Path, test.fault.Count = "products", -1
			require.NoError(t, b.shop.AddFault(test.fault))
			_, err := run[protocol.WorklistMade](b, b.acts.MakeWorklist, protocol.MakeWorklistRequest{Shop: acme})
			fails(t, test.code, err)
		})
	}
}
