package config

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a container without zone files must not lose a shop

	"github.com/robfig/cron/v3"
)

// maxOffset bounds how far a shop's ticks are moved from the times of its cron
// expression, so that 10,000 shops do not start in one second.
const maxOffset = 30 * time.Minute

// NextTick returns the next tick of the shop's schedule that is later than
// after.
//
// A cron expression is read in the shop's time zone. Each of its times is moved
// by an offset that depends on the shop's name alone, always less than the gap
// to the next time: between two times of the expression there is exactly one
// tick. "@every" counts from passStartedAt, the start of the last pass; where
// that is zero, the first tick comes within one interval, by the same offset.
func (s Shop) NextTick(after, passStartedAt time.Time) (time.Time, error) {
	after = after.Round(0) // wall time: a schedule knows no monotonic clock
	schedule, err := parseSchedule(s.Settings.Schedule)
	if err != nil {
		return time.Time{}, fmt.Errorf("shop %q: schedule %q %w", s.Name, s.Settings.Schedule, err)
	}
	zone, err := parseZone(s.Settings.Timezone)
	if err != nil {
		return time.Time{}, fmt.Errorf("shop %q: timezone %q %w", s.Name, s.Settings.Timezone, err)
	}
	if every, ok := schedule.(cron.ConstantDelaySchedule); ok {
		return nextEvery(s.Name, every.Delay, after, passStartedAt.Round(0)), nil
	}
	at := schedule.Next(after.In(zone).Add(-maxOffset))
	for !at.IsZero() {
		next := schedule.Next(at)
		if tick := at.Add(offset(s.Name, next.Sub(at))); tick.After(after) {
			return tick.In(after.Location()), nil
		}
		at = next
	}
	return time.Time{}, fmt.Errorf("shop %q: schedule %q has no time after %s", s.Name, s.Settings.Schedule, after.Format(time.RFC3339))
}

func nextEvery(shop string, interval time.Duration, after, passStartedAt time.Time) time.Time {
	if passStartedAt.IsZero() {
		return after.Add(time.Second + offset(shop, interval))
	}
	passed := max(0, after.Sub(passStartedAt))
	return passStartedAt.Add((passed/interval + 1) * interval)
}

// offset is the shop's own share of the interval, in whole seconds. An interval
// that is not positive is that to a time that never comes.
func offset(shop string, interval time.Duration) time.Duration {
	if interval <= 0 || interval > maxOffset {
		interval = maxOffset
	}
	sum := sha256.Sum256([]byte(shop))
	seconds := binary.BigEndian.Uint64(sum[:8]) % uint64(interval/time.Second)
	return time.Duration(seconds) * time.Second
}

// parseSchedule reads what the attribute schedule may hold. The errors complete
// the sentence "schedule ... ".
func parseSchedule(text string) (cron.Schedule, error) {
	const example = `for example "*/30 * * * *" (minute hour day month weekday) or "@every 30m"`
	// The library takes a zone of its own here and panics where a space is missing.
	if strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		return nil, errors.New(`must not name a time zone; set it with timezone = "Europe/Bratislava"`)
	}
	if !strings.HasPrefix(text, "@") {
		switch fields := len(strings.Fields(text)); {
		case fields == 6:
			return nil, errors.New("has 6 fields; there are no seconds, write five, " + example)
		case fields != 5:
			return nil, fmt.Errorf("has %d fields, needed are five, %s", fields, example)
		}
	}
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return nil, fmt.Errorf("cannot be read (%w); write it as cron does, %s", err, example)
	}
	if every, ok := schedule.(cron.ConstantDelaySchedule); ok && every.Delay < time.Minute {
		return nil, errors.New(`is too often; a minute is the least: "@every 1m"`)
	}
	// Any fixed time does: the library looks five years ahead, past a leap day.
	if schedule.Next(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("names a day that never comes; write one that does, " + example)
	}
	return schedule, nil
}

// parseZone reads a name of the IANA time zone database. The errors complete
// the sentence "timezone ... ".
func parseZone(name string) (*time.Location, error) {
	// Go takes these two for UTC and for the zone of the machine, which differs
	// from one worker to the next.
	if name == "" || name == "Local" {
		return nil, errors.New(`must name a place, for example "Europe/Bratislava", or "UTC"`)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, errors.New(`is not known; write it as the IANA database does, for example "Europe/Bratislava", or "UTC"`)
	}
	return zone, nil
}
