package fynode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode"
	"github.com/skladom/skladom/stock"
)

// answering is a client of a shop that answers every request with handle.
func answering(t *testing.T, handle http.HandlerFunc) *fynode.Client {
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	client, err := fynode.New(fynode.Config{URL: server.URL, APIKey: token})
	require.NoError(t, err)
	return client
}

// saying is a client of a shop that answers every request with 200 and body.
func saying(t *testing.T, body string) *fynode.Client {
	return answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
}

func requireTrouble(t *testing.T, err error, kind shop.Kind) *shop.Error {
	t.Helper()
	trouble := (*shop.Error)(nil)
	require.ErrorAs(t, err, &trouble)
	require.Equal(t, kind, trouble.Kind, "%v", err)
	return trouble
}

func TestARefusalTellsItsKindAndMessage(t *testing.T) {
	problem := `{"type":"about:blank","title":"A title","status":"?","detail":"A detail"}`
	html := "<html><h1>502 Bad Gateway</h1></html>"
	tests := []struct {
		rule    string
		status  int
		body    string
		kind    shop.Kind
		message string
	}{
		{"a problem's detail", 422, strings.ReplaceAll(problem, `"?"`, "422"), shop.Invalid, "A detail"},
		{"a problem whose status is text", 403, strings.ReplaceAll(problem, `"?"`, `"403"`), shop.Forbidden, "A detail"},
		{"a problem without detail", 401, `{"title":"A title"}`, shop.Unauthorized, "A title"},
		{"an empty body", 401, "", shop.Unauthorized, "Unauthorized"},
		{"HTML counts by its status", 502, html, shop.Unavailable, "Bad Gateway"},
		{"a proxy's 413", 413, html, shop.TooLarge, "Request Entity Too Large"},
		{"a status nobody knows", 599, "", shop.Unavailable, "no message"},
		{"no content", 204, "", shop.BadResponse, "No Content"},
		{"a list where a problem should be", 400, "[1]", shop.Invalid, "Bad Request"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			_, err := client.Check(t.Context())
			trouble := requireTrouble(t, err, test.kind)
			require.Equal(t, test.status, trouble.Status)
			require.Equal(t, test.message, trouble.Message)
		})
	}
}

func TestAnAnswerThatCannotBeTrustedIsABadResponse(t *testing.T) {
	check := func(c *fynode.Client) error { _, err := c.Check(context.Background()); return err }
	lookup := func(c *fynode.Client) error {
		_, err := c.Lookup(context.Background(), stock.ByNumber, []string{"A"})
		return err
	}
	list := func(c *fynode.Client) error {
		_, _, err := c.List(context.Background(), "")
		return err
	}
	set := func(c *fynode.Client) error {
		_, err := c.SetStock(context.Background(), "key", []shop.Change{{ID: "1"}, {ID: "2"}})
		return err
	}
	tests := []struct {
		rule string
		ask  func(*fynode.Client) error
		body string
	}{
		{"HTML", check, "\n<!DOCTYPE html><html></html>"},
		{"an empty body", check, ""},
		{"cut JSON", check, `{"id":"acme","na`},
		{"text after the JSON", check, `{"id":"acme"} Notice: undefined index`},
		{"another shape", check, `["acme"]`},
		{"a shop without id", check, `{"name":"Acme"}`},
		{"an id that is an object", check, `{"id":{}}`},

		{"HTML is not no products", lookup, "<html></html>"},
		{"an error with 200 is not no products", lookup, `{"error":"maintenance"}`},
		{"null is not no products", lookup, `{"products":null}`},
		{"cut products", lookup, `{"products":[{"id":"1","quantity":1},`},
		{"a product without id", lookup, `{"products":[{"number":"A","quantity":1}]}`},
		{"a product without quantity", lookup, `{"products":[{"id":"1","number":"A"}]}`},
		{"a product whose quantity is null", lookup, `{"products":[{"id":"1","quantity":null}]}`},
		{"a quantity that is no number", lookup, `{"products":[{"id":"1","quantity":"some"}]}`},
		{"a quantity that would fill the memory", lookup, `{"products":[{"id":"1","quantity":1e999999999}]}`},
		{"a quantity out of this world", lookup, `{"products":[{"id":"1","quantity":"1e-999"}]}`},

		{"HTML is not an empty shop", list, "<html></html>"},
		{"an error with 200 is not an empty shop", list, `{"error":"maintenance"}`},
		{"null is not an empty shop", list, `{"products":null}`},
		{"a listed product without id", list, `{"products":[{"quantity":1}]}`},
		{"a cursor that is an object", list, `{"products":[],"next":{}}`},

		{"no results", set, `{}`},
		{"fewer results than changes", set, `{"results":[{"id":"1","status":"updated"}]}`},
		{"more results than changes", set, `{"results":[{"id":"1","status":"updated"},{"id":"2","status":"updated"},{"id":"3","status":"updated"}]}`},
		{"results in another order", set, `{"results":[{"id":"2","status":"updated"},{"id":"1","status":"updated"}]}`},
		{"a status nobody knows", set, `{"results":[{"id":"1","status":"updated"},{"id":"2","status":"done"}]}`},
		{"no status", set, `{"results":[{"id":"1","status":"updated"},{"id":"2"}]}`},
		{"a result's quantity that is no number", set, `{"results":[{"id":"1","status":"updated","quantity":"some"},{"id":"2","status":"updated"}]}`},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			trouble := requireTrouble(t, test.ask(saying(t, test.body)), shop.BadResponse)
			require.Equal(t, http.StatusOK, trouble.Status)
			require.NotEmpty(t, trouble.Message)
		})
	}
}

