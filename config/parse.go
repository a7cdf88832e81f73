package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Defaults and bounds of section 4 of the design.
const (
	defaultTaskQueue = "skladom"
	defaultListen    = ":8088"
	defaultKrosURL   = "https://api-economy.kros.sk"
	defaultSchedule  = "*/30 * * * *"
	defaultTimezone  = "Europe/Bratislava"

	maxDecimals   = 4
	maxTitle      = 200
	maxKeyVersion = 1_000_000
	maxCount      = 1_000_000
)

var shopName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// parsedFile is what one file says. It is never changed.
type parsedFile struct {
	broken      bool // cannot be read as a whole: what it held before stays in force
	claims      []*claim
	sections    []*section
	diagnostics []Diagnostic // of the file itself, beside those of claims and sections
}

// claim is a shop block: a file says that it describes this shop.
type claim struct {
	name        string
	file        string
	line        int
	version     *version // nil where the block cannot be used
	diagnostics []Diagnostic
}

// version is a usable description of a shop.
type version struct {
	shop        Shop
	file        string
	addressLine int
	address     string // of the e-shop, equal for all its spellings
	secrets     []secretUse
	digest      string // differs where anything differs that has an effect
}

// section is a block of the installation. apply is nil where it cannot be used.
type section struct {
	kind        string
	file        string
	line        int
	apply       func(*Installation)
	secrets     []secretUse
	diagnostics []Diagnostic
}

// The blocks of a file, still unread.
type rawFile struct {
	Temporal  []rawBlock     `hcl:"temporal,block"`
	Relay     []rawBlock     `hcl:"relay,block"`
	Snapshots []rawBlock     `hcl:"snapshots,block"`
	Secrets   []rawBlock     `hcl:"secrets,block"`
	Shops     []rawShopBlock `hcl:"shop,block"`
}

type rawBlock struct {
	Body  hcl.Body  `hcl:",remain"`
	Range hcl.Range `hcl:",def_range"`
}

type rawShopBlock struct {
	Name  string    `hcl:"name,label"`
	Body  hcl.Body  `hcl:",remain"`
	Range hcl.Range `hcl:",def_range"`
}

type rawTemporal struct {
	TaskQueue *hcl.Attribute `hcl:"task_queue,optional"`
}

type rawRelay struct {
	Listen         *hcl.Attribute `hcl:"listen,optional"`
	PublicURL      *hcl.Attribute `hcl:"public_url,optional"`
	TrustedProxies *hcl.Attribute `hcl:"trusted_proxies,optional"`
}

type rawSnapshots struct {
	URL          *hcl.Attribute `hcl:"url,optional"`
	Keep         *hcl.Attribute `hcl:"keep,optional"`
	KeepReceipts *hcl.Attribute `hcl:"keep_receipts,optional"`
}

type rawSecrets struct {
	MasterKey *hcl.Attribute `hcl:"master_key,optional"`
}

type rawShop struct {
	Kros           []rawBlock     `hcl:"kros,block"`
	Fynode         []rawBlock     `hcl:"fynode,block"`
	Webhook        []rawBlock     `hcl:"webhook,block"`
	Guard          []rawBlock     `hcl:"guard,block"`
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

// parse reads one file. A file that cannot be read as a whole goes on holding
// what it held before, which is previous (nil at first), and whatever its text
// seems to hold.
func parse(env Environment, dir, file string, data []byte, previous *parsedFile) *parsedFile {
	if len(strings.TrimSpace(string(data))) == 0 && previous != nil && len(previous.claims)+len(previous.sections) > 0 {
		// Seen while an editor writes; a shop is not removed by half a save.
		return brokenFile(file, data, previous, Diagnostic{File: file, Message: "the file is empty now; what it held stays in force until it holds something again or is removed"})
	}
	if overdeep(data, file) {
		return brokenFile(file, data, previous, Diagnostic{File: file, Message: "is nested too deeply to be read; is it a configuration at all?"})
	}
	tree, diags := hclsyntax.ParseConfig(data, file, hcl.InitialPos)
	if diags.HasErrors() {
		d := &decoder{file: file}
		for _, diag := range diags {
			d.report(diag, diag.Summary+": "+withoutQuotes(diag.Detail, data))
		}
		return brokenFile(file, data, previous, d.diagnostics...)
	}
	top := &decoder{env: env, dir: dir, file: file}
	var raw rawFile
	top.body(tree.Body, "", &raw)
	result := &parsedFile{}
	for kind, blocks := range map[string][]rawBlock{"temporal": raw.Temporal, "relay": raw.Relay, "snapshots": raw.Snapshots, "secrets": raw.Secrets} {
		for _, block := range blocks {
			d := &decoder{env: env, dir: dir, file: file}
			result.sections = append(result.sections, d.section(kind, block))
		}
	}
	slices.SortFunc(result.sections, func(a, b *section) int { return a.line - b.line })
	for _, block := range raw.Shops {
		if !shopName.MatchString(block.Name) {
			top.rejectAt(block.Range, "a shop's name must be small letters, digits and hyphens, at most 63, and begin with a letter or digit, for example \"acme\"; %q is not", block.Name)
			continue
		}
		d := &decoder{env: env, dir: dir, file: file, inShop: true}
		result.claims = append(result.claims, d.claim(block))
	}
	result.diagnostics = top.diagnostics
	return result
}

// No configuration comes near; the parser can do some ten thousand.
const maxNesting = 1000

// overdeep tells whether the parser, which calls itself for everything that is
// nested, could run out of stack. Go ends the whole process then.
func overdeep(data []byte, file string) bool {
	tokens, _ := hclsyntax.LexConfig(data, file, hcl.InitialPos)
	depth, deepest, operators := 0, 0, 0
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp:
			depth++
			deepest = max(deepest, depth)
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			depth = max(0, depth-1)
		case hclsyntax.TokenMinus, hclsyntax.TokenBang, hclsyntax.TokenQuestion, hclsyntax.TokenTemplateControl:
			operators++ // what nests without an end of its own; hardly ever written
		}
	}
	return deepest > maxNesting || operators > maxNesting
}

