package config_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/config"
)

func TestTheSettingsHashDependsOnValuesAlone(t *testing.T) {
	base := shopOf(t, `match = "number"`, "buffer = 1.50", "unit_decimals = { kg = 3, m = 2 }", `sold_hold = "24h"`)
	for _, same := range []config.Shop{
		shopOf(t, "buffer = 1.5", "unit_decimals = { m = 2, kg = 3 }", `sold_hold = "1d"`),
		func() config.Shop { s := base; s.Name, s.Kros.URL = "other", "https://other.example.com"; return s }(),
	} {
		require.Equal(t, base.SettingsHash(), same.SettingsHash())
	}
	for _, other := range []string{"buffer = 1.51", "decimals = 1", `quantity = "sum"`, "only_eshop_items = true", `webhook { min_gap = "31s" }`} {
		require.NotEqual(t, shopOf(t).SettingsHash(), shopOf(t, other).SettingsHash(), other)
	}
	one, two := shopOf(t), shopOf(t)
	one.Settings.Rules.Warehouses = []string{"LT", "PR"}
	two.Settings.Rules.Warehouses = []string{"PR", "LT"}
	require.Equal(t, one.SettingsHash(), two.SettingsHash())
	require.Equal(t, []string{"PR", "LT"}, two.Settings.Rules.Warehouses, "the hash leaves the order alone")
	two.Settings.Rules.Warehouses = []string{"PR", "KE"}
	require.NotEqual(t, one.SettingsHash(), two.SettingsHash())
	// Another hash for the same file is a change of settings to every shop: a
	// release that has to bring one says so.
	require.Equal(t, "8c2801b3ea38", shopOf(t).SettingsHash())
}

func TestTheFingerprintDependsOnTheConnectionAlone(t *testing.T) {
	base := func() config.Shop {
		s := shopOf(t)
		s.Kros.URL, s.Kros.APIKey = "https://kros", config.NewSecret("one")
		s.Fynode.URL, s.Fynode.APIKey = "https://shop", config.NewSecret("two")
		return s
	}
	fingerprint := func(change func(*config.Shop)) string {
		s := base()
		change(&s)
		text, err := s.Fingerprint()
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{8}$", text)
		return text
	}
	same := fingerprint(func(*config.Shop) {})
	require.Equal(t, same, fingerprint(func(s *config.Shop) { s.Settings.Title, s.Kros.PerMinute = "x", 7 }))
	require.Equal(t, same, fingerprint(func(s *config.Shop) { s.Kros.APIKey = config.NewSecret("one\n") }))
	for part, change := range map[string]func(*config.Shop){
		"name":     func(s *config.Shop) { s.Name = "b" },
		"kros url": func(s *config.Shop) { s.Kros.URL += "x" },
		"kros key": func(s *config.Shop) { s.Kros.APIKey = config.NewSecret("other") },
		"shop url": func(s *config.Shop) { s.Fynode.URL += "x" },
		"shop key": func(s *config.Shop) { s.Fynode.APIKey = config.NewSecret("other") },
		"swapped":  func(s *config.Shop) { s.Kros.APIKey, s.Fynode.APIKey = s.Fynode.APIKey, s.Kros.APIKey },
		"shifted": func(s *config.Shop) {
			s.Kros.URL, s.Kros.APIKey = "https://kroso", config.NewSecret("ne")
		},
	} {
		require.NotEqual(t, same, fingerprint(change), part)
	}
	_, err := config.Shop{Name: "a"}.Fingerprint()
	require.ErrorContains(t, err, "kros.api_key")
}

func TestTheMasterKeyIs32BytesOfAnyBase64(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb, 0xff}, 16) // its base64 differs between the alphabets
	parse := func(text string) ([]byte, error) {
		return config.Installation{Secrets: config.Secrets{MasterKey: config.NewSecret(text)}}.MasterKey()
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		got, err := parse(" " + encoding.EncodeToString(key) + "\n")
		require.NoError(t, err)
		require.Equal(t, key, got)
	}
	for _, wrong := range []string{"", "not base64!", base64.StdEncoding.EncodeToString(key[:31]), base64.StdEncoding.EncodeToString(append(key, 1))} {
		_, err := parse(wrong)
		require.ErrorContains(t, err, "openssl rand -base64 32")
		if wrong != "" {
			require.NotContains(t, err.Error(), wrong)
		}
	}
	_, err := config.Installation{}.MasterKey()
	require.ErrorContains(t, err, "SKLADOM_MASTER_KEY")
}

