package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/config"
)

// FuzzLoad holds for every text of a file: it is read without a panic, what is
// accepted can be worked with, what is refused is explained, and a second
// reading says the same.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*/*.hcl", "testdata/*/*/shops/*.hcl"} {
		seeds, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, seed := range seeds {
			text, err := os.ReadFile(seed)
			require.NoError(f, err)
			f.Add(string(text))
		}
	}
	for _, seed := range []string{"", "\ufeff", "shop \"a\" {\n kros { api_key = [for x in y : x] }\n}", "schedule = {\"a\": 1}", "shop \"a\" { title = <<X\nX\n}", strings.Repeat("(", 50)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		disk := newDisk(map[string]string{"a.hcl": text, "good.hcl": shopText("good-one")})
		d, err := config.Open("/conf", disk.environment())
		again, errAgain := config.Open("/conf", disk.environment())
		if err != nil {
			require.EqualError(t, errAgain, err.Error())
			require.NotEmpty(t, err.Error())
			return
		}
		require.Equal(t, d.Diagnostics(), again.Diagnostics())
		for _, diagnostic := range d.Validate() {
			require.NotEmpty(t, diagnostic.Message)
			require.Contains(t, []string{"a.hcl", "good.hcl"}, diagnostic.File)
		}
		d.Installation()
		for _, shop := range d.Shops() {
			_, err := shop.NextTick(time.Unix(1_800_000_000, 0), time.Time{})
			require.NoError(t, err)
			require.NotEmpty(t, shop.SettingsHash())
			require.Regexp(t, `^https?://`, shop.Fynode.URL)
			require.Regexp(t, `^https?://`, shop.Kros.URL)
			require.Positive(t, shop.Kros.PerSecond)
			require.False(t, shop.Settings.Rules.Buffer.IsNegative())
		}
		if !strings.Contains(text, "good-one") && !strings.Contains(strings.ToLower(text), "good-one.example.com") {
			_, err := d.Shop("good-one")
			require.NoError(t, err, "one bad file stops nobody")
		}
	})
}
