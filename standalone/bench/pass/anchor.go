package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"

	"github.com/skladom/skladom/standalone/bench/internal/house"
)

// Sizes of requests, as Skladom sends them.
const (
	pageSize  = 100
	batchSize = 500
)

// task is what an anchor is to do.
type task struct {
	URL     string `json:"url"` // of the sides
	Goods   goods  `json:"goods"`
	Pages   int    `json:"pages"`   // under way at once; the first pass of a shop reads one after the other
	Lookups int    `json:"lookups"` // under way at once; writes go one after the other
}

// cost is what something took.
type cost struct {
	Wall time.Duration `json:"wall"`
	User time.Duration `json:"user"`
}

// anchor makes a role of something that prepares and then does a task. Only
// the doing is measured.
func anchor(prepare func(task) (do func(context.Context) error)) func(context.Context, io.Reader, io.Writer) error {
	return func(ctx context.Context, in io.Reader, out io.Writer) error {
		var t task
		if err := json.NewDecoder(in).Decode(&t); err != nil {
			return fmt.Errorf("read the task: %w", err)
		}
		do := prepare(t)
		began, before := time.Now(), userTime()
		if err := do(ctx); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(cost{Wall: time.Since(began), User: userTime() - before})
	}
}

func userTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // of the own process it is always told
	}
	return time.Duration(usage.Utime.Nano())
}

// measured does something and says what it took a process that has run before
// and runs on.
func measured(p *house.Process, do func() error) (c cost, peak int, err error) {
	if err := p.ForgetPeak(); err != nil {
		return cost{}, 0, err
	}
	before, _, err := p.Used()
	if err != nil {
		return cost{}, 0, err
	}
	began := time.Now()
	if err := do(); err != nil {
		return cost{}, 0, err
	}
	c.Wall = time.Since(began)
	after, _, err := p.Used()
	if err != nil {
		return cost{}, 0, err
	}
	c.User = after - before
	peak, err = p.Peak()
	return c, peak, err
}

// runAnchor runs a role in a process of its own.
func runAnchor(ctx context.Context, role string, t task) (cost, error) {
	p, err := house.Self(ctx, role, t)
	if err != nil {
		return cost{}, err
	}
	var c cost
	if err := json.NewDecoder(p.Out).Decode(&c); err != nil {
		return cost{}, fmt.Errorf("the %s did not end well: %w", role, err)
	}
	return c, p.Wait()
}

// send sends a request and hands its answer to read.
func send(ctx context.Context, method, url string, body []byte, read func(io.Reader) error) error {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPatch {
		request.Header.Set("Idempotency-Key", rand.Text())
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, url, response.Status)
	}
	return read(response.Body)
}

func (t task) page(i int) string {
	return fmt.Sprintf("%s/kros/api/catalog-items?Skip=%d&Top=%d", t.URL, i*pageSize, pageSize)
}

func (t task) fynode(path string) string { return t.URL + "/fynode/anchor/api/v1/" + path }
