package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// trouble is what an activation must refuse.
type trouble struct {
	code protocol.Code
	says []string       // in message or hint, for the merchant
	make func(h *house) // of a connection that would do
	mend func(h *house)
}

func troubles() map[string]trouble {
	kros := func(fault krossim.Fault) func(h *house) {
		return func(h *house) {
			fault.Count = -1
			require.NoError(h.t, h.kros.AddFault(fault))
		}
	}
	shop := func(fault fynodesim.Fault) func(h *house) {
		return func(h *house) {
			fault.Count = -1
			require.NoError(h.t, h.fynode.AddFault(fault))
		}
	}
	mended := func(h *house) {
		h.kros.ClearFaults()
		h.fynode.ClearFaults()
	}
	return map[string]trouble{
		"wrong key": {
			code: protocol.KrosKeyInvalid, says: []string{"API prepojenia", "Vygenerovať token"},
			make: func(h *house) { h.kros.SetToken("another") },
			mend: func(h *house) { h.kros.SetToken(krosToken) },
		},
		"no API access, seen at the check": {
			code: protocol.KrosNoAPIAccess, says: []string{"Premium", "Základ", "Štandard"},
			make: kros(krossim.Fault{Kind: krossim.FaultStatus, Status: 402}), mend: mended,
		},
		"no API access, seen at the catalogue only": {
			code: protocol.KrosNoAPIAccess, says: []string{"Premium"},
			make: kros(krossim.Fault{Kind: krossim.FaultStatus, Status: 402, Path: "catalog-items"}), mend: mended,
		},
		"the key may not read": {
			code: protocol.KrosForbidden,
			make: kros(krossim.Fault{Kind: krossim.FaultStatus, Status: 403, Path: "catalog-items"}), mend: mended,
		},
		"KROS answers HTML": {
			code: protocol.KrosBadResponse,
			make: kros(krossim.Fault{Kind: krossim.FaultHTML, Path: "auth/check"}), mend: mended,
		},
		"KROS unreachable": {
			code: protocol.KrosUnavailable,
			make: kros(krossim.Fault{Kind: krossim.FaultReset}), mend: mended,
		},
		"unknown warehouse": {
			code: protocol.WarehouseUnknown, says: []string{`"XX"`, `"LT", "PR"`},
			make: func(h *house) { h.configureWith(`warehouses = ["LT", "XX"]`, "") },
			mend: func(h *house) { h.configure("") },
		},
		"no row of any warehouse": {
			code: protocol.KrosNoStock, says: []string{"OMEGA"},
			make: func(h *house) {
				items := h.kros.State().Items
				for i := range items {
					items[i].Warehouses = nil
				}
				h.kros.SetItems(items)
			},
			mend: func(h *house) { h.kros.SetItems(itemsOf(h)) },
		},
		"an empty catalogue": {
			code: protocol.KrosNoStock,
			make: func(h *house) { h.kros.SetItems(nil) },
			mend: func(h *house) { h.kros.SetItems(itemsOf(h)) },
		},
		"the shop has none of it": {
			code: protocol.NothingMatched, says: []string{"product number", `match = "ean"`},
			make: func(h *house) {
				all := h.fynode.Products()
				for i := range all {
					all[i].Number = "other " + all[i].Number
				}
				h.fynode.SetProducts(all)
			},
			mend: func(h *house) {
				all := h.fynode.Products()
				for i := range all {
					all[i].Number = strings.TrimPrefix(all[i].Number, "other ")
				}
				h.fynode.SetProducts(all)
			},
		},
		"shop unreachable": {
			code: protocol.ShopUnavailable,
			make: shop(fynodesim.Fault{Kind: fynodesim.FaultReset, Path: "shop"}), mend: mended,
		},
		"shop key refused": {
			code: protocol.ShopKeyInvalid, says: []string{"fynode.api_key"},
			make: func(h *house) { h.fynode.SetToken("another") },
			mend: func(h *house) { h.fynode.SetToken(shopToken) },
		},
		"the shop's key may not do this": {
			code: protocol.ShopForbidden,
			make: shop(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 403}), mend: mended,
		},
		"the shop's address is that of its pages": {
			code: protocol.ShopBadResponse, says: []string{"fynode.url"},
			make: shop(fynodesim.Fault{Kind: fynodesim.FaultHTML}), mend: mended,
		},
		"no settings": {
			code: protocol.ConfigMissing, says: []string{"skladom validate"},
			make: func(h *house) { h.remove("shops/" + h.shop + ".hcl") },
			mend: func(h *house) { h.configure("") },
		},
		"an environment variable is not set": {
			code: protocol.ConfigInvalid, says: []string{"KROS_TOKEN"},
			make: func(h *house) { h.unsetenv("KROS_TOKEN") },
			mend: func(h *house) { h.setenv("KROS_TOKEN", krosToken) },
		},
	}
}

// itemsOf is the catalogue that TestABadActivation begins with.
func itemsOf(h *house) []krossim.Item {
	kros, _ := sides(h.t, 30, 120)
	return kros.Items
}

// refused activates in spite of trouble and checks that the merchant is told
// what to do and that nothing is written.
func (h *house) refused(trouble trouble) {
	h.t.Helper()
	h.unmoved(func() {
		activation := h.activate(false)
		require.NotNil(h.t, activation.Failure, asJSON(h.t, activation))
		require.Equal(h.t, trouble.code, activation.Failure.Code, asJSON(h.t, activation))
		require.Empty(h.t, activation.ID)
		require.NotEmpty(h.t, activation.Failure.Message)
		require.NotEmpty(h.t, activation.Failure.Hint)
		for _, said := range trouble.says {
			require.Contains(h.t, activation.Failure.Message+" "+activation.Failure.Hint, said)
		}
	})
}

