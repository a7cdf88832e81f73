// Package site is what tests against a running Temporal server stand on: a
// worker as the programs run it, updates as the command line sends them, what a
// run lived through, a log that many write to, and both simulators' lists as
// the oracle of testsuite/catalogue reads them.
//
// It fails no test by itself: who uses it judges. No program may import it.
package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// Log is a log that many write to.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Gate stands before a simulator: a hook meets each request before it is
// answered, and may keep it waiting.
type Gate struct {
	hook atomic.Pointer[func(*http.Request)]
}

// Meet sets the hook; nil is none.
func (g *Gate) Meet(hook func(*http.Request)) {
	if hook == nil {
		g.hook.Store(nil)
		return
	}
	g.hook.Store(&hook)
}

// Before puts the gate before a handler.
func (g *Gate) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hook := g.hook.Load(); hook != nil {
			(*hook)(r)
		}
		next.ServeHTTP(w, r)
	})
}

// Shop is one shop of a configuration. Lines go into its block, InKros into the
// block kros.
type Shop struct {
	Name             string
	KrosURL, ShopURL string // of the simulators; the path of the shop's API is added
	KrosKey          string // an expression of HCL
	ShopToken        string
	Lines, InKros    string
}

// HCL is the shop as a configuration file.
func (s Shop) HCL() string {
	return fmt.Sprintf(`
shop %q {
  kros {
    url     = %q
    api_key = %s
    %s
  }
  fynode {
    url     = "%s/api/v1"
    api_key = %q
  }
  %s
}
`, s.Name, s.KrosURL, s.KrosKey, s.InKros, s.ShopURL, s.ShopToken, s.Lines)
}

// Worker says what a worker needs; Dir is the configuration.
type Worker struct {
	Client  client.Client
	Dir     string
	Queue   string
	Getenv  func(string) (string, bool)
	Logger  hclog.Logger
	Options worker.Options // Plugins are added
}

// Start starts a worker of everything that Skladom has.
func (w Worker) Start(ctx context.Context) (stop func(), err error) {
	environment := config.OS()
	environment.Getenv = w.Getenv
	shops, err := config.Open(w.Dir, environment)
	if err != nil {
		return nil, err
	}
	plugin, err := skladom.NewPlugin(ctx, skladom.Options{Shops: shops, Logger: w.Logger})
	if err != nil {
		return nil, err
	}
	w.Options.Plugins = append(w.Options.Plugins, plugin)
	running := worker.New(w.Client, w.Queue, w.Options)
	if err := running.Start(); err != nil {
		return nil, err
	}
	return sync.OnceFunc(running.Stop), nil
}

// Execute runs a workflow to its end.
func Execute(ctx context.Context, c client.Client, queue, id, workflow string, input, result any) error {
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: queue}, workflow, input)
	if err != nil {
		return err
	}
	return run.Get(ctx, result)
}

// Update sends an update to the shop's StockSync and waits for its result, as
// the command line does: with one id, until it gets an answer.
func Update(ctx context.Context, c client.Client, shop, name string, result any, args ...any) error {
	options := client.UpdateWorkflowOptions{
		UpdateID: uuid.NewString(), WorkflowID: protocol.StockSyncID(shop), UpdateName: name, Args: args,
		WaitForStage: client.WorkflowUpdateStageAccepted,
	}
	err := Persist(ctx, func() error {
		handle, err := c.UpdateWorkflow(ctx, options)
		if err != nil {
			return err
		}
		return handle.Get(ctx, result)
	})
	if err != nil {
		return fmt.Errorf("update %q of %s: %w", name, shop, err)
	}
	return nil
}

// Query asks the shop's StockSync until it gets an answer.
func Query(ctx context.Context, c client.Client, shop, name string, result any) error {
	err := Persist(ctx, func() error {
		answer, err := c.QueryWorkflow(ctx, protocol.StockSyncID(shop), "", name)
		if err != nil {
			return err
		}
		return answer.Get(result)
	})
	if err != nil {
		return fmt.Errorf("query %q of %s: %w", name, shop, err)
	}
	return nil
}

// Persist repeats, until ctx ends, what came when Temporal was away or StockSync
// between two runs. Nor is one answer that takes too long the end: a worker that
// stops may take a task along, which is given to another after 10 s, just as
// long as the SDK waits.
func Persist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func passing(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, new(*serviceerror.DeadlineExceeded)) || errors.As(err, new(*serviceerror.Canceled)) ||
		errors.As(err, new(*serviceerror.Unavailable)) || errors.As(err, new(*serviceerror.NamespaceNotFound)) ||
		errors.As(err, new(*serviceerror.WorkflowNotReady)) || errors.As(err, new(*serviceerror.ResourceExhausted)) || // the workflow is closing
		errors.As(err, new(*client.WorkflowUpdateServiceTimeoutOrCanceledError))
}

// History is what a run lived through so far; run "" is the newest one.
func History(ctx context.Context, c client.Client, id, run string) ([]*history.HistoryEvent, error) {
	var events []*history.HistoryEvent
	iterator := c.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iterator.HasNext() {
		event, err := iterator.Next()
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", id, err)
		}
		events = append(events, event)
	}
	return events, nil
}

// Sides are both simulators with a generated catalogue of n rows.
func Sides(seed uint64, n int) (krossim.Options, fynodesim.Options, error) {
	kros, shop := catalogue.Generate(seed, n)
	items, err := krossim.LoadItems(bytes.NewReader(kros))
	if err != nil {
		return krossim.Options{}, fynodesim.Options{}, err
	}
	products, err := fynodesim.LoadProducts(bytes.NewReader(shop))
	return krossim.Options{Items: items, Seed: seed}, fynodesim.Options{Products: products}, err
}

// Lists are both sides as the oracle reads them.
func Lists(items []krossim.Item, products []fynodesim.Product) (kros, shop []byte, err error) {
	if kros, err = json.Marshal(items); err != nil {
		return nil, nil, err
	}
	shop, err = json.Marshal(products)
	return kros, shop, err
}

// Secrets says where one of the secrets stands in a file of Temporal's, which
// holds every history, or in a log. A file that is not there holds none.
func Secrets(secrets []string, paths ...string) (found []string, err error) {
	const tail = 8 // by which a secret is recognized; one look at a file finds them all
	ends := map[[tail]byte][]string{}
	for _, secret := range secrets {
		if len(secret) < tail {
			return nil, fmt.Errorf("the secret %q is too short to be looked for", secret)
		}
		end := [tail]byte([]byte(secret[len(secret)-tail:]))
		ends[end] = append(ends[end], secret)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("look for secrets: %w", err)
		}
		for i := tail; i <= len(text); i++ {
			for _, secret := range ends[[tail]byte(text[i-tail:i])] {
				if bytes.HasSuffix(text[:i], []byte(secret)) {
					found = append(found, fmt.Sprintf("%s holds the secret %s", path, secret))
				}
			}
		}
	}
	return found, nil
}
