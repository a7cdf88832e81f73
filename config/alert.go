package config

import (
	"cmp"
	"errors"
	"net/mail"
	"net/url"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// The block alert stands in the installation, for all shops, and in a shop,
// where it replaces that of the installation as a whole.
type rawAlert struct {
	URL          *hcl.Attribute `hcl:"url,optional"`
	Email        *hcl.Attribute `hcl:"email,optional"`
	QuietAfter   *hcl.Attribute `hcl:"quiet_after,optional"`
	MissedPasses *hcl.Attribute `hcl:"missed_passes,optional"`
}

// alertBlock is a block alert that can be used. It is never changed.
type alertBlock struct {
	alert  Alert
	digest string // differs where anything differs that has an effect
	file   string
	line   int // of the mail addresses
}

// alert is nil where the block cannot be used.
func (d *decoder) alert(block rawBlock) *alertBlock {
	wrong := len(d.diagnostics)
	var raw rawAlert
	d.body(block.Body, "alert", &raw)
	b := &alertBlock{alert: Alert{MissedPasses: defaultMissedPasses}, file: d.file}
	source := d.alertURL(raw.URL, &b.alert.URL)
	if d.addresses("alert.email", raw.Email, &b.alert.Email) {
		b.line = raw.Email.NameRange.Start.Line
	}
	d.duration("alert.quiet_after", raw.QuietAfter, &b.alert.QuietAfter, 0)
	whole(d, "alert.missed_passes", raw.MissedPasses, &b.alert.MissedPasses, 1, maxCount)
	switch {
	case len(d.diagnostics) > wrong:
		return nil
	case b.alert.Configured():
	case raw.QuietAfter != nil || raw.MissedPasses != nil:
		d.rejectAt(block.Range, "alert names nobody; add url or email, or leave the block empty if nobody is to be told")
		return nil
	default:
		b.alert = Alert{}
	}
	b.digest = hash(string(mustJSON([]any{b.alert, source})))
	return b
}

// alertURL returns where the URL comes from.
func (d *decoder) alertURL(attr *hcl.Attribute, dst *Secret) (source string) {
	if attr == nil {
		return ""
	}
	use, ok := d.secret("alert.url", attr)
	if !ok {
		return ""
	}
	use.secret = alertURL(use.secret)
	if err := use.wrong(); err != nil {
		d.reject(attr, "alert.url %v", err)
		return ""
	}
	d.secrets = append(d.secrets, use)
	*dst = use.secret
	return use.source
}

// alerted is the version with its own alert, else with that of the installation.
func (v *version) alerted(installation *alertBlock) *version {
	block := cmp.Or(v.alert, installation)
	next := *v
	next.shop.Alert, next.digest = Alert{}, v.own
	if block != nil {
		next.shop.Alert, next.digest = block.alert, v.own+block.digest
	}
	settings := &next.shop.Settings
	settings.Alerts = next.shop.Alert.Configured()
	settings.QuietAfter, settings.MissedPasses = next.shop.Alert.QuietAfter, next.shop.Alert.MissedPasses
	return &next
}

// noMail reports mail addresses that no mail will reach. The shop is kept all
// the same: its stock matters more.
func (s *state) noMail(block *alertBlock) {
	if block != nil && len(block.alert.Email) > 0 && s.sections["mail"] == nil {
		s.reject(block.file, block.line, `alert.email needs a mail server; write in the installation: mail { host = "smtp.example.com" and from = "skladom@example.com", a line each }`)
	}
}

// checkAlertURL completes the sentence "alert.url ..." and never quotes: what
// follows the host is often the key.
func checkAlertURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New(`must be a whole URL, for example "https://alerts.example.com/skladom"`)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("must begin with https://; http:// is accepted for this machine only (localhost, 127.0.0.1, ::1)")
	case u.Fragment != "":
		return errors.New("must not hold a fragment (#)")
	case u.Port() == "" && strings.HasSuffix(u.Host, ":") || u.Port() != "" && !validPort(u.Port()):
		return errors.New("holds a port that is none; it must be from 1 to 65535")
	}
	return nil
}

// addresses reads a list of mail addresses.
func (d *decoder) addresses(path string, attr *hcl.Attribute, dst *[]string) bool {
	var addresses []string
	d.textsLike(path, attr, &addresses, `["stock@example.com"]`)
	for _, text := range addresses {
		if address, err := mail.ParseAddress(text); err != nil || address.Address != text || !plainAddress.MatchString(text) {
			d.reject(attr, "%s: %q is no mail address; write it as in \"stock@example.com\"", path, text)
			return false
		}
	}
	*dst = addresses
	return len(addresses) > 0
}

// sender reads a mail address with or without a name.
func (d *decoder) sender(path string, attr *hcl.Attribute, dst *string) {
	var text string
	if !d.text(path, attr, &text) {
		return
	}
	if address, err := mail.ParseAddress(text); err != nil || !plainAddress.MatchString(address.Address) {
		d.reject(attr, `%s is no mail address; write it as in "skladom@example.com" or "Skladom <skladom@example.com>"`, path)
		return
	}
	*dst = text
}

// What every mail server understands; names in other alphabets have a form in
// these letters (xn--...).
var plainAddress = regexp.MustCompile(`^[!-~]{1,64}@[A-Za-z0-9.-]{1,189}$`)

var mailHost = regexp.MustCompile(`^[A-Za-z0-9._-]{1,253}$|^[0-9a-fA-F:.]{2,45}$`)

// mailHost reads the name or address of a server, without a port.
func (d *decoder) mailHost(path string, attr *hcl.Attribute, dst *string) {
	var text string
	if !d.text(path, attr, &text) {
		return
	}
	if !mailHost.MatchString(text) {
		d.reject(attr, `%s must be the name of a server alone, for example "smtp.example.com"; its port goes to mail.port`, path)
		return
	}
	*dst = text
}
