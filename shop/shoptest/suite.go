// Package shoptest is the suite that every driver of an e-shop passes, against
// a simulator or a shop of its own. It asks only what shop.Shop promises; what
// is particular to one software belongs to its driver's own tests.
//
// No driver may enter.
package shoptest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/stock"
)

// Harness is a driver and the shop behind it.
type Harness struct {
	Shop     shop.Shop
	Identity shop.Identity                             // what Check is to say; Products is not compared
	Seed     func(products ...stock.Product)           // makes the shop have these products and no others
	Quantity func(id string) decimal.Decimal           // what the shop has now
	Sell     func(id string, quantity decimal.Decimal) // changes the shop's quantity behind the driver's back
}

// Run runs the suite. start makes an empty shop for one test.
func Run(t *testing.T, start func(t *testing.T) Harness) {
	t.Helper()
	tests := []struct {
		rule string
		test func(*testing.T, Harness)
	}{
		{"check says which shop it is", checkIdentity},
		{"look-up by number finds exactly what was asked for", lookupByNumber},
		{"look-up by EAN finds exactly what was asked for", lookupByEAN},
		{"look-up compares trimmed values", lookupTrims},
		{"look-up tells several products of one key apart", lookupShared},
		{"look-up without any hit is empty and no error", lookupNothing},
		{"look-up of keys that no product can have is harmless", lookupOddKeys},
		{"look-up tells what a product is", lookupWhole},
		{"look-up takes a whole batch", lookupBatch},
		{"the list has every product once", listAll},
		{"the list tells what a product is", listWhole},
		{"the list of an empty shop is empty and no error", listNothing},
		{"a product that goes while the shop is listed hides no other", listShrinks},
		{"set stock writes absolute quantities", setAbsolute},
		{"set stock says unchanged where nothing changes", setUnchanged},
		{"set stock keeps what the shop sold meanwhile", setConflict},
		{"one rejected change does not fail the others", setRejected},
		{"a repeated request is harmless", setRepeated},
		{"quantities are exact to four decimals", setExact},
		{"set stock takes a whole batch, results in its order", setBatch},
		{"set stock of nothing is nothing", setNothing},
		{"a context that ended is told as such", contextEnded},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) { test.test(t, start(t)) })
	}
}

func checkIdentity(t *testing.T, h Harness) {
	got, err := h.Shop.Check(t.Context())
	require.NoError(t, err)
	got.Products = h.Identity.Products
	require.Equal(t, h.Identity, got)
}

func lookupByNumber(t *testing.T, h Harness) {
	h.Seed(product("1", "SK-001", "8580000000017", 1), product("2", "sk-001", "", 2), product("3", "SK-001 ", "", 3), product("4", "SK-0010", "", 4))
	require.ElementsMatch(t, []string{"1", "3"}, lookup(t, h, stock.ByNumber, "SK-001"), "exactly but for spaces around")
	require.ElementsMatch(t, []string{"2"}, lookup(t, h, stock.ByNumber, "sk-001", "nobody"))
	require.Empty(t, lookup(t, h, stock.ByNumber, "8580000000017"), "an EAN is no number")
}

func lookupByEAN(t *testing.T, h Harness) {
	h.Seed(product("1", "A", "8580000000017", 1), product("2", "B", "012345678905", 2), product("3", "8580000000017", "", 3))
	require.ElementsMatch(t, []string{"1"}, lookup(t, h, stock.ByEAN, "8580000000017"))
	require.ElementsMatch(t, []string{"2"}, lookup(t, h, stock.ByEAN, "012345678905"), "a leading zero stays")
	require.Empty(t, lookup(t, h, stock.ByEAN, "0012345678905", "12345678905"), "other written forms are the caller's to ask for")
}

