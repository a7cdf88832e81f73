package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

// do names the activities; nothing is called on it.
var do *activities.Activities

// bounds of an activity: one try, and all tries with the waits between them.
// Without them a stuck tenant would stop in silence.
type bounds struct {
	try, all time.Duration
	long     bool // heartbeats
}

var (
	checkBounds = bounds{try: 70 * time.Second, all: 3 * time.Minute}
	fetchBounds = bounds{try: 30 * time.Minute, all: 45 * time.Minute, long: true}
	matchBounds = bounds{try: 15 * time.Minute, all: 30 * time.Minute, long: true}
	writeBounds = bounds{try: 10 * time.Minute, all: 20 * time.Minute, long: true}
	tellBounds  = bounds{try: 5 * time.Minute, all: 10 * time.Minute, long: true}
	readBounds  = bounds{try: 30 * time.Second, all: 2 * time.Minute}
)

// reloadAfter is when settings are looked at again that could not be read.
const reloadAfter = 5 * time.Minute

// heartbeatTimeout is a little more than the 16 s between two heartbeats.
const heartbeatTimeout = 20 * time.Second

func (b bounds) context(ctx workflow.Context, summary string) workflow.Context {
	options := workflow.ActivityOptions{
		StartToCloseTimeout:    b.try,
		ScheduleToCloseTimeout: b.all,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Summary:                summary,
		Priority:               workflow.GetActivityOptions(ctx).Priority,
	}
	if b.long {
		options.HeartbeatTimeout = heartbeatTimeout
		options.WaitForCancellation = true // a batch that is under way ends before the pass does
	}
	return workflow.WithActivityOptions(ctx, options)
}

// call runs an activity and waits for its result.
func call[Result any](ctx workflow.Context, b bounds, summary string, activity, request any) (Result, error) {
	var result Result
	err := run(ctx, b, summary, activity, request, &result)
	return result, err
}

func run(ctx workflow.Context, b bounds, summary string, activity, request, result any) error {
	return workflow.ExecuteActivity(b.context(ctx, summary), activity, request).Get(ctx, result)
}

// loadSettings reads the shop's settings as they are now. It is a local
// activity, since it only looks at the worker's files.
func loadSettings(ctx workflow.Context, shop string, passStartedAt time.Time) (protocol.Loaded, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: time.Minute,
		RetryPolicy:            &temporal.RetryPolicy{MaximumAttempts: 1}, // it fails by a bug only
		Summary:                "settings",
	})
	var loaded protocol.Loaded
	err := workflow.ExecuteLocalActivity(ctx, do.LoadSettings, protocol.LoadRequest{
		Shop: shop, After: workflow.Now(ctx), PassStartedAt: passStartedAt,
	}).Get(ctx, &loaded)
	if err != nil && !temporal.IsCanceledError(err) {
		// Files that cannot even be looked at must not end a shop's workflow.
		return protocol.Loaded{
			NextTick: workflow.Now(ctx).Add(reloadAfter),
			Failure:  message.Failure(protocol.ConfigInvalid, message.Params{Shop: shop, Detail: cause(err)}),
		}, nil
	}
	return loaded, err
}

// failureOf says what an activity failed of. What has no code of its own is
// blamed on the side the activity was talking to.
func failureOf(err error, blame protocol.Code) *protocol.Failure {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.HasDetails() {
		var failure protocol.Failure
		if app.Details(&failure) == nil && failure.Code != "" {
			return &failure
		}
	}
	var timeout *temporal.TimeoutError
	if app == nil && errors.As(err, &timeout) {
		return message.Failure(blame, message.Params{Detail: cause(err)})
	}
	switch {
	case lostObject(err):
		return message.LostObject(blame, cause(err))
	case app != nil && app.Type() == activities.ErrorUnwritable:
		return message.Unwritable(blame, cause(err))
	}
	return message.Unfinished(blame, cause(err))
}

// failureOrCancel tells what somebody can mend from a workflow that is
// cancelled.
func failureOrCancel(err error, blame protocol.Code) (*protocol.Failure, error) {
	switch {
	case err == nil:
		return nil, nil
	case temporal.IsCanceledError(err):
		return nil, err
	}
	return failureOf(err, blame), nil
}

// cause is the innermost sentence of a chain of Temporal errors, which are
// full of ids that help nobody who reads a status.
func cause(err error) string {
	var app *temporal.ApplicationError
	var timeout *temporal.TimeoutError
	var terminated *temporal.TerminatedError
	switch {
	case errors.As(err, &app):
		return app.Message()
	case errors.As(err, &timeout):
		return "it took too long"
	case temporal.IsCanceledError(err):
		return "cancelled"
	case errors.As(err, &terminated):
		return "terminated"
	}
	return err.Error()
}