func TestNumbersAreReadExactly(t *testing.T) {
	for text, want := range map[string]string{"0.1": "0.1", "0.000001": "0.000001", "1e2": "100", "0": "0", "-0": "0", "12345678.123456": "12345678.123456"} {
		got := shopOf(t, "buffer = "+text).Settings.Rules.Buffer
		require.True(t, got.Equal(decimal.RequireFromString(want)), "%s: %s", text, got)
	}
}

func TestDurationsKnowDays(t *testing.T) {
	for text, want := range map[string]time.Duration{"0s": 0, "0": 0, "90m": 90 * time.Minute, "2d": 48 * time.Hour, "1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "3650d": 3650 * 24 * time.Hour} {
		require.Equal(t, want, shopOf(t, `sold_hold = "`+text+`"`).Settings.Rules.SoldHold, text)
	}
	for _, wrong := range []string{"", "d", "-1h", "1d-1h", "-1d", "3651d", "9999d", "3650d1s", "2562047h", "99999999d", "1w", "1d1d", "1.5d"} {
		disk := newDisk(map[string]string{"a.hcl": shopText("a", `sold_hold = "`+wrong+`"`)})
		requireKind(t, disk.open(t), "a", config.Invalid)
	}
}

func TestPlainHTTPIsForThisMachineOnly(t *testing.T) {
	for url, accepted := range map[string]bool{
		"http://localhost:8082/v1":      true,
		"http://shop.localhost":         true,
		"http://127.8.9.1":              true,
		"http://[::1]:1":                true,
		"http://[::ffff:127.0.0.1]":     true,
		"http://localhost.example.com":  false,
		"http://127.0.0.1.example.com":  false,
		"http://10.0.0.1":               false,
		"http://0.0.0.0":                false,
		"https://10.0.0.1":              true,
		"HTTPS://shop.example.com":      true,
		"https://":                      false,
		"https:shop.example.com":        false,
		"//shop.example.com":            false,
		"https://shop.example.com:":     false,
		"https://shop.example.com:0":    false,
		"https://shop.example.com?":     false,
		"https://shop.example.com/#":    false,
		"https://user@shop.example.com": false,
		"ftp://shop.example.com":        false,
		"https://shop example.com":      false,
	} {
		disk := newDisk(map[string]string{"a.hcl": shopAt("a", url)})
		_, err := disk.open(t).Shop("a")
		require.Equal(t, accepted, err == nil, "%s: %v", url, err)
	}
}

// shopOf is a shop with more attributes.
func shopOf(t *testing.T, more ...string) config.Shop {
	t.Helper()
	disk := newDisk(map[string]string{"a.hcl": shopText("a", more...)})
	shop, err := disk.open(t).Shop("a")
	require.NoError(t, err)
	return shop
}

func TestTheURLOfAnAlertIsCheckedWhereverItStands(t *testing.T) {
	for url, accepted := range map[string]bool{
		" https://alerts.example.com/hook?key=1 \n": true,
		"https://user:key@alerts.example.com":       true,
		"http://127.0.0.1:9/hook":                   true,
		"http://alerts.example.com":                 false,
		"https://alerts.example.com#hook":           false,
		"https://alerts.example.com:0":              false,
		"https://":                                  false,
		"hunter2":                                   false,
		"ftp://alerts.example.com":                  false,
		"https://alerts example.com/hunter2":        false,
	} {
		disk := newDisk(map[string]string{
			"literal.hcl":  shopText("literal", fmt.Sprintf("alert { url = %q }", url)),
			"variable.hcl": shopText("variable", `alert { url = env("URL") }`),
		})
		env := disk.environment()
		env.Getenv = func(string) (string, bool) { return url, true }
		d, err := config.Open("/conf", env)
		require.NoError(t, err)
		_, err = d.Shop("literal")
		require.Equal(t, accepted, err == nil, "%s: %v", url, err)
		variable, err := d.Shop("variable")
		require.NoError(t, err, "what is elsewhere is looked at when it is used")
		revealed, err := variable.Alert.URL.Reveal()
		require.Equal(t, accepted, err == nil, "%s: %v", url, err)
		if accepted {
			require.Equal(t, strings.TrimSpace(url), revealed)
		} else {
			require.NotContains(t, fmt.Sprint(d.Validate(), err), "hunter2")
		}
	}
}

