package kros

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/krossim"
)

func TestTokensAreCleaned(t *testing.T) {
	for pasted, want := range map[string]string{
		"abc.def":           "abc.def",
		"  abc.def\r\n":     "abc.def",
		"Bearer abc":        "abc",
		"bearer\u00a0abc":   "abc",
		"BEARER Bearer abc": "abc",
		"\ufeffabc\u200b":   "abc",
		"abc\n  def":        "abcdef",
		"Bearer":            "",
		"Bearertoken":       "Bearertoken",
		" \t":               "",
	} {
		require.Equal(t, want, CleanToken(pasted), "%q", pasted)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for name, test := range map[string]struct {
		config Config
		kind   Kind
	}{
		"no token":                 {Config{Token: " Bearer "}, Unauthorized},
		"a token with diacritics":  {Config{Token: "sk-kľúč"}, Unauthorized},
		"no URL":                   {Config{Token: "t", URL: "kros"}, Invalid},
		"another scheme":           {Config{Token: "t", URL: "ftp://kros.test"}, Invalid},
		"no host":                  {Config{Token: "t", URL: "https:///api"}, Invalid},
		"a URL that cannot be one": {Config{Token: "t", URL: "https://a b"}, Invalid},
		"a user in the URL":        {Config{Token: "t", URL: "https://me:sk-pass@kros.test"}, Invalid},
		"a query":                  {Config{Token: "t", URL: "https://kros.test?key=sk-pass"}, Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(test.config)
			require.Equal(t, test.kind, KindOf(err))
			require.NotContains(t, err.Error(), "sk-")
		})
	}
}

func TestTheURLMayEndInAPI(t *testing.T) {
	for _, address := range []string{"https://kros.test", "https://kros.test/", "https://kros.test/api", " https://kros.test/api/ "} {
		client, err := New(Config{URL: address, Token: "t"})
		require.NoError(t, err)
		request, err := client.request(t.Context(), call{path: "auth/check"})
		require.NoError(t, err)
		require.Equal(t, "https://kros.test/api/auth/check", request.URL.String())
	}
}

func TestProbeFindsWhatTheCheckOfTheTokenDoesNot(t *testing.T) {
	for name, test := range map[string]struct {
		switches     krossim.Switches
		token        string
		check, probe Kind
	}{
		"all is well":                     {token: testToken},
		"the token was reset":             {token: "new", check: Unauthorized, probe: Unauthorized},
		"no API access":                   {switches: krossim.Switches{NoAPIAccess: krossim.RefusedAtCheck}, token: testToken, check: NoAPIAccess, probe: NoAPIAccess},
		"no API access, seen only by one": {switches: krossim.Switches{NoAPIAccess: krossim.RefusedAtItems}, token: testToken, probe: NoAPIAccess},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, krossim.Options{Items: catalogue(3), Switches: test.switches}, func(b bubble) {
				b.sim.SetToken(test.token)
				start := time.Now()
				require.Equal(b, test.check, KindOf(b.client.CheckAuth(b.Context())))
				require.Equal(b, test.probe, KindOf(b.client.Probe(b.Context())))
				require.Equal(b, start, time.Now(), "a refusal is not repeated")
			})
		})
	}
}

