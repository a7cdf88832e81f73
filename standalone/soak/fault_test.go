package soak

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/skladom/skladom/standalone/internal/market"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

var statuses = []int{400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 429, 429, 500, 502, 503, 504, 204, 301, 418}

var retryAfters = []string{"", "1", "2", "3", "0", "-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"}

// Ends that say in good form what is not so are left to package faults, but for
// those that a small shop sees at once: nothing at all, and a stranger.
const smallShop = 100

var (
	krosKinds  = []krossim.FaultKind{krossim.FaultStatus, krossim.FaultStatus, krossim.FaultHTML, krossim.FaultCut, krossim.FaultReset, krossim.FaultSlow, krossim.FaultRedirect, krossim.FaultEmpty}
	shopKinds  = []fynodesim.FaultKind{fynodesim.FaultStatus, fynodesim.FaultStatus, fynodesim.FaultHTML, fynodesim.FaultCut, fynodesim.FaultResetBefore, fynodesim.FaultResetAfter, fynodesim.FaultResetAfter, fynodesim.FaultSlow, fynodesim.FaultRedirect, fynodesim.FaultWrongID}
	shopPaths  = []string{"products/lookup", "products/stock", "products/stock", "shop", ""}
	htmlStatus = []int{http.StatusOK, http.StatusForbidden, http.StatusBadGateway}
)

// plant has one of the next requests of a shop go wrong, at either side.
func (s *soak) plant(shop *market.Shop) error {
	r := s.random
	count, after := 1+r.IntN(2), r.IntN(3)
	if r.IntN(8) == 0 {
		count = -1
	}
	if r.IntN(2) == 0 {
		f := krossim.Fault{Kind: pick(r, krosKinds), Count: count, After: after}
		if f.Kind == krossim.FaultEmpty && shop.Items() > smallShop {
			f.Kind = krossim.FaultReset
		}
		f.Status, f.RetryAfter, f.DelayMS = details(r, string(f.Kind))
		s.count(s.planted, name("KROS", string(f.Kind), f.Status, f.RetryAfter))
		return shop.KROS.AddFault(f)
	}
	f := fynodesim.Fault{Kind: pick(r, shopKinds), Path: pick(r, shopPaths), Count: count, After: after}
	if f.Kind == fynodesim.FaultWrongID {
		f.Path, f.After = "shop", 0
	}
	f.Status, f.RetryAfter, f.DelayMS = details(r, string(f.Kind))
	s.count(s.planted, name("e-shop", string(f.Kind), f.Status, f.RetryAfter))
	return shop.Fynode.AddFault(f)
}

func details(r *rand.Rand, kind string) (status int, retryAfter string, delayMS int) {
	switch kind {
	case "status":
		status = pick(r, statuses)
	case "html":
		status = pick(r, htmlStatus)
	case "slow":
		delayMS = 50 + r.IntN(int(min(*every, 3*time.Second)/time.Millisecond))
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		retryAfter = pick(r, retryAfters)
	}
	return status, retryAfter, delayMS
}

// name says which kind of fault it is, for the summary.
func name(side, kind string, status int, retryAfter string) string {
	if kind == "status" {
		kind = strconv.Itoa(status)
	}
	if retryAfter != "" {
		kind += " Retry-After"
	}
	return fmt.Sprintf("%s %s", side, kind)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
