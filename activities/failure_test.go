package activities

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdk "go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/snapshot"
)

// How errors of a side reach a workflow. tries is how often Temporal runs the
// activity in 45 minutes; 0: more than a few times, until that time is over.
func TestErrorsOfTheSidesBecomeFailures(t *testing.T) {
	krosErr := func(kind kros.Kind) error { return &kros.Error{Op: "read", Kind: kind, Message: "what KROS says"} }
	shopErr := func(kind shop.Kind) error { return shop.NewError("set stock", kind, 418, "what the shop says") }
	tests := []struct {
		err   error
		code  protocol.Code
		tries int
		says  string
	}{
		{krosErr(kros.Unauthorized), protocol.KrosKeyInvalid, 1, "what KROS says"},
		{krosErr(kros.NoAPIAccess), protocol.KrosNoAPIAccess, 1, "what KROS says"},
		{krosErr(kros.Forbidden), protocol.KrosForbidden, 1, "what KROS says"},
		{krosErr(kros.NotFound), protocol.KrosBadResponse, 1, "what KROS says"},
		{krosErr(kros.Invalid), protocol.KrosBadResponse, 1, "what KROS says"},
		{krosErr(kros.BadResponse), protocol.KrosBadResponse, 1, "what KROS says"},
		{krosErr(kros.Unavailable), protocol.KrosUnavailable, 3, "what KROS says"},
		{krosErr(kros.RateLimited), protocol.KrosUnavailable, 0, "what KROS says"},
		{shopErr(shop.Unauthorized), protocol.ShopKeyInvalid, 1, "what the shop says"},
		{shopErr(shop.Forbidden), protocol.ShopForbidden, 1, "what the shop says"},
		{shopErr(shop.Invalid), protocol.ShopBadResponse, 1, "what the shop says"},
		{shopErr(shop.TooLarge), protocol.ShopBadResponse, 1, "what the shop says"},
		{shopErr(shop.BadResponse), protocol.ShopBadResponse, 1, "what the shop says"},
		{shopErr(shop.Unavailable), protocol.ShopUnavailable, 3, "what the shop says"},
		{shopErr(shop.RateLimited), protocol.ShopUnavailable, 0, "what the shop says"},
		{&config.ShopError{Kind: config.Missing, Shop: "acme"}, protocol.ConfigMissing, 1, "acme"},
		{&config.ShopError{Kind: config.Invalid, Shop: "acme", Diagnostics: []config.Diagnostic{{File: "acme.hcl", Line: 3, Message: "bad cron"}}},
			protocol.ConfigInvalid, 1, "bad cron"},
		{fmt.Errorf("read the plan: %w", snapshot.ErrOtherBucket), protocol.ConfigInvalid, 1, "one shared bucket"},
		{errOtherItems, protocol.ConfigInvalid, 3, "the same files"},
	}
	for _, test := range tests {
		t.Run(test.err.Error(), func(t *testing.T) {
			tries, err := retried(func(ctx context.Context) error {
				var shopErr *config.ShopError
				if errors.As(test.err, &shopErr) {
					return settingsError("acme", test.err)
				}
				return failed(ctx, "acme", fmt.Errorf("wrapped: %w", test.err))
			})
			if test.tries > 0 {
				require.Equal(t, test.tries, tries)
			} else {
				require.Greater(t, tries, 3)
			}
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			var failure protocol.Failure
			require.NoError(t, app.Details(&failure))
			require.Equal(t, test.code, failure.Code)
			require.Contains(t, failure.Message, test.says)
			require.NotEmpty(t, failure.Hint)
		})
	}
}

func TestEveryKindOfTroubleHasACode(t *testing.T) {
	for _, kind := range []kros.Kind{kros.Unauthorized, kros.NoAPIAccess, kros.Forbidden, kros.NotFound, kros.Invalid, kros.RateLimited, kros.Unavailable, kros.BadResponse} {
		require.NotEmpty(t, krosCodes[kind], kind)
	}
	for _, kind := range []shop.Kind{shop.Unauthorized, shop.Forbidden, shop.Invalid, shop.TooLarge, shop.RateLimited, shop.Unavailable, shop.BadResponse} {
		require.NotEmpty(t, shopCodes[kind], kind)
	}
}

func TestErrorsOfOurOwnAreRetriedAFewTimes(t *testing.T) {
	tests := []struct {
		rule  string
		err   func(ctx context.Context) error
		kind  string
		tries int
	}{
		{"other files", func(ctx context.Context) error { return otherFiles("acme", activity.GetInfo(ctx).Attempt) }, typeOtherFiles, 3},
		{"an archive that takes nothing", func(ctx context.Context) error {
			return failed(ctx, "acme", fmt.Errorf("write: %w", &snapshot.UnwritableError{Address: "file:///a", Err: errors.New("no")}))
		}, ErrorUnwritable, 3},
		{"the archive's trouble", func(ctx context.Context) error { return failed(ctx, "acme", errors.New("disk is full")) }, typeArchive, 3},
		{"an object that is lost", func(ctx context.Context) error {
			return failed(ctx, "acme", fmt.Errorf("read: %w", snapshot.ErrMissing))
		}, ErrorLostObject, 1},
		{"an object that is damaged", func(ctx context.Context) error {
			return failed(ctx, "acme", fmt.Errorf("read: %w", snapshot.ErrCorrupt))
		}, ErrorLostObject, 1},
		{"what has its form already", func(ctx context.Context) error {
			return failed(ctx, "acme", refused(protocol.ShopChanged, "acme", ""))
		}, string(protocol.ShopChanged), 1},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			tries, err := retried(test.err)
			require.Equal(t, test.tries, tries)
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			require.Equal(t, test.kind, app.Type())
		})
	}
	tries, err := retried(func(ctx context.Context) error { return failed(ctx, "acme", nil) })
	require.NoError(t, err)
	require.Equal(t, 1, tries)
}