func lookupTrims(t *testing.T, h Harness) {
	h.Seed(product("1", " Čaj zelený 100 g ", "", 1), product("2", "A  B", "", 2))
	require.ElementsMatch(t, []string{"1"}, lookup(t, h, stock.ByNumber, "\tČaj zelený 100 g "))
	require.ElementsMatch(t, []string{"2"}, lookup(t, h, stock.ByNumber, "A  B"))
	require.Empty(t, lookup(t, h, stock.ByNumber, "A B"), "spaces inside count")
}

func lookupShared(t *testing.T, h Harness) {
	h.Seed(product("1", "X", "", 1), product("2", "X", "", 2), product("3", "Y", "", 3), product("4", "Z", "", 4))
	require.ElementsMatch(t, []string{"1", "2", "3"}, lookup(t, h, stock.ByNumber, "X", "Y"))
}

func lookupNothing(t *testing.T, h Harness) {
	require.Empty(t, lookup(t, h, stock.ByNumber, "X"))
	require.Empty(t, lookup(t, h, stock.ByEAN))
}

func lookupOddKeys(t *testing.T, h Harness) {
	long := fmt.Sprintf("%0300d", 7)
	h.Seed(product("1", "X", "", 1), product("2", "", "", 2))
	require.ElementsMatch(t, []string{"1"}, lookup(t, h, stock.ByNumber, "", " ", long, "'\"\\<&>\u2028😀", "X"))
}

func lookupWhole(t *testing.T, h Harness) {
	products := []stock.Product{
		{ID: "p-1", Number: "Ž 01/č", EAN: "8580000000017", Name: "Žltý kôň – 5 € „výpredaj“ 🐴", Quantity: decimal.RequireFromString("12.3456"), Tracked: true},
		{ID: "p-2", Number: "Ž 02", Name: "Služba", Quantity: decimal.RequireFromString("-3"), Tracked: false},
		{ID: "p-3", Number: "Ž 03", Name: "Tričko, XL", Quantity: decimal.RequireFromString("0"), Tracked: true, ParentID: "p-1"},
	}
	h.Seed(products...)
	got, err := h.Shop.Lookup(t.Context(), stock.ByNumber, []string{"Ž 01/č", "Ž 02", "Ž 03"})
	require.NoError(t, err)
	byID := cmpopts.SortSlices(func(a, b stock.Product) bool { return a.ID < b.ID })
	require.Empty(t, cmp.Diff(products, got, byID))
}

func lookupBatch(t *testing.T, h Harness) {
	products := many(shop.MaxBatch)
	h.Seed(products...)
	keys := lo.Map(products, func(p stock.Product, _ int) string { return p.Number })
	require.ElementsMatch(t, ids(products), lookup(t, h, stock.ByNumber, keys...))
}

func listAll(t *testing.T, h Harness) {
	products := many(2*shop.MaxBatch + 1)
	h.Seed(products...)
	require.ElementsMatch(t, ids(products), ids(list(t, h)))
}

// Ids that mean something in an address are no worse as cursors.
func listWhole(t *testing.T, h Harness) {
	odd := lo.Times(shop.MaxBatch, func(i int) stock.Product { return product(fmt.Sprintf("&=+%%/?# ž%03d", i), "", "", 1) })
	products := append(odd,
		stock.Product{ID: "p-1", Number: "Ž 01/č", EAN: "8580000000017", Name: "Žltý kôň – 5 € „výpredaj“ 🐴", Quantity: decimal.RequireFromString("12.3456"), Tracked: true},
		stock.Product{ID: "p-2", Number: "Ž 02", Name: "Služba", Quantity: decimal.RequireFromString("-3"), Tracked: false},
		stock.Product{ID: "p-3", Quantity: decimal.RequireFromString("0"), Tracked: true, ParentID: "p-1"},
	)
	h.Seed(products...)
	byID := cmpopts.SortSlices(func(a, b stock.Product) bool { return a.ID < b.ID })
	require.Empty(t, cmp.Diff(products, list(t, h), byID))
}

func listNothing(t *testing.T, h Harness) { require.Empty(t, list(t, h)) }

