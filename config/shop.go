package config

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// The blocks of a shop, with the places of their attributes.
type rawShop struct {
	Kros           []rawBlock     `hcl:"kros,block"`
	Fynode         []rawBlock     `hcl:"fynode,block"`
	Webhook        []rawBlock     `hcl:"webhook,block"`
	Guard          []rawBlock     `hcl:"guard,block"`
	Alert          []rawBlock     `hcl:"alert,block"`
	Match          *hcl.Attribute `hcl:"match,optional"`
	Quantity       *hcl.Attribute `hcl:"quantity,optional"`
	Schedule       *hcl.Attribute `hcl:"schedule,optional"`
	Timezone       *hcl.Attribute `hcl:"timezone,optional"`
	Title          *hcl.Attribute `hcl:"title,optional"`
	Buffer         *hcl.Attribute `hcl:"buffer,optional"`
	Decimals       *hcl.Attribute `hcl:"decimals,optional"`
	UnitDecimals   *hcl.Attribute `hcl:"unit_decimals,optional"`
	SoldHold       *hcl.Attribute `hcl:"sold_hold,optional"`
	Missing        *hcl.Attribute `hcl:"missing,optional"`
	OnlyEshopItems *hcl.Attribute `hcl:"only_eshop_items,optional"`
	Items          *hcl.Attribute `hcl:"items,optional"`
}

type rawKros struct {
	APIKey            *hcl.Attribute `hcl:"api_key,optional"`
	URL               *hcl.Attribute `hcl:"url,optional"`
	Warehouses        *hcl.Attribute `hcl:"warehouses,optional"`
	RequestsPerSecond *hcl.Attribute `hcl:"requests_per_second,optional"`
	RequestsPerMinute *hcl.Attribute `hcl:"requests_per_minute,optional"`
}

type rawFynode struct {
	URL    *hcl.Attribute `hcl:"url,optional"`
	APIKey *hcl.Attribute `hcl:"api_key,optional"`
}

type rawWebhook struct {
	MinGap     *hcl.Attribute `hcl:"min_gap,optional"`
	KeyVersion *hcl.Attribute `hcl:"key_version,optional"`
	AlsoAccept *hcl.Attribute `hcl:"also_accept,optional"`
}

type rawGuard struct {
	MaxZeroed    *hcl.Attribute `hcl:"max_zeroed,optional"`
	MaxChanged   *hcl.Attribute `hcl:"max_changed,optional"`
	MinItems     *hcl.Attribute `hcl:"min_items,optional"`
	MinCatalogue *hcl.Attribute `hcl:"min_catalogue,optional"`
}

func (d *decoder) claim(block rawShopBlock) *claim {
	c := &claim{name: block.Name, file: d.file, line: block.Range.Start.Line}
	v := &version{shop: defaultShop(block.Name), file: d.file}
	var raw rawShop
	d.body(block.Body, "shop", &raw)
	d.settings(raw, &v.shop.Settings)
	d.kros(block, raw.Kros, &v.shop)
	v.addressLine = d.fynode(block, raw.Fynode, &v.shop.Fynode)
	d.webhook(raw.Webhook, &v.shop)
	d.guard(raw.Guard, &v.shop.Settings.Rules.Guard)
	d.items(raw.Items, &v.shop)
	if block := d.one("alert", raw.Alert); block != nil {
		v.alert = d.alert(*block)
	}
	if c.diagnostics = d.diagnostics; len(c.diagnostics) > 0 {
		return c
	}
	v.address, v.secrets = sameAddress(v.shop.Fynode.URL), d.secrets
	v.own = v.effect()
	c.version = v
	return c
}

func defaultShop(name string) Shop {
	return Shop{
		Name: name,
		Settings: protocol.Settings{
			Title: name,
			Rules: stock.Rules{
				Match:    stock.ByNumber,
				Quantity: stock.Max,
				Buffer:   decimal.Zero,
				SoldHold: 24 * time.Hour,
				Missing:  stock.MissingKeep,
				Guard:    stock.Guard{MaxZeroed: 0.3, MaxChanged: 0.8, MinItems: 5, MinCatalogue: 0.5},
			},
			Schedule: defaultSchedule,
			Timezone: defaultTimezone,
			MinGap:   30 * time.Second,
		},
		Kros:    Kros{URL: defaultKrosURL, PerSecond: 10, PerMinute: 300},
		Webhook: Webhook{KeyVersion: 1},
	}
}