func TestABadActivationStartsNothingAndLeavesWhatRunsAsItWas(t *testing.T) {
	t.Parallel()
	all := slices.Sorted(maps.Keys(troubles()))
	for some := range slices.Chunk(all, (len(all)+3)/4) {
		t.Run(strings.Join(some, ", "), func(t *testing.T) {
			t.Parallel()
			kros, shop := sides(t, 30, 120)
			h := newHouse(t, kros, shop, "")
			h.work()
			for _, name := range some {
				h.run("at first: "+name, func(t *testing.T, h *house) {
					trouble := troubles()[name]
					trouble.make(h)
					h.refused(trouble)
					require.Empty(t, h.running())
					trouble.mend(h)
				})
			}
			h.bringsInStep(byNumber, h.start)
			run, before := h.running(), h.status()
			for _, name := range some {
				h.run("while it runs: "+name, func(t *testing.T, h *house) {
					trouble := troubles()[name]
					trouble.make(h)
					h.refused(trouble)
					require.Equal(t, run, h.running())
					require.Equal(t, before, h.status())
					trouble.mend(h)
				})
			}
			h.bringsInStep(byNumber, h.now)
			h.isActive()
		})
	}
}

func TestADryActivationShowsWhatItFoundAndWritesNothing(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "number", Quantity: "max"}
	kros, shop := sides(t, 33, 300)
	for i := range shop.Products { // a merchant who numbers differently, but for a few
		if i%10 != 0 {
			shop.Products[i].Number = "FY-" + shop.Products[i].ID
		}
	}
	shop.Name = "Zdravý kôš"
	h := configuredAs(t, s, kros, shop)
	h.work()
	var activation protocol.Activation
	h.unmoved(func() { activation = h.activate(true) })
	require.Nil(t, activation.Failure)
	require.Empty(t, activation.ID)
	require.Equal(t, protocol.StateInactive, activation.State)
	require.Empty(t, h.running())

	found := activation.Findings
	require.NotNil(t, found)
	require.Equal(t, "Zdravý kôš", found.ShopName)
	require.Equal(t, len(shop.Products), found.ShopProducts)
	require.Positive(t, found.Matched)
	require.Greater(t, found.MatchedByOther, 5*found.Matched, "by EAN it would fit")
	require.Len(t, found.Warehouses, 2)
	for _, warehouse := range found.Warehouses {
		require.Contains(t, []string{"LT", "PR"}, strings.TrimSpace(warehouse.Code))
		require.Positive(t, warehouse.Items)
		require.True(t, warehouse.Counted)
	}

	// The counts are those of the pass that follows.
	first := h.bringsInStep(s, h.start)
	require.Equal(t, first.Raised, found.Raised)
	require.Equal(t, first.Lowered, found.Lowered)
	require.Equal(t, first.Zeroed, found.Zeroed)
	require.Equal(t, first.Products, found.Products)
	require.Equal(t, first.KrosItems, found.KrosItems)
	require.Equal(t, first.Unmatched, found.Unmatched)

	// By the other key it finds what it had foretold.
	h.configureWith(written(catalogue.Settings{Match: "ean", Quantity: "max", Warehouses: []string{"PR"}}))
	other := h.activate(true).Findings
	for _, warehouse := range other.Warehouses {
		require.Equal(t, warehouse.Code == "PR", warehouse.Counted, warehouse.Code)
	}
	require.Equal(t, found.MatchedByOther, other.Matched)
	require.Equal(t, found.Matched, other.MatchedByOther)
}

func TestARunningShopIsActivatedAgain(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "number", Quantity: "max"}
	kros, shop := sides(t, 36, 120)
	h := configuredAs(t, s, kros, shop)
	h.work()
	h.bringsInStep(s, h.start)
	run, before := h.running(), h.status()
	h.fynode.SetShop("other", "Iný obchod")
	h.refused(trouble{code: protocol.ShopChanged})
	require.Equal(t, run, h.running())
	require.Equal(t, before, h.status())
	h.fynode.SetShop("sim", "Simulated shop")

	h.update(protocol.UpdatePause, &protocol.Status{}, protocol.PauseRequest{Reason: "inventúra"})
	require.Equal(t, protocol.StatePaused, h.status().State)
	require.NoError(t, h.kros.SetStock(matchedItem(t, h, s).ItemCode, stockOf(4711)...))

	again := h.bringsInStep(s, h.start)
	require.Equal(t, protocol.TriggerActivation, again.Trigger)
	require.EqualValues(t, 2, again.Pass, "the connection goes on, it does not begin anew")
	require.Equal(t, 1, again.Updated)
	require.Equal(t, run, h.running())
	h.isActive()
}

func TestActivatingAgainIsTheCureForAShopThatWasRebuilt(t *testing.T) {
	t.Parallel()
	s := catalogue.Settings{Match: "number", Quantity: "max"}
	h := configuredAs(t, s, krossim.Options{Items: rows(30, 5), NoLimits: true}, fynodesim.Options{Products: products(30, 1)})
	h.work()
	h.bringsInStep(s, h.start)
	h.fynode.SetProducts(products(10, 2))
	h.unmoved(func() {
		report := h.now()
		require.Equal(t, protocol.ResultFailed, report.Result)
		require.Equal(t, protocol.ProductsMissing, report.Failure.Code)
	})
	require.Equal(t, 10, h.bringsInStep(s, h.start).Updated)
	h.isActive()
	h.bringsInStep(s, h.now)
}
