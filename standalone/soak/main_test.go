package soak

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/standalone/internal/process"
	"github.com/skladom/skladom/standalone/server"
)

var (
	seed   = flag.Uint64("seed", 0, "of all that happens by chance; 0 takes one from the clock")
	shops  = flag.Int("shops", 12, "how many shops live")
	lasts  = flag.Duration("lasts", 15*time.Second, "how long they live, besides the times of health between")
	every  = flag.Duration("every", 5*time.Second, "what stands for the half-hour between two ticks of a shop")
	points = flag.Int("points", 3, "how often all is healthy and memory is measured; the first time ends the warm-up")
)

// leastSchedule is the quickest rhythm that the settings of a shop permit.
const leastSchedule = time.Minute

// patience bounds every wait; nothing but a failure takes so long.
const patience = 10 * time.Minute

// cluster keeps a file, so that one can be searched for what must not be in it.
var (
	cluster     *server.Server
	clusterFile string
)

func TestMain(m *testing.M) {
	process.Main()
	flag.Parse()
	debug.SetGCPercent(400) // the race detector makes collecting dear
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	os.Exit(withServer(m.Run))
}

func withServer(run func() int) int {
	dir, err := os.MkdirTemp("", "skladom-soak-")
	if err == nil {
		defer os.RemoveAll(dir)
		clusterFile = filepath.Join(dir, "temporal.db")
		cluster, err = server.Start(context.Background(), server.Options{
			File: clusterFile, UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes(),
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer cluster.Stop()
	return run()
}

// repeatable prints, when a test has failed, how to run it again.
func repeatable(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again, from the directory standalone:\n  go test ./soak -run '^%s$' -seed %d -shops %d -lasts %s -every %s -points %d -v -timeout 120m",
				t.Name(), *seed, *shops, *lasts, *every, *points)
		}
	})
}
