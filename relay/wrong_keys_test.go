package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/skladom/skladom/relay"
)

// wrong is a notification under a key that is not the shop's.
func wrong(shop string) notification {
	return notification{shop: shop, body: "{}", signature: signed("another key", "{}"), from: "192.0.2.1:4711"}
}

func (f *temporal) toldOf() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.told
	f.told = nil
	return told
}

func TestAShopIsToldOfWrongKeysAtMostOnceAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &temporal{}
		h := newRelay(f)
		send := func(n notification, want int) {
			require.Equal(t, want, hand(h, n).status)
			synctest.Wait()
		}
		send(genuine("acme", "{}"), http.StatusOK)
		require.Empty(t, f.toldOf(), "a right one is none")

		send(wrong("acme"), http.StatusUnauthorized)
		require.Equal(t, []string{"acme"}, f.toldOf())
		send(wrong("nobody"), http.StatusUnauthorized)
		require.Empty(t, f.toldOf(), "nobody is there to be told")
		send(wrong("beta"), http.StatusUnauthorized)
		require.Equal(t, []string{"beta"}, f.toldOf(), "each shop has its hour")
		for range 59 {
			time.Sleep(time.Minute)
			send(wrong("acme"), http.StatusUnauthorized)
		}
		require.Empty(t, f.toldOf())
		time.Sleep(time.Minute)
		send(wrong("acme"), http.StatusUnauthorized)
		send(wrong("acme"), http.StatusUnauthorized)
		require.Equal(t, []string{"acme"}, f.toldOf())
		require.Equal(t, 1, f.count("acme"), "a wrong one is no notification")
	})
}

func TestAnAddressThatHasHadItsShareTellsNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &temporal{}
		h := newRelay(f)
		for range 30 {
			hand(h, wrong("nobody"))
		}
		require.Equal(t, http.StatusTooManyRequests, hand(h, wrong("acme")).status)
		synctest.Wait()
		require.Empty(t, f.toldOf())
	})
}

func TestWhoCouldNotBeToldIsToldAMinuteLater(t *testing.T) {
	for name, test := range map[string]struct {
		trouble error
		logged  bool
	}{
		"Temporal does not answer":     {errors.New("down"), true},
		"a shop that is not activated": {serviceerror.NewNotFound("workflow not found"), false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var log bytes.Buffer
				f := &temporal{refuse: func(context.Context, string) error { return test.trouble }}
				h := newRelay(f, func(o *relay.Options) { o.Logger = hclog.New(&hclog.LoggerOptions{Output: &log}) })
				for range 60 {
					hand(h, wrong("acme"))
					synctest.Wait()
					time.Sleep(2 * time.Second)
				}
				require.Equal(t, []string{"acme", "acme"}, f.toldOf())
				require.Equal(t, test.logged, bytes.Contains(log.Bytes(), []byte("not told")), log.String())
			})
		})
	}
}

func TestTheAnswerGoesBeforeTheShopIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := httptest.NewRecorder()
		var sent int
		f := &temporal{refuse: func(context.Context, string) error {
			if w.Flushed {
				sent = w.Code
			}
			return nil
		}}
		req := wrong("acme").request("")
		req.URL.Host, req.Host = "", "relay"
		newRelay(f).ServeHTTP(w, req)
		synctest.Wait()
		require.Equal(t, []string{"acme"}, f.toldOf())
		require.Equal(t, http.StatusUnauthorized, sent)
	})
}

func TestNobodyWaitsUntilAShopIsTold(t *testing.T) {
	const many = 500
	of := shops{}
	for i := range many {
		of[fmt.Sprint("shop-", i)] = []int{1}
	}
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &temporal{refuse: func(context.Context, string) error { <-release; return nil }}
		h := newRelay(f, func(o *relay.Options) { o.Shops = of })
		start := time.Now()
		for i := range many {
			n := wrong(fmt.Sprint("shop-", i))
			n.from = fmt.Sprintf("192.0.2.%d:1", i/25)
			require.Equal(t, http.StatusUnauthorized, hand(h, n).status)
			synctest.Wait()
		}
		require.Zero(t, time.Since(start))
		require.Len(t, f.toldOf(), 1, "one after the other")
		close(release)
		synctest.Wait()
		require.Len(t, f.toldOf(), 64, "what waits is bounded")

		hand(h, wrong(fmt.Sprint("shop-", many-1)))
		synctest.Wait()
		require.Equal(t, []string{fmt.Sprint("shop-", many-1)}, f.toldOf(), "who was dropped comes again")
	})
}

func TestOneShopDoesNotCrowdOutTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &temporal{refuse: func(context.Context, string) error { <-release; return nil }}
		h := newRelay(f)
		hand(h, wrong("beta"))
		synctest.Wait()
		for i := range 100 {
			n := wrong("acme")
			n.from = fmt.Sprintf("192.0.2.%d:1", i)
			hand(h, n)
		}
		hand(h, wrong("idle"))
		close(release)
		synctest.Wait()
		require.Equal(t, []string{"beta", "acme", "idle"}, f.toldOf())
	})
}

func TestOverHTTPAWrongKeyLooksTheSameForEveryName(t *testing.T) {
	release := make(chan struct{})
	f := &temporal{refuse: func(context.Context, string) error { <-release; return nil }}
	server := httptest.NewServer(newRelay(f))
	defer server.Close()
	var once sync.Once
	defer once.Do(func() { close(release) })
	answers := map[string]answer{}
	for _, shop := range []string{"acme", "acme", "nobody", "beta"} { // while the first is being told
		a := call(t, server.URL, wrong(shop))
		a.header.Del("Date")
		answers[shop] = a
	}
	notActivated := call(t, server.URL, genuine("idle", "{}"))
	notActivated.header.Del("Date")
	for shop, a := range answers {
		require.Equal(t, notActivated, a, shop)
	}
	once.Do(func() { close(release) })
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return fmt.Sprint(f.told) == "[acme beta]"
	}, 10*time.Second, time.Millisecond)
}
