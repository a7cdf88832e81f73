package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is one thing that is wrong in the files and what would be right.
// File is relative to the directory, "." for the directory itself; Line counts
// from 1 and is 0 where the whole file is meant.
type Diagnostic struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

func (d Diagnostic) String() string {
	switch {
	case d.File == ".":
		return d.Message // names the directory itself
	case d.Line == 0:
		return d.File + ": " + d.Message
	}
	return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message)
}

// OpenError tells why a directory cannot be used at all.
type OpenError struct {
	Dir         string
	Diagnostics []Diagnostic
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("open configuration %s: %s", e.Dir, joined(e.Diagnostics))
}

// ErrorKind says why there is no version of a shop to work with.
type ErrorKind string

// The kinds of a ShopError.
const (
	Missing ErrorKind = "missing" // no file describes the shop
	Invalid ErrorKind = "invalid" // its description cannot be used and there is no earlier one
)

// ShopError tells why a shop cannot be used.
type ShopError struct {
	Kind        ErrorKind
	Shop        string
	Diagnostics []Diagnostic // empty where Kind is Missing
}

func (e *ShopError) Error() string {
	if e.Kind == Missing {
		return fmt.Sprintf("shop %q: no file of the configuration describes it", e.Shop)
	}
	return fmt.Sprintf("shop %q: its configuration is invalid: %s", e.Shop, joined(e.Diagnostics))
}

func joined(diagnostics []Diagnostic) string {
	lines := make([]string, len(diagnostics))
	for i, d := range diagnostics {
		lines[i] = d.String()
	}
	return strings.Join(lines, "; ")
}

// ordered returns the diagnostics as people read them: by place, each once.
func ordered(diagnostics []Diagnostic) []Diagnostic {
	sorted := slices.Clone(diagnostics)
	slices.SortFunc(sorted, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(sorted)
}