func TestAnAlertOfTheInstallationIsThatOfEveryShopWithoutOne(t *testing.T) {
	const mail = "mail {\n host = \"localhost\"\n from = \"s@example.com\"\n}\n"
	disk := newDisk(map[string]string{
		"skladom.hcl": mail,
		"a.hcl":       shopText("a"),
		"own.hcl":     shopText("own", `alert { email = ["own@example.com"] }`),
		"nobody.hcl":  shopText("nobody", "alert {}"),
	})
	d := disk.open(t)
	told := func(name string) (config.Shop, []string) {
		t.Helper()
		shop, err := d.Shop(name)
		require.NoError(t, err)
		return shop, shop.Alert.Email
	}
	before, none := told("a")
	require.Empty(t, none)
	require.Zero(t, before.Settings.MissedPasses)

	disk.write("skladom.hcl", mail+"alert {\n email = [\"all@example.com\"]\n quiet_after = \"72h\"\n}\n")
	changed, diagnostics := d.Reload()
	require.Equal(t, []string{"a"}, changed)
	require.Empty(t, diagnostics)
	after, all := told("a")
	require.Equal(t, []string{"all@example.com"}, all)
	require.True(t, after.Settings.Alerts)
	require.Equal(t, 72*time.Hour, after.Settings.QuietAfter)
	require.Equal(t, 3, after.Settings.MissedPasses)
	require.Equal(t, before.Settings.Rules, after.Settings.Rules, "no change to the stock")
	_, own := told("own")
	require.Equal(t, []string{"own@example.com"}, own)
	nobody, none := told("nobody")
	require.Empty(t, none)
	require.False(t, nobody.Settings.Alerts)

	disk.write("skladom.hcl", mail+"alert {\n email = [\"\"]\n}\n")
	d.Reload()
	_, all = told("a")
	require.Equal(t, []string{"all@example.com"}, all, "the last good block stays in force")

	disk.write("a.hcl", broken)
	disk.write("skladom.hcl", mail)
	changed, _ = d.Reload()
	require.Equal(t, []string{"a"}, changed)
	again, none := told("a")
	require.Empty(t, none, "also for a shop in its last good version")
	require.Equal(t, before.SettingsHash(), again.SettingsHash())
}

func TestAMailServerIsSpokenToReadablyOnThisMachineOnly(t *testing.T) {
	for want, mails := range map[config.Encryption][]config.Mail{
		config.StartTLS:    {{Host: "smtp.example.com", Port: 587}, {Host: "10.0.0.1", Port: 25}},
		config.ImplicitTLS: {{Host: "smtp.example.com", Port: 465}, {Host: "localhost", Port: 465}},
		config.Plain:       {{Host: "localhost", Port: 25}, {Host: "::1", Port: 587}},
	} {
		for _, mail := range mails {
			require.Equal(t, want, mail.Encryption(), mail)
		}
	}
}

// A shop's name becomes a path, a part of URLs and workflow ids, and a line of
// logs and lists.
func TestACraftedShopNameIsRefused(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", "../a", "a/b", `a\\b`, "a:b", "a b", "A", "-a", "a_b", "á", "a.b", "a%2fb", "a'--", "a\\r\\nX: 1", "a\\u0000", "a\\u202eb", "${1}", strings.Repeat("a", 64),
	} {
		disk := newDisk(map[string]string{"a.hcl": strings.Replace(shopText("a"), `"a"`, `"`+name+`"`, 1), "good.hcl": shopText("good")})
		d := disk.open(t)
		require.NotEmpty(t, d.Diagnostics(), name)
		shops := d.Shops()
		require.Len(t, shops, 1, name)
		require.Equal(t, "good", shops[0].Name)
	}
	for _, name := range []string{"a", "0", "a-b-", strings.Repeat("a", 63)} {
		d := newDisk(map[string]string{"a.hcl": shopText(name)}).open(t)
		require.Empty(t, d.Diagnostics(), name)
	}
}
