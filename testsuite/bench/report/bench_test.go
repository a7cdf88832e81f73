package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The targets of a house where everything is over soon.
const makefile = `
bench-limits:
	@echo "limits, $(ARGS)"; echo "ratio: sweep : least = 1.1, goal at most 1.15, met"

bench-pass:
	@echo "ratio: pass : script = 1.5, goal at most 2, met"; exit 3

bench-cost:
	@echo nothing

bench-day:
	echo "    ratio: before : after = 0.5, goal above 1, not met"

bench-notify:
	@echo begun; sleep 600
`

// at makes a house with these targets, and a document that says old.
func at(t *testing.T) (b bench, out *strings.Builder, document string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o600))
	document = filepath.Join(dir, "benchmarks.md")
	require.NoError(t, os.WriteFile(document, []byte("old\n"), 0o600))
	out = &strings.Builder{}
	return bench{dir: dir, out: out, log: t.Output()}, out, document
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

func TestWhatIsPrintedIsShownAndWritten(t *testing.T) {
	b, out, document := at(t)
	require.NoError(t, run(t.Context(), []string{"-only", "limits,day", "-document", document}, b))

	require.Contains(t, out.String(), "limits, \n")
	require.Regexp(t, `(?m)^what +measured +goal *\nsweep : least +1\.1 +at most 1\.15 +met\nbefore : after +0\.5 +above 1 +not met$`, out.String())
	written := read(t, document)
	require.NotContains(t, written, "old")
	require.Contains(t, written, "```\nlimits, \nratio: sweep : least = 1.1, goal at most 1.15, met\n```\n")
	require.Contains(t, written, "| sweep : least | 1.1 | at most 1.15 | met |\n| before : after | 0.5 | above 1 | not met |\n")
	require.NotContains(t, written, "echo", "make shows no commands")
}

func TestABenchmarkThatFailsLeavesTheDocumentAndTheOthers(t *testing.T) {
	tests := []struct{ only, failed string }{
		{"limits,pass,day", "pass: run make bench-pass: exit status 2"}, // make's own
		{"limits,cost,day", "cost: make bench-cost has printed no ratio"},
		{"limits,fleet,day", "fleet: run make bench-fleet: exit status 2"}, // there is none
	}
	for _, test := range tests {
		b, out, document := at(t)
		require.ErrorContains(t, run(t.Context(), []string{"-only", test.only, "-document", document}, b), test.failed)
		require.Contains(t, out.String(), test.failed)
		require.Regexp(t, `(?m)^before : after +0\.5`, out.String(), "the next one ran")
		require.NotRegexp(t, `(?m)^pass : script`, out.String(), "half a benchmark is none")
		require.Equal(t, "old\n", read(t, document))
	}
}

func TestATryWritesNoDocumentUnlessOneIsNamed(t *testing.T) {
	b, out, document := at(t)
	t.Chdir(b.dir)
	require.NoError(t, os.Mkdir("docs", 0o700))
	require.NoError(t, run(t.Context(), []string{"-short", "-only", "limits"}, b))
	require.Contains(t, out.String(), "limits, -items 1500 -answers 0s\n")
	require.NoFileExists(t, "docs/benchmarks.md")

	require.NoError(t, run(t.Context(), []string{"-short", "-only", "limits", "-document", document}, b))
	require.Contains(t, read(t, document), "```sh\nmake bench-limits ARGS=\"-items 1500 -answers 0s\"\n```")

	require.NoError(t, run(t.Context(), []string{"-only", "limits"}, b))
	require.Contains(t, read(t, "docs/benchmarks.md"), "sweep : least")
}

func TestABenchmarkThatNobodyKnowsIsNamed(t *testing.T) {
	b, out, document := at(t)
	require.ErrorContains(t, run(t.Context(), []string{"-only", "limits,speed", "-document", document}, b), `there is no benchmark "speed", but limits, pass`)
	require.Empty(t, out.String(), "nothing ran")
}

// begun ends a context when a benchmark has begun.
type begun struct{ end context.CancelFunc }

func (b begun) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "begun") {
		b.end()
	}
	return len(p), nil
}

func TestWhoIsToldToEndEndsWhatRunsAndBeginsNothing(t *testing.T) {
	b, _, document := at(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b.out = begun{cancel}
	require.ErrorIs(t, run(ctx, []string{"-only", "notify,day", "-document", document}, b), context.Canceled)
	require.Equal(t, "old\n", read(t, document))
}
