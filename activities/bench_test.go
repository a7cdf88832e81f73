package activities_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

const (
	acme = "acme"
	// What must be in no result, no error and no heartbeat.
	krosToken = "kros-token-5e1f0c"
	shopToken = "shop-token-77ab21"
)

// bench is a worker's activities with both sides behind real HTTP, its files
// and its archive.
type bench struct {
	t       *testing.T
	kros    *krossim.Server
	shop    *fynodesim.Server
	dir     string
	env     map[string]string
	shops   *config.Directory
	archive *snapshot.Archive
	now     time.Time
	acts    *activities.Activities

	loaded protocol.Loaded

	onWrite func(n int)   // meets the nth request to write
	details any           // heartbeat of the attempt before
	stop    chan struct{} // closed when the worker stops
	beats   []string      // what was heartbeated, as JSON
	beating sync.Mutex
}

func newBench(t *testing.T, kros krossim.Options, shop fynodesim.Options, lines string, inKros ...string) *bench {
	t.Helper()
	kros.Token, kros.NoLimits, shop.Token = krosToken, true, shopToken
	b := &bench{
		t: t, kros: krossim.New(kros), shop: fynodesim.New(shop), dir: t.TempDir(),
		env: map[string]string{"KROS_TOKEN": krosToken}, now: time.Now(), stop: make(chan struct{}),
	}
	krosServer, shopServer := httptest.NewServer(b.kros), httptest.NewServer(b.hooked(b.shop))
	t.Cleanup(b.kros.Close)
	t.Cleanup(krosServer.Close)
	t.Cleanup(shopServer.Close)
	b.write(acme, fmt.Sprintf(`
		shop "acme" {
			kros {
				url                 = %q
				api_key             = env("KROS_TOKEN")
				requests_per_second = 1000
				requests_per_minute = 100000
				%s
			}
			fynode {
				url     = "%s/api/v1"
				api_key = %q
			}
			title = "Acme s.r.o."
			%s
		}`, krosServer.URL, strings.Join(inKros, "\n"), shopServer.URL, shopToken, lines))
	environment := config.OS()
	environment.Getenv = func(name string) (string, bool) {
		value, ok := b.env[name]
		return value, ok
	}
	var err error
	b.shops, err = config.Open(b.dir, environment)
	require.NoError(t, err)
	require.Empty(t, b.shops.Diagnostics())
	b.open("mem://")
	b.loaded = b.load()
	require.Nil(t, b.loaded.Failure)
	return b
}

// hooked tells of each request to write before it is answered.
func (b *bench) hooked(next http.Handler) http.Handler {
	writes := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			writes++
			if b.onWrite != nil {
				b.onWrite(writes)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// open gives the worker another archive.
func (b *bench) open(address string) {
	b.t.Helper()
	var err error
	b.archive, err = snapshot.Open(b.t.Context(), address)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = b.archive.Close() })
	b.acts = activities.New(activities.Options{
		Shops: b.shops, Archive: b.archive, Logger: hclog.NewNullLogger(), Now: func() time.Time { return b.now },
	})
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(filepath.Join(b.dir, name+".hcl"), []byte(text), 0o600))
}

// run runs an activity as a worker does, and looks for secrets in whatever
// comes out.
func run[Result any](b *bench, activity any, request any) (Result, error) {
	b.t.Helper()
	var none Result
	value, err := b.execute(activity, request)
	if err != nil {
		b.keepsSecrets(describe(err))
		return none, err
	}
	var result Result
	if value.HasValue() {
		require.NoError(b.t, value.Get(&result))
	}
	b.keepsSecrets(asJSON(b.t, result))
	return result, nil
}

func (b *bench) execute(run any, request any) (converter.EncodedValue, error) {
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(b.acts)
	env.SetTestTimeout(time.Minute)
	env.SetWorkerStopChannel(b.stop)
	if b.details != nil {
		env.SetHeartbeatDetails(b.details)
	}
	b.beats = nil
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var beat json.RawMessage
		require.NoError(b.t, details.Get(&beat))
		b.keepsSecrets(string(beat))
		b.beating.Lock()
		defer b.beating.Unlock()
		b.beats = append(b.beats, string(beat))
	})
	return env.ExecuteActivity(run, request)
}

func (b *bench) keepsSecrets(text string) {
	b.t.Helper()
	for _, secret := range []string{krosToken, shopToken} {
		require.NotContains(b.t, text, secret)
	}
}

