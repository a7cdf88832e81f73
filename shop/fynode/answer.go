package fynode

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skladom/skladom/internal/quickjson"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode/internal/api"
)

// ask sends a request and has a good answer read; body is valid no longer. Any
// other answer is a *shop.Error, or what ctx says where it ended.
func (c *Client) ask(ctx context.Context, op string, send func() (*http.Response, error), read func(body []byte) error) error {
	response, err := send()
	if err != nil {
		return c.unreachable(ctx, op, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK { // what can be read of the body is only a message
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
		return c.refused(op, response, body)
	}
	buffer, err := quickjson.Whole(response.Body, maxAnswer)
	defer quickjson.Release(buffer)
	body := buffer.Bytes()
	switch {
	case err != nil:
		return c.unreachable(ctx, op, err)
	case len(body) > maxAnswer:
		return shop.NewError(op, shop.BadResponse, response.StatusCode, fmt.Sprintf("the answer is larger than %d bytes", maxAnswer))
	case isHTML(body):
		return shop.NewError(op, shop.BadResponse, response.StatusCode, "the shop answered with an HTML page instead of JSON")
	}
	if err := read(body); err != nil {
		return shop.NewError(op, shop.BadResponse, response.StatusCode, "the answer cannot be read: "+c.public(err.Error()))
	}
	return nil
}

// unreachable is a request that got no answer, or not the whole of it.
func (c *Client) unreachable(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("fynode: %s: %w", op, ctx.Err())
	}
	return shop.NewError(op, shop.Unavailable, 0, c.public(err.Error()))
}

// refused is an answer other than 200. A proxy's HTML is no less a refusal: it
// counts by its status.
func (c *Client) refused(op string, response *http.Response, body []byte) error {
	status := response.StatusCode
	message := http.StatusText(status)
	problem := api.Problem{}
	if json.Unmarshal(body, &problem) == nil {
		message = cmp.Or(problem.Detail, problem.Title, message)
	}
	if status >= 300 && status < 400 {
		message = "the shop redirects to " + cmp.Or(response.Header.Get("Location"), "nowhere") + ", which is not followed"
	}
	refusal := shop.NewError(op, shop.KindOfStatus(status), status, c.public(cmp.Or(message, "no message")))
	refusal.RetryAfter = retryAfter(response.Header)
	return refusal
}

func (c *Client) badShape(op, message string) error {
	return shop.NewError(op, shop.BadResponse, http.StatusOK, c.public(message))
}

func isHTML(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// maxRetryAfter keeps absurd waits from overflowing.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads seconds or an HTTP date, which is compared with the shop's
// own clock, its Date header. 0 where neither can be read.
func retryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	until, err := http.ParseTime(text)
	now, errNow := http.ParseTime(header.Get("Date"))
	if err != nil || errNow != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}
