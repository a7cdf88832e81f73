package kros

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/krossim"
)

const testToken = "eyJhbGciOiJIUzI1NiJ9.kros"

// bubble is a KROS and its client in a time of their own: whole minutes of
// waiting pass at once, and exactly.
type bubble struct {
	*testing.T
	sim    *krossim.Server
	client *Client
}

func inBubble(t *testing.T, options krossim.Options, test func(b bubble)) {
	t.Helper()
	options.Token = testToken
	sim := krossim.New(options)
	onWire(t, sim, func(t *testing.T, client *Client) { test(bubble{t, sim, client}) })
	sim.Close()
}

// onWire serves handler over connections in memory, with all of net/http between.
func onWire(t *testing.T, handler http.Handler, test func(*testing.T, *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		wire := &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: handler}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(wire) }()
		transport := &http.Transport{DialContext: wire.dial}
		client, err := New(Config{URL: "http://kros.test", Token: testToken, HTTP: &http.Client{Transport: transport}})
		require.NoError(t, err)
		defer func() {
			transport.CloseIdleConnections()
			require.NoError(t, server.Close())
			require.ErrorIs(t, <-ended, http.ErrServerClosed)
		}()
		test(t, client)
	})
}

type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error   { close(l.closed); return nil }
func (l *memoryListener) Addr() net.Addr { return &net.UnixAddr{Name: "kros.test"} }
