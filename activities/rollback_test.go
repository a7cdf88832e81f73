package activities_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/fynodesim"
)

func (b *bench) rollbackRequest(undo int64, memory protocol.Memory) protocol.PlanRollbackRequest {
	return protocol.PlanRollbackRequest{
		Shop: acme, Undo: undo, Pass: 9, Connection: b.loaded.Connection, Settings: b.loaded.Settings, ShopID: "fynode-1", Memory: memory,
	}
}

func (b *bench) planRollback(request protocol.PlanRollbackRequest) protocol.PlannedRollback {
	b.t.Helper()
	planned, err := run[protocol.PlannedRollback](b, b.acts.PlanRollback, request)
	require.NoError(b.t, err)
	return planned
}

// rollback does what the workflow does.
func (b *bench) rollback(undo int64, memory protocol.Memory) (protocol.PlannedRollback, protocol.Written) {
	b.t.Helper()
	planned := b.planRollback(b.rollbackRequest(undo, memory))
	require.Nil(b.t, planned.Refused)
	return planned, b.update(protocol.UpdateRequest{
		Shop: acme, Pass: 9, Connection: b.loaded.Connection, Plan: planned.Plan, Writes: planned.Plan, TakenAt: planned.TakenAt,
	})
}

// recorded leaves the record of a pass.
func (b *bench) recorded(pass int64, change func(*protocol.PassRecord)) {
	b.t.Helper()
	record := protocol.PassRecord{
		Report:   protocol.Report{Shop: acme, Pass: pass, Trigger: protocol.TriggerSchedule, Result: protocol.ResultOK, StartedAt: b.now.UTC(), FinishedAt: b.now.UTC()},
		Settings: b.loaded.Settings,
	}
	if change != nil {
		change(&record)
	}
	_, err := run[any](b, b.acts.RecordPass, protocol.RecordRequest{Shop: acme, Pass: pass, Record: record})
	require.NoError(b.t, err)
}

func set(b *bench, product, quantity string) {
	b.t.Helper()
	require.NoError(b.t, b.shop.SetQuantity(product, decimal.RequireFromString(quantity)))
}

// A wrong pass over a whole shop: what nobody has touched since has its former
// quantity again, all else is listed with what it has.
func TestARollbackOfAWrongPassOnFiveThousandProducts(t *testing.T) {
	const n = 5000
	kros, shop := many(n)
	for i := range shop.Products {
		shop.Products[i].Quantity = decimal.NewFromInt(int64(10 + i%90))
	}
	former := map[string]string{}
	for _, p := range shop.Products {
		former[p.ID] = p.Quantity.String()
	}
	b := newBench(t, kros, shop, "") // KROS has 2 of everything, which is wrong
	memory, written := b.pass(protocol.Memory{})
	require.Equal(t, n, written.Counts.Lowered)
	b.recorded(7, nil)

	sold := map[string]bool{}
	for i := 0; i < n; i += 50 {
		id := fmt.Sprintf("p%05d", i)
		sold[id] = true
		set(b, id, "1")
	}
	b.shop.SetProducts(lo.Filter(b.shop.Products(), func(p fynodesim.Product, _ int) bool { return p.ID != "p04999" }))
	planned, undone := b.rollback(0, memory)

	require.Equal(t, int64(7), planned.Undo)
	require.Equal(t, n-len(sold)-1, undone.Counts.Updated)
	require.Zero(t, undone.Conflicts)
	for id, quantity := range b.quantities() {
		require.Equal(t, lo.Ternary(sold[id], "1", former[id]), quantity, id)
	}
	lines := stock.Plan{Lines: rows[stock.Line](b, planned.Plan)}
	var receipts []stock.Receipt
	for _, ref := range undone.Receipts {
		receipts = append(receipts, rows[stock.Receipt](b, ref)...)
	}
	listed := lo.GroupBy(lines.Restorations(true, receipts), func(r stock.Restoration) stock.RestoredAs { return r.Outcome })
	require.Len(t, listed[stock.Restored], n-len(sold)-1)
	require.Len(t, listed[stock.ChangedSince], len(sold)+1)
	for _, r := range listed[stock.ChangedSince] {
		if r.Product == "p04999" {
			require.Nil(t, r.From)
			continue
		}
		require.True(t, sold[r.Product])
		require.Equal(t, "1", r.From.String())
		require.Equal(t, former[r.Product], r.To.String())
	}
	require.Less(t, len(asJSON(t, planned))+len(asJSON(t, undone)), 16<<10, "what travels does not grow")

	again, _ := b.rollback(7, memory)
	require.Zero(t, again.Writes, "twice is once")
}

