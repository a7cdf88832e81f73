package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/catalogue"
)

// start runs the program and returns the address that it prints. It is stopped
// as SIGTERM stops it, and must end without an error.
func start(t *testing.T, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, printed := io.Pipe()
	cmd := newCommand()
	cmd.SetArgs(append(args, "--listen", "127.0.0.1:0"))
	cmd.SetOut(printed)
	ended := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		_ = printed.CloseWithError(io.EOF)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	found := regexp.MustCompile(`^\w+: (http://127\.0\.0\.1:[1-9]\d*)  state: GET http://.*/_sim/state  change: PUT http://.*}  break: POST http://.*/_sim/faults\n$`).FindStringSubmatch(line)
	require.NotNil(t, found, line)
	return found[1]
}

func ask(t *testing.T, method, url, token, body string, into any) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	if into != nil {
		require.NoError(t, json.NewDecoder(response.Body).Decode(into))
	}
	return response.StatusCode
}

func TestKROSHasTheRealisticCatalogueUnlessItIsGivenOne(t *testing.T) {
	address := start(t, "kros")
	var state struct{ Items []json.RawMessage }
	ask(t, http.MethodGet, address+"/_sim/state", "", "", &state)
	var items []json.RawMessage
	require.NoError(t, json.Unmarshal(catalogue.Kros(), &items))
	require.Len(t, state.Items, len(items))
	require.Equal(t, http.StatusOK, ask(t, http.MethodGet, address+"/api/auth/check", demoToken, "", nil))

	path := filepath.Join(t.TempDir(), "kros.json")
	require.NoError(t, os.WriteFile(path, []byte(`[{"itemCode":"A 1","name":"Čaj","warehouses":[{"code":"LT","quantityOnHand":2.5}]}]`), 0o600))
	address = start(t, "kros", "--catalog", path, "--token", "T")
	require.Equal(t, http.StatusUnauthorized, ask(t, http.MethodGet, address+"/api/catalog-items", demoToken, "", nil))
	var page struct {
		Data []struct {
			ItemCode   string
			Warehouses []struct{ QuantityOnHand json.RawMessage }
		}
	}
	ask(t, http.MethodGet, address+"/api/catalog-items?Top=1", "T", "", &page)
	require.Len(t, page.Data, 1)
	require.Equal(t, "A 1", page.Data[0].ItemCode)
	require.Equal(t, "2.5", string(page.Data[0].Warehouses[0].QuantityOnHand))
}

func TestFynodeHasTheRealisticShopUnlessItIsGivenOne(t *testing.T) {
	address := start(t, "fynode")
	var shop struct {
		ID       string
		Products int
	}
	ask(t, http.MethodGet, address+"/shop", demoToken, "", &shop)
	var products []json.RawMessage
	require.NoError(t, json.Unmarshal(catalogue.Shop(), &products))
	require.Equal(t, len(products), shop.Products)

	path := filepath.Join(t.TempDir(), "shop.json")
	require.NoError(t, os.WriteFile(path, []byte(`[{"id":"p","number":"A 1","quantity":1}]`), 0o600))
	address = start(t, "fynode", "--products", path, "--token", "T", "--id", "acme", "--rejected", "p,q")
	ask(t, http.MethodGet, address+"/shop", "T", "", &shop)
	require.Equal(t, "acme", shop.ID)
	require.Equal(t, 1, shop.Products)
	var answer struct{ Results []struct{ Status string } }
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, address+"/products/stock", strings.NewReader(`{"items":[{"id":"p","quantity":5}]}`))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer T")
	request.Header.Set("Idempotency-Key", "k")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.Equal(t, "rejected", answer.Results[0].Status)
}

func TestAChangeInKROSIsNotified(t *testing.T) {
	signatures := make(chan string, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	relay := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		signatures <- r.Header.Get("X-Kros-Signature-256")
	})}
	go func() { _ = relay.Serve(listener) }()
	defer func() { _ = relay.Close() }()

	path := filepath.Join(t.TempDir(), "kros.json")
	require.NoError(t, os.WriteFile(path, []byte(`[{"itemCode":"A 1/2","name":"Čaj"}]`), 0o600))
	address := start(t, "kros", "--catalog", path, "--webhook-url", "http://"+listener.Addr().String(), "--webhook-key", "K")
	require.Equal(t, http.StatusNoContent, ask(t, http.MethodPut, address+"/_sim/items/A%201%2F2", "", `{"warehouses":[{"code":"LT","quantityOnHand":7}]}`, nil))
	require.NotEmpty(t, <-signatures)
}

func TestEverySwitchIsAFlag(t *testing.T) {
	address := start(t, "kros", "--per-second", "5", "--per-minute", "9", "--latency", "1ms", "--seed", "4", "--numbers-as-strings", "--ean-field", "ean",
		"--moving-rows", "3", "--shuffle", "--limit-per", "address", "--rejected-count", "--retry-after", "date", "--item-code-searches", "--quantity-touches", "--unknown-fields")
	var page struct{ Data []map[string]any }
	ask(t, http.MethodGet, address+"/api/catalog-items?Top=100", demoToken, "", &page)
	fields := map[string]bool{}
	for _, item := range page.Data {
		for field := range item {
			fields[field] = true
		}
	}
	require.True(t, fields["ean"] && fields["customFields"])
	require.False(t, fields["eanCode"])

	address = start(t, "kros", "--no-limits", "--no-stock-module", "--no-api-access", "catalog")
	require.Equal(t, http.StatusOK, ask(t, http.MethodGet, address+"/api/auth/check", demoToken, "", nil))
	require.Equal(t, http.StatusPaymentRequired, ask(t, http.MethodGet, address+"/api/catalog-items", demoToken, "", nil))

	address = start(t, "fynode", "--name", "Acme", "--requests-per-second", "100", "--latency", "1ms", "--numbers-as-strings", "--forgets-keys", "--hides-quantity")
	var products struct {
		Products []struct{ Quantity any }
	}
	ask(t, http.MethodGet, address+"/products?limit=1", demoToken, "", &products)
	require.IsType(t, "", products.Products[0].Quantity)
}

func TestWhatCannotBeRunIsSaid(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	broken := filepath.Join(t.TempDir(), "broken.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{`), 0o600))
	for says, args := range map[string][]string{
		"--listen":            {"kros", "--listen", taken.Addr().String()},
		"--catalog":           {"kros", "--catalog", broken},
		"--products":          {"fynode", "--products", filepath.Join(t.TempDir(), "absent.json")},
		"webhook-key":         {"kros", "--webhook-url", "http://127.0.0.1:1"},
		`must be one of`:      {"kros", "--retry-after", "never"},
		"unknown command":     {"fynode", "extra"},
		`unknown flag: --foo`: {"fynode", "--foo"},
	} {
		cmd := newCommand()
		cmd.SetArgs(args)
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		require.ErrorContains(t, cmd.ExecuteContext(t.Context()), says)
	}
}