func TestAnAnswerLargerThanTheLimitIsNotRead(t *testing.T) {
	client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"acme","name":"`)
		spaces := strings.Repeat(" ", 1<<20)
		for range 33 {
			_, _ = io.WriteString(w, spaces)
		}
		_, _ = io.WriteString(w, `"}`)
	})
	_, err := client.Check(t.Context())
	require.Contains(t, requireTrouble(t, err, shop.BadResponse).Message, "larger than 33554432 bytes")
}

func TestTheDriverBearsWhatShopsMakeOfTheContract(t *testing.T) {
	client := saying(t, `{"meta":{"page":1},"products":[
		{"id":17,"number":4002,"ean":8580000000017,"name":null,"quantity":"12.50","tracked":null,"parentId":null,"price":{"a":[1]}},
		{"id":"18","number":" 007 ","ean":null,"quantity":1.5e1,"tracked":false,"parentId":17},
		{"id":"19","quantity":-0.0001,"tracked":true}]}`)
	got, err := client.Lookup(t.Context(), stock.ByNumber, []string{"A"})
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]stock.Product{
		{ID: "17", Number: "4002", EAN: "8580000000017", Quantity: decimal.RequireFromString("12.5"), Tracked: true},
		{ID: "18", Number: " 007 ", Quantity: decimal.RequireFromString("15"), ParentID: "17"},
		{ID: "19", Quantity: decimal.RequireFromString("-0.0001"), Tracked: true},
	}, got))

	listed, next, err := saying(t, `{"products":[{"id":17,"number":4002,"quantity":"12.50","tracked":null}],"next":18}`).List(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]stock.Product{{ID: "17", Number: "4002", Quantity: decimal.RequireFromString("12.5"), Tracked: true}}, listed))
	require.Equal(t, "18", next)
	_, next, err = saying(t, `{"products":[],"next":null}`).List(t.Context(), "18")
	require.NoError(t, err)
	require.Empty(t, next)

	identity, err := saying(t, `{"id":7,"name":"Acme","products":"120"}`).Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, shop.Identity{ID: "7", Name: "Acme", Products: 120}, identity)

	results, err := saying(t, `{"results":[{"id":1,"status":"conflict","quantity":"3.0","reason":null},{"id":"2","status":"rejected","quantity":null,"reason":"no"}]}`).
		SetStock(t.Context(), "key", []shop.Change{{ID: "1"}, {ID: "2"}})
	require.NoError(t, err)
	require.Equal(t, shop.Conflict, results[0].Status)
	require.Equal(t, "3", results[0].Quantity.String())
	require.Equal(t, shop.Result{ID: "2", Status: shop.Rejected, Reason: "no"}, results[1])
}

