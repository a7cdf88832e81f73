package activities

import (
	"context"
	"sync"
	"time"

	"github.com/skladom/skladom/protocol"
)

// handover holds what one activity of a pass has just put into the archive, or
// read from it, for the next one on the same worker, which need not decode it
// again. It is a short cut and no more: handed reads from the archive what is not
// in it, because another worker, a repeat or a longer wait is between.
type handover struct {
	mu   sync.Mutex
	rows int
	held map[protocol.Ref]given
}

type given struct {
	value  any
	forget *time.Timer
}

const (
	// handoverRows bounds the memory: one pass of a shop of 100,000 items holds
	// twice as many at most. What has no room is not held.
	handoverRows = 1 << 18
	// handoverFor is more than Temporal takes from one activity to the next. A
	// pass that was cancelled between has left something behind until then.
	handoverFor = 10 * time.Second
)

// give holds the rows that a reference points to. They must not change any more.
func (h *handover) give(ref protocol.Ref, value any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, again := h.held[ref]; again || ref.Zero() || h.rows+ref.Rows > handoverRows {
		return
	}
	if h.held == nil {
		h.held = map[protocol.Ref]given{}
	}
	h.held[ref] = given{value: value, forget: time.AfterFunc(handoverFor, func() { h.take(ref) })}
	h.rows += ref.Rows
}

// handed is what was given for ref, or else what read gets from the archive. That
// the archive still has it is checked in any case: that alone is what a pass
// relies on, and what the next pass will find.
func handed[T any](ctx context.Context, a *Activities, ref protocol.Ref, read func(context.Context, protocol.Ref) (T, error)) (T, error) {
	if value, held := a.handover.take(ref); held {
		return value.(T), a.archive.Check(ctx, ref)
	}
	return read(ctx, ref)
}

// take returns what was given, once.
func (h *handover) take(ref protocol.Ref) (value any, held bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one, held := h.held[ref]
	if held {
		one.forget.Stop()
		delete(h.held, ref)
		h.rows -= ref.Rows
	}
	return one.value, held
}
