package krossim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const token = "the-token"

func serve(t *testing.T, options Options) (*Server, *httptest.Server) {
	t.Helper()
	options.Token = token
	sim := New(options)
	web := httptest.NewServer(sim)
	t.Cleanup(func() { web.Close(); sim.Close() })
	return sim, web
}

func catalogue(n int) []Item {
	items := make([]Item, n)
	for i := range items {
		items[i] = Item{
			ItemCode:   fmt.Sprintf("A%04d", i),
			Name:       fmt.Sprintf("Čaj %d", i),
			Warehouses: []Warehouse{{Code: "LT", QuantityOnHand: json.Number(fmt.Sprint(i))}},
		}
	}
	return items
}

type answer struct {
	status int
	header http.Header
	text   string
	Data   []struct {
		ItemCode   string           `json:"itemCode"`
		EAN        string           `json:"ean"`
		Warehouses *json.RawMessage `json:"warehouses"`
	} `json:"data"`
	Errors []problem `json:"errors"`
}

func send(t *testing.T, method, address, body string) answer {
	t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	got := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	_ = json.Unmarshal(text, &got)
	return got
}

func get(t *testing.T, address string) answer { return send(t, http.MethodGet, address, "") }

func codes(a answer) []string {
	var codes []string
	for _, item := range a.Data {
		codes = append(codes, item.ItemCode)
	}
	return codes
}

func TestPagesAsKROSDefinesThem(t *testing.T) {
	_, web := serve(t, Options{Items: catalogue(130)})
	for name, test := range map[string]struct {
		query string
		rows  int
	}{
		"Top is 50 by default":              {"", 50},
		"Top may be 100":                    {"Top=100", 100},
		"the last page is shorter":          {"Top=100&Skip=100", 30},
		"behind the end there is nothing":   {"Skip=130", 0},
		"names are not case-sensitive":      {"tOp=7&SKIP=1", 7},
		"ItemCode finds one":                {"ItemCode=A0007", 1},
		"ItemCode is exact":                 {"ItemCode=A000", 0},
		"Name searches":                     {"Name=" + url.QueryEscape("čaj 12"), 11},
		"nothing is marked for the e-shop":  {"OnlyMarkedForEshop=true", 0},
		"everything changed since long ago": {"CatalogItemChangedTimestamp=0001-01-01T00:00:00&Top=100", 100},
	} {
		t.Run(name, func(t *testing.T) {
			got := get(t, web.URL+"/api/catalog-items?"+test.query)
			require.Equal(t, http.StatusOK, got.status)
			require.Len(t, got.Data, test.rows)
		})
	}
}

func TestBadParametersAreNamed(t *testing.T) {
	_, web := serve(t, Options{})
	for query, path := range map[string]string{
		"Top=0": "Top", "top=101": "Top", "Top=x": "Top", "Skip=-1": "Skip",
		"ItemCode=" + strings.Repeat("x", 26):  "ItemCode",
		"OnlyMarkedForEshop=yes":               "OnlyMarkedForEshop",
		"CatalogItemChangedTimestamp=tomorrow": "CatalogItemChangedTimestamp",
	} {
		got := get(t, web.URL+"/api/catalog-items?"+query)
		require.Equal(t, http.StatusBadRequest, got.status, query)
		require.Len(t, got.Errors, 1, query)
		require.Equal(t, path, got.Errors[0].PropertyPath)
	}
}

func TestAccess(t *testing.T) {
	for name, test := range map[string]struct {
		switches     Switches
		check, items int
	}{
		"granted":                     {Switches{}, 200, 200},
		"refused at once":             {Switches{NoAPIAccess: RefusedAtCheck}, 402, 402},
		"refused only with the items": {Switches{NoAPIAccess: RefusedAtItems}, 200, 402},
	} {
		t.Run(name, func(t *testing.T) {
			_, web := serve(t, Options{Switches: test.switches})
			check := get(t, web.URL+"/api/auth/check")
			require.Equal(t, test.check, check.status)
			require.Empty(t, check.text)
			require.Equal(t, test.items, get(t, web.URL+"/api/catalog-items").status)
		})
	}
	t.Run("a token that was reset is dead", func(t *testing.T) {
		sim, web := serve(t, Options{})
		sim.SetToken("another")
		require.Equal(t, http.StatusUnauthorized, get(t, web.URL+"/api/auth/check").status)
	})
}

