package relay

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// How many wrong signatures an address may send.
const (
	maxRefusals    = 30
	refusalsWithin = time.Minute
)

// maxAddresses bounds the memory that callers can make the relay spend.
const maxAddresses = 10_000

// refusals counts wrong signatures by address, over a sliding minute.
type refusals struct {
	now func() time.Time

	mu sync.Mutex
	at map[netip.Prefix][]time.Time // oldest first, at most maxRefusals
}

func newRefusals(now func() time.Time) *refusals {
	return &refusals{now: now, at: map[netip.Prefix][]time.Time{}}
}

// add counts one more wrong signature of an address. It is false when the
// address has had all it may have.
func (r *refusals) add(address netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, who := r.now(), network(address)
	recent := slices.DeleteFunc(r.at[who], func(at time.Time) bool { return now.Sub(at) >= refusalsWithin })
	if len(recent) >= maxRefusals {
		return false
	}
	if len(r.at) >= maxAddresses {
		r.forget(now)
	}
	r.at[who] = append(recent, now)
	return true
}

// forget makes room: for those whose minute is over or, where that is not
// enough, for all. A forgotten address gets 401 instead of 429 and gains nothing.
func (r *refusals) forget(now time.Time) {
	for who, recent := range r.at {
		if now.Sub(recent[len(recent)-1]) >= refusalsWithin {
			delete(r.at, who)
		}
	}
	if len(r.at) > maxAddresses/2 {
		clear(r.at)
	}
}

// network is whom an address belongs to: of IPv6 everybody has a whole /64.
func network(address netip.Addr) netip.Prefix {
	bits := 64
	if address.Is4() {
		bits = 32
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // a connection without an address
	}
	return prefix
}
