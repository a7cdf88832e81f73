package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/server"
	"github.com/skladom/skladom/workflows"
)

const queue = "skladom"

// house is Skladom as it runs on one machine: the Temporal server on a SQLite
// file in this process, the worker in its own.
type house struct {
	server *server.Server
	client client.Client
	worker *process
}

func openHouse(ctx context.Context, dir, worker, sides string, shops []string) (_ *house, err error) {
	h := &house{}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	log := hclog.New(&hclog.LoggerOptions{Name: "bench", Output: os.Stderr, Level: hclog.Error})
	if h.server, err = server.Start(ctx, server.Options{
		File: filepath.Join(dir, "temporal.db"), UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes(), Logger: log,
	}); err != nil {
		return nil, err
	}
	if h.client, err = client.DialContext(ctx, client.Options{HostPort: h.server.Address(), Logger: host.TemporalLogger(log)}); err != nil {
		return nil, fmt.Errorf("connect to the Temporal server: %w", err)
	}
	config := filepath.Join(dir, "conf")
	if err := os.Mkdir(config, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(config, "skladom.hcl"), []byte(settings(dir, sides, shops)), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, worker, "--config", config, "--log-level", "warn", "--health-listen", "")
	cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+h.server.Address(), "TEMPORAL_NAMESPACE=default")
	h.worker, err = start(cmd)
	return h, err
}

// settings raise KROS's limits and leave every pass to who asks for it.
func settings(dir, sides string, shops []string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "snapshots { url = %q }\n", "file://"+filepath.ToSlash(filepath.Join(dir, "archive")))
	for _, shop := range shops {
		fmt.Fprintf(&text, `
shop %[1]q {
  schedule = "0 3 1 1 *"
  kros {
    url                 = "%[2]s/kros"
    api_key             = %[3]q
    requests_per_second = 100000
    requests_per_minute = 1000000
  }
  fynode {
    url     = "%[2]s/fynode/%[1]s/api/v1"
    api_key = %[3]q
  }
}
`, shop, sides, token)
	}
	return text.String()
}

func (h *house) close() (err error) {
	if h.worker != nil {
		err = h.worker.stop()
	}
	if h.client != nil {
		h.client.Close()
	}
	if h.server != nil {
		h.server.Stop()
	}
	return err
}

// first is the first pass of a shop: with nothing to remember, and no
// activation that has read KROS before.
func (h *house) first(ctx context.Context, shop string) (protocol.Report, error) {
	_, err := h.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: protocol.StockSyncID(shop), TaskQueue: queue},
		protocol.StockSync, workflows.SyncState{Shop: shop, State: protocol.StateActive})
	if err != nil {
		return protocol.Report{}, fmt.Errorf("start the shop %s: %w", shop, err)
	}
	return h.sync(ctx, shop)
}

// sync asks for a pass and waits for its report.
func (h *house) sync(ctx context.Context, shop string) (protocol.Report, error) {
	handle, err := h.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
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

// measured does something and says what it took the worker.
func (h *house) measured(do func() error) (c cost, peak int, err error) {
	if err := h.worker.forgetPeak(); err != nil {
		return cost{}, 0, err
	}
	before, err := h.worker.user()
	if err != nil {
		return cost{}, 0, err
	}
	began := time.Now()
	if err := do(); err != nil {
		return cost{}, 0, err
	}
	c.Wall = time.Since(began)
	after, err := h.worker.user()
	if err != nil {
		return cost{}, 0, err
	}
	c.User = after - before
	peak, err = h.worker.peak()
	return c, peak, err
}
