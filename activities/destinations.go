package activities

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/samber/lo"

	"github.com/skladom/skladom/alert"
	"github.com/skladom/skladom/config"
)

// destination is a person or a program that is told of alerts. Its id names it
// in Temporal, which never sees an address: many shops with one destination
// have one id.
type destination struct {
	id      string
	url     string // or
	address string
}

func destinationID(kind, address string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + address))
	return hex.EncodeToString(sum[:8])
}

// destinations are those who are told of a shop, as the files say now. A shop
// whose file is missing or wrong is told of to those of the installation.
func (a *Activities) destinations(shop string) []destination {
	told := a.shops.Installation().Alert
	if s, err := a.shops.Shop(shop); err == nil {
		told = s.Alert
	}
	found := lo.Map(told.Email, func(address string, _ int) destination {
		return destination{id: destinationID("email", address), address: address}
	})
	if told.URL.IsZero() {
		return found
	}
	url, err := told.URL.Reveal()
	if err != nil { // the others are told all the same
		a.log.Error("an alert goes nowhere: its address cannot be looked up", "shop", shop, "error", err)
		return found
	}
	return append(found, destination{id: destinationID("url", url), url: url})
}

// mailServer is the server that mails are handed to.
func (a *Activities) mailServer() (alert.MailServer, error) {
	m := a.shops.Installation().Mail
	if m == nil {
		return alert.MailServer{}, &alert.Error{Reason: "no mail server is configured"}
	}
	server := alert.MailServer{Host: m.Host, Port: m.Port, Security: security[m.Encryption()], User: m.Username, From: m.From}
	if m.Username == "" {
		return server, nil
	}
	password, err := m.Password.Reveal()
	if err != nil {
		return alert.MailServer{}, fmt.Errorf("mail.password: %w", err)
	}
	server.Password = password
	return server, nil
}

var security = map[config.Encryption]alert.Security{
	config.StartTLS: alert.STARTTLS, config.ImplicitTLS: alert.TLS, config.Plain: alert.None,
}
