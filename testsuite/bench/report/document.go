package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/samber/lo"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

const preamble = `# Benchmarks

` + "`make bench`" + ` runs all of this on one machine over loopback, against the simulators, and writes this page. Each section says by which command it was measured, with which Go, on how many processors and how busy they were before.
Times on another machine are other times; what carries over are the ratios, each taken within one run, and the counts.
`

// section is a part of the document under a heading of the second level.
type section struct {
	heading string
	text    string // behind the heading
}

// rewrite puts what was measured into a document. Sections of other benchmarks
// stay as they are, and so does what somebody else has added behind them. The
// table is made from the ratios that stand in the sections.
func rewrite(old string, results []result) string {
	sections := split(old)
	for _, r := range results {
		fresh := section{heading: r.heading, text: r.text()}
		if at := slices.IndexFunc(sections, func(s section) bool { return s.heading == r.heading }); at >= 0 {
			sections[at] = fresh
		} else {
			sections = append(sections, fresh)
		}
	}
	slices.SortStableFunc(sections, func(x, y section) int { return place(x) - place(y) })
	var text strings.Builder
	text.WriteString(preamble)
	writeTable(&text, sections)
	for _, s := range sections {
		fmt.Fprintf(&text, "\n## %s\n\n%s\n", s.heading, s.text)
	}
	return text.String()
}

// place orders sections as the benchmarks run; others follow.
func place(s section) int {
	_, at, known := lo.FindIndexOf(programs, func(p program) bool { return p.heading == s.heading })
	return lo.Ternary(known, at, len(programs))
}

// split takes a document apart; what stands before the first section is written
// anew each time.
func split(document string) []section {
	var sections []section
	code := false
	for line := range strings.Lines(document) {
		code = code != strings.HasPrefix(line, "```")
		heading, begins := strings.CutPrefix(line, "## ")
		switch {
		case begins && !code:
			sections = append(sections, section{heading: strings.TrimSpace(heading)})
		case len(sections) > 0:
			sections[len(sections)-1].text += line
		}
	}
	for i := range sections {
		sections[i].text = strings.TrimSpace(sections[i].text)
	}
	return sections
}

func (r result) text() string {
	return fmt.Sprintf("%s\n\n```sh\n%s\n```\n\n%s:\n\n```\n%s\n```", r.about, r.command, r.machine, strings.Trim(r.output, "\n"))
}

func writeTable(text *strings.Builder, sections []section) {
	cell := func(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
	head := "\n| what | measured | goal | |\n|---|---|---|---|\n"
	for _, s := range sections {
		for _, f := range goal.Find(s.text) {
			fmt.Fprintf(text, "%s| %s | %s | %s | %s |\n", head, cell(f.What), cell(f.Measured), cell(f.Goal), f.Verdict)
			head = ""
		}
	}
}
