package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// public is the name under which the relay of a test is reached: the
// certificate of httptest is made for it.
const public = "sync.example.com"

// stand is a relay and the shop behind it: what it accepts, the shop counts,
// and begins a pass for.
type stand struct {
	mu       sync.Mutex
	shop     protocol.Status
	accepted [][]byte // bodies
	silent   bool     // accepted, and nobody is told
	pass     func(*protocol.Report)
}

func newStand() *stand {
	last := pass(protocol.ResultOK).Report
	last.StartedAt, last.FinishedAt = now.Add(-time.Hour), now.Add(-time.Hour+time.Second)
	return &stand{shop: protocol.Status{
		Shop: "acme", Title: "acme", State: protocol.StateActive, LastPass: &last,
		Notifications: protocol.Notifications{State: protocol.NotificationsWaiting, Count: 12},
	}}
}

// ServeHTTP accepts what the key of the shop has signed, as the relay does.
func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	right := kros.Verify(kros.AuthorizationKey([]byte("0123456789abcdef0123456789abcdef"), "acme", 1), body, r.Header.Get(kros.SignatureHeader))
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/webhooks/kros/acme" || !right {
		http.Error(w, "the notification is not accepted", http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted = append(s.accepted, body)
	if !s.silent {
		s.count()
	}
}

// count has the shop count a notification and run the pass for it.
func (s *stand) count() {
	at := now.Add(time.Second)
	s.shop.Notifications.Count++
	s.shop.Notifications.LastAt = &at
	if s.pass == nil || s.shop.State != protocol.StateActive {
		return
	}
	s.shop.LastPass = lo.ToPtr(ranAfter(at, s.pass))
}

// ranAfter is the report of a pass that began 80 ms after a time.
func ranAfter(at time.Time, change func(*protocol.Report)) protocol.Report {
	r := pass(protocol.ResultOK).Report
	r.Pass, r.Trigger, r.StartedAt, r.FinishedAt = 14, protocol.TriggerNotification, at.Add(80*time.Millisecond), at.Add(1280*time.Millisecond)
	r.Counts = stock.Counts{KrosItems: 1240, Updated: 3}
	change(&r)
	return r
}

func fine(*protocol.Report) {}

func (s *stand) temporal() *fakeTemporal {
	return &fakeTemporal{describe: running, query: func(context.Context) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.shop, nil
	}}
}

// machine is where the command runs, and what its network leads to.
type machine struct {
	environment
	url string // relay.public_url
}

