package workflows

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
)

// What KROS, the shop and people wrote stands in the Temporal UI as text: it
// makes no row, no link, no picture, no markup and no line of its own.
func TestTextOfOthersIsNoMarkdown(t *testing.T) {
	details := func(text string) string {
		failure := &protocol.Failure{Code: protocol.ShopForbidden, Message: text, Hint: text}
		report := &protocol.Report{Shop: "acme", Result: protocol.ResultFailed, Failure: failure, Warnings: []string{text}}
		status := protocol.Status{Shop: "acme", Title: text, State: protocol.StatePaused, Reason: &protocol.Reason{Failure: *failure}}
		return passDetails(report) + syncDetails(status, []passLine{{Pass: 1}}, time.UTC)
	}
	tame := details("x")
	for _, hostile := range []string{
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[log in](https://evil.example)", "![](https://evil.example/pixel)",
		"a | b | c |\n|--|--|\n| forged | row |", "```\ncode\n```", "\r\n# Heading", "**bold** __bold__", "\x1b[2J\u202egpj.exe\u2066\u009b\x00\u2028\u200b",
	} {
		got := details(hostile)
		for _, r := range got {
			require.True(t, r == '\n' || unicode.IsPrint(r), "%q in %q", r, got)
		}
		require.Equal(t, strings.Count(tame, "\n"), strings.Count(got, "\n"), got)
		require.Equal(t, strings.Count(tame, "|"), strings.Count(got, "|"), got)
		require.Equal(t, strings.Count(tame, "*"), strings.Count(got, "*"), got)
		require.NotRegexp(t, "[<>`\\[\\]]", got)
	}
}
