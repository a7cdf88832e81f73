package activities

import (
	"context"
	"strings"
	"time"

	"github.com/skladom/skladom/protocol"
)

// probeEvery is how often a shop is looked at again whose settings, and so
// whose schedule, are not to be had.
const probeEvery = 30 * time.Minute

// LoadSettings is a local activity: it reads what the shop's files say now and
// counts the next tick, so that neither files nor cron enter a workflow. It
// never returns a key; what is wrong with the files is in Loaded.Failure.
func (a *Activities) LoadSettings(_ context.Context, req protocol.LoadRequest) (protocol.Loaded, error) {
	loaded, err := a.load(req)
	if err != nil {
		return protocol.Loaded{NextTick: req.After.Add(probeEvery), Failure: settingsFailure(req.Shop, err)}, nil
	}
	return loaded, nil
}

func (a *Activities) load(req protocol.LoadRequest) (protocol.Loaded, error) {
	s, err := a.shops.Shop(req.Shop)
	if err != nil {
		return protocol.Loaded{}, err
	}
	fingerprint, err := s.Fingerprint()
	if err != nil {
		return protocol.Loaded{}, err
	}
	next, err := s.NextTick(req.After, req.PassStartedAt)
	if err != nil {
		return protocol.Loaded{}, err
	}
	return protocol.Loaded{Settings: s.Settings, Hash: s.SettingsHash(), Connection: fingerprint, Basis: basis(s.Settings), NextTick: next}, nil
}

// basis names what of the settings decides about quantities.
func basis(s protocol.Settings) string {
	return strings.Trim(s.Rules.Basis()+"-"+s.ItemsHash, "-")
}
