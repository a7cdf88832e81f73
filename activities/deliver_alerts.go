package activities

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/samber/lo"
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/alert"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

// ErrorNoDestination is the type of the error that none of the shops of a
// message has its destination any more. No repeat helps.
const ErrorNoDestination = "alert_destination_gone"

const typeUndelivered = "alert_undelivered"

// DeliverAlerts delivers one message to one destination, once. Its shops are
// looked up again: those that are told of elsewhere by now are left out.
func (a *Activities) DeliverAlerts(ctx context.Context, m protocol.AlertMessage) error {
	to, m := a.addressed(m)
	if to == nil {
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf("the destination %s is configured for none of the shops any more", m.Destination), ErrorNoDestination, nil)
	}
	key, err := keyOf(m)
	if err != nil {
		return err
	}
	if to.url != "" {
		return undelivered(ctx, alert.Post(ctx, to.url, key, posted(m)))
	}
	server, err := a.mailServer()
	if err != nil {
		return undelivered(ctx, err)
	}
	return undelivered(ctx, server.Send(ctx, alert.Mail{
		To: to.address, Subject: message.AlertSubject(m), Body: message.AlertBody(m), Key: key, At: m.At,
	}))
}

// addressed finds the destination of a message, and the shops that still have it.
func (a *Activities) addressed(m protocol.AlertMessage) (*destination, protocol.AlertMessage) {
	var to *destination
	shops := lo.Filter(m.Shops, func(s protocol.AlertedShop, _ int) bool {
		found, ok := lo.Find(a.destinations(s.Shop), func(d destination) bool { return d.id == m.Destination })
		if ok {
			to = &found
		}
		return ok
	})
	m.Count -= len(m.Shops) - len(shops)
	m.Shops = shops
	return to, m
}

// keyOf names a message: a repeat of the same one has the same key.
func keyOf(m protocol.AlertMessage) (string, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode an alert: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// posted is a message as programs read it: with everything at every shop.
func posted(m protocol.AlertMessage) alert.Message {
	return alert.Message{
		Kind: string(m.Kind), Code: string(m.Code), State: string(m.State), Cleared: m.Cleared,
		Message: message.AlertSentence(m), Hint: m.Hint, Count: m.Count, At: m.At,
		Shops: lo.Map(m.Shops, func(s protocol.AlertedShop, _ int) alert.Shop {
			return alert.Shop{Shop: s.Shop, Title: s.Title, Message: cmp.Or(s.Message, m.Message), Hint: cmp.Or(s.Hint, m.Hint), Since: s.Since}
		}),
	}
}

// undelivered has Temporal come again when the destination asks for it.
func undelivered(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && workerStops(ctx) {
		return stopping()
	}
	var failure *alert.Error
	if !errors.As(err, &failure) {
		return err
	}
	return temporal.NewApplicationErrorWithOptions(err.Error(), typeUndelivered, temporal.ApplicationErrorOptions{NextRetryDelay: failure.RetryAfter})
}
