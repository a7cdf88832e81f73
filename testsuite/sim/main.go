// Sim runs the simulators of KROS and of a Fynode e-shop, for people who want
// to try Skladom without accounts. See testsuite/README.md for how to steer them.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:          "sim",
		Short:        "Simulators of KROS and of a Fynode e-shop",
		SilenceUsage: true,
	}
	root.AddCommand(newKROSCommand(), newFynodeCommand())
	return root
}

// demoToken is what both sides accept unless they are told otherwise: they
// guard nothing.
const demoToken = "demo-token"

// simulator is what both sides have in common.
type simulator interface {
	Run(ctx context.Context, listener net.Listener) error
}

// serve runs a simulator until the command's context ends, and says on one line
// where it is and how it is steered.
func serve(cmd *cobra.Command, name, listen string, sim simulator, steering string) error {
	listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen on %s (--listen): %w", listen, err)
	}
	address := "http://" + listener.Addr().String()
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s: %[2]s  state: GET %[2]s/_sim/state  change: PUT %[2]s%[3]s  break: POST %[2]s/_sim/faults\n",
		name, address, steering)
	return sim.Run(cmd.Context(), listener)
}

// load reads the file that a flag names with read; an empty name is the
// realistic catalogue.
func load[T any](flag, path string, realistic []byte, read func(io.Reader) ([]T, error)) ([]T, error) {
	content := realistic
	if path != "" {
		var err error
		if content, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("--%s: %w", flag, err)
		}
	}
	entries, err := read(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %w", flag, path, err)
	}
	return entries, nil
}

// oneOf is a flag that takes some words only.
type oneOf[T ~string] struct {
	value   *T
	allowed []T
}

func (f oneOf[T]) String() string {
	if f.value == nil {
		return ""
	}
	return string(*f.value)
}

func (f oneOf[T]) Set(text string) error {
	if !slices.Contains(f.allowed, T(text)) {
		return fmt.Errorf("must be one of %q", f.allowed)
	}
	*f.value = T(text)
	return nil
}

func (oneOf[T]) Type() string { return "word" }
