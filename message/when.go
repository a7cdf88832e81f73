package message

import "time"

// Clock shows a time beside the present one, as short as it can be understood:
// "12:10", "yesterday 12:10", "tomorrow 12:10", "24 Dec 12:10", and the year
// where it is another one. Both are taken in the zone.
func Clock(t, now time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	t, now = t.In(zone), now.In(zone)
	switch days(now, t) {
	case 0:
		return t.Format("15:04")
	case 1:
		return t.Format("tomorrow 15:04")
	case -1:
		return t.Format("yesterday 15:04")
	}
	if t.Year() == now.Year() {
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2 Jan 2006 15:04")
}

// days counts calendar days, of which some have 23 or 25 hours.
func days(from, to time.Time) int {
	date := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(date(to).Sub(date(from)) / (24 * time.Hour))
}
