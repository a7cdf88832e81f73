// Package relay receives the notifications of KROS over HTTP and passes each
// on as a signal to StockSync of its shop (docs/design.md, section 7).
//
// A notification is a hint to read again: nothing of its body is used but its
// signature, and no workflow is ever started for it. No configuration, no
// stock and no token of a shop may enter; whoever runs the relay tells it which
// keys count and how to signal.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/api/serviceerror"

	"github.com/skladom/skladom/kros"
)

// Path is where the notifications of a shop come in, below the public URL.
func Path(shop string) string { return "/webhooks/kros/" + shop }

// Bounds of what the outside may take.
const (
	maxBody   = 1 << 20 // bytes
	maxBodies = 64      // being read or verified at a time
	patience  = time.Second
)

// What a caller is asked to wait before it tries again.
const (
	retryBusy        = 1 * time.Second
	retryUnavailable = 10 * time.Second
)

// Options are what a relay needs; TrustedProxies may be empty.
type Options struct {
	Shops     Shops
	MasterKey []byte
	// Signal sends a signal without a payload to StockSync of a shop. It fails
	// with *serviceerror.NotFound where none runs, and returns nil only when
	// Temporal has the signal.
	Signal         func(ctx context.Context, shop, signal string) error
	TrustedProxies []netip.Prefix // whose X-Forwarded-For counts
	Logger         hclog.Logger
	Now            func() time.Time
}

// Shops knows which authorization keys count.
type Shops interface {
	// KeyVersions returns the versions of a shop's key that are accepted, none
	// for a shop that is not known, and the greatest number of versions that
	// any shop has: as many are tried for every name, so that time tells nothing.
	KeyVersions(shop string) (versions []int, most int)
}

// New makes the handler of all notifications. Run it with Serve.
func New(o Options) http.Handler {
	r := &relay{
		shops:     o.Shops,
		masterKey: o.MasterKey,
		proxies:   o.TrustedProxies,
		log:       o.Logger,
		bodies:    make(chan struct{}, maxBodies),
		refusals:  newRefusals(o.Now),
		signals:   newSignals(o.Signal, o.Logger),
		wrongKeys: &wrongKeys{shops: o.Shops, send: o.Signal, log: o.Logger, now: o.Now, notBefore: map[string]time.Time{}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path("{shop}"), r.receive)
	mux.HandleFunc("GET "+Path("{shop}"), describe) // and HEAD
	return mux
}

type relay struct {
	shops     Shops
	masterKey []byte
	proxies   []netip.Prefix
	log       hclog.Logger
	bodies    chan struct{}
	refusals  *refusals
	signals   *signals
	wrongKeys *wrongKeys
}

// describe answers a person who opens the URL. It says the same for every
// name, so nobody learns which shops there are.
func describe(w http.ResponseWriter, _ *http.Request) {
	header(w)
	_, _ = io.WriteString(w, `This address receives notifications of KROS Fakturácia for Skladom.

There is nothing to see here. Copy the address into KROS (Nastavenia, API prepojenia) as the
URL for API notifications, together with the authorization key that "skladom webhook" prints.
`)
}

func (r *relay) receive(w http.ResponseWriter, req *http.Request) {
	shop := req.PathValue("shop")
	genuine, err := r.examine(w, req, shop)
	switch {
	case err != nil:
		r.unread(w, req, err)
	case !genuine:
		r.refuse(w, req, shop)
	default:
		r.pass(w, req, shop)
	}
}

// errBusy means that too many bodies are in flight.
var errBusy = errors.New("too many notifications at once")

// examine reads the body and tells whether its signature is right. The body is
// gone when it returns: those that wait for Temporal hold none.
func (r *relay) examine(w http.ResponseWriter, req *http.Request, shop string) (bool, error) {
	if !r.enter(req.Context()) {
		return false, errBusy
	}
	defer func() { <-r.bodies }()
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		return false, err
	}
	return r.genuine(shop, body, req.Header.Get(kros.SignatureHeader)), nil
}

// enter takes one of the places for bodies. A storm of notifications is over in
// less than its patience, and none has to be repeated; slow callers may keep the
// places for longer.
func (r *relay) enter(ctx context.Context) bool {
	select {
	case r.bodies <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r.bodies <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// genuine tells whether the signature is right under one of the shop's keys.
// Names that are not known and shops with fewer keys cost as much as the others.
func (r *relay) genuine(shop string, body []byte, signature string) bool {
	versions, most := r.shops.KeyVersions(shop)
	right := false
	for i := range max(most, len(versions), 1) {
		version := 0 // of no shop
		if i < len(versions) {
			version = versions[i]
		}
		fits := kros.Verify(kros.AuthorizationKey(r.masterKey, shop, version), body, signature)
		right = right || fits && i < len(versions)
	}
	return right
}

// unread answers where there is no body to judge.
func (r *relay) unread(w http.ResponseWriter, req *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.Is(err, errBusy):
		r.log.Warn("notification put off: too many at once", "address", caller(req, r.proxies))
		later(w, retryBusy)
		reply(w, http.StatusServiceUnavailable, "too many notifications at once, try again")
	case errors.As(err, &tooLarge):
		reply(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a notification has at most %d bytes", maxBody))
	case errors.As(err, &timeout) && timeout.Timeout():
		reply(w, http.StatusRequestTimeout, "the notification came too slowly")
	default:
		reply(w, http.StatusBadRequest, "the notification was cut off")
	}
}

// refuse answers a wrong signature and counts it. Only when the answer is out
// does it go on to the shop, if there is one.
func (r *relay) refuse(w http.ResponseWriter, req *http.Request, shop string) {
	from := caller(req, r.proxies)
	if !r.refusals.add(from) {
		later(w, refusalsWithin)
		reply(w, http.StatusTooManyRequests, "too many wrong signatures, try again later")
		return
	}
	// The name is the caller's: cut, and quoted against forged lines.
	r.log.Warn("notification refused: no such shop, or the signature is wrong", "shop", fmt.Sprintf("%.64q", shop), "address", from)
	unauthorized(w)
	_ = http.NewResponseController(w).Flush() // what cannot be sent now goes with the end of the request
	r.wrongKeys.note(shop)
}

// pass hands a genuine notification to StockSync.
func (r *relay) pass(w http.ResponseWriter, req *http.Request, shop string) {
	err := r.signals.deliver(req.Context(), shop)
	var notFound *serviceerror.NotFound
	switch {
	case err == nil:
		header(w)
		w.WriteHeader(http.StatusOK)
	case errors.As(err, &notFound):
		unauthorized(w)
	default:
		later(w, retryUnavailable)
		reply(w, http.StatusServiceUnavailable, "the notification cannot be passed on now, try again")
	}
}

// unauthorized is the one answer to a wrong signature, an unknown shop and one
// that was not activated.
func unauthorized(w http.ResponseWriter) {
	reply(w, http.StatusUnauthorized, "the notification is not accepted: URL and authorization key do not belong together")
}

func later(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
}

func reply(w http.ResponseWriter, status int, text string) {
	header(w)
	text += "\n"
	w.Header().Set("Content-Length", strconv.Itoa(len(text))) // the same whether flushed or not
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func header(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
}
