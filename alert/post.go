package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Version is that of the JSON of a Message. A field may be added within one.
const Version = 1

// maxAnswer is how much of an answer is read, so that the connection can be
// used again; nothing is made of it.
const maxAnswer = 64 << 10

// Message is what Post sends, as JSON (docs/operations.md, "Alerts").
type Message struct {
	Version int       `json:"version"`
	Kind    string    `json:"kind"`
	Code    string    `json:"code"`
	State   string    `json:"state"`
	Cleared bool      `json:"cleared"` // the trouble of this kind and code is over
	Message string    `json:"message"`
	Hint    string    `json:"hint"`
	Shops   []Shop    `json:"shops"`
	Count   int       `json:"count"` // of all shops, also of those that are not named
	At      time.Time `json:"at"`
}

// Shop is a shop that a Message names.
type Shop struct {
	Shop    string    `json:"shop"`
	Title   string    `json:"title"`
	Message string    `json:"message"`
	Hint    string    `json:"hint"`
	Since   time.Time `json:"since"`
}

var client = &http.Client{Timeout: timeout, CheckRedirect: sameHost}

// sameHost follows a redirect that repeats the message at the same host. Any
// other is taken as the answer, which then is no success: an alert is for
// nobody else, and a redirect that turns POST into GET would lose it in silence.
func sameHost(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if len(before) > 3 || next.Method != http.MethodPost || next.URL.Host != first.Host || first.Scheme == "https" && next.URL.Scheme != "https" {
		return http.ErrUseLastResponse
	}
	return nil
}

// Post sends a message to an address, once. The destination may tell by key,
// sent as Idempotency-Key, that it has the message already. Whatever is not
// answered with 2xx within 10 s is an *Error.
func Post(ctx context.Context, address, key string, m Message) error {
	m.Version = Version
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode an alert: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return &Error{Reason: "its address is not a URL"} // the cause quotes it
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "skladom")
	request.Header.Set("Idempotency-Key", key)
	response, err := client.Do(request)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	if response.StatusCode/100 == 2 {
		return nil
	}
	return &Error{Reason: "it was answered with an error", Status: response.StatusCode, RetryAfter: retryAfter(response.Header)}
}

// retryAfter reads a number of seconds, at most an hour of them.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(header.Get("Retry-After")))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}
