// Package house is Skladom as it runs on one machine, for benchmarks that
// measure each part by itself: the Temporal server on a SQLite file in the
// process that measures, everything else in processes of its own.
//
// What is measured and how it is compared stays in the benchmarks. No program
// may import this package.
package house

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/server"
	"github.com/skladom/skladom/workflows"
)

// Queue is the task queue of Skladom's workers.
const Queue = "skladom"

// House is a Temporal server and a client of it.
type House struct {
	Client client.Client
	server *server.Server
}

// Open starts a Temporal server on a file in dir.
func Open(ctx context.Context, dir string) (*House, error) {
	log := hclog.New(&hclog.LoggerOptions{Name: "bench", Output: os.Stderr, Level: hclog.Error})
	started, err := server.Start(ctx, server.Options{
		File: filepath.Join(dir, "temporal.db"), UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes(), Logger: log,
	})
	if err != nil {
		return nil, err
	}
	h := &House{server: started}
	if h.Client, err = client.DialContext(ctx, client.Options{HostPort: h.Address(), Logger: host.TemporalLogger(log)}); err != nil {
		h.Close()
		return nil, fmt.Errorf("connect to the Temporal server: %w", err)
	}
	return h, nil
}

// Address is where the Temporal server is.
func (h *House) Address() string { return h.server.Address() }

// Close ends the server; its workers have ended before.
func (h *House) Close() {
	if h.Client != nil {
		h.Client.Close()
	}
	h.server.Stop()
}

// Work starts skladom-worker, with more environment.
func (h *House) Work(ctx context.Context, program, config string, env ...string) (*Process, error) {
	cmd := exec.CommandContext(ctx, program, "--config", config, "--log-level", "warn", "--health-listen", "")
	cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+h.Address(), "TEMPORAL_NAMESPACE=default")
	cmd.Env = append(cmd.Env, env...)
	return Start(cmd)
}

// Begin starts a shop without an activation: with nothing to remember, and
// nobody who has read KROS before.
func (h *House) Begin(ctx context.Context, queue string, state workflows.SyncState) error {
	state.State = protocol.StateActive
	_, err := h.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: protocol.StockSyncID(state.Shop), TaskQueue: queue}, protocol.StockSync, state)
	if err != nil {
		return fmt.Errorf("start the shop %s: %w", state.Shop, err)
	}
	return nil
}

// Sync asks for a pass and waits for its report.
func (h *House) Sync(ctx context.Context, shop string) (protocol.Report, error) {
	handle, err := h.Client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: protocol.StockSyncID(shop), UpdateName: protocol.UpdateSync, Args: []any{protocol.SyncRequest{}},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return protocol.Report{}, fmt.Errorf("ask %s for a pass: %w", shop, err)
	}
	var report protocol.Report
	if err := handle.Get(ctx, &report); err != nil {
		return protocol.Report{}, fmt.Errorf("the pass of %s: %w", shop, err)
	}
	if report.Result != protocol.ResultOK {
		return report, fmt.Errorf("the pass of %s ended %s: %+v", shop, report.Result, report.Failure)
	}
	return report, nil
}

// InTemporary does something in a directory of its own.
func InTemporary(do func(dir string) error) (err error) {
	dir, err := os.MkdirTemp("", "skladom-bench-")
	if err != nil {
		return fmt.Errorf("make a directory for the benchmark: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return do(dir)
}
