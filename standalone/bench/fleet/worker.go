package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/standalone/bench/internal/house"
)

// workerTask is what a worker that is profiled has to know.
type workerTask struct {
	Temporal string `json:"temporal"`
	Config   string `json:"config"`
	Profile  string `json:"profile"`
}

// runWorker is skladom-worker with a profile of its whole life.
func runWorker(ctx context.Context, in io.Reader, _ io.Writer) (err error) {
	var task workerTask
	if err := json.NewDecoder(in).Decode(&task); err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	file, err := os.Create(task.Profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	shops, err := config.Open(task.Config, config.OS())
	if err != nil {
		return err
	}
	log := hclog.New(&hclog.LoggerOptions{Name: "skladom", Output: os.Stderr, Level: hclog.Warn})
	c, err := client.DialContext(ctx, client.Options{HostPort: task.Temporal, Logger: host.TemporalLogger(log)})
	if err != nil {
		return err
	}
	defer c.Close()
	return host.Run(ctx, host.Options{Client: c, Namespace: client.DefaultNamespace, Shops: shops, Logger: log})
}

// work starts a worker with the settings in dir.
func (b *bench) work(ctx context.Context, dir string) (*house.Process, error) {
	if b.profile == "" {
		return b.house.Work(ctx, b.worker, dir)
	}
	return house.Self(ctx, "work", workerTask{Temporal: b.house.Address(), Config: dir, Profile: b.profile})
}
