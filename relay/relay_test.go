package relay_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/skladom/skladom/relay"
)

const header = "X-Kros-Signature-256"

// shops are acme, whose key is at version 3 while 1 is still accepted, and
// others with one version.
type shops map[string][]int

var known = shops{"acme": {3, 1}, "beta": {1}, "idle": {1}}

func (s shops) KeyVersions(shop string) ([]int, int) {
	return s[shop], len(slices.MaxFunc(slices.Collect(maps.Values(s)), func(a, b []int) int { return len(a) - len(b) }))
}

// temporal counts the signals it gets; where answer is set, it answers.
type temporal struct {
	mu      sync.Mutex
	signals map[string]int
	answer  func(ctx context.Context, shop string) error

	told   []string // of wrong keys, in order
	refuse func(ctx context.Context, shop string) error
}

func (f *temporal) signal(ctx context.Context, shop, signal string) error {
	if signal == "notification-refused" {
		return f.wrongKey(ctx, shop)
	}
	f.mu.Lock()
	if f.signals == nil {
		f.signals = map[string]int{}
	}
	f.signals[shop]++
	answer := f.answer
	f.mu.Unlock()
	if shop == "idle" {
		return fmt.Errorf("signal: %w", serviceerror.NewNotFound("workflow not found for ID: stock-sync:idle"))
	}
	if answer != nil {
		return answer(ctx, shop)
	}
	return nil
}

func (f *temporal) wrongKey(ctx context.Context, shop string) error {
	f.mu.Lock()
	f.told = append(f.told, shop)
	refuse := f.refuse
	f.mu.Unlock()
	if refuse != nil {
		return refuse(ctx, shop)
	}
	return nil
}

func (f *temporal) count(shop string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.signals[shop]
}

func newRelay(f *temporal, change ...func(*relay.Options)) http.Handler {
	o := relay.Options{Shops: known, MasterKey: []byte(masterKey), Signal: f.signal, Logger: hclog.NewNullLogger(), Now: time.Now}
	for _, c := range change {
		c(&o)
	}
	return relay.New(o)
}

// bubble runs a test on a fake clock. What a relay begins comes to rest before
// it ends.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t)
		time.Sleep(time.Minute)
	})
}

type notification struct{ method, shop, body, signature, from, forwarded string }

func (n notification) request(base string) *http.Request {
	method := n.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, base+relay.Path(n.shop), strings.NewReader(n.body))
	if err != nil {
		panic(err)
	}
	if n.signature != "" {
		req.Header.Set(header, n.signature)
	}
	if n.forwarded != "" {
		req.Header.Set("X-Forwarded-For", n.forwarded)
	}
	req.RemoteAddr = n.from
	return req
}

// genuine is a notification as KROS sends it.
func genuine(shop, body string) notification {
	return notification{shop: shop, body: body, signature: signed(authorizationKey(shop, known[shop][0]), body), from: "192.0.2.1:4711"}
}

type answer struct {
	status int
	body   string
	header http.Header
}

// call asks a relay over a real connection.
func call(t *testing.T, url string, n notification) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(n.request(url))
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, string(body), res.Header}
}

// hand gives a notification to the handler itself, for tests with a fake clock.
func hand(h http.Handler, n notification) answer {
	w := httptest.NewRecorder()
	req := n.request("")
	req.URL.Host, req.Host = "", "relay"
	h.ServeHTTP(w, req)
	return answer{w.Code, w.Body.String(), w.Header()}
}

func TestWhatKROSSignsIsAccepted(t *testing.T) {
	for name, body := range map[string]string{
		"ASCII":                         `{"status":200}`,
		"diacritics":                    `{"name":"Ľadové kráľovstvo – čaša žltá"}`,
		"emoji beyond the basic plane":  `{"name":"📦 balík 👩‍👩‍👧"}`,
		"empty":                         "",
		"900 kB":                        strings.Repeat("žltučký kôň ", 53_000),
		"exactly 1 MiB":                 strings.Repeat("x", 1<<20),
		"no JSON":                       "<html>",
		"white space is part of it":     " { } \r\n",
		"a byte order mark":             "\ufeff{}",
		"a zero byte":                   "{\x00}",
		"replacement character as such": "\ufffd",
	} {
		t.Run(name, func(t *testing.T) {
			f := &temporal{}
			server := httptest.NewServer(newRelay(f))
			defer server.Close()
			got := call(t, server.URL, genuine("acme", body))
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, 1, f.count("acme"), "200 means that Temporal has the signal")
		})
	}
}

