package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/testsuite/krossim"
)

const (
	pageSize = 100
	token    = "bench-token"
)

// sweep is one reading of a whole catalogue, and what became of it.
type sweep struct {
	items   int
	latency time.Duration // of each answer
	known   bool          // how long the list is, from an earlier sweep

	sim   *krossim.Server
	url   string
	close func()

	took   time.Duration
	counts krossim.Counts // as the server counts
}

// pages is how many have to be read.
func (s *sweep) pages() int { return s.items/pageSize + 1 }

// open serves a KROS with KROS's own limits, until close.
func (s *sweep) open(ctx context.Context) error {
	s.sim = krossim.New(krossim.Options{Token: token, Latency: s.latency, Items: catalogue(s.items)})
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open a port for the simulator: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.sim.Run(ctx, listener) // whose requests are not answered fails the sweep
	}()
	s.close = func() {
		cancel()
		<-ended
	}
	return nil
}

func (s *sweep) run(ctx context.Context) error {
	read, err := s.read(ctx)
	if err != nil {
		return err
	}
	s.counts = s.sim.State().Counts
	if !read.Complete || len(read.Items) != s.items {
		return fmt.Errorf("%d items were read, complete: %v", len(read.Items), read.Complete)
	}
	if read.Requests < s.counts.Requests {
		return fmt.Errorf("the server counts %d requests, the client %d", s.counts.Requests, read.Requests)
	}
	return nil
}

func (s *sweep) read(ctx context.Context) (kros.Sweep, error) {
	client, err := kros.New(kros.Config{URL: s.url, Token: token})
	if err != nil {
		return kros.Sweep{}, err
	}
	options := kros.SweepOptions{}
	if s.known {
		options.Expected = s.items
	}
	began := time.Now()
	read, err := client.Sweep(ctx, options)
	s.took = time.Since(began)
	return read, err
}

func catalogue(n int) []krossim.Item {
	return lo.Times(n, func(i int) krossim.Item {
		return krossim.Item{
			ItemCode: fmt.Sprintf("SK-%06d", i), Name: fmt.Sprintf("Čaj bylinný sypaný č. %d, 50 g", i),
			EANCode: fmt.Sprintf("858%09d%d", i, i%10), MeasureUnit: "ks",
			Warehouses: []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(strconv.Itoa(i % 400))}},
		}
	})
}

// least is the shortest time in which all pages can be read where each answer
// takes so long: a request goes no earlier than a second after the answer to
// the tenth before it, and a minute after the answer to the 300th
// (docs/kros-api.md).
func (s *sweep) least(latency time.Duration) time.Duration {
	sent := make([]time.Duration, s.pages())
	for i := range sent {
		if i >= kros.DefaultPerSecond {
			sent[i] = max(sent[i], sent[i-kros.DefaultPerSecond]+latency+time.Second)
		}
		if i >= kros.DefaultPerMinute {
			sent[i] = max(sent[i], sent[i-kros.DefaultPerMinute]+latency+time.Minute)
		}
	}
	return sent[len(sent)-1] + latency
}

func (s *sweep) ratio(latency time.Duration) float64 {
	return s.took.Seconds() / s.least(latency).Seconds()
}

// exceeded tells where the server counted more than KROS grants.
func (s *sweep) exceeded() error {
	if c := s.counts; c.Rejected > 0 || c.MaxPerSecond > kros.DefaultPerSecond || c.MaxPerMinute > kros.DefaultPerMinute {
		return fmt.Errorf("sweep of %d items with answers of %s: KROS counted %d requests in a second and %d in a minute, and refused %d",
			s.items, s.latency, c.MaxPerSecond, c.MaxPerMinute, c.Rejected)
	}
	return nil
}
