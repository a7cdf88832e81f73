// Package notifytest is a town of shops whose KROS notifies: Temporal server,
// worker and relay as the programs run them, both simulators of every shop
// behind real HTTP, and a storm of notifications. Its tests hold what section 7
// of docs/design.md promises, and bench/notify measures how fast it is.
//
// Everything listens on loopback, and nothing is written outside of the
// directory that is given. No rule about stock and no program of users may
// enter.
package notifytest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/shopspring/decimal"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/relay"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/standalone/server"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

const (
	namespace = "default"
	queue     = "skladom"
	masterKey = "0123456789abcdef0123456789abcdef"
	stockAt   = 5 // of every item and product in the beginning
)

// Options say what a town is like. Dir and Shops are required.
type Options struct {
	Dir    string // settings, archive and database; it has to exist
	Shops  int
	Items  int    // of each shop, every one with its product; 0: one
	MinGap string // webhook.min_gap; "": the default of the settings
	// Rings makes each KROS notify by itself when stock is changed, and repeat
	// what is not answered with 200. Else only Shop.Notify sends anything.
	Rings  bool
	Answer func(*http.Response) // hears every answer to what a KROS sent by itself; nil: nobody
	// NoRelay leaves the relay to somebody else, who is to listen on Town.Relay.
	NoRelay bool
	Logger  hclog.Logger // nil: silent
}

// Town is a number of shops and what keeps their stock.
type Town struct {
	Shops  []*Shop
	Client client.Client

	options  Options
	log      hclog.Logger
	sides    string // URL of all simulators
	relay    string // host and port
	port     int    // of Temporal, once it has run
	web      *http.Server
	server   *server.Server
	stopHost func() error
}

// Open builds a town and starts everything in it. The shops are not activated.
func Open(ctx context.Context, o Options) (_ *Town, err error) {
	t := &Town{options: o, log: o.Logger}
	if t.log == nil {
		t.log = hclog.NewNullLogger()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if err := t.build(); err != nil {
		return nil, err
	}
	if err := t.StartServer(ctx); err != nil {
		return nil, err
	}
	t.Client, err = t.Dial()
	if err != nil {
		return nil, err
	}
	return t, t.StartHost(ctx)
}

// build makes the shops and writes their settings.
func (t *Town) build() error {
	relayPort, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a port for the relay: %w", err)
	}
	t.relay = relayPort.Addr().String()
	if err := relayPort.Close(); err != nil {
		return fmt.Errorf("find a port for the relay: %w", err)
	}
	sides, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open a port for the simulators: %w", err)
	}
	t.sides = "http://" + sides.Addr().String()
	mux := http.NewServeMux()
	for i := range t.options.Shops {
		s := t.newShop(fmt.Sprintf("shop-%03d", i))
		t.Shops = append(t.Shops, s)
		mux.Handle("/"+s.Name+"/kros/", http.StripPrefix("/"+s.Name+"/kros", s.KROS))
		mux.Handle("/"+s.Name+"/fynode/", http.StripPrefix("/"+s.Name+"/fynode", s.Fynode))
	}
	t.web = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go t.web.Serve(sides) //nolint:errcheck // it ends with the town
	return t.configure()
}

