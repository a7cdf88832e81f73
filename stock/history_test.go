package stock_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

func TestAReceiptReadsAsAChange(t *testing.T) {
	for name, tc := range map[string]struct {
		receipt stock.Receipt
		want    string
	}{
		"written":                          {answered("p", "2", "9", "updated"), "2>9"},
		"written, and the shop tells":      {answered("p", "2", "9", "updated", "8"), "2>8"},
		"it had it already":                {answered("p", "2", "9", "unchanged"), "2>9"},
		"refused: it has what it had":      {answered("p", "2", "9", "rejected"), "2>2"},
		"somebody was faster":              {answered("p", "2", "9", "conflict", "5"), "2>5"},
		"somebody was faster, and no word": {answered("p", "2", "9", "conflict"), "2>2"},
	} {
		c := tc.receipt.Change()
		require.Equal(t, tc.want, fmt.Sprintf("%s>%s", c.Before, c.After), name)
		require.Equal(t, "I-p", c.Item)
	}
}

func TestWhatReceiptsAddUpTo(t *testing.T) {
	require.Equal(t, stock.Counts{Products: 5, Raised: 1, Lowered: 2, Zeroed: 1, Conflicts: 1}, stock.Written([]stock.Receipt{
		answered("up", "2", "9", "updated"), answered("down", "9", "4", "conflict", "8"), answered("down", "8", "4", "updated"),
		answered("zero", "9", "0", "updated"), answered("same", "9", "9", "unchanged"), answered("refused", "9", "1", "rejected"),
	}))
}
