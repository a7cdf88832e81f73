package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// hold is what waits for a person, nil where nothing does.
func (h *house) held() *protocol.Hold {
	h.t.Helper()
	var known protocol.Recollection
	require.NoError(h.t, site.Query(h.context(), h.client, h.shop, protocol.QueryMemory, &known))
	return known.Hold
}

func (h *house) approve() protocol.Report {
	h.t.Helper()
	var report protocol.Report
	h.update(protocol.UpdateApprove, &report, protocol.AnswerRequest{Hash: h.held().Hash, By: "Jana"})
	addsUp(h.t, report)
	return report
}

func (h *house) sells(product string, pieces int64) {
	h.t.Helper()
	p, known := h.fynode.Product(product)
	require.True(h.t, known)
	require.NoError(h.t, h.fynode.SetQuantity(product, p.Quantity.Sub(decimal.NewFromInt(pieces))))
}

// Whatever KROS or the shop suddenly shows: no product goes to 0 and no number
// changes in silence; the status says in one sentence what is held and why; and
// whatever is held, an approval ends it.
func TestNothingIsWipedOut(t *testing.T) {
	t.Parallel()
	const n = 60
	right := rows(n, 5)
	without := func(items []krossim.Item) []krossim.Item {
		return lo.Map(items, func(i krossim.Item, _ int) krossim.Item { i.Warehouses = nil; return i })
	}
	tests := []struct {
		name   string
		kros   []krossim.Item
		code   protocol.Code
		says   string
		result protocol.Result
		after  map[string]string // quantities of products once approved, "" for those that keep theirs
	}{
		{"an empty catalogue", nil, protocol.CatalogueChanged, "none of the 60 items", protocol.ResultHeld, map[string]string{"p0000": "5"}},
		{"a third of it", right[:n/3], protocol.CatalogueChanged, "20 of the 60 items", protocol.ResultHeld, map[string]string{"p0059": "5"}},
		{"no rows", without(right), protocol.CatalogueChanged, "no warehouse any more", protocol.ResultHeld, map[string]string{"p0000": "0"}},
		{"another company's catalogue of equal size", lo.Map(right, func(i krossim.Item, k int) krossim.Item { i.ItemCode = fmt.Sprintf("X%04d", k); return i }),
			protocol.CatalogueChanged, "none of the 60 items", protocol.ResultHeld, map[string]string{"p0000": "5"}},
		{"all zeros", rows(n, 0), protocol.TooManyChanged, "60 products", protocol.ResultHeld, map[string]string{"p0000": "0"}},
		{"all five times as many", rows(n, 25), protocol.TooManyChanged, "60 products", protocol.ResultHeld, map[string]string{"p0000": "25"}},
		{"a third to zero", append(rows(n/3, 0), right[n/3:]...), protocol.TooManyZeroed, "20 products", protocol.ResultHeld, map[string]string{"p0000": "0", "p0059": "5"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := tea(t, n, "")
			h.kros.SetItems(test.kros)
			h.unmoved(func() {
				for range 2 { // a repeat makes it no truer
					report := h.now()
					require.Equal(t, test.result, report.Result, asJSON(t, report))
					require.Equal(t, test.code, report.Failure.Code)
				}
				require.Equal(t, h.dryRun().PlanHash, h.held().Hash, "what a dry run shows is what is held")
			})
			h.standsFor(protocol.StateHeld, test.code)
			require.Contains(t, h.status().Reason.Message, test.says)

			report := h.approve()
			require.Equal(t, protocol.ResultOK, report.Result, asJSON(t, report))
			require.Equal(t, protocol.TriggerApproval, report.Trigger)
			h.isActive()
			require.Nil(t, h.held())
			for id, quantity := range test.after {
				require.Equal(t, quantity, h.quantities()[id], id)
			}
			h.unmoved(func() { require.Equal(t, protocol.ResultOK, h.now().Result) })
		})
	}
	t.Run("a shop of 19 products all zero", func(t *testing.T) {
		t.Parallel()
		h := tea(t, 19, "")
		h.kros.SetItems(rows(19, 0))
		h.unmoved(func() { require.Equal(t, protocol.TooManyZeroed, h.now().Failure.Code) })
		h.kros.SetItems(rows(19, 5)) // it was a mistake
		h.unmoved(func() { require.Equal(t, protocol.ResultOK, h.now().Result) })
		h.isActive()
	})
	t.Run("a warehouse renamed", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, krossim.Options{Items: right, NoLimits: true}, fynodesim.Options{Products: products(n, 1)}, "")
		h.configureWith(`warehouses = ["LT"]`, "")
		h.work()
		h.bringsInStep(byNumber, h.start)
		h.kros.SetItems(lo.Map(right, func(i krossim.Item, _ int) krossim.Item {
			i.Warehouses = []krossim.Warehouse{{Code: "LT2", QuantityOnHand: "5"}}
			return i
		}))
		h.unmoved(func() { require.Equal(t, protocol.WarehouseUnknown, h.now().Failure.Code) })
		require.Contains(t, h.status().Reason.Hint, `"LT2"`)
	})
	t.Run("the shop's look-up suddenly empty", func(t *testing.T) {
		t.Parallel()
		h := tea(t, n, "")
		shop := h.fynode.Products()
		h.fynode.SetProducts(nil)
		h.unmoved(func() { require.Equal(t, protocol.ProductsMissing, h.now().Failure.Code) })
		h.fynode.SetProducts(shop)
		h.unmoved(func() { require.Equal(t, protocol.ResultOK, h.now().Result) })
	})
	t.Run("ten slices of a twentieth with a pass each", func(t *testing.T) {
		t.Parallel()
		h := tea(t, n, "")
		for slice := range 10 {
			for i := range 3 {
				h.has(fmt.Sprintf("A%04d", 3*slice+i), 0)
			}
			h.has("A0059", 10+slice)
			report := h.now()
			require.Equal(t, slice >= 6, report.Result == protocol.ResultHeld, "slice %d: %s", slice, asJSON(t, report))
			require.Equal(t, fmt.Sprint(10+slice), h.quantities()["p0059"], "other changes still flow")
		}
		require.Equal(t, 18, lo.CountBy(lo.Values(h.quantities()), func(q string) bool { return q == "0" }))
		require.Contains(t, h.status().Reason.Message, "12 products more to 0, after 18 within a day, of 60")
	})
}

