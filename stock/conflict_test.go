package stock

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

func TestOnlyAConflictThatIsNotAlreadyRightIsPlannedAgain(t *testing.T) {
	five, six := decimal.NewFromInt(5), decimal.NewFromInt(6)
	receipts := []Receipt{
		{Product: "right by itself", Asked: five, Answer: AnswerConflict, Now: &five},
		{Product: "sold meanwhile", Asked: five, Answer: AnswerConflict, Now: &six},
		{Product: "answer without quantity", Asked: five, Answer: AnswerConflict},
		{Product: "settled later", Asked: five, Answer: AnswerConflict, Now: &six},
		{Product: "written", Asked: five, Answer: AnswerUpdated, Now: &five},
		{Product: "settled later", Asked: five, Answer: AnswerUpdated, Now: &five},
	}
	var products []string
	for _, r := range Conflicts(receipts) {
		products = append(products, r.Product)
	}
	require.Equal(t, []string{"sold meanwhile", "answer without quantity"}, products)
}

func TestAPlanIsNarrowedToTheProductsOfReceipts(t *testing.T) {
	plan := Plan{Lines: []Line{
		{Item: "a", Key: "12345678", Entries: []Entry{{Product: "1"}, {Product: "2"}}},
		{Item: "b", Key: "87654321", Entries: []Entry{{Product: "3"}}},
	}}
	narrow := plan.Of([]Receipt{{Product: "2"}})
	require.Len(t, narrow.Lines, 1)
	require.Equal(t, LookupKeys(ByEAN, []Item{{EAN: "12345678"}}), narrow.LookupKeys(ByEAN))
	require.Equal(t, []string{"12345678"}, narrow.LookupKeys(ByNumber))
}

func TestAnotherQuantityAnywhereIsAChange(t *testing.T) {
	item := func(code, warehouse string, quantity int64) Item {
		return Item{Code: code, Rows: []Row{{Warehouse: warehouse, Quantity: decimal.NewFromInt(quantity)}}}
	}
	baseline := []Item{item("a", "LT", 1), item("b", "LT", 2)}
	require.Empty(t, Moved([]Item{item("b", "LT ", 2), item("a", "LT", 1)}, baseline), "another order")
	require.Empty(t, Moved([]Item{item("a", "LT", 1)}, baseline), "an item that is missing has not changed")
	require.NotEmpty(t, Moved([]Item{item("a", "LT", 3)}, baseline), "another quantity")
	require.NotEmpty(t, Moved([]Item{item("a", "PR", 1)}, baseline), "another warehouse")
	require.NotEmpty(t, Moved([]Item{item("c", "LT", 1)}, baseline), "a new item")
	twice := []Item{item("a", "LT", 1), item("a", "LT", 2)}
	require.Empty(t, Moved(twice, twice), "two rows of one code")

	two := func(first, second string) []Item {
		return []Item{{Code: "a", Rows: []Row{{Warehouse: first, Quantity: decimal.NewFromInt(1)}, {Warehouse: second, Quantity: decimal.NewFromInt(1)}}}}
	}
	require.Empty(t, Moved(two("PR", "LT"), two("LT", "PR")), "the order of warehouses")
}

func TestMergePutsWhatWasReadAnewIntoTheBaseline(t *testing.T) {
	item := func(code, name string, quantity int64) Item {
		return Item{Code: code, Name: name, Rows: []Row{{Warehouse: "LT", Quantity: decimal.NewFromInt(quantity)}}}
	}
	baseline := []Item{item("a", "", 1), item("b", "", 2), item("b", "again", 3), item("", "no code", 4)}
	require.Equal(t, baseline, Merge(baseline, nil))
	require.Equal(t, []Item{item("a", "", 1), item("b", "", 5), item("", "no code", 6), item("c", "", 7)},
		Merge(baseline, []Item{item("b", "", 5), item("", "no code", 6), item("c", "", 7)}))
}
