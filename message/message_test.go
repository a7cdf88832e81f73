package message_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
)

var update = flag.Bool("update", false, "write testdata/messages.txt again")

var codes = []protocol.Code{
	protocol.KrosKeyInvalid, protocol.KrosNoAPIAccess, protocol.KrosForbidden, protocol.KrosUnavailable, protocol.KrosBadResponse,
	protocol.KrosNoStock, protocol.WarehouseUnknown, protocol.NothingMatched, protocol.ProductsMissing, protocol.CatalogueChanged,
	protocol.ShopKeyInvalid, protocol.ShopForbidden, protocol.ShopUnavailable, protocol.ShopBadResponse, protocol.ShopChanged,
	protocol.ConfigMissing, protocol.ConfigInvalid, protocol.TooManyZeroed, protocol.TooManyChanged,
}

// all is every sentence there is, to be read as a merchant reads them.
func all() string {
	var out strings.Builder
	say := func(title string, f *protocol.Failure) {
		fmt.Fprintf(&out, "%s\n  %s\n  > %s\n\n", title, f.Message, f.Hint)
	}
	bare := message.Params{Shop: "acme"}
	full := message.Params{
		Shop: "acme", Detail: "what was said.", Warehouses: []string{"LT", "PR"}, Known: []string{"HL"}, Seen: 31, Expected: 1240, By: "number",
	}
	for _, code := range codes {
		say(string(code), message.Failure(code, full))
		say(string(code)+", nothing more known", message.Failure(code, bare))
	}
	full.By, full.Known, full.Warehouses = "ean", nil, []string{"LT"}
	say("nothing_matched by EAN", message.Failure(protocol.NothingMatched, full))
	say("warehouse_unknown, KROS has none", message.Failure(protocol.WarehouseUnknown, full))
	say("kros_no_stock of one item", message.Failure(protocol.KrosNoStock, message.Params{Expected: 1}))
	say("catalogue_changed without any stock", message.Failure(protocol.CatalogueChanged, message.Params{Shop: "acme", Seen: 3, Expected: 3}))
	say("catalogue_changed to nothing", message.Failure(protocol.CatalogueChanged, message.Params{Shop: "acme", Expected: 3}))
	say("too_many_zeroed after others", message.Failure(protocol.TooManyZeroed, message.Params{Shop: "acme", Seen: 1, Expected: 100, Earlier: 30}))
	say("a code of tomorrow", message.Failure("tomorrow", full))
	say("unfinished", message.Unfinished(protocol.ShopUnavailable, "disk is full"))
	say("an archive that takes nothing", message.Unwritable(protocol.ShopUnavailable, "the archive at file:///var/lib/skladom cannot be written: no space left on device"))
	say("an object that is lost", message.LostObject(protocol.ShopUnavailable, "read acme/plan/0000000012-20260701T063000.000Z-1f.jsonl.zst from archive: the object is not in the archive"))
	say("nothing_to_roll_back", message.NothingToRollBack("acme", 0))
	say("nothing_to_roll_back of one pass", message.NothingToRollBack("acme", 12))
	say("nothing_to_roll_back of a rollback", message.RollbackOfRollback("acme", 13))
	say("a rollback that broke off", message.RollbackAgain(message.Failure(protocol.ShopKeyInvalid, bare), "acme", 12))
	say("a rollback that the e-shop broke off", message.RollbackAgain(message.Failure(protocol.ShopUnavailable, bare), "acme", 12))
	say("a rollback that could not begin", message.RollbackAgain(message.Failure(protocol.ConfigMissing, bare), "acme", 0))
	until := time.Date(2026, time.July, 1, 6, 30, 0, 0, time.UTC)
	zone, err := time.LoadLocation("Europe/Bratislava")
	if err != nil {
		panic(err)
	}
	for title, p := range map[string]protocol.PauseRequest{"paused": {Until: &until, By: "Jana", Reason: "stocktaking"}} {
		text, hint := message.Paused("acme", p, zone)
		say(title, &protocol.Failure{Message: text, Hint: hint})
	}
	for _, sentence := range []string{
		message.WarehouseGone([]string{"LT"}, []string{"HL", "PR"}), message.WarehouseNew([]string{"HL"}), message.SweepIncomplete,
		message.KrosShared(1), message.KrosShared(3),
		message.ShopImported, message.MemoryLost, message.PassRuns, message.FilterWrong(2, 40), message.NothingHeld("acme"), message.OtherHold("acme"), message.NotDismissible("acme"), message.ApprovalWhilePaused("acme"),
		message.OrdersNotBooked, message.SyncWhilePaused("acme"), message.NotActive("acme"), message.PauseOver(until, zone),
		message.RollbackReason(0), message.RollbackReason(12), message.RollbackRuns("acme"), message.ChangedSince(1), message.ChangedSince(3), message.RollbackStale,
	} {
		out.WriteString(sentence + "\n")
	}
	return out.String()
}

func TestSentencesAreAsTheyWereRead(t *testing.T) {
	const file = "testdata/messages.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(all()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), all(), "read the new sentences, then run with -update")
}

func TestEveryCodeSaysWhatHappenedAndWhatToDo(t *testing.T) {
	seen := map[string]protocol.Code{}
	for _, code := range codes {
		f := message.Failure(code, message.Params{Shop: "acme"})
		require.Equal(t, code, f.Code)
		require.NotContains(t, f.Message, "no name for", code)
		for _, text := range []string{f.Message, f.Hint} {
			require.Regexp(t, `^[A-Z].*(\.|: skladom [a-z ]+)$`, text, code)
			require.NotContains(t, text, "%!", code)
			require.NotContains(t, text, "  ", code)
		}
		require.Empty(t, seen[f.Message], "%s says the same", code)
		seen[f.Message] = code
	}
}

func TestWhatAMerchantMustLearn(t *testing.T) {
	access := message.Failure(protocol.KrosNoAPIAccess, message.Params{})
	for _, plan := range []string{"Premium", "Základ", "Štandard", "API module"} {
		require.Contains(t, access.Hint, plan, "the plans that include the API")
	}
	warehouse := message.Failure(protocol.WarehouseUnknown, message.Params{Warehouses: []string{"XX"}, Known: []string{"LT", "PR"}})
	require.Contains(t, warehouse.Message, `"XX"`)
	require.Contains(t, warehouse.Hint, `"LT", "PR"`, "the codes that KROS has")
	for _, label := range []string{"Nastavenia", "API prepojenia", "Vygenerovať token", "once"} {
		require.Contains(t, message.Failure(protocol.KrosKeyInvalid, message.Params{}).Hint, label, "KROS's own labels")
	}
	require.Contains(t, message.Failure(protocol.NothingMatched, message.Params{By: "number"}).Hint, `match = "ean"`)
	require.Contains(t, message.Failure(protocol.NothingMatched, message.Params{By: "ean"}).Hint, `match = "number"`)
}

func TestTimesAreTheShops(t *testing.T) {
	at := time.Date(2026, time.March, 29, 1, 30, 0, 0, time.UTC) // half an hour into summer time
	zone, err := time.LoadLocation("Europe/Bratislava")
	require.NoError(t, err)
	require.Equal(t, "29 Mar 2026 03:30 CEST", message.Time(at, zone))
	require.Equal(t, "29 Mar 2026 01:30 UTC", message.Time(at, nil))
	text, _ := message.Paused("acme", protocol.PauseRequest{}, zone)
	require.Equal(t, "Paused.", text)
}
