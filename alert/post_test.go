package alert_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/alert"
)

// token is the part of an address that must be in no error.
const token = "T0K3N-of-the-address"

var at = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

func outage() alert.Message {
	return alert.Message{
		Kind: "suspended", Code: "kros_key_invalid", State: "suspended", Message: "KROS does not accept the API key.", Hint: "Generate a new one.",
		Shops: []alert.Shop{{Shop: "acme", Title: "Acme s.r.o.", Message: "KROS does not accept the API key.", Since: at}}, Count: 1, At: at,
	}
}

func TestPostSendsTheMessageAsItIsWrittenDown(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Idempotency-Key") != "k1" || r.URL.Path != "/"+token {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		const want = `{"version":1,"kind":"suspended","code":"kros_key_invalid","state":"suspended","cleared":false,
			"message":"KROS does not accept the API key.","hint":"Generate a new one.","count":1,"at":"2026-03-02T10:00:00Z",
			"shops":[{"shop":"acme","title":"Acme s.r.o.","message":"KROS does not accept the API key.","hint":"","since":"2026-03-02T10:00:00Z"}]}`
		if !sameJSON(t, want, string(body)) {
			t.Errorf("%s", body)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	require.NoError(t, alert.Post(t.Context(), server.URL+"/"+token, "k1", outage()))
}

func sameJSON(t *testing.T, want, got string) bool {
	t.Helper()
	var a, b any
	return json.Unmarshal([]byte(want), &a) == nil && json.Unmarshal([]byte(got), &b) == nil && mustJSON(t, a) == mustJSON(t, b)
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// answering is a destination and the messages it got.
func answering(t *testing.T, answer http.HandlerFunc) (address string, got *int) {
	t.Helper()
	count := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPost && len(body) > 0 {
			count++
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, &count
}

func TestWhatCountsAsDelivered(t *testing.T) {
	stranger, strangers := answering(t, func(http.ResponseWriter, *http.Request) {})
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	redirect := func(code int, to func(*http.Request) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/new" {
				return
			}
			http.Redirect(w, r, to(r), code)
		}
	}
	here := func(r *http.Request) string { return "http://" + r.Host + "/new" }
	there := func(*http.Request) string {
		return strings.Replace(stranger, "127.0.0.1", "localhost", 1)
	}
	tests := []struct {
		rule   string
		answer http.HandlerFunc
		status int // 0: delivered
		wait   time.Duration
	}{
		{"200", status(200), 0, 0},
		{"202", status(202), 0, 0},
		{"404 is not", status(404), 404, 0},
		{"nor 500", status(500), 500, 0},
		{"429 says when to come again", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		}, 429, 2 * time.Minute},
		{"an absurd wait is an hour", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "999999999")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 503, time.Hour},
		{"a redirect at the same host that repeats the message", redirect(308, here), 0, 0},
		{"a redirect that would lose the message is not followed", redirect(302, here), 302, 0},
		{"a redirect to another host is not followed", redirect(307, there), 307, 0},
		{"a redirect that never ends", redirect(307, func(r *http.Request) string { return "http://" + r.Host + "/again" }), 307, 0},
		{"an endless answer is not read to its end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			address, _ := answering(t, test.answer)
			err := alert.Post(t.Context(), address+"/hook?key="+token, "k", outage())
			if test.status == 0 {
				require.NoError(t, err)
				return
			}
			var failure *alert.Error
			require.ErrorAs(t, err, &failure)
			require.Equal(t, test.status, failure.Status)
			require.Equal(t, test.wait, failure.RetryAfter)
			require.NotContains(t, err.Error(), token)
		})
	}
	require.Zero(t, *strangers)
}

func TestAnErrorHoldsNoAddress(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	untrusted.Config.ErrorLog = nil
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = connection.Close()
		}
	}))
	defer broken.Close()
	for reason, address := range map[string]string{
		"the connection was refused":     dead.URL,
		"the certificate is not trusted": untrusted.URL,
		"it does not speak TLS":          strings.Replace(plain.URL, "http:", "https:", 1),
		"the connection broke":           broken.URL,
		"its address is not a URL":       "http://%zz",
		"the name of the host cannot be": "http://" + token + ".invalid",
	} {
		err := alert.Post(t.Context(), address+"/"+token, "k", outage())
		require.ErrorContains(t, err, reason)
		require.NotContains(t, err.Error(), token)
		require.NotContains(t, err.Error(), "127.0.0.1")
		var quoted *url.Error
		require.NotErrorAs(t, err, &quoted)
	}
}

func TestAnAttemptEndsWithItsContext(t *testing.T) {
	reached, release := make(chan struct{}), make(chan struct{})
	address, _ := answering(t, func(http.ResponseWriter, *http.Request) { close(reached); <-release })
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	require.ErrorIs(t, alert.Post(ctx, address+"/"+token, "k", outage()), context.Canceled)

	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	require.ErrorContains(t, alert.Post(late, address, "k", outage()), "no answer in time")
}