func listShrinks(t *testing.T, h Harness) {
	products := many(shop.MaxBatch + 20)
	h.Seed(products...)
	page, next, err := h.Shop.List(t.Context(), "")
	require.NoError(t, err)
	require.NotEmpty(t, next)
	gone := []string{page[0].ID, page[len(page)-1].ID}
	h.Seed(lo.Reject(products, func(p stock.Product, _ int) bool { return slices.Contains(gone, p.ID) })...)
	rest, _, err := h.Shop.List(t.Context(), next)
	require.NoError(t, err)
	require.ElementsMatch(t, ids(products), ids(append(page, rest...)))
}

func setAbsolute(t *testing.T, h Harness) {
	h.Seed(product("1", "A", "", 5), product("2", "B", "", 7), product("3", "C", "", 9))
	got := set(t, h, change("1", 8, 5), change("2", 0, 7))
	require.Equal(t, []shop.Status{shop.Updated, shop.Updated}, statuses(got))
	requireTold(t, h, got)
	require.Equal(t, []string{"8", "0", "9"}, quantities(h, "1", "2", "3"))
}

func setUnchanged(t *testing.T, h Harness) {
	h.Seed(product("1", "A", "", 5))
	got := set(t, h, change("1", 5, 5))
	require.Equal(t, []shop.Status{shop.Unchanged}, statuses(got))
	requireTold(t, h, got)
}

func setConflict(t *testing.T, h Harness) {
	h.Seed(product("1", "A", "", 5), product("2", "B", "", 5))
	h.Sell("1", decimal.NewFromInt(3))
	got := set(t, h, change("1", 8, 5), change("2", 8, 5))
	require.Equal(t, []shop.Status{shop.Conflict, shop.Updated}, statuses(got))
	requireTold(t, h, got)
	require.Equal(t, []string{"3", "8"}, quantities(h, "1", "2"))
}

func setRejected(t *testing.T, h Harness) {
	h.Seed(product("1", "A", "", 5), product("2", "B", "", 5))
	got := set(t, h, change("1", 6, 5), change("nobody", 6, 5), change("2", 6, 5))
	require.Equal(t, []shop.Status{shop.Updated, shop.Rejected, shop.Updated}, statuses(got))
	require.NotEmpty(t, got[1].Reason, "a rejection says why")
	require.Equal(t, []string{"6", "6"}, quantities(h, "1", "2"))
}

// setRepeated does not look at the answer to the repeat: a shop may remember
// its first one, or look anew and find another quantity than expected.
func setRepeated(t *testing.T, h Harness) {
	h.Seed(product("1", "A", "", 5))
	set(t, h, change("1", 8, 5))
	set(t, h, change("1", 8, 5))
	require.Equal(t, []string{"8"}, quantities(h, "1"))

	h.Sell("1", decimal.NewFromInt(6))
	set(t, h, change("1", 8, 5))
	require.Equal(t, []string{"6"}, quantities(h, "1"), "nor does it put sold goods back")
}

func setExact(t *testing.T, h Harness) {
	texts := []string{"0.1", "0.3", "0.0001", "1.005", "123456789.1234", "9007199254740993", "1000000", "0"}
	h.Seed(lo.Map(texts, func(_ string, i int) stock.Product { return product(fmt.Sprint(i), fmt.Sprint(i), "", 7) })...)
	results := set(t, h, lo.Map(texts, func(text string, i int) shop.Change {
		return shop.Change{ID: fmt.Sprint(i), Quantity: decimal.RequireFromString(text), Expected: decimal.NewFromInt(7)}
	})...)
	requireTold(t, h, results)
	for i, text := range texts {
		require.Equal(t, text, h.Quantity(fmt.Sprint(i)).String())
		got, err := h.Shop.Lookup(t.Context(), stock.ByNumber, []string{fmt.Sprint(i)})
		require.NoError(t, err)
		require.Equal(t, text, got[0].Quantity.String())
	}
	sum := decimal.RequireFromString("0.1").Add(decimal.RequireFromString("0.2"))
	got := set(t, h, shop.Change{ID: "1", Quantity: decimal.Zero, Expected: sum})
	require.Equal(t, shop.Updated, got[0].Status, "0.1 + 0.2 is the 0.3 that the shop has")
}