func TestFailuresThatPassAreRepeatedAndOthersAreNot(t *testing.T) {
	type fault = krossim.Fault
	for name, test := range map[string]struct {
		fault    fault
		fails    int // how many requests fail
		want     Kind
		requests int
		waited   time.Duration
	}{
		"503 once":               {fault{Kind: krossim.FaultStatus, Status: 503}, 1, "", 2, time.Second},
		"408 four times":         {fault{Kind: krossim.FaultStatus, Status: 408}, 4, "", 5, 15 * time.Second},
		"500 for good":           {fault{Kind: krossim.FaultStatus, Status: 500}, -1, Unavailable, 5, 15 * time.Second},
		"502 as a page":          {fault{Kind: krossim.FaultHTML, Status: 502}, -1, Unavailable, 5, 15 * time.Second},
		"503 says when":          {fault{Kind: krossim.FaultStatus, Status: 503, RetryAfter: "7"}, 1, "", 2, 7 * time.Second},
		"503 says much later":    {fault{Kind: krossim.FaultStatus, Status: 503, RetryAfter: "3600"}, -1, Unavailable, 1, 0},
		"HTML twice":             {fault{Kind: krossim.FaultHTML}, 2, "", 3, 3 * time.Second},
		"HTML for good":          {fault{Kind: krossim.FaultHTML}, -1, BadResponse, 5, 15 * time.Second},
		"cut once":               {fault{Kind: krossim.FaultCut}, 1, "", 2, time.Second},
		"cut for good":           {fault{Kind: krossim.FaultCut}, -1, BadResponse, 5, 15 * time.Second},
		"reset once":             {fault{Kind: krossim.FaultReset}, 1, "", 2, time.Second},
		"reset for good":         {fault{Kind: krossim.FaultReset}, -1, Unavailable, 5, 15 * time.Second},
		"redirect for good":      {fault{Kind: krossim.FaultRedirect}, -1, BadResponse, 5, 15 * time.Second},
		"slow":                   {fault{Kind: krossim.FaultSlow, DelayMS: 179_000}, 1, "", 1, 179 * time.Second},
		"too slow":               {fault{Kind: krossim.FaultSlow, DelayMS: 181_000}, 1, "", 2, 181 * time.Second},
		"400":                    {fault{Kind: krossim.FaultStatus, Status: 400}, -1, Invalid, 1, 0},
		"401":                    {fault{Kind: krossim.FaultStatus, Status: 401}, -1, Unauthorized, 1, 0},
		"402":                    {fault{Kind: krossim.FaultStatus, Status: 402}, -1, NoAPIAccess, 1, 0},
		"403":                    {fault{Kind: krossim.FaultStatus, Status: 403}, -1, Forbidden, 1, 0},
		"404":                    {fault{Kind: krossim.FaultStatus, Status: 404}, -1, NotFound, 1, 0},
		"429 with seconds":       {fault{Kind: krossim.FaultStatus, Status: 429, RetryAfter: "30"}, 2, "", 3, time.Minute},
		"429 with a passed date": {fault{Kind: krossim.FaultStatus, Status: 429, RetryAfter: "Wed, 21 Oct 1998 07:28:00 GMT"}, 3, "", 4, 3 * time.Second},
		"429 without":            {fault{Kind: krossim.FaultStatus, Status: 429}, 8, "", 9, (63 + 120) * time.Second},
		"429 much longer":        {fault{Kind: krossim.FaultStatus, Status: 429, RetryAfter: "61"}, -1, RateLimited, 1, 0},
		"429 for good":           {fault{Kind: krossim.FaultStatus, Status: 429, RetryAfter: "60"}, -1, RateLimited, 20, 19 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, krossim.Options{Items: catalogue(3)}, func(b bubble) {
				// A connection that was used before is one net/http would repeat on by itself.
				require.NoError(b, b.client.CheckAuth(b.Context()))
				test.fault.Count = test.fails
				require.NoError(b, b.sim.AddFault(test.fault))
				start := time.Now()
				sweep, err := b.client.Sweep(b.Context(), SweepOptions{})
				require.Equal(b, test.want, KindOf(err), "%v", err)
				require.Equal(b, test.waited, time.Since(start).Truncate(time.Second))
				require.Equal(b, test.requests, b.sim.State().ByPath["catalog-items"])
				if test.want != "" {
					require.NotContains(b, err.Error(), testToken)
					return
				}
				require.NoError(b, err)
				require.Equal(b, test.requests, sweep.Requests)
				require.Len(b, sweep.Items, 3)
			})
		})
	}
}

