package config_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/config"
)

func TestASecretIsPrintedNowhere(t *testing.T) {
	const value = "s3cret-value"
	secret := config.NewSecret(value)
	type holder struct {
		Exported   config.Secret
		unexported config.Secret
		Pointer    *config.Secret
		Any        any
	}
	held := holder{Exported: secret, unexported: secret, Pointer: &secret, Any: secret}
	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%20v"} {
		shown[verb] = fmt.Sprintf(verb, secret)
		shown["pointer "+verb] = fmt.Sprintf(verb, &secret)
		shown["struct "+verb] = fmt.Sprintf(verb, held)
		shown["struct pointer "+verb] = fmt.Sprintf(verb, &held)
		shown["list "+verb] = fmt.Sprintf(verb, []config.Secret{secret})
		shown["map "+verb] = fmt.Sprintf(verb, map[string]config.Secret{"k": secret})
		shown["shop "+verb] = fmt.Sprintf(verb, config.Shop{Kros: config.Kros{APIKey: secret}, Fynode: config.Fynode{APIKey: secret}})
	}
	asJSON, err := json.Marshal(held)
	require.NoError(t, err)
	shown["json"] = string(asJSON)
	asKey, err := json.Marshal(map[string]any{"k": []any{secret, &secret}})
	require.NoError(t, err)
	shown["json in any"] = string(asKey)
	asXML, err := xml.Marshal(secret)
	require.NoError(t, err)
	shown["xml"] = string(asXML)
	var asGob bytes.Buffer
	_ = gob.NewEncoder(&asGob).Encode(struct{ Secret config.Secret }{secret})
	shown["gob"] = asGob.String()
	shown["error"] = fmt.Errorf("call with %v: %w", secret, errors.New("no")).Error()
	shown["string"] = secret.String()

	for _, format := range []bool{false, true} {
		var log bytes.Buffer
		logger := hclog.New(&hclog.LoggerOptions{Output: &log, JSONFormat: format})
		logger.Info("hclog", "secret", secret, "pointer", &secret, "struct", held, "list", []config.Secret{secret}, "format", hclog.Fmt("%+v", held))
		shown[fmt.Sprintf("hclog json=%t", format)] = log.String()
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("slog", "secret", secret, "struct", held)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("slog", "secret", secret, "struct", held)
	shown["slog"] = log.String()
	difference := &recorder{}
	assert.Equal(difference, holder{}, held)
	shown["difference in a test"] = difference.text

	hexed := fmt.Sprintf("%x", value)
	for how, text := range shown {
		require.NotEmpty(t, text, how)
		require.NotContains(t, text, value, how)
		require.NotContains(t, strings.ToLower(text), hexed, how)
	}
	for _, how := range []string{"%v", "%#v", "%q", "%x", "struct %+v", "json", "slog", "hclog json=true", "hclog json=false"} {
		require.Contains(t, shown[how], "[redacted]", how)
	}
	revealed, err := held.unexported.Reveal()
	require.NoError(t, err)
	require.Equal(t, value, revealed)
}

type recorder struct{ text string }

func (r *recorder) Errorf(format string, arguments ...any) {
	r.text += fmt.Sprintf(format, arguments...)
}

func TestPastedKeysAreCleaned(t *testing.T) {
	for pasted, want := range map[string]string{
		"eyJ.a-b_c":                      "eyJ.a-b_c",
		"Bearer eyJ.a":                   "eyJ.a",
		"bearer\teyJ.a\n":                "eyJ.a",
		"  Bearer   eyJ.a ":              "eyJ.a",
		"eyJ\n  .a\r\n":                  "eyJ.a",
		"\ufeffeyJ.a\u00a0\u200b":        "eyJ.a",
		"\ufeffBearer eyJ.a":             "eyJ.a",
		"bearereyJ":                      "bearereyJ",
		"Bearer":                         "",
		" \u00a0":                        "",
		"\u200b":                         "",
		"Bearer \u00ad":                  "",
		"key with Bearer inside of it ":  "keywithBearerinsideofit",
		"\u2028Bearer\u2028eyJ.a\u2028 ": "eyJ.a",
	} {
		env := machine()
		env.Getenv = func(string) (string, bool) { return pasted, true }
		d, err := config.Open("testdata/valid/hidden_files_are_passed_over", env)
		require.NoError(t, err)
		shop, err := d.Shop("a")
		require.NoError(t, err)
		got, err := shop.Kros.APIKey.Reveal()
		require.Equal(t, want, got, "%q", pasted)
		require.Equal(t, want == "", err != nil, "%q: %v", pasted, err)
	}
}

func TestASecretIsLookedUpWhenItIsUsed(t *testing.T) {
	token, set := "", false
	env := machine()
	env.Getenv = func(string) (string, bool) { return token, set }
	d, err := config.Open("testdata/valid/hidden_files_are_passed_over", env)
	require.NoError(t, err)
	shop, err := d.Shop("a")
	require.NoError(t, err)

	_, err = shop.Fingerprint()
	require.ErrorContains(t, err, "ACME_KROS_TOKEN is not set")
	token, set = "rotated", true
	got, err := shop.Kros.APIKey.Reveal()
	require.NoError(t, err)
	require.Equal(t, "rotated", got)
}

