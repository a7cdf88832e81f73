package message_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/stock"
)

func bratislava(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Bratislava")
	require.NoError(t, err)
	return zone
}

func TestWhyAProductGetsWhatItGets(t *testing.T) {
	d := decimal.NewFromInt
	zero := d(0)
	noon := time.Date(2026, time.July, 1, 10, 10, 0, 0, time.UTC) // 12:10 in the shop
	for rule, c := range map[string]struct {
		line  stock.Line
		entry *stock.Entry
		want  string
	}{
		"KROS's number": {
			stock.Line{}, &stock.Entry{From: d(3), To: d(7), Kros: d(7)}, "KROS has 7",
		},
		"sold and not booked": {
			stock.Line{Sold: []stock.Sale{{Quantity: d(3), Seen: noon}, {Quantity: d(1), Seen: noon.Add(time.Hour)}}},
			&stock.Entry{From: d(6), To: d(6), Kros: d(10), Unbooked: d(4)},
			"KROS has 10; 4 sold in the e-shop since 12:10, not booked in KROS yet",
		},
		"held": {
			stock.Line{Outcome: stock.Held, Reason: "too many products would go to 0"}, &stock.Entry{From: d(3), To: d(3), Want: &zero}, "held: too many products would go to 0",
		},
		"held without a word": {
			stock.Line{Outcome: stock.Held}, &stock.Entry{From: d(3), To: d(3), Want: &zero}, "held: KROS gives 0; it waits for approval",
		},
		"dismissed": {
			stock.Line{Outcome: stock.Held, Reason: "the 0 of KROS was dismissed"}, &stock.Entry{From: d(3), To: d(3), Want: &zero, Dismissed: true}, "the 0 of KROS was dismissed",
		},
		"dismissed without a word": {
			stock.Line{}, &stock.Entry{From: d(3), To: d(3), Kros: d(0), Dismissed: true}, "KROS gives 0, which was dismissed",
		},
		"gone from KROS":  {stock.Line{Missing: true, Reason: "its product goes to 0"}, &stock.Entry{From: d(3)}, "its product goes to 0"},
		"without product": {stock.Line{Reason: "no product"}, nil, "no product"},
	} {
		t.Run(rule, func(t *testing.T) {
			require.Equal(t, c.want, message.Why(stock.Difference{Line: c.line, Entry: c.entry}, noon.Add(2*time.Hour), bratislava(t)))
		})
	}
}

func TestATimeIsAsShortAsItCanBeUnderstood(t *testing.T) {
	now := time.Date(2026, time.March, 28, 22, 30, 0, 0, time.UTC) // 23:30; the next day has 23 hours
	for want, at := range map[string]time.Time{
		"23:00":             now.Add(-30 * time.Minute),
		"tomorrow 00:10":    now.Add(40 * time.Minute),
		"tomorrow 23:30":    now.Add(23 * time.Hour),
		"yesterday 23:30":   now.Add(-24 * time.Hour),
		"30 Mar 00:30":      now.Add(24 * time.Hour),
		"1 Jan 08:00":       time.Date(2026, time.January, 1, 7, 0, 0, 0, time.UTC),
		"31 Dec 2025 23:00": time.Date(2025, time.December, 31, 22, 0, 0, 0, time.UTC),
		"28 Mar 2027 00:30": time.Date(2027, time.March, 27, 23, 30, 0, 0, time.UTC),
	} {
		require.Equal(t, want, message.Clock(at, now, bratislava(t)))
	}
	require.Equal(t, "22:30", message.Clock(now, now, nil))
}
