package alert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// timeout bounds an attempt to reach a destination.
const timeout = 10 * time.Second

// Error is an attempt that failed, in words that hold no secret.
type Error struct {
	Reason     string
	Status     int           // what HTTP or SMTP answered; 0 without an answer
	RetryAfter time.Duration // asked for by the destination; 0: not asked
}

func (e *Error) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("deliver an alert: %s (%d)", e.Reason, e.Status)
	}
	return "deliver an alert: " + e.Reason
}

// unreachable says why there was no answer. Of the error itself nothing is
// kept: it quotes addresses.
func unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("deliver an alert: %w", context.Canceled)
	}
	var untrusted *tls.CertificateVerificationError
	var unknown *net.DNSError
	var late net.Error
	reason := "the connection broke"
	switch {
	case errors.As(err, &untrusted):
		reason = "the certificate is not trusted"
	case errors.Is(err, http.ErrSchemeMismatch):
		reason = "it does not speak TLS"
	case errors.As(err, &unknown):
		reason = "the name of the host cannot be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		reason = "the connection was refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		reason = "no answer in time"
	}
	return &Error{Reason: reason}
}
