package notifytest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/standalone/notifytest"
)

// A smaller storm than that of bench/notify, which has 10,000 for 100 shops.
// It is alone in the process, because the memory is looked at.
func TestAStormHarmsNobody(t *testing.T) {
	const (
		shops   = 10
		minGap  = 5 * time.Second
		maxHeap = 96 << 20 // more than before: what a heap of the server, caches and the race detector's shadow may vary by
	)
	town := newTown(t, shops, notifytest.Options{Shops: shops, Items: 10, MinGap: minGap.String()})
	storm := notifytest.Storm{Notifications: 200 * shops, Wrong: 100, Spread: 2 * time.Second}
	a, err := town.Endure(within(t), storm)
	require.NoError(t, err)
	t.Logf("%d notifications answered in %s, every shop right after %s, heap %d MiB, at most %d, %d",
		storm.Notifications, a.Took, a.Settled, a.HeapBefore>>20, a.HeapPeak>>20, a.HeapAfter>>20)

	require.Equal(t, map[int]int{http.StatusOK: storm.Notifications}, a.Statuses, "a right one is never refused for the number of others")
	require.Equal(t, map[int]int{http.StatusUnauthorized: 30, http.StatusTooManyRequests: storm.Wrong - 30}, a.WrongStatuses)
	for i, passes := range a.Passes {
		// The first begins at once, the last after the last notification, and
		// only a storm that lasts longer than the gap has others between.
		require.LessOrEqual(t, passes, 2+int(a.Took/minGap), town.Shops[i].Name)
		require.Positive(t, passes)
		require.Zero(t, town.Shops[i].KROS.State().Rejected, "KROS's limits were kept")
	}
	require.Less(t, a.HeapAfter, a.HeapBefore+maxHeap)
}
