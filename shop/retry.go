package shop

import (
	"context"
	"errors"
	"time"
)

// How a request is repeated. More patience than this is the caller's: he gets
// the Error with its RetryAfter.
const (
	tries     = 5
	firstWait = time.Second // doubled after each try
	maxWait   = time.Minute // the longest Retry-After that is waited for here
)

// retry calls ask until it succeeds, fails for good or has failed often enough.
func retry[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	backoff := firstWait
	for try := 1; ; try++ {
		answer, err := ask()
		trouble := (*Error)(nil)
		if err == nil || !errors.As(err, &trouble) || !trouble.repeatable() || try == tries || trouble.RetryAfter > maxWait {
			return answer, err
		}
		if err := sleep(ctx, max(backoff, trouble.RetryAfter)); err != nil {
			return answer, err
		}
		backoff *= 2
	}
}

// repeatable tells whether asking again at once is worth it. A bad answer is
// mostly a proxy's bad moment, but a redirect is how the shop is set up.
func (e *Error) repeatable() bool {
	redirect := e.Status >= 300 && e.Status < 400
	return e.Temporary() || e.Kind == BadResponse && !redirect
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
