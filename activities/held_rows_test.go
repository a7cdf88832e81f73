package activities_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// emptied is a shop of n products above 0, of which KROS gives 0 for all but
// the first, which goes up.
func emptied(t *testing.T, n int) *bench {
	t.Helper()
	items := lo.Times(n, func(i int) krossim.Item { return item(fmt.Sprintf("C%03d", i), "", lo.Ternary(i == 0, "9", "0")) })
	products := lo.Times(n, func(i int) fynodesim.Product {
		return product(fmt.Sprintf("p%03d", i), fmt.Sprintf("C%03d", i), "", "5")
	})
	return newBench(t, krossim.Options{Items: items}, fynodesim.Options{ID: "fynode-1", Products: products}, "")
}

func (b *bench) held(ref protocol.Ref, limit int) (rows []protocol.HeldRow, whole *stock.Counts) {
	b.t.Helper()
	request := protocol.InspectRequest{Shop: acme, Kind: protocol.InspectHeld, Ref: ref, Limit: limit}
	for {
		page, err := run[protocol.InspectPage](b, b.acts.ReadArchive, request)
		require.NoError(b.t, err)
		for _, text := range page.Rows {
			var row protocol.HeldRow
			require.NoError(b.t, json.Unmarshal(text, &row))
			rows = append(rows, row)
		}
		if request.Offset = page.Next; page.Next == 0 {
			require.Len(b.t, rows, page.Total)
			return rows, page.Counts
		}
	}
}

func TestWhatIsHeldCanBeReadBeforeItIsAnswered(t *testing.T) {
	b := emptied(t, 8)
	fetched := b.fetch(protocol.Memory{})
	matched := b.match(fetched)
	require.Equal(t, 1, matched.Writes, "what is not held is written")
	require.Equal(t, protocol.TooManyZeroed, matched.Hold.Code)
	require.Equal(t, matched.Holding, matched.Hold.Why, "an answer needs the words, long after the pass")
	require.Equal(t, fetched.Catalogue.Items, matched.Hold.Items)

	rows, whole := b.held(matched.Hold.Plan, 3)
	require.Equal(t, &stock.Counts{Products: 7, Lowered: 7, Zeroed: 7}, whole)
	require.Equal(t, lo.Times(7, func(i int) string { return fmt.Sprintf("C%03d p%03d 5>0", i+1, i+1) }),
		lo.Map(rows, func(r protocol.HeldRow, _ int) string {
			return fmt.Sprint(r.Item, " ", r.Product, " ", r.Has, ">", r.Wants)
		}))
	require.NotEmpty(t, rows[0].Name)
	require.True(t, rows[0].Kros.Equal(decimal.Zero))
}

func TestOfAPlanWithoutAHoldNothingIsHeld(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	rows, whole := b.held(b.match(b.fetch(protocol.Memory{})).Plan, 0)
	require.Empty(t, rows)
	require.Equal(t, &stock.Counts{}, whole)
}

func TestAnActivationShowsWhatWouldBeHeld(t *testing.T) {
	b := emptied(t, 8)
	request := b.matchRequest(b.fetch(protocol.Memory{}))
	request.Findings, request.Accept, request.DryRun = true, true, true
	matched, err := run[protocol.Matched](b, b.acts.MatchProducts, request)
	require.NoError(t, err)
	require.Equal(t, 1, matched.Findings.Raised)
	require.Equal(t, 0, matched.Findings.Zeroed, "it would not be written")
	require.Equal(t, 7, matched.Findings.Held)
	require.Equal(t, matched.Holding, matched.Findings.Holding)
}
