package relay_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/relay"
)

// served runs a relay on a port of its own until stop is called, which returns
// when everything has ended.
func served(t *testing.T, h http.Handler) (address string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Serve(ctx, listener, h, hclog.NewNullLogger()) }()
	return listener.Addr().String(), func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestOverTCPTroubleWithTemporalIsAskedToBeRepeated(t *testing.T) {
	f := &temporal{answer: func(context.Context, string) error { return errors.New("down") }}
	address, stop := served(t, newRelay(f))
	defer stop()
	got := call(t, "http://"+address, genuine("acme", "{}"))
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "10", got.header.Get("Retry-After"))

	f.mu.Lock()
	f.answer = nil
	f.mu.Unlock()
	require.Equal(t, http.StatusOK, call(t, "http://"+address, genuine("acme", "{}")).status, "KROS's repeat gets through")
}

func TestOverTCPOnlyConfiguredProxiesNameTheCaller(t *testing.T) {
	wrongFrom := func(address, forwarded string) int {
		n := wrong("acme")
		n.forwarded = forwarded
		return call(t, "http://"+address, n).status
	}
	t.Run("none is configured", func(t *testing.T) {
		address, stop := served(t, newRelay(&temporal{}))
		defer stop()
		for range 30 {
			require.Equal(t, http.StatusUnauthorized, wrongFrom(address, "198.51.100.1"))
		}
		require.Equal(t, http.StatusTooManyRequests, wrongFrom(address, "198.51.100.2"))
	})
	t.Run("the one before it is", func(t *testing.T) {
		address, stop := served(t, newRelay(&temporal{}, func(o *relay.Options) {
			o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}))
		defer stop()
		for range 30 {
			require.Equal(t, http.StatusUnauthorized, wrongFrom(address, "198.51.100.1"))
		}
		require.Equal(t, http.StatusTooManyRequests, wrongFrom(address, "198.51.100.1"))
		require.Equal(t, http.StatusUnauthorized, wrongFrom(address, "198.51.100.2"))
	})
}

func TestOverTCPHeadHasNoBody(t *testing.T) {
	address, stop := served(t, newRelay(&temporal{}))
	defer stop()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "HEAD /webhooks/kros/acme HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, &http.Request{Method: http.MethodHead})
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	rest, err := io.ReadAll(in)
	require.NoError(t, err)
	require.Empty(t, rest)
}

func TestOverTCPStoppingLetsTheRequestUnderWayEnd(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	f := &temporal{answer: func(context.Context, string) error {
		close(entered)
		<-release
		return nil
	}}
	address, stop := served(t, newRelay(f))
	answered := make(chan int, 1)
	go func() {
		res, err := http.DefaultClient.Do(genuine("acme", "{}").request("http://" + address))
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		res.Body.Close()
		answered <- res.StatusCode
	}()
	<-entered
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond, "nothing more is accepted")
	close(release)
	require.Equal(t, http.StatusOK, <-answered)
	<-stopped
}