func TestWhichPassIsRolledBack(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{})
	b.recorded(7, nil)
	b.recorded(8, func(r *protocol.PassRecord) { r.Report.Result = protocol.ResultFailed })

	planned := b.planRollback(b.rollbackRequest(0, memory))
	require.Equal(t, int64(7), planned.Undo, "the last one that wrote")
	require.Equal(t, 2, planned.Writes)
	require.Equal(t, int64(7), b.planRollback(b.rollbackRequest(7, memory)).Undo)
	for _, pass := range []int64{3, 8} {
		refused := b.planRollback(b.rollbackRequest(pass, memory)).Refused
		require.NotNil(t, refused)
		require.Equal(t, protocol.NothingToRollBack, refused.Code)
		require.Contains(t, refused.Message, fmt.Sprintf("Pass %d", pass))
	}

	b.rollback(0, memory)
	b.recorded(9, func(r *protocol.PassRecord) { r.Report.Trigger, r.Undoes = protocol.TriggerRollback, 7 })
	require.Equal(t, int64(7), b.planRollback(b.rollbackRequest(0, memory)).Undo, "a rollback is no pass that wrote")
	require.Contains(t, b.planRollback(b.rollbackRequest(9, memory)).Refused.Message, "a rollback itself")
}

func TestAPassThatWasEndedByForceCanBeRolledBack(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{}) // and no record of it
	_, undone := b.rollback(0, memory)
	require.Equal(t, 2, undone.Counts.Updated)
	require.Equal(t, map[string]string{"p1": "7", "p2": "8", "p3": "2"}, b.quantities())

	b.recorded(9, func(r *protocol.PassRecord) { r.Report.Trigger = protocol.TriggerRollback })
	memory.Ledger, memory.Lost = protocol.Ref{}, 7 // as StockSync knows of such a pass
	planned := b.planRollback(b.rollbackRequest(0, memory))
	require.Equal(t, 2, planned.Counts.Unchanged)
	require.Zero(t, planned.Counts.Unmatched, "its plan is found and tells the keys")
}

func TestADryRunOfARollbackWritesNothing(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{})
	before, writes := b.quantities(), len(b.shop.Writes())
	request := b.rollbackRequest(0, memory)
	request.DryRun, request.Pass = true, 0
	planned := b.planRollback(request)
	require.Equal(t, 2, planned.Writes)
	require.Contains(t, planned.Plan.Key, "/dry-")
	require.True(t, planned.Ledger.Zero())
	require.Equal(t, before, b.quantities())
	require.Len(t, b.shop.Writes(), writes)
}

func TestTheProductsOfAPassAreFoundAgain(t *testing.T) {
	tests := []struct {
		rule  string
		match string
		then  func(*bench, *protocol.Memory)
		want  int
	}{
		{"by the ledger", "ean", nil, 1},
		{"by the pass's own plan, where the ledger does not have them any more", "ean", func(b *bench, m *protocol.Memory) { m.Ledger = protocol.Ref{} }, 1},
		{"by the code of the item, where no plan is left", "number", func(b *bench, m *protocol.Memory) {
			b.lose(m.Ledger)
			m.Ledger = protocol.Ref{}
		}, 2},
		{"by the keys of then, where another key is chosen since", "ean", func(b *bench, _ *protocol.Memory) { b.loaded.Settings.Rules.Match = stock.ByNumber }, 1},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			kros, shop := small()
			b := newBench(t, kros, shop, fmt.Sprintf("match = %q", test.match))
			b.onDisk()
			memory, _ := b.pass(protocol.Memory{})
			b.recorded(7, func(r *protocol.PassRecord) { r.Plan = memory.Ledger })
			if test.then != nil {
				test.then(b, &memory)
			}
			planned := b.planRollback(b.rollbackRequest(7, memory))
			require.Equal(t, test.want, planned.Writes)
			require.Zero(t, planned.Counts.Unmatched)
		})
	}
}

// After a rollback the memory says what is in the shop: the next pass takes no
// restored product for a sale.
func TestTheLedgerOfARollback(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, written := b.pass(protocol.Memory{})
	memory.Receipts = written.Receipts
	planned, _ := b.rollback(7, memory)
	require.NotEqual(t, memory.Ledger, planned.Ledger)
	entries := map[string]string{}
	ledger := rows[stock.Line](b, planned.Ledger)
	require.Len(t, ledger, len(rows[stock.Line](b, memory.Ledger)), "every item of it")
	for _, line := range ledger {
		for _, e := range line.Entries {
			entries[e.Product] = fmt.Sprintf("%s>%s kros %s", e.From, e.To, e.Kros)
		}
	}
	require.Equal(t, map[string]string{"p1": "7>7 kros 7", "p2": "3>8 kros 3", "p3": "9>2 kros 9"}, entries)

	newest, err := run[protocol.InspectPage](b, b.acts.ReadArchive, protocol.InspectRequest{Shop: acme, Ref: planned.Ledger})
	require.NoError(t, err)
	require.Equal(t, len(ledger), newest.Total)
}

