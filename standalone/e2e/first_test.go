package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

func TestActivationBringsTheShopInStep(t *testing.T) {
	kros, shop := catalogue.Kros(), catalogue.Shop()
	h := newHouse(t, krossim.Options{Items: krosItems(t, kros), NoLimits: true}, fynodesim.Options{Products: shopProducts(t, shop)}, `match = "ean"`)
	h.work()

	first := h.start()

	require.Equal(t, protocol.ResultOK, first.Result, asJSON(t, first))
	require.Equal(t, protocol.TriggerActivation, first.Trigger)
	require.Equal(t, catalogue.Expect(kros, shop, "ean", "max", nil), h.quantities())
	t.Log(asJSON(t, first))
	t.Log(asJSON(t, h.status()))
}
