package fynode_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/fynodesim"
)

// Whatever happens on the way, one batch ends with what was asked for in the
// shop, each product written once.
func TestABatchSurvivesWhatHappensOnTheWay(t *testing.T) {
	tests := []struct {
		rule     string
		fault    fynodesim.Fault
		requests int // to products/stock
		waited   time.Duration
	}{
		{"nothing", fynodesim.Fault{Kind: fynodesim.FaultSlow}, 1, 0},
		{"a connection that breaks before", fynodesim.Fault{Kind: fynodesim.FaultReset}, 2, time.Second},
		{"a lost answer", fynodesim.Fault{Kind: fynodesim.FaultResetAfter}, 2, time.Second},
		{"a cut answer", fynodesim.Fault{Kind: fynodesim.FaultCut}, 2, time.Second},
		{"an HTML page", fynodesim.Fault{Kind: fynodesim.FaultHTML, Count: 2}, 3, 3 * time.Second},
		{"a proxy's 502", fynodesim.Fault{Kind: fynodesim.FaultHTML, Status: 502}, 2, time.Second},
		{"an empty list", fynodesim.Fault{Kind: fynodesim.FaultEmpty}, 2, time.Second},
		{"another product's result", fynodesim.Fault{Kind: fynodesim.FaultWrongID}, 2, time.Second},
		{"too many requests", fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 429, RetryAfter: "30"}, 2, 30 * time.Second},
		{"a shop that is slow", fynodesim.Fault{Kind: fynodesim.FaultSlow, DelayMS: 59_000}, 1, 59 * time.Second},
		{"a shop that is too slow", fynodesim.Fault{Kind: fynodesim.FaultSlow, DelayMS: 61_000}, 2, 61 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim, client := piped(t, fynodesim.Options{Products: simulatedProducts(20)})
				test.fault.Path = "products/stock"
				require.NoError(t, sim.AddFault(test.fault))
				begin := time.Now()
				results, err := shop.Write(t.Context(), client, "acme/7", raise(sim.Products()))
				require.NoError(t, err)
				require.Len(t, lo.Filter(results, func(r shop.Result, _ int) bool { return r.Status == shop.Updated }), 20)
				require.Len(t, sim.Writes(), 20)
				require.Equal(t, test.requests, sim.Requests("products/stock"))
				require.Equal(t, test.waited, time.Since(begin))
			})
		})
	}
}

func TestALostAnswerOfAShopThatForgetsKeysIsAConflictWithTheWantedQuantity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, client := piped(t, fynodesim.Options{Products: simulatedProducts(3), Switches: fynodesim.Switches{ForgetsKeys: true}})
		require.NoError(t, sim.AddFault(fynodesim.Fault{Kind: fynodesim.FaultResetAfter, Path: "products/stock"}))
		changes := raise(sim.Products())
		results, err := shop.Write(t.Context(), client, "acme/7", changes)
		require.NoError(t, err)
		for i, r := range results {
			require.Equal(t, shop.Conflict, r.Status)
			require.Equal(t, changes[i].Quantity.String(), r.Quantity.String())
		}
		require.Len(t, sim.Writes(), 3)
	})
}

func TestOneProductThatSpoilsTheBatchIsFound(t *testing.T) {
	for _, status := range []int{400, 413, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			sim, client := start(t, fynodesim.Options{Products: simulatedProducts(shop.MaxBatch)})
			require.NoError(t, sim.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: status, Count: -1, Product: "p333"}))
			results, err := shop.Write(t.Context(), client, "acme/7", raise(sim.Products()))
			require.NoError(t, err)
			for i, r := range results {
				require.Equal(t, i == 333, r.Status == shop.Rejected, r.ID)
			}
			require.Len(t, sim.Writes(), shop.MaxBatch-1)
			require.LessOrEqual(t, sim.Requests("products/stock"), 2*9+1, "halving, not one by one")
		})
	}
}

func TestMoreThanTheShopTakesIsSplitToo(t *testing.T) {
	sim, client := start(t, fynodesim.Options{Products: simulatedProducts(shop.MaxBatch + 1)})
	results, err := shop.Write(t.Context(), client, "acme/7", raise(sim.Products()))
	require.NoError(t, err)
	require.Len(t, results, shop.MaxBatch+1)
	require.Len(t, sim.Writes(), shop.MaxBatch+1)
}

func TestARefusedKeyEndsTheWriteAtOnce(t *testing.T) {
	sim, client := start(t, fynodesim.Options{Products: simulatedProducts(10)})
	sim.SetToken("another")
	_, err := shop.Write(t.Context(), client, "acme/7", raise(sim.Products()))
	requireTrouble(t, err, shop.Unauthorized)
	require.Equal(t, 1, sim.Requests("products/stock"))
	require.Empty(t, sim.Writes())
}

func TestAllProductsOfALargeShopAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, client := piped(t, fynodesim.Options{Products: simulatedProducts(1700), RequestsPerSecond: 2})
		require.NoError(t, sim.AddFault(fynodesim.Fault{Kind: fynodesim.FaultCut, Path: "products/lookup", After: 1}))
		keys := lo.Map(sim.Products(), func(p fynodesim.Product, _ int) string { return p.Number })
		products, err := shop.LookupAll(t.Context(), client, stock.ByNumber, append(keys, "nobody"), nil)
		require.NoError(t, err)
		require.Len(t, products, 1700)
	})
}

func TestALargeShopIsListedWhateverHappensOnTheWay(t *testing.T) {
	for _, kind := range []fynodesim.FaultKind{fynodesim.FaultCut, fynodesim.FaultHTML, fynodesim.FaultReset, fynodesim.FaultResetAfter} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim, client := piped(t, fynodesim.Options{Products: simulatedProducts(1700), RequestsPerSecond: 2})
				require.NoError(t, sim.AddFault(fynodesim.Fault{Kind: kind, Path: "products", After: 1}))
				products, err := shop.ListAll(t.Context(), client, nil)
				require.NoError(t, err)
				require.Len(t, products, 1700)
				require.GreaterOrEqual(t, sim.Requests("products"), 5, "four pages and a repeat")
			})
		})
	}
}

func TestARequestEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, client := piped(t, fynodesim.Options{})
		require.NoError(t, sim.AddFault(fynodesim.Fault{Kind: fynodesim.FaultSlow, DelayMS: 30_000}))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := client.Check(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, time.Since(begin))
	})
}

// piped runs a shop behind HTTP inside a synctest bubble, where a real network
// would stop its clock.
func piped(t *testing.T, options fynodesim.Options) (*fynodesim.Server, *fynode.Client) {
	options.Token = token
	sim := fynodesim.New(options)
	listener := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: sim}
	go func() { _ = server.Serve(listener) }()
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	client, err := fynode.New(fynode.Config{URL: "http://shop.example.com/api/v1", APIKey: token, HTTP: &http.Client{Transport: transport}})
	require.NoError(t, err)
	return sim, client
}

// pipes is a listener whose connections never leave the process.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.accept <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accept:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func simulatedProducts(n int) []fynodesim.Product {
	return lo.Times(n, func(i int) fynodesim.Product {
		return fynodesim.Product{ID: fmt.Sprintf("p%03d", i), Number: fmt.Sprintf("Č %03d", i), Quantity: decimal.NewFromInt(int64(i % 5))}
	})
}

// raise asks for one piece more of every product.
func raise(products []fynodesim.Product) []shop.Change {
	return lo.Map(products, func(p fynodesim.Product, _ int) shop.Change {
		return shop.Change{ID: p.ID, Quantity: p.Quantity.Add(decimal.NewFromInt(1)), Expected: p.Quantity}
	})
}
