package host

import "go.temporal.io/sdk/worker"

const (
	sdkCache = 10_000 // workflows that the SDK keeps in memory unless it is told otherwise
	passes   = 1_000  // places for passes and whatever else runs beside the shops
)

// cacheSize is how many workflows a worker of so many shops keeps in memory.
// Ticks come round the shops in one order: with one place too few, the shop that
// has to leave is the very next that is needed, and each is replayed from its
// whole history at each of its ticks.
func cacheSize(shops int) int { return max(sdkCache, shops+passes) }

// makeRoom counts for workers that start later. What is fewer than the SDK's own
// number is left to the process.
func makeRoom(shops int) {
	if size := cacheSize(shops); size > sdkCache {
		worker.SetStickyWorkflowCacheSize(size)
	}
}
