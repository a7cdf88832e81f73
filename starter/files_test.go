package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  map[string]string
		status int
		json   string
		stderr string
	}{
		{
			name:  "files that are right",
			files: map[string]string{"skladom.hcl": installation, "shops/acme.hcl": acme},
			json:  `{"shops":["acme"],"diagnostics":[]}`,
		},
		{
			name:   "a wrong shop is told with file and line, the others are listed",
			files:  map[string]string{"shops/acme.hcl": acme, "shops/bad.hcl": "shop \"bad\" {\n  kros {\n"},
			status: statusFailed,
			stderr: "shops/bad.hcl:",
		},
		{
			name:   "a secret that cannot be looked up",
			files:  map[string]string{"shops/acme.hcl": acme, "skladom.hcl": `secrets { master_key = env("NOT_SET") }`},
			status: statusFailed,
			stderr: "NOT_SET",
		},
		{
			name:   "a block of the installation that is wrong",
			files:  map[string]string{"skladom.hcl": "relay {\n  listn = 1\n}\n"},
			status: statusFailed,
			stderr: "skladom.hcl:2: ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := settings(t, c.files)
			text := skladom(t, nil, "validate", "--config", dir)
			require.Equal(t, c.status, text.status, text)
			require.Contains(t, text.stderr, c.stderr)
			asJSON := skladom(t, nil, "validate", "--config", dir, "--json")
			require.Equal(t, c.status, asJSON.status)
			var v struct {
				Shops       []string
				Diagnostics []struct {
					File    string
					Line    *int
					Message string
				}
			}
			decodeOne(t, asJSON, &v)
			require.Equal(t, c.status == statusFailed, len(v.Diagnostics) > 0)
			for _, d := range v.Diagnostics {
				require.NotEmpty(t, d.File)
				require.NotNil(t, d.Line)
				require.NotEmpty(t, d.Message)
			}
			require.NotNil(t, v.Shops)
			if c.json != "" {
				require.JSONEq(t, c.json, asJSON.stdout)
			}
		})
	}
}

func TestValidateCountsTheShops(t *testing.T) {
	one := settings(t, map[string]string{"acme.hcl": acme})
	require.Equal(t, one+": 1 shop, nothing is wrong.\n", skladom(t, nil, "validate", "--config", one).stdout)
	none := settings(t, map[string]string{"skladom.hcl": installation})
	require.Equal(t, none+": 0 shops, nothing is wrong.\n", skladom(t, nil, "validate", "--config", none).stdout)
}

func TestValidateOfNoDirectoryFails(t *testing.T) {
	d := skladom(t, nil, "validate", "--config", filepath.Join(t.TempDir(), "none"))
	require.Equal(t, statusFailed, d.status)
	require.NotEmpty(t, d.stderr)
}

func TestWebhookNeedsFilesOnly(t *testing.T) {
	dir := settings(t, map[string]string{"skladom.hcl": installation, "acme.hcl": acme})
	d := skladom(t, nil, "webhook", "acme", "--config", dir, "--json")
	require.Equal(t, statusDone, d.status, d)
	v := document(t, d)
	require.Equal(t, "https://sync.example.com/webhooks/kros/acme", v["webhookUrl"])
	require.Len(t, v["authorizationKey"], 43)
	require.Len(t, v, 2)

	text := skladom(t, nil, "webhook", "acme", "--config", dir)
	require.Contains(t, text.stdout, v["authorizationKey"])
	require.Contains(t, text.stdout, "Autorizačný kľúč")
}

func TestWebhookSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct{ name, installation, shop, want, code string }{
		{"public_url", `secrets { master_key = env("MASTER") }`, "acme", "relay.public_url is not configured", ""},
		{"master_key", `relay { public_url = "https://sync.example.com" }`, "acme", "secrets.master_key is not configured", ""},
		{"master key too short", "relay { public_url = \"https://sync.example.com\" }\nsecrets { master_key = env(\"SHORT\") }", "acme", "secrets.master_key", ""},
		{"the shop", installation, "other", `no settings file for the shop "other"`, "config_missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := settings(t, map[string]string{"skladom.hcl": c.installation, "acme.hcl": acme})
			d := skladom(t, nil, "webhook", c.shop, "--config", dir, "--json")
			require.Equal(t, statusFailed, d.status, d)
			v := document(t, d)
			failure := v["failure"].(map[string]any)
			require.Equal(t, c.shop, v["shop"])
			require.Contains(t, failure["message"], c.want)
			require.NotEmpty(t, failure["hint"])
			if c.code != "" {
				require.Equal(t, c.code, failure["code"])
			}
			require.NotContains(t, d.stdout, variables["SHORT"], "no secret in an error")
		})
	}
}
