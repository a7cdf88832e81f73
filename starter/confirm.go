package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// confirm asks a person at the terminal; anything but yes is no. Ctrl-C ends it.
func (a *app) confirm(cmd *cobra.Command, question string) (bool, error) {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	type reply struct {
		line string
		err  error
	}
	replies := make(chan reply, 1)
	go func() { // a read of a terminal cannot be stopped; it is left alone
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		replies <- reply{line, err}
	}()
	select {
	case <-cmd.Context().Done():
		fmt.Fprintln(a.stderr)
		return false, trouble("", "Stopped.", "Nothing was written.")
	case r := <-replies:
		if r.err != nil {
			fmt.Fprintln(a.stderr)
		}
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return false, fmt.Errorf("read the answer: %w", r.err)
		}
		answer := strings.ToLower(strings.TrimSpace(r.line))
		return answer == "y" || answer == "yes", nil
	}
}
