// Command skladom-worker runs the workflows and activities of Skladom on a
// Temporal cluster, and the relay for notifications of KROS where the
// settings have one; with --only relay that alone.
//
// It reads flags and environment, connects, and says how it is. All work is
// that of package host; no decision about stock may enter.
package main

import (
	"context"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"go.temporal.io/sdk/contrib/envconfig"
	_ "gocloud.dev/blob/s3blob" // snapshots.url = "s3://..."; here, so that hosts of the plugin go without the AWS SDK

	"github.com/skladom/skladom/config"
)

// Both keep a worker below 256 MiB while it plans 100,000 items (make
// bench-pass). A smaller heap need not be collected as often as Go would; it has
// no setting for that, so memory that is never touched, and takes none of the
// machine, counts as if it were in use.
const (
	gcPercent    = 45
	ballastBytes = 64 << 20
)

// tuneCollector sets what GOGC and GOMEMLIMIT in the environment leave open, and
// returns what has to stay alive.
func tuneCollector() (ballast []byte) {
	if os.Getenv("GOGC") != "" || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return nil
	}
	debug.SetGCPercent(gcPercent)
	return make([]byte, ballastBytes)
}

func main() {
	ballast := tuneCollector()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr, environment{
		vars:  envconfig.EnvLookupOS,
		files: config.OS(),
		dial:  dial,
	})
	runtime.KeepAlive(ballast)
	os.Exit(code)
}