func TestWhatIsSentIsWhatTheContractSays(t *testing.T) {
	var sent []string
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
		assert.Equal(t, "Bearer "+token, r.Header.Get("Authorization"))
		if r.Method == http.MethodPatch {
			assert.Equal(t, "the-key", r.Header.Get("Idempotency-Key"))
			assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		}
		w.WriteHeader(http.StatusTeapot)
	})
	_, _ = client.Check(t.Context())
	_, _ = client.Lookup(t.Context(), stock.ByEAN, []string{" 8580000000017 ", "", strings.Repeat("ž", 65), strings.Repeat("ž", 64)})
	_, _, _ = client.List(t.Context(), "")
	_, _, _ = client.List(t.Context(), "ž &1")
	_, _ = client.SetStock(t.Context(), "the-key", []shop.Change{
		{ID: "ž<1>", Quantity: decimal.RequireFromString("12.5000"), Expected: decimal.RequireFromString("0")},
		{ID: "2", Quantity: decimal.RequireFromString("0.3"), Expected: decimal.RequireFromString("-1e3")},
	})
	require.Equal(t, []string{
		"GET /shop ",
		`POST /products/lookup {"by":"ean","values":["8580000000017","` + strings.Repeat("ž", 64) + `"]}`,
		"GET /products?limit=500 ",
		"GET /products?cursor=%C5%BE+%261&limit=500 ",
		`PATCH /products/stock {"items":[{"expected":0,"id":"ž<1>","quantity":12.5},{"expected":-1000,"id":"2","quantity":0.3}]}`,
	}, sent)
}

func TestTheURLMayEndWithASlash(t *testing.T) {
	for _, base := range []string{"", "/", "/api/v1", "/api/v1/"} {
		var path string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.Path }))
		t.Cleanup(server.Close)
		client, err := fynode.New(fynode.Config{URL: server.URL + base, APIKey: token})
		require.NoError(t, err)
		_, _ = client.Check(t.Context())
		require.Equal(t, strings.TrimSuffix(base, "/")+"/shop", path)
	}
}

func TestNewRefusesWhatCannotBeAsked(t *testing.T) {
	for _, base := range []string{"", "shop.example.com/api", "ftp://shop.example.com", "https://", "https://user:Heslo9@shop.example.com/api",
		"https://shop.example.com/api?key=Heslo9", "https://Heslo9@shop.example.com", "https://shop.example.com/#api", "https://shop.example.com:Heslo9@/%zz"} {
		_, err := fynode.New(fynode.Config{URL: base, APIKey: token})
		require.Error(t, err, base)
		require.NotContains(t, err.Error(), "Heslo9")
		require.NotContains(t, err.Error(), token)
	}
	for _, key := range []string{"", "two words", "line\r\nX-Header: 1", "kľúč"} {
		_, err := fynode.New(fynode.Config{URL: "https://shop.example.com", APIKey: key})
		require.Error(t, err, key)
		if key != "" {
			require.NotContains(t, err.Error(), key)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var strangers int
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers++ }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 307, 308} {
		client := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		_, err := client.SetStock(t.Context(), "key", []shop.Change{{ID: "1"}})
		require.Contains(t, requireTrouble(t, err, shop.BadResponse).Message, elsewhere.URL)
	}
	require.Zero(t, strangers)

	// Neither is it by a client that somebody brings along.
	own := &http.Client{}
	redirecting := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	t.Cleanup(redirecting.Close)
	client, err := fynode.New(fynode.Config{URL: redirecting.URL, APIKey: token, HTTP: own})
	require.NoError(t, err)
	_, err = client.Check(t.Context())
	requireTrouble(t, err, shop.BadResponse)
	require.Zero(t, strangers)
	require.Nil(t, own.CheckRedirect, "the caller's client is left as it was")
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		rule, header string
		want         time.Duration
	}{
		{"absent", "", 0},
		{"seconds", "17", 17 * time.Second},
		{"seconds with spaces", " 17 ", 17 * time.Second},
		{"a date, by the shop's own clock", now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{"a date that has passed", now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"negative", "-5", 0},
		{"no number", "soon", 0},
		{"longer than a day", "4000000000", 24 * time.Hour},
		{"a number too large", "99999999999999999999", 0},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", now.Format(http.TimeFormat))
				if test.header != "" {
					w.Header().Set("Retry-After", test.header)
				}
				w.WriteHeader(http.StatusTooManyRequests)
			})
			_, err := client.Check(t.Context())
			require.Equal(t, test.want, requireTrouble(t, err, shop.RateLimited).RetryAfter)
		})
	}
}

