package activities_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// catalogues is how many are tried; with 1000 it takes a minute and more:
//
//	go test ./activities -run RandomCatalogues -catalogues 1000
var catalogues = flag.Int("catalogues", 200, "how many random catalogues a dry run is compared on")

// A dry run, the plan of a pass and what a pass writes are the same changes, in
// shops that have sold, been edited and been held before.
func TestDryRunPlanAndPassAreTheSameForRandomCatalogues(t *testing.T) {
	b := newBench(t, krossim.Options{}, fynodesim.Options{ID: "fynode-1"}, "quantity = \"sum\"\nschedule = \"0 3 29 2 *\"")
	changes, held := 0, 0
	for seed := range uint64(*catalogues) {
		random := rand.New(rand.NewPCG(seed, 4))
		kros, shop := catalogue.Generate(seed, 10+random.IntN(30))
		items, err := krossim.LoadItems(bytes.NewReader(kros))
		require.NoError(t, err)
		products, err := fynodesim.LoadProducts(bytes.NewReader(shop))
		require.NoError(t, err)
		b.open("mem://")
		b.kros.SetItems(items)
		b.shop.SetProducts(products)
		memory := protocol.Memory{}
		for range 2 { // a first pass, and one with a past
			request := b.matchRequest(b.fetch(memory))
			request.Basis = b.loaded.Basis
			request.DryRun = true
			dry, err := run[protocol.Matched](b, b.acts.MatchProducts, request)
			require.NoError(t, err, "seed %d", seed)
			request.DryRun = false
			whole, err := run[protocol.Matched](b, b.acts.MatchProducts, request)
			require.NoError(t, err)
			require.Equal(t, dry.Doubt, whole.Doubt)
			if whole.Doubt != nil {
				break
			}
			before := len(b.shop.Writes())
			written := b.update(b.updateRequest(whole))
			planned := planOf(b, dry.Plan)
			require.Equal(t, planned.Writes(), planOf(b, whole.Plan).Writes(), "seed %d", seed)
			require.ElementsMatch(t, lo.Map(planned.Writes(), func(w stock.Write, _ int) string {
				return fmt.Sprint(w.Product, " ", w.From, " > ", w.To)
			}), lo.Map(b.shop.Writes()[before:], func(w fynodesim.Write, _ int) string {
				return fmt.Sprint(w.ID, " ", w.From, " > ", w.To)
			}), "seed %d", seed)
			require.Equal(t, dry.Counts, written.Counts)
			require.Equal(t, dry.Hash, whole.Hash)
			changes += len(planned.Writes())
			held += dry.Counts.Held
			memory = protocol.Memory{
				Baseline: request.Catalogue.Ref, Ledger: whole.Plan, Receipts: written.Receipts, Basis: b.loaded.Basis, Products: whole.Products, Pass: 7,
			}
			b.now = b.now.Add(30 * time.Minute)
			disturb(b, random, items)
		}
	}
	require.Greater(t, changes, 10**catalogues, "else it shows nothing")
	require.Greater(t, held, *catalogues)
}

// disturb lets the shop sell and be edited, and KROS change.
func disturb(b *bench, random *rand.Rand, items []krossim.Item) {
	for _, p := range b.shop.Products() {
		if random.IntN(3) == 0 {
			sold := p.Quantity.Sub(decimal.NewFromInt(int64(random.IntN(4) - 1)))
			require.NoError(b.t, b.shop.SetQuantity(p.ID, decimal.Max(decimal.Zero, sold)))
		}
	}
	for _, i := range items {
		if len(i.Warehouses) > 0 && random.IntN(4) == 0 {
			_ = b.kros.SetStock(i.ItemCode, krossim.Warehouse{Code: "LT", QuantityOnHand: "0"}) // some have no code
		}
	}
}

func planOf(b *bench, ref protocol.Ref) stock.Plan {
	return stock.Plan{Lines: rows[stock.Line](b, ref)}
}