func TestEveryAcceptedVersionOfTheKeyCounts(t *testing.T) {
	for version, want := range map[int]int{0: 401, 1: 200, 2: 401, 3: 200, 4: 401} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			n := genuine("acme", "{}")
			n.signature = signed(authorizationKey("acme", version), "{}")
			require.Equal(t, want, hand(newRelay(&temporal{}), n).status)
		})
	}
}

func TestEverythingElseIsRefusedAlike(t *testing.T) {
	const body = `{"status": 200, "name": "žltý kôň"}`
	key := authorizationKey("acme", 3)
	right := signed(key, body)
	raw, err := base64.StdEncoding.DecodeString(right)
	require.NoError(t, err)
	flipped := bytes.Clone(raw)
	flipped[7] ^= 1
	with := func(change func(*notification)) notification {
		n := genuine("acme", body)
		change(&n)
		return n
	}
	sign := func(signature string) notification { return with(func(n *notification) { n.signature = signature }) }
	for name, n := range map[string]notification{
		"no signature":                       sign(""),
		"UTF-8 instead of UTF-16LE":          sign(base64.StdEncoding.EncodeToString(hmac256([]byte(key), []byte(body)))),
		"only the key in UTF-16LE":           sign(base64.StdEncoding.EncodeToString(hmac256(utf16(key), []byte(body)))),
		"hexadecimal":                        sign(hex.EncodeToString(raw)),
		"a prefix":                           sign("sha256=" + right),
		"cut":                                sign(right[:len(right)-1]),
		"Base64 of the URL alphabet":         sign(base64.RawURLEncoding.EncodeToString(raw)),
		"one bit changed":                    sign(base64.StdEncoding.EncodeToString(flipped)),
		"one bit of the body changed":        with(func(n *notification) { n.body = strings.Replace(n.body, "200", "201", 1) }),
		"letters of the other case":          sign(strings.ToLower(right)),
		"UTF-16 with the high byte first":    sign(base64.StdEncoding.EncodeToString(hmac256(swapped(utf16(key)), swapped(utf16(body))))),
		"UTF-16LE with a mark":               sign(signed(key, "\ufeff"+body)),
		"another body":                       with(func(n *notification) { n.body += " " }),
		"JSON written anew":                  with(func(n *notification) { n.body = `{"name":"žltý kôň","status":200}` }),
		"the key of another shop":            sign(signed(authorizationKey("beta", 1), body)),
		"another shop's URL":                 with(func(n *notification) { n.shop = "beta" }),
		"a version that does not count":      sign(signed(authorizationKey("acme", 2), body)),
		"the empty key":                      sign(signed("", body)),
		"the master key":                     sign(signed(masterKey, body)),
		"an unknown shop":                    {shop: "nobody", body: body, signature: signed(authorizationKey("nobody", 1), body)},
		"an unknown shop, version of no one": {shop: "nobody", body: body, signature: signed(authorizationKey("nobody", 0), body)},
		"a name that is none":                {shop: "..%2F%00%F0%9F%93%A6", body: body, signature: right},
		"a shop that was not activated":      genuine("idle", body),
	} {
		t.Run(name, func(t *testing.T) {
			f := &temporal{}
			server := httptest.NewServer(newRelay(f))
			defer server.Close()
			got := call(t, server.URL, n)
			require.Equal(t, http.StatusUnauthorized, got.status)
			require.Zero(t, f.count("acme")+f.count("beta")+f.count("nobody"))

			got.header.Del("Date")
			reference := call(t, server.URL, sign("wrong"))
			reference.header.Del("Date")
			require.Equal(t, reference, got, "the answer must not tell why")
		})
	}
}

func swapped(units []byte) []byte {
	for i := 0; i+1 < len(units); i += 2 {
		units[i], units[i+1] = units[i+1], units[i]
	}
	return units
}

