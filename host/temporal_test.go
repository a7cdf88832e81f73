package host

import (
	"context"
	"maps"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// frontend stands for a Temporal server that has no work. What is not written
// here it answers with "unimplemented", as an old server does.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	operatorservice.UnimplementedOperatorServiceServer

	refuse error // what AddSearchAttributes answers

	mu         sync.Mutex
	attributes map[string]enums.IndexedValueType
	polled     map[string]int // polls by "namespace/queue kind"
	signals    []string       // "workflow id: signal"
	unknown    map[string]bool
	down       bool
}

// serve starts it and returns a client of it.
func (f *frontend) serve(t *testing.T, namespace string) client.Client {
	t.Helper()
	f.attributes, f.polled, f.unknown = map[string]enums.IndexedValueType{}, map[string]int{}, map[string]bool{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, f)
	operatorservice.RegisterOperatorServiceServer(server, f)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	c, err := client.DialContext(t.Context(), client.Options{HostPort: listener.Addr().String(), Namespace: namespace, Logger: TemporalLogger(quiet)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func (f *frontend) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: maps.Clone(f.attributes)}, nil
}

func (f *frontend) AddSearchAttributes(_ context.Context, r *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	if f.refuse != nil {
		return nil, f.refuse
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.Copy(f.attributes, r.GetSearchAttributes())
	return &operatorservice.AddSearchAttributesResponse{}, nil
}

func (f *frontend) PollWorkflowTaskQueue(ctx context.Context, r *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	f.poll(ctx, r.GetNamespace()+"/"+r.GetTaskQueue().GetName()+" workflow")
	return &workflowservice.PollWorkflowTaskQueueResponse{}, nil
}

func (f *frontend) PollActivityTaskQueue(ctx context.Context, r *workflowservice.PollActivityTaskQueueRequest) (*workflowservice.PollActivityTaskQueueResponse, error) {
	f.poll(ctx, r.GetNamespace()+"/"+r.GetTaskQueue().GetName()+" activity")
	return &workflowservice.PollActivityTaskQueueResponse{}, nil
}

func (f *frontend) poll(ctx context.Context, who string) {
	f.mu.Lock()
	f.polled[who]++
	f.mu.Unlock()
	<-ctx.Done()
}

func (f *frontend) SignalWorkflowExecution(_ context.Context, r *workflowservice.SignalWorkflowExecutionRequest) (*workflowservice.SignalWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := r.GetWorkflowExecution().GetWorkflowId()
	switch {
	case f.down: // InvalidArgument is not retried by the client, which keeps tests short
		return nil, status.Error(codes.InvalidArgument, "down")
	case f.unknown[id]:
		return nil, status.Error(codes.NotFound, "workflow not found")
	}
	f.signals = append(f.signals, id+": "+r.GetSignalName())
	return &workflowservice.SignalWorkflowExecutionResponse{}, nil
}

// set changes it while it is in use.
func (f *frontend) set(change func(*frontend)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// taken returns the signals since it was last called.
func (f *frontend) taken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	signals := f.signals
	f.signals = nil
	return signals
}