func setBatch(t *testing.T, h Harness) {
	products := many(shop.MaxBatch)
	h.Seed(products...)
	changes := lo.Map(products, func(p stock.Product, i int) shop.Change {
		return shop.Change{ID: p.ID, Quantity: decimal.NewFromInt(int64(i % 7)), Expected: p.Quantity}
	})
	slices.Reverse(changes)
	got := set(t, h, changes...)
	for i, change := range changes {
		require.Equal(t, change.ID, got[i].ID)
		require.Equal(t, change.Quantity.Equal(change.Expected), got[i].Status == shop.Unchanged, "product %s", change.ID)
		require.Equal(t, change.Quantity.String(), h.Quantity(change.ID).String())
	}
}

func setNothing(t *testing.T, h Harness) {
	got, err := h.Shop.SetStock(t.Context(), "nothing", nil)
	require.NoError(t, err)
	require.Empty(t, got)
}

func contextEnded(t *testing.T, h Harness) {
	h.Seed(product("1", "A", "", 5))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Shop.Check(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = h.Shop.Lookup(ctx, stock.ByNumber, []string{"A"})
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = h.Shop.List(ctx, "")
	require.ErrorIs(t, err, context.Canceled)
	_, err = h.Shop.SetStock(ctx, "late", []shop.Change{change("1", 8, 5)})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"5"}, quantities(h, "1"))
}

func product(id, number, ean string, quantity int64) stock.Product {
	return stock.Product{ID: id, Number: number, EAN: ean, Quantity: decimal.NewFromInt(quantity), Tracked: true}
}

func many(n int) []stock.Product {
	return lo.Times(n, func(i int) stock.Product {
		return product(fmt.Sprintf("p%03d", i), fmt.Sprintf("Č-%03d", i), "", int64(i%5))
	})
}

func change(id string, quantity, expected int64) shop.Change {
	return shop.Change{ID: id, Quantity: decimal.NewFromInt(quantity), Expected: decimal.NewFromInt(expected)}
}

func ids(products []stock.Product) []string {
	return lo.Map(products, func(p stock.Product, _ int) string { return p.ID })
}

func lookup(t *testing.T, h Harness, by stock.Match, keys ...string) []string {
	t.Helper()
	products, err := h.Shop.Lookup(t.Context(), by, keys)
	require.NoError(t, err)
	return ids(products)
}

func list(t *testing.T, h Harness) []stock.Product {
	t.Helper()
	products, err := shop.ListAll(t.Context(), h.Shop, nil)
	require.NoError(t, err)
	return products
}

// set sends changes under a key that is theirs alone. It asks the driver and
// not shop.Write, which would hide a batch that fails as a whole.
func set(t *testing.T, h Harness, changes ...shop.Change) []shop.Result {
	t.Helper()
	key := sha256.Sum256(fmt.Append(nil, t.Name(), changes))
	results, err := h.Shop.SetStock(t.Context(), hex.EncodeToString(key[:]), changes)
	require.NoError(t, err)
	require.Len(t, results, len(changes))
	for i := range changes {
		require.Equal(t, changes[i].ID, results[i].ID, "results are in the order of the changes")
	}
	return results
}

// requireTold checks that a shop that tells what it has now tells the truth.
func requireTold(t *testing.T, h Harness, results []shop.Result) {
	t.Helper()
	for _, r := range results {
		if r.Quantity != nil {
			require.Equal(t, h.Quantity(r.ID).String(), r.Quantity.String(), "product %s", r.ID)
		}
	}
}

func statuses(results []shop.Result) []shop.Status {
	return lo.Map(results, func(r shop.Result, _ int) shop.Status { return r.Status })
}

func quantities(h Harness, ids ...string) []string {
	return lo.Map(ids, func(id string, _ int) string { return h.Quantity(id).String() })
}
