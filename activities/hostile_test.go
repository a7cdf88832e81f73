package activities_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// Temporal takes 2 MiB a payload; above it an activity would be tried again and
// again. Whatever both sides fill their texts with, results stay far below.
func TestTextsOfAHostileCatalogueStayFarBelowTemporalsLimits(t *testing.T) {
	const most = 512 << 10
	long := strings.Repeat("ž", 40_000)
	kros := lo.Times(60, func(i int) krossim.Item {
		return krossim.Item{
			ItemCode: fmt.Sprintf("%d%s", i%50, strings.Repeat("č", 490)), Name: long, EANCode: long, MeasureUnit: long,
			Warehouses: lo.Times(20, func(j int) krossim.Warehouse {
				return krossim.Warehouse{Code: fmt.Sprintf("%d-%d%s", i, j, strings.Repeat("s", 900)), QuantityOnHand: "1"}
			}),
		}
	})
	shop := lo.Times(60, func(i int) fynodesim.Product {
		return fynodesim.Product{ID: fmt.Sprintf("%d%s", i, strings.Repeat("d", 900)), Number: kros[i%50].ItemCode, Name: long, Quantity: decimal.NewFromInt(7)}
	})
	for name, warehouses := range map[string]string{"all warehouses": "", "an unknown one": `warehouses = ["nowhere"]`} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, krossim.Options{Items: kros}, fynodesim.Options{Products: shop, Name: long}, "", warehouses)
			fetched := b.fetch(protocol.Memory{})
			require.Less(t, len(asJSON(t, fetched)), most)
			request := b.matchRequest(fetched)
			request.Findings = true
			matched, err := run[protocol.Matched](b, b.acts.MatchProducts, request)
			if err != nil {
				require.Less(t, len(describe(err)), most)
				return
			}
			require.True(t, matched.Findings != nil || matched.Doubt != nil)
			require.Less(t, len(asJSON(t, matched)), most)
		})
	}
}
