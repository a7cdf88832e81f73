package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// The readers below share a shape: they leave dst alone where the attribute is
// absent or null, and report, with the line, a value that cannot be used.

// text reads a trimmed text in quotes; an env("X") in it is resolved at once.
func (d *decoder) text(path string, attr *hcl.Attribute, dst *string) bool {
	value, ok := d.value(path, attr)
	if !ok {
		return false
	}
	if value.Type() != cty.String {
		d.reject(attr, "%s must be a text in quotes", path)
		return false
	}
	*dst = strings.TrimSpace(value.AsString())
	return true
}

// oneOf reads one of a few words.
func oneOf[T ~string](d *decoder, path string, attr *hcl.Attribute, dst *T, allowed ...T) {
	var text string
	if !d.text(path, attr, &text) {
		return
	}
	if !slices.Contains(allowed, T(text)) {
		quoted := lo.Map(allowed, func(word T, _ int) string { return strconv.Quote(string(word)) })
		d.reject(attr, "%s is %q; it must be %s", path, text, strings.Join(quoted, " or "))
		return
	}
	*dst = T(text)
}

func (d *decoder) flag(path string, attr *hcl.Attribute, dst *bool) {
	value, ok := d.value(path, attr)
	if !ok {
		return
	}
	flag, err := convert.Convert(value, cty.Bool)
	if err != nil || flag.IsNull() {
		d.reject(attr, "%s must be true or false", path)
		return
	}
	*dst = flag.True()
}

// whole reads a whole number from least to most.
func whole[T ~int | ~int32](d *decoder, path string, attr *hcl.Attribute, dst *T, least, most int64) {
	value, ok := d.value(path, attr)
	if !ok {
		return
	}
	number, err := wholeNumber(value, least, most)
	if err != nil {
		d.reject(attr, "%s %v", path, err)
		return
	}
	*dst = T(number)
}

func wholeNumber(value cty.Value, least, most int64) (int64, error) {
	wanted := fmt.Errorf("must be a whole number from %d to %d", least, most)
	number, err := convert.Convert(value, cty.Number)
	if err != nil || number.IsNull() {
		return 0, wanted
	}
	result, accuracy := number.AsBigFloat().Int64()
	if accuracy != 0 || result < least || result > most {
		return 0, wanted
	}
	return result, nil
}

// The bounds of an amount keep a number such as 1e999999 from being written out.
var (
	maxAmount = cty.NumberIntVal(1_000_000_000)
	minAmount = cty.MustParseNumberVal("0.000001")
)

// amount reads a decimal of at least 0, exactly as it is written.
func (d *decoder) amount(path string, attr *hcl.Attribute, dst *decimal.Decimal) {
	value, ok := d.value(path, attr)
	if !ok {
		return
	}
	number, err := convert.Convert(value, cty.Number)
	switch {
	case err != nil || number.IsNull():
		d.reject(attr, "%s must be a number, for example 2 or 0.5", path)
	case number.LessThan(cty.Zero).True() || number.GreaterThan(maxAmount).True():
		d.reject(attr, "%s must be a number from 0 to %s", path, maxAmount.AsBigFloat().Text('f', 0))
	case number.RawEquals(cty.Zero):
		*dst = decimal.Zero
	case number.LessThan(minAmount).True():
		d.reject(attr, "%s must be 0 or at least 0.000001", path)
	default:
		amount, err := decimal.NewFromString(number.AsBigFloat().Text('f', -1))
		if err != nil || amount.Exponent() < -6 {
			d.reject(attr, "%s must have at most 6 decimal places", path)
			return
		}
		*dst = amount
	}
}

var percentPattern = regexp.MustCompile(`^([0-9]{1,3}(?:\.[0-9]{1,3})?) ?%$`)

// fraction reads a percentage: "30%" gives 0.3.
func (d *decoder) fraction(path string, attr *hcl.Attribute, dst *float64) {
	value, ok := d.value(path, attr)
	if !ok {
		return
	}
	if value.Type() == cty.String {
		if match := percentPattern.FindStringSubmatch(strings.TrimSpace(value.AsString())); match != nil {
			fraction := decimal.RequireFromString(match[1]).Shift(-2)
			if fraction.LessThanOrEqual(decimal.NewFromInt(1)) {
				*dst = fraction.InexactFloat64()
				return
			}
		}
	}
	d.reject(attr, `%s must be a percentage in quotes from "0%%" to "100%%", for example "30%%"`, path)
}

