package kros

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// margin is added to every wait, because KROS measures with another clock.
const margin = 10 * time.Millisecond

// Limits holds back requests so that KROS never has to: one sliding log a
// token, shared by all clients of the process (docs/kros-api.md: request n
// goes no earlier than 1 s after the answer to n-10 and 60 s after the answer
// to n-300). Counting from the answer is right however long a request was
// under way, because KROS counts it somewhere between the two.
//
// Where clients of one token were given different numbers, each keeps to its
// own over the requests of all.
type Limits struct {
	mu   sync.Mutex
	logs map[[sha256.Size]byte]*slidingLog // by hash, so that no dump shows a token
}

// NewLimits makes a registry. A process has one, or KROS counts what it does not.
func NewLimits() *Limits { return &Limits{logs: map[[sha256.Size]byte]*slidingLog{}} }

func (l *Limits) of(token string) *slidingLog {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := sha256.Sum256([]byte(token))
	if l.logs[key] == nil {
		l.logs[key] = &slidingLog{turn: make(chan struct{}, 1)}
	}
	return l.logs[key]
}

// slidingLog is the requests of one token in the order in which they went,
// without those whose answer is more than a minute old.
type slidingLog struct {
	turn chan struct{} // held by the one who goes next, so that nobody is overtaken

	mu   sync.Mutex
	sent []*sending
}

// sending is one request in the log.
type sending struct {
	log      *slidingLog
	done     chan struct{} // closed when it is answered
	answered time.Time
}

// take waits until one more request may go and notes it as sent. Whoever gives
// up waiting has taken nothing. What it took must be ended with free.
func (l *slidingLog) take(ctx context.Context, clock Clock, perSecond, perMinute int) (*sending, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		taken, until, wait := l.tryTake(clock.Now(), perSecond, perMinute)
		if taken != nil {
			return taken, nil
		}
		if until != nil {
			select {
			case <-until:
			case <-ctx.Done():
			}
			continue
		}
		if err := clock.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// tryTake takes a place and returns it, or the answer that has to come first, or how long
// to wait.
func (l *slidingLog) tryTake(now time.Time, perSecond, perMinute int) (taken *sending, until <-chan struct{}, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	for _, limit := range []struct {
		requests int
		span     time.Duration
	}{{perSecond, time.Second}, {perMinute, time.Minute}} {
		if len(l.sent) < limit.requests {
			continue
		}
		earlier := l.sent[len(l.sent)-limit.requests]
		if earlier.answered.IsZero() {
			return nil, earlier.done, 0
		}
		wait = max(wait, earlier.answered.Add(limit.span+margin).Sub(now))
	}
	if wait > 0 {
		return nil, nil, wait
	}
	taken = &sending{log: l, done: make(chan struct{})}
	l.sent = append(l.sent, taken)
	return taken, nil, 0
}

// forget drops requests that hold nobody back any more.
func (l *slidingLog) forget(now time.Time) {
	kept := slices.IndexFunc(l.sent, func(p *sending) bool {
		return p.answered.IsZero() || now.Sub(p.answered) < time.Minute+margin
	})
	if kept < 0 {
		kept = len(l.sent)
	}
	l.sent = slices.Delete(l.sent, 0, kept)
}

// free notes when the request was answered. One that was given up counts as
// answered when it must have arrived.
func (p *sending) free(answered time.Time) {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	p.answered = answered
	close(p.done)
}