// serveTLS is quiet about those who do not trust it.
func serveTLS(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// with leads the name of the relay to a server, whose certificate is trusted.
func with(server *httptest.Server, f *fakeTemporal) *machine {
	m := &machine{environment: surroundings(f), url: server.URL}
	m.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		if host != public {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	m.roots = x509.NewCertPool()
	if server.TLS != nil {
		m.roots.AddCert(server.Certificate())
		m.url = "https://" + net.JoinHostPort(public, lo.Must(url.Parse(server.URL)).Port())
	}
	return m
}

func (m *machine) try(t *testing.T, args ...string) done {
	t.Helper()
	dir := settings(t, map[string]string{
		"skladom.hcl": fmt.Sprintf("relay { public_url = %q }\nsecrets { master_key = env(\"MASTER\") }\n", m.url),
		"acme.hcl":    acme,
	})
	return runIn(t.Context(), m.environment, append([]string{"webhook", "acme", "--test", "--config", dir}, args...)...)
}

// steps are what a test notification has come to, by name; all six are told in
// their order.
func (m *machine) steps(t *testing.T) (map[string]step, int) {
	t.Helper()
	d := m.try(t, "--json")
	var v tried
	decodeOne(t, d, &v)
	require.Equal(t, m.url+"/webhooks/kros/acme", v.URL)
	require.Equal(t, []string{"name", "tls", "status", "signature", "signal", "pass"}, lo.Map(v.Steps, func(s step, _ int) string { return s.Step }))
	return lo.KeyBy(v.Steps, func(s step) string { return s.Step }), d.status
}

// fails tries a notification that must stop at a step, for a reason.
func (m *machine) fails(t *testing.T, at, why string) {
	t.Helper()
	steps, status := m.steps(t)
	require.Equal(t, statusFailed, status)
	require.Contains(t, steps[at].Message, why)
	reached := true
	for _, name := range []string{"name", "tls", "status", "signature", "signal", "pass"} {
		if name == at {
			require.False(t, steps[name].OK, name)
			reached = false
			continue
		}
		require.Equal(t, reached, steps[name].OK, "%s: %s", name, steps[name].Message)
		if !reached {
			require.Equal(t, "Not tried.", steps[name].Message)
		}
	}
	text := m.try(t)
	require.Equal(t, statusFailed, text.status)
	require.Contains(t, text.stdout, "FAILED")
	require.Empty(t, text.stderr)
}

func TestATestNotificationGoesAllTheWayToItsPass(t *testing.T) {
	s := newStand()
	s.pass = fine
	server := serveTLS(t, s)
	m := with(server, s.temporal())
	steps, status := m.steps(t)
	require.Equal(t, statusDone, status)
	for name, want := range map[string]string{
		"name":      "sync.example.com is 127.0.0.1. From the internet nobody reaches that, nor does KROS; see that outside the name leads to your proxy.",
		"tls":       "The certificate of sync.example.com is valid until 29 Jan 2084 16:00 GMT, 20,855 days from now.",
		"status":    "HTTP 200 after 0s.",
		"signature": "Accepted, with key_version 1.",
		"signal":    "acme has counted it: notifications were 12 and are 13, the last 24 Dec 2026 09:30 GMT.",
		"pass":      "Pass 14 (KROS notified) began 80ms after the signal and took 1.2s: 1,240 items, 3 updated.",
	} {
		require.True(t, steps[name].OK)
		require.Equal(t, want, steps[name].Message)
	}

	text := m.try(t)
	require.Equal(t, statusDone, text.status)
	require.Empty(t, text.stderr)
	require.Contains(t, text.stdout, "  ok      pass       Pass 14")
	require.Contains(t, text.stdout, "skladom status acme")

	require.Len(t, s.accepted, 2)
	var body map[string]any
	require.NoError(t, json.Unmarshal(s.accepted[0], &body))
	require.Equal(t, true, body["test"])
	require.Equal(t, "acme", body["shop"])
	require.NotContains(t, text.stdout, kros.AuthorizationKey([]byte("0123456789abcdef0123456789abcdef"), "acme", 1), "what a person sends to others holds no key")
}

func TestOnThisMachineItWorksWithoutTLS(t *testing.T) {
	s := newStand()
	s.pass = fine
	server := httptest.NewServer(s)
	defer server.Close()
	steps, status := with(server, s.temporal()).steps(t)
	require.Equal(t, statusDone, status)
	require.Contains(t, steps["name"].Message, "127.0.0.1 is an address")
	require.Contains(t, steps["tls"].Message, "Skipped")
}

func TestANameThatLeadsNowhere(t *testing.T) {
	for why, err := range map[string]error{
		"There is no address of the name sync.example.com.": &net.DNSError{Err: "no such host", IsNotFound: true},
		"could not be looked up":                            &net.DNSError{Err: "i/o timeout", IsTimeout: true},
	} {
		s := newStand()
		server := serveTLS(t, s)
		m := with(server, s.temporal())
		m.lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, err }
		m.fails(t, "name", why)
		require.Empty(t, s.accepted)
	}
}

func TestAnAddressThatDoesNotAnswerIsNotTheLastOne(t *testing.T) {
	s := newStand()
	s.pass = fine
	server := serveTLS(t, s)
	m := with(server, s.temporal())
	m.lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("::ffff:127.0.0.1")}, nil
	}
	steps, status := m.steps(t)
	require.Equal(t, statusDone, status, steps)
	require.Contains(t, steps["name"].Message, "127.0.0.2, 127.0.0.1")
}

func TestAnEncryptionThatKROSWouldNotTrust(t *testing.T) {
	s := newStand()
	server := serveTLS(t, s)
	plain := httptest.NewServer(s)
	defer plain.Close()
	hangsUp := listener(t, func(c net.Conn) { _ = c.Close() })
	nobody := listener(t, nil)
	for _, c := range []struct {
		name   string
		change func(*machine)
		why    string
	}{
		{"signed by nobody known", func(m *machine) { m.roots = x509.NewCertPool() }, "No authority that this machine knows"},
		{"of another name", func(m *machine) {
			m.url = strings.Replace(m.url, public, "sync.example.net", 1)
			m.lookup = func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}
		}, "not one of sync.example.net"},
		{"that is over", func(m *machine) { m.now = func() time.Time { return server.Certificate().NotAfter.Add(time.Second) } }, "until 29 Jan 2084 16:00 GMT, and not now"},
		{"that has not begun", func(m *machine) { m.now = func() time.Time { return server.Certificate().NotBefore.Add(-time.Second) } }, "and not now"},
		{"none at all", func(m *machine) { m.port(plain.Listener.Addr()) }, "does not speak TLS"},
		{"cut off", func(m *machine) { m.port(hangsUp) }, "No encrypted connection"},
		{"where nobody listens", func(m *machine) { m.port(nobody) }, "Nobody listens at sync.example.com:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := with(server, s.temporal())
			c.change(m)
			m.fails(t, "tls", c.why)
		})
	}
	require.Empty(t, s.accepted, "nothing is sent to a stranger")
}

