package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
)

func TestPauseResumeAndDeactivateAskTheWorkflowAndShowWhereItStands(t *testing.T) {
	until := time.Date(2026, 12, 26, 9, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		args  []string
		name  string
		want  []any
		state protocol.State
	}{
		{[]string{"pause", "acme"}, protocol.UpdatePause, []any{protocol.PauseRequest{By: "jana"}}, protocol.StatePaused},
		{[]string{"pause", "acme", "--for", "2d", "--reason", "stocktaking"}, protocol.UpdatePause, []any{protocol.PauseRequest{Until: &until, Reason: "stocktaking", By: "jana"}}, protocol.StatePaused},
		{[]string{"resume", "acme"}, protocol.UpdateResume, nil, protocol.StateActive},
		{[]string{"deactivate", "acme"}, protocol.UpdateDeactivate, nil, protocol.StateInactive},
	} {
		t.Run(c.args[0], func(t *testing.T) {
			f := &fakeTemporal{updates: map[string]func(context.Context, []any) (any, error){
				c.name: func(context.Context, []any) (any, error) { return protocol.Status{Shop: "acme", State: c.state}, nil },
			}}
			d := skladom(t, f, append(c.args, "--json")...)
			require.Equal(t, statusDone, d.status, d)
			v := document(t, d)
			require.ElementsMatch(t, statusKeys, keys(v))
			require.Equal(t, string(c.state), v["state"])
			require.Equal(t, "stock-sync:acme", f.updated[0].WorkflowID)
			require.Len(t, f.updated[0].Args, len(c.want))
			for i, want := range c.want {
				require.EqualExportedValues(t, want, utc(f.updated[0].Args[i]))
			}
		})
	}
}

func TestAPauseThatCannotBeIsNotAskedFor(t *testing.T) {
	for flags, want := range map[string]string{
		"--until=2026-12-24 09:00":          `--until: "2026-12-24 09:00" is over: it is 2026-12-24 10:30 CET now`,
		"--until=soon":                      `--until: "soon" is no time`,
		"--for=-2h":                         `--for: "-2h" is no length of time`,
		"--for=2h --until=2026-12-25T00:00": "--until and --for exclude each other",
	} {
		f := &fakeTemporal{}
		d := skladom(t, f, append([]string{"pause", "acme"}, strings.Split(strings.ReplaceAll(flags, " --", "|--"), "|")...)...)
		require.Equal(t, statusUsage, d.status, flags)
		require.Contains(t, strings.Join(strings.Fields(d.stderr), " "), want)
		require.Empty(t, f.updated)
	}
}

func utc(arg any) any {
	if p, ok := arg.(protocol.PauseRequest); ok && p.Until != nil {
		at := p.Until.UTC()
		p.Until = &at
		return p
	}
	return arg
}

func TestTimesAreReadAsPeopleWriteThem(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Bratislava")
	require.NoError(t, err)
	at := time.Date(2026, 12, 24, 10, 30, 0, 0, zone)
	for text, want := range map[string]string{
		"18:00":                     "2026-12-24T18:00:00+01:00",
		"09:00":                     "2026-12-25T09:00:00+01:00", // over for today
		"2026-12-24 18:00":          "2026-12-24T18:00:00+01:00",
		"2027-07-01 06:00":          "2027-07-01T06:00:00+02:00", // summer time
		"2026-12-24T18:00:00Z":      "2026-12-24T19:00:00+01:00",
		"2026-12-24T18:00:00+05:00": "2026-12-24T14:00:00+01:00",
	} {
		got, err := parseTime(text, at)
		require.NoError(t, err, text)
		require.Equal(t, want, got.In(zone).Format(time.RFC3339), text)
	}
	for _, text := range []string{"", "tomorrow", "25:00", "2026-12-24", "2026-12-24 09:00", "2020-01-01T00:00:00Z"} {
		_, err := parseTime(text, at)
		require.Error(t, err, text)
	}
}

func TestSpansAreReadWithDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "2h": 2 * time.Hour, "2d": 48 * time.Hour, "1d12h": 36 * time.Hour, "1h30m": 90 * time.Minute,
	} {
		got, err := parseSpan(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "0", "0d", "-2h", "2", "2days", "d", "1d-2h", "99999d"} {
		_, err := parseSpan(text)
		require.Error(t, err, text)
	}
}
