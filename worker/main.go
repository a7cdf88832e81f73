// Command skladom-worker runs the workflows and activities of Skladom on a
// Temporal cluster, and the relay for notifications of KROS where the
// settings have one; with --only relay that alone.
//
// It reads flags and environment, connects, and says how it is. All work is
// that of package host; no decision about stock may enter.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"go.temporal.io/sdk/contrib/envconfig"
	_ "gocloud.dev/blob/s3blob" // snapshots.url = "s3://..."; here, so that hosts of the plugin go without the AWS SDK

	"github.com/skladom/skladom/config"
)

// gcPercent keeps a worker below 256 MiB while it plans 100,000 items, for a
// little processor time more than Go's 100 (make bench-pass). GOGC and
// GOMEMLIMIT in the environment say otherwise.
const gcPercent = 75

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, environment{
		vars:  envconfig.EnvLookupOS,
		files: config.OS(),
		dial:  dial,
	}))
}