func (t *Town) configure() error {
	var text strings.Builder
	fmt.Fprintf(&text, "snapshots { url = %q }\nsecrets { master_key = %q }\n",
		"file://"+filepath.ToSlash(filepath.Join(t.options.Dir, "archive")), base64.StdEncoding.EncodeToString([]byte(masterKey)))
	for _, s := range t.Shops {
		text.WriteString(s.settings(t.options.MinGap))
	}
	if err := os.MkdirAll(t.Config(), 0o700); err != nil {
		return fmt.Errorf("make the settings: %w", err)
	}
	if err := os.WriteFile(filepath.Join(t.Config(), "skladom.hcl"), []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

// Config is the directory of the settings.
func (t *Town) Config() string { return filepath.Join(t.options.Dir, "conf") }

// Temporal is where Temporal is served, host and port.
func (t *Town) Temporal() string { return t.server.Address() }

// Relay is where the relay listens, host and port.
func (t *Town) Relay() string { return t.relay }

// StartServer starts the Temporal server, on the port and the file it had.
func (t *Town) StartServer(ctx context.Context) (err error) {
	t.server, err = server.Start(ctx, server.Options{
		File: filepath.Join(t.options.Dir, "temporal.db"), Port: t.port, UIPort: server.NoUI,
		SearchAttributes: skladom.SearchAttributes(), Logger: t.log.Named("server"),
	})
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(t.server.Address())
	if err == nil {
		t.port, err = strconv.Atoi(port)
	}
	return err
}

// StopServer stops the Temporal server; nothing else learns of it.
func (t *Town) StopServer() { t.server.Stop() }

// Dial connects one more client to Temporal.
func (t *Town) Dial() (client.Client, error) {
	return client.Dial(client.Options{HostPort: t.Temporal(), Namespace: namespace, Logger: host.TemporalLogger(t.log.Named("client"))})
}

// StartHost starts worker and relay, as skladom-standalone does.
func (t *Town) StartHost(ctx context.Context) (err error) {
	var relay net.Listener
	if !t.options.NoRelay {
		if relay, err = net.Listen("tcp", t.relay); err != nil {
			return fmt.Errorf("open the port of the relay: %w", err)
		}
	}
	shops, err := config.Open(t.Config(), config.OS())
	if err != nil {
		return err
	}
	if found := shops.Diagnostics(); len(found) > 0 {
		return fmt.Errorf("the settings are wrong: %v", found)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- host.Run(ctx, host.Options{
			Client: t.Client, Namespace: namespace, Shops: shops, Logger: t.log, RelayListener: relay,
			Started: func() { close(started) },
		})
	}()
	select {
	case err := <-ended:
		cancel()
		return err
	case <-started:
	}
	t.stopHost = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	return nil
}

// StopHost stops worker and relay, which let come to an end what they do.
func (t *Town) StopHost() error {
	if t.stopHost == nil {
		return nil
	}
	return t.stopHost()
}

// Close ends everything.
func (t *Town) Close() error {
	err := t.StopHost()
	for _, s := range t.Shops {
		s.KROS.Close()
	}
	if t.Client != nil {
		t.Client.Close()
	}
	if t.server != nil {
		t.server.Stop()
	}
	if t.web != nil {
		err = errors.Join(err, t.web.Close())
	}
	return err
}

// atOnce is how many shops are activated at a time.
const atOnce = 8

// Activate activates shops and returns when each has had its first pass.
func (t *Town) Activate(ctx context.Context, shops ...*Shop) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, s := range shops {
		group.Go(func() error { return s.activate(ctx) })
	}
	return group.Wait()
}

// Shop is a shop of the town.
type Shop struct {
	Name                 string
	KROS                 *krossim.Server
	Fynode               *fynodesim.Server
	KrosURL, KrosToken   string
	FynodeURL, FynodeKey string
	Key                  string // the authorization key, as its KROS has it

	town *Town
}

func (t *Town) newShop(name string) *Shop {
	s := &Shop{
		Name: name, Key: kros.AuthorizationKey([]byte(masterKey), name, 1), town: t,
		KrosURL: t.sides + "/" + name + "/kros", KrosToken: "kros-" + name,
		FynodeURL: t.sides + "/" + name + "/fynode/api/v1", FynodeKey: "fynode-" + name,
	}
	company := krossim.Options{Token: s.KrosToken}
	if t.options.Rings {
		company.WebhookURL, company.WebhookKey = s.URL(), s.Key
		company.WebhookWait = 100 * time.Millisecond
		company.Client = &http.Client{Timeout: 30 * time.Second, Transport: hearing{answer: t.options.Answer}}
	}
	shop := fynodesim.Options{Token: s.FynodeKey, ID: name}
	for i := range max(t.options.Items, 1) {
		company.Items = append(company.Items, krossim.Item{ItemCode: Code(i), Name: "Tovar " + Code(i), Warehouses: warehouse(stockAt)})
		shop.Products = append(shop.Products, fynodesim.Product{ID: product(i), Number: Code(i), Name: "Tovar " + Code(i), Quantity: decimal.NewFromInt(stockAt)})
	}
	s.KROS, s.Fynode = krossim.New(company), fynodesim.New(shop)
	return s
}

// hearing tells of answers.
type hearing struct{ answer func(*http.Response) }

func (h hearing) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && h.answer != nil {
		h.answer(response)
	}
	return response, err
}