func TestNoErrorAndNoReasonHoldsTheToken(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/products/stock" {
			_, _ = io.WriteString(w, `{"results":[{"id":"1","status":"rejected","reason":"not with `+token+`"}]}`)
			return
		}
		w.Header().Set("Location", "https://login.example.com/?token="+token)
		w.WriteHeader(map[string]int{"/shop": 401, "/products/lookup": 302}[r.URL.Path])
		_, _ = io.WriteString(w, `{"detail":"`+r.Header.Get("Authorization")+` is wrong"}`)
	}
	client := answering(t, echo)
	_, err := client.Check(t.Context())
	require.Contains(t, err.Error(), "Bearer [redacted] is wrong")
	_, err = client.Lookup(t.Context(), stock.ByNumber, []string{"A"})
	require.NotContains(t, err.Error(), token)
	results, err := client.SetStock(t.Context(), "key", []shop.Change{{ID: "1"}})
	require.NoError(t, err)
	require.Equal(t, "not with [redacted]", results[0].Reason)

	_, err = saying(t, `{"id":"`+token+`"`).Check(t.Context())
	require.NotContains(t, err.Error(), token)
	_, err = saying(t, `{"products":[{"id":"1","quantity":"`+token+`"}]}`).Lookup(t.Context(), stock.ByNumber, []string{"A"})
	require.NotContains(t, err.Error(), token)
	for _, format := range []string{"%v", "%+v", "%#v"} {
		require.NotContains(t, fmt.Sprintf(format, client), token, format)
	}
}

func TestAShopThatIsNotThereIsUnavailable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client, err := fynode.New(fynode.Config{URL: server.URL, APIKey: token})
	require.NoError(t, err)
	_, err = client.Check(t.Context())
	trouble := requireTrouble(t, err, shop.Unavailable)
	require.Zero(t, trouble.Status)
	require.Contains(t, trouble.Message, server.URL, "the message says who was asked")
}

// Whatever a shop answers, the driver neither panics nor invents: what it
// returns is in the answer, with the quantities as written.
func FuzzLookup(f *testing.F) {
	for _, seed := range []string{
		`{"products":[{"id":"1","number":"A","quantity":1.5,"tracked":false}]}`,
		`{"products":[{"id":17,"quantity":"12.50"}]}`, `{"products":[]}`, `{"products":null}`, `{`, `<html>`, ``,
		`{"products":[{"id":"1","quantity":1e400}]}`, `{"products":[{"id":null,"quantity":1}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		transport := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
		client, err := fynode.New(fynode.Config{URL: "https://shop.example.com", APIKey: token, HTTP: &http.Client{Transport: transport}})
		require.NoError(t, err)
		products, err := client.Lookup(t.Context(), stock.ByNumber, []string{"A"})
		if err != nil {
			requireTrouble(t, err, shop.BadResponse)
			require.Empty(t, products)
			return
		}
		var plain struct {
			Products []struct{ Quantity json.Number }
		}
		require.NoError(t, json.Unmarshal([]byte(body), &plain))
		require.Len(t, products, len(plain.Products))
		for i, p := range products {
			require.NotEmpty(t, p.ID)
			written, ok := new(big.Rat).SetString(string(plain.Products[i].Quantity))
			require.True(t, ok)
			require.Zero(t, p.Quantity.Rat().Cmp(written), "product %d", i)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
