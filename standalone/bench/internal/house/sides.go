package house

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// SidesRole is the role in which a program holds both simulators.
const SidesRole = "sides"

// Sides are both simulators in a process of their own.
type Sides struct {
	*Process
	URL string
}

// StartSides starts this program as the sides and gives them their task.
func StartSides(ctx context.Context, task any) (*Sides, error) {
	p, err := Self(ctx, SidesRole, task)
	if err != nil {
		return nil, err
	}
	address, err := bufio.NewReader(p.Out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the simulators: %w", err), p.Stop())
	}
	return &Sides{Process: p, URL: strings.TrimSpace(address)}, nil
}

// ServeSides is what the sides do: it serves them on a free port, of which it
// tells out, until ctx is done.
func ServeSides(ctx context.Context, out io.Writer, sides http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open a port for the simulators: %w", err)
	}
	fmt.Fprintln(out, "http://"+listener.Addr().String())
	server := &http.Server{Handler: sides}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Ask sends the sides a request of the benchmark's own and returns what they
// answer. Any other status than 200 is an error.
func (s *Sides) Ask(ctx context.Context, method, path string, body io.Reader) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, path, text)
	}
	return text, err
}
