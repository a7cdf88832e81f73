package activities

import (
	"context"

	"github.com/skladom/skladom/protocol"
)

// CheckShop tries the key of the e-shop and says which shop answers.
func (a *Activities) CheckShop(ctx context.Context, req protocol.CheckRequest) (protocol.ShopIdentity, error) {
	s, err := a.connect(ctx, req.Shop, req.Connection)
	if err != nil {
		return protocol.ShopIdentity{}, err
	}
	client, err := a.shop(s)
	if err != nil {
		return protocol.ShopIdentity{}, err
	}
	who, err := identity(ctx, client, req.Shop, "")
	return protocol.ShopIdentity(who), err
}