func TestRelativeSecretFilesAreBelowTheDirectory(t *testing.T) {
	var asked []string
	env := machine()
	read := env.ReadFile
	env.ReadFile = func(path string) ([]byte, error) {
		asked = append(asked, path)
		return read(path)
	}
	d, err := config.Open("testdata/valid/defaults", env)
	require.NoError(t, err)
	shop, err := d.Shop("a")
	require.NoError(t, err)
	got, err := shop.Fynode.APIKey.Reveal()
	require.NoError(t, err)
	require.Equal(t, "relative-key", got)
	require.Contains(t, asked, "testdata/valid/defaults/keys/a")
}

func TestNoMistakeInTypingAKeyShowsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.SampledFrom([]string{
			`"hunter2"`, `hunter2`, `hunter2.hunter2`, `"Bearer hunter2"`, `env("hunter2-hunter2")`, `env(hunter2)`, `file(hunter2)`, `hunter2("x")`,
			`"${hunter2}"`, `"%{hunter2}"`, `<<X` + "\nhunter2\nX", `["hunter2"]`, `{ a = "hunter2" }`, `"x" + "hunter2"`, `hunter2 ? 1 : 2`, `'hunter2'`,
		}).Draw(t, "written")
		text := "shop \"a\" {\n  kros {\n    api_key = " + written + "\n  }\n  fynode {\n    url = \"https://a.example.com\"\n    api_key = \"x\"\n  }\n}\n"
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		switch rapid.IntRange(0, 2).Draw(t, "mistake") {
		case 1:
			text = text[:at] + text[at+1:]
		case 2:
			text = text[:at] + rapid.SampledFrom([]string{`"`, "\n", "{", "}", "(", "=", "$", "\\", " ", "\x00"}).Draw(t, "slip") + text[at:]
		}
		d, err := config.Open("/conf", newDisk(map[string]string{"shops/a.hcl": text}).environment())
		if err != nil {
			require.NotContains(t, err.Error(), planted)
			return
		}
		require.NotContains(t, fmt.Sprint(d.Diagnostics(), d.Shops()), planted, text)
		_, err = d.Shop("a")
		require.NotContains(t, fmt.Sprint(err), planted, text)
	})
}

// Whoever prints the configuration, or looks into it by reflection as debuggers
// and loggers do, finds no secret, though all of them stand in the files.
func TestNothingReachableInADirectoryHoldsASecret(t *testing.T) {
	const master = "bTRzdGVyLWtleS1vZi10aGUtZW5kLXRvLWVuZC10ZXM="
	secrets := []string{"kros-hunter2", "shop-hunter2", "alert-hunter2", "mail-hunter2", master, "of-the-end-to-end"}
	disk := newDisk(map[string]string{
		"skladom.hcl": `
			secrets { master_key = "` + master + `" }
			mail {
				host     = "mail.example.com"
				from     = "a@example.com"
				username = "u"
				password = "mail-hunter2"
			}`,
		"shops/a.hcl": `
			shop "a" {
				kros { api_key = "kros-hunter2" }
				fynode {
					url     = "https://a.example.com"
					api_key = "shop-hunter2"
				}
				alert { url = "https://alerts.example.com/alert-hunter2" }
			}`,
	})
	d := disk.open(t)
	require.Empty(t, d.Validate())
	_, err := d.Shop("a")
	require.NoError(t, err)
	disk.write("shops/a.hcl", "shop \"a\" {\n  kros { api_key = \"kros-hunter2\n}") // and broken
	_, diagnostics := d.Reload()
	require.NotEmpty(t, diagnostics)

	found := reachable(config.Inside(d))
	require.Contains(t, found, "mail.password", "the walk gets there")
	for _, text := range append(found, fmt.Sprintf("%v%+v%#v", d, d, d), fmt.Sprintf("%+v%#v", d.Shops(), d.Shops()), fmt.Sprintf("%+v%#v", d.Installation(), d.Installation()), fmt.Sprint(diagnostics)) {
		for _, secret := range secrets {
			require.NotContains(t, text, secret)
		}
	}
}

// reachable are all texts and bytes that reflection gets to from a value.
func reachable(from any) (texts []string) {
	type place struct {
		at unsafe.Pointer
		of reflect.Type
	}
	seen := map[place]bool{}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			texts = append(texts, v.String())
		case reflect.Pointer, reflect.Interface:
			if v.IsNil() {
				return
			}
			if v.Kind() == reflect.Pointer {
				here := place{v.UnsafePointer(), v.Type()}
				if seen[here] {
					return
				}
				seen[here] = true
			}
			walk(v.Elem())
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(key)
				walk(v.MapIndex(key))
			}
		case reflect.Slice, reflect.Array:
			if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
				texts = append(texts, string(v.Bytes()))
				return
			}
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	walk(reflect.ValueOf(from))
	return texts
}
