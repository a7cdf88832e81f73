package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// written is how the oracle's settings stand in the configuration.
func written(s catalogue.Settings) (inKros, lines settings) {
	if len(s.Warehouses) > 0 {
		inKros = settings(`warehouses = ["` + strings.Join(s.Warehouses, `", "`) + `"]`)
	}
	lines = settings(fmt.Sprintf("match = %q\nquantity = %q\n", s.Match, s.Quantity))
	if s.Buffer != "" {
		lines += settings("buffer = " + s.Buffer + "\n")
	}
	if s.Decimals != 0 {
		lines += settings(fmt.Sprintf("decimals = %d\n", s.Decimals))
	}
	if len(s.UnitDecimals) > 0 {
		lines += "unit_decimals = {\n"
		for unit, decimals := range s.UnitDecimals {
			lines += settings(fmt.Sprintf("%s = %d\n", unit, decimals))
		}
		lines += "}\n"
	}
	return inKros, lines
}

// configuredAs makes a house whose settings are s.
func configuredAs(t *testing.T, s catalogue.Settings, kros krossim.Options, shop fynodesim.Options) *house {
	t.Helper()
	h := newHouse(t, kros, shop, "")
	h.configureWith(written(s))
	return h
}

// noLedger are settings under which numbers may change as they like: the oracle
// knows neither sales nor holds.
const noLedger settings = `
  sold_hold = "0s"
  guard {
    max_zeroed  = "100%"
    max_changed = "100%"
  }`

// unguarded is a house whose sides may change as they like.
func unguarded(t *testing.T, s catalogue.Settings, kros krossim.Options, shop fynodesim.Options) *house {
	t.Helper()
	h := newHouse(t, kros, shop, "")
	inKros, lines := written(s)
	h.configureWith(inKros, lines+noLedger)
	return h
}

func TestEveryCombinationOfSettingsGivesWhatTheOracleGives(t *testing.T) {
	t.Parallel()
	generated, shopOfIt := catalogue.Generate(3, 500)
	for name, test := range map[string]struct {
		kros, shop []byte
		quantities []string // the first is that of the first pass
		warehouses [][]string
	}{
		"realistic": {catalogue.Kros(), catalogue.Shop(), []string{"max", "sum"}, [][]string{{"LT"}, {"PR"}, {"LT", "PR"}}},
		"generated": {generated, shopOfIt, []string{"sum"}, [][]string{{"LT", "PR"}}},
	} {
		for _, match := range []string{"number", "ean"} {
			t.Run(name+" by "+match, func(t *testing.T) {
				t.Parallel()
				kros, shop := krosItems(t, test.kros), shopProducts(t, test.shop)
				s := catalogue.Settings{Match: match, Quantity: test.quantities[0]}
				h := configuredAs(t, s, krossim.Options{Items: kros, NoLimits: true}, fynodesim.Options{Products: shop})
				h.work()
				first := h.bringsInStep(s, h.start)
				require.Equal(t, len(kros)-duplicates(t, kros), first.KrosItems, "rows equal in everything are one item")
				require.Equal(t, protocol.TriggerActivation, first.Trigger)
				require.Zero(t, first.KrosRequests, "the first pass writes what the activation has shown")
				require.Equal(t, 1, h.sweeps())
				for _, s.Quantity = range test.quantities {
					for _, s.Warehouses = range test.warehouses {
						h.configureWith(written(s))
						require.NotEqual(t, first.SettingsHash, h.bringsInStep(s, h.now).SettingsHash)
					}
				}
				s.Buffer, s.Decimals, s.UnitDecimals = "1.5", 1, map[string]int32{"kg": 3, "m": 2}
				h.configureWith(written(s))
				h.bringsInStep(s, h.now)
				h.unmoved(func() { require.Zero(t, h.now().Updated, "a second pass writes nothing") })
			})
		}
	}
}

// sweeps is how often the list of KROS was read.
func (h *house) sweeps() (n int) {
	for _, request := range h.kros.State().Log {
		if strings.Contains(request.Query, "Skip=0") && !strings.Contains(request.Query, "ItemCode") {
			n++
		}
	}
	return n
}

// duplicates is how many rows say nothing new.
func duplicates(t *testing.T, kros []krossim.Item) int {
	seen, twice := map[string]bool{}, 0
	for _, item := range kros {
		text := asJSON(t, item)
		if seen[text] {
			twice++
		}
		seen[text] = true
	}
	return twice
}

