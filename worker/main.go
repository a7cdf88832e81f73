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
	"syscall"

	"go.temporal.io/sdk/contrib/envconfig"
	_ "gocloud.dev/blob/s3blob" // snapshots.url = "s3://..."; here, so that hosts of the plugin go without the AWS SDK

	"github.com/skladom/skladom/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, environment{
		vars:  envconfig.EnvLookupOS,
		files: config.OS(),
		dial:  dial,
	}))
}
