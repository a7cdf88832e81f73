package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/samber/lo"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/snapshot"
)

// Bounds of what is retried by Temporal after an activity has given up its own
// tries: a side that does not answer at all fails the pass soon and in sight
// (state failing, next try at the next tick) instead of retrying in silence.
const (
	maxAttempts  = 3
	maxRetryWait = 15 * time.Minute
)

// ErrorLostObject is the type of the error that an object of the archive, which
// a reference names, is not there or damaged. No repeat of the activity helps.
const ErrorLostObject = "archive_lost_object"

// ErrorLostPlan is the same of the plan that is to be written, where it is sure
// that nothing of it was.
const ErrorLostPlan = "archive_lost_plan"

// ErrorUnwritable is the type of the error that the archive takes no object. Its
// message says where the archive is and why.
const ErrorUnwritable = "archive_unwritable"

// Types of the errors that are not a merchant's to mend.
const (
	typeStopping    = "worker_stopping"
	typeOtherFiles  = "worker_has_other_files"
	typeOtherBucket = "worker_has_other_bucket"
	typeArchive     = "archive"
)

// failed turns an error of a client or of the archive into a Temporal error:
// its type is the failure code, its details are the protocol.Failure.
func failed(ctx context.Context, name string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		if workerStops(ctx) {
			return stopping()
		}
		return ctx.Err()
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return err
	}
	var krosErr *kros.Error
	if errors.As(err, &krosErr) {
		return trouble(ctx, name, krosCodes[krosErr.Kind], krosErr.Kind == kros.RateLimited, krosErr.RetryAfter, err)
	}
	var shopErr *shop.Error
	if errors.As(err, &shopErr) {
		return trouble(ctx, name, shopCodes[shopErr.Kind], shopErr.Kind == shop.RateLimited, shopErr.RetryAfter, err)
	}
	switch {
	case errors.Is(err, snapshot.ErrOtherBucket):
		return temporal.NewApplicationErrorWithOptions(err.Error(), typeOtherBucket, temporal.ApplicationErrorOptions{
			NonRetryable: true, Cause: err,
			Details: []any{message.Failure(protocol.ConfigInvalid, message.Params{Shop: name, Detail: err.Error()})},
		})
	case errors.Is(err, errOtherItems):
		return otherFiles(name, activity.GetInfo(ctx).Attempt)
	case errors.As(err, new(*snapshot.UnwritableError)):
		return unwritable(ctx, err)
	case forgotten(err):
		return temporal.NewNonRetryableApplicationError(err.Error(), ErrorLostObject, err)
	}
	return temporal.NewApplicationErrorWithOptions(err.Error(), typeArchive, temporal.ApplicationErrorOptions{
		NonRetryable: lastAttempt(ctx), Cause: err,
	})
}

// unwritable is tried again a few times, since room may be made meanwhile; in a
// later pass it is by any means.
func unwritable(ctx context.Context, err error) error {
	var refusal *snapshot.UnwritableError
	errors.As(err, &refusal)
	return temporal.NewApplicationErrorWithOptions(refusal.Error(), ErrorUnwritable, temporal.ApplicationErrorOptions{
		NonRetryable: lastAttempt(ctx), Cause: err,
	})
}

var krosCodes = map[kros.Kind]protocol.Code{
	kros.Unauthorized: protocol.KrosKeyInvalid,
	kros.NoAPIAccess:  protocol.KrosNoAPIAccess,
	kros.Forbidden:    protocol.KrosForbidden,
	kros.NotFound:     protocol.KrosBadResponse,
	kros.Invalid:      protocol.KrosBadResponse,
	kros.RateLimited:  protocol.KrosUnavailable,
	kros.Unavailable:  protocol.KrosUnavailable,
	kros.BadResponse:  protocol.KrosBadResponse,
}