func TestWhatTheShopSoldStaysSold(t *testing.T) {
	t.Parallel()
	h := tea(t, 40, "")
	h.has("A0000", 10)
	h.now()
	h.sells("p0000", 4)
	for range 3 {
		h.unmoved(func() { h.now() })
	}
	require.Equal(t, "6", h.quantities()["p0000"], "not refilled by the next passes")
	h.has("A0000", 6)
	h.unmoved(func() { h.now() })

	h.has("A0001", 30)
	h.now()
	h.sells("p0001", 29)
	h.now()
	h.has("A0001", 80)
	h.now()
	require.Equal(t, "51", h.quantities()["p0001"], "80 received with 29 unbooked")

	h.configure(`sold_hold = "0s"`)
	h.now()
	require.Equal(t, "80", h.quantities()["p0001"], "without a hold KROS wins")
	h.configure("")

	for i := 10; i < 30; i++ {
		require.NoError(t, h.fynode.SetQuantity(fmt.Sprintf("p%04d", i), decimal.NewFromInt(lo.Ternary[int64](i%2 == 0, 3, 8))))
	}
	report := h.now()
	require.Contains(t, strings.Join(report.Warnings, "\n"), "import or a restore")
	require.Equal(t, []string{"5", "5"}, []string{h.quantities()["p0010"], h.quantities()["p0011"]})
}

