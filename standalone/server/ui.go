package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/hashicorp/go-hclog"
	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// webUI is Temporal's web interface behind a door of our own. The door holds
// the port from the first moment on (the interface itself ends the process
// when its port is taken) and asks under which name it was called.
type webUI struct {
	url      string
	listener net.Listener
	door     *http.Server
	backend  *uiserver.Server
}

// listenUI takes the port, or a free one for 0. Nothing answers before serve.
func listenUI(port int) (*webUI, error) {
	l, err := listen(port, "--ui-port")
	if err != nil {
		return nil, err
	}
	return &webUI{url: "http://" + l.Addr().String(), listener: l}, nil
}

// serve starts the interface and returns when it answers.
func (u *webUI) serve(ctx context.Context, temporal, namespace string, log hclog.Logger) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	u.backend = uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host:                host,
		Port:                port,
		TemporalGRPCAddress: temporal,
		DefaultNamespace:    namespace,
		EnableUI:            true,
		DisableNewsFetch:    true,
		HideLogs:            true,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain http, and only on loopback
	}))
	go func() { _ = u.backend.Start() }() // returns when stopped
	target := &url.URL{Scheme: "http", Host: address(port)}
	if err := waitAnswers(ctx, target.JoinPath("healthz").String()); err != nil {
		return err
	}

	quiet := log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Trace})
	u.door = &http.Server{
		Handler: onlyAsLoopback(&httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.Host = r.In.Host
			},
			ErrorLog: quiet,
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          quiet,
	}
	go func() { _ = u.door.Serve(u.listener) }() // returns when stopped
	return nil
}

func (u *webUI) stop() {
	_ = u.listener.Close()
	if u.door != nil {
		_ = u.door.Close()
	}
	if u.backend != nil {
		u.backend.Stop()
	}
}

// onlyAsLoopback refuses requests under any name but this machine's own.
// Nobody logs in here, and a web page anywhere could otherwise let its own
// name point to 127.0.0.1 and steer workflows from the visitor's browser.
func onlyAsLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := (&url.URL{Host: r.Host}).Hostname()
		if ip := net.ParseIP(name); name != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, fmt.Sprintf("This is not %q: open it as localhost or 127.0.0.1.", name), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// waitAnswers returns when a GET of the address answers 200.
func waitAnswers(ctx context.Context, address string) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return fmt.Errorf("ask %s: %w", address, err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the web interface: %w", context.Cause(ctx))
		}
	}
}