var quotedWord = regexp.MustCompile(`"[^" ]{3,}"`)

// withoutQuotes takes from a message what the parser quotes of the file: it may
// be a key that lost its quotes.
func withoutQuotes(message string, data []byte) string {
	return quotedWord.ReplaceAllStringFunc(message, func(word string) string {
		if bytes.Contains(data, []byte(strings.Trim(word, `"`))) {
			return `"..."`
		}
		return word
	})
}

// What a broken file seems to hold. A wrong guess costs a clearer message only.
var (
	shopGuess    = regexp.MustCompile(`(?m)^[ \t]*shop[ \t]+"?([a-z0-9][a-z0-9-]{0,62})\b`)
	sectionGuess = regexp.MustCompile(`(?m)^[ \t]*(temporal|relay|snapshots|secrets)[ \t]*\{`)
)

func brokenFile(file string, data []byte, previous *parsedFile, diagnostics ...Diagnostic) *parsedFile {
	result := &parsedFile{broken: true, diagnostics: diagnostics}
	names := map[string]bool{}
	hold := func(name string) {
		if !names[name] {
			names[name] = true
			result.claims = append(result.claims, &claim{name: name, file: file, diagnostics: diagnostics})
		}
	}
	if previous != nil {
		result.sections = previous.sections
		for _, c := range previous.claims {
			hold(c.name)
		}
	}
	for _, match := range shopGuess.FindAllSubmatch(data, -1) {
		hold(string(match[1]))
	}
	if len(result.sections) == 0 && (file == installationFile || sectionGuess.Match(data)) {
		result.sections = []*section{{file: file, diagnostics: diagnostics}}
	}
	return result
}

// decoder reads one block of one file and collects what is wrong in it.
type decoder struct {
	env         Environment
	dir, file   string
	inShop      bool
	secrets     []secretUse
	diagnostics []Diagnostic
}

func (d *decoder) rejectAt(place hcl.Range, format string, arguments ...any) {
	d.diagnostics = append(d.diagnostics, Diagnostic{File: d.file, Line: place.Start.Line, Message: fmt.Sprintf(format, arguments...)})
}

func (d *decoder) reject(attr *hcl.Attribute, format string, arguments ...any) {
	d.rejectAt(attr.NameRange, format, arguments...)
}

func (d *decoder) report(diag *hcl.Diagnostic, message string) {
	place := hcl.Range{Start: hcl.InitialPos}
	if diag.Subject != nil {
		place = *diag.Subject
	}
	d.rejectAt(place, "%s", message)
}

// body takes a block apart into raw, whose fields name what it may hold.
func (d *decoder) body(body hcl.Body, block string, raw any) {
	for _, diag := range gohcl.DecodeBody(body, nil, raw) {
		d.report(diag, explainStructure(diag, block, raw))
	}
}

// one is the only block of its kind, nil where there is none.
func (d *decoder) one(kind string, blocks []rawBlock) *rawBlock {
	if len(blocks) == 0 {
		return nil
	}
	for _, again := range blocks[1:] {
		d.rejectAt(again.Range, "the block %s stands twice, first in line %d; keep one", kind, blocks[0].Range.Start.Line)
	}
	return &blocks[0]
}

// optional takes the only block of its kind apart, where there is one.
func (d *decoder) optional(kind string, blocks []rawBlock, raw any) {
	if block := d.one(kind, blocks); block != nil {
		d.body(block.Body, kind, raw)
	}
}

func (d *decoder) section(kind string, block rawBlock) *section {
	s := &section{kind: kind, file: d.file, line: block.Range.Start.Line}
	var apply func(*Installation)
	switch kind {
	case "temporal":
		apply = d.temporal(block.Body)
	case "relay":
		apply = d.relay(block.Body)
	case "snapshots":
		apply = d.snapshots(block.Body)
	case "secrets":
		apply = d.installationSecrets(block.Body)
	}
	if len(d.diagnostics) == 0 {
		s.apply = apply
	}
	s.secrets, s.diagnostics = d.secrets, d.diagnostics
	return s
}

