package message_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

func shopSettings() protocol.Settings {
	return protocol.Settings{
		Title: "Acme", Schedule: "*/30 * * * *", Timezone: "Europe/Bratislava", MinGap: 30 * time.Second,
		Rules: stock.Rules{
			Match: stock.ByNumber, Quantity: stock.Max, SoldHold: 24 * time.Hour, Missing: stock.MissingKeep,
			Guard: stock.Guard{MaxZeroed: 0.3, MaxChanged: 0.8, MinItems: 5, MinCatalogue: 0.5},
		},
	}
}

func TestSettingsThatChangedAreNamedAsInTheFile(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*protocol.Settings)
		want   protocol.SettingChange
	}{
		"match":      {func(s *protocol.Settings) { s.Rules.Match = stock.ByEAN }, protocol.SettingChange{Setting: "match", Before: "number", After: "ean"}},
		"quantity":   {func(s *protocol.Settings) { s.Rules.Quantity = stock.Sum }, protocol.SettingChange{Setting: "quantity", Before: "max", After: "sum"}},
		"warehouses": {func(s *protocol.Settings) { s.Rules.Warehouses = []string{"LT", "PR"} }, protocol.SettingChange{Setting: "kros.warehouses", Before: "all", After: "LT, PR"}},
		"buffer":     {func(s *protocol.Settings) { s.Rules.Buffer = decimal.NewFromInt(2) }, protocol.SettingChange{Setting: "buffer", Before: "0", After: "2"}},
		"decimals":   {func(s *protocol.Settings) { s.Rules.Decimals = 3 }, protocol.SettingChange{Setting: "decimals", Before: "0", After: "3"}},
		"units": {func(s *protocol.Settings) { s.Rules.UnitDecimals = map[string]int32{"m": 2, "kg": 3} },
			protocol.SettingChange{Setting: "unit_decimals", Before: "none", After: "kg = 3, m = 2"}},
		"items":         {func(s *protocol.Settings) { s.ItemsHash = "0badc0de" }, protocol.SettingChange{Setting: "items", Before: "none", After: "0badc0de"}},
		"hold":          {func(s *protocol.Settings) { s.Rules.SoldHold = 0 }, protocol.SettingChange{Setting: "sold_hold", Before: "24h", After: "0s"}},
		"a longer hold": {func(s *protocol.Settings) { s.Rules.SoldHold = 90 * time.Minute }, protocol.SettingChange{Setting: "sold_hold", Before: "24h", After: "1h30m"}},
		"missing":       {func(s *protocol.Settings) { s.Rules.Missing = stock.MissingZero }, protocol.SettingChange{Setting: "missing", Before: "keep", After: "zero"}},
		"e-shop items":  {func(s *protocol.Settings) { s.OnlyEshopItems = true }, protocol.SettingChange{Setting: "only_eshop_items", Before: "false", After: "true"}},
		"max zeroed":    {func(s *protocol.Settings) { s.Rules.Guard.MaxZeroed = 0.125 }, protocol.SettingChange{Setting: "guard.max_zeroed", Before: "30%", After: "12.5%"}},
		"max changed":   {func(s *protocol.Settings) { s.Rules.Guard.MaxChanged = 1 }, protocol.SettingChange{Setting: "guard.max_changed", Before: "80%", After: "100%"}},
		"min items":     {func(s *protocol.Settings) { s.Rules.Guard.MinItems = 9 }, protocol.SettingChange{Setting: "guard.min_items", Before: "5", After: "9"}},
		"min catalogue": {func(s *protocol.Settings) { s.Rules.Guard.MinCatalogue = 0.07 }, protocol.SettingChange{Setting: "guard.min_catalogue", Before: "50%", After: "7%"}},
		"schedule":      {func(s *protocol.Settings) { s.Schedule = "@every 5m" }, protocol.SettingChange{Setting: "schedule", Before: "*/30 * * * *", After: "@every 5m"}},
		"time zone":     {func(s *protocol.Settings) { s.Timezone = "UTC" }, protocol.SettingChange{Setting: "timezone", Before: "Europe/Bratislava", After: "UTC"}},
		"gap":           {func(s *protocol.Settings) { s.MinGap = time.Minute }, protocol.SettingChange{Setting: "webhook.min_gap", Before: "30s", After: "1m"}},
		"alerts":        {func(s *protocol.Settings) { s.Alerts = true }, protocol.SettingChange{Setting: "alert", Before: "false", After: "true"}},
		"missed":        {func(s *protocol.Settings) { s.MissedPasses = 3 }, protocol.SettingChange{Setting: "alert.missed_passes", Before: "0", After: "3"}},
		"quiet":         {func(s *protocol.Settings) { s.QuietAfter = 72 * time.Hour }, protocol.SettingChange{Setting: "alert.quiet_after", Before: "0s", After: "72h"}},
		"title":         {func(s *protocol.Settings) { s.Title = "Acme s.r.o." }, protocol.SettingChange{Setting: "title", Before: "Acme", After: "Acme s.r.o."}},
	} {
		t.Run(name, func(t *testing.T) {
			after := shopSettings()
			tc.change(&after)
			require.Equal(t, []protocol.SettingChange{tc.want}, message.SettingsChanges(shopSettings(), after))
		})
	}
	require.Empty(t, message.SettingsChanges(shopSettings(), shopSettings()))
}

// A setting that is added must be told of as well.
func TestEverySettingIsCompared(t *testing.T) {
	const compared = 21
	fields := reflect.TypeFor[protocol.Settings]().NumField() - 1 + // Rules
		reflect.TypeFor[stock.Rules]().NumField() - 2 + // Guard, and Items, which do not travel
		reflect.TypeFor[stock.Guard]().NumField()
	require.Equal(t, compared, fields, "a setting came or went: see message.SettingsChanges")
}
