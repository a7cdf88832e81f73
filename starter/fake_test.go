package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
)

// fakeTemporal answers as workflows would, by functions that a test gives.
// What it returns went through the data converter, as on the way from a worker.
type fakeTemporal struct {
	workflows map[string]func(ctx context.Context, id string, in any) (any, error) // by type
	updates   map[string]func(ctx context.Context, args []any) (any, error)        // by name; they run where the answer is waited for
	accept    func(ctx context.Context, options client.UpdateWorkflowOptions) error
	query     func(ctx context.Context) (any, error) // the status
	memory    protocol.Recollection
	describe  func(ctx context.Context, id string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	list      func(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
	dialErr   error

	mu        sync.Mutex
	started   []client.StartWorkflowOptions
	inputs    []any
	updated   []client.UpdateWorkflowOptions
	cancelled []string
}

func (f *fakeTemporal) ExecuteWorkflow(_ context.Context, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started, f.inputs = append(f.started, options), append(f.inputs, args...)
	answer, ok := f.workflows[workflow.(string)]
	if !ok {
		return nil, fmt.Errorf("the test knows no workflow %s", workflow)
	}
	return fakeRun{id: options.ID, answer: func(ctx context.Context) (any, error) { return answer(ctx, options.ID, args[0]) }}, nil
}

func (f *fakeTemporal) CancelWorkflow(_ context.Context, workflowID, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancelled = append(f.cancelled, workflowID)
	return nil
}

func (f *fakeTemporal) UpdateWorkflow(ctx context.Context, options client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	f.mu.Lock()
	f.updated = append(f.updated, options)
	f.mu.Unlock()
	if f.accept != nil {
		if err := f.accept(ctx, options); err != nil {
			return nil, err
		}
	}
	answer, ok := f.updates[options.UpdateName]
	if !ok {
		return nil, serviceerror.NewNotFound("workflow not found for ID: " + options.WorkflowID)
	}
	return fakeHandle{answer: func(ctx context.Context) (any, error) { return answer(ctx, options.Args) }}, nil
}

func (f *fakeTemporal) QueryWorkflow(ctx context.Context, _, _, name string, _ ...any) (converter.EncodedValue, error) {
	if name == protocol.QueryMemory {
		return client.NewValue(payloads(f.memory)), nil
	}
	answer, err := f.query(ctx)
	if err != nil {
		return nil, err
	}
	return client.NewValue(payloads(answer)), nil
}

func (f *fakeTemporal) DescribeWorkflowExecution(ctx context.Context, workflowID, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if f.describe == nil {
		return nil, serviceerror.NewNotFound("workflow not found for ID: " + workflowID)
	}
	return f.describe(ctx, workflowID)
}

func (f *fakeTemporal) ListWorkflow(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return f.list(ctx, request)
}

func (f *fakeTemporal) FromPayload(payload *commonpb.Payload, value any) error {
	return converter.GetDefaultDataConverter().FromPayload(payload, value)
}

func (f *fakeTemporal) FromPayloads(payloads *commonpb.Payloads, values ...any) error {
	return converter.GetDefaultDataConverter().FromPayloads(payloads, values...)
}

func (f *fakeTemporal) Close() {}

type fakeRun struct {
	client.WorkflowRun
	id     string
	answer func(context.Context) (any, error)
}

func (r fakeRun) GetID() string    { return r.id }
func (r fakeRun) GetRunID() string { return "run" }
func (r fakeRun) Get(ctx context.Context, out any) error {
	return decode(ctx, r.answer, out)
}

type fakeHandle struct {
	client.WorkflowUpdateHandle
	answer func(context.Context) (any, error)
}

func (h fakeHandle) Get(ctx context.Context, out any) error { return decode(ctx, h.answer, out) }

func decode(ctx context.Context, answer func(context.Context) (any, error), out any) error {
	value, err := answer(ctx)
	if err != nil {
		return err
	}
	return converter.GetDefaultDataConverter().FromPayloads(payloads(value), out)
}

func payloads(values ...any) *commonpb.Payloads {
	encoded, err := converter.GetDefaultDataConverter().ToPayloads(values...)
	if err != nil {
		panic(err)
	}
	return encoded
}

func payload(value any) *commonpb.Payload { return payloads(value).Payloads[0] }

// running describes a workflow that runs.
func running(context.Context, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, HistoryLength: 20},
	}, nil
}

// done is what a run of the command line left behind.
type done struct {
	status         int
	stdout, stderr string
}

var now = time.Date(2026, 12, 24, 9, 30, 0, 0, time.UTC)

// masterKey are 32 bytes of a key that is used nowhere.
const masterKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

var variables = map[string]string{"MASTER": masterKey, "SHORT": "c2hvcnQtbWFzdGVy", "KROS": "kros-token-of-acme", "FYNODE": "fynode-key-of-acme"}

// skladom runs the command line against a fake Temporal.
func skladom(t *testing.T, f *fakeTemporal, args ...string) done {
	t.Helper()
	return skladomIn(t.Context(), f, args...)
}

func skladomIn(ctx context.Context, f *fakeTemporal, args ...string) done {
	return runIn(ctx, surroundings(f), args...)
}

func runIn(ctx context.Context, env environment, args ...string) done {
	var stdout, stderr bytes.Buffer
	status := run(ctx, args, bytes.NewReader(nil), &stdout, &stderr, env)
	return done{status, stdout.String(), stderr.String()}
}

// surroundings are a machine with a fake Temporal.
func surroundings(f *fakeTemporal) environment {
	ids := 0
	files := config.OS()
	files.Getenv = func(name string) (string, bool) {
		value, set := variables[name]
		return value, set
	}
	return environment{
		vars:  noVariables{},
		files: files,
		now:   func() time.Time { return now },
		zone:  time.FixedZone("CET", 3600),
		user:  "jana",
		newID: func() string { ids++; return fmt.Sprintf("id-%d", ids) },
		dial: func(context.Context, envconfig.EnvLookup) (temporalClient, place, error) {
			return f, place{"temporal.example.com:7233", "default"}, f.dialErr
		},
	}
}

type noVariables struct{}

func (noVariables) Environ() []string               { return nil }
func (noVariables) LookupEnv(string) (string, bool) { return "", false }

// settings writes files into a directory and returns its path.
func settings(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

const (
	installation = `
temporal { task_queue = "stock" }
relay { public_url = "https://sync.example.com" }
secrets { master_key = env("MASTER") }
`
	acme = `
shop "acme" {
  kros { api_key = env("KROS") }
  fynode {
    url     = "https://acme.example.com/api/v1"
    api_key = env("FYNODE")
  }
  timezone = "Europe/London"
}
`
)

// document decodes the one JSON document that standard output must hold.
func document(t *testing.T, d done) map[string]any {
	t.Helper()
	var v map[string]any
	decodeOne(t, d, &v)
	return v
}

func decodeOne(t *testing.T, d done, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewBufferString(d.stdout))
	require.NoError(t, decoder.Decode(into), d.stdout)
	require.False(t, decoder.More(), "more than one document: %s", d.stdout)
	require.Empty(t, d.stderr, "with --json everything is in the document")
}
