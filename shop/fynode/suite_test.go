package fynode_test

import (
	"net/http/httptest"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode"
	"github.com/skladom/skladom/shop/shoptest"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/fynodesim"
)

const token = "fynode-token-7f3a"

func TestDriverPassesTheSuite(t *testing.T) {
	for name, switches := range map[string]fynodesim.Switches{
		"to the letter":      {},
		"numbers as strings": {NumbersAsStrings: true},
		"forgets keys":       {ForgetsKeys: true},
		"results say less":   {HidesQuantity: true},
	} {
		t.Run(name, func(t *testing.T) {
			shoptest.Run(t, func(t *testing.T) shoptest.Harness { return harness(t, switches) })
		})
	}
}

func harness(t *testing.T, switches fynodesim.Switches) shoptest.Harness {
	sim, client := start(t, fynodesim.Options{ID: "acme", Name: "Acme – záhrada", Switches: switches})
	return shoptest.Harness{
		Shop:     client,
		Identity: shop.Identity{ID: "acme", Name: "Acme – záhrada"},
		Seed: func(products ...stock.Product) {
			sim.SetProducts(lo.Map(products, func(p stock.Product, _ int) fynodesim.Product { return simulated(p) }))
		},
		Quantity: func(id string) decimal.Decimal {
			product, ok := sim.Product(id)
			require.True(t, ok, "product %q", id)
			return product.Quantity
		},
		Sell: func(id string, quantity decimal.Decimal) { require.NoError(t, sim.SetQuantity(id, quantity)) },
	}
}

// start runs a shop behind HTTP and a client of it.
func start(t *testing.T, options fynodesim.Options) (*fynodesim.Server, *fynode.Client) {
	options.Token = token
	sim := fynodesim.New(options)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	client, err := fynode.New(fynode.Config{URL: server.URL + "/api/v1", APIKey: token})
	require.NoError(t, err)
	return sim, client
}

// simulated is a product as a shop holds it; true goes untold, as it may.
func simulated(p stock.Product) fynodesim.Product {
	return fynodesim.Product{
		ID: p.ID, Number: p.Number, EAN: p.EAN, Name: p.Name, Quantity: p.Quantity,
		Tracked: lo.Ternary(p.Tracked, nil, lo.ToPtr(false)), ParentID: p.ParentID,
	}
}