var shopCodes = map[shop.Kind]protocol.Code{
	shop.Unauthorized: protocol.ShopKeyInvalid,
	shop.Forbidden:    protocol.ShopForbidden,
	shop.Invalid:      protocol.ShopBadResponse,
	shop.TooLarge:     protocol.ShopBadResponse,
	shop.RateLimited:  protocol.ShopUnavailable,
	shop.Unavailable:  protocol.ShopUnavailable,
	shop.BadResponse:  protocol.ShopBadResponse,
}

// trouble decides what Temporal does about a failure of a side. Only a side
// that does not answer is tried again; being told to wait is expected and
// neither counts as an attempt nor as an error in the metrics.
func trouble(ctx context.Context, name string, code protocol.Code, wait bool, after time.Duration, cause error) error {
	options := temporal.ApplicationErrorOptions{NonRetryable: true, Cause: cause}
	switch {
	case wait:
		options.NonRetryable = false
		options.NextRetryDelay = lo.Clamp(after, time.Second, maxRetryWait)
		options.Category = temporal.ApplicationErrorCategoryBenign
	case code == protocol.KrosUnavailable || code == protocol.ShopUnavailable:
		options.NonRetryable = lastAttempt(ctx)
	}
	return withFailure(code, message.Params{Shop: name, Detail: detail(cause)}, options)
}

func withFailure(code protocol.Code, p message.Params, options temporal.ApplicationErrorOptions) error {
	failure := message.Failure(code, p)
	options.Details = []any{failure}
	return temporal.NewApplicationErrorWithOptions(failure.Message, string(code), options)
}

// detail is what the other side said, for a person; the rest of the error is
// in the cause, for an engineer.
func detail(err error) string {
	var krosErr *kros.Error
	if errors.As(err, &krosErr) {
		return krosErr.Message
	}
	var shopErr *shop.Error
	if errors.As(err, &shopErr) {
		return shopErr.Message
	}
	return ""
}

// refused is a failure that no repeat would change.
func refused(code protocol.Code, name, detail string) error {
	return withFailure(code, message.Params{Shop: name, Detail: detail}, temporal.ApplicationErrorOptions{NonRetryable: true})
}

// settingsFailure says why a shop's settings cannot be used.
func settingsFailure(name string, err error) *protocol.Failure {
	var missing *config.ShopError
	if errors.As(err, &missing) && missing.Kind == config.Missing {
		return message.Failure(protocol.ConfigMissing, message.Params{Shop: name})
	}
	return message.Failure(protocol.ConfigInvalid, message.Params{Shop: name, Detail: err.Error()})
}

func settingsError(name string, err error) error {
	failure := settingsFailure(name, err)
	return temporal.NewApplicationErrorWithOptions(failure.Message, string(failure.Code), temporal.ApplicationErrorOptions{
		NonRetryable: true, Cause: err, Details: []any{failure},
	})
}

// otherFiles is retryable: the next try may reach a worker whose files are the
// ones the pass began with, or both have the same by then.
func otherFiles(name string, attempt int32) error {
	text := fmt.Sprintf("this worker has other addresses, keys or items for the shop %q than the pass began with; give all workers the same files", name)
	return temporal.NewApplicationErrorWithOptions(text, typeOtherFiles, temporal.ApplicationErrorOptions{
		NonRetryable: attempt >= maxAttempts,
		Details:      []any{message.Failure(protocol.ConfigInvalid, message.Params{Shop: name, Detail: text})},
	})
}

var errStopping = errors.New("worker is stopping")

func stopping() error {
	return temporal.NewApplicationErrorWithOptions(errStopping.Error(), typeStopping, temporal.ApplicationErrorOptions{
		NextRetryDelay: 100 * time.Millisecond, // another worker goes on at once
		Category:       temporal.ApplicationErrorCategoryBenign,
	})
}

// workerStops tells whether the worker is about to end; short activities, which
// do not listen for it, learn it when their context ends.
func workerStops(ctx context.Context) bool {
	select {
	case <-activity.GetWorkerStopChannel(ctx):
		return true
	default:
		return false
	}
}

func lastAttempt(ctx context.Context) bool { return activity.GetInfo(ctx).Attempt >= maxAttempts }