// maxDuration keeps days from overflowing, and typing errors from meaning
// for ever.
const maxDuration = 10 * 365 * 24 * time.Hour

// duration reads a time span of at least least.
func (d *decoder) duration(path string, attr *hcl.Attribute, dst *time.Duration, least time.Duration) {
	value, ok := d.value(path, attr)
	if !ok {
		return
	}
	if value.Type() == cty.String {
		if span, err := parseDuration(strings.TrimSpace(value.AsString())); err == nil && span >= least {
			*dst = span
			return
		}
	}
	d.reject(attr, `%s must be a duration in quotes from "%s" to "3650d", for example "30s", "24h" or "90d"`, path, least)
}

var durationPattern = regexp.MustCompile(`^(?:([0-9]{1,4})d)?(.*)$`)

func parseDuration(text string) (time.Duration, error) {
	match := durationPattern.FindStringSubmatch(text)
	if match == nil || text == "" {
		return 0, errors.New("not a duration")
	}
	var span time.Duration
	if match[1] != "" {
		days, _ := strconv.Atoi(match[1])
		span = time.Duration(days) * 24 * time.Hour
	}
	if match[2] != "" {
		rest, err := time.ParseDuration(match[2])
		if err != nil || rest < 0 {
			return 0, errors.New("not a duration")
		}
		span += min(rest, maxDuration+1)
	}
	if span > maxDuration {
		return 0, errors.New("too long")
	}
	return span, nil
}

// texts reads a list of texts: trimmed, none empty, none twice.
func (d *decoder) texts(path string, attr *hcl.Attribute, dst *[]string) {
	d.textsLike(path, attr, dst, `["LT", "PR"]`)
}

func (d *decoder) textsLike(path string, attr *hcl.Attribute, dst *[]string, example string) {
	elements, ok := d.elements(path, attr, "a list of texts, for example "+example)
	if !ok {
		return
	}
	var result []string
	for _, element := range elements {
		if element.IsNull() || element.Type() != cty.String {
			d.reject(attr, "%s must hold texts in quotes, for example %s", path, example)
			return
		}
		text := strings.TrimSpace(element.AsString())
		switch {
		case text == "":
			d.reject(attr, "%s holds an empty text; remove it", path)
			return
		case slices.Contains(result, text):
			d.reject(attr, "%s names %q twice; remove one", path, text)
			return
		}
		result = append(result, text)
	}
	*dst = result
}

// versions reads a list of key versions.
func (d *decoder) versions(path string, attr *hcl.Attribute, dst *[]int) {
	elements, ok := d.elements(path, attr, "a list of key versions, for example [1]")
	if !ok {
		return
	}
	var result []int
	for _, element := range elements {
		version, err := wholeNumber(element, 1, maxKeyVersion)
		if err != nil {
			d.reject(attr, "every version in %s %v", path, err)
			return
		}
		if slices.Contains(result, int(version)) {
			d.reject(attr, "%s names version %d twice; remove one", path, version)
			return
		}
		result = append(result, int(version))
	}
	*dst = result
}

// decimals reads a map from measure unit to decimal places.
func (d *decoder) decimals(path string, attr *hcl.Attribute, dst *map[string]int32) {
	value, ok := d.value(path, attr)
	if !ok {
		return
	}
	if !value.Type().IsObjectType() && !value.Type().IsMapType() {
		d.reject(attr, "%s must say how many decimal places a measure unit has, for example { kg = 3, m = 2 }", path)
		return
	}
	result := make(map[string]int32, value.LengthInt())
	for key, element := range value.Elements() {
		unit := strings.TrimSpace(key.AsString())
		if unit == "" {
			d.reject(attr, "%s holds an empty unit; remove it", path)
			return
		}
		if _, twice := result[unit]; twice {
			d.reject(attr, "%s names the unit %q twice; remove one", path, unit)
			return
		}
		places, err := wholeNumber(element, 0, maxDecimals)
		if err != nil {
			d.reject(attr, "%s: the decimal places of %q %v", path, unit, err)
			return
		}
		result[unit] = int32(places)
	}
	if len(result) > 0 {
		*dst = result
	}
}

// prefixes reads a list of networks; a single address is a network of its own.
func (d *decoder) prefixes(path string, attr *hcl.Attribute, dst *[]netip.Prefix) {
	var networks []string
	d.texts(path, attr, &networks)
	for _, network := range networks {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			var address netip.Addr
			if address, err = netip.ParseAddr(network); err == nil {
				prefix = netip.PrefixFrom(address, address.BitLen())
			}
		}
		if err != nil || !prefix.IsValid() {
			d.reject(attr, "%s: %q is not a network; write it as in \"10.0.0.0/8\" or \"192.0.2.7\"", path, network)
			return
		}
		*dst = append(*dst, prefix.Masked())
	}
}

