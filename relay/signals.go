package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/api/serviceerror"

	"github.com/skladom/skladom/protocol"
)

const (
	// signalGap is the least time between the beginnings of two signals to a shop.
	signalGap = time.Second
	// signalTimeout is how long Temporal may take to accept a signal. KROS wants
	// a quick answer, and repeats.
	signalTimeout = 5 * time.Second
)

// signals sends the signals of all shops: to each at most one a second. Those
// who come meanwhile share the next one, so every notification is followed by a
// signal that was sent after it had come.
type signals struct {
	send func(ctx context.Context, shop, signal string) error
	log  hclog.Logger

	mu   sync.Mutex
	next map[string]*sending // of each shop that was signalled within signalGap; nil: nobody waits
}

// sending is a signal that has not yet been sent, for all who wait for it.
type sending struct {
	done chan struct{} // closed when err is known
	err  error
}

func newSignals(send func(ctx context.Context, shop, signal string) error, log hclog.Logger) *signals {
	return &signals{send: send, log: log, next: map[string]*sending{}}
}

// deliver returns when Temporal has accepted, or refused, a signal that was
// sent after deliver was called. The signal is sent even where ctx ends before.
func (s *signals) deliver(ctx context.Context, shop string) error {
	mine := s.join(shop)
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *signals) join(shop string) *sending {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine, busy := s.next[shop]
	if mine == nil {
		mine = &sending{done: make(chan struct{})}
		s.next[shop] = mine
	}
	if !busy {
		go s.work(shop)
	}
	return mine
}

// work sends signals to a shop until nobody has asked for one during a gap.
func (s *signals) work(shop string) {
	for {
		now := s.take(shop)
		if now == nil {
			return
		}
		gap := time.NewTimer(signalGap)
		now.err = s.try(shop)
		close(now.done)
		<-gap.C
	}
}

// take returns what is to be sent now, and whoever comes from here on waits
// for the next one. Where nobody waits, the shop's work is over.
func (s *signals) take(shop string) *sending {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.next[shop]
	if now == nil {
		delete(s.next, shop)
		return nil
	}
	s.next[shop] = nil
	return now
}

func (s *signals) try(shop string) error {
	ctx, cancel := context.WithTimeout(context.Background(), signalTimeout)
	defer cancel()
	err := s.send(ctx, shop, protocol.SignalNotification)
	var notFound *serviceerror.NotFound
	switch {
	case err == nil:
		s.log.Debug("notification passed on", "shop", shop)
	case errors.As(err, &notFound):
		s.log.Warn("notification refused: the shop is not activated", "shop", shop)
	default:
		s.log.Error("notification not passed on", "shop", shop, "error", err)
	}
	return err
}