// The shop sells, KROS moves, and somebody else edits while a person decides.
func TestAnApprovalAppliesToWhatWasShown(t *testing.T) {
	t.Parallel()
	h := tea(t, 60, "")
	for i := range 20 {
		h.has(fmt.Sprintf("A%04d", i), 0)
	}
	require.Equal(t, protocol.ResultHeld, h.now().Result)
	hash := h.held().Hash
	h.has("A0000", 4)   // KROS found some
	h.has("A0030", 0)   // one more went to 0
	h.sells("p0001", 2) // of a held product
	h.sells("p0040", 2) // of another
	h.fynode.SetRejected("p0002")
	report := h.approve()
	require.Equal(t, protocol.ResultOK, report.Result, asJSON(t, report))
	require.Equal(t, 1, report.Rejected)
	got := h.quantities()
	require.Equal(t, map[string]string{"p0000": "4", "p0001": "0", "p0002": "5", "p0003": "0", "p0030": "0", "p0040": "3"},
		lo.PickByKeys(got, []string{"p0000", "p0001", "p0002", "p0003", "p0030", "p0040"}))
	h.isActive()

	h.fynode.SetRejected()
	h.unmoved(func() {
		var again protocol.Report
		h.update(protocol.UpdateApprove, &again, protocol.AnswerRequest{Hash: hash})
		require.Equal(t, report.Pass, again.Pass, "twice applies once")
	})
	var status protocol.Status
	require.ErrorContains(t, h.tryUpdate(protocol.UpdateDismiss, &status, protocol.AnswerRequest{Hash: hash}), "waits for approval")
}

func TestADismissalKeepsTheShopAsItIs(t *testing.T) {
	t.Parallel()
	h := tea(t, 60, "")
	for i := range 20 {
		h.has(fmt.Sprintf("A%04d", i), 0)
	}
	require.Equal(t, protocol.ResultHeld, h.now().Result)
	var status protocol.Status
	require.ErrorContains(t, h.tryUpdate(protocol.UpdateDismiss, &status, protocol.AnswerRequest{Hash: "another"}), "has changed since")
	h.update(protocol.UpdateDismiss, &status, protocol.AnswerRequest{Hash: h.held().Hash, By: "Jana"})
	require.Equal(t, protocol.StateActive, status.State)
	h.unmoved(func() {
		for range 2 {
			report := h.now()
			require.Equal(t, protocol.ResultOK, report.Result, asJSON(t, report))
			require.Equal(t, 20, report.Held)
		}
	})
	h.has("A0000", 3)
	require.Equal(t, 1, h.now().Updated, "KROS shows another number")
	require.Equal(t, "3", h.quantities()["p0000"])
}

// An archive of last week knows less than StockSync: the next pass is a first
// one, and nothing that differs is taken for sales.
func TestAnArchiveOfLastWeekIsAFirstPass(t *testing.T) {
	t.Parallel()
	h := tea(t, 40, "")
	week := t.TempDir()
	require.NoError(t, os.CopyFS(week, os.DirFS(h.archive)))
	h.kros.SetItems(rows(40, 7))
	h.now()
	h.sells("p0000", 2)
	h.now()

	require.NoError(t, os.RemoveAll(filepath.Join(h.archive, h.shop)))
	entries, err := os.ReadDir(h.archive)
	require.NoError(t, err)
	for _, e := range entries {
		require.NoError(t, os.RemoveAll(filepath.Join(h.archive, e.Name())))
	}
	require.NoError(t, os.CopyFS(h.archive, os.DirFS(week)))
	report := h.now()
	require.Equal(t, protocol.ResultOK, report.Result, asJSON(t, report))
	require.Equal(t, "7", h.quantities()["p0000"], "a first pass has no ledger")
	require.Equal(t, 1, report.Updated)
}

// A pass that is killed between its first write and its receipt leaves no
// answer; what was sold since stays sold.
func TestAKilledPassPutsNothingSoldBackOnSale(t *testing.T) {
	t.Parallel()
	h := newHouse(t, krossim.Options{Items: rows(40, 5), NoLimits: true}, fynodesim.Options{Products: products(40, 5)}, "")
	h.work()
	h.start()
	h.kros.SetItems(rows(40, 7))
	arrived, release := h.atShop.hold(t, "products/stock", 1)
	h.signal(protocol.SignalSyncNow, nil)
	h.wait(arrived)
	require.NoError(t, h.client.TerminateWorkflow(h.context(), protocol.SyncPassID(h.shop), "", "killed"))
	h.eventually(func(s protocol.Status) bool { return s.State == protocol.StateFailing })
	release()
	h.shows("p0000", "7") // it was written all the same
	h.sells("p0000", 3)
	report := h.now()
	require.Equal(t, protocol.ResultOK, report.Result, asJSON(t, report))
	require.Equal(t, "4", h.quantities()["p0000"])
}
