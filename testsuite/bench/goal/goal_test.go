package goal_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

func TestAFigureSaysWhetherItsGoalIsMet(t *testing.T) {
	tests := []struct {
		figure goal.Figure
		line   string
	}{
		{goal.AtMost("pass : script", 1.8512, 2), "ratio: pass : script = 1.851, goal at most 2, met"},
		{goal.AtMost("pass : script", 2, 2), "ratio: pass : script = 2, goal at most 2, met"},
		{goal.AtMost("pass : script", 2.25, 2), "ratio: pass : script = 2.25, goal at most 2, not met"},
		{goal.AtMost("nothing : nothing", math.NaN(), 2), "ratio: nothing : nothing = NaN, goal at most 2, not met"},
		{goal.AtLeast("real : empty", 0.4, 0.4), "ratio: real : empty = 0.4, goal at least 0.4, met"},
		{goal.AtLeast("real : empty", 0.39, 0.4), "ratio: real : empty = 0.39, goal at least 0.4, not met"},
		{goal.Below("peak, MiB", 1535, 1536), "ratio: peak, MiB = 1535, goal below 1536, met"},
		{goal.Below("peak, MiB", 1536, 1536), "ratio: peak, MiB = 1536, goal below 1536, not met"},
		{goal.Above("before : after", 1.5, 1), "ratio: before : after = 1.5, goal above 1, met"},
		{goal.Above("before : after", 1, 1), "ratio: before : after = 1, goal above 1, not met"},
		{goal.None("whole : requests", 9.3), "ratio: whole : requests = 9.3, goal none"},
	}
	for _, test := range tests {
		require.Equal(t, test.line, test.figure.String())
		require.Equal(t, []goal.Figure{test.figure}, goal.Find(test.line))
	}
}

func TestFiguresAreFoundAmongEverythingElse(t *testing.T) {
	several := goal.Figure{What: "two : one", Measured: "1.05 (of 2 processors: server 1.1, idle 0.02)", Goal: "at least 1.8, or no processor idle", Verdict: goal.Met}
	var out strings.Builder
	out.WriteString("a table\n  pass : script  1.85 (1.80-1.90)\n")
	goal.Print(&out, goal.AtMost("a : b", 3, 2), several)
	out.WriteString("=== RUN   TestSomething\n    ratio: c : d = 0.5, goal none\nthe ratio: e : f = 1, goal none\nratio: unfinished = 1\n")

	require.Equal(t, []goal.Figure{
		{What: "a : b", Measured: "3", Goal: "at most 2", Verdict: goal.NotMet},
		several,
		{What: "c : d", Measured: "0.5", Goal: "none"},
	}, goal.Find(out.String()))
	require.Empty(t, goal.Find("nothing was compared\n"))
}
