package activities

import (
	"context"

	"github.com/skladom/skladom/protocol"
)

// CheckKROS tries the key and the plan of the shop's KROS company. It reads
// one item as well: a plan without API access may show only there.
func (a *Activities) CheckKROS(ctx context.Context, req protocol.CheckRequest) error {
	s, err := a.connect(ctx, req.Shop, req.Connection)
	if err != nil {
		return err
	}
	client, err := a.kros(s)
	if err != nil {
		return err
	}
	return failed(ctx, req.Shop, client.Probe(ctx))
}