func TestAnotherShopIsNotRolledBack(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{})
	b.shop.SetShop("fynode-2", "Other")
	_, err := run[any](b, b.acts.PlanRollback, b.rollbackRequest(7, memory))
	fails(t, protocol.ShopChanged, err)
}

func TestHistoryComesNewestFirstInPages(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.onDisk()
	for pass := range int64(60) {
		b.now = b.now.Add(time.Minute)
		b.recorded(pass+1, nil)
	}
	b.pass(protocol.Memory{}) // pass 7 wrote, and its record does not know of it
	ask := func(r protocol.HistoryRequest) protocol.HistoryPage {
		r.Shop = acme
		page, err := run[protocol.HistoryPage](b, b.acts.ReadHistory, r)
		require.NoError(t, err)
		return page
	}
	numbers := func(p protocol.HistoryPage) []int64 {
		return lo.Map(p.Records, func(r protocol.PassRecord, _ int) int64 { return r.Report.Pass })
	}
	first := ask(protocol.HistoryRequest{})
	require.Len(t, first.Records, protocol.MaxHistoryRecords)
	require.Equal(t, int64(60), first.Records[0].Report.Pass)
	second := ask(protocol.HistoryRequest{Before: first.Next})
	require.Zero(t, second.Next)
	require.Len(t, lo.Uniq(append(numbers(first), numbers(second)...)), 60)

	one := ask(protocol.HistoryRequest{Before: 8, Limit: 2})
	require.Equal(t, []int64{7, 6}, numbers(one))
	require.Len(t, one.Records[0].Receipts, 1, "added from the archive")
	require.Equal(t, 2, one.Records[0].Receipts[0].Rows)
	require.Empty(t, one.Records[1].Receipts)

	entries, err := b.archive.List(t.Context(), acme, snapshot.Pass)
	require.NoError(t, err)
	b.lose(protocol.Ref{Key: entries[5].Key})
	b.lose(protocol.Ref{Key: entries[6].Key})
	one = ask(protocol.HistoryRequest{Before: 8, Limit: 2})
	require.Equal(t, []int64{7, 5}, numbers(one), "what wrote is told without a record, too")
	require.Empty(t, one.Records[0].Report.Result)
	require.WithinDuration(t, b.now, one.Records[0].Report.StartedAt, time.Second)
	require.Empty(t, ask(protocol.HistoryRequest{Before: 1}).Records)
}

func TestAPageOfTheHistoryStaysSmall(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	long := strings.Repeat("x", 60<<10)
	for pass := range int64(9) {
		b.recorded(pass+1, func(r *protocol.PassRecord) { r.Report.Warnings = []string{long} })
	}
	var seen []int64
	for before, pages := int64(0), 0; pages == 0 || before > 0; pages++ {
		page, err := run[protocol.HistoryPage](b, b.acts.ReadHistory, protocol.HistoryRequest{Shop: acme, Before: before})
		require.NoError(t, err)
		require.NotEmpty(t, page.Records)
		require.LessOrEqual(t, len(asJSON(t, page)), protocol.MaxInspectBytes+1<<10)
		for _, r := range page.Records {
			seen = append(seen, r.Report.Pass)
		}
		before = page.Next
	}
	require.Equal(t, []int64{9, 8, 7, 6, 5, 4, 3, 2, 1}, seen)
}

// What a rollback lowers did not sell.
func TestTheNextPassTakesNoRestoredProductForASale(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, written := b.pass(protocol.Memory{}) // p3 rises from 2 to 9
	memory.Receipts = written.Receipts
	planned, undone := b.rollback(7, memory)
	require.Equal(t, "2", b.quantities()["p3"])
	wanted := func(m protocol.Memory) string {
		for _, line := range rows[stock.Line](b, b.match(b.fetch(m)).Plan) {
			if line.Item == "A-3" {
				return line.Entries[0].To.String()
			}
		}
		return ""
	}
	require.Equal(t, "2", wanted(memory), "by the old ledger 7 pieces would have been sold")
	after := memory
	after.Ledger, after.Receipts = planned.Ledger, undone.Receipts
	require.Equal(t, "9", wanted(after))
	after.Receipts = nil
	require.Equal(t, "9", wanted(after), "also where the rollback ended between a write and its receipt")
}