// Code is the code of an item, its product's number.
func Code(item int) string { return fmt.Sprintf("T-%04d", item) }

func product(item int) string { return fmt.Sprintf("p-%04d", item) }

func warehouse(quantity int) []krossim.Warehouse {
	return []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(strconv.Itoa(quantity))}}
}

// settings leave the shop to notifications and to people: its next tick is on
// New Year's night.
func (s *Shop) settings(minGap string) string {
	gap := ""
	if minGap != "" {
		gap = fmt.Sprintf("webhook { min_gap = %q }", minGap)
	}
	return fmt.Sprintf(`
shop %q {
  schedule = "0 3 1 1 *"
  %s
  kros {
    url     = %q
    api_key = %q
  }
  fynode {
    url     = %q
    api_key = %q
  }
}
`, s.Name, gap, s.KrosURL, s.KrosToken, s.FynodeURL, s.FynodeKey)
}

func (s *Shop) activate(ctx context.Context) error {
	run, err := s.town.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: protocol.ActivateID(s.Name), TaskQueue: queue},
		protocol.ActivateConnection, protocol.ActivateRequest{Shop: s.Name})
	if err != nil {
		return fmt.Errorf("activate %s: %w", s.Name, err)
	}
	var activation protocol.Activation
	if err := run.Get(ctx, &activation); err != nil {
		return fmt.Errorf("activate %s: %w", s.Name, err)
	}
	if activation.Failure != nil {
		return fmt.Errorf("activate %s: %s", s.Name, activation.Failure.Message)
	}
	var first protocol.Report
	if err := s.Update(ctx, protocol.UpdateSync, protocol.SyncRequest{Activation: activation.ID}, &first); err != nil {
		return err
	}
	if first.Result != protocol.ResultOK {
		return fmt.Errorf("the first pass of %s ended %s", s.Name, first.Result)
	}
	return nil
}

// Update asks the shop's StockSync for something and waits for its answer.
func (s *Shop) Update(ctx context.Context, name string, request, answer any) error {
	return site.Update(ctx, s.town.Client, s.Name, name, answer, request)
}

// Status asks the shop's StockSync where it stands.
func (s *Shop) Status(ctx context.Context) (status protocol.Status, err error) {
	err = site.Query(ctx, s.town.Client, s.Name, protocol.QueryStatus, &status)
	return status, err
}

// Signal does what the relay does with a notification, and any other relay may.
func (s *Shop) Signal(ctx context.Context, payload any) error {
	err := s.town.Client.SignalWorkflow(ctx, protocol.StockSyncID(s.Name), "", protocol.SignalNotification, payload)
	if err != nil {
		return fmt.Errorf("signal %s: %w", s.Name, err)
	}
	return nil
}

// Runs is how many runs of the shop's StockSync visibility knows.
func (s *Shop) Runs(ctx context.Context) (int64, error) {
	counted, err := s.town.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowId = %q", protocol.StockSyncID(s.Name)),
	})
	if err != nil {
		return 0, fmt.Errorf("count the runs of %s: %w", s.Name, err)
	}
	return counted.GetCount(), nil
}

// URL is where the shop's notifications go.
func (s *Shop) URL() string { return "http://" + s.town.relay + relay.Path(s.Name) }

// Book changes the stock of an item in KROS.
func (s *Shop) Book(item, quantity int) error {
	return s.KROS.SetStock(Code(item), warehouse(quantity)...)
}

// Shows tells whether the shop has a quantity of an item's product.
func (s *Shop) Shows(item, quantity int) bool {
	p, ok := s.Fynode.Product(product(item))
	return ok && p.Quantity.Equal(decimal.NewFromInt(int64(quantity)))
}

// Notify sends one notification, signed with key, and returns the answer's
// status and how long to wait before a repeat, "" where it does not say.
func (s *Shop) Notify(ctx context.Context, web *http.Client, key string) (status int, retryAfter string, err error) {
	body := fmt.Sprintf(`{"event":"CatalogItemStockChanged","company":%q,"názov":"Čaj"}`, s.Name)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL(), strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(kros.SignatureHeader, kros.Sign(key, []byte(body)))
	response, err := web.Do(request)
	if err != nil {
		return 0, "", err
	}
	return response.StatusCode, response.Header.Get("Retry-After"), response.Body.Close()
}
