package main

import (
	"encoding/csv"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// writeCSV writes rows as a spreadsheet reads them: comma, UTF-8, a header.
func writeCSV(w io.Writer, header []string, rows [][]string) error {
	out := csv.NewWriter(w)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = neutral(cell)
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// formula is where a spreadsheet may see one begin: in front of the cell, and
// behind a semicolon, where that separates cells (as in a Slovak Excel, whatever
// this file says). Some take the wide signs of East Asia for the narrow ones.
var formula = regexp.MustCompile(`(^|;)(\s*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])`)

// neutral keeps a spreadsheet from taking a cell for a formula, and a terminal
// from being steered: names of items and products are written by others. What
// is invisible otherwise stays, since it may be why two codes do not match.
func neutral(cell string) string {
	cell = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(cell, "\uFFFD"))
	return formula.ReplaceAllString(cell, "$1'$2")
}
