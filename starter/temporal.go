package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/codes"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

// temporalClient is what the command line needs of a client.Client, and of the
// converter by which it reads what that hands out as it is.
type temporalClient interface {
	FromPayload(payload *commonpb.Payload, value any) error
	FromPayloads(payloads *commonpb.Payloads, values ...any) error

	ExecuteWorkflow(ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
	CancelWorkflow(ctx context.Context, workflowID, runID string) error
	UpdateWorkflow(ctx context.Context, options client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error)
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	ListWorkflow(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
	Close()
}

// place names where the client is connected to, for people.
type place struct{ address, namespace string }

// answerWithin is how long Temporal, or a worker, may take to give an answer
// that needs no work.
const answerWithin = 5 * time.Second

// decodingClient is a client and the converter that it was made with.
type decodingClient struct {
	client.Client
	converter.DataConverter
}

// dial connects as every Temporal tool does: TEMPORAL_* and the profile file.
// Where these name a codec server, what travels is packed and unpacked by it.
func dial(ctx context.Context, vars envconfig.EnvLookup) (temporalClient, place, error) {
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: vars, IncludeRemoteCodec: true})
	if err != nil {
		return nil, place{}, trouble("", fmt.Sprintf("The settings of the Temporal connection cannot be used: %v.", err),
			"Look at the environment variables TEMPORAL_* and at the profile file that TEMPORAL_CONFIG_FILE names.")
	}
	if options.DataConverter == nil {
		options.DataConverter = converter.GetDefaultDataConverter()
	}
	// The default one cannot read the text of an error that a codec has packed.
	options.FailureConverter = temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{DataConverter: options.DataConverter})
	// The SDK's own logger writes to standard output, where the result belongs.
	options.Logger = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	at := place{cmp.Or(options.HostPort, client.DefaultHostPort), cmp.Or(options.Namespace, client.DefaultNamespace)}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, at, err
	}
	return decodingClient{c, options.DataConverter}, at, nil
}

// connection is a client and what is needed to speak of it.
type connection struct {
	temporalClient
	place
	queue    string // where the workers of this installation listen
	queueErr error  // why that is not known: only those care who begin something
	newID    func() string
	screen   io.Writer
	terminal bool // the screen is one: show progress on it
}

// connect dials Temporal. Close the connection after use.
func (a *app) connect(ctx context.Context) (*connection, error) {
	queue, queueErr := a.taskQueue()
	dialing, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	client, at, err := a.dial(dialing, a.vars)
	c := &connection{
		temporalClient: client, place: at, queue: queue, queueErr: queueErr,
		newID: a.newID, screen: a.stderr, terminal: a.terminal && !a.json,
	}
	if err != nil {
		return nil, c.explain("", err)
	}
	return c, nil
}

// explain turns an error of Temporal into words. It names no code: that what
// could not be asked has none.
func (c *connection) explain(shop string, err error) error {
	var (
		known       *problem
		application *temporal.ApplicationError
		notFound    *serviceerror.NotFound
		noNamespace *serviceerror.NamespaceNotFound
		ended       *temporal.WorkflowExecutionError
	)
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &application):
		return refused(shop, application)
	case errors.As(err, &ended):
		return c.wrap(shop, err, fmt.Sprintf("The work was ended in Temporal before it was done (%v).", errors.Unwrap(err)),
			"If nobody stopped it, look at it in the Temporal UI; else run the command again.")
	case errors.As(err, &noNamespace):
		return c.wrap(shop, err, fmt.Sprintf("Temporal at %s has no namespace %q.", c.address, c.namespace),
			"Check TEMPORAL_NAMESPACE, or create the namespace: temporal operator namespace create --namespace "+c.namespace)
	case errors.As(err, &notFound):
		return c.wrap(shop, err, message.NotActive(shop), "")
	case errors.Is(err, context.Canceled):
		return c.wrap(shop, err, "Stopped waiting.", strings.TrimSpace("What was begun goes on by itself. To see where it stands: skladom status "+shop))
	case errors.Is(err, converter.ErrEncodingIsNotSupported):
		return c.wrap(shop, err, "What the workers answer is packed by a codec that this machine does not know.",
			"Name the codec server in TEMPORAL_CODEC_ENDPOINT (and TEMPORAL_CODEC_AUTH). What was asked for may have been done: look into the Temporal UI.")
	case refusedAccess(err):
		return c.wrap(shop, err, fmt.Sprintf("Temporal at %s refuses access to the namespace %q.", c.address, c.namespace),
			"Check TEMPORAL_API_KEY, or TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH.")
	case noAnswer(err):
		return c.silent(shop, err)
	}
	return c.wrap(shop, err, fmt.Sprintf("Temporal at %s answered: %v.", c.address, err), "Check that TEMPORAL_ADDRESS is right, and look into the log of the server.")
}

func (c *connection) wrap(shop string, cause error, text, hint string) *problem {
	p := trouble(shop, text, hint)
	p.cause = cause
	return p
}

func (c *connection) silent(shop string, cause error) *problem {
	return c.wrap(shop, cause, fmt.Sprintf("Temporal at %s does not answer.", c.address),
		"Check that it runs and that TEMPORAL_ADDRESS is right. Shops keep the stock they have meanwhile.")
}

func (c *connection) noWorker(shop string, cause error) *problem {
	return c.wrap(shop, cause, fmt.Sprintf("No worker answers for the task queue %q of the namespace %q.", c.queue, c.namespace),
		"Start skladom-worker with this task queue (temporal { task_queue = ... } in the settings), or look into its log. One that was restarted just now answers after 10 s at most: try again.")
}

// silence tells who does not answer: Temporal, or the workers behind it.
func (c *connection) silence(shop, workflowID string, cause error) *problem {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if _, err := c.DescribeWorkflowExecution(ctx, workflowID, ""); err != nil && noAnswer(err) {
		return c.silent(shop, cause)
	}
	return c.noWorker(shop, cause)
}

// refused is what a workflow did not do: its own sentence, and the failure
// that an activity gave its error, where there is one.
func refused(shop string, err *temporal.ApplicationError) *problem {
	var f protocol.Failure
	if err.HasDetails() && err.Details(&f) == nil && f.Message != "" {
		p := failure(shop, f)
		p.cause = err
		return p
	}
	// A workflow that ends takes its unfinished updates with it.
	if err.Type() == "AcceptedUpdateCompletedWorkflow" {
		return trouble(shop, message.NotActive(shop), "")
	}
	p := trouble(shop, err.Message(), "")
	p.cause = err
	return p
}

// noAnswer tells errors of the connection, which a repeat may not meet again.
func noAnswer(err error) bool {
	var timeout *client.WorkflowUpdateServiceTimeoutOrCanceledError
	if errors.As(err, &timeout) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch serviceerror.ToStatus(err).Code() {
	case codes.Unavailable, codes.DeadlineExceeded:
		return true
	}
	return false
}

func refusedAccess(err error) bool {
	switch serviceerror.ToStatus(err).Code() {
	case codes.PermissionDenied, codes.Unauthenticated:
		return true
	}
	return false
}
