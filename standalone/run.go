package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/standalone/datadir"
	"github.com/skladom/skladom/standalone/server"
)

// runOptions are the flags of run.
type runOptions struct {
	config, data string
	port, uiPort int
}

func runCommand(configDir string) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run with your own settings, until Ctrl-C; started again, it goes on",
		Long: `Runs Skladom with the settings in --config. All that it has to remember, the
database of Temporal and the archive, is in --data: killed at any moment and
started again, it goes on where it was.

Everything listens on 127.0.0.1 only, but the relay where the settings say so.
Shops are activated with: skladom activate SHOP`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.config, "config", cmp.Or(configDir, "./conf"), "`directory` of the settings (env SKLADOM_CONFIG)")
	flags.StringVar(&o.data, "data", "./data", "`directory` of the database and the archive")
	flags.IntVar(&o.port, "port", 7233, "port of the Temporal server; 0 takes a free one")
	flags.IntVar(&o.uiPort, "ui-port", 8233, "port of the Temporal UI; 0 takes a free one")
	return cmd
}

// run hosts Skladom until ctx ends, which is no error.
func run(ctx context.Context, o runOptions, stdout, stderr io.Writer) (err error) {
	shops, err := config.Open(o.config, config.OS())
	if err != nil {
		return err
	}
	for _, d := range shops.Diagnostics() {
		fmt.Fprintln(stderr, d) // what is wrong with one shop stops no other
	}
	data, err := datadir.Open(o.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()

	h, err := startHost(ctx, hostOptions{
		Shops:   shops,
		Archive: (&url.URL{Scheme: "file", Path: filepath.ToSlash(data.Archive())}).String(),
		Server:  server.Options{File: data.Database(), Port: o.port, UIPort: o.uiPort},
		Logger:  hclog.New(&hclog.LoggerOptions{Name: "skladom", Output: stderr}),
	})
	if err != nil {
		return ended(ctx, err)
	}
	defer h.Stop()

	fmt.Fprintf(stdout, `Skladom runs.

  Shops        %d in %s
  Data         %s
%s
Ctrl-C stops it; started again, it goes on.
`, len(shops.Shops()), o.config, data.Path(), h.links())
	select {
	case <-ctx.Done():
		fmt.Fprintln(stdout, "Stopping.")
		return nil
	case err := <-h.ended:
		return err
	}
}

// ended makes what failed because somebody stopped the program no failure.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