func TestWhateverKROSMakesOfItsListTheShopEndsRight(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		match    string
		rows     int
		switches krossim.Switches
	}{
		"rows move between pages":                        {"number", 400, krossim.Switches{MovingRows: 5}},
		"two pages are shuffled":                         {"ean", 150, krossim.Switches{Shuffle: true}},
		"numbers are strings, and the EAN is called ean": {"ean", 300, krossim.Switches{NumbersAsStrings: true, EANField: "ean"}},
		"all at once": {"ean", 400, krossim.Switches{
			MovingRows: 3, NumbersAsStrings: true, EANField: "barcode", UnknownFields: true, ItemCodeSearches: true,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := catalogue.Settings{Match: test.match, Quantity: "sum"}
			kros, shop := sides(t, 10, test.rows)
			kros.Switches = test.switches
			shop.NumbersAsStrings = test.switches.NumbersAsStrings
			h := configuredAs(t, s, kros, shop)
			h.work()
			first := h.bringsInStep(s, h.start)
			require.Empty(t, first.Warnings, "the sweep was complete")
		})
	}
}

func TestWhatAListThatNeverHoldsStillDidNotShowIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "ean", Quantity: "sum"}
	kros, shop := sides(t, 11, 600)
	kros.Shuffle = true
	h := configuredAs(t, s, kros, shop)
	h.work()
	before, want := h.quantities(), h.expect(s)
	first := h.start()
	require.Equal(t, protocol.ResultOK, first.Result)
	require.Len(t, first.Warnings, 1)
	for id, quantity := range h.quantities() {
		require.Contains(t, []string{want[id], before[id]}, quantity, id)
	}
}

func TestACatalogueOfAnySizeIsReadWhole(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "number", Quantity: "max"}
	h := unguarded(t, s, krossim.Options{Items: rows(1, 7), NoLimits: true}, fynodesim.Options{Products: products(1, 3)})
	h.work()
	require.Equal(t, 1, h.bringsInStep(s, h.start).Updated)
	for _, n := range []int{99, 100, 101, 200} { // a full last page is not the last
		h.kros.SetItems(rows(n, n))
		h.fynode.SetProducts(products(n, 3))
		require.Equal(t, n, h.bringsInStep(s, h.now).Updated)
	}
}

func TestAChangedQuantityAndOnlyThatIsWritten(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "ean", Quantity: "max"}
	kros, shop := sides(t, 5, 120)
	h := configuredAs(t, s, kros, shop)
	h.work()
	h.bringsInStep(s, h.start)
	h.unmoved(func() { require.Zero(t, h.now().Updated) })

	changed := matchedItem(t, h, s)
	require.NoError(t, h.kros.SetStock(changed.ItemCode, krossim.Warehouse{Code: "LT", QuantityOnHand: "4711"}))
	report := h.bringsInStep(s, h.now)
	require.Equal(t, 1, report.Updated)
	require.Equal(t, 1, report.Raised)
	last := h.fynode.Writes()[len(h.fynode.Writes())-1]
	require.Equal(t, "4711", last.To.String())
	require.NotNil(t, h.status().KrosChangedAt)
}

// matchedItem is an item whose quantity the shop follows.
func matchedItem(t *testing.T, h *house, s catalogue.Settings) krossim.Item {
	t.Helper()
	before := h.expect(s)
	for _, item := range h.kros.State().Items {
		if item.ItemCode == "" || len(item.Warehouses) == 0 {
			continue
		}
		require.NoError(t, h.kros.SetStock(item.ItemCode, krossim.Warehouse{Code: "LT", QuantityOnHand: "4711"}))
		differs := 0
		for id, quantity := range h.expect(s) {
			if before[id] != quantity {
				differs++
			}
		}
		require.NoError(t, h.kros.SetStock(item.ItemCode, item.Warehouses...))
		if differs == 1 {
			return item
		}
	}
	require.Fail(t, "no item has one product")
	return krossim.Item{}
}

func TestADryRunWritesNothingAndCountsWhatThePassThenDoes(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "ean", Quantity: "sum"}
	kros, shop := sides(t, 7, 200)
	h := configuredAs(t, s, kros, shop)
	h.work()
	var before protocol.Report
	h.unmoved(func() { before = h.dryRun() }) // of a shop that was never activated
	require.True(t, before.DryRun)
	require.Zero(t, before.Pass)
	require.Positive(t, before.Updated)
	require.Empty(t, h.running())
	sameCounts(t, before, h.bringsInStep(s, h.start))

	for i, item := range h.kros.State().Items {
		if i%3 == 0 && item.ItemCode != "" {
			require.NoError(t, h.kros.SetStock(item.ItemCode, stockOf(i)...))
		}
	}
	var second protocol.Report
	h.unmoved(func() { second = h.dryRun() })
	require.Equal(t, protocol.ResultOK, second.Result)
	require.Positive(t, second.Raised)
	require.Positive(t, second.Lowered)
	sameCounts(t, second, h.bringsInStep(s, h.now))
	require.EqualValues(t, 2, h.status().LastPass.Pass, "a dry run is no pass")
}