func TestAWaitThatIsAskedForIsKeptWithinBounds(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		0:                 time.Second,
		500e6:             time.Second,
		90 * time.Second:  90 * time.Second,
		15 * time.Minute:  15 * time.Minute,
		24 * time.Hour:    15 * time.Minute,
		-20 * time.Second: time.Second,
	} {
		for _, err := range []error{
			&kros.Error{Kind: kros.RateLimited, RetryAfter: asked},
			&shop.Error{Kind: shop.RateLimited, RetryAfter: asked},
		} {
			err := inActivity(t, nil, func(ctx context.Context) error { return failed(ctx, "acme", err) })
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			require.Equal(t, want, app.NextRetryDelay())
			require.False(t, app.NonRetryable())
			require.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category(), "expected, no alarm")
		}
	}
}

func TestAnEndOfTheContextIsNoFaultOfASide(t *testing.T) {
	trouble := &kros.Error{Kind: kros.Unavailable, Message: "context canceled"}
	cancelled := func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return failed(ctx, "acme", trouble)
	}
	t.Run("cancelled", func(t *testing.T) {
		err := inActivity(t, make(chan struct{}), func(ctx context.Context) error {
			require.ErrorIs(t, cancelled(ctx), context.Canceled)
			return nil
		})
		require.NoError(t, err)
	})
	t.Run("the worker stops", func(t *testing.T) {
		stop := make(chan struct{})
		close(stop)
		var app *temporal.ApplicationError
		require.ErrorAs(t, inActivity(t, stop, cancelled), &app)
		require.Equal(t, typeStopping, app.Type())
		require.False(t, app.NonRetryable())
		require.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category())
	})
	t.Run("the worker stops, but the answer was there", func(t *testing.T) {
		stop := make(chan struct{})
		close(stop)
		var app *temporal.ApplicationError
		require.ErrorAs(t, inActivity(t, stop, func(ctx context.Context) error { return failed(ctx, "acme", trouble) }), &app)
		require.Equal(t, string(protocol.KrosUnavailable), app.Type())
	})
}

func TestRecallMemoryAsksStockSync(t *testing.T) {
	known := protocol.Recollection{Running: true, State: protocol.StateHeld, ShopID: "fynode-1", Memory: protocol.Memory{Products: 8}}
	inactive := protocol.Recollection{State: protocol.StateInactive}
	tests := []struct {
		rule   string
		status enums.WorkflowExecutionStatus
		err    error
		query  error
		want   protocol.Recollection
		fails  string
	}{
		{"of a shop that runs", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil, nil, known, ""},
		{"of one that was deactivated", enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, nil, nil, inactive, ""},
		{"of one that was never activated", 0, serviceerror.NewNotFound("none"), nil, inactive, ""},
		{"Temporal has trouble", 0, serviceerror.NewUnavailable("later"), nil, inactive, "describe stock-sync:acme: later"},
		{"no worker answers the query", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil, serviceerror.NewDeadlineExceeded("slow"), inactive, "query memory of stock-sync:acme: slow"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			c := &mocks.Client{}
			c.On("DescribeWorkflowExecution", mock.Anything, "stock-sync:acme", "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
				WorkflowExecutionInfo: &workflow.WorkflowExecutionInfo{Status: test.status},
			}, test.err)
			payloads, err := converter.GetDefaultDataConverter().ToPayloads(known)
			require.NoError(t, err)
			c.On("QueryWorkflow", mock.Anything, "stock-sync:acme", "", protocol.QueryMemory).Return(client.NewValue(payloads), test.query)
			recalled, err := recollect(t.Context(), c, "acme")
			if test.fails != "" {
				require.ErrorContains(t, err, test.fails)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, recalled)
		})
	}
}

// inActivity runs a function as an activity.
func inActivity(t *testing.T, stop chan struct{}, do func(context.Context) error) error {
	t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerStopChannel(stop)
	env.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: "do"})
	_, err := env.ExecuteActivity("do")
	return err
}

// retried runs a function as Temporal does with the bounds of a fetch, and says
// how often.
func retried(do func(context.Context) error) (tries int, err error) {
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		tries++
		return do(ctx)
	}, activity.RegisterOptions{Name: "do"})
	env.ExecuteWorkflow(func(ctx sdk.Context) error {
		return sdk.ExecuteActivity(sdk.WithActivityOptions(ctx, sdk.ActivityOptions{
			StartToCloseTimeout: 30 * time.Minute, ScheduleToCloseTimeout: 45 * time.Minute,
		}), "do").Get(ctx, nil)
	})
	return tries, env.GetWorkflowError()
}

// silent is a logger of the test environment.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
