package faults

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// Side is one end of a connection.
type Side string

// The two ends.
const (
	Kros Side = "kros"
	Shop Side = "shop"
)

// Fault is one thing that goes wrong in a pass: an Answer of a simulator, a
// Toxic of the network, or a page of KROS that comes Again.
type Fault struct {
	Side   Side          `json:"side"`
	Answer *Answer       `json:"answer,omitempty"`
	Toxic  *Toxic        `json:"toxic,omitempty"`
	Again  int           `json:"again,omitempty"` // so many pages behind the first are the page before once more
	Lift   time.Duration `json:"lift,omitempty"`  // ends after so long; 0: with the pass
}

// Answer is a fault of a simulator, as both know it.
type Answer struct { //nolint:recvcheck // it is filled by pointer and read by value
	Kind      string         `json:"kind"`
	Path      string         `json:"path,omitempty"`
	Product   string         `json:"product,omitempty"`
	Status    int            `json:"status,omitempty"`
	Retry     string         `json:"retry,omitempty"`     // the header Retry-After as it is
	RetryDate *time.Duration `json:"retryDate,omitempty"` // it is a date, so far from now by the side's clock
	Echo      bool           `json:"echo,omitempty"`      // the body repeats the token
	DelayMS   int            `json:"delayMs,omitempty"`
	After     int            `json:"after,omitempty"`
	Count     int            `json:"count"`
}

// Toxic is a fault of the network, in the words of toxiproxy.
type Toxic struct {
	Type       string         `json:"type"`
	Stream     string         `json:"stream"`
	Toxicity   float32        `json:"toxicity"`
	Attributes map[string]int `json:"attributes"`
}

// name says which kind of fault it is, for the summary.
func (f Fault) name() string {
	switch {
	case f.Toxic != nil:
		return fmt.Sprintf("%s network %s %s", f.Side, f.Toxic.Type, f.Toxic.Stream)
	case f.Again > 0:
		return "kros page twice"
	case f.Answer.Kind != "status":
		return fmt.Sprintf("%s %s", f.Side, f.Answer.Kind)
	}
	retry := ""
	switch {
	case f.Answer.RetryDate != nil:
		retry = " Retry-After date"
	case f.Answer.Retry != "":
		retry = " Retry-After"
	}
	return fmt.Sprintf("%s %d%s", f.Side, f.Answer.Status, retry)
}

// waitsLong tells whether somebody is asked to come back in hours.
func (f Fault) waitsLong() bool {
	return f.Answer != nil && f.Answer.RetryDate != nil || f.Answer != nil && f.Answer.Retry != ""
}

// lies tells whether the side says in good form what is not so.
func (f Fault) lies() bool {
	return f.Answer != nil && (f.Answer.Kind == string(krossim.FaultEmpty) || f.Answer.Kind == string(fynodesim.FaultWrongID))
}

// losesWrites tells whether the shop may have carried out what it did not
// answer.
func (f Fault) losesWrites() bool {
	if f.Side != Shop {
		return false
	}
	if f.Toxic != nil {
		return true
	}
	return f.Answer.Path == "" || f.Answer.Path == "products/stock"
}

func (a Answer) retry(clock time.Time) string {
	if a.RetryDate != nil {
		return clock.Add(*a.RetryDate).UTC().Format(http.TimeFormat)
	}
	return a.Retry
}

func (a Answer) body(token string) string {
	if !a.Echo {
		return ""
	}
	text, _ := json.Marshal(map[string]any{"title": "refused", "detail": "Authorization: Bearer " + token + " was not good enough"})
	return string(text)
}

func (a Answer) ofKros(token string, clock time.Time) krossim.Fault {
	return krossim.Fault{
		Kind: krossim.FaultKind(a.Kind), Path: a.Path, Status: a.Status, RetryAfter: a.retry(clock), Body: a.body(token),
		DelayMS: a.DelayMS, After: a.After, Count: a.Count,
	}
}

func (a Answer) ofShop(token string, clock time.Time) fynodesim.Fault {
	return fynodesim.Fault{
		Kind: fynodesim.FaultKind(a.Kind), Path: a.Path, Product: a.Product, Status: a.Status, RetryAfter: a.retry(clock), Body: a.body(token),
		DelayMS: a.DelayMS, After: a.After, Count: a.Count,
	}
}

func (t Toxic) json(n int) string {
	text, _ := json.Marshal(struct {
		Toxic
		Name string `json:"name"`
	}{t, strconv.Itoa(n)})
	return string(text)
}

// The matrix. Statuses of both contracts come first, then what proxies and
// strangers answer.
var statuses = []int{
	400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 429, 429, 429, 500, 502, 503, 503, 504,
	201, 204, 206, 300, 301, 304, 307, 308, 405, 406, 410, 411, 412, 414, 415, 418, 421, 423, 425, 426, 431, 451, 499, 501, 505, 507, 508, 511, 520, 522, 524, 530, 599,
}