func TestTheKeyThatIsTriedForTheSakeOfTimeIsNoKey(t *testing.T) {
	for _, shop := range []string{"nobody", "beta", "acme"} {
		n := notification{shop: shop, body: "{}", signature: signed(authorizationKey(shop, 0), "{}")}
		require.Equal(t, http.StatusUnauthorized, hand(newRelay(&temporal{}), n).status, shop)
	}
}

func TestEveryNameCostsTheSame(t *testing.T) {
	// Allocations stand for the work done: they are counted exactly, time is not.
	cost := func(of shops, shop string) float64 {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		h := newRelay(&temporal{}, func(o *relay.Options) {
			o.Shops = of
			o.Now = func() time.Time { now = now.Add(2 * time.Second); return now } // slowly enough to be 401 each time
		})
		n := notification{shop: shop, body: strings.Repeat("x", 1000), signature: "wrong", from: "192.0.2.1:1"}
		return testing.AllocsPerRun(200, func() { hand(h, n) })
	}
	require.Equal(t, cost(known, "acme"), cost(known, "beta"), "two keys and one")
	require.Equal(t, cost(known, "acme"), cost(known, "nope"), "two keys and none")
	require.Less(t, cost(shops{"acme": {1}}, "acme"), cost(known, "acme"), "two keys cost more than one")
}

func TestBodiesOverOneMebibyteAreRefused(t *testing.T) {
	f := &temporal{}
	server := httptest.NewServer(newRelay(f))
	defer server.Close()
	n := genuine("acme", strings.Repeat("x", 1<<20+1))
	require.Equal(t, http.StatusRequestEntityTooLarge, call(t, server.URL, n).status)

	req := n.request(server.URL)
	req.ContentLength = -1 // sent in chunks, its length unknown
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
	require.Zero(t, f.count("acme"))
}

func TestAPersonWhoOpensTheURLIsToldWhatItIsFor(t *testing.T) {
	server := httptest.NewServer(newRelay(&temporal{}))
	defer server.Close()
	page := call(t, server.URL, notification{method: http.MethodGet, shop: "acme"})
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.body, "notifications of KROS")
	require.Contains(t, page.header.Get("Content-Type"), "text/plain")
	require.Equal(t, page.body, call(t, server.URL, notification{method: http.MethodGet, shop: "nobody"}).body)
	require.Equal(t, http.StatusOK, call(t, server.URL, notification{method: http.MethodHead, shop: "acme"}).status)
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	server := httptest.NewServer(newRelay(&temporal{}))
	defer server.Close()
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace} {
		got := call(t, server.URL, notification{method: method, shop: "acme"})
		require.Equal(t, http.StatusMethodNotAllowed, got.status, method)
		require.Equal(t, "GET, HEAD, POST", got.header.Get("Allow"))
	}
	for _, shop := range []string{"", "acme/more"} {
		require.Equal(t, http.StatusNotFound, call(t, server.URL, notification{shop: shop, body: "{}"}).status, shop)
	}
}

func TestTroubleWithTemporalIsAnsweredSoThatKROSRepeats(t *testing.T) {
	for name, trouble := range map[string]error{
		"unavailable":               serviceerror.NewUnavailable("connection refused"),
		"too slow":                  context.DeadlineExceeded,
		"too busy":                  serviceerror.NewResourceExhausted(0, "namespace rate limit"),
		"a namespace that is wrong": serviceerror.NewNamespaceNotFound("default"),
		"anything else":             errors.New("boom: secret detail"),
	} {
		t.Run(name, func(t *testing.T) {
			f := &temporal{answer: func(context.Context, string) error { return trouble }}
			got := hand(newRelay(f), genuine("acme", "{}"))
			require.Equal(t, http.StatusServiceUnavailable, got.status)
			require.Equal(t, "10", got.header.Get("Retry-After"))
			require.NotContains(t, got.body, trouble.Error())
		})
	}
}

func TestASignalThatTemporalDoesNotAcceptInTimeIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &temporal{answer: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		require.Equal(t, http.StatusServiceUnavailable, hand(newRelay(f), genuine("acme", "{}")).status)
	})
}