func TestALongPauseIsLeftToTheCaller(t *testing.T) {
	inBubble(t, krossim.Options{}, func(b bubble) {
		require.NoError(b, b.sim.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 429, RetryAfter: "900", Body: `{"message":"slow down"}`}))
		var failure *Error
		require.ErrorAs(b, b.client.CheckAuth(b.Context()), &failure)
		require.Equal(b, 15*time.Minute, failure.RetryAfter)
		require.EqualError(b, failure, "KROS: check the token: rate_limited (HTTP 429): slow down")
	})
}

func TestAContextThatEndsIsNoFailureOfKROS(t *testing.T) {
	for name, fault := range map[string]krossim.Fault{
		"while KROS is silent":     {Kind: krossim.FaultSlow, DelayMS: 100_000, Count: -1},
		"while a repeat is waited": {Kind: krossim.FaultStatus, Status: 429, RetryAfter: "60", Count: -1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, krossim.Options{}, func(b bubble) {
				require.NoError(b, b.sim.AddFault(fault))
				ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
				defer cancel()
				start := time.Now()
				_, err := b.client.Sweep(ctx, SweepOptions{})
				require.ErrorIs(b, err, context.DeadlineExceeded)
				require.Empty(b, KindOf(err))
				require.Equal(b, 5*time.Second, time.Since(start))
			})
		})
	}
}

func TestTheTokenGoesNowhereElse(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked, Authorization %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	inBubble(t, krossim.Options{}, func(b bubble) {
		require.NoError(b, b.sim.AddFault(krossim.Fault{Kind: krossim.FaultRedirect, Location: elsewhere.URL + "/login?token=" + testToken, Count: -1}))
		err := b.client.CheckAuth(b.Context())
		require.Equal(b, BadResponse, KindOf(err))
		require.Contains(b, err.Error(), strings.TrimPrefix(elsewhere.URL, "http://"))
		require.NotContains(b, err.Error(), testToken)
	})
	inBubble(t, krossim.Options{}, func(b bubble) {
		require.NoError(b, b.sim.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 401, Body: `{"error":"invalid token ` + testToken + `"}`}))
		require.EqualError(b, b.client.CheckAuth(b.Context()), "KROS: check the token: unauthorized (HTTP 401): invalid token [redacted]")
	})
}

func TestTheCheckOfTheTokenTakesNothingOrJSONForYes(t *testing.T) {
	for body, want := range map[string]Kind{
		"": "", " \n": "", "{}": "", `"ok"`: "", "true": "",
		"<html>Login</html>": BadResponse, "OK": BadResponse,
	} {
		onWire(t, answer(body), func(t *testing.T, client *Client) {
			require.Equal(t, want, KindOf(client.CheckAuth(t.Context())), "%q", body)
		})
	}
}

func TestAnswersThatAreNoPageFail(t *testing.T) {
	long := strings.TrimSuffix(strings.Repeat("{},", pageSize+1), ",")
	for name, body := range map[string]string{
		"100 rows were asked for and more came": `{"data":[` + long + `]}`,
		"the answer is longer than 16 MiB":      `{"data":[],"x":"` + strings.Repeat("x", maxBody) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			onWire(t, answer(body), func(t *testing.T, client *Client) {
				_, err := client.Sweep(t.Context(), SweepOptions{})
				require.Equal(t, BadResponse, KindOf(err))
				require.ErrorContains(t, err, name)
			})
		})
	}
}

func TestPackedAnswersAreUnpackedAndTheirTypeDoesNotMatter(t *testing.T) {
	packed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Error("gzip was not asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/html")
		writer := gzip.NewWriter(w)
		_, _ = io.WriteString(writer, `{"data":[{"itemCode":"A"}]}`)
		_ = writer.Close()
	})
	onWire(t, packed, func(t *testing.T, client *Client) {
		items, err := client.Item(t.Context(), "A")
		require.NoError(t, err)
		require.Len(t, items, 1)
	})
}