// oftenStatuses is how many of statuses are of the contracts; every second
// status is one of them.
const oftenStatuses = 18

var retryAfters = []string{"", "", "1", "2", "3", "0", "-5", "0.5", " 2 ", "soon", "20", "36000", "99999999999999999999", "NaN", "Wed, 21 Oct 2015 07:28:00 GMT"}

var retryDates = []time.Duration{-time.Hour, 0, 2 * time.Second, 10 * time.Hour, 1000 * time.Hour}

var krosPaths = []string{"catalog-items", "catalog-items", "catalog-items", ""}

var shopPaths = []string{"products/lookup", "products/stock", "products/stock", "shop", ""}

// makeFault draws a fault.
func makeFault(r *rand.Rand, products []string) Fault {
	f := Fault{Side: pick(r, []Side{Kros, Shop})}
	switch n := r.IntN(100); {
	case n < 25:
		f.Toxic = makeToxic(r)
		f.Lift = time.Duration(300+r.IntN(5000)) * time.Millisecond
	case n < 29 && f.Side == Kros:
		f.Again = 1 + r.IntN(3)
	default:
		f.Answer = makeAnswer(r, f.Side, products)
		patient := f.Answer.Status == http.StatusTooManyRequests // the product waits as long as it is asked to
		if f.Answer.Count < 0 && (patient || r.IntN(10) > 0) {
			f.Lift = time.Duration(500+r.IntN(12_000)) * time.Millisecond
		}
	}
	return f
}

func makeAnswer(r *rand.Rand, side Side, products []string) *Answer {
	a := Answer{Count: 1 + r.IntN(3), After: max(0, r.IntN(6)-2)}
	switch n := r.IntN(20); {
	case n < 3:
		a.Count = 4 + r.IntN(5)
	case n < 5:
		a.Count = -1
	}
	if side == Kros {
		a.Path = pick(r, krosPaths)
		a.Kind = pick(r, []string{"status", "status", "status", "status", "html", "cut", "reset", "slow", "empty", "redirect"})
	} else {
		a.Path = pick(r, shopPaths)
		a.Kind = pick(r, []string{"status", "status", "status", "status", "html", "cut", "reset_before", "reset_after", "reset_after", "slow", "empty", "redirect", "wrong_id"})
	}
	switch a.Kind {
	case "status":
		a.status(r, side, products)
	case "html":
		a.Status = pick(r, []int{0, 0, 403, 404, 500, 502, 503})
	case "slow":
		a.DelayMS = 50 + r.IntN(2500)
	}
	return &a
}

func (a *Answer) status(r *rand.Rand, side Side, products []string) {
	a.Status = statuses[r.IntN(oftenStatuses)]
	if r.IntN(4) == 0 {
		a.Status = pick(r, statuses)
	}
	a.Echo = r.IntN(8) == 0
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		a.Retry = pick(r, retryAfters)
		if r.IntN(3) == 0 {
			date := pick(r, retryDates)
			a.RetryDate = &date
		}
	}
	if side == Shop && len(products) > 0 && r.IntN(6) == 0 {
		a.Path, a.Product, a.Status = "products/stock", pick(r, products), pick(r, []int{400, 413, 422, 500})
		a.Count, a.After = cmp.Or(max(a.Count, 0), 6), 0
	}
}

func makeToxic(r *rand.Rand) *Toxic {
	t := &Toxic{
		Type:     pick(r, []string{"latency", "bandwidth", "slicer", "reset_peer", "limit_data", "timeout", "slow_close"}),
		Stream:   pick(r, []string{"upstream", "downstream", "downstream"}),
		Toxicity: pick(r, []float32{0.3, 0.6, 1}),
	}
	switch t.Type {
	case "latency":
		t.Attributes = map[string]int{"latency": 20 + r.IntN(600), "jitter": r.IntN(300)}
	case "bandwidth": // KB/s
		t.Attributes = map[string]int{"rate": 4 + r.IntN(100)}
	case "slicer": // bytes, and microseconds between them
		t.Attributes = map[string]int{"average_size": 64 + r.IntN(512), "size_variation": 32, "delay": r.IntN(2000)}
	case "reset_peer":
		t.Attributes = map[string]int{"timeout": r.IntN(200)}
	case "limit_data":
		t.Attributes = map[string]int{"bytes": 100 + r.IntN(6000)}
	case "timeout":
		t.Attributes = map[string]int{"timeout": 200 + r.IntN(1500)}
	case "slow_close":
		t.Attributes = map[string]int{"delay": 100 + r.IntN(1000)}
	}
	return t
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// lines writes a value down for people who look at a failure.
func lines(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(text), `},{"`, "},\n    {\"")
}
