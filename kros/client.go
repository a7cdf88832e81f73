package kros

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/skladom/skladom/internal/quickjson"
	"github.com/skladom/skladom/stock"
)

const (
	// DefaultURL is where KROS answers.
	DefaultURL = "https://api-economy.kros.sk"
	// DefaultPerSecond is how many requests KROS grants a token in any second.
	DefaultPerSecond = 10
	// DefaultPerMinute is how many it grants in any minute.
	DefaultPerMinute = 300
	// MaxItemCode is how long a code KROS can be asked for, in UTF-16 units.
	MaxItemCode = 25
)

const (
	pageSize       = 100
	maxSearch      = 1000     // rows looked through for one code, should ItemCode find more than equal ones
	maxBody        = 16 << 20 // of a page, unpacked
	maxRefusal     = 64 << 10 // of an answer that is only looked at for a message
	requestTimeout = 180 * time.Second
	dialTimeout    = 10 * time.Second

	// A page is worth more patience than a check, behind which somebody waits.
	pageTries  = 5
	checkTries = 3
	// A 429 costs no try: KROS is there, it only wants a pause.
	maxThrottled = 20
	// firstPause is doubled after each failure, up to maxPause. Who has to wait
	// longer gets the error, so that no worker sleeps for hours.
	firstPause = time.Second
	maxPause   = time.Minute
)

// Config is what a client needs to know. Only Token has to be set.
type Config struct {
	URL       string       // "" is DefaultURL; with or without /api
	Token     string       // is cleaned with CleanToken
	PerSecond int          // requests in any second; 0: DefaultPerSecond
	PerMinute int          // requests in any minute; 0: DefaultPerMinute
	Limits    *Limits      // shared by the process; nil: the client's own
	HTTP      *http.Client // nil: one with time-outs. Redirects are never followed
	Clock     Clock        // nil: the time outside
}

// Client reads from one company in KROS. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	token     func() string // no value: a printed client does not show it
	perSecond int
	perMinute int
	log       *slidingLog
	http      *http.Client
	clock     Clock
}

// New makes a client without asking KROS anything. It fails with an Error of
// kind Unauthorized where the token cannot be one, Invalid where the URL cannot.
func New(config Config) (*Client, error) {
	base, err := parseBase(cmp.Or(config.URL, DefaultURL))
	if err != nil {
		return nil, &Error{Op: "read the URL of KROS", Kind: Invalid, Message: err.Error()}
	}
	token, err := parseToken(config.Token)
	if err != nil {
		return nil, &Error{Op: "read the token", Kind: Unauthorized, Message: err.Error()}
	}
	if config.Limits == nil {
		config.Limits = NewLimits()
	}
	if config.HTTP == nil {
		config.HTTP = &http.Client{Transport: transport()}
	}
	if config.Clock == nil {
		config.Clock = wallClock{}
	}
	web := *config.HTTP
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		base:      base,
		token:     func() string { return token },
		perSecond: cmp.Or(max(config.PerSecond, 0), DefaultPerSecond),
		perMinute: cmp.Or(max(config.PerMinute, 0), DefaultPerMinute),
		log:       config.Limits.of(token),
		http:      &web,
		clock:     config.Clock,
	}, nil
}

// CleanToken takes from a pasted token what does not belong to it: white
// space and invisible characters anywhere, and a leading "Bearer".
func CleanToken(pasted string) string {
	fields := strings.FieldsFunc(pasted, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
	})
	for len(fields) > 0 && strings.EqualFold(fields[0], "Bearer") {
		fields = fields[1:]
	}
	return strings.Join(fields, "")
}

// CheckAuth asks whether KROS accepts the token. A company without API access
// may pass it nevertheless: see Probe.
func (c *Client) CheckAuth(ctx context.Context) error {
	_, err := c.get(ctx, call{op: "check the token", path: "auth/check", tries: checkTries, decode: decodeCheck})
	return err
}

// Probe asks for all that a sweep needs: the token, and one row of the
// catalogue, since a plan without API access may show only there.
func (c *Client) Probe(ctx context.Context) error {
	if err := c.CheckAuth(ctx); err != nil {
		return err
	}
	query := url.Values{"Top": {"1"}}
	_, err := c.get(ctx, call{op: "read one item", path: "catalog-items", query: query, tries: checkTries,
		decode: func(body []byte) error {
			_, err := decodeItems(body)
			return err
		}})
	return err
}

