package fynodesim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/fynodesim"
)

var hour = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func products() []fynodesim.Product {
	list, err := fynodesim.LoadProducts(strings.NewReader(`[
		{"id":"1","number":" SK 001 ","ean":"8580000000017","name":"Lopata","quantity":5},
		{"id":"2","number":"SK 002","quantity":"2.5"},
		{"id":"3","number":"SK 003","quantity":1,"tracked":false},
		{"id":"4","number":"SK 004","quantity":0},
		{"id":"5","number":"SK 002","quantity":7,"parentId":"4"}]`))
	if err != nil {
		panic(err)
	}
	return list
}

// client asks a simulated shop behind HTTP.
type client struct {
	t    *testing.T
	base string
}

func start(t *testing.T, options fynodesim.Options) (*fynodesim.Server, client) {
	options.Token = "T"
	if options.Now == nil {
		options.Now = func() time.Time { return hour }
	}
	sim := fynodesim.New(options)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return sim, client{t, server.URL}
}

// ask returns status and body; header holds names and values by turns.
func (c client) ask(method, path, body string, header ...string) (int, string) {
	c.t.Helper()
	request, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	require.NoError(c.t, err)
	request.Header.Set("Authorization", "Bearer T")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	noRedirect := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := noRedirect.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	if response.StatusCode >= 400 && !strings.HasPrefix(path, "/_sim") {
		require.Equal(c.t, "application/problem+json", response.Header.Get("Content-Type"))
		require.Contains(c.t, string(answer), fmt.Sprintf(`"status":%d`, response.StatusCode))
	}
	return response.StatusCode, strings.TrimSpace(string(answer))
}

// set sends a batch under a key of its own.
func (c client) set(key, items string) (int, string) {
	c.t.Helper()
	return c.ask("PATCH", "/products/stock", `{"items":`+items+`}`, "Idempotency-Key", key)
}

func TestGetShop(t *testing.T) {
	_, c := start(t, fynodesim.Options{ID: "acme", Name: "Acme", Products: products()})
	for _, path := range []string{"/shop", "/api/v1/shop"} {
		status, body := c.ask("GET", path, "")
		require.Equal(t, 200, status)
		require.JSONEq(t, `{"id":"acme","name":"Acme","products":5}`, body)
	}
}

func TestRequestsThatTheContractRefuses(t *testing.T) {
	values := func(n int, value string) string {
		return `{"by":"number","values":` + marshal(lo.RepeatBy(n, func(int) string { return value })) + `}`
	}
	items := func(n int) string {
		return `{"items":` + marshal(lo.Times(n, func(i int) map[string]any { return map[string]any{"id": fmt.Sprint(i), "quantity": 1} })) + `}`
	}
	key := []string{"Idempotency-Key", "k"}
	tests := []struct {
		rule               string
		method, path, body string
		header             []string
		status             int
	}{
		{"no token", "GET", "/shop", "", []string{"Authorization", ""}, 401},
		{"a wrong token", "GET", "/shop", "", []string{"Authorization", "Bearer t"}, 401},
		{"an unknown resource", "GET", "/orders", "", nil, 404},
		{"another method", "POST", "/shop", "", nil, 405},
		{"a look-up that is no JSON", "POST", "/products/lookup", "{", nil, 400},
		{"a look-up by something else", "POST", "/products/lookup", `{"by":"name","values":["a"]}`, nil, 422},
		{"a look-up of nothing", "POST", "/products/lookup", values(0, ""), nil, 422},
		{"a look-up of a long value", "POST", "/products/lookup", values(1, strings.Repeat("ž", 65)), nil, 422},
		{"a look-up of too many values", "POST", "/products/lookup", values(501, "a"), nil, 413},
		{"a batch without key", "PATCH", "/products/stock", items(1), nil, 400},
		{"a batch with a long key", "PATCH", "/products/stock", items(1), []string{"Idempotency-Key", strings.Repeat("k", 129)}, 400},
		{"a batch that is no JSON", "PATCH", "/products/stock", "{", key, 400},
		{"a batch of nothing", "PATCH", "/products/stock", items(0), key, 422},
		{"a batch of too many items", "PATCH", "/products/stock", items(501), key, 413},
		{"a quantity written as a string", "PATCH", "/products/stock", `{"items":[{"id":"1","quantity":"1"}]}`, key, 422},
		{"an expected quantity written as a string", "PATCH", "/products/stock", `{"items":[{"id":"1","quantity":1,"expected":"1"}]}`, key, 422},
		{"an item without quantity", "PATCH", "/products/stock", `{"items":[{"id":"1"}]}`, key, 422},
		{"an item without id", "PATCH", "/products/stock", `{"items":[{"quantity":1}]}`, key, 422},
		{"an id that is a number", "PATCH", "/products/stock", `{"items":[{"id":1,"quantity":1}]}`, key, 400},
		{"a body of megabytes", "PATCH", "/products/stock", strings.Repeat(" ", 5<<20), key, 413},
		{"a page of none", "GET", "/products?limit=0", "", nil, 400},
		{"a page of too many", "GET", "/products?limit=501", "", nil, 400},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			sim, c := start(t, fynodesim.Options{Products: products()})
			c.t = t
			status, _ := c.ask(test.method, test.path, test.body, test.header...)
			require.Equal(t, test.status, status)
			require.Empty(t, sim.Writes())
		})
	}
}

