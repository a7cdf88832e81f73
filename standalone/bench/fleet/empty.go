package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/workflows"
)

// emptyQueue is the task queue of the worker with empty activities.
const emptyQueue = "empty"

// emptyTask is what that worker has to know.
type emptyTask struct {
	Temporal string `json:"temporal"`
	Items    int    `json:"items"`
}

// runEmpty is a worker of the same workflows with activities that return at
// once what a real pass would: as many events, of the same size.
func runEmpty(ctx context.Context, in io.Reader, _ io.Writer) error {
	var task emptyTask
	if err := json.NewDecoder(in).Decode(&task); err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	log := hclog.New(&hclog.LoggerOptions{Name: "empty", Output: os.Stderr, Level: hclog.Warn})
	c, err := client.DialContext(ctx, client.Options{HostPort: task.Temporal, Logger: host.TemporalLogger(log)})
	if err != nil {
		return err
	}
	defer c.Close()
	w := worker.New(c, emptyQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(workflows.StockSync, workflow.RegisterOptions{Name: protocol.StockSync})
	w.RegisterWorkflowWithOptions(workflows.SyncPass, workflow.RegisterOptions{Name: protocol.SyncPass})
	w.RegisterActivityWithOptions(&empty{items: task.Items}, activity.RegisterOptions{})
	if err := w.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	w.Stop()
	return nil
}

// empty has the names of Skladom's activities.
type empty struct{ items int }

// LoadSettings has read no file.
func (*empty) LoadSettings(_ context.Context, r protocol.LoadRequest) (protocol.Loaded, error) { //nolint:unparam // so look activities
	return protocol.Loaded{
		Settings: protocol.Settings{
			Title: r.Shop, Schedule: never, Timezone: "Europe/Bratislava",
			Rules: stock.Rules{Match: stock.ByNumber},
		},
		Hash: "5e771465", Connection: "c0ffee00", Basis: "1a2b3c4d", NextTick: r.After.Add(300 * 24 * time.Hour),
	}, nil
}

// FetchStock has asked nobody.
func (e *empty) FetchStock(_ context.Context, r protocol.FetchRequest) (protocol.Fetched, error) { //nolint:unparam // so look activities
	return protocol.Fetched{
		Catalogue: protocol.Catalogue{Ref: e.ref(r.Shop, "catalogue", r.Pass), TakenAt: time.Now(), Items: e.items, Requests: 2, Complete: true, Changed: true},
		Memory:    r.Memory, LastPass: r.Pass,
	}, nil
}

// MatchProducts has found what is changed, every time.
func (e *empty) MatchProducts(_ context.Context, r protocol.MatchRequest) (protocol.Matched, error) { //nolint:unparam // so look activities
	plan := e.ref(r.Shop, "plan", r.Pass)
	return protocol.Matched{
		Plan: plan, Hash: plan.SHA256, ShopID: r.Shop, Writes: moving, Products: e.items, Counts: e.counts(), Stocked: e.items,
	}, nil
}

// UpdateStock has written nothing.
func (e *empty) UpdateStock(_ context.Context, r protocol.UpdateRequest) (protocol.Written, error) { //nolint:unparam // so look activities
	return protocol.Written{Receipts: []protocol.Ref{e.ref(r.Shop, "receipt", r.Pass)}, Counts: e.counts()}, nil
}

// RecordPass has kept nothing.
func (*empty) RecordPass(context.Context, protocol.RecordRequest) error { return nil }

func (e *empty) counts() stock.Counts {
	return stock.Counts{KrosItems: e.items, Updated: moving, Unchanged: e.items - moving, Raised: moving}
}

func (e *empty) ref(shop, kind string, pass int64) protocol.Ref {
	return protocol.Ref{
		Bucket: "5d9f1a52-3b7e-4c52-9a51-0f6a7c1e2d3b",
		Key:    fmt.Sprintf("%s/%s/%010d-20260302T100000.000Z-1a2b3c4d.jsonl.zst", shop, kind, pass),
		SHA256: fmt.Sprintf("%064x", pass), Rows: e.items,
	}
}