// Item asks for one code and returns the rows that carry it, compared trimmed:
// none where KROS does not know it. ErrCannotAsk is no answer: neither that the
// item is there nor that it is not.
func (c *Client) Item(ctx context.Context, code string) ([]stock.Item, error) {
	items, _, err := c.item(ctx, code, false)
	return items, err
}

func (c *Client) item(ctx context.Context, code string, onlyEshop bool) (found []stock.Item, spent cost, err error) {
	code = strings.TrimSpace(code)
	if !askable(code) {
		return nil, cost{}, fmt.Errorf("ask for item %q: %w", code, ErrCannotAsk)
	}
	op := fmt.Sprintf("read item %q", code)
	for skip := 0; skip < maxSearch; skip += pageSize {
		query := listQuery(skip, onlyEshop)
		query.Set("ItemCode", code)
		page, more, err := c.page(ctx, op, query)
		spent.add(more)
		if err != nil {
			return nil, spent, err
		}
		for _, item := range page {
			if strings.TrimSpace(item.Code) == code {
				found = append(found, item)
			}
		}
		if len(page) < pageSize {
			return found, spent, nil
		}
	}
	return nil, spent, fmt.Errorf("%s: %d rows carry or contain it: %w", op, maxSearch, ErrCannotAsk)
}

func askable(code string) bool {
	return code != "" && len(utf16.Encode([]rune(code))) <= MaxItemCode
}

func listQuery(skip int, onlyEshop bool) url.Values {
	query := url.Values{"Top": {strconv.Itoa(pageSize)}, "Skip": {strconv.Itoa(skip)}}
	if onlyEshop {
		query.Set("OnlyMarkedForEshop", "true")
	}
	return query
}

// changedForm is how KROS wants a CatalogItemChangedTimestamp. Its time zone is
// not known: it is asked for in UTC, early enough for any that KROS may mean.
const changedForm = "2006-01-02T15:04:05"

// page reads one page of the catalogue.
func (c *Client) page(ctx context.Context, op string, query url.Values) (items []stock.Item, spent cost, err error) {
	spent, err = c.get(ctx, call{op: op, path: "catalog-items", query: query, tries: pageTries,
		decode: func(body []byte) error {
			items, err = decodeItems(body)
			return err
		}})
	return items, spent, err
}

// cost is what a read took, every try counted.
type cost struct {
	requests  int
	throttled int           // of them answered with 429
	answer    time.Duration // what the last one took, without the wait until it might go
}

func (c *cost) add(more cost) {
	c.requests += more.requests
	c.throttled += more.throttled
}

// call is a request that is repeated until it succeeds or there is no point.
type call struct {
	op     string
	path   string // below /api/
	query  url.Values
	tries  int
	decode func(body []byte) error // body is valid no longer than the call; an error is a bad response
}

func (c *Client) get(ctx context.Context, call call) (spent cost, err error) {
	failed := 0
	for {
		sending, err := c.log.take(ctx, c.clock, c.perSecond, c.perMinute)
		if err != nil {
			return spent, fmt.Errorf("%s: %w", call.op, err)
		}
		spent.requests++
		began := c.clock.Now()
		err = c.try(ctx, call, sending)
		spent.answer = c.clock.Now().Sub(began)
		refusal, ok := errors.AsType[*Error](err)
		if err == nil || !ok {
			return spent, err
		}
		var wait time.Duration
		switch {
		case refusal.Kind == RateLimited:
			spent.throttled++
			wait = cmp.Or(refusal.RetryAfter, pauseAfter(spent.throttled))
			refusal.RetryAfter = wait
			if spent.throttled == maxThrottled {
				return spent, err
			}
		case refusal.Kind.again():
			failed++
			wait = max(refusal.RetryAfter, pauseAfter(failed))
			if failed == call.tries {
				return spent, err
			}
		default:
			return spent, err
		}
		if wait > maxPause {
			return spent, err
		}
		if err := c.clock.Sleep(ctx, wait); err != nil {
			return spent, fmt.Errorf("%s: %w", call.op, err)
		}
	}
}

// pauseAfter is how long to wait after so many failures in a row.
func pauseAfter(failures int) time.Duration {
	return min(firstPause<<min(failures-1, 10), maxPause)
}