// port leads to another port under the same name.
func (m *machine) port(to net.Addr) {
	m.url = "https://" + net.JoinHostPort(public, lo.Must(netip.ParseAddrPort(to.String())).String()[len("127.0.0.1:"):])
}

// listener does with connections as told; nil: it is closed.
func listener(t *testing.T, with func(net.Conn)) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if with == nil {
		require.NoError(t, l.Close())
		return l.Addr()
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			with(c)
		}
	}()
	return l.Addr()
}

func TestACertificateThatEndsSoonIsToldAndNoFailure(t *testing.T) {
	s := newStand()
	s.pass = fine
	server := serveTLS(t, s)
	m := with(server, s.temporal())
	m.now = func() time.Time { return server.Certificate().NotAfter.Add(-25 * time.Hour) }
	steps, status := m.steps(t)
	require.Equal(t, statusDone, status)
	require.Contains(t, steps["tls"].Message, "1 day from now. See that it is renewed in time.")
}

func TestAnAnswerThatIsNotTheRelays(t *testing.T) {
	answer := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "what it \x1b[31msaid\nin more lines")
		}
	}
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		why    string
	}{
		{"a redirect is not followed", answer(301, "Location", "/elsewhere"), `HTTP 301: a redirect to "/elsewhere"`},
		{"no such path", answer(404, "Content-Type", "text/html"), "HTTP 404: this is not the relay. Let the proxy pass POST /webhooks/kros/acme on"},
		{"no POST", answer(405), "HTTP 405: this is not the relay."},
		{"another success", answer(204), "HTTP 204: this is not the relay."},
		{"a firewall", answer(403), "HTTP 403: something before the relay"},
		{"too many wrong ones", answer(429), "this one was wrong, too"},
		{"a proxy without a relay", answer(502), "HTTP 502: the proxy does not reach the relay."},
		{"Temporal is away", answer(503, "Content-Type", "text/plain; charset=utf-8"), `HTTP 503: the relay cannot pass the notification on now, or the proxy has no relay to pass it to. It said: "what it [31msaid".`},
		{"anything else", answer(500, "Content-Type", "text/html"), "HTTP 500: an answer that the relay does not give. Look into"},
		{"cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "No answer from sync.example.com:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/webhooks/kros/acme", c.answer)
			mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
			server := serveTLS(t, mux)
			with(server, newStand().temporal()).fails(t, "status", c.why)
		})
	}
}

func TestASignatureThatIsRefused(t *testing.T) {
	s := newStand()
	server := serveTLS(t, s)
	otherKey := func(m *machine) {
		m.files.Getenv = func(name string) (string, bool) {
			return lo.Ternary(name == "MASTER", "YW5vdGhlciBtYXN0ZXIga2V5IG9mIDMyIGJ5dGVzISE=", variables[name]), true
		}
	}
	t.Run("says what it can mean", func(t *testing.T) {
		m := with(server, s.temporal())
		otherKey(m)
		for _, meaning := range []string{"another master key", "does not accept key_version 1 of acme", "not activated", "TEMPORAL_NAMESPACE"} {
			m.fails(t, "signature", meaning)
		}
	})
	t.Run("also where Temporal cannot be asked", func(t *testing.T) {
		m := with(server, &fakeTemporal{dialErr: serviceerror.NewUnavailable("connection refused")})
		otherKey(m)
		m.fails(t, "signature", "another master key")
	})
	t.Run("knows that the shop is not activated", func(t *testing.T) {
		m := with(server, &fakeTemporal{})
		otherKey(m) // the relay answers alike
		m.fails(t, "signature", "Refused: "+message.NotActive("acme"))
	})
	t.Run("by a proxy that wants a password", func(t *testing.T) {
		server := serveTLS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		}))
		with(server, s.temporal()).fails(t, "signature", "Refused by a proxy that asks for a user")
	})
}

