package message

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
)

// SettingsChanges are the settings that differ, by the names and in the
// notation of the shop's file.
func SettingsChanges(before, after protocol.Settings) []protocol.SettingChange {
	old, now := settings(before), settings(after)
	changes := []protocol.SettingChange{}
	for i, setting := range now {
		if setting.value != old[i].value {
			changes = append(changes, protocol.SettingChange{Setting: setting.name, Before: old[i].value, After: setting.value})
		}
	}
	return changes
}

type setting struct{ name, value string }

// settings are all of them, always in this order. What decides about quantities
// comes first.
func settings(s protocol.Settings) []setting {
	r := s.Rules
	return []setting{
		{"match", string(r.Match)},
		{"quantity", string(r.Quantity)},
		{"kros.warehouses", cmp.Or(strings.Join(r.Warehouses, ", "), "all")},
		{"buffer", r.Buffer.String()},
		{"decimals", strconv.Itoa(int(r.Decimals))},
		{"unit_decimals", unitDecimals(r.UnitDecimals)},
		{"items", cmp.Or(s.ItemsHash, "none")},
		{"sold_hold", Span(r.SoldHold)},
		{"missing", string(r.Missing)},
		{"only_eshop_items", strconv.FormatBool(s.OnlyEshopItems)},
		{"guard.max_zeroed", percent(r.Guard.MaxZeroed)},
		{"guard.max_changed", percent(r.Guard.MaxChanged)},
		{"guard.min_items", strconv.Itoa(r.Guard.MinItems)},
		{"guard.min_catalogue", percent(r.Guard.MinCatalogue)},
		{"schedule", s.Schedule},
		{"timezone", s.Timezone},
		{"webhook.min_gap", Span(s.MinGap)},
		{"title", s.Title},
		{"alert", strconv.FormatBool(s.Alerts)},
		{"alert.missed_passes", strconv.Itoa(s.MissedPasses)},
		{"alert.quiet_after", Span(s.QuietAfter)},
	}
}

func unitDecimals(units map[string]int32) string {
	return cmp.Or(strings.Join(lo.Map(slices.Sorted(maps.Keys(units)), func(unit string, _ int) string {
		return fmt.Sprintf("%s = %d", unit, units[unit])
	}), ", "), "none")
}

func percent(fraction float64) string {
	return strconv.FormatFloat(fraction*100, 'f', -1, 32) + "%"
}

// Span shows a length of time without the zeros that Go appends: 24h, 30s.
func Span(d time.Duration) string {
	text := d.String()
	if d%time.Minute == 0 && d != 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	if d%time.Hour == 0 && d != 0 {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
