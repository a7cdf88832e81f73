package activities

import (
	"sync"
	"time"

	"github.com/skladom/skladom/protocol"
)

// handover holds what one activity of a pass has just put into the archive, or
// read from it, for the next one on the same worker, which need not decode it
// again. It is a short cut and no more: what is not in it, because another
// worker, a repeat or a longer wait is between, is read from the archive. And
// who takes it checks that the archive still has it: that alone is what a pass
// relies on, and what the next pass will find.
type handover struct {
	mu   sync.Mutex
	rows int
	held map[protocol.Ref]handed
}

type handed struct {
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
		h.held = map[protocol.Ref]handed{}
	}
	h.held[ref] = handed{value: value, forget: time.AfterFunc(handoverFor, func() { h.take(ref) })}
	h.rows += ref.Rows
}

// take returns what was given, once.
func (h *handover) take(ref protocol.Ref) (value any, held bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	given, held := h.held[ref]
	if held {
		given.forget.Stop()
		delete(h.held, ref)
		h.rows -= ref.Rows
	}
	return given.value, held
}
