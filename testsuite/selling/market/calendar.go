package market

import (
	"math/rand/v2"
	"time"
)

// The simulated time begins on a Monday and has a Black Friday in its fourth
// week and Christmas in its eighth. It is the shops' local time.
var (
	begin       = time.Date(2026, time.November, 2, 0, 0, 0, 0, time.UTC)
	blackFriday = time.Date(2026, time.November, 27, 0, 0, 0, 0, time.UTC)
	holidays    = map[time.Time]bool{
		time.Date(2026, time.December, 24, 0, 0, 0, 0, time.UTC): true,
		time.Date(2026, time.December, 25, 0, 0, 0, 0, time.UTC): true,
		time.Date(2026, time.December, 26, 0, 0, 0, 0, time.UTC): true,
		time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC):   true,
	}
)

// Hours of the day.
const (
	opening = 8 * time.Hour // of the office, where orders are booked and goods are received
	closing = 17 * time.Hour

	counterOpening = 9 * time.Hour
	counterClosing = 18 * time.Hour
)

// webHours say how many customers of the e-shop come in each hour of a day.
var webHours = [24]int{2, 1, 1, 1, 1, 1, 2, 3, 4, 6, 6, 6, 6, 6, 6, 6, 6, 7, 8, 9, 9, 8, 6, 4}

func midnight(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

func daysOff(t time.Time) bool {
	return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday || holidays[midnight(t)]
}

func counterOpen(day time.Time) bool { return day.Weekday() != time.Sunday && !holidays[day] }

// workday is midnight of the n-th working day after the day of t.
func workday(t time.Time, n int) time.Time {
	day := midnight(t)
	for n > 0 {
		if day = day.AddDate(0, 0, 1); !daysOff(day) {
			n--
		}
	}
	return day
}

// inOfficeHours is t, or the first hours of the next working day where nobody
// is in the office at t.
func inOfficeHours(t time.Time, chance *rand.Rand) time.Time {
	of := t.Sub(midnight(t))
	switch {
	case !daysOff(t) && of >= opening && of < closing:
		return t
	case !daysOff(t) && of < opening:
		return within(midnight(t), opening, opening+3*time.Hour, chance)
	}
	return within(workday(t, 1), opening, opening+3*time.Hour, chance)
}

// within is some second of a day between two of its hours.
func within(day time.Time, from, to time.Duration, chance *rand.Rand) time.Time {
	return day.Add(between(from, to, chance))
}

func between(from, to time.Duration, chance *rand.Rand) time.Duration {
	return from + time.Duration(chance.Int64N(int64((to-from)/time.Second)))*time.Second
}

// onTheWeb is some second of a day, by the customs of customers.
func onTheWeb(day time.Time, chance *rand.Rand) time.Time {
	all := 0
	for _, weight := range webHours {
		all += weight
	}
	left := chance.IntN(all)
	hour := 0
	for left >= webHours[hour] {
		left -= webHours[hour]
		hour++
	}
	return day.Add(time.Duration(hour)*time.Hour + between(0, time.Hour, chance))
}
