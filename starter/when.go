package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// parseTime reads a time as a person writes it: RFC 3339, or in the zone of
// now "2026-12-24 18:00", or "18:00" for the next time it is that late. It
// must lie ahead.
func parseTime(text string, now time.Time) (time.Time, error) {
	t, err := readTime(text, now)
	if err != nil {
		return time.Time{}, err
	}
	if !t.After(now) {
		return time.Time{}, fmt.Errorf("%q is over: it is %s now", text, now.Format("2006-01-02 15:04 MST"))
	}
	return t, nil
}

func readTime(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04", text, now.Location()); err == nil {
		return t, nil
	}
	clock, err := time.Parse("15:04", text)
	if err != nil {
		return time.Time{}, fmt.Errorf(`%q is no time; write "18:00", "2026-12-24 18:00" or 2026-12-24T18:00:00+01:00`, text)
	}
	at := func(day int) time.Time {
		return time.Date(now.Year(), now.Month(), day, clock.Hour(), clock.Minute(), 0, 0, now.Location())
	}
	if today := at(now.Day()); today.After(now) {
		return today, nil
	}
	return at(now.Day() + 1), nil
}

var leadingDays = regexp.MustCompile(`^(\d{1,4})d(.*)$`)

// parseSpan reads a positive length of time: 90m, 2h, 2d, 1d12h. A day has 24
// hours.
func parseSpan(text string) (time.Duration, error) {
	span, err := readSpan(text)
	if err != nil || span <= 0 {
		return 0, fmt.Errorf("%q is no length of time; write 90m, 2h or 2d", text)
	}
	return span, nil
}

func readSpan(text string) (time.Duration, error) {
	parts := leadingDays.FindStringSubmatch(text)
	if parts == nil {
		return time.ParseDuration(text)
	}
	days, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0, err
	}
	span := time.Duration(days) * 24 * time.Hour
	if parts[2] == "" {
		return span, nil
	}
	rest, err := time.ParseDuration(parts[2])
	if rest < 0 {
		return 0, fmt.Errorf("negative %s", parts[2])
	}
	return span + rest, err
}
