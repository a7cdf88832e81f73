package skladom_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
)

const module = "github.com/skladom/skladom"

// rooms are all packages of the module, and which others each may import
// (docs/design.md, section 2). Tests may import what they like.
var rooms = map[string][]string{
	"stock":    {},
	"protocol": {"stock"},
	"message":  {"protocol", "stock"},

	"internal/quickjson": {},

	"kros":                     {"internal/quickjson", "stock", "protocol"},
	"shop":                     {"internal/quickjson", "stock", "protocol"},
	"shop/fynode":              {"internal/quickjson", "shop", "shop/fynode/internal/api", "stock"},
	"shop/fynode/internal/api": {},
	"shop/shoptest":            {"shop", "stock"},
	"snapshot":                 {"internal/quickjson", "stock", "protocol"},
	"config":                   {"stock", "protocol"},
	"relay":                    {"kros", "protocol"},
	"alert":                    {},

	"activities": {"alert", "config", "kros", "message", "protocol", "shop", "shop/fynode", "snapshot", "stock"},
	"workflows":  {"activities", "message", "protocol", "stock"},
	".":          {"activities", "config", "protocol", "snapshot", "workflows"},

	"host":           {".", "config", "protocol", "relay"},
	"starter/render": {"message", "protocol", "stock"},
	"starter":        {"config", "kros", "message", "protocol", "starter/render", "stock"},
	"worker":         {"config", "host"},
	"deploy/probe":   {},

	// The simulators and the expected quantities are written from the contracts
	// alone: what they shared with the code, they could not find wrong.
	"testsuite/krossim":   {},
	"testsuite/fynodesim": {},
	"testsuite/catalogue": {},
	"testsuite/fulldisk":  {},
	"testsuite/sim":       {"testsuite/krossim", "testsuite/fynodesim", "testsuite/catalogue"},

	"testsuite/bench/goal":   {},
	"testsuite/bench/limits": {"kros", "testsuite/bench/goal", "testsuite/krossim"},
	"testsuite/bench/report": {"testsuite/bench/goal"},

	// What it measures is the plan of package stock.
	"testsuite/selling":        {"testsuite/selling/market"},
	"testsuite/selling/market": {"stock"},
}

// source is a file that is no test.
type source struct {
	room    string
	name    string
	main    bool
	imports []string
	tree    *ast.File
}

// sources are all files of the module but tests and what is generated.
func sources(t *testing.T) []source {
	t.Helper()
	var found []source
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "bin"):
			return fs.SkipDir
		case file == "standalone": // a module of its own
			return fs.SkipDir
		case entry.IsDir(), !strings.HasSuffix(file, ".go"), strings.HasSuffix(file, "_test.go"):
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if ignored(tree) {
			return nil
		}
		found = append(found, source{
			room: path.Dir(filepath.ToSlash(file)), name: filepath.ToSlash(file), main: tree.Name.Name == "main", tree: tree,
			imports: lo.Map(tree.Imports, func(i *ast.ImportSpec, _ int) string { return lo.Must(strconv.Unquote(i.Path.Value)) }),
		})
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(found), 50)
	return found
}

// ignored tells whether a file is not built but for a tag of its own.
func ignored(tree *ast.File) bool {
	for _, group := range tree.Comments {
		if group.Pos() < tree.Package && strings.Contains(group.Text(), "+build") || slices.ContainsFunc(group.List, func(c *ast.Comment) bool {
			return strings.HasPrefix(c.Text, "//go:build") && !strings.Contains(c.Text, "!")
		}) {
			return true
		}
	}
	return false
}

func TestWhoMayImportWhom(t *testing.T) {
	all := sources(t)
	mains := map[string]bool{}
	for _, s := range all {
		mains[s.room] = s.main
	}
	for _, s := range all {
		allowed, known := rooms[s.room]
		require.True(t, known, "%s: the house has no room %s; say in this table whom it may import", s.name, s.room)
		for _, imported := range s.imports {
			room, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			room = lo.CoalesceOrEmpty(strings.TrimPrefix(room, "/"), ".")
			require.Contains(t, allowed, room, "%s imports %s", s.name, imported)
			require.False(t, mains[room], "%s imports a main", s.name)
		}
	}
	for room := range rooms {
		require.Contains(t, mains, room, "there is no room %s any more", room)
	}
}