func TestASignalThatCannotBeSeen(t *testing.T) {
	s := newStand()
	server := serveTLS(t, s)
	with(server, &fakeTemporal{dialErr: serviceerror.NewUnavailable("connection refused")}).
		fails(t, "signal", "Temporal at temporal.example.com:7233 does not answer.")
	with(server, &fakeTemporal{describe: running, query: func(context.Context) (any, error) {
		return nil, serviceerror.NewFailedPrecondition("no poller seen")
	}}).fails(t, "signal", "No worker answers")
	require.NotEmpty(t, s.accepted)
}

func TestWhatBecomesOfThePass(t *testing.T) {
	failed := func(r *protocol.Report) {
		r.Result, r.Failure = protocol.ResultFailed, message.Failure(protocol.KrosUnavailable, message.Params{})
	}
	suspended := &protocol.Reason{Failure: *message.Failure(protocol.KrosKeyInvalid, message.Params{}), Since: now}
	gap := func(s *stand) {
		s.shop.LastPass.Trigger = protocol.TriggerNotification
		s.shop.LastPass.StartedAt, s.shop.LastPass.FinishedAt = now.Add(-time.Second), now.Add(29*time.Second)
	}
	for _, c := range []struct {
		name   string
		change func(*stand)
		ok     bool
		want   string
	}{
		{"it may fail", func(s *stand) { s.pass = failed }, false, "took 1.2s. KROS does not answer at the moment."},
		{"it may be held", func(s *stand) { s.pass = func(r *protocol.Report) { r.Result = protocol.ResultHeld } }, true, "it is held"},
		{"it may serve another cause, too", func(s *stand) { s.pass = func(r *protocol.Report) { r.Trigger = protocol.TriggerManual } }, true, "Pass 14 (by hand) began"},
		{"it may begin with the signal", func(s *stand) { s.pass = func(r *protocol.Report) { r.StartedAt = now.Add(time.Second) } }, true, "began 0s after the signal"},
		{"a paused shop remembers", func(s *stand) { s.shop.State = protocol.StatePaused }, true, "skladom resume acme"},
		{"a suspended shop begins none", func(s *stand) { s.shop.State, s.shop.Reason = protocol.StateSuspended, suspended }, false, "acme is suspended. KROS does not accept the API key."},
		{"one that was held back says why", func(s *stand) {
			gap(s)
			s.shop.LastPass.FinishedAt = now
			s.pass = fine
		}, true, "after the signal, since passes for notifications keep webhook.min_gap (30s) and twice their duration apart, and took 1.2s"},
		{"one that is held back for long is not waited for", gap, true, "Not yet, it begins at about 24 Dec 2026 09:30 GMT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand()
			c.change(s)
			server := serveTLS(t, s)
			m := with(server, s.temporal())
			steps, status := m.steps(t)
			require.True(t, steps["signal"].OK, steps)
			require.Equal(t, c.ok, steps["pass"].OK)
			require.Equal(t, lo.Ternary(c.ok, statusDone, statusFailed), status)
			require.Contains(t, steps["pass"].Message, c.want)
		})
	}
}

// waiting is a trial whose notification was sent just now, on a clock of its own.
func waiting(f *fakeTemporal, before protocol.Status) *trial {
	a := &app{environment: surroundings(f), stderr: io.Discard}
	c := &connection{temporalClient: f, place: place{"temporal.example.com:7233", "default"}, screen: io.Discard}
	return &trial{app: a, shop: "acme", webhook: webhook{minGap: 30 * time.Second}, zone: time.UTC, temporal: c, before: before}
}

func TestASignalIsWaitedForButNotForEver(t *testing.T) {
	t.Run("it comes", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			s := newStand()
			trial := waiting(s.temporal(), s.shop)
			time.AfterFunc(4*time.Second, func() { s.mu.Lock(); s.count(); s.mu.Unlock() })
			_, err := trial.signal(t.Context())
			require.NoError(t, err)
		})
	})
	t.Run("it never comes", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			s := newStand()
			begin := time.Now()
			_, err := waiting(s.temporal(), s.shop).signal(t.Context())
			require.ErrorContains(t, err, "acme has not counted it within 10s")
			require.Contains(t, asProblem(err).failure.Hint, `another Temporal than temporal.example.com:7233, namespace "default"`)
			require.LessOrEqual(t, time.Since(begin), 15*time.Second)
		})
	})
}

