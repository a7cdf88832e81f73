package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

func TestAMomentOfTroubleInKROSIsWaitedOut(t *testing.T) {
	const list = "catalog-items"
	troubles := map[string][]krossim.Fault{
		"HTML instead of a page":      {{Kind: krossim.FaultHTML, Path: list, After: 1}},
		"a page of an error, as HTML": {{Kind: krossim.FaultHTML, Path: list, Status: 503}},
		"a page that is cut":          {{Kind: krossim.FaultCut, Path: list, After: 2}},
		"a connection that breaks":    {{Kind: krossim.FaultReset, Path: list, After: 1}},
		"408":                         {{Kind: krossim.FaultStatus, Status: 408, Path: list}},
		"429 with seconds":            {{Kind: krossim.FaultStatus, Status: 429, RetryAfter: "1", Path: list, After: 1}},
		"429 with a date long past":   {{Kind: krossim.FaultStatus, Status: 429, RetryAfter: "Wed, 21 Oct 2015 07:28:00 GMT", Path: list}},
		"429 without Retry-After":     {{Kind: krossim.FaultStatus, Status: 429, Path: list, After: 2}},
		"500":                         {{Kind: krossim.FaultStatus, Status: 500, Path: list}},
		"one after the other": {
			{Kind: krossim.FaultReset, Path: list}, {Kind: krossim.FaultHTML, Path: list, After: 1}, {Kind: krossim.FaultStatus, Status: 429, Path: list},
		},
	}
	t.Parallel()
	s := catalogue.Settings{Match: "number", Quantity: "sum"}
	kros, shop := sides(t, 20, 300)
	h := configuredAs(t, s, kros, shop)
	h.work()
	require.NoError(t, h.kros.AddFault(krossim.Fault{Kind: krossim.FaultHTML, Path: "auth/check"}))
	require.NoError(t, h.kros.AddFault(krossim.Fault{Kind: krossim.FaultCut, Path: list, After: 2}))
	h.bringsInStep(s, h.start)
	item, quantity := matchedItem(t, h, s), 5000
	for name, faults := range troubles {
		for _, fault := range faults {
			require.NoError(t, h.kros.AddFault(fault))
		}
		quantity++
		require.NoError(t, h.kros.SetStock(item.ItemCode, stockOf(quantity)...))
		require.Equal(t, 1, h.bringsInStep(s, h.now).Updated, name)
		require.Empty(t, h.kros.State().Faults, name)
		h.isActive()
	}
}

func TestAMomentOfTroubleInTheShopIsWaitedOut(t *testing.T) {
	t.Parallel()
	const stock = "products/stock"
	troubles := map[string]fynodesim.Fault{
		"the look-up is HTML":                {Kind: fynodesim.FaultHTML, Path: "products/lookup"},
		"the look-up is cut":                 {Kind: fynodesim.FaultCut, Path: "products/lookup"},
		"503 before the write":               {Kind: fynodesim.FaultStatus, Status: 503, Path: stock},
		"429 with Retry-After":               {Kind: fynodesim.FaultStatus, Status: 429, RetryAfter: "1", Path: stock},
		"the connection breaks":              {Kind: fynodesim.FaultReset, Path: stock},
		"the answer to a write is lost":      {Kind: fynodesim.FaultResetAfter, Path: stock},
		"the answer to a write is cut":       {Kind: fynodesim.FaultCut, Path: stock},
		"the answer is about other products": {Kind: fynodesim.FaultWrongID, Path: stock},
	}
	for name, test := range map[string]struct {
		switches fynodesim.Switches
		troubles []string
	}{
		"a shop that keeps the contract": {fynodesim.Switches{}, slices.Collect(maps.Keys(troubles))},
		"a shop that forgets keys":       {fynodesim.Switches{ForgetsKeys: true}, []string{"the answer to a write is lost"}},
		"a shop that hides quantities":   {fynodesim.Switches{HidesQuantity: true}, []string{"the connection breaks"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := catalogue.Settings{Match: "ean", Quantity: "sum"}
			kros, shop := sides(t, 21, 110)
			shop.Switches = test.switches
			h := configuredAs(t, s, kros, shop)
			h.work()
			h.bringsInStep(s, h.start)
			item, quantity := matchedItem(t, h, s), 5000
			for _, name := range test.troubles {
				require.NoError(t, h.fynode.AddFault(troubles[name]))
				quantity++
				require.NoError(t, h.kros.SetStock(item.ItemCode, stockOf(quantity)...))
				want, before := h.expect(s), len(h.fynode.Writes())
				pass := h.now()
				require.Equal(t, protocol.ResultOK, pass.Result, name+asJSON(t, pass))
				require.Zero(t, pass.Rejected, name)
				require.Equal(t, want, h.quantities(), name)
				require.Len(t, h.fynode.Writes(), before+1, name)
				require.Empty(t, h.fynode.State().Faults, name)
			}
			h.unmoved(func() { require.Zero(t, h.now().Updated) })
		})
	}
}

