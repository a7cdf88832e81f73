package stock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

func TestWhatIsHeldIsCountedAsIfItWereWritten(t *testing.T) {
	s := guardedStall(100)
	s.set(0, 90, "2")
	s.set(0, 3, "0")
	s.set(90, 5, "30")
	require.Equal(t, stock.Counts{Products: 95, Raised: 5, Lowered: 90, Zeroed: 3}, s.plan().HeldCounts())

	s = guardedStall(100)
	s.set(0, 31, "0")
	s.set(50, 5, "9")
	require.Equal(t, stock.Counts{Products: 31, Lowered: 31, Zeroed: 31}, s.plan().HeldCounts(), "what is written is not held")
	require.Zero(t, stock.Plan{}.HeldCounts())
}
