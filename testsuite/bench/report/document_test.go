package main

import (
	"os"
	"strings"
	"testing"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

// measured is a result of a benchmark of the house.
func measured(t *testing.T, name, output string) result {
	t.Helper()
	p, known := lo.Find(programs, func(p program) bool { return p.name == name })
	require.True(t, known, name)
	return result{program: p, command: "make bench-" + name, machine: "go9, 2 processors", output: output}
}

func headings(document string) []string {
	return lo.Map(split(document), func(s section, _ int) string { return s.heading })
}

func TestOnlyWhatWasMeasuredIsReplaced(t *testing.T) {
	first := rewrite("", []result{
		measured(t, "limits", "all at once\n"+goal.AtMost("sweep : least", 1.1, 1.15).String()+"\n"),
		measured(t, "pass", "\ntime by time\n"+goal.AtMost("pass : script", 2.5, 2).String()+"\n\n"),
	})
	tests := []struct {
		rule     string
		old      string
		results  []result
		headings []string
		has      []string
		hasNot   []string
	}{
		{
			rule:     "a document begins with what is measured",
			results:  []result{measured(t, "day", "ratio: before : after = 43, goal above 1, met\n")},
			headings: []string{"Requests of a day"},
			has:      []string{"# Benchmarks\n", "| before : after | 43 | above 1 | met |\n", "```sh\nmake bench-day\n```\n\ngo9, 2 processors:\n\n```\nratio: before : after = 43, goal above 1, met\n```\n"},
		},
		{
			rule: "others stay as they are, their rows too", old: first,
			results:  []result{measured(t, "pass", goal.AtMost("pass : script", 1.5, 2).String())},
			headings: []string{"A sweep at KROS's limits", "A whole pass without limits"},
			has:      []string{"all at once", "| sweep : least | 1.1 | at most 1.15 | met |\n| pass : script | 1.5 | at most 2 | met |\n"},
			hasNot:   []string{"time by time", "2.5"},
		},
		{
			rule: "a new section goes where its benchmark runs", old: first,
			results:  []result{measured(t, "notify", "ratio: whole : alone = 9, goal none"), measured(t, "cost", "ratio: actions = 8, goal at most 12, met")},
			headings: []string{"A sweep at KROS's limits", "A whole pass without limits", "What a pass costs on Temporal", "Notifications"},
			has:      []string{"| pass : script | 2.5 | at most 2 | not met |\n| actions | 8 | at most 12 | met |\n| whole : alone | 9 | none |  |\n"},
		},
		{
			rule: "what somebody else has added stays behind", old: first + "\n## By hand\n\nA note.\n",
			results:  []result{measured(t, "day", "ratio: before : after = 43, goal above 1, met")},
			headings: []string{"A sweep at KROS's limits", "A whole pass without limits", "Requests of a day", "By hand"},
			has:      []string{"\n## By hand\n\nA note.\n"},
		},
		{
			rule: "a heading in what was printed begins no section",
			old:  rewrite("", []result{measured(t, "limits", "## Notifications\nratio: a : b = 1, goal none")}),

			results:  []result{measured(t, "notify", "ratio: c : d = 2, goal none")},
			headings: []string{"A sweep at KROS's limits", "Notifications"},
			has:      []string{"```\n## Notifications\nratio: a : b = 1, goal none\n```", "| a : b | 1 | none |  |\n| c : d | 2 | none |  |\n"},
		},
		{
			rule:    "a bar in a name ends no cell",
			results: []result{measured(t, "day", "ratio: a | b = 1, goal none")}, headings: []string{"Requests of a day"},
			has: []string{`| a \| b | 1 | none |  |`},
		},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			got := rewrite(test.old, test.results)
			require.Equal(t, test.headings, headings(got))
			for _, text := range test.has {
				require.Contains(t, got, text)
			}
			for _, text := range test.hasNot {
				require.NotContains(t, got, text)
			}
			require.Equal(t, 1, strings.Count(got, "# Benchmarks\n"))
			require.Equal(t, 1, strings.Count(got, "|---|---|---|---|\n"), "one table")
			require.Equal(t, got, rewrite(got, test.results), "the same once more changes nothing")
		})
	}
}

// Else a run of some of them would leave a section of the others twice.
func TestThePublishedDocumentKeepsTheSectionsOfTheBenchmarks(t *testing.T) {
	text, err := os.ReadFile("../../../docs/benchmarks.md")
	require.NoError(t, err)
	known := lo.Map(programs, func(p program, _ int) string { return p.heading })
	require.NotEmpty(t, headings(string(text)))
	require.Subset(t, known, headings(string(text)))
}

// The report runs them by these targets.
func TestEveryBenchmarkHasATarget(t *testing.T) {
	makefile, err := os.ReadFile("../../../Makefile")
	require.NoError(t, err)
	for _, p := range programs {
		require.Regexp(t, `(?m)^bench-`+p.name+`:(.*\n\t)+.*\$\(ARGS\)$`, string(makefile))
	}
}
