package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

const defaultTaskQueue = "skladom"

// open opens the directory of the settings, for commands that need it.
func (a *app) open() (*config.Directory, error) {
	directory, err := config.Open(a.config, a.files)
	if err == nil {
		return directory, nil
	}
	p := trouble("", fmt.Sprintf("The settings in %s cannot be read: %v.", a.config, err),
		"Name the directory of the .hcl files with --config or SKLADOM_CONFIG.")
	p.cause = err
	return nil, p
}

// taskQueue is where the workers listen. Only a supporter's machine has no
// settings; settings that cannot be read are no reason to guess.
func (a *app) taskQueue() (string, error) {
	if !a.configured() {
		return defaultTaskQueue, nil
	}
	directory, err := a.open()
	if err != nil {
		return defaultTaskQueue, err
	}
	return cmp.Or(directory.Installation().Temporal.TaskQueue, defaultTaskQueue), nil
}

func (a *app) configured() bool {
	_, err := a.files.Stat(a.config)
	return !errors.Is(err, fs.ErrNotExist)
}

// zoneOf is the time zone of a shop where its settings are at hand, else that
// of the machine.
func (a *app) zoneOf(shop string) *time.Location {
	if !a.configured() {
		return a.zone
	}
	directory, err := config.Open(a.config, a.files)
	if err != nil {
		return a.zone
	}
	settings, err := directory.Shop(shop)
	if err != nil {
		return a.zone
	}
	zone, err := time.LoadLocation(settings.Settings.Timezone)
	if err != nil {
		return a.zone
	}
	return zone
}

// webhook is what a merchant pastes into KROS.
type webhook struct {
	URL string `json:"webhookUrl"`
	Key string `json:"authorizationKey"`

	keyVersion int
	minGap     time.Duration
}

// webhookOf makes the URL and the key of a shop. It is a problem where the
// settings do not say how KROS reaches this installation.
func (a *app) webhookOf(shop string) (webhook, error) {
	directory, err := a.open()
	if err != nil {
		return webhook{}, err
	}
	settings, err := directory.Shop(shop)
	if err != nil {
		return webhook{}, shopProblem(shop, err)
	}
	installation := directory.Installation()
	if installation.Relay == nil || installation.Relay.PublicURL == "" {
		return webhook{}, trouble(shop, "KROS cannot be given a URL for notifications: relay.public_url is not configured.",
			`Write where KROS reaches the relay into skladom.hcl: relay { public_url = "https://sync.example.com" }. Until then stock is loaded on schedule only.`)
	}
	master, err := installation.MasterKey()
	if err != nil {
		p := trouble(shop, fmt.Sprintf("KROS cannot be given an authorization key: %v.", err),
			`Make a master key (openssl rand -base64 32), keep it in the environment of worker and command line, and write into skladom.hcl: secrets { master_key = env("SKLADOM_MASTER_KEY") }. Until then stock is loaded on schedule only.`)
		p.cause = err
		return webhook{}, p
	}
	return webhook{
		URL: installation.Relay.PublicURL + "/webhooks/kros/" + shop,
		Key: kros.AuthorizationKey(master, shop, settings.Webhook.KeyVersion),

		keyVersion: settings.Webhook.KeyVersion,
		minGap:     settings.Settings.MinGap,
	}, nil
}

func shopProblem(shop string, err error) *problem {
	code, detail := protocol.ConfigInvalid, err.Error()
	var known *config.ShopError
	if errors.As(err, &known) {
		code = lo.Ternary(known.Kind == config.Missing, protocol.ConfigMissing, protocol.ConfigInvalid)
		detail = strings.Join(lo.Map(known.Diagnostics, func(d config.Diagnostic, _ int) string { return d.String() }), "; ")
	}
	p := failure(shop, *message.Failure(code, message.Params{Shop: shop, Detail: detail}))
	p.cause = err
	return p
}
