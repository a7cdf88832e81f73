package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
)

func TestWrongUsageExitsWith2AndNeedsNoTemporal(t *testing.T) {
	unreachable := &fakeTemporal{dialErr: errors.New("must not be dialled")}
	for _, args := range [][]string{
		{"reconcile", "acme"},
		{"approve", "acme", "--plan", ""},
		{"stats"},
		{"sync"},
		{"sync", "acme", "other"},
		{"sync", "Acme"},
		{"sync", "-acme"},
		{"sync", "acme", "--dry"},
		{"status", "acme", "--state", "held"},
		{"status", "--state", "inactive"},
		{"status", "--stale", "soon"},
		{"status", "--stale", "-2h"},
		{"pause", "acme", "--for", "2d", "--until", "18:00"},
		{"pause", "acme", "--for", "0m"},
		{"pause", "acme", "--until", "2026-12-24 08:00"},
		{"explain", "acme"},
		{"explain", "acme", " "},
		{"explain", "acme", "A-1", "--pass", "0"},
		{"explain", "acme", "A-1", "more"},
		{"webhook"},
		{"validate", "acme"},
		{"--sjon"},
	} {
		t.Run(args[0], func(t *testing.T) {
			text := skladom(t, unreachable, args...)
			require.Equal(t, statusUsage, text.status, text)
			require.Empty(t, text.stdout)
			require.Contains(t, text.stderr, "--help")

			asJSON := skladom(t, unreachable, append(args, "--json")...)
			require.Equal(t, statusUsage, asJSON.status)
			failure := document(t, asJSON)["failure"].(map[string]any)
			require.Equal(t, []string{"hint", "message"}, slices.Sorted(maps.Keys(failure)))
		})
	}
}

func TestHelpAndVersionAreNoFailures(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"activate", "--help"}, {"--version"}} {
		d := skladom(t, nil, args...)
		require.Equal(t, statusDone, d.status)
		require.NotEmpty(t, d.stdout)
		require.Empty(t, d.stderr)
	}
	require.Contains(t, skladom(t, nil, "activate", "--help").stdout, "Vygenerovať token")
}

func TestEveryFailureOfTemporalIsASentence(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"unreachable", serviceerror.NewUnavailable("connection refused"), "Temporal at temporal.example.com:7233 does not answer."},
		{"too slow", serviceerror.NewDeadlineExceeded("deadline"), "Temporal at temporal.example.com:7233 does not answer."},
		{"no namespace", serviceerror.NewNamespaceNotFound("default"), `Temporal at temporal.example.com:7233 has no namespace "default".`},
		{"no access", serviceerror.NewPermissionDenied("no", ""), "refuses access"},
		{"anything else", serviceerror.NewInternal("odd"), "answered: odd."},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := skladom(t, &fakeTemporal{dialErr: c.err}, "status", "acme")
			require.Equal(t, statusFailed, d.status)
			require.Contains(t, d.stderr, c.want)
			require.Empty(t, d.stdout)

			failure := document(t, skladom(t, &fakeTemporal{dialErr: c.err}, "status", "acme", "--json"))["failure"].(map[string]any)
			require.Contains(t, failure["message"], c.want)
		})
	}
}

func TestWithJSONEvenNoCommandIsADocument(t *testing.T) {
	d := skladom(t, nil, "--json")
	require.Equal(t, statusUsage, d.status)
	require.Contains(t, document(t, d), "failure")
}

// What is printed as JSON is the same value, in characters that a terminal prints.
func TestJSONDoesNotSteerTheTerminal(t *testing.T) {
	const hostile = "\x1b[2J\u009b31m\u202egpj\u2066\u2028\x7f\u200b\U000e0001 čaj 🍵 <&>"
	var out bytes.Buffer
	a := &app{stdout: &out, json: true}
	a.document(map[string]string{"name": hostile})
	for _, r := range out.String() {
		require.True(t, r == '\n' || unicode.IsPrint(r), "%q", r)
	}
	require.Contains(t, out.String(), " čaj 🍵 <&>")
	var read map[string]string
	require.NoError(t, json.Unmarshal(out.Bytes(), &read))
	require.Equal(t, hostile, read["name"])
}

// Arguments are shown to everybody on the machine by ps, and kept by the shell.
func TestNoSecretIsAnArgument(t *testing.T) {
	secret := regexp.MustCompile(`(?i)key|token|secret|passw|credential`)
	commands := 0
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		commands++
		require.NotRegexp(t, secret, cmd.Use)
		cmd.Flags().VisitAll(func(f *pflag.Flag) { require.NotRegexp(t, secret, f.Name, cmd.Name()) })
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look((&app{environment: surroundings(&fakeTemporal{})}).root())
	require.Greater(t, commands, 10)
}

// The name of a shop is part of ids, paths and URLs.
func TestACraftedShopNameIsRefusedByEveryCommand(t *testing.T) {
	var takeShop []string
	for _, cmd := range (&app{environment: surroundings(&fakeTemporal{})}).root().Commands() {
		if strings.Contains(cmd.Use, "SHOP") {
			takeShop = append(takeShop, cmd.Name())
		}
	}
	require.Contains(t, takeShop, "activate")
	require.Contains(t, takeShop, "explain")
	for _, command := range takeShop {
		for _, name := range []string{"..", "../acme", "a/b", "acme:1", "Acme", "-acme", "acme\r\nX-Header: 1", "acme%2f..", "acme' OR 1=1", " acme", "a\x00", "ácme", strings.Repeat("a", 64)} {
			f := &fakeTemporal{}
			args := []string{command, "--", name}
			if command == "explain" {
				args = append(args, "item")
			}
			d := skladom(t, f, args...)
			require.Equal(t, statusUsage, d.status, "%s %q: %s%s", command, name, d.stdout, d.stderr)
			require.Empty(t, f.started)
			require.Empty(t, f.updated)
			require.NotRegexp(t, "[\r\x00]|(?m)^X-Header", d.stderr)
		}
	}
}