func TestLookupComparesTrimmed(t *testing.T) {
	_, c := start(t, fynodesim.Options{Products: products()})
	find := func(by, value string) []string {
		status, body := c.ask("POST", "/products/lookup", `{"by":"`+by+`","values":["`+value+`","nobody",""]}`)
		require.Equal(t, 200, status)
		var answer struct{ Products []fynodesim.Product }
		require.NoError(t, json.Unmarshal([]byte(body), &answer))
		return lo.Map(answer.Products, func(p fynodesim.Product, _ int) string { return p.ID })
	}
	require.Equal(t, []string{"1"}, find("number", "SK 001"))
	require.Equal(t, []string{"1"}, find("ean", " 8580000000017 "))
	require.Equal(t, []string{"2", "5"}, find("number", "SK 002"), "one value, several products")
	require.Empty(t, find("number", "sk 001"))
}

func TestProductsAreListedByPages(t *testing.T) {
	_, c := start(t, fynodesim.Options{Products: products()})
	var ids []string
	for cursor := ""; ; {
		_, body := c.ask("GET", "/products?limit=2&cursor="+cursor, "")
		var page struct {
			Products []fynodesim.Product
			Next     string
		}
		require.NoError(t, json.Unmarshal([]byte(body), &page))
		ids = append(ids, lo.Map(page.Products, func(p fynodesim.Product, _ int) string { return p.ID })...)
		if page.Next == "" {
			break
		}
		cursor = page.Next
	}
	require.Equal(t, []string{"1", "2", "3", "4", "5"}, ids)
}