func TestAPassIsWaitedForButNotForEver(t *testing.T) {
	passSince := func(status enumspb.WorkflowExecutionStatus, at time.Time) func(context.Context, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
		return func(ctx context.Context, id string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
			if id != "sync-pass:acme" {
				return running(ctx, id)
			}
			return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
				Execution: &commonpb.WorkflowExecution{WorkflowId: id}, Status: status, StartTime: timestamppb.New(at),
			}}, nil
		}
	}
	for _, c := range []struct {
		name     string
		describe func(context.Context, string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
		after    time.Duration // the pass ends; 0: never
		want     string
		wrong    bool
	}{
		{"held back by min_gap, it comes", running, 40 * time.Second, "Pass 14 (KROS notified) began", false},
		{"it still runs", passSince(enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, now.Add(2*time.Second)), 0, "A pass began after the signal and still runs", false},
		{"an older one still runs", passSince(enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, now), 0, "the one for this notification follows it", false},
		{"it never begins", passSince(enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, now), 0, "No pass began within 1m0s.", true},
		{"and nobody knows of any", func(ctx context.Context, id string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
			if id == "sync-pass:acme" {
				return nil, serviceerror.NewNotFound("no such workflow")
			}
			return running(ctx, id)
		}, 0, "No pass began within 1m0s.", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newStand()
				f := s.temporal()
				f.describe = c.describe
				if c.after > 0 {
					s.shop.LastPass.Trigger = protocol.TriggerNotification
					s.shop.LastPass.StartedAt, s.shop.LastPass.FinishedAt = now, now.Add(time.Second)
				}
				trial := waiting(f, s.shop)
				var screen bytes.Buffer
				trial.stdout = &screen
				s.count()
				trial.after = s.shop
				if c.after > 0 {
					time.AfterFunc(c.after, func() {
						s.mu.Lock()
						defer s.mu.Unlock()
						s.shop.LastPass = lo.ToPtr(ranAfter(*s.shop.Notifications.LastAt, fine))
					})
				}
				begin := time.Now()
				text, err := trial.pass(t.Context())
				require.LessOrEqual(t, time.Since(begin), 70*time.Second)
				if c.wrong {
					require.ErrorContains(t, err, c.want)
					return
				}
				require.NoError(t, err)
				require.Contains(t, text, c.want)
				require.Equal(t, c.after > 0, strings.Contains(screen.String(), "It begins in about 29s"), screen.String())
			})
		})
	}
}

func TestATestThatIsStoppedSaysSo(t *testing.T) {
	s := newStand()
	server := serveTLS(t, s)
	m := with(server, s.temporal())
	ctx, stop := context.WithCancel(t.Context())
	m.lookup = func(ctx context.Context, _ string) ([]netip.Addr, error) {
		stop()
		return nil, ctx.Err()
	}
	dir := settings(t, map[string]string{"skladom.hcl": installation, "acme.hcl": acme})
	d := runIn(ctx, m.environment, "webhook", "acme", "--test", "--config", dir, "--json")
	require.Equal(t, statusFailed, d.status)
	require.Equal(t, "Stopped.", document(t, d)["failure"].(map[string]any)["message"])
}

func TestATestNeedsURLAndKey(t *testing.T) {
	dir := settings(t, map[string]string{"acme.hcl": acme})
	d := skladom(t, nil, "webhook", "acme", "--test", "--config", dir, "--json")
	require.Equal(t, statusFailed, d.status)
	require.Contains(t, document(t, d)["failure"].(map[string]any)["message"], "relay.public_url is not configured")
}

// A stranger's text must neither steer a terminal nor fill it.
func TestWhatAStrangerSaysIsCutAndCleaned(t *testing.T) {
	require.Equal(t, "[31mred", printable("\x1b[31mred\x00\xff"))
	require.Len(t, []rune(printable(strings.Repeat("ž", 5000))), 200)
}

func TestOddErrorsOfTheNetworkAreOneLine(t *testing.T) {
	require.Equal(t, "a; b", reason(&url.Error{Op: "Post", URL: "https://x", Err: errors.Join(errors.New("a"), errors.New("b"))}))
	require.True(t, timedOut(fmt.Errorf("dial: %w", context.DeadlineExceeded)))
	require.False(t, timedOut(&tls.CertificateVerificationError{Err: errors.New("no")}))
}
