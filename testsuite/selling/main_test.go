package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/selling/market"
)

func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, trouble bytes.Buffer
	cmd := newCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&trouble)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// Whoever changes what is printed runs it again for the documents.
func TestTheDocumentsShowTheTablesAsTheyArePrinted(t *testing.T) {
	out, err := execute(t, "--shops", "18", "--days", "2")
	require.NoError(t, err)
	document, err := os.ReadFile("../../docs/selling.md")
	require.NoError(t, err)
	shown := func(text string) bool { return strings.Contains(string(document), text) } // the document is too long for a message
	rows := 0
	for line := range strings.Lines(out) {
		if name, _, isRow := strings.Cut(strings.TrimPrefix(line, "| "), " |"); isRow {
			require.True(t, shown("| "+name+" |"), "the documents have no row %s", name)
			rows++
		}
		if strings.Contains(line, "`0s` |") && !strings.HasPrefix(line, "| `0s`") || strings.HasPrefix(line, "| sold_hold") {
			require.True(t, shown(line), "the documents have no table %s", line)
		}
	}
	require.Equal(t, 3*2+3+6+3, rows, "three tables: holds, bookings, counters")
}

func TestTables(t *testing.T) {
	holds := []time.Duration{0, 90 * time.Minute}
	shops := []market.Shop{
		{Class: market.Class{Booking: market.SameDay}, Figures: []market.Figures{
			{Wanted: 1600, Ordered: 1500, SoldTwice: 15, NotDelivered: 6, Lost: 1},
			{Wanted: 1600, Ordered: 1400, SoldTwice: 7, NotDelivered: 2, Lost: 14},
		}},
		{Class: market.Class{Booking: market.NextDays, BlackFriday: true}, Figures: []market.Figures{{Wanted: 2, Lost: 2}, {Wanted: 2, Ordered: 1}}},
	}
	require.Equal(t, lines(
		"| sold_hold | pieces wanted | ordered | sold twice | not delivered | sales lost | sold twice of 1,000 | not delivered of 1,000 | lost per 1,000 |",
		"| --- | ---:| ---:| ---:| ---:| ---:| ---:| ---:| ---:|",
		"| `0s` | 1,602 | 1,500 | 15 | 6 | 3 | 10.0 | 4.0 | 2.0 |",
		"| `1h30m0s` | 1,602 | 1,401 | 7 | 2 | 14 | 5.0 | 1.4 | 10.0 |",
	), totals(holds, shops))
	require.Equal(t, lines(
		"| orders are booked | shops | sold twice, `0s` | sold twice, `1h30m0s` | not delivered, `0s` | not delivered, `1h30m0s` | lost, `0s` | lost, `1h30m0s` |",
		"| --- | ---:| ---:| ---:| ---:| ---:| ---:| ---:|",
		"| the same day | 1 | 10.0 | 5.0 | 4.0 | 1.4 | 0.7 | 10.0 |",
		"| the next days, Black Friday | 1 | - | 0.0 | - | 0.0 | - | 0.0 |",
	), rates("orders are booked", byBooking(), holds, shops))
}

func lines(rows ...string) string { return strings.Join(rows, "\n") }

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"--shops", "0"}, {"--days", "0"}, {"--days", "61"}, {"--hold", "-1h"}, {"--hold", ""}, {"--seed", "-1"}, {"something"},
	} {
		_, err := execute(t, args...)
		require.Error(t, err, args)
	}
}
