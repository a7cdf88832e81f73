package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/config"
)

var update = flag.Bool("update", false, "write the expected files anew")

// planted stands in every invalid file where a secret could slip into a message.
const planted = "hunter2"

// machine is the environment of the process with variables and secret files of
// the test's own.
func machine() config.Environment {
	variables := map[string]string{
		"ACME_KROS_TOKEN":    "kros-token",
		"ALERT_URL":          "https://alerts.example.com/hook?key=1\n",
		"B_HOST":             "b.example.com",
		"NO_URL":             "hunter2",
		"BLANK":              " ",
		"SKLADOM_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
	}
	files := map[string]string{
		"/run/secrets/acme_fynode": "fynode-key\n",
		"/run/secrets/blank":       "\n",
		"/run/secrets/master":      "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
	}
	env := config.OS()
	env.Getenv = func(name string) (string, bool) {
		value, set := variables[name]
		return value, set
	}
	env.ReadFile = func(path string) ([]byte, error) {
		if content, ok := files[path]; ok {
			return []byte(content), nil
		}
		if strings.HasPrefix(path, "/run/") {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		if filepath.Base(filepath.Dir(path)) == "keys" {
			return []byte("relative-key"), nil
		}
		return os.ReadFile(path)
	}
	return env
}

func TestValidDirectoriesGiveWhatTheySay(t *testing.T) {
	for _, dir := range directories(t, "testdata/valid") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			d, err := config.Open(dir, machine())
			require.NoError(t, err)
			require.Empty(t, d.Validate())
			shown, err := json.MarshalIndent(map[string]any{"installation": d.Installation(), "shops": d.Shops()}, "", "  ")
			require.NoError(t, err)
			golden(t, dir+".golden", string(shown)+"\n")
			for _, shop := range d.Shops() {
				_, err := shop.Fingerprint()
				require.NoError(t, err)
			}
		})
	}
}

func TestInvalidDirectoriesAreExplainedWithFileAndLine(t *testing.T) {
	for _, dir := range directories(t, "testdata/invalid") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var text strings.Builder
			d, err := config.Open(dir, machine())
			var open *config.OpenError
			var diagnostics []config.Diagnostic
			if errors.As(err, &open) {
				text.WriteString("cannot be opened\n")
				diagnostics = open.Diagnostics
			} else {
				require.NoError(t, err)
				diagnostics = d.Validate()
				for _, shop := range d.Shops() {
					text.WriteString("in force: " + shop.Name + "\n")
				}
			}
			require.NotEmpty(t, diagnostics)
			for _, diagnostic := range diagnostics {
				text.WriteString(diagnostic.String() + "\n")
			}
			require.NotContains(t, text.String(), planted)
			golden(t, dir+".golden", text.String())
		})
	}
}

func TestAMissingDirectoryIsAClearError(t *testing.T) {
	_, err := config.Open("testdata/absent", machine())
	require.ErrorContains(t, err, "testdata/absent")
	require.ErrorContains(t, err, "SKLADOM_CONFIG")
}

func TestTheExampleIsValid(t *testing.T) {
	d, err := config.Open("../deploy/conf-example", machine())
	require.NoError(t, err)
	require.Empty(t, d.Validate())
	require.Len(t, d.Shops(), 1)
	require.NotNil(t, d.Installation().Relay)
}

func directories(t *testing.T, below string) []string {
	t.Helper()
	entries, err := os.ReadDir(below)
	require.NoError(t, err)
	var dirs []string
	for _, entry := range entries {
		if entry.IsDir() {
			dirs = append(dirs, filepath.Join(below, entry.Name()))
		}
	}
	require.NotEmpty(t, dirs)
	return dirs
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run: go test ./config -update")
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}