func TestARequestIsAnOrdinaryGET(t *testing.T) {
	seen := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen <- r }))
	defer server.Close()
	client, err := New(Config{URL: server.URL + "/api", Token: "Bearer " + testToken})
	require.NoError(t, err)
	require.NoError(t, client.CheckAuth(t.Context()))
	got := <-seen
	require.Equal(t, "/api/auth/check", got.URL.String())
	require.Equal(t, "Bearer "+testToken, got.Header.Get("Authorization"))
	require.Zero(t, got.ContentLength)
	require.Empty(t, got.TransferEncoding)
}

func TestAnUnreachableKROSIsUnavailable(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	client, err := New(Config{URL: server.URL, Token: testToken, Clock: instantly{}})
	require.NoError(t, err)
	err = client.CheckAuth(t.Context())
	require.Equal(t, Unavailable, KindOf(err))
	require.ErrorContains(t, err, "connection refused")
}

func TestItemReturnsTheRowsOfThisCodeAlone(t *testing.T) {
	items := []krossim.Item{{ItemCode: " A1", Name: "one"}, {ItemCode: "A1", Name: "two"}, {ItemCode: "A10", Name: "ten"}}
	for name, test := range map[string]struct {
		code string
		want []string
	}{
		"several, compared trimmed": {"A1 ", []string{"one", "two"}},
		"one":                       {"A10", []string{"ten"}},
		"none":                      {"A", nil},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, krossim.Options{Items: items, Switches: krossim.Switches{ItemCodeSearches: true}}, func(b bubble) {
				got, err := b.client.Item(b.Context(), test.code)
				require.NoError(b, err)
				var names []string
				for _, item := range got {
					names = append(names, item.Name)
				}
				require.Equal(b, test.want, names)
			})
		})
	}
	for name, code := range map[string]string{"empty": " ", "too long": strings.Repeat("č", 26), "too long in UTF-16": strings.Repeat("😀", 13)} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, krossim.Options{}, func(b bubble) {
				_, err := b.client.Item(b.Context(), code)
				require.ErrorIs(b, err, ErrCannotAsk)
				require.Zero(b, b.sim.State().Requests)
			})
		})
	}
	t.Run("found behind codes that contain it", func(t *testing.T) {
		for others, want := range map[int]int{150: 1, maxSearch: 0} {
			items := append(catalogue(others), krossim.Item{ItemCode: "A"})
			inBubble(t, krossim.Options{Items: items, Switches: krossim.Switches{ItemCodeSearches: true}}, func(b bubble) {
				got, err := b.client.Item(b.Context(), "A")
				require.Len(b, got, want)
				require.Equal(b, want == 0, errors.Is(err, ErrCannotAsk), "%v", err)
			})
		}
	})
	t.Run("25 characters are asked", func(t *testing.T) {
		code := strings.Repeat("č", 25)
		inBubble(t, krossim.Options{Items: []krossim.Item{{ItemCode: code}}}, func(b bubble) {
			got, err := b.client.Item(b.Context(), code)
			require.NoError(b, err)
			require.Len(b, got, 1)
		})
	})
}

func TestManyReadersOfOneTokenAreNeverRefused(t *testing.T) {
	for _, latency := range []time.Duration{0, 90 * time.Millisecond, 7 * time.Second} {
		t.Run(latency.String(), func(t *testing.T) {
			inBubble(t, krossim.Options{Items: catalogue(1), Latency: latency}, func(b bubble) {
				done := make(chan error)
				for reader := range 8 {
					go func() {
						for read := range 50 {
							if _, err := b.client.Item(b.Context(), fmt.Sprint(reader, read)); err != nil {
								done <- err
								return
							}
						}
						done <- nil
					}()
				}
				for range 8 {
					require.NoError(b, <-done)
				}
				state := b.sim.State()
				require.Equal(b, 400, state.Requests)
				require.Zero(b, state.Rejected)
				require.LessOrEqual(b, state.MaxPerSecond, 10)
				require.LessOrEqual(b, state.MaxPerMinute, 300)
			})
		})
	}
}

// answer is a server that says body to everything.
func answer(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
}

// instantly is a clock whose waits are over at once.
type instantly struct{ wallClock }

func (instantly) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