func TestTheEleventhRequestOfASecondIsRefused(t *testing.T) {
	parse := map[RetryAfter]func(now time.Time, header string) time.Duration{
		RetrySeconds: func(_ time.Time, header string) time.Duration {
			d, err := time.ParseDuration(header + "s")
			require.NoError(t, err)
			return d
		},
		RetryDate: func(now time.Time, header string) time.Duration {
			at, err := http.ParseTime(header)
			require.NoError(t, err)
			return at.Sub(now.Truncate(time.Second))
		},
		RetryAbsent: func(_ time.Time, header string) time.Duration {
			require.Empty(t, header)
			return time.Second
		},
	}
	for form, wait := range parse {
		t.Run(string(form), func(t *testing.T) {
			now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
			sim, web := serve(t, Options{Now: func() time.Time { return now }, Switches: Switches{RetryAfter: form}})
			for range 10 {
				require.Equal(t, http.StatusOK, get(t, web.URL+"/api/auth/check").status)
			}
			now = now.Add(time.Second - 1)
			refused := get(t, web.URL+"/api/auth/check")
			require.Equal(t, http.StatusTooManyRequests, refused.status)
			require.Equal(t, time.Second, wait(now, refused.header.Get("Retry-After")))
			now = now.Add(1)
			require.Equal(t, http.StatusOK, get(t, web.URL+"/api/auth/check").status)
			state := sim.State()
			require.Equal(t, 1, state.Rejected)
			require.Equal(t, 11, state.MaxPerSecond)
			require.Equal(t, 12, state.MaxPerMinute)
		})
	}
}

func TestTheThreeHundredAndFirstRequestOfAMinuteIsRefused(t *testing.T) {
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	_, web := serve(t, Options{Now: func() time.Time { return now }})
	for range 300 {
		require.Equal(t, http.StatusOK, get(t, web.URL+"/api/auth/check").status)
		now = now.Add(110 * time.Millisecond)
	}
	refused := get(t, web.URL+"/api/auth/check")
	require.Equal(t, http.StatusTooManyRequests, refused.status)
	require.Equal(t, "27", refused.header.Get("Retry-After"))
	now = now.Add(27 * time.Second)
	require.Equal(t, http.StatusOK, get(t, web.URL+"/api/auth/check").status)
}

func TestLimitsCountPerTokenOrPerAddress(t *testing.T) {
	for per, want := range map[LimitPer]int{PerToken: http.StatusUnauthorized, PerAddress: http.StatusTooManyRequests} {
		now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
		_, web := serve(t, Options{PerSecond: 1, Now: func() time.Time { return now }, Switches: Switches{LimitPer: per}})
		require.Equal(t, http.StatusOK, get(t, web.URL+"/api/auth/check").status)
		response, err := http.Get(web.URL + "/api/auth/check")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.StatusCode, per)
	}
}