func (d *decoder) temporal(body hcl.Body) func(*Installation) {
	var raw rawTemporal
	d.body(body, "temporal", &raw)
	temporal := Temporal{TaskQueue: defaultTaskQueue}
	if d.text("temporal.task_queue", raw.TaskQueue, &temporal.TaskQueue) && temporal.TaskQueue == "" {
		d.reject(raw.TaskQueue, "temporal.task_queue is empty; the default is %q", defaultTaskQueue)
	}
	return func(i *Installation) { i.Temporal = temporal }
}

func (d *decoder) relay(body hcl.Body) func(*Installation) {
	var raw rawRelay
	d.body(body, "relay", &raw)
	relay := Relay{Listen: defaultListen}
	d.listen("relay.listen", raw.Listen, &relay.Listen)
	d.address("relay.public_url", raw.PublicURL, &relay.PublicURL)
	d.prefixes("relay.trusted_proxies", raw.TrustedProxies, &relay.TrustedProxies)
	return func(i *Installation) { i.Relay = &relay }
}

func (d *decoder) snapshots(body hcl.Body) func(*Installation) {
	var raw rawSnapshots
	d.body(body, "snapshots", &raw)
	snapshots := defaultSnapshots()
	d.bucket("snapshots.url", raw.URL, &snapshots.URL)
	whole(d, "snapshots.keep", raw.Keep, &snapshots.Keep, 1, maxCount)
	d.duration("snapshots.keep_receipts", raw.KeepReceipts, &snapshots.KeepReceipts, time.Second)
	return func(i *Installation) { i.Snapshots = snapshots }
}

func defaultSnapshots() Snapshots {
	return Snapshots{Keep: 48, KeepReceipts: 90 * 24 * time.Hour}
}

func (d *decoder) installationSecrets(body hcl.Body) func(*Installation) {
	var raw rawSecrets
	d.body(body, "secrets", &raw)
	var secrets Secrets
	if raw.MasterKey != nil {
		if use, ok := d.secret("secrets.master_key", raw.MasterKey); ok {
			secrets.MasterKey = use.secret
			d.secrets = append(d.secrets, use)
		}
	}
	return func(i *Installation) { i.Secrets = secrets }
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
	if c.diagnostics = d.diagnostics; len(c.diagnostics) > 0 {
		return c
	}
	v.address, v.secrets = sameAddress(v.shop.Fynode.URL), d.secrets
	v.digest = v.effect()
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

// notHere are names that people may expect, by block, and what to do instead.
var notHere = map[string]map[string]string{
	"shop": {
		"items": "items is not supported yet; remove it, as the shop would be kept without what the file says",
		"alert": "alert is not supported yet; remove it, as nobody would be alerted",
	},
	"temporal": {
		"address":   "temporal.address is not set here; use TEMPORAL_ADDRESS or Temporal's profile file",
		"namespace": "temporal.namespace is not set here; use TEMPORAL_NAMESPACE or Temporal's profile file",
		"api_key":   "temporal.api_key is not set here; use TEMPORAL_API_KEY or Temporal's profile file",
		"tls":       "temporal.tls is not set here; use TEMPORAL_TLS_... or Temporal's profile file",
	},
}

var quotedName = regexp.MustCompile(`"([^"]*)"`)

// explainStructure says what is wrong with the names in a block.
func explainStructure(diag *hcl.Diagnostic, block string, raw any) string {
	var kind string
	switch diag.Summary {
	case "Unsupported argument":
		kind = "attribute"
	case "Unsupported block type":
		kind = "block"
	case "Missing name for shop", "Extraneous label for shop":
		return `a shop has one name; write: shop "acme" { ... }`
	default:
		return diag.Summary + ": " + diag.Detail
	}
	name := quotedName.FindStringSubmatch(diag.Detail)[1]
	if instead, ok := notHere[block][name]; ok {
		return instead
	}
	place := ""
	if block != "" {
		place = " in " + block
	}
	var known []string
	schema, _ := gohcl.ImpliedBodySchema(raw)
	for _, attribute := range schema.Attributes {
		if attribute.Name == name {
			return fmt.Sprintf("%s%s is an attribute; write: %s = ...", name, place, name)
		}
		known = append(known, attribute.Name)
	}
	for _, b := range schema.Blocks {
		if b.Type == name {
			return fmt.Sprintf("%s%s is a block; write: %s { ... }", name, place, name)
		}
		known = append(known, b.Type)
	}
	for _, suggestion := range known {
		if levenshtein.Distance(name, suggestion, nil) <= 2 {
			return fmt.Sprintf("unknown %s %q%s; did you mean %q?", kind, name, place, suggestion)
		}
	}
	return fmt.Sprintf("unknown %s %q%s; known there are %s", kind, name, place, strings.Join(known, ", "))
}
