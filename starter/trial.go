package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/samber/lo"

	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
)

// How long the steps of a test notification may take.
const (
	lookupWithin  = 10 * time.Second
	dialWithin    = 5 * time.Second  // each address of the name
	connectWithin = 15 * time.Second // all of them, and the handshake
	replyWithin   = 30 * time.Second // a relay takes at most 12 s before it gives Temporal up
)

// maxReply is how much of an answer is looked at.
const maxReply = 4 << 10

// renewAhead is how long before its end a certificate is worth a word.
const renewAhead = 14 * 24 * time.Hour

// trial is a test notification on its way. Each step leaves what the next ones
// need.
type trial struct {
	*app
	shop string
	webhook
	url  *url.URL
	zone *time.Location

	addresses []netip.Addr    // of the name
	temporal  *connection     // nil where it cannot be reached
	silence   error           // why the shop could not be asked
	before    protocol.Status // of the shop, before the notification was sent
	reply     reply           // of the relay
	after     protocol.Status // when the shop had counted the notification
}

// reply is what the relay, or whoever stands in its place, answered.
type reply struct {
	status   int
	location string // of a redirect
	asks     string // WWW-Authenticate
	text     string // one line of plain text
}

func (a *app) newTrial(shop string, w webhook) (*trial, error) {
	u, err := url.Parse(w.URL)
	if err != nil {
		return nil, fmt.Errorf("read the URL for notifications of %s: %w", shop, err)
	}
	return &trial{app: a, shop: shop, webhook: w, url: u, zone: a.zoneOf(shop)}, nil
}

func (t *trial) end() {
	if t.temporal != nil {
		t.temporal.Close()
	}
}

// resolve looks up the name of the URL.
func (t *trial) resolve(ctx context.Context) (string, error) {
	host := t.url.Hostname()
	if address, err := netip.ParseAddr(host); err == nil {
		t.addresses = []netip.Addr{address}
		return joined(host+" is an address, there is no name to look up.", t.reach()), nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupWithin)
	defer cancel()
	addresses, err := t.lookup(ctx, host)
	var failed *net.DNSError
	switch {
	case errors.As(err, &failed) && failed.IsNotFound, err == nil && len(addresses) == 0:
		return "", t.trouble(fmt.Sprintf("There is no address of the name %s.", host),
			"Check relay.public_url, and the record of the name (A or AAAA) where your domain is kept; a new one takes a while to be seen.", err)
	case err != nil:
		return "", t.trouble(fmt.Sprintf("The name %s could not be looked up: %v.", host, err), "Check the name servers of this machine, and those of the domain.", err)
	}
	t.addresses = lo.Map(addresses, func(a netip.Addr, _ int) netip.Addr { return a.Unmap() })
	return joined(fmt.Sprintf("%s is %s.", host, strings.Join(lo.Map(t.addresses, func(a netip.Addr, _ int) string { return a.String() }), ", ")), t.reach()), nil
}

// reach says where KROS cannot follow. It is no failure: inside a network a
// name may well lead elsewhere than outside.
func (t *trial) reach() string {
	if lo.EveryBy(t.addresses, func(a netip.Addr) bool { return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() }) {
		return "From the internet nobody reaches that, nor does KROS; see that outside the name leads to your proxy."
	}
	return ""
}

