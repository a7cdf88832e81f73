package skladom_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/config"
)

// documents are all Markdown files of the repository and their text.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "bin" || entry.Name() == "data" || entry.Name() == "testdata"):
			return fs.SkipDir
		case filepath.Ext(file) != ".md":
			return nil
		}
		text, err := os.ReadFile(file)
		found[file] = string(text)
		return err
	})
	require.NoError(t, err)
	require.Contains(t, found, "README.md")
	return found
}

var (
	fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	link  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// blocks are the fenced blocks of a language.
func blocks(text, language string) []string {
	var found []string
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		if block[1] == language {
			found = append(found, block[2])
		}
	}
	return found
}

func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	documents := documents(t)
	for file, text := range documents {
		for _, match := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			target, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := file
			if target != "" {
				to = filepath.Join(filepath.Dir(file), target)
				_, err := os.Stat(to)
				require.NoError(t, err, "%s links to %s", file, match[1])
			}
			if heading != "" {
				require.Contains(t, anchors(documents[to]), heading, "%s links to %s", file, match[1])
			}
		}
	}
}

// anchors are the names that GitHub gives the headings of a document.
func anchors(text string) []string {
	var names []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, heading[1]))
	}
	return names
}

// What is shown as settings can be copied as it is.
func TestSettingsInTheDocumentsAreValid(t *testing.T) {
	count := 0
	for file, text := range documents(t) {
		for i, settings := range blocks(text, "hcl") {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "skladom.hcl"), []byte(settings), 0o600))
			for _, items := range blocks(text, "csv") {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "acme-items.csv"), []byte(items), 0o600))
			}
			directory, err := config.Open(dir, config.OS())
			require.NoError(t, err, "%s, block %d", file, i+1)
			require.Empty(t, directory.Diagnostics(), "%s, block %d", file, i+1)
			count++
		}
	}
	require.Positive(t, count)
}

func TestMakeTargetsInTheDocumentsExist(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	for file, text := range documents(t) {
		for _, match := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(text, -1) {
			require.Regexp(t, `(?m)^`+match[1]+`:`, string(makefile), "%s says make %s", file, match[1])
		}
	}
}

// What is not built yet is marked so in docs/design.md, and told nowhere else.
func TestCommandsInTheDocumentsExist(t *testing.T) {
	programs := map[string]string{"skladom": "starter", "skladom-standalone": "standalone"}
	shown := regexp.MustCompile("(?m)(?:^|`|\\$ |bin/|worker )(skladom|skladom-standalone) ([a-z]+)")
	for file, text := range documents(t) {
		for _, match := range shown.FindAllStringSubmatch(text, -1) {
			require.Contains(t, commands(t, programs[match[1]]), match[2], "%s says %s %s", file, match[1], match[2])
		}
	}
}

// commands are those that the source of a program defines.
func commands(t *testing.T, dir string) []string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	var names []string
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`Use:\s+"([a-z]+)[ "]`).FindAllSubmatch(text, -1) {
			names = append(names, string(match[1]))
		}
	}
	return names
}

// The Go code of the documents stands in the examples too, where it is compiled.
func TestGoCodeInTheDocumentsCompiles(t *testing.T) {
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	compiled := squeeze(string(examples))
	for file, text := range documents(t) {
		for _, code := range blocks(text, "go") {
			require.Contains(t, compiled, squeeze(code), file)
		}
	}
}

func squeeze(code string) string { return strings.Join(strings.Fields(code), " ") }

// Versions change in one place and are told in another.
func TestTheDecisionsNameEveryLibraryAtItsVersion(t *testing.T) {
	decisions, err := os.ReadFile("docs/decisions.md")
	require.NoError(t, err)
	for _, file := range []string{"go.mod", "standalone/go.mod", "deploy/composetest/go.mod"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`(?m)^(?:require )?\s*(\S+\.\S+/\S+|gocloud\.dev|pgregory\.net/rapid) (v\S+)$`).FindAllStringSubmatch(string(text), -1) {
			name, version := match[1], match[2]
			if name == module {
				continue
			}
			require.Regexp(t, fmt.Sprintf("`%s`[^\n]*%s", regexp.QuoteMeta(name), regexp.QuoteMeta(version)), string(decisions), "%s requires %s %s", file, name, version)
		}
	}
}

// What a benchmark takes from npm is told as well.
func TestTheDecisionsNameWhatComesFromNpm(t *testing.T) {
	decisions, err := os.ReadFile("docs/decisions.md")
	require.NoError(t, err)
	const dir = "standalone/bench/pass/nodered"
	type manifest struct {
		Version      string
		Dependencies map[string]string
	}
	read := func(file string, into any) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into))
	}
	var wanted manifest
	read("package.json", &wanted)
	require.NotEmpty(t, wanted.Dependencies)
	var locked struct{ Packages map[string]manifest }
	read("package-lock.json", &locked)
	for name, version := range wanted.Dependencies {
		require.Equal(t, version, locked.Packages["node_modules/"+name].Version, "%s is pinned, and locked at the same version", name)
		require.Regexp(t, fmt.Sprintf("`%s`[^\n]*%s", regexp.QuoteMeta(name), regexp.QuoteMeta(version)), string(decisions))
	}
}

// A threat is as far away as the test that keeps it there.
func TestTheThreatsNameTestsThatExist(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	require.NoError(t, err)
	rows := 0
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| who |") {
			continue
		}
		require.Len(t, cells, 4, line)
		rows++
		named := regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`").FindAllStringSubmatch(cells[3], -1)
		require.Equal(t, strings.HasPrefix(cells[2], "not defended: "), len(named) == 0, "who is stopped, is so by a test: %s", line)
		require.Equal(t, strings.Count(cells[3], "`"), 2*len(named), "something is named that is no test: %s", cells[3])
		for _, test := range named {
			require.Contains(t, testsIn(t, test[1]), test[2], line)
		}
	}
	require.Greater(t, rows, 30)
}

// testsIn are the tests and fuzz targets of a folder; that of the module itself
// is called skladom.
func testsIn(t *testing.T, folder string) []string {
	t.Helper()
	if folder == "skladom" {
		folder = "."
	}
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "there is no folder %s with tests", folder)
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(text, -1) {
			names = append(names, string(match[1]))
		}
	}
	return names
}
