package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/activity"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/shop/fynode"
	"github.com/skladom/skladom/snapshot"
)

// Activities holds what the activities of one worker process share.
type Activities struct {
	shops    *config.Directory
	archive  *snapshot.Archive
	handover handover
	limits   *kros.Limits
	log      hclog.Logger
	now      func() time.Time
}

// Options are what a worker gives its activities.
type Options struct {
	Shops   *config.Directory
	Archive *snapshot.Archive
	Logger  hclog.Logger
	Now     func() time.Time
}

// New makes the activities of a worker. Register the result with the worker:
// every exported method is an activity.
func New(o Options) *Activities {
	return &Activities{shops: o.Shops, archive: o.Archive, limits: kros.NewLimits(), log: o.Logger, now: o.Now}
}

// connect returns the shop's configuration if it is the one that the workflow
// knows: two workers with different files must not serve one pass.
func (a *Activities) connect(ctx context.Context, name, connection string) (config.Shop, error) {
	s, err := a.shops.Shop(name)
	if err != nil {
		return config.Shop{}, settingsError(name, err)
	}
	fingerprint, err := s.Fingerprint()
	if err != nil {
		return config.Shop{}, settingsError(name, err)
	}
	if fingerprint != connection {
		return config.Shop{}, otherFiles(name, activity.GetInfo(ctx).Attempt)
	}
	return s, nil
}

func (a *Activities) kros(s config.Shop) (*kros.Client, error) {
	token, err := s.Kros.APIKey.Reveal()
	if err != nil {
		return nil, settingsError(s.Name, err)
	}
	client, err := kros.New(kros.Config{
		URL: s.Kros.URL, Token: token,
		PerSecond: s.Kros.PerSecond, PerMinute: s.Kros.PerMinute,
		Limits: a.limits,
	})
	if kros.KindOf(err) == kros.Unauthorized { // it cannot be a token: KROS need not be asked
		return nil, refused(protocol.KrosKeyInvalid, s.Name, detail(err))
	}
	if err != nil {
		return nil, settingsError(s.Name, err)
	}
	return client, nil
}

func (a *Activities) shop(s config.Shop) (shop.Shop, error) {
	key, err := s.Fynode.APIKey.Reveal()
	if err != nil {
		return nil, settingsError(s.Name, err)
	}
	client, err := fynode.New(fynode.Config{URL: s.Fynode.URL, APIKey: key})
	if err != nil {
		return nil, settingsError(s.Name, err)
	}
	return client, nil
}

// identity asks the shop who it is and refuses another one than was activated.
func identity(ctx context.Context, s shop.Shop, name, want string) (shop.Identity, error) {
	who, err := s.Check(ctx)
	if err != nil {
		return shop.Identity{}, failed(ctx, name, err)
	}
	if want != "" && who.ID != want {
		return shop.Identity{}, refused(protocol.ShopChanged, name, fmt.Sprintf("it is %q now and was %q", who.ID, want))
	}
	return who, nil
}