// What a room may know of the world outside.
func TestWhatStaysOutOfARoom(t *testing.T) {
	in := func(names ...string) func(source) bool {
		return func(s source) bool { return slices.Contains(names, s.room) }
	}
	tests := []struct {
		rule   string
		path   string // an import, and all below it
		may    func(source) bool
		except string // part of path that everybody may
	}{
		{"clients and the domain know nothing of Temporal", "go.temporal.io",
			in("activities", "workflows", ".", "host", "worker", "starter"), "go.temporal.io/api/serviceerror"},
		{"nobody hosts a Temporal server here", "go.temporal.io/server", in(), ""},
		{"drivers of clouds come with programs only", "gocloud.dev/blob/s3blob", func(s source) bool { return s.main }, ""},
		{"nor does anybody else bring one", "github.com/aws", in(), ""},
		{"buckets are the archive's", "gocloud.dev", func(s source) bool { return s.room == "snapshot" || s.main }, ""},
		{"HCL is the configuration's", "github.com/hashicorp/hcl", in("config"), ""},
		{"HTTP is spoken by clients, receivers and programs", "net/http", func(s source) bool {
			return s.main || in("kros", "shop", "shop/fynode", "shop/fynode/internal/api", "relay", "alert", "host", "testsuite/krossim", "testsuite/fynodesim")(s)
		}, ""},
		{"processes are started by nobody but who runs the benchmarks, or a test alone", "os/exec", in("testsuite/bench/report", "testsuite/fulldisk"), ""},
		{"chance is for simulators", "math/rand", func(s source) bool { return strings.HasPrefix(s.room, "testsuite/") }, ""},
	}
	for _, s := range sources(t) {
		for _, test := range tests {
			for _, imported := range s.imports {
				if (imported == test.path || strings.HasPrefix(imported, test.path+"/")) && imported != test.except {
					require.True(t, test.may(s), "%s: %s imports %s", test.rule, s.name, imported)
				}
			}
		}
	}
}

// Workflow code is replayed: what it takes from outside would differ.
func TestWorkflowsTakeNothingFromOutside(t *testing.T) {
	for _, s := range sources(t) {
		if s.room != "workflows" {
			continue
		}
		for _, forbidden := range []string{"os", "net", "io", "sync", "context", "maps", "crypto/rand", "github.com/google/uuid", "go.temporal.io/sdk/client"} {
			require.NotContains(t, s.imports, forbidden, s.name)
		}
	}
}

// The clock and the environment are read where a program begins, and handed
// down; then tests can leap.
func TestWhoReadsTheClockAndTheEnvironment(t *testing.T) {
	clocks := []string{
		"config/environment.go", // what everybody else is given
		"kros/clock.go",         // where no other clock is given
		"plugin.go",             // hands it to the activities
	}
	forPrograms := func(s source) bool {
		return s.main || s.room == "host" || strings.HasPrefix(s.room, "testsuite/")
	}
	for _, s := range sources(t) {
		ast.Inspect(s.tree, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := selector.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch of.Name + "." + selector.Sel.Name {
			case "time.Now", "time.Since", "time.Until":
				require.True(t, forPrograms(s) || slices.Contains(clocks, s.name), "%s reads the clock", s.name)
			case "os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv":
				require.True(t, s.main || s.name == "config/environment.go", "%s reads the environment", s.name)
			}
			return true
		})
	}
}

// A secret is looked up where it is used and nowhere else.
func TestWhoLooksSecretsUp(t *testing.T) {
	may := []string{
		"config/config.go", "config/state.go", "config/secret.go", // fingerprint, validate, and how
		"activities/activities.go",   // for the two clients
		"activities/destinations.go", // for those who are alerted
	}
	for _, s := range sources(t) {
		ast.Inspect(s.tree, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok && selector.Sel.Name == "Reveal" {
				require.Contains(t, may, s.name, "a secret is looked up")
			}
			return true
		})
	}
}