// onTheWay is how long a request that nobody waits for any more may still need
// to arrive: KROS counts it then.
const onTheWay = time.Second

// try sends a request once, in the place that it was given within the limits.
// It returns an Error, or the context's error where that has ended.
func (c *Client) try(ctx context.Context, call call, sending *sending) error {
	tryCtx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := c.request(tryCtx, call)
	if err != nil {
		sending.free(c.clock.Now())
		return c.fail(call, Invalid, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		sending.free(c.clock.Now().Add(onTheWay))
		return c.unanswered(ctx, call, err)
	}
	sending.free(c.clock.Now())
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return c.refused(call, response)
	}
	buffer, err := quickjson.Whole(response.Body, maxBody)
	defer quickjson.Release(buffer)
	if err != nil {
		return c.unanswered(ctx, call, err)
	}
	if buffer.Len() > maxBody {
		return c.bad(call, response.StatusCode, fmt.Errorf("the answer is longer than %d MiB", maxBody>>20))
	}
	if err := call.decode(buffer.Bytes()); err != nil {
		return c.bad(call, response.StatusCode, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, call call) (*http.Request, error) {
	address := c.base.JoinPath("api", call.path)
	address.RawQuery = call.query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), sentOnce{})
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token())
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "skladom")
	return request, nil
}

// sentOnce is an empty body. With it net/http sends the same bytes as without,
// but cannot tell that the request may be repeated: it would, on a connection
// that breaks, and KROS would count a request that the limits do not know of.
type sentOnce struct{}

func (sentOnce) Read([]byte) (int, error) { return 0, io.EOF }

// unanswered is a request whose answer did not come, or not whole.
func (c *Client) unanswered(ctx context.Context, call call, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", call.op, ctx.Err())
	}
	if address, ok := errors.AsType[*url.Error](err); ok {
		err = address.Err // without the address: the operation says enough
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer in time: %w", err)
	}
	return c.fail(call, Unavailable, err)
}

func (c *Client) fail(call call, kind Kind, err error) *Error {
	return &Error{Op: call.op, Kind: kind, Message: oneLine(err.Error(), c.token()), cause: err}
}

func (c *Client) bad(call call, status int, err error) *Error {
	failure := c.fail(call, BadResponse, err)
	failure.Status = status
	return failure
}

// refused is an answer other than 2xx.
func (c *Client) refused(call call, response *http.Response) *Error {
	kind := kindOf(response.StatusCode)
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	message := messageIn(body)
	if kind == BadResponse {
		message = "KROS wants to lead elsewhere"
		if target, err := response.Location(); err == nil {
			message = "redirected to " + target.Host + ", where the token is not sent"
		}
	}
	wait, _ := retryAfter(response.Header, c.clock.Now())
	return &Error{
		Op:         call.op,
		Kind:       kind,
		Status:     response.StatusCode,
		Message:    oneLine(message, c.token()),
		RetryAfter: wait,
	}
}

// decodeCheck accepts what auth/check says beside 200: nothing, or any JSON.
// A page of a proxy says nothing about the token.
func decodeCheck(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var anything json.RawMessage // in Go's values it would take many times its size
	return decodeJSON(body, &anything)
}

func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return nil, errors.New("it is not a URL") // url.Error would repeat what may be a secret
	case base.Scheme != "https" && base.Scheme != "http", base.Host == "":
		return nil, errors.New("it does not begin with https:// and the name of a host")
	case base.User != nil, base.RawQuery != "", base.Fragment != "":
		return nil, fmt.Errorf("behind %q there may be no query, and before it no user", base.Host)
	}
	base.Path = strings.TrimSuffix(strings.TrimRight(base.Path, "/"), "/api")
	base.RawPath = ""
	return base, nil
}

func parseToken(pasted string) (string, error) {
	token := CleanToken(pasted)
	if token == "" {
		return "", errors.New("it is empty")
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("it holds characters that no token has")
	}
	return token, nil
}

// transport is shared by all clients, so that a client may be made for one
// read without leaving connections behind. HTTP/1.1 only: a GET with sentOnce
// is there an ordinary GET.
var transport = sync.OnceValue(func() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	transport.TLSHandshakeTimeout = dialTimeout
	transport.MaxIdleConnsPerHost = 16
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	return transport
})