func TestWrongSignaturesAreLimitedByAddress(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	h := newRelay(&temporal{}, func(o *relay.Options) { o.Now = func() time.Time { return now } })
	wrong := func(from string) answer {
		n := genuine("acme", "{}")
		n.signature, n.from = "wrong", from
		return hand(h, n)
	}
	for i := range 30 {
		require.Equal(t, http.StatusUnauthorized, wrong("192.0.2.1:1").status, i)
		now = now.Add(time.Second)
	}
	refused := wrong("192.0.2.1:2")
	require.Equal(t, http.StatusTooManyRequests, refused.status, "the port does not matter")
	require.Equal(t, "60", refused.header.Get("Retry-After"))
	require.Equal(t, http.StatusUnauthorized, wrong("192.0.2.2:1").status, "another address")

	right := genuine("acme", "{}")
	right.from = "192.0.2.1:1"
	require.Equal(t, http.StatusOK, hand(h, right).status, "a right one is never refused for the number of others")

	now = now.Add(29 * time.Second) // 59 s after the first
	require.Equal(t, http.StatusTooManyRequests, wrong("192.0.2.1:1").status)
	now = now.Add(time.Second)
	require.Equal(t, http.StatusUnauthorized, wrong("192.0.2.1:1").status, "one has left the minute")
	require.Equal(t, http.StatusTooManyRequests, wrong("192.0.2.1:1").status, "only one")
}

func TestWrongSignaturesOfOneIPv6NetworkCountTogether(t *testing.T) {
	h := newRelay(&temporal{})
	for i := range 31 {
		n := genuine("acme", "{}")
		n.signature, n.from = "wrong", fmt.Sprintf("[2001:db8::%x]:1", i)
		require.Equal(t, i >= 30, hand(h, n).status == http.StatusTooManyRequests, i)
	}
}

func TestRightNotificationsAreNeverLimited(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newRelay(&temporal{})
		for range 100 {
			require.Equal(t, http.StatusOK, hand(h, genuine("acme", "{}")).status)
		}
	})
}

func TestForwardedAddressesCountFromTrustedProxiesOnly(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, test := range map[string]struct {
		first, second notification // from, forwarded
		same          bool
	}{
		"nobody hides behind a header":       {notification{from: "192.0.2.1:1", forwarded: "198.51.100.1"}, notification{from: "192.0.2.1:1", forwarded: "198.51.100.2"}, true},
		"a proxy tells callers apart":        {notification{from: "10.0.0.1:1", forwarded: "198.51.100.1"}, notification{from: "10.0.0.1:1", forwarded: "198.51.100.2"}, false},
		"the caller does not choose":         {notification{from: "10.0.0.1:1", forwarded: "203.0.113.1, 198.51.100.1"}, notification{from: "10.0.0.1:1", forwarded: "203.0.113.2, 198.51.100.1"}, true},
		"through two proxies":                {notification{from: "10.0.0.1:1", forwarded: "198.51.100.1, 10.2.2.2"}, notification{from: "10.0.0.1:1", forwarded: "198.51.100.2, 10.2.2.2"}, false},
		"a port in the header":               {notification{from: "10.0.0.1:1", forwarded: "198.51.100.1:333"}, notification{from: "10.0.0.1:1", forwarded: "198.51.100.1:444"}, true},
		"IPv6 in brackets":                   {notification{from: "[fd00::1]:1", forwarded: "[2001:db8::1]"}, notification{from: "10.0.0.1:1", forwarded: "[2001:db8::1]:444"}, true},
		"IPv4 written as IPv6":               {notification{from: "[::ffff:10.0.0.1]:1", forwarded: "198.51.100.1"}, notification{from: "198.51.100.1:9"}, true},
		"nonsense leaves the proxy":          {notification{from: "10.0.0.1:1", forwarded: "unknown"}, notification{from: "10.0.0.1:1", forwarded: "_hidden"}, true},
		"no header leaves the proxy":         {notification{from: "10.0.0.1:1"}, notification{from: "10.0.0.1:1", forwarded: ""}, true},
		"a connection without any address":   {notification{from: "@"}, notification{from: "pipe"}, true},
		"what stands before nonsense is not": {notification{from: "10.0.0.1:1", forwarded: "198.51.100.1, x"}, notification{from: "10.0.0.1:1", forwarded: "198.51.100.2, x"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newRelay(&temporal{}, func(o *relay.Options) { o.TrustedProxies = trusted })
			wrong := func(n notification) int {
				n.shop, n.signature = "acme", "wrong"
				return hand(h, n).status
			}
			for range 30 {
				require.Equal(t, http.StatusUnauthorized, wrong(test.first))
			}
			require.Equal(t, test.same, wrong(test.second) == http.StatusTooManyRequests)
		})
	}
}