func TestAListThatEndsTooEarlyTouchesNothingThatItDidNotShow(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "number", Quantity: "max"}
	h := configuredAs(t, s, krossim.Options{Items: rows(300, 5), NoLimits: true}, fynodesim.Options{Products: products(300, 1)})
	h.work()
	h.bringsInStep(s, h.start)
	h.kros.SetItems(rows(200, 6))
	cut := h.now()
	require.Equal(t, 200, cut.KrosItems)
	require.Equal(t, 100, cut.Missing)
	shown := map[string]int{}
	for _, quantity := range h.quantities() {
		shown[quantity]++
	}
	require.Equal(t, map[string]int{"6": 200, "5": 100}, shown)
}

func TestRowsThatCannotBeReadAreNeverNoStock(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]krossim.Fault{
		"a redirect elsewhere":  {Kind: krossim.FaultRedirect, Path: "catalog-items", Count: -1},
		"HTML and nothing else": {Kind: krossim.FaultHTML, Path: "catalog-items", Count: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var elsewhere atomic.Int32
			other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
			defer other.Close()
			fault.Location = other.URL

			s := catalogue.Settings{Match: "number", Quantity: "max"}
			h := configuredAs(t, s, krossim.Options{Items: rows(20, 5), NoLimits: true}, fynodesim.Options{Products: products(20, 1)})
			h.work()
			h.start()
			require.NoError(t, h.kros.SetStock("A0003", stockOf(9)...))
			require.NoError(t, h.kros.AddFault(fault))
			h.unmoved(func() {
				failed := h.now()
				require.Equal(t, protocol.ResultFailed, failed.Result)
				require.Equal(t, protocol.KrosBadResponse, failed.Failure.Code)
			})
			h.standsFor(protocol.StateFailing, protocol.KrosBadResponse)
			require.Zero(t, elsewhere.Load(), "the token goes to nobody else")

			h.kros.ClearFaults()
			require.Equal(t, 1, h.bringsInStep(s, h.now).Updated)
			h.isActive()
		})
	}
}

func TestTheLimitsOfKROSAreKept(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "number", Quantity: "max"}
	kros, shop := sides(t, 22, 1200)
	kros.NoLimits = false
	h := newHouse(t, kros, shop, "")
	inKros, lines := written(s)
	h.configureWith(inKros+"requests_per_second = 10\nrequests_per_minute = 300\n", lines)
	h.work()
	h.bringsInStep(s, h.start)
	h.bringsInStep(s, h.now)
	state := h.kros.State()
	require.Zero(t, state.Rejected)
	require.LessOrEqual(t, state.MaxPerSecond, 10)
	require.LessOrEqual(t, state.MaxPerMinute, 300)
}

func TestAKROSThatAllowsLessThanIsConfiguredIsObeyed(t *testing.T) {
	t.Parallel()
	for _, form := range []krossim.RetryAfter{krossim.RetryDate, krossim.RetryAbsent} {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			s := catalogue.Settings{Match: "number", Quantity: "max"}
			kros, shop := sides(t, 23, 250)
			kros.NoLimits, kros.PerSecond, kros.RetryAfter = false, 2, form
			h := configuredAs(t, s, kros, shop)
			h.work()
			h.bringsInStep(s, h.start)
			require.Positive(t, h.kros.State().Rejected)
		})
	}
}
