package config

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Installation is what holds for all shops. Every block may be left out.
type Installation struct {
	Temporal  Temporal
	Relay     *Relay // nil: no notifications are received
	Snapshots Snapshots
	Secrets   Secrets
	Mail      *Mail // nil: no mail is sent
	Alert     Alert // of shops that have no block of their own
}

// Temporal is what Skladom wants of Temporal beyond the TEMPORAL_* variables.
type Temporal struct {
	TaskQueue string
}

// Relay is where notifications of KROS come in.
type Relay struct {
	Listen         string         // host:port, ":8088" unless told
	PublicURL      string         // under which KROS reaches it, no slash at the end; may be empty
	TrustedProxies []netip.Prefix // whose X-Forwarded-For counts
}

// Snapshots is the archive. URL is empty where the files give none: the main
// program then decides.
type Snapshots struct {
	URL          string        // file:///..., mem:// or s3://...
	Keep         int           // catalogue snapshots of a shop
	KeepReceipts time.Duration // what was written
}

// Secrets are the secrets of the installation.
type Secrets struct {
	MasterKey Secret // 32 bytes in base64; authorization keys are derived from it
}

// Mail is the server that alerts are sent through.
type Mail struct {
	Host     string
	Port     int
	Username string // empty: the server wants none
	Password Secret // configured where Username is
	From     string // a mail address, with or without a name before it
}

// Encryption is how a mail server is spoken to.
type Encryption string

// The ways to speak to a mail server.
const (
	StartTLS    Encryption = "starttls" // required: without it nothing is sent
	ImplicitTLS Encryption = "tls"
	Plain       Encryption = "plain" // on this machine only
)

// Encryption follows from host and port: port 465 speaks TLS from the first
// byte, a server on this machine needs none, every other one has to offer
// STARTTLS, as the password and the names of merchants would travel readable.
func (m Mail) Encryption() Encryption {
	switch {
	case m.Port == implicitTLSPort:
		return ImplicitTLS
	case loopback(m.Host):
		return Plain
	}
	return StartTLS
}

// Alert is who is told of what happens to a shop. The zero value tells nobody.
type Alert struct {
	URL          Secret        // Reveal checks that it is https://, or http:// of this machine
	Email        []string      // bare addresses
	QuietAfter   time.Duration // tell where no quantity changed in KROS for so long; 0: never
	MissedPasses int           // tell after so many intervals without a good pass
}

// Configured tells whether the alert names somebody.
func (a Alert) Configured() bool { return !a.URL.IsZero() || len(a.Email) > 0 }

// masterKeyBytes is the length of the master key.
const masterKeyBytes = 32

// MasterKey looks the master key up and returns its 32 bytes. Base64 may be of
// the standard or the URL alphabet, padded or not.
func (i Installation) MasterKey() ([]byte, error) {
	if i.Secrets.MasterKey.IsZero() {
		return nil, errors.New(`secrets.master_key is not configured; write: secrets { master_key = env("SKLADOM_MASTER_KEY") }`)
	}
	text, err := i.Secrets.MasterKey.Reveal()
	if err != nil {
		return nil, fmt.Errorf("secrets.master_key: %w", err)
	}
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		key, err := encoding.DecodeString(text)
		if err != nil {
			continue // not wrapped: the text of the error may quote the key
		}
		if len(key) != masterKeyBytes {
			return nil, fmt.Errorf("secrets.master_key holds %d bytes, needed are %d; make one with: openssl rand -base64 32", len(key), masterKeyBytes)
		}
		return key, nil
	}
	return nil, errors.New("secrets.master_key is not base64; make one with: openssl rand -base64 32")
}

// Shop is one connection, complete and valid. Its keys are looked up when they
// are used, so a program that never needs them runs without.
type Shop struct {
	Name     string
	Settings protocol.Settings // what travels with a pass; MinGap is webhook.min_gap
	Kros     Kros
	Fynode   Fynode
	Webhook  Webhook
	Alert    Alert // the shop's own, else that of the installation

	// Items are rules for single items, by stock.CleanKey of their code. They
	// are shared by all who ask: read only. Settings.ItemsHash names them.
	Items map[string]stock.ItemRule `json:"-"`
}

// Kros is how KROS is reached, and how fast it may be asked.
type Kros struct {
	URL       string // no slash at the end
	APIKey    Secret
	PerSecond int
	PerMinute int
}

// Fynode is how the e-shop is reached.
type Fynode struct {
	URL    string // no slash at the end
	APIKey Secret
}

// Webhook says which authorization keys a notification may be signed with.
type Webhook struct {
	KeyVersion int
	AlsoAccept []int // earlier versions, while a key is being changed
}

// SettingsHash names the values of the shop's settings in 12 hexadecimal
// characters. The order of warehouses does not count.
func (s Shop) SettingsHash() string {
	settings := s.Settings
	settings.Rules.Warehouses = slices.Sorted(slices.Values(settings.Rules.Warehouses))
	sum := sha256.Sum256(mustJSON(settings))
	return hex.EncodeToString(sum[:6])
}

// Fingerprint names the connection in 8 hexadecimal characters: the shop, both
// addresses, both keys. That is enough to notice that two workers have
// different files, and too little to confirm a guess of a key. The error says
// which secret cannot be looked up.
func (s Shop) Fingerprint() (string, error) {
	krosKey, err := s.Kros.APIKey.Reveal()
	if err != nil {
		return "", fmt.Errorf("shop %q: kros.api_key: %w", s.Name, err)
	}
	shopKey, err := s.Fynode.APIKey.Reveal()
	if err != nil {
		return "", fmt.Errorf("shop %q: fynode.api_key: %w", s.Name, err)
	}
	// JSON keeps the parts apart: no two different lists give one text.
	sum := sha256.Sum256(mustJSON([]string{s.Name, s.Kros.URL, krosKey, s.Fynode.URL, shopKey}))
	return hex.EncodeToString(sum[:4]), nil
}

// mustJSON encodes values of our own types, which cannot fail to encode.
func mustJSON(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", value, err))
	}
	return data
}
