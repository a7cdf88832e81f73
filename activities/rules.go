package activities

import (
	"errors"
	"fmt"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// errOtherItems: failed makes of it the error of a worker with other files.
var errOtherItems = errors.New("this worker has another file of items than the pass began with")

// rules are the rules that a pass travels with, completed by those for single
// items, which are too many to travel: each worker reads them from its own
// files. A worker whose file differs must not serve the pass; the error is for
// failed.
func rules(s config.Shop, settings protocol.Terms) (stock.Rules, error) {
	if s.Settings.ItemsHash != settings.ItemsHash {
		return stock.Rules{}, fmt.Errorf("rules of %q: %w", s.Name, errOtherItems)
	}
	complete := settings.Rules
	complete.Items = s.Items
	return complete, nil
}