func (d *decoder) settings(raw rawShop, s *protocol.Settings) {
	oneOf(d, "match", raw.Match, &s.Rules.Match, stock.ByNumber, stock.ByEAN)
	oneOf(d, "quantity", raw.Quantity, &s.Rules.Quantity, stock.Max, stock.Sum)
	oneOf(d, "missing", raw.Missing, &s.Rules.Missing, stock.MissingKeep, stock.MissingZero)
	d.schedule("schedule", raw.Schedule, &s.Schedule)
	d.timezone("timezone", raw.Timezone, &s.Timezone)
	d.title(raw.Title, &s.Title)
	d.amount("buffer", raw.Buffer, &s.Rules.Buffer)
	whole(d, "decimals", raw.Decimals, &s.Rules.Decimals, 0, maxDecimals)
	d.decimals("unit_decimals", raw.UnitDecimals, &s.Rules.UnitDecimals)
	d.duration("sold_hold", raw.SoldHold, &s.Rules.SoldHold, 0)
	d.flag("only_eshop_items", raw.OnlyEshopItems, &s.OnlyEshopItems)
}

// title is shown in tables and headings, so it is one line.
func (d *decoder) title(attr *hcl.Attribute, dst *string) {
	var text string
	if !d.text("title", attr, &text) || text == "" {
		return
	}
	if len([]rune(text)) > maxTitle || strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsGraphic(r) }) {
		d.reject(attr, "title must be one line of at most %d characters", maxTitle)
		return
	}
	*dst = text
}

func (d *decoder) kros(shop rawShopBlock, blocks []rawBlock, s *Shop) {
	block := d.one("kros", blocks)
	if block == nil {
		d.rejectAt(shop.Range, `shop %q has no block kros; write: kros { api_key = env("NAME") }`, shop.Name)
		return
	}
	var raw rawKros
	d.body(block.Body, "kros", &raw)
	s.Kros.APIKey = d.apiKey("kros.api_key", raw.APIKey, block.Range)
	d.address("kros.url", raw.URL, &s.Kros.URL)
	d.texts("kros.warehouses", raw.Warehouses, &s.Settings.Rules.Warehouses)
	whole(d, "kros.requests_per_second", raw.RequestsPerSecond, &s.Kros.PerSecond, 1, maxCount)
	whole(d, "kros.requests_per_minute", raw.RequestsPerMinute, &s.Kros.PerMinute, 1, maxCount)
}

// fynode returns the line of the URL.
func (d *decoder) fynode(shop rawShopBlock, blocks []rawBlock, f *Fynode) int {
	block := d.one("fynode", blocks)
	if block == nil {
		d.rejectAt(shop.Range, `shop %q has no block fynode; write: fynode { url = "https://..." and api_key = env("NAME"), a line each }`, shop.Name)
		return 0
	}
	var raw rawFynode
	d.body(block.Body, "fynode", &raw)
	f.APIKey = d.apiKey("fynode.api_key", raw.APIKey, block.Range)
	d.address("fynode.url", raw.URL, &f.URL)
	if raw.URL == nil {
		d.rejectAt(block.Range, `fynode.url is missing; write the address of the shop's API, for example url = "https://shop.example.com/api/v1"`)
		return 0
	}
	if f.URL == "" && len(d.diagnostics) == 0 {
		d.reject(raw.URL, "fynode.url must not be null; write the address of the shop's API")
	}
	return raw.URL.NameRange.Start.Line
}

func (d *decoder) apiKey(path string, attr *hcl.Attribute, block hcl.Range) Secret {
	if attr == nil {
		d.rejectAt(block, `%s is missing; write: api_key = env("NAME"), api_key = file("path") or the key in quotes`, path)
		return Secret{}
	}
	use, ok := d.secret(path, attr)
	if !ok {
		return Secret{}
	}
	use.secret = apiKey(use.secret)
	d.secrets = append(d.secrets, use)
	return use.secret
}

func (d *decoder) webhook(blocks []rawBlock, s *Shop) {
	var raw rawWebhook
	d.optional("webhook", blocks, &raw)
	d.duration("webhook.min_gap", raw.MinGap, &s.Settings.MinGap, 0)
	whole(d, "webhook.key_version", raw.KeyVersion, &s.Webhook.KeyVersion, 1, maxKeyVersion)
	d.versions("webhook.also_accept", raw.AlsoAccept, &s.Webhook.AlsoAccept)
}

func (d *decoder) guard(blocks []rawBlock, g *stock.Guard) {
	var raw rawGuard
	d.optional("guard", blocks, &raw)
	d.fraction("guard.max_zeroed", raw.MaxZeroed, &g.MaxZeroed)
	d.fraction("guard.max_changed", raw.MaxChanged, &g.MaxChanged)
	whole(d, "guard.min_items", raw.MinItems, &g.MinItems, 0, maxCount)
	d.fraction("guard.min_catalogue", raw.MinCatalogue, &g.MinCatalogue)
}

// effect is a hash of everything of a version that has an effect: two texts
// with one effect are no change. Of secrets it is the place they come from.
func (v *version) effect() string {
	sources := make([]string, len(v.secrets))
	for i, use := range v.secrets {
		sources[i] = use.path + " " + use.source
	}
	return hash(string(mustJSON([]any{v.shop, sources})))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