func TestEachItemOfABatchHasItsOwnAnswer(t *testing.T) {
	sim, c := start(t, fynodesim.Options{Products: products(), Switches: fynodesim.Switches{Rejected: []string{"5"}}})
	tests := []struct{ rule, item, want string }{
		{"written", `{"id":"1","quantity":4.25,"expected":5}`, `"status":"updated","quantity":4.25`},
		{"written without expectation", `{"id":"1","quantity":4}`, `"status":"updated","quantity":4`},
		{"nothing to do", `{"id":"1","quantity":4.00,"expected":4.0}`, `"status":"unchanged","quantity":4`},
		{"another quantity than expected", `{"id":"1","quantity":9,"expected":5}`, `"status":"conflict","quantity":4`},
		{"expected comes before equal", `{"id":"1","quantity":4,"expected":5}`, `"status":"conflict","quantity":4`},
		{"an unknown product", `{"id":"x","quantity":1}`, `"status":"rejected"`},
		{"a product without stock", `{"id":"3","quantity":2}`, `"status":"rejected","quantity":1`},
		{"a product with variants", `{"id":"4","quantity":2}`, `"status":"rejected","quantity":0`},
		{"a product that is always rejected", `{"id":"5","quantity":2}`, `"status":"rejected","quantity":7`},
		{"below 0", `{"id":"2","quantity":-1}`, `"status":"rejected","quantity":2.5`},
		{"five decimals", `{"id":"2","quantity":0.00001}`, `"status":"rejected","quantity":2.5`},
		{"four decimals", `{"id":"2","quantity":0.0001}`, `"status":"updated","quantity":0.0001`},
	}
	for i, test := range tests {
		status, body := c.set(fmt.Sprint(i), "["+test.item+"]")
		require.Equal(t, 200, status, test.rule)
		require.Contains(t, body, test.want, test.rule)
		require.Equal(t, strings.Contains(test.want, "conflict") || strings.Contains(test.want, "rejected"),
			strings.Contains(body, `"reason"`), test.rule)
	}
	require.Equal(t, []string{"1 5 4.25", "1 4.25 4", "2 2.5 0.0001"}, lo.Map(sim.Writes(), func(w fynodesim.Write, _ int) string {
		require.Equal(t, hour, w.At)
		return fmt.Sprint(w.ID, " ", w.From, " ", w.To)
	}))
}

func TestARepeatedKeyIsAnsweredFromMemory(t *testing.T) {
	sim, c := start(t, fynodesim.Options{Products: products()})
	_, first := c.set("k", `[{"id":"1","quantity":3,"expected":5}]`)
	require.NoError(t, sim.SetQuantity("1", decimal.NewFromInt(5)))
	_, again := c.set("k", `[{"id":"1","quantity":3,"expected":5}]`)
	require.Equal(t, first, again)
	require.Len(t, sim.Writes(), 1)
	status, _ := c.set("k", `[{"id":"1","quantity":2,"expected":5}]`)
	require.Equal(t, 422, status, "the key belongs to another request")

	sim, c = start(t, fynodesim.Options{Products: products(), Switches: fynodesim.Switches{ForgetsKeys: true}})
	c.set("k", `[{"id":"1","quantity":3,"expected":5}]`)
	_, again = c.set("k", `[{"id":"1","quantity":3,"expected":5}]`)
	require.Contains(t, again, "conflict")
	require.Len(t, sim.Writes(), 1)
}

func TestTheLimitOfASecond(t *testing.T) {
	now := hour
	_, c := start(t, fynodesim.Options{RequestsPerSecond: 2, Now: func() time.Time { return now }})
	ask := func() int { status, _ := c.ask("GET", "/shop", ""); return status }
	require.Equal(t, []int{200, 200, 429}, []int{ask(), ask(), ask()})
	now = now.Add(999 * time.Millisecond)
	require.Equal(t, 429, ask())
	now = now.Add(time.Millisecond)
	require.Equal(t, []int{200, 200, 429}, []int{ask(), ask(), ask()})
}

