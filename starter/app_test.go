package main

import (
	"errors"
	"maps"
	"slices"
	"testing"

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
