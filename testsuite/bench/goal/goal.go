// Package goal is the line by which a benchmark says a ratio beside its goal,
// so that a report can read it again from what the benchmark printed.
//
// It knows no benchmark, measures nothing and ends nobody: a goal that is not
// met is a finding, not an error. No program may import this package.
package goal

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
)

// Figure is what was measured, beside its goal.
type Figure struct {
	What     string
	Measured string
	Goal     string
	Verdict  string // Met, NotMet, or nothing where there is no goal
}

// The verdicts.
const (
	Met    = "met"
	NotMet = "not met"
)

// AtMost is a figure that is not to exceed its goal.
func AtMost(what string, measured, goal float64) Figure {
	return against(what, measured, "at most", goal, measured <= goal)
}

// AtLeast is a figure that is not to fall short of its goal.
func AtLeast(what string, measured, goal float64) Figure {
	return against(what, measured, "at least", goal, measured >= goal)
}

// Below is a figure that is to stay below its goal.
func Below(what string, measured, goal float64) Figure {
	return against(what, measured, "below", goal, measured < goal)
}

// Above is a figure that is to be above its goal.
func Above(what string, measured, goal float64) Figure {
	return against(what, measured, "above", goal, measured > goal)
}

// None is a figure that nobody has set a goal.
func None(what string, measured float64) Figure {
	return Figure{What: what, Measured: number(measured), Goal: "none"}
}

func against(what string, measured float64, relation string, goal float64, met bool) Figure {
	f := Figure{What: what, Measured: number(measured), Goal: relation + " " + strconv.FormatFloat(goal, 'f', -1, 64), Verdict: NotMet}
	if met {
		f.Verdict = Met
	}
	return f
}

// number has so many digits that a figure beside its goal does not look like it.
func number(value float64) string { return strconv.FormatFloat(value, 'g', 4, 64) }

func (f Figure) String() string {
	line := fmt.Sprintf("ratio: %s = %s, goal %s", f.What, f.Measured, f.Goal)
	if f.Verdict != "" {
		line += ", " + f.Verdict
	}
	return line
}

// Print prints a line for each figure, apart from what stands before.
func Print(out io.Writer, figures ...Figure) {
	fmt.Fprintln(out)
	for _, f := range figures {
		fmt.Fprintln(out, f)
	}
}

// A test indents what it prints.
var line = regexp.MustCompile(`(?m)^[ \t]*ratio: (.+?) = (.+?), goal (.+?)(?:, (` + Met + `|` + NotMet + `))?$`)

// Find finds the figures again in what a benchmark printed.
func Find(output string) []Figure {
	var all []Figure
	for _, match := range line.FindAllStringSubmatch(output, -1) {
		all = append(all, Figure{What: match[1], Measured: match[2], Goal: match[3], Verdict: match[4]})
	}
	return all
}