func TestFaults(t *testing.T) {
	const read, write = `{"by":"number","values":["SK 001"]}`, `[{"id":"1","quantity":3,"expected":5}]`
	tests := []struct {
		fault   string
		status  int // of a write; 0: no answer
		body    string
		written bool
	}{
		{`{"kind":"status","status":503}`, 503, `"detail"`, false},
		{`{"kind":"html"}`, 200, "<html>", false},
		{`{"kind":"cut"}`, 200, `{"resul`, true},
		{`{"kind":"reset"}`, 0, "", false},
		{`{"kind":"reset_before"}`, 0, "", false},
		{`{"kind":"reset_after"}`, 0, "", true},
		{`{"kind":"slow","delayMs":1}`, 200, `"updated"`, true},
		{`{"kind":"empty"}`, 200, `"results":[]`, false},
		{`{"kind":"redirect"}`, 302, "", false},
		{`{"kind":"wrong_id"}`, 200, `"id":"other-1"`, true},
		{`{"kind":"status","status":503,"path":"products/stock"}`, 503, "", false},
		{`{"kind":"status","status":503,"path":"products/lookup"}`, 200, `"updated"`, true},
		{`{"kind":"status","status":503,"product":"1"}`, 503, "", false},
		{`{"kind":"status","status":503,"product":"2"}`, 200, `"updated"`, true},
		{`{"kind":"status","status":503,"after":1}`, 200, `"updated"`, true},
	}
	for _, test := range tests {
		t.Run(test.fault, func(t *testing.T) {
			sim, c := start(t, fynodesim.Options{Products: products()})
			c.t = t
			// Not by HTTP: on a connection that was used before, an http.Client
			// repeats a request with an Idempotency-Key by itself.
			var fault fynodesim.Fault
			require.NoError(t, json.Unmarshal([]byte(test.fault), &fault))
			require.NoError(t, sim.AddFault(fault))
			status, body := c.set("k", write)
			require.Equal(t, test.status, status)
			require.Contains(t, body, test.body)
			require.Equal(t, test.written, len(sim.Writes()) == 1)
			if test.body == `{"resul` {
				require.False(t, json.Valid([]byte(body)))
			}
		})
	}

	t.Run("a body and Retry-After as they are", func(t *testing.T) {
		sim, _ := start(t, fynodesim.Options{})
		require.NoError(t, sim.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 429, RetryAfter: "soon", Body: "slow down"}))
		answer := httptest.NewRecorder()
		sim.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/shop", nil))
		require.Equal(t, 429, answer.Code)
		require.Equal(t, "soon", answer.Header().Get("Retry-After"))
		require.Equal(t, "slow down", answer.Body.String())
	})
	t.Run("count and end", func(t *testing.T) {
		sim, c := start(t, fynodesim.Options{Products: products()})
		c.t = t
		ask := func() int { status, _ := c.ask("POST", "/products/lookup", read); return status }
		require.NoError(t, sim.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 500, Count: 2}))
		require.Equal(t, []int{500, 500, 200}, []int{ask(), ask(), ask()})
		require.NoError(t, sim.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 500, Count: -1}))
		require.Equal(t, []int{500, 500, 500}, []int{ask(), ask(), ask()})
		status, _ := c.ask("DELETE", "/_sim/faults", "")
		require.Equal(t, 204, status)
		require.Equal(t, 200, ask())
	})
	t.Run("what is no fault is refused", func(t *testing.T) {
		_, c := start(t, fynodesim.Options{})
		for _, fault := range []string{`{`, `{"kind":"fire"}`, `{"kind":"status"}`, `{"kind":"html","path":"orders"}`, `{"kind":"html","typo":1}`} {
			status, _ := c.ask("POST", "/_sim/faults", fault)
			require.Equal(t, 400, status, fault)
		}
	})
}

