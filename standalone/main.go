// Command skladom-standalone is Skladom in one process, for one machine:
// Temporal server, Temporal UI, worker and the relay for notifications.
//
// It puts together what the other rooms make and decides nothing itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv("SKLADOM_CONFIG")))
}

// execute runs the command line and returns its exit status. configDir is the
// directory of the settings that the environment names, or "".
func execute(ctx context.Context, args []string, stdout, stderr io.Writer, configDir string) int {
	root := rootCommand(configDir)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return statusDone
	}
	fmt.Fprintf(stderr, "skladom-standalone: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		return statusUsage
	}
	return statusFailed
}

func rootCommand(configDir string) *cobra.Command {
	root := &cobra.Command{
		Use:   "skladom-standalone",
		Short: "Skladom in one process: Temporal server, Temporal UI, worker and relay",
		Long: `Skladom keeps the stock of an e-shop equal to the stock in KROS Fakturácia.
This program is all of it in one process, for one machine.

  See it work, without any account    skladom-standalone demo
  Run it with your own settings       skladom-standalone run --config ./conf --data ./data

Exit status: 0 done, 1 failed, 2 wrong usage.`,
		Version:       version(),
		Args:          cobra.ArbitraryArgs,
		RunE:          unknownCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return wrongUsage(cmd, err) })
	root.AddCommand(demoCommand(), runCommand(configDir))
	return root
}

// usageError is a wrong way of calling the program.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func wrongUsage(cmd *cobra.Command, err error) error {
	return usageError{fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())}
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return wrongUsage(cmd, fmt.Errorf("unknown command %q", args[0]))
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return wrongUsage(cmd, fmt.Errorf("it takes no arguments, and got %q", args[0]))
	}
	return nil
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
