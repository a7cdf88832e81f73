package config

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Defaults and bounds of section 4 of the design.
const (
	defaultTaskQueue = "skladom"
	defaultListen    = ":8088"
	defaultKrosURL   = "https://api-economy.kros.sk"
	defaultSchedule  = "*/30 * * * *"
	defaultTimezone  = "Europe/Bratislava"

	defaultMailPort     = 587 // submission
	implicitTLSPort     = 465
	defaultMissedPasses = 3

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
	alert       *alertBlock // the shop's own
	own         string      // digest of what the shop's block says
	digest      string      // differs where anything differs that has an effect
}

// section is a block of the installation. apply is nil where it cannot be used.
type section struct {
	kind        string
	file        string
	line        int
	apply       func(*Installation)
	alert       *alertBlock // of kind "alert"
	secrets     []secretUse
	diagnostics []Diagnostic
}

// The blocks of a file, still unread.
type rawFile struct {
	Temporal  []rawBlock     `hcl:"temporal,block"`
	Relay     []rawBlock     `hcl:"relay,block"`
	Snapshots []rawBlock     `hcl:"snapshots,block"`
	Secrets   []rawBlock     `hcl:"secrets,block"`
	Mail      []rawBlock     `hcl:"mail,block"`
	Alert     []rawBlock     `hcl:"alert,block"`
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

// parse reads one file. A file that cannot be read as a whole goes on holding
// what it held before, which is previous (nil at first), and whatever its text
// seems to hold. Its blocks are read by copies of blank.
func parse(blank decoder, data []byte, previous *parsedFile) *parsedFile {
	file := blank.file
	if len(strings.TrimSpace(string(data))) == 0 && previous != nil && len(previous.claims)+len(previous.sections) > 0 {
		// Seen while an editor writes; a shop is not removed by half a save.
		return brokenFile(file, data, previous, Diagnostic{File: file, Message: "the file is empty now; what it held stays in force until it holds something again or is removed"})
	}
	if overdeep(data, file) {
		return brokenFile(file, data, previous, Diagnostic{File: file, Message: "is nested too deeply to be read; is it a configuration at all?"})
	}
	tree, diags := hclsyntax.ParseConfig(data, file, hcl.InitialPos)
	if diags.HasErrors() {
		d := blank
		for _, diag := range diags {
			d.report(diag, diag.Summary+": "+withoutQuotes(diag.Detail, data))
		}
		return brokenFile(file, data, previous, d.diagnostics...)
	}
	top := blank
	var raw rawFile
	top.body(tree.Body, "", &raw)
	result := &parsedFile{}
	for kind, blocks := range map[string][]rawBlock{"temporal": raw.Temporal, "relay": raw.Relay, "snapshots": raw.Snapshots, "secrets": raw.Secrets, "mail": raw.Mail, "alert": raw.Alert} {
		for _, block := range blocks {
			d := blank
			result.sections = append(result.sections, d.section(kind, block))
		}
	}
	slices.SortFunc(result.sections, func(a, b *section) int { return a.line - b.line })
	for _, block := range raw.Shops {
		if !shopName.MatchString(block.Name) {
			top.rejectAt(block.Range, "a shop's name must be small letters, digits and hyphens, at most 63, and begin with a letter or digit, for example \"acme\"; %q is not", block.Name)
			continue
		}
		d := blank
		d.inShop = true
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
	sectionGuess = regexp.MustCompile(`(?m)^[ \t]*(temporal|relay|snapshots|secrets|mail)[ \t]*\{`) // alert may be a shop's
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
	known, used itemsFiles // read before, and named by this file
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

// notHere are names that people may expect, by block, and what to do instead.
var notHere = map[string]map[string]string{
	"shop": {
		"mail": "the block mail belongs to the installation; move it out of the shop",
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
		if kind, ok := strings.CutPrefix(diag.Summary, "Extraneous label for "); ok {
			return fmt.Sprintf("the block %s has no name; write: %s { ... }", kind, kind)
		}
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
