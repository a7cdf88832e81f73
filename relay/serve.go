package relay

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"
)

// How long a caller may take. The whole of a notification is small; answering
// it takes at most patience, two signals and the gap between them.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = readTimeout + patience + 2*signalTimeout + signalGap + 3*time.Second
	idleTimeout       = 2 * time.Minute
	maxHeader         = 16 << 10
)

// drainTimeout is how long requests under way may take when the relay stops.
const drainTimeout = signalGap + signalTimeout + 2*time.Second

// Serve serves the handler on the listener until ctx is done. Then it accepts
// nothing more, lets the requests under way end, and returns nil. The listener
// is closed in any case. TLS is left to the proxy in front.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, log hclog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}), // what scanners do
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("receive notifications on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(draining); err != nil {
		log.Warn("notifications cut off while stopping", "error", err)
		_ = server.Close()
	}
	return nil
}
