package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/skladom/skladom/protocol"
)

// signalTimeout bounds one signal about changed settings.
const signalTimeout = 10 * time.Second

// tellChanged tells StockSync of a shop that its settings changed. One that
// does not run needs not know.
func (h *host) tellChanged(ctx context.Context, shop string) error {
	ctx, cancel := context.WithTimeout(ctx, signalTimeout)
	defer cancel()
	err := h.signal(ctx, shop, protocol.SignalConfigChanged)
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return nil
	}
	return err
}

// signal sends a signal without a payload to StockSync of a shop.
func (h *host) signal(ctx context.Context, shop, name string) error {
	if err := h.Client.SignalWorkflow(ctx, protocol.StockSyncID(shop), "", name, nil); err != nil {
		return fmt.Errorf("signal %q to %s: %w", name, protocol.StockSyncID(shop), err)
	}
	return nil
}