// endless is a body that never ends, until it is let go.
type endless chan struct{}

func (e endless) Read([]byte) (int, error) { <-e; return 0, io.EOF }

func TestAtMost64BodiesAreInFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &temporal{}
		h := newRelay(f)
		release := make(endless)
		var open sync.WaitGroup
		for range 64 {
			open.Go(func() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, relay.Path("acme"), release))
			})
		}
		synctest.Wait()
		refused := hand(h, genuine("acme", "{}"))
		require.Equal(t, http.StatusServiceUnavailable, refused.status)
		require.Equal(t, "1", refused.header.Get("Retry-After"))

		var late answer
		open.Go(func() { late = hand(h, genuine("acme", "{}")) })
		synctest.Wait()
		close(release)
		open.Wait()
		require.Equal(t, http.StatusOK, late.status, "a place that becomes free in time is taken")
	})
}

func TestWaitingForTemporalTakesNoPlaceOfABody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &temporal{answer: func(context.Context, string) error { <-release; return nil }}
		h := newRelay(f)
		var statuses sync.Map
		var open sync.WaitGroup
		for i := range 200 {
			open.Go(func() { statuses.Store(i, hand(h, genuine("acme", "{}")).status) })
		}
		synctest.Wait()
		close(release)
		open.Wait()
		for i := range 200 {
			status, _ := statuses.Load(i)
			require.Equal(t, http.StatusOK, status)
		}
	})
}

func TestABurstIsOneSignalASecondAndNoneIsLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var began []time.Time
		f := &temporal{answer: func(context.Context, string) error {
			mu.Lock()
			began = append(began, time.Now())
			mu.Unlock()
			time.Sleep(30 * time.Millisecond)
			return nil
		}}
		h := newRelay(f)
		start := time.Now()
		var calls sync.WaitGroup
		for i := range 500 { // over 2.5 s
			calls.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Millisecond)
				arrived := time.Now()
				if status := hand(h, genuine("acme", "{}")).status; status != http.StatusOK {
					t.Errorf("notification %d: %d", i, status)
				}
				mu.Lock()
				defer mu.Unlock()
				if began[len(began)-1].Before(arrived) {
					t.Errorf("notification %d was answered before a signal was sent for it", i)
				}
			})
		}
		calls.Wait()
		var at []time.Duration
		for _, b := range began {
			at = append(at, b.Sub(start))
		}
		require.Equal(t, []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second}, at)
	})
}

func TestAfterQuietANotificationGoesOnAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &temporal{}
		h := newRelay(f)
		for range 3 {
			start := time.Now()
			require.Equal(t, http.StatusOK, hand(h, genuine("acme", "{}")).status)
			require.Zero(t, time.Since(start))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		require.Equal(t, 3, f.count("acme"))
	})
}

func TestShopsDoNotWaitForEachOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &temporal{answer: func(ctx context.Context, shop string) error {
			if shop == "beta" {
				<-ctx.Done()
			}
			return ctx.Err()
		}}
		h := newRelay(f)
		var slow sync.WaitGroup
		slow.Go(func() { hand(h, genuine("beta", "{}")) })
		synctest.Wait()
		start := time.Now()
		require.Equal(t, http.StatusOK, hand(h, genuine("acme", "{}")).status)
		require.Zero(t, time.Since(start))
		slow.Wait()
	})
}

func TestACallerThatLeavesTakesNoSignalWithIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &temporal{}
		h := newRelay(f)
		hand(h, genuine("acme", "{}"))
		ctx, cancel := context.WithCancel(t.Context())
		var gone sync.WaitGroup
		gone.Go(func() {
			req := genuine("acme", "{}").request("").WithContext(ctx)
			h.ServeHTTP(httptest.NewRecorder(), req)
		})
		synctest.Wait()
		cancel()
		gone.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, 2, f.count("acme"))
	})
}

func TestNothingSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	f := &temporal{answer: func(context.Context, string) error { return errors.New("down") }}
	h := newRelay(f, func(o *relay.Options) {
		o.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Trace})
	})
	hand(h, genuine("acme", "the-body"))
	wrong := genuine("beta", "the-body")
	wrong.shop = "forged%0Aline"
	hand(h, wrong)
	hand(h, genuine("idle", "the-body"))
	require.Contains(t, log.String(), "not passed on")
	require.Contains(t, log.String(), `forged\nline`)
	require.Contains(t, log.String(), "not activated")
	for _, secret := range []string{masterKey, authorizationKey("acme", 3), genuine("acme", "the-body").signature, wrong.signature, "the-body"} {
		require.NotContains(t, log.String(), secret)
	}
}

// pipes is a listener whose connections live in memory, so that a test with a
// fake clock can be slow.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newPipes() *pipes { return &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial() (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.accepted <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func TestSlowCallersAreCutOff(t *testing.T) {
	for name, sent := range map[string]string{
		"says nothing":             "",
		"stops inside the header":  "POST /webhooks/kros/acme HTTP/1.1\r\nHost: relay\r\n",
		"stops inside the body":    "POST /webhooks/kros/acme HTTP/1.1\r\nHost: relay\r\nContent-Length: 10\r\n\r\n{",
		"stops inside a chunk":     "POST /webhooks/kros/acme HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
		"has nothing more to send": "GET /webhooks/kros/acme HTTP/1.1\r\nHost: relay\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				listener := newPipes()
				ctx, stop := context.WithCancel(t.Context())
				var served sync.WaitGroup
				served.Go(func() {
					if err := relay.Serve(ctx, listener, newRelay(&temporal{}), hclog.NewNullLogger()); err != nil {
						t.Error(err)
					}
				})
				conn, err := listener.dial()
				require.NoError(t, err)
				start := time.Now()
				_, err = io.WriteString(conn, sent)
				require.NoError(t, err)
				_, err = io.Copy(io.Discard, conn) // ends when the other side hangs up
				require.NoError(t, err)
				require.LessOrEqual(t, time.Since(start), 2*time.Minute)
				stop()
				served.Wait()
			})
		})
	}
}

func TestStoppingLetsRequestsUnderWayEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &temporal{answer: func(context.Context, string) error { <-release; return nil }}
		listener := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		var served, called sync.WaitGroup
		served.Go(func() {
			if err := relay.Serve(ctx, listener, newRelay(f), hclog.NewNullLogger()); err != nil {
				t.Error(err)
			}
		})
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return listener.dial() }}}
		called.Go(func() {
			res, err := client.Do(genuine("acme", "{}").request("http://relay"))
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("status %d", res.StatusCode)
			}
		})
		synctest.Wait()
		stop()
		synctest.Wait()
		_, err := listener.dial()
		require.ErrorIs(t, err, net.ErrClosed, "nothing more is accepted")
		close(release)
		called.Wait()
		served.Wait()
	})
}

func TestServeTellsWhyItCannotGoOn(t *testing.T) {
	listener := newPipes()
	require.NoError(t, listener.Close())
	err := relay.Serve(t.Context(), listener, newRelay(&temporal{}), hclog.NewNullLogger())
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorContains(t, err, "receive notifications on 127.0.0.1:1")
}

func TestMemoryForAddressesIsBounded(t *testing.T) {
	h := newRelay(&temporal{})
	wrong := func(from string) int {
		n := notification{shop: "acme", signature: "wrong", from: from}
		return hand(h, n).status
	}
	for i := range 12_000 {
		require.Equal(t, http.StatusUnauthorized, wrong(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)))
	}
	for range 29 {
		wrong("192.0.2.1:1")
	}
	require.Equal(t, http.StatusUnauthorized, wrong("192.0.2.1:1"))
	require.Equal(t, http.StatusTooManyRequests, wrong("192.0.2.1:1"), "addresses still count after room was made")
}
