package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/host"
)

// defaultArchive is where snapshots go when the settings do not say.
const defaultArchive = "file:///var/lib/skladom"

// environment is what the program takes from the machine it runs on.
type environment struct {
	vars  envconfig.EnvLookup
	files config.Environment
	dial  func(envconfig.EnvLookup, hclog.Logger) (client.Client, place, error)
}

// The exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2
)

// run runs the program until ctx is done and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, env environment) int {
	o := options{environment: env}
	status := statusUsage // until the flags are understood
	root := command(&o, func(ctx context.Context) error {
		status = statusFailed
		log := hclog.New(&hclog.LoggerOptions{Name: "skladom", Level: o.level, JSONFormat: o.jsonLogs, Output: stderr})
		err := o.work(ctx, log)
		if err != nil {
			log.Error("skladom-worker cannot go on", "error", err)
		}
		return err
	})
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return statusDone
	case status == statusUsage:
		fmt.Fprintf(stderr, "skladom-worker: %v\nSee: skladom-worker --help\n", err)
	}
	return status
}

// options are the flags.
type options struct {
	environment
	config       string
	jsonLogs     bool
	level        hclog.Level
	healthListen string
	relayOnly    bool
}

func command(o *options, work func(context.Context) error) *cobra.Command {
	var level, only string
	cmd := &cobra.Command{
		Use:   "skladom-worker",
		Short: "Run the workflows and activities of Skladom on a Temporal cluster",
		Long: `Runs the workflows and activities of Skladom, and receives notifications of KROS
where the settings have a relay { } block.

The Temporal connection comes from TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
TEMPORAL_API_KEY, TEMPORAL_TLS... or the profile file, as for every Temporal tool.

SIGHUP reads the settings again; changes are noticed without it, too.
SIGTERM lets what runs come to an end; a second one ends at once.
GET /healthz answers while the process lives, GET /readyz when it works.`,
		Version:       version(),
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PreRunE: func(*cobra.Command, []string) error {
			if o.level = hclog.LevelFromString(level); o.level == hclog.NoLevel {
				return fmt.Errorf("--log-level is %q; it must be trace, debug, info, warn, error or off", level)
			}
			if only != "" && only != "relay" {
				return fmt.Errorf("--only is %q; there is only relay", only)
			}
			o.relayOnly = only == "relay"
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return work(cmd.Context()) },
	}
	directory, _ := o.vars.LookupEnv("SKLADOM_CONFIG")
	flags := cmd.Flags()
	flags.StringVar(&o.config, "config", cmp.Or(directory, "./conf"), "`directory` of the settings (env SKLADOM_CONFIG)")
	flags.BoolVar(&o.jsonLogs, "json-logs", false, "write logs as JSON, one object a line")
	flags.StringVar(&level, "log-level", "info", "trace, debug, info, warn, error or off")
	flags.StringVar(&o.healthListen, "health-listen", "127.0.0.1:8089", "`address` of /healthz and /readyz; empty: none")
	flags.StringVar(&only, "only", "", "run one part alone: `relay`")
	return cmd
}

// work connects and hosts Skladom until ctx is done.
func (o options) work(ctx context.Context, log hclog.Logger) (err error) {
	shops, err := config.Open(o.config, o.files)
	if err != nil {
		return err
	}
	health, err := startHealth(ctx, o.healthListen, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, health.close()) }()

	temporal, at, err := o.dial(o.vars, log)
	if err != nil {
		return err
	}
	defer temporal.Close()
	if !o.relayOnly && !await(ctx, temporal, at, log) {
		return nil // told to stop before Temporal answered
	}
	err = host.Run(ctx, host.Options{
		Client:    temporal,
		Shops:     shops,
		Logger:    log,
		Namespace: at.namespace,
		Archive:   defaultArchive,
		RelayOnly: o.relayOnly,
		Started:   func() { health.ready(temporal) },
		Stopping:  func() { health.notReady(errStopping) },
	})
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // told to stop before it had started
	}
	return err
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