func TestSteering(t *testing.T) {
	sim, c := start(t, fynodesim.Options{ID: "acme", Products: products()})
	steer := func(want int, method, path, body string) {
		t.Helper()
		status, _ := c.ask(method, path, body, "Authorization", "")
		require.Equal(t, want, status)
	}
	steer(204, "PUT", "/_sim/products/1", `{"quantity":9}`)
	steer(204, "PUT", "/_sim/products/6", `{"number":"SK 006","quantity":1.5,"id":"ignored"}`)
	steer(204, "DELETE", "/_sim/products/2", "")
	steer(404, "DELETE", "/_sim/products/2", "")
	steer(400, "PUT", "/_sim/products/1", `{`)
	steer(204, "PUT", "/_sim/shop", `{"id":"other"}`)
	steer(400, "PUT", "/_sim/shop", `{`)
	steer(204, "POST", "/_sim/faults", `{"kind":"html","path":"products","count":3}`)
	c.set("k", `[{"id":"1","quantity":8},{"id":"6","quantity":0}]`)
	c.set("l", `[{"id":"1","quantity":7}]`)
	c.ask("GET", "/shop", "")

	status, body := c.ask("GET", "/_sim/state", "", "Authorization", "")
	require.Equal(t, 200, status)
	require.JSONEq(t, `{
		"shop":{"id":"other","name":"Simulated shop"},
		"products":[
			{"id":"1","number":" SK 001 ","ean":"8580000000017","name":"Lopata","quantity":7},
			{"id":"3","number":"SK 003","quantity":1,"tracked":false},
			{"id":"4","number":"SK 004","quantity":0},
			{"id":"5","number":"SK 002","quantity":7,"parentId":"4"},
			{"id":"6","number":"SK 006","quantity":0}],
		"writes":3,
		"lastWrite":{
			"1":{"id":"1","from":8,"to":7,"at":"2026-03-01T12:00:00Z"},
			"6":{"id":"6","from":1.5,"to":0,"at":"2026-03-01T12:00:00Z"}},
		"requests":{"products/stock":2,"shop":1},
		"faults":[{"kind":"html","count":3,"path":"products","location":"https://prihlasenie.fynode.example/"}]}`, body)
	var state fynodesim.State
	require.NoError(t, json.Unmarshal([]byte(body), &state), "a test of another process can read it")
	require.Equal(t, sim.State().Products[4].ID, state.Products[4].ID)
	require.Error(t, sim.SetQuantity("nobody", decimal.Zero))
	require.Equal(t, 1, sim.Requests("shop"))
}

func TestNoMoreIsSoldThanThereIs(t *testing.T) {
	sim, _ := start(t, fynodesim.Options{Products: products()})
	require.NoError(t, sim.SetQuantity("1", decimal.NewFromInt(5)))
	for _, c := range []struct{ asked, sold, left string }{{"3", "3", "2"}, {"3", "2", "0"}, {"1", "0", "0"}} {
		sold, err := sim.Sell("1", decimal.RequireFromString(c.asked))
		require.NoError(t, err)
		require.Equal(t, c.sold, sold.String())
		product, _ := sim.Product("1")
		require.Equal(t, c.left, product.Quantity.String())
	}
	require.Empty(t, sim.Writes())
	_, err := sim.Sell("nobody", decimal.Zero)
	require.Error(t, err)
}

func TestAVariantThatIsGoneLeavesItsProductFree(t *testing.T) {
	sim, c := start(t, fynodesim.Options{Products: products()})
	_, body := c.set("a", `[{"id":"4","quantity":2}]`)
	require.Contains(t, body, "rejected")
	sim.RemoveProduct("5")
	_, body = c.set("b", `[{"id":"4","quantity":2}]`)
	require.Contains(t, body, "updated")
}

func TestNumbersAsStringsAreAsExact(t *testing.T) {
	_, c := start(t, fynodesim.Options{Products: products(), Switches: fynodesim.Switches{NumbersAsStrings: true}})
	_, body := c.ask("POST", "/products/lookup", `{"by":"number","values":["SK 002"]}`)
	require.Contains(t, body, `"quantity":"2.5"`)
	_, body = c.set("k", `[{"id":"2","quantity":0.3}]`)
	require.Contains(t, body, `"quantity":"0.3"`)
}

func TestRunEndsWithItsContext(t *testing.T) {
	sim := fynodesim.New(fynodesim.Options{})
	server := httptest.NewUnstartedServer(nil)
	done := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- sim.Run(ctx, server.Listener) }()
	cancel()
	require.NoError(t, <-done)
}

func TestLoadProductsNamesWhatItCannotRead(t *testing.T) {
	_, err := fynodesim.LoadProducts(strings.NewReader(`[{"id":"1","quantity":"many"}]`))
	require.ErrorContains(t, err, "read the products of the shop")
}

func marshal(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