// describe is an error with all that Temporal keeps of it.
func describe(err error) string {
	failure := temporal.GetDefaultFailureConverter().ErrorToFailure(err)
	return failure.String() + fmt.Sprintf("%+v", err)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func (b *bench) load() protocol.Loaded {
	b.t.Helper()
	loaded, err := b.acts.LoadSettings(b.t.Context(), protocol.LoadRequest{Shop: acme, After: b.now})
	require.NoError(b.t, err)
	b.keepsSecrets(asJSON(b.t, loaded))
	return loaded
}

func (b *bench) fetchRequest(memory protocol.Memory) protocol.FetchRequest {
	return protocol.FetchRequest{Shop: acme, Pass: 7, Connection: b.loaded.Connection, Settings: b.loaded.Settings.Terms().ToRead(), Memory: memory}
}

func (b *bench) fetch(memory protocol.Memory) protocol.Fetched {
	b.t.Helper()
	fetched, err := run[protocol.Fetched](b, b.acts.FetchStock, b.fetchRequest(memory))
	require.NoError(b.t, err)
	return fetched
}

func (b *bench) matchRequest(fetched protocol.Fetched) protocol.MatchRequest {
	return protocol.MatchRequest{
		Shop: acme, Pass: 7, Connection: b.loaded.Connection, Settings: b.loaded.Settings.Terms(),
		Memory: fetched.Memory, Catalogue: fetched.Catalogue.Swept(),
	}
}

func (b *bench) match(fetched protocol.Fetched) protocol.Matched {
	b.t.Helper()
	matched, err := run[protocol.Matched](b, b.acts.MatchProducts, b.matchRequest(fetched))
	require.NoError(b.t, err)
	return matched
}

func (b *bench) updateRequest(matched protocol.Matched) protocol.UpdateRequest {
	return protocol.UpdateRequest{
		Shop: acme, Pass: 7, Connection: b.loaded.Connection, Plan: matched.Plan, Writes: matched.Plan, TakenAt: b.now,
	}
}

func (b *bench) update(request protocol.UpdateRequest) protocol.Written {
	b.t.Helper()
	written, err := run[protocol.Written](b, b.acts.UpdateStock, request)
	require.NoError(b.t, err)
	return written
}

// pass does what a writing pass does, and returns what it remembers.
func (b *bench) pass(memory protocol.Memory) (protocol.Memory, protocol.Written) {
	b.t.Helper()
	fetched := b.fetch(memory)
	matched := b.match(fetched)
	require.Nil(b.t, matched.Doubt)
	written := b.update(b.updateRequest(matched))
	return protocol.Memory{Baseline: fetched.Catalogue.Ref, Ledger: matched.Plan, Products: matched.Products, Pass: 7}, written
}

func (b *bench) lose(ref protocol.Ref) {
	b.t.Helper()
	require.NoError(b.t, os.Remove(filepath.Join(b.dir, "archive", ref.Key)))
}

// onDisk gives the worker an archive from which objects can be lost.
func (b *bench) onDisk() {
	b.t.Helper()
	b.open("file://" + filepath.Join(b.dir, "archive"))
}

func (b *bench) quantities() map[string]string {
	return lo.SliceToMap(b.shop.Products(), func(p fynodesim.Product) (string, string) { return p.ID, p.Quantity.String() })
}

// app is the error of an activity as a workflow sees it.
func app(t *testing.T, err error) *temporal.ApplicationError {
	t.Helper()
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	return app
}

func failureIn(t *testing.T, err error) protocol.Failure {
	t.Helper()
	var failure protocol.Failure
	require.NoError(t, app(t, err).Details(&failure))
	require.NotEmpty(t, failure.Message)
	require.NotEmpty(t, failure.Hint)
	return failure
}

// fails tells that an error is final and has a code.
func fails(t *testing.T, code protocol.Code, err error) {
	t.Helper()
	require.Equal(t, code, failureIn(t, err).Code)
	require.Equal(t, string(code), app(t, err).Type())
	require.True(t, app(t, err).NonRetryable())
}

func rows[T any](b *bench, ref protocol.Ref) []T {
	b.t.Helper()
	all, err := snapshot.ReadAll[T](b.t.Context(), b.archive, ref)
	require.NoError(b.t, err)
	return all
}

func item(code, ean string, quantities ...string) krossim.Item {
	i := krossim.Item{ItemCode: code, Name: "Item " + code, EANCode: ean, Warehouses: []krossim.Warehouse{}}
	for n, q := range quantities {
		i.Warehouses = append(i.Warehouses, krossim.Warehouse{Code: string(rune('A' + n)), QuantityOnHand: json.Number(q)})
	}
	return i
}

func product(id, number, ean, quantity string) fynodesim.Product {
	return fynodesim.Product{ID: id, Number: number, EAN: ean, Name: "Product " + id, Quantity: decimal.RequireFromString(quantity)}
}

// small are two sides that differ in two products.
func small() (krossim.Options, fynodesim.Options) {
	return krossim.Options{Items: []krossim.Item{
			item("A-1", "8580001000012", "5", "7"), item("A-2", "8580001000029", "3"), item("A-3", "8580001000036", "9"), item("A-4", "", "1"),
		}}, fynodesim.Options{ID: "fynode-1", Name: "Acme", Products: []fynodesim.Product{
			product("p1", "A-1", "8580001000012", "7"), product("p2", "A-2", "", "8"), product("p3", "A-3", "8580001000036", "2"),
		}}
}

// many is a catalogue of n items that all go up by one.
func many(n int) (krossim.Options, fynodesim.Options) {
	items := lo.Times(n, func(i int) krossim.Item { return item(fmt.Sprintf("C%05d", i), "", "2") })
	products := lo.Times(n, func(i int) fynodesim.Product {
		return product(fmt.Sprintf("p%05d", i), fmt.Sprintf("C%05d", i), "", "1")
	})
	return krossim.Options{Items: items}, fynodesim.Options{ID: "fynode-1", Products: products}
}

// silent is a logger of the test environment.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
