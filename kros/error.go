package kros

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/samber/lo"
)

// Kind is what went wrong with a request, as far as a caller has to know.
type Kind string

// The kinds of failure.
const (
	Unauthorized Kind = "unauthorized"  // 401: token missing, wrong or reset
	NoAPIAccess  Kind = "no_api_access" // 402: no plan with API access, or it has lapsed
	Forbidden    Kind = "forbidden"     // 403
	NotFound     Kind = "not_found"     // 404: probably another URL than KROS's
	Invalid      Kind = "invalid"       // 400 and every other refusal: asked wrongly
	RateLimited  Kind = "rate_limited"  // 429: wait RetryAfter
	Unavailable  Kind = "unavailable"   // 408, 5xx, network, time-out
	BadResponse  Kind = "bad_response"  // HTML, cut JSON, another shape, too large, a redirect
)

// Error is a request that failed for good: what could be repeated was repeated.
// Its text never holds the token.
type Error struct {
	Op         string        // what was tried
	Kind       Kind          // what went wrong
	Status     int           // HTTP status, 0 where there was no answer
	Message    string        // what KROS or the network says, one line of at most 200 characters
	RetryAfter time.Duration // how long KROS asks to wait; 0 where it does not say
	cause      error
}

// Error names the operation, the kind and what was said.
func (e *Error) Error() string {
	text := fmt.Sprintf("KROS: %s: %s", e.Op, e.Kind)
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns the cause, where there is one.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of the Error in err's chain, "" where there is none:
// then the context ended.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

// ErrCannotAsk says that KROS's parameter ItemCode leads to no answer: the code
// is empty, longer than MaxItemCode, or too many rows are found for it.
var ErrCannotAsk = errors.New("KROS cannot be asked for this item code")

// kindOf says what a status other than 2xx means.
func kindOf(status int) Kind {
	switch {
	case status == http.StatusUnauthorized:
		return Unauthorized
	case status == http.StatusPaymentRequired:
		return NoAPIAccess
	case status == http.StatusForbidden:
		return Forbidden
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status == http.StatusRequestTimeout, status >= 500:
		return Unavailable
	case status >= 400:
		return Invalid
	default:
		return BadResponse
	}
}

// again tells whether a failure may pass by itself within seconds.
func (k Kind) again() bool { return k == Unavailable || k == BadResponse }

// maxMessage is how many characters of somebody else's text an Error repeats.
const maxMessage = 200

// messageIn finds the text in the body of a refusal. Where it stands differs
// (docs/kros-api.md, Limits and errors); an HTML page has none.
func messageIn(body []byte) string {
	var answer struct {
		Errors  json.RawMessage `json:"errors"`
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Title   json.RawMessage `json:"title"`
		Message json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		if text := strings.TrimSpace(string(body)); !isMarkup(body) && !strings.HasPrefix(text, "{") {
			return text
		}
		return ""
	}
	texts := []string{listedErrors(answer.Errors)}
	for _, raw := range []json.RawMessage{answer.Error, answer.Detail, answer.Title, answer.Message} {
		var text string
		_ = json.Unmarshal(raw, &text)
		texts = append(texts, text)
	}
	found, _ := lo.Find(texts, func(text string) bool { return text != "" })
	return found
}

func listedErrors(raw json.RawMessage) string {
	var listed []struct {
		PropertyPath string `json:"propertyPath"`
		ErrorMessage string `json:"errorMessage"`
	}
	_ = json.Unmarshal(raw, &listed)
	var texts []string
	for _, entry := range listed {
		if entry.ErrorMessage == "" {
			continue
		}
		texts = append(texts, strings.TrimPrefix(entry.PropertyPath+": "+entry.ErrorMessage, ": "))
	}
	return strings.Join(texts, "; ")
}

// oneLine makes somebody else's text fit for a log: no token, no control
// characters, no direction marks, at most maxMessage characters.
func oneLine(text, token string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Join(strings.Fields(text), " ")
	if token != "" { // after the invisible characters, which could split it
		text = strings.ReplaceAll(text, token, "[redacted]")
	}
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage-1]) + "…"
	}
	return text
}

// soonest is the wait where a 429 asks for none, or for one that has passed.
const soonest = time.Second

// longest bounds what a header may ask for, so that no arithmetic overflows.
const longest = 24 * time.Hour

// retryAfter reads the header Retry-After: seconds or a date. The date counts
// from KROS's own clock where the answer carries it. ok is false where the
// header is absent or nonsense.
func retryAfter(header http.Header, now time.Time) (wait time.Duration, ok bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds == seconds {
		seconds = min(max(seconds, 0), longest.Seconds())
		return max(time.Duration(seconds*float64(time.Second)), soonest), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
		now = theirs
	}
	return min(max(at.Sub(now), soonest), longest), true
}
