package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryShopHasAPlaceInMemoryAndSoHasItsPass(t *testing.T) {
	for shops, want := range map[int]int{
		0:      10_000, // as the SDK has it by itself
		9_000:  10_000,
		9_001:  10_001,
		10_000: 11_000,
		30_000: 31_000,
	} {
		require.Equal(t, want, cacheSize(shops), shops)
	}
}
