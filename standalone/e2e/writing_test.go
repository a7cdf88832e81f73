package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/fynodesim"
)

// sellsDuring changes the quantity of a product just before the shop carries
// out a write: an order came in since it was looked up.
func (h *house) sellsDuring(times int32, product string, quantity func(n int32) int64) {
	var writes atomic.Int32
	h.atShop.Meet(func(r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "products/stock") {
			return
		}
		if n := writes.Add(1); n <= times {
			_ = h.fynode.SetQuantity(product, decimal.NewFromInt(quantity(n)))
		}
	})
}

func TestWhatTheShopMakesOfAWrite(t *testing.T) {
	t.Parallel()
	h := tea(t, 40, noLedger)
	h.run("a sale between look-up and write is planned again", soldOnce)
	h.run("a product that changes all the time is left to the next pass", soldAllTheTime)
	h.run("a conflict that is right already is done", rightAlready)
	h.run("one rejected product stops no other", rejectedOne)
	h.run("a batch that is refused for one product is split", refusedBatch)
	h.run("decreases are written before increases", decreasesFirst)
}

func soldOnce(t *testing.T, h *house) {
	for _, item := range []string{"A0003", "A0004", "A0005"} {
		h.has(item, 8)
	}
	h.sellsDuring(1, "p0004", func(int32) int64 { return 3 })
	want := h.expect(byNumber)
	report := h.now()
	require.Equal(t, protocol.ResultOK, report.Result)
	require.Equal(t, want, h.quantities())
	require.Equal(t, 3, report.Updated)
	require.Equal(t, 1, report.Conflicts)
	require.Zero(t, report.Rejected)
}

func soldAllTheTime(t *testing.T, h *house) {
	for _, item := range []string{"A0003", "A0004"} {
		h.has(item, 9)
	}
	h.sellsDuring(2, "p0004", func(n int32) int64 { return int64(n) })
	report := h.now()
	require.Equal(t, protocol.ResultOK, report.Result)
	require.Equal(t, 1, report.Updated)
	require.Equal(t, 1, report.Rejected)
	require.Len(t, report.Samples["rejected"], 1)
	require.Equal(t, stock.ReasonConflict, report.Samples["rejected"][0].ReasonCode)
	require.Equal(t, "p0004", report.Samples["rejected"][0].Product)
	require.Equal(t, "2", h.quantities()["p0004"], "nothing is written over what was not expected")
	h.isActive()
	require.Equal(t, 1, h.bringsInStep(byNumber, h.now).Updated)
}

func rightAlready(t *testing.T, h *house) {
	h.has("A0004", 10)
	h.sellsDuring(1, "p0004", func(int32) int64 { return 10 })
	report := h.now()
	require.Equal(t, protocol.ResultOK, report.Result)
	require.Zero(t, report.Rejected)
	require.Equal(t, "10", h.quantities()["p0004"])
}

func rejectedOne(t *testing.T, h *house) {
	h.fynode.SetRejected("p0004")
	h.refusesOne(t, 11)
	h.fynode.SetRejected()
	require.Equal(t, 1, h.bringsInStep(byNumber, h.now).Updated)
}

func refusedBatch(t *testing.T, h *house) {
	fault := fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 422, Path: "products/stock", Product: "p0004", Count: -1}
	require.NoError(t, h.fynode.AddFault(fault))
	h.refusesOne(t, 12)
	h.fynode.ClearFaults()
	require.Equal(t, 1, h.bringsInStep(byNumber, h.now).Updated)
}

// refusesOne changes everything in KROS and checks that p0004 alone stays.
func (h *house) refusesOne(t *testing.T, quantity int) {
	for _, item := range h.kros.State().Items {
		h.has(item.ItemCode, quantity)
	}
	want := h.expect(byNumber)
	want["p0004"] = h.quantities()["p0004"]
	report := h.now()
	require.Equal(t, protocol.ResultOK, report.Result)
	require.Equal(t, want, h.quantities())
	require.Equal(t, 39, report.Updated)
	require.Equal(t, 1, report.Rejected)
	require.Equal(t, "A0004", report.Samples["rejected"][0].Item)
	require.NotEmpty(t, report.Samples["rejected"][0].Reason)
	h.isActive()
}