// address reads the URL of an HTTP service, without a slash at its end.
func (d *decoder) address(path string, attr *hcl.Attribute, dst *string) {
	var text string
	if !d.text(path, attr, &text) {
		return
	}
	address, err := parseAddress(text)
	if err != nil {
		d.reject(attr, "%s %v", path, err) // never the text: it may hold a password
		return
	}
	*dst = address
}

func parseAddress(text string) (string, error) {
	const example = `, for example "https://shop.example.com/api/v1"`
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return "", errors.New("must be a whole URL" + example)
	case u.User != nil:
		return "", errors.New("must not hold a user or password; keys go to api_key")
	case strings.ContainsAny(text, "?#"):
		return "", errors.New("must not hold a query or fragment (? or #)" + example)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "", errors.New("must begin with https://; http:// is accepted for this machine only (localhost, 127.0.0.1, ::1), as the key would travel readable")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("must begin with https://" + example)
	case u.Port() == "" && strings.HasSuffix(u.Host, ":") || u.Port() != "" && !validPort(u.Port()):
		return "", errors.New("holds a port that is none; it must be from 1 to 65535")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func validPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// sameAddress is equal for two spellings of one address.
func sameAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	port := lo.CoalesceOrEmpty(u.Port(), lo.Ternary(u.Scheme == "http", "80", "443"))
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	return net.JoinHostPort(host, port) + strings.TrimRight(u.JoinPath().EscapedPath(), "/")
}

// listen reads the address that a server binds.
func (d *decoder) listen(path string, attr *hcl.Attribute, dst *string) {
	var text string
	if !d.text(path, attr, &text) {
		return
	}
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		d.reject(attr, `%s is %q; it must be host:port, for example ":8088" or "127.0.0.1:8088"`, path, text)
		return
	}
	*dst = text
}

// bucket reads the URL of the archive.
func (d *decoder) bucket(path string, attr *hcl.Attribute, dst *string) {
	var text string
	if !d.text(path, attr, &text) {
		return
	}
	u, err := url.Parse(text)
	valid := err == nil && u.User == nil && u.Fragment == ""
	switch {
	case !valid:
	case u.Scheme == "file":
		valid = u.Host == "" && strings.HasPrefix(u.Path, "/")
	case u.Scheme == "s3":
		valid = u.Host != ""
	default:
		valid = u.Scheme == "mem"
	}
	if !valid {
		d.reject(attr, `%s must be file:// with a whole path, s3:// or mem://, without user or password, for example "file:///var/lib/skladom" or "s3://bucket?region=eu-central-1"`, path)
		return
	}
	*dst = text
}

// timezone reads the name of a time zone.
func (d *decoder) timezone(path string, attr *hcl.Attribute, dst *string) {
	var text string
	if !d.text(path, attr, &text) {
		return
	}
	if _, err := parseZone(text); err != nil {
		d.reject(attr, "%s %q %v", path, text, err)
		return
	}
	*dst = text
}

// schedule reads a cron expression.
func (d *decoder) schedule(path string, attr *hcl.Attribute, dst *string) {
	var text string
	if !d.text(path, attr, &text) {
		return
	}
	if _, err := parseSchedule(text); err != nil {
		d.reject(attr, "%s %q %v", path, text, err)
		return
	}
	*dst = text
}

// secretUse is a place in the files that holds a secret.
type secretUse struct {
	path   string // kros.api_key
	source string // equal for two places that hold the same secret; no secret itself
	secret Secret
	file   string
	line   int

	literal bool // the secret itself stands there
}