func sameCounts(t *testing.T, dryRun, pass protocol.Report) {
	t.Helper()
	require.Equal(t, dryRun.Counts, pass.Counts)
	require.Equal(t, dryRun.Samples, pass.Samples)
	require.Equal(t, dryRun.PlanHash, pass.PlanHash)
	require.Equal(t, dryRun.SettingsHash, pass.SettingsHash)
}

// What a pass may cost in Temporal, in StockSync and SyncPass together. Samples
// of what is not in order make the bytes; these are of a shop without any.
var passBounds = site.Cost{Events: 42, Bytes: 16 << 10, Actions: 12}

func TestAPassCostsTheSameFewEventsHoweverLargeTheCatalogue(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "ean", Quantity: "sum"}
	kros, shop := sides(t, 8, 1_000)
	h := unguarded(t, s, kros, shop)
	h.work()
	h.start()
	small := h.costs(h.now)
	require.Equal(t, small.Events, h.costs(h.now).Events, "nothing has changed, as before")
	wrote := func(n int) site.Cost {
		for i, p := range h.fynode.Products() {
			if i%2 == 0 { // much is to be written
				require.NoError(t, h.fynode.SetQuantity(p.ID, p.Quantity.Add(decimal.NewFromInt(1))))
			}
		}
		return h.costs(func() protocol.Report {
			report := h.bringsInStep(s, h.now)
			require.Greater(t, report.Updated, n/4)
			return report
		})
	}
	few := wrote(1_000)
	kros, shop = sides(t, 8, 20_000)
	h.kros.SetItems(kros.Items)
	h.fynode.SetProducts(shop.Products)
	many := wrote(20_000)
	t.Logf("nothing changed: %+v; of 1,000 items many: %+v; of 20,000: %+v", small, few, many)
	require.InDelta(t, few.Events, many.Events, 2)
	require.InDelta(t, few.Actions, many.Actions, 1)
	require.InEpsilon(t, few.Bytes, many.Bytes, 0.1)
}

func TestAPassForANotificationCostsNoMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t, krossim.Options{Items: rows(100, 5), NoLimits: true}, fynodesim.Options{Products: products(100, 5)}, "")
	h.work()
	h.start()
	require.NoError(t, h.kros.SetStock("A0003", stockOf(6)...))
	cost := h.costs(func() protocol.Report {
		before := h.status().LastPass.Pass
		h.signal(protocol.SignalNotification, nil)
		return *h.eventually(passes(before + 1)).LastPass
	})
	t.Logf("one of 100 items changed: %+v", cost)
	require.NotEmpty(t, h.fynode.Writes())
	require.LessOrEqual(t, cost.Bytes, passBounds.Bytes)
}

// costs is what a pass costs in StockSync, from rest to rest, and in SyncPass:
// no more events and actions than there may be.
func (h *house) costs(pass func() protocol.Report) site.Cost {
	h.t.Helper()
	id := protocol.StockSyncID(h.shop)
	before, err := site.RestAfter(h.context(), h.client, id, site.Rest{})
	require.NoError(h.t, err)
	require.Equal(h.t, protocol.ResultOK, pass().Result)
	after, err := site.RestAfter(h.context(), h.client, id, before)
	require.NoError(h.t, err)
	require.Equal(h.t, before.Run, after.Run, "no new run came between")
	all, err := site.History(h.context(), h.client, id, after.Run)
	require.NoError(h.t, err)
	child, err := site.History(h.context(), h.client, protocol.SyncPassID(h.shop), "")
	require.NoError(h.t, err)
	cost := site.CostOf(all[before.Events:after.Events]).Plus(site.CostOf(child))
	require.LessOrEqual(h.t, cost.Events, passBounds.Events)
	require.LessOrEqual(h.t, cost.Actions, passBounds.Actions)
	return cost
}

func rows(n, quantity int) []krossim.Item {
	items := make([]krossim.Item, n)
	for i := range items {
		items[i] = row(fmt.Sprintf("A%04d", i), quantity)
	}
	return items
}

// products belong to rows by their numbers.
func products(n, quantity int) []fynodesim.Product {
	all := make([]fynodesim.Product, n)
	for i := range all {
		all[i] = fynodesim.Product{
			ID: fmt.Sprintf("p%04d", i), Number: fmt.Sprintf("A%04d", i), Name: fmt.Sprintf("Čaj %d", i),
			Quantity: decimal.NewFromInt(int64(quantity)),
		}
	}
	return all
}
