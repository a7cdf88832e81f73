// Package fynode is the driver for e-shops that run on Fynode: it speaks the
// contract in api.yaml and is tolerant of what shops make of it. Everything
// that is particular to Fynode lives here.
//
// Nothing of Temporal, of KROS or of the configuration may enter, and no
// retries: package shop repeats what is worth repeating.
package fynode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/samber/lo"

	"github.com/skladom/skladom/internal/quickjson"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode/internal/api"
	"github.com/skladom/skladom/stock"
)

// Limits of a request.
const (
	requestTime = 60 * time.Second // from the first byte sent to the last received
	dialTime    = 10 * time.Second
	maxAnswer   = 32 << 20 // bytes, unpacked; 500 products are far below 1 MiB
	maxRefusal  = 64 << 10 // of an answer that is only looked at for a message
	maxElements = 50_000   // of a list in an answer: one key of a request may have several products
	maxText     = 1000     // bytes of any text of a product; ids are not cut but refused
	maxValue    = 64       // characters of a key that the contract lets ask for
)

// Config is the access to one shop.
type Config struct {
	URL    string       // where the API begins, such as https://shop.example.com/api/v1
	APIKey string       // the token, without "Bearer"
	HTTP   *http.Client // nil: one with the limits above, shared by all clients
}

// Client is one Fynode shop. It is safe for concurrent use.
type Client struct {
	api *api.Client
	// public takes the token out of a text, where a shop repeats it. The token
	// is in no field, so that a printed client does not show it.
	public func(text string) string
}

var _ shop.Shop = (*Client)(nil)

// New makes a client; it asks nothing of the shop yet.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.URL)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, fmt.Errorf("fynode: the URL %q is not one of a shop's API, such as https://shop.example.com/api/v1", shown(config.URL))
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("fynode: the URL %q is to hold no user, query or fragment", shown(config.URL))
	}
	if config.APIKey == "" || strings.ContainsFunc(config.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("fynode: the API key is empty, or holds spaces or other characters that no key has")
	}
	client, err := api.NewClient(base.String(), api.WithHTTPClient(limited(config.HTTP)),
		api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+config.APIKey)
			r.Header.Set("Accept", "application/json, application/problem+json")
			r.Header.Set("User-Agent", "skladom")
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("fynode: make the client: %w", err)
	}
	return &Client{api: client, public: strings.NewReplacer(config.APIKey, "[redacted]").Replace}, nil
}

// Check asks GET /shop.
func (c *Client) Check(ctx context.Context) (shop.Identity, error) {
	const op = "check"
	var answer api.Shop
	err := c.ask(ctx, op, func() (*http.Response, error) { return c.api.GetShop(ctx) }, func(body []byte) error {
		return json.Unmarshal(body, &answer)
	})
	if err != nil {
		return shop.Identity{}, err
	}
	if answer.Id == "" || len(answer.Id) > maxText {
		return shop.Identity{}, c.badShape(op, `the shop does not say its "id"`)
	}
	products, _ := answer.Products.Int64() // for information only: 0 where it is no number
	return shop.Identity{ID: string(answer.Id), Name: cut(answer.Name), Products: int(products)}, nil
}

// Lookup asks POST /products/lookup. Keys that the contract does not let ask
// for, empty or longer than 64 characters, belong to no product.
func (c *Client) Lookup(ctx context.Context, by stock.Match, keys []string) ([]stock.Product, error) {
	const op = "look up products"
	values := lo.FilterMap(keys, func(key string, _ int) (string, bool) {
		key = strings.TrimSpace(key)
		return key, key != "" && utf8.RuneCountInString(key) <= maxValue
	})
	if len(values) == 0 {
		return nil, nil
	}
	question := quickjson.Begin(nil)
	question.Text("by", string(by))
	quickjson.List(&question, "values", values, quickjson.AppendText)
	body := question.End()
	var answer products
	err := c.ask(ctx, op, func() (*http.Response, error) {
		return c.api.LookupProductsWithBody(ctx, contentType, bytes.NewReader(body))
	}, answer.read)
	if err != nil {
		return nil, err
	}
	return answer.list, nil
}

// List asks GET /products.
func (c *Client) List(ctx context.Context, cursor string) ([]stock.Product, string, error) {
	const op = "list products"
	var answer products
	err := c.ask(ctx, op, func() (*http.Response, error) {
		return c.api.ListProducts(ctx, &api.ListProductsParams{Cursor: lo.EmptyableToPtr(cursor), Limit: json.Number(strconv.Itoa(shop.MaxBatch))})
	}, answer.read)
	if err != nil {
		return nil, "", err
	}
	return answer.list, answer.next, nil
}

// SetStock asks PATCH /products/stock. An answer that does not tell of each
// change, in their order, is a bad response: what was written is unknown then.
func (c *Client) SetStock(ctx context.Context, idempotencyKey string, changes []shop.Change) ([]shop.Result, error) {
	const op = "set stock"
	if len(changes) == 0 {
		return nil, nil
	}
	question := quickjson.Begin(nil)
	quickjson.List(&question, "items", changes, appendChange)
	body := question.End()
	answer := results{of: changes, public: c.public}
	err := c.ask(ctx, op, func() (*http.Response, error) {
		return c.api.SetStockWithBody(ctx, &api.SetStockParams{IdempotencyKey: idempotencyKey}, contentType, bytes.NewReader(body))
	}, answer.read)
	if err != nil {
		return nil, err
	}
	return answer.list, nil
}

// limited is the client with Skladom's limits: a time-out, and no redirect
// followed, which would carry the token to wherever the answer points.
func limited(client *http.Client) *http.Client {
	if client == nil {
		client = &http.Client{Transport: transport}
	}
	limited := *client
	limited.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if limited.Timeout == 0 {
		limited.Timeout = requestTime
	}
	return &limited
}

// transport is shared, so that a shop's connections outlive a client.
var transport = func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: dialTime, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = dialTime
	t.MaxIdleConnsPerHost = 16
	return t
}()

// shown is what of a URL may be shown: no user and no query, either may be a
// secret.
func shown(raw string) string {
	base, err := url.Parse(raw)
	if err != nil {
		return "(unreadable)"
	}
	return (&url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path}).String()
}