// encrypt looks at the certificate. Loopback may do without.
func (t *trial) encrypt(ctx context.Context) (string, error) {
	if t.url.Scheme == "http" {
		return "Skipped: http is accepted on this machine only; KROS needs https.", nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	conn, err := t.connectTo(ctx)
	if err != nil {
		return "", t.unreachable(err)
	}
	defer func() { _ = conn.Close() }()
	secured := tls.Client(conn, t.trust())
	if err := secured.HandshakeContext(ctx); err != nil {
		return "", t.untrusted(err)
	}
	return t.certificate(secured.ConnectionState().PeerCertificates[0]), nil
}

func (t *trial) certificate(c *x509.Certificate) string {
	left := c.NotAfter.Sub(t.now())
	text := fmt.Sprintf("The certificate of %s is valid until %s, %s from now.", t.url.Hostname(), message.Time(c.NotAfter, t.zone), render.Of(int(left/(24*time.Hour)), "day"))
	if left < renewAhead {
		return text + " See that it is renewed in time."
	}
	return text
}

func (t *trial) trust() *tls.Config {
	return &tls.Config{ServerName: t.url.Hostname(), RootCAs: t.roots, Time: t.now, MinVersion: tls.VersionTLS12}
}

// untrusted explains a handshake that failed.
func (t *trial) untrusted(err error) error {
	var (
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		authority x509.UnknownAuthorityError
		noTLS     tls.RecordHeaderError
	)
	host := t.url.Hostname()
	switch {
	case errors.As(err, &name):
		return t.trouble(fmt.Sprintf("The certificate is not one of %s.", host), "Get one for this name, and check that the proxy shows it for this name.", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return t.trouble(fmt.Sprintf("The certificate of %s is valid from %s until %s, and not now.", host,
			message.Time(invalid.Cert.NotBefore, t.zone), message.Time(invalid.Cert.NotAfter, t.zone)), "Renew it, or set the clock of this machine.", err)
	case errors.As(err, &authority):
		return t.trouble(fmt.Sprintf("No authority that this machine knows has signed the certificate of %s.", host),
			"Take one of a public authority such as Let's Encrypt, and let the proxy send the intermediate certificates, too.", err)
	case errors.As(err, &noTLS):
		return t.trouble(fmt.Sprintf("What listens at %s does not speak TLS.", t.at()), "relay.public_url leads to the proxy that speaks TLS, not to the relay itself.", err)
	}
	return t.trouble(fmt.Sprintf("No encrypted connection to %s: %v.", t.at(), reason(err)), "Look into the log of the proxy.", err)
}

// unreachable explains that nobody was there to talk to.
func (t *trial) unreachable(err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return t.trouble(fmt.Sprintf("Nobody listens at %s.", t.at()), "Check that proxy and relay run, and that relay.public_url leads to them.", err)
	case timedOut(err):
		return t.trouble(fmt.Sprintf("%s does not answer in time.", t.at()), "Check that no firewall is between, that proxy and relay run, and that relay.public_url leads to them.", err)
	}
	return t.trouble(fmt.Sprintf("No answer from %s: %v.", t.at(), reason(err)), "Look into the log of the proxy.", err)
}

// at is where the URL leads, for people.
func (t *trial) at() string { return net.JoinHostPort(t.url.Hostname(), t.port()) }

func (t *trial) port() string {
	return cmp.Or(t.url.Port(), lo.Ternary(t.url.Scheme == "http", "80", "443"))
}

// connectTo connects to the first address of the name that answers: those that
// the first step has shown, and no proxy between.
func (t *trial) connectTo(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialWithin}
	var failed error
	for _, address := range t.addresses {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address.String(), t.port()))
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// send asks the shop where it stands, and sends the notification.
func (t *trial) send(ctx context.Context) (string, error) {
	t.before, t.silence = t.ask(ctx)
	begin := t.now()
	reply, err := t.post(ctx, begin)
	if err != nil {
		return "", t.unreachable(err)
	}
	t.reply = reply
	if reply.status == http.StatusOK || reply.status == http.StatusUnauthorized {
		return fmt.Sprintf("HTTP %d after %s.", reply.status, t.now().Sub(begin).Round(time.Millisecond)), nil
	}
	return "", t.noRelay()
}

// ask connects to Temporal and asks the shop where it stands.
func (t *trial) ask(ctx context.Context) (protocol.Status, error) {
	c, err := t.connect(ctx)
	if err != nil {
		return protocol.Status{}, err
	}
	t.temporal = c
	return c.status(ctx, t.shop)
}

// testBody is the body of a test notification. Nobody reads it but people who
// find it in a log: of a notification the signature counts alone.
type testBody struct {
	Test   bool      `json:"test"`
	Text   string    `json:"text"`
	Shop   string    `json:"shop"`
	SentAt time.Time `json:"sentAt"`
}