func decreasesFirst(t *testing.T, h *house) {
	for i, item := range h.kros.State().Items {
		h.has(item.ItemCode, 11+2*(i%2))
	}
	done := len(h.fynode.Writes())
	report := h.bringsInStep(byNumber, h.now)
	require.Equal(t, 20, report.Raised)
	require.Equal(t, 20, report.Lowered)
	raising := false
	for _, w := range h.fynode.Writes()[done:] {
		raises := w.To.GreaterThan(w.From)
		require.False(t, raising && !raises, "%s after an increase", w.ID)
		raising = raises
	}
}

func TestAnItemThatKROSDoesNotShowAnyMoreIsSetToZeroWhereToldTo(t *testing.T) {
	t.Parallel()
	h := tea(t, 10, `missing = "zero"`)
	never := products(1, 7)[0] // of an item that we never wrote
	never.ID, never.Number = "p-never", "NEVER"
	h.fynode.PutProduct(never)
	h.kros.SetItems(rows(9, 5))
	report := h.now()
	require.Equal(t, protocol.ResultOK, report.Result)
	require.Equal(t, 1, report.Missing)
	require.Equal(t, 9, report.KrosItems)
	require.Equal(t, "0", h.quantities()["p0009"])
	require.Equal(t, "7", h.quantities()["p-never"])
	require.Len(t, report.Samples["missing"], 1)
	h.unmoved(func() { h.now() })

	h.kros.SetItems(rows(10, 5))
	h.bringsInStep(byNumber, h.now)
}

func TestWhatAPassDidCanBeReadPageByPage(t *testing.T) {
	t.Parallel()
	s := byNumber
	kros, shop := sides(t, 40, 1100)
	h := configuredAs(t, s, kros, shop)
	h.work()
	report := h.start()

	counts := map[stock.Outcome]int{}
	pages := h.inspect(protocol.InspectRequest{Shop: h.shop, Kind: protocol.InspectPlan}, func(row json.RawMessage) {
		var line stock.Line
		require.NoError(t, json.Unmarshal(row, &line))
		counts[line.Outcome]++
	})
	require.GreaterOrEqual(t, pages, 3, "a page has at most 500 rows")
	require.Equal(t, report.Updated, counts[stock.Updated])
	require.Equal(t, report.Unmatched, counts[stock.Unmatched])
	require.Equal(t, report.Ambiguous, counts[stock.Ambiguous])

	written := map[string]string{}
	h.inspect(protocol.InspectRequest{Shop: h.shop, Kind: protocol.InspectReceipt, Pass: 1, Limit: 100}, func(row json.RawMessage) {
		var receipt stock.Receipt
		require.NoError(t, json.Unmarshal(row, &receipt))
		require.Equal(t, stock.AnswerUpdated, receipt.Answer)
		written[receipt.Product] = receipt.Asked.String()
	})
	require.Len(t, written, len(h.fynode.Writes()))
	for _, w := range h.fynode.Writes() {
		require.Equal(t, w.To.String(), written[w.ID])
	}

	report = h.now() // the first pass took the catalogue of the activation
	items := 0
	h.inspect(protocol.InspectRequest{Shop: h.shop, Kind: protocol.InspectCatalogue}, func(json.RawMessage) { items++ })
	require.Equal(t, report.KrosItems, items)

	err := h.execute(protocol.InspectID(h.shop, "nothing"), protocol.Inspect, protocol.InspectRequest{Shop: h.shop, Kind: protocol.InspectPlan, Pass: 99}, nil)
	require.ErrorContains(t, err, "pass 99")
}

// inspect reads an object of the archive to its end and counts the pages.
func (h *house) inspect(request protocol.InspectRequest, row func(json.RawMessage)) (pages int) {
	h.t.Helper()
	seen := 0
	for {
		pages++
		var page protocol.InspectPage
		require.NoError(h.t, h.execute(protocol.InspectID(h.shop, newName()), protocol.Inspect, request, &page))
		require.LessOrEqual(h.t, len(page.Rows), protocol.MaxInspectRows)
		for _, r := range page.Rows {
			row(r)
		}
		if seen += len(page.Rows); page.Next == 0 {
			require.Equal(h.t, page.Total, seen)
			return pages
		}
		require.Equal(h.t, seen, page.Next)
		request.Ref, request.Offset = page.Ref, page.Next
	}
}
