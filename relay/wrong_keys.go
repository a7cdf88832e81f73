package relay

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/api/serviceerror"

	"github.com/skladom/skladom/protocol"
)

const (
	// tellEvery is how often at most a shop is told of wrong signatures.
	tellEvery = time.Hour
	// tellAgain is when one may be tried again that Temporal did not take.
	tellAgain = time.Minute
	// maxUntold is how many names may wait to be looked at.
	maxUntold = 64
)

// wrongKeys tells StockSync of known shops that KROS calls with a wrong key,
// for its status. Callers leave a name, known or not, and go: who is known is
// found out behind their backs, so that no time of an answer shows it.
type wrongKeys struct {
	shops Shops
	send  func(ctx context.Context, shop, signal string) error
	log   hclog.Logger
	now   func() time.Time

	mu      sync.Mutex
	untold  []wrongKey
	working bool

	notBefore map[string]time.Time // of known shops; work alone uses it
}

// wrongKey is one wrong signature, of a shop that may not exist.
type wrongKey struct {
	shop string
	at   time.Time
}

// note leaves the name of a shop, each once. Where too many wait it is dropped:
// KROS repeats.
func (k *wrongKeys) note(shop string) {
	wrong := wrongKey{shop, k.now()}
	k.mu.Lock()
	defer k.mu.Unlock()
	same := func(other wrongKey) bool { return other.shop == shop }
	if len(k.untold) >= maxUntold || slices.ContainsFunc(k.untold, same) {
		return
	}
	k.untold = append(k.untold, wrong)
	if !k.working {
		k.working = true
		go k.work()
	}
}

// work tells one shop after the other until none is left.
func (k *wrongKeys) work() {
	for {
		wrong, ok := k.take()
		if !ok {
			return
		}
		k.tell(wrong)
	}
}

func (k *wrongKeys) take() (wrong wrongKey, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.untold) == 0 {
		k.working = false
		return wrongKey{}, false
	}
	wrong = k.untold[0]
	k.untold = slices.Delete(k.untold, 0, 1)
	return wrong, true
}

// tell tells a shop unless nobody knows it or it was told lately.
func (k *wrongKeys) tell(wrong wrongKey) {
	versions, _ := k.shops.KeyVersions(wrong.shop)
	if len(versions) == 0 || wrong.at.Before(k.notBefore[wrong.shop]) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), signalTimeout)
	defer cancel()
	err := k.send(ctx, wrong.shop, protocol.SignalRefused)
	k.notBefore[wrong.shop] = wrong.at.Add(tellEvery)
	if err != nil {
		k.notBefore[wrong.shop] = wrong.at.Add(tellAgain)
	}
	var notFound *serviceerror.NotFound
	if err != nil && !errors.As(err, &notFound) { // one that does not run need not know
		k.log.Warn("StockSync not told of a wrong signature", "shop", wrong.shop, "error", err)
	}
}
