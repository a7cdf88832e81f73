package shop

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// Kind says what sort of trouble a shop is in.
type Kind string

// The kinds of trouble.
const (
	Unauthorized Kind = "unauthorized" // 401: the key is refused
	Forbidden    Kind = "forbidden"    // 403: the key may not do this
	Invalid      Kind = "invalid"      // 400, 404, 422 and other 4xx: the request is refused
	TooLarge     Kind = "too_large"    // 413
	RateLimited  Kind = "rate_limited" // 429
	Unavailable  Kind = "unavailable"  // 408, 5xx, no connection, no answer in time
	BadResponse  Kind = "bad_response" // HTML, cut JSON, another shape, a redirect
)

// Error is a shop that could not be asked, or whose answer is of no use. A
// context that ended is no Error: drivers return what the context says.
type Error struct {
	Op         string        // what was asked, such as "set stock"
	Kind       Kind          //
	Status     int           // the HTTP status; 0 where there was no answer
	Message    string        // one line for people, capped; holds no secret
	RetryAfter time.Duration // how long the shop asks to wait; 0 where it does not say
}

// NewError makes an error of a message that may come from the shop: control
// characters are removed and it is cut at 300 characters. What is secret is
// the driver's to remove before.
func NewError(op string, kind Kind, status int, message string) *Error {
	return &Error{Op: op, Kind: kind, Status: status, Message: oneLine(message)}
}

// Error names the operation, the kind and the status.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("shop: %s: %s: %s", e.Op, e.Kind, e.Message)
	}
	return fmt.Sprintf("shop: %s: %s (%d): %s", e.Op, e.Kind, e.Status, e.Message)
}

// Temporary tells whether the same request may succeed later without anybody
// doing anything.
func (e *Error) Temporary() bool { return e.Kind == Unavailable || e.Kind == RateLimited }

// KindOfStatus sorts an HTTP status that is not a success.
func KindOfStatus(status int) Kind {
	switch {
	case status == http.StatusUnauthorized:
		return Unauthorized
	case status == http.StatusForbidden:
		return Forbidden
	case status == http.StatusRequestEntityTooLarge:
		return TooLarge
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status == http.StatusRequestTimeout || status >= 500:
		return Unavailable
	case status >= 400:
		return Invalid
	}
	return BadResponse
}

const maxMessage = 300 // characters

// oneLine makes foreign text fit to be shown and logged: what does not print
// becomes a space, runs of spaces become one.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage-1]) + "…"
	}
	return text
}