func TestSwitchesBendTheItems(t *testing.T) {
	item := Item{ItemCode: "A", Name: "Čaj", EANCode: "40084963", Warehouses: []Warehouse{{Code: "LT ", QuantityOnHand: "-1.50"}}}
	for name, test := range map[string]struct {
		switches Switches
		want     string
	}{
		"as KROS":            {Switches{}, `{"data":[{"eanCode":"40084963","itemCode":"A","name":"Čaj","warehouses":[{"code":"LT ","quantityOnHand":-1.50}]}]}`},
		"numbers as strings": {Switches{NumbersAsStrings: true}, `{"data":[{"eanCode":"40084963","itemCode":"A","name":"Čaj","warehouses":[{"code":"LT ","quantityOnHand":"-1.50"}]}]}`},
		"EAN as barcode":     {Switches{EANField: "barcode"}, `{"data":[{"barcode":"40084963","itemCode":"A","name":"Čaj","warehouses":[{"code":"LT ","quantityOnHand":-1.50}]}]}`},
		"no stock module":    {Switches{NoStockModule: true}, `{"data":[{"eanCode":"40084963","itemCode":"A","name":"Čaj"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, web := serve(t, Options{Items: []Item{item}, Switches: test.switches})
			require.Equal(t, test.want+"\n", get(t, web.URL+"/api/catalog-items").text)
		})
	}
}

func TestRowsMoveBetweenPagesButNoneIsLost(t *testing.T) {
	for name, switches := range map[string]Switches{"some": {MovingRows: 20}, "all": {Shuffle: true}} {
		t.Run(name, func(t *testing.T) {
			_, web := serve(t, Options{Items: catalogue(100), Switches: switches, Seed: 7})
			first := codes(get(t, web.URL+"/api/catalog-items?Top=100"))
			second := codes(get(t, web.URL+"/api/catalog-items?Top=100"))
			require.NotEqual(t, first, second)
			require.ElementsMatch(t, first, second)
		})
	}
}

func TestAListCanComeToRest(t *testing.T) {
	sim, web := serve(t, Options{Items: catalogue(100), Switches: Switches{Shuffle: true}, Seed: 7})
	list := func() []string { return codes(get(t, web.URL+"/api/catalog-items?Top=100")) }
	require.NotEqual(t, list(), list()) //nolint:testifylint // each call asks anew
	sim.SetMoving(0, false)
	require.Equal(t, list(), list()) //nolint:testifylint // each call asks anew
	sim.SetMoving(5, false)
	require.NotEqual(t, list(), list()) //nolint:testifylint // each call asks anew
}

func TestFaultsBreakAsManyRequestsAsToldAndNoMore(t *testing.T) {
	const list = "/api/catalog-items"
	for name, test := range map[string]struct {
		fault Fault
		check func(*testing.T, answer)
	}{
		"status with body and Retry-After": {
			Fault{Kind: FaultStatus, Status: 503, Body: "weg", RetryAfter: "Wed, 21 Oct 2015 07:28:00 GMT"},
			func(t *testing.T, a answer) {
				require.Equal(t, 503, a.status)
				require.Equal(t, "weg", a.text)
				require.Equal(t, "Wed, 21 Oct 2015 07:28:00 GMT", a.header.Get("Retry-After"))
			},
		},
		"html": {Fault{Kind: FaultHTML}, func(t *testing.T, a answer) {
			require.Equal(t, 200, a.status)
			require.True(t, strings.HasPrefix(a.text, "<!DOCTYPE html>"))
		}},
		"cut": {Fault{Kind: FaultCut}, func(t *testing.T, a answer) {
			require.Equal(t, 200, a.status)
			require.True(t, strings.HasPrefix(a.text, `{"data":[{`))
			require.False(t, json.Valid([]byte(a.text)))
		}},
		"empty": {Fault{Kind: FaultEmpty}, func(t *testing.T, a answer) {
			require.Equal(t, `{"data":[]}`+"\n", a.text)
		}},
		"redirect": {Fault{Kind: FaultRedirect, Location: "https://elsewhere.example/x"}, func(t *testing.T, a answer) {
			require.Equal(t, 302, a.status)
			require.Equal(t, "https://elsewhere.example/x", a.header.Get("Location"))
		}},
		"slow": {Fault{Kind: FaultSlow, DelayMS: 1}, func(t *testing.T, a answer) { require.Len(t, a.Data, 3) }},
	} {
		t.Run(name, func(t *testing.T) {
			sim, web := serve(t, Options{Items: catalogue(3)})
			test.fault.Count, test.fault.After, test.fault.Path = 2, 1, "catalog-items"
			require.NoError(t, sim.AddFault(test.fault))
			require.Equal(t, 200, get(t, web.URL+"/api/auth/check").status, "another path")
			require.Len(t, get(t, web.URL+list).Data, 3, "before its turn")
			test.check(t, get(t, web.URL+list))
			require.Len(t, sim.State().Faults, 1)
			test.check(t, get(t, web.URL+list))
			require.Len(t, get(t, web.URL+list).Data, 3, "used up")
			require.Empty(t, sim.State().Faults)
		})
	}
}

func TestResetClosesTheConnection(t *testing.T) {
	sim, web := serve(t, Options{})
	require.NoError(t, sim.AddFault(Fault{Kind: FaultReset, Count: -1}))
	_, err := http.Get(web.URL + "/api/auth/check")
	require.ErrorIs(t, err, io.EOF)
	sim.ClearFaults()
	require.Equal(t, http.StatusOK, get(t, web.URL+"/api/auth/check").status)
	log := sim.State().Log
	require.Zero(t, log[0].Status)
	require.Equal(t, http.StatusOK, log[len(log)-1].Status)
}

func TestSteeringOverHTTP(t *testing.T) {
	_, web := serve(t, Options{Items: []Item{{ItemCode: "A 1/2", Name: "x"}}})
	require.Equal(t, 204, send(t, "PUT", web.URL+"/_sim/items/A%201%2F2", `{"warehouses":[{"code":"LT","quantityOnHand":"2.5"}]}`).status)
	require.Equal(t, 404, send(t, "PUT", web.URL+"/_sim/items/B", `{"warehouses":[]}`).status)
	require.Equal(t, 400, send(t, "PUT", web.URL+"/_sim/items/A%201%2F2", `{"quantity":1}`).status)
	require.Equal(t, 204, send(t, "POST", web.URL+"/_sim/faults", `{"kind":"status","status":500,"count":3}`).status)
	require.Equal(t, 400, send(t, "POST", web.URL+"/_sim/faults", `{"kind":"earthquake"}`).status)
	require.Equal(t, 400, send(t, "POST", web.URL+"/_sim/faults", `{"kind":"status"}`).status)
	require.Equal(t, 500, get(t, web.URL+"/api/auth/check").status)
	require.Equal(t, 204, send(t, "DELETE", web.URL+"/_sim/faults", "").status)
	require.Equal(t, 200, get(t, web.URL+"/api/auth/check").status)

	response, err := http.Get(web.URL + "/_sim/state")
	require.NoError(t, err)
	defer response.Body.Close()
	var state State
	require.NoError(t, json.NewDecoder(response.Body).Decode(&state))
	require.Equal(t, []Warehouse{{Code: "LT", QuantityOnHand: "2.5"}}, state.Items[0].Warehouses)
	require.Equal(t, map[string]int{"auth/check": 2}, state.ByPath)
}

func TestAChangeIsNotifiedSignedAndRepeatedUntilAccepted(t *testing.T) {
	const key = "kľúč"
	type notification struct{ signature, body string }
	received := make(chan notification, 10)
	var calls atomic.Int32
	webhook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- notification{r.Header.Get("X-Kros-Signature-256"), string(body)}
		if calls.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer webhook.Close()
	sim, _ := serve(t, Options{Items: catalogue(1), WebhookURL: webhook.URL, WebhookKey: key, WebhookWait: time.Millisecond})
	require.NoError(t, sim.SetStock("A0000", Warehouse{Code: "LT", QuantityOnHand: "9"}))
	for range 3 {
		got := <-received
		require.Equal(t, sign(key, []byte(got.body)), got.signature)
		require.Contains(t, got.body, "A0000")
	}
	require.Eventually(t, func() bool {
		return sim.State().Notifications == Notifications{Sent: 3, Accepted: 1}
	}, 5*time.Second, time.Millisecond)
}

func TestTheSignatureIsThatOfKROS(t *testing.T) {
	body := `{"status":200,"externalId":"11111111-2222-3333-4444-555555555555","data":{"documentId":"FA-2026-1"}}`
	require.Equal(t, "yayIOBK9RX322/ixT69BXcFVbhiT9w4Q1LBY8nudmk0=", sign("kros-secret-123", []byte(body)))
}

func TestRunEndsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- New(Options{Token: token}).Run(ctx, listener) }()
	require.Equal(t, 200, get(t, "http://"+listener.Addr().String()+"/api/auth/check").status)
	cancel()
	require.NoError(t, <-ended)
}

func TestACatalogueIsReadAsKROSSendsIt(t *testing.T) {
	items, err := LoadItems(strings.NewReader(`[
		{"itemCode":"A","warehouses":[{"code":"LT","quantityOnHand":1.50}],"unknown":true},
		{"itemCode":"B","warehouses":[]},
		{"itemCode":"C"}]`))
	require.NoError(t, err)
	require.Equal(t, []Warehouse{{Code: "LT", QuantityOnHand: "1.50"}}, items[0].Warehouses)
	require.NotNil(t, items[1].Warehouses)
	require.Nil(t, items[2].Warehouses)
	_, err = LoadItems(strings.NewReader(`{`))
	require.Error(t, err)
}