func (t *trial) post(ctx context.Context, at time.Time) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	body, err := json.Marshal(testBody{Test: true, Text: "A test of skladom webhook --test; nothing has changed in KROS.", Shop: t.shop, SentAt: at.UTC()})
	if err != nil {
		return reply{}, fmt.Errorf("write the test notification: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return reply{}, fmt.Errorf("write the test notification: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "skladom-webhook-test")
	request.Header.Set(kros.SignatureHeader, kros.Sign(t.Key, body))
	client := http.Client{
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return t.connectTo(ctx) },
			TLSClientConfig:   t.trust(),
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	return read(answer), nil
}

func read(answer *http.Response) reply {
	return reply{
		status:   answer.StatusCode,
		location: printable(answer.Header.Get("Location")),
		asks:     answer.Header.Get("WWW-Authenticate"),
		text:     plain(answer),
	}
}

// plain is the first line of an answer for people, empty where it is a page.
func plain(answer *http.Response) string {
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return ""
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxReply)) // what has come will do
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return printable(line)
}

// printable keeps what a stranger sent from steering a terminal, and short.
func printable(text string) string {
	const most = 200
	text = strings.Map(func(r rune) rune { return lo.Ternary(unicode.IsPrint(r), r, -1) }, strings.ToValidUTF8(text, ""))
	return string(lo.Slice([]rune(text), 0, most))
}

// noRelay explains an answer that is none to a notification.
func (t *trial) noRelay() error {
	text, hint := t.otherAnswer()
	if t.reply.text != "" {
		text += fmt.Sprintf(" It said: %q.", t.reply.text)
	}
	return t.trouble(fmt.Sprintf("HTTP %d: %s", t.reply.status, text), hint, nil)
}

func (t *trial) otherAnswer() (text, hint string) {
	status := t.reply.status
	switch {
	case status >= 300 && status < 400:
		return fmt.Sprintf("a redirect to %q, which was not followed, and KROS need not follow it either.", t.reply.location),
			"Write into relay.public_url where it leads, or let the proxy pass the notification on at once."
	case status == http.StatusForbidden:
		return "something before the relay does not let the notification pass.", "Look for a firewall or a list of allowed addresses in the proxy."
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status < 300:
		return "this is not the relay.", fmt.Sprintf("Let the proxy pass POST %s on to the relay (relay.listen) with its path as it is.", t.url.Path)
	case status == http.StatusTooManyRequests:
		return "too many requests.", "If the relay says so, this address sent too many wrong signatures, and this one was wrong, too: relay and command line have different master keys. Else it is a limit of the proxy."
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return "the proxy does not reach the relay.", "Check that the relay runs (skladom-worker, skladom-standalone), and that the proxy passes on to relay.listen."
	case status == http.StatusServiceUnavailable:
		return "the relay cannot pass the notification on now, or the proxy has no relay to pass it to.", "Check that the relay runs and reaches Temporal; its log says more. KROS repeats."
	}
	return "an answer that the relay does not give.", "Look into the logs of proxy and relay."
}

// judge tells what the relay thought of the signature.
func (t *trial) judge(context.Context) (string, error) {
	if t.reply.status == http.StatusOK {
		return fmt.Sprintf("Accepted, with key_version %d.", t.keyVersion), nil
	}
	if t.reply.asks != "" {
		return "", t.trouble("Refused by a proxy that asks for a user and a password.", fmt.Sprintf("Let the proxy pass POST %s on without: the signature is what protects it.", t.url.Path), nil)
	}
	if t.silence == nil && t.before.State == protocol.StateInactive {
		return "", t.trouble("Refused: "+message.NotActive(t.shop), "", nil)
	}
	return "", t.trouble("Refused. The relay has another master key than this command, does not accept key_version "+strconv.Itoa(t.keyVersion)+" of "+t.shop+
		", does not know the shop, or finds it not activated in its own Temporal.",
		"Compare secrets.master_key, webhook.key_version and also_accept, TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE here and where the relay runs.", nil)
}

func (t *trial) trouble(text, hint string, cause error) error {
	p := trouble(t.shop, text, hint)
	p.cause = cause
	return p
}

// reason is an error of the network in one line, without the URL before it.
func reason(err error) string {
	var layer *url.Error
	if errors.As(err, &layer) {
		err = layer.Err
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func timedOut(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// joined are two sentences, of which either may be missing.
func joined(a, b string) string { return strings.TrimSpace(a + " " + b) }
