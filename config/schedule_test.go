package config_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
)

func scheduled(name, schedule, zone string) config.Shop {
	return config.Shop{Name: name, Settings: protocol.Settings{Schedule: schedule, Timezone: zone}}
}

func ticks(t require.TestingT, shop config.Shop, from time.Time, n int) []time.Time {
	all := make([]time.Time, n)
	for i := range all {
		next, err := shop.NextTick(from, time.Time{})
		require.NoError(t, err)
		require.True(t, next.After(from), "%s is not after %s", next, from)
		all[i], from = next, next
	}
	return all
}

func TestTicksAreCronTimesMovedByAnOffsetOfTheShop(t *testing.T) {
	midnight := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	offsets := map[time.Duration]bool{}
	for i := range 200 {
		shop := scheduled(fmt.Sprintf("shop-%d", i), "*/30 * * * *", "Europe/Bratislava")
		all := ticks(t, shop, midnight, 4)
		offset := all[0].Sub(midnight)
		if offset == 30*time.Minute {
			offset = 0 // midnight itself is not after midnight
		}
		require.Less(t, offset, 30*time.Minute)
		offsets[offset] = true
		for j := 1; j < len(all); j++ {
			require.Equal(t, 30*time.Minute, all[j].Sub(all[j-1]))
		}
	}
	require.Greater(t, len(offsets), 150, "the shops are spread")

	daily := ticks(t, scheduled("a", "0 3 * * *", "Europe/Bratislava"), midnight, 2)
	three := time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC) // 3:00 in Bratislava
	require.Less(t, daily[0].Sub(three), 30*time.Minute)
	require.GreaterOrEqual(t, daily[0].Sub(three), time.Duration(0))
	require.Equal(t, 24*time.Hour, daily[1].Sub(daily[0]))
}

func TestChangesOfTheClockNeitherLoseNorDoubleATick(t *testing.T) {
	for _, change := range []time.Time{
		time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC),  // Bratislava: 2:00 becomes 3:00
		time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), // Bratislava: 3:00 becomes 2:00
	} {
		for schedule, gap := range map[string]time.Duration{"*/30 * * * *": 30 * time.Minute, "* * * * *": time.Minute, "*/7 * * * *": 0, "5 * * * *": time.Hour, "@hourly": time.Hour} {
			shop := scheduled("acme", schedule, "Europe/Bratislava")
			all := ticks(t, shop, change.Add(-5*time.Hour), 20)
			for i := 1; i < len(all) && gap > 0; i++ {
				require.Equal(t, gap, all[i].Sub(all[i-1]), "%s at %s", schedule, all[i])
			}
		}
	}
}

func TestBetweenTwoTimesOfTheExpressionIsExactlyOneTick(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schedule := rapid.SampledFrom([]string{
			"*/30 * * * *", "* * * * *", "0,10 * * * *", "7 */3 * * *", "0 6-18 * * 1-5", "@daily", "59 23 31 12 *", "0 0 29 2 *", "*/7 1,2,3 * * *",
		}).Draw(t, "schedule")
		zone := rapid.SampledFrom([]string{"Europe/Bratislava", "UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland"}).Draw(t, "zone")
		shop := scheduled(rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,8}`).Draw(t, "shop"), schedule, zone)
		at := time.Unix(rapid.Int64Range(1_700_000_000, 2_000_000_000).Draw(t, "at"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		location, err := time.LoadLocation(zone)
		require.NoError(t, err)
		expression, err := cron.ParseStandard(schedule)
		require.NoError(t, err)

		all := ticks(t, shop, at, 5)
		for i, tick := range all {
			require.Equal(t, at.Location(), tick.Location())
			// The time this tick belongs to is the last one that is not later.
			time1 := expression.Next(tick.In(location).Add(-30*time.Minute - time.Nanosecond))
			for next := expression.Next(time1); !next.After(tick); next = expression.Next(next) {
				time1 = next
			}
			require.False(t, time1.After(tick), "%s has a time at or before it within 30 minutes", tick)
			if i > 0 {
				// Whenever it is asked in between, the answer is the same.
				between := all[i-1].Add(time.Duration(rapid.Int64Range(0, int64(tick.Sub(all[i-1]))-1).Draw(t, "between")))
				again, err := shop.NextTick(between, time.Time{})
				require.NoError(t, err)
				require.True(t, again.Equal(tick), "%s, not %s", again, tick)
				// One time of the expression a tick.
				require.True(t, time1.After(all[i-1]), "%s and %s belong to one time", all[i-1], tick)
			}
		}
	})
}

func TestEveryCountsFromTheStartOfTheLastPass(t *testing.T) {
	shop := scheduled("acme", "@every 45m", "Europe/Bratislava")
	start := time.Date(2026, 5, 4, 10, 0, 7, 5, time.UTC)
	for after, want := range map[time.Duration]time.Duration{
		0:                45 * time.Minute,
		44 * time.Minute: 45 * time.Minute,
		45 * time.Minute: 90 * time.Minute, // strictly later
		5 * time.Hour:    5*time.Hour + 15*time.Minute,
		-time.Hour:       45 * time.Minute, // a clock that was set back
	} {
		got, err := shop.NextTick(start.Add(after), start)
		require.NoError(t, err)
		require.Equal(t, start.Add(want), got, after)
	}
	first, err := shop.NextTick(start, time.Time{})
	require.NoError(t, err)
	require.True(t, first.After(start))
	require.LessOrEqual(t, first.Sub(start), 30*time.Minute)
}

func TestATickKnowsNoMonotonicClock(t *testing.T) {
	for _, schedule := range []string{"*/30 * * * *", "@every 30m"} {
		now := time.Now()
		next, err := scheduled("a", schedule, "UTC").NextTick(now, now)
		require.NoError(t, err)
		require.Equal(t, next, next.Round(0))
	}
}

func TestASettingsScheduleThatIsWrongIsAnError(t *testing.T) {
	for _, shop := range []config.Shop{scheduled("acme", "TZ=UTC", "UTC"), scheduled("acme", "", "UTC"), scheduled("acme", "@hourly", "Nowhere/Land")} {
		_, err := shop.NextTick(time.Unix(0, 0), time.Time{})
		require.ErrorContains(t, err, `"acme"`)
	}
}
