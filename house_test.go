package skladom_test

import (
	"cmp"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/skladom/skladom"

// room says what a package may import of the project, and whether it may know
// Temporal.
type room struct {
	imports  string
	temporal bool
}

// house is section 2 of docs/design.md. A package that is not in it fails the
// test: say first where it belongs.
var house = map[string]room{
	"stock":               {},
	"protocol":            {imports: "stock"},
	"message":             {imports: "protocol"},
	"kros":                {imports: "stock"},
	"shop":                {imports: "stock"},
	"shop/fynode":         {imports: "shop shop/fynode/internal/api stock"},
	"shop/shoptest":       {imports: "shop stock"},
	"snapshot":            {imports: "protocol"},
	"config":              {imports: "protocol stock"},
	"activities":          {imports: "config kros message protocol shop shop/fynode snapshot stock", temporal: true},
	"workflows":           {imports: "activities message protocol stock", temporal: true},
	".":                   {imports: "activities config protocol snapshot workflows", temporal: true},
	"relay":               {imports: "kros", temporal: true},
	"host":                {imports: ". config protocol relay", temporal: true},
	"worker":              {imports: "config host", temporal: true},
	"starter":             {imports: "config kros message protocol starter/render stock", temporal: true},
	"starter/render":      {imports: "message protocol stock"},
	"testsuite/catalogue": {},
	"testsuite/krossim":   {},
	"testsuite/fynodesim": {},
	"testsuite/sim":       {imports: "testsuite/catalogue testsuite/krossim testsuite/fynodesim"},
	"deploy/probe":        {},

	"shop/fynode/internal/api": {},
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	seen := map[string]bool{}
	eachSource(t, func(dir, file string) {
		room, known := house[dir]
		require.True(t, known, "%s is in no room: section 2 of docs/design.md says which there are", file)
		seen[dir] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if imported == module || strings.HasPrefix(imported, module+"/") {
				other := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(imported, module), "/"), ".")
				require.Contains(t, strings.Fields(room.imports), other, "%s must not import it", file)
			}
			if strings.HasPrefix(imported, "go.temporal.io/") {
				require.True(t, room.temporal, "%s must not know Temporal, and imports %s", file, imported)
			}
		}
	})
	for dir := range house {
		require.True(t, seen[dir], "there is no room %q any more", dir)
	}
}

// Whoever hosts the plugin must not get the AWS SDK with it.
func TestOnlyMainProgramsImportDriversOfClouds(t *testing.T) {
	eachSource(t, func(_, file string) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			if strings.Contains(spec.Path.Value, "/s3blob") {
				require.Equal(t, "main", parsed.Name.Name, file)
			}
		}
	})
}

// eachSource visits every file of the module that is built into something, with
// the room it is in.
func eachSource(t *testing.T, visit func(dir, file string)) {
	t.Helper()
	otherModules := []string{"standalone", "deploy/composetest"}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(file)
		switch {
		case entry.IsDir() && file != "." && (strings.HasPrefix(entry.Name(), ".") || slices.Contains(otherModules, name) || entry.Name() == "testdata"):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && name != "deps_keep.go":
			visit(path.Dir(name), name)
		}
		return nil
	})
	require.NoError(t, err)
}