// secret reads where a secret is to be found: a literal, env("X") or
// file("path"). Nothing is evaluated and nothing of the expression is quoted
// but the name of a variable or file: a key pasted without its quotes is an
// expression too.
func (d *decoder) secret(path string, attr *hcl.Attribute) (secretUse, bool) {
	use := secretUse{path: path, file: d.file, line: attr.NameRange.Start.Line}
	call, diags := hcl.ExprCall(attr.Expr)
	if diags.HasErrors() {
		value, diags := attr.Expr.Value(nil)
		switch {
		case diags.HasErrors() || value.IsNull() || value.Type() != cty.String:
			d.reject(attr, `%s must be env("NAME"), file("path") or a text in quotes`, path)
			return use, false
		case strings.TrimSpace(value.AsString()) == "":
			d.reject(attr, "%s is empty; put the key there, or better env(\"NAME\")", path)
			return use, false
		}
		use.secret, use.source, use.literal = NewSecret(value.AsString()), "literal "+hash(value.AsString()), true
		return use, true
	}
	argument, ok := literalArgument(call)
	switch {
	case call.Name == "env" && ok:
		if err := d.variable(argument); err != nil {
			d.reject(attr, "%s: %v", path, err)
			return use, false
		}
		use.secret, use.source = environmentSecret(d.env, argument), "environment variable "+argument
	case call.Name == "file" && ok && strings.TrimSpace(argument) != "":
		file := d.resolve(argument)
		if isBelow(file, "/proc") {
			d.reject(attr, "%s: files below /proc hold the whole environment and are refused; write env(\"NAME\")", path)
			return use, false
		}
		use.secret, use.source = fileSecret(d.env, file), "file "+file
	default:
		d.reject(attr, `%s must be env("NAME"), file("path") or a text in quotes`, path)
		return use, false
	}
	return use, true
}

// literalArgument is the one argument of a call where it is a text in quotes.
func literalArgument(call *hcl.StaticCall) (string, bool) {
	if len(call.Arguments) != 1 {
		return "", false
	}
	value, diags := call.Arguments[0].Value(nil)
	if diags.HasErrors() || value.IsNull() || value.Type() != cty.String {
		return "", false
	}
	return value.AsString(), true
}

// resolve makes a path that is relative to the configuration directory whole.
func (d *decoder) resolve(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(d.dir, path)
}

func isBelow(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}

// What does not fit is not quoted: it may be a key, pasted in place of a name.
var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// variable checks the name of an environment variable.
func (d *decoder) variable(name string) error {
	if !variablePattern.MatchString(name) {
		return errors.New(`env("NAME") needs the name of an environment variable: letters, digits and _, at most 64`)
	}
	if d.inShop && strings.HasPrefix(strings.ToUpper(name), "SKLADOM_") {
		return fmt.Errorf("env(%q) is refused in a shop: variables SKLADOM_... belong to the installation, and this one would be sent to the shop's URL; use a variable of the shop's own", name)
	}
	return nil
}

// value evaluates an attribute that is no secret. It is false where there is
// nothing to read: the attribute is absent, null, or reported as wrong.
func (d *decoder) value(path string, attr *hcl.Attribute) (cty.Value, bool) {
	if attr == nil {
		return cty.NilVal, false
	}
	value, diags := attr.Expr.Value(d.evaluation())
	if diags.HasErrors() {
		for _, diag := range diags {
			d.reject(attr, "%s: %s", path, explainExpression(diag))
		}
		return cty.NilVal, false
	}
	return value, !value.IsNull() && value.IsWhollyKnown()
}

func (d *decoder) elements(path string, attr *hcl.Attribute, wanted string) ([]cty.Value, bool) {
	value, ok := d.value(path, attr)
	if !ok {
		return nil, false
	}
	if t := value.Type(); !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		d.reject(attr, "%s must be %s", path, wanted)
		return nil, false
	}
	return value.AsValueSlice(), true
}

// evaluation offers env to attributes that are no secrets. They are read once
// and have to be right then, so it resolves at once; file would not be noticed
// when it changes, so it is not offered.
func (d *decoder) evaluation() *hcl.EvalContext {
	argument := []function.Parameter{{Name: "name", Type: cty.String}}
	return &hcl.EvalContext{Functions: map[string]function.Function{
		"env": function.New(&function.Spec{Params: argument, Type: function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				name := args[0].AsString()
				if err := d.variable(name); err != nil {
					return cty.NilVal, err
				}
				value, err := lookupVariable(d.env, name)
				return cty.StringVal(value), err
			}}),
		"file": function.New(&function.Spec{Params: argument, Type: function.StaticReturnType(cty.String),
			Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
				return cty.NilVal, errors.New("file(...) is for secrets only; write the value itself or env(\"NAME\")")
			}}),
	}}
}

func explainExpression(diag *hcl.Diagnostic) string {
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](diag); ok && call.FunctionCallError() != nil {
		return call.FunctionCallError().Error()
	}
	switch diag.Summary {
	case "Variables not allowed", "Unknown variable":
		return "there are no variables; a text needs quotes"
	case "Call to unknown function", "Function calls not allowed":
		return `there are two functions, env("NAME") and file("path")`
	}
	return diag.Summary + ": " + diag.Detail
}
