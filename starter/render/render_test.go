package render

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	zone  = time.FixedZone("CET", 3600)
	begun = time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC)
)

func TestWhatIsShown(t *testing.T) {
	for name, got := range map[string]string{
		"report":           Report(report(), zone),
		"report_dry_run":   Report(with(report(), func(r *protocol.Report) { r.DryRun, r.Pass, r.Trigger = true, 0, protocol.TriggerManual }), zone),
		"report_failed":    Report(failedReport(), zone),
		"report_held":      Report(with(report(), func(r *protocol.Report) { r.Result, r.Held = protocol.ResultHeld, 12 }), zone),
		"report_unchanged": Report(quietReport(), zone),
		"report_longest":   Report(longReport(), zone),
		"findings":         Findings("acme", findings()),
		"findings_other":   Findings("acme", otherFindings()),
		"status":           Status(status(), zone),
		"status_suspended": Status(suspended(), zone),
		"status_refused":   Status(wrongKey(), zone),
		"status_inactive":  Status(protocol.Status{Shop: "acme", Title: "acme", State: protocol.StateInactive}, zone),
		"fleet":            Fleet(fleet(), begun.Add(26*time.Hour)),
		"fleet_held":       Fleet(heldFleet(7), begun),
		"status_held":      Status(heldStatus(), zone),
		"status_paused":    Status(pausedStatus(), zone),
		"report_dismissed": Report(with(report(), func(r *protocol.Report) { r.Held = 12 }), zone),
		"hold_zeroed":      asked(Approve, hold(protocol.TooManyZeroed, message.Params{Seen: 31, Expected: 90, Earlier: 2}), heldRows()[:1], stock.Counts{Products: 31, Lowered: 31, Zeroed: 31}),
		"hold_changed":     asked(Dismiss, hold(protocol.TooManyChanged, message.Params{Seen: 3, Expected: 3}), heldRows(), stock.Counts{Products: 3, Raised: 1, Lowered: 2, Zeroed: 1}),
		"hold_one":         asked(Approve, hold(protocol.TooManyChanged, message.Params{Seen: 1, Expected: 1}), heldRows()[1:2], stock.Counts{Products: 1, Lowered: 1}),
		"hold_catalogue":   asked(Approve, hold(protocol.CatalogueChanged, message.Params{Seen: 310, Expected: 1240}), heldRows()[2:], stock.Counts{Products: 1, Raised: 1}),
		"hold_empty":       asked(Approve, emptied(hold(protocol.CatalogueChanged, message.Params{Seen: 0, Expected: 1240})), nil, stock.Counts{}),
		"findings_held":    Findings("acme", heldFindings()),
		"plan_dismissed":   Plan(with(quietReport(), func(r *protocol.Report) { r.Held = 3 }), nil, 12),
		"fleet_empty":      Fleet(nil, begun),
		"plan_first":       Plan(report(), planRows()[:3], 171),
		"plan_whole":       Plan(with(report(), func(r *protocol.Report) { r.Result, r.Held = protocol.ResultHeld, 1 }), planRows(), len(planRows())),
		"plan_no_change":   Plan(quietReport(), nil, 12),
		"plan_empty":       Plan(quietReport(), nil, 0),
		"report_rollback":  Report(rolledBack().Report, zone),
		"history":          History("acme", history(), zone),
		"history_empty":    History("acme", nil, zone),
		"history_pass":     Pass(history()[0], 9, changesOf(), zone),
		"history_unknown":  Pass(history()[3], 9, nil, zone),
		"rollback_plan":    RollbackPlan(report(), restorations(), zone),
		"rollback_none":    RollbackPlan(protocol.Report{Shop: "acme", Pass: 3, StartedAt: begun}, nil, zone),
		"rolled_back":      RolledBack("acme", rolledBack(), restorations()),
		"explain_sold":     Answer(explained()) + Explanation(explained(), zone),
		"explain_idle":     Answer(idleExplained()) + Explanation(idleExplained(), zone),
		"explain_held":     Answer(heldExplained()) + Explanation(heldExplained(), zone),
		"explain_unknown":  Explanation(protocol.Explanation{Cause: protocol.CauseUnknown, Note: message.ShopNotAsked}, zone),
		"explain_no_item":  Explanation(protocol.Explanation{Cause: protocol.CauseNoItem, Answer: "not written: the e-shop has a product X", Products: []protocol.ExplainedProduct{{ID: "p-9", Name: "Med", ShopNow: quantity("3")}}}, zone),
		"failure":          Failure(*message.Failure(protocol.KrosKeyInvalid, message.Params{})),
		"worklist":         Worklist("acme", worklistMade(), worklistRows(), 0, zone),
		"worklist_short":   Worklist("acme", worklistMade(), worklistRows(), 1, zone),
		"worklist_empty":   Worklist("acme", worklistMade(), nil, 0, zone),
		"webhook":          Webhook("https://sync.example.com/webhooks/kros/acme", "m0VkQ1x3yq5Z0aGJ4b9sT7uW2cE8dF6hK1nP3rL5vXY"),
		"webhook_test": Step(Passed, "name", "sync.example.com is 203.0.113.7.") +
			Step(Failed, "tls", "No authority that this machine knows has signed the certificate of sync.example.com. Take one of a public authority such as Let's Encrypt.") +
			Step(NotTried, "status", "Not tried.") + Tried("acme"),
	} {
		t.Run(name, func(t *testing.T) {
			for line := range strings.Lines(got) {
				require.LessOrEqual(t, text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")), Width, "%q", line)
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func TestTheOtherKeyIsAdvisedOnlyWhereItMatchesFarMore(t *testing.T) {
	for _, c := range []struct {
		name           string
		matched, other int
		want           string
	}{
		{"far more", 31, 1106, `By number 31 of 1,240, by EAN 1,106: set match = "ean".`},
		{"none by the chosen one", 0, 3, `By number 0 of 1,240, by EAN 3: set match = "ean".`},
		{"a little more", 900, 1106, ""},
		{"none by either", 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := findings()
			f.Matched, f.MatchedByOther = c.matched, c.other
			require.Equal(t, c.want, OtherKey(f))
		})
	}
}

func TestAgoUsesTheLargestUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		30 * time.Second: "just now",
		-time.Minute:     "just now", // the clock of the server may be ahead
		59 * time.Minute: "59 min ago",
		47 * time.Hour:   "47 h ago",
		48 * time.Hour:   "2 days ago",
	} {
		require.Equal(t, want, ago(begun, begun.Add(d)), d)
	}
}

func with(r protocol.Report, change func(*protocol.Report)) protocol.Report {
	change(&r)
	return r
}

func report() protocol.Report {
	return protocol.Report{
		Shop: "acme", Pass: 12, Trigger: protocol.TriggerNotification, Mode: protocol.ModeFull, Result: protocol.ResultOK,
		Warnings:  []string{message.WarehouseNew([]string{"BA"})},
		StartedAt: begun, FinishedAt: begun.Add(3200 * time.Millisecond), KrosRequests: 14,
		Counts: stock.Counts{
			KrosItems: 1240, Updated: 31, Unchanged: 1050, Unmatched: 120, Ambiguous: 9, Skipped: 30,
			Products: 1092, Raised: 27, Lowered: 5, Zeroed: 1,
		},
		Samples: stock.Samples{
			"unmatched": {{Item: "ČAJ 001", Name: "Čaj bylinný žihľavový 20 g", Key: "ČAJ 001", ReasonCode: "no_product", Reason: "no product of the e-shop has item code ČAJ 001"}},
			"ambiguous": {{Item: "00017", Name: "Skrutka M6 × 40 pozinkovaná", Key: "8588000000017", ReasonCode: "shared_key"}},
		},
	}
}

func quietReport() protocol.Report {
	return protocol.Report{
		Shop: "acme", Pass: 13, Trigger: protocol.TriggerSchedule, Result: protocol.ResultOK,
		StartedAt: begun, FinishedAt: begun.Add(80 * time.Millisecond), Counts: stock.Counts{KrosItems: 1, Unchanged: 1},
	}
}

func failedReport() protocol.Report {
	return protocol.Report{
		Shop: "acme", Pass: 13, Trigger: protocol.TriggerManual, Result: protocol.ResultFailed,
		StartedAt: begun, FinishedAt: begun.Add(time.Second),
		Failure: message.Failure(protocol.WarehouseUnknown, message.Params{Warehouses: []string{"PR"}, Known: []string{"LT", "Prešov sklad"}}),
	}
}

func longReport() protocol.Report {
	r := report()
	r.Shop = strings.Repeat("a-very-long-name-", 3)
	r.Warnings = append(r.Warnings, strings.Repeat("word ", 50))
	for _, c := range []*int{&r.KrosItems, &r.Updated, &r.Unchanged, &r.Unmatched, &r.Ambiguous, &r.Skipped, &r.Rejected, &r.Held, &r.Missing, &r.Raised, &r.Lowered, &r.Zeroed} {
		*c = 1_234_567
	}
	r.Samples["rejected"] = []stock.Sample{{
		Item: strings.Repeat("ITEMCODE", 5), Name: strings.Repeat("Ťažítko", 12), Reason: strings.Repeat("because ", 20),
	}}
	return r
}

func findings() protocol.Findings {
	return protocol.Findings{
		ShopName: "Acme s.r.o.", Quantity: stock.Max, Match: stock.ByNumber,
		Warehouses: []protocol.WarehouseUse{{Code: "LT", Items: 1100, Counted: true}, {Code: "PR", Items: 240, Counted: true}, {Code: "REKLAMÁCIE", Items: 12}},
		KrosItems:  1240, Matched: 1081, MatchedByOther: 1106, Products: 1092, Raised: 420, Lowered: 230, Zeroed: 17,
		Unmatched: 120, Ambiguous: 9, Skipped: 30, ShopProducts: 1300,
	}
}

func heldFindings() protocol.Findings {
	f := findings()
	f.Lowered, f.Zeroed, f.Held = 213, 0, 17
	f.Holding = message.Failure(protocol.TooManyZeroed, message.Params{Shop: "acme", Seen: 17, Expected: 40})
	return f
}

func otherFindings() protocol.Findings {
	f := findings()
	f.Quantity, f.Matched, f.Products, f.ShopProducts = stock.Sum, 31, 31, 0
	f.Warehouses = []protocol.WarehouseUse{{Code: "Veľmi dlhý názov skladu v Prešove", Items: 1240, Counted: true}}
	return f
}

func status() protocol.Status {
	last, next := report(), begun.Add(30*time.Minute)
	return protocol.Status{
		Shop: "acme", Title: "Acme s.r.o.", State: protocol.StateActive,
		NextPassAt: &next, LastPass: &last, LastSuccessAt: &last.FinishedAt, KrosChangedAt: &last.StartedAt,
		Notifications: protocol.Notifications{State: protocol.NotificationsWorking, LastAt: &last.StartedAt, Count: 1204},
	}
}

func suspended() protocol.Status {
	last := failedReport()
	return protocol.Status{
		Shop: "acme", Title: "acme", State: protocol.StateSuspended,
		Reason:        &protocol.Reason{Failure: *message.Failure(protocol.KrosNoAPIAccess, message.Params{}), Since: begun},
		LastPass:      &last,
		Notifications: protocol.Notifications{State: protocol.NotificationsWaiting},
	}
}

func wrongKey() protocol.Status {
	s := status()
	s.Notifications.State = protocol.NotificationsRefused
	return s
}

func fleet() []Listed {
	lately, longAgo, until := begun.Add(26*time.Hour-12*time.Minute), begun.Add(-72*time.Hour), begun.Add(49*time.Hour)
	since := func(code protocol.Code, at time.Time) *protocol.Reason {
		return &protocol.Reason{Failure: protocol.Failure{Code: code}, Since: at}
	}
	return []Listed{
		{Status: protocol.Status{Shop: "acme", Title: "Acme s.r.o.", State: protocol.StateActive, LastSuccessAt: &lately}},
		{Status: protocol.Status{Shop: "a-shop-with-a-name-of-sixty-three-characters-which-is-the-longest", Title: "Železiarstvo a domáce potreby u Jána", State: protocol.StateSuspended, LastSuccessAt: &longAgo,
			Reason: since(protocol.KrosNoAPIAccess, longAgo)}},
		{Status: protocol.Status{Shop: "new", Title: "new", State: protocol.StateFailing, Reason: since(protocol.ShopUnavailable, begun)}},
		{Status: protocol.Status{Shop: "older", Title: "older", State: protocol.StateSuspended, Reason: since(protocol.KrosKeyInvalid, time.Time{})}},
		{Status: protocol.Status{Shop: "stocktaking", Title: "stocktaking", State: protocol.StatePaused, Reason: since("paused", begun)}, Until: &until},
		{Status: protocol.Status{Shop: "summer", Title: "summer", State: protocol.StatePaused, Reason: since("paused", longAgo)}},
		{Status: protocol.Status{Shop: "wool", Title: "Vlna", State: protocol.StateHeld, Reason: since(protocol.TooManyZeroed, begun.Add(23*time.Hour))}},
	}
}

func heldFleet(n int) []Listed {
	return lo.Times(n, func(i int) Listed {
		return Listed{Status: protocol.Status{Shop: fmt.Sprintf("shop-%d", i), Title: "x", State: protocol.StateHeld, Reason: &protocol.Reason{Failure: protocol.Failure{Code: protocol.CatalogueChanged}}}}
	})
}

func heldStatus() protocol.Status {
	s := status()
	failure := message.Failure(protocol.TooManyZeroed, message.Params{Shop: "acme", Seen: 31, Expected: 90})
	last := *s.LastPass
	last.Result, last.Failure, last.Held, last.KrosItems = protocol.ResultHeld, failure, 30, 1240
	s.State, s.Reason, s.LastPass = protocol.StateHeld, &protocol.Reason{Failure: *failure, Since: begun}, &last
	return s
}

func pausedStatus() protocol.Status {
	s := status()
	until := begun.Add(48 * time.Hour)
	text, hint := message.Paused("acme", protocol.PauseRequest{Until: &until, Reason: "stocktaking", By: "jana"}, zone)
	s.State, s.Reason, s.NextPassAt = protocol.StatePaused, &protocol.Reason{Failure: protocol.Failure{Code: "paused", Message: text, Hint: hint}, Since: begun}, nil
	return s
}

func hold(code protocol.Code, p message.Params) protocol.Hold {
	p.Shop = "acme"
	return protocol.Hold{Code: code, Hash: "3f9c2b1a7d60e845", Pass: 12, Since: begun, Items: 1240, Why: message.Failure(code, p)}
}

func emptied(h protocol.Hold) protocol.Hold {
	h.Items = 0
	return h
}

func heldRows() []protocol.HeldRow {
	d := decimal.RequireFromString
	return []protocol.HeldRow{
		{Item: "CAJ 001", Name: "Čaj bylinný žihľavový sypaný, balenie 20 g", Product: "p-1", ProductName: "Čaj", Has: d("17"), Wants: d("0"), Kros: d("0")},
		{Item: "KÁBEL-2.5-CYKY-J-3X2.5-MODRÝ", Name: "Kábel CYKY", Product: "6f1c2c1e-0d3f-4a6f-9d3b-6a0a4a6b7c8d", Has: d("12345.6789"), Wants: d("6"), Kros: d("10")},
		{Item: "MED 1", Name: "Med \x1b[31mčervený", Product: "p-3", Has: d("1"), Wants: d("100"), Kros: d("100")},
	}
}

// asked is all that a person reads before he answers.
func asked(verb Decision, h protocol.Hold, rows []protocol.HeldRow, whole stock.Counts) string {
	return Hold("acme", h, rows, whole, zone) + "\n" + Consequence("acme", verb, h, whole) + "\n" + InScript("acme", verb, h) + "\n" + Question(verb, whole) + "\n"
}

func planRows() []protocol.PlanRow {
	d := func(s string) *decimal.Decimal { return lo.ToPtr(decimal.RequireFromString(s)) }
	in := func(pairs ...string) []stock.Row {
		return lo.Map(lo.Chunk(pairs, 2), func(p []string, _ int) stock.Row { return stock.Row{Warehouse: p[0], Quantity: *d(p[1])} })
	}
	return []protocol.PlanRow{
		{Item: "CAJ 001", Name: "Čaj bylinný žihľavový sypaný, balenie 20 g", Product: "p-1", Warehouses: in("LT ", "17", "PR", "-3"), ShopNow: d("0"), WouldBecome: d("17"), Outcome: "updated", Why: "KROS has 17"},
		{Item: "KÁBEL-2.5-CYKY-J-3X2.5-MODRÝ", Name: "Kábel CYKY", Product: "6f1c2c1e", Warehouses: in("Veľmi dlhý názov skladu v Prešove", "0"), ShopNow: d("12345.6789"), WouldBecome: d("0"), Outcome: "updated", Why: "KROS has 0"},
		{Item: "MED 1", Name: "Med", Product: "p-3", Warehouses: in("LT", "10"), ShopNow: d("6"), WouldBecome: d("6"), Outcome: "unchanged", Why: "KROS has 10; 4 sold in the e-shop since 12:10, not booked in KROS yet"},
		{Item: "SOJA", Name: "Sója", Product: "p-4", Warehouses: in("LT", "0"), ShopNow: d("3"), WouldBecome: d("3"), Outcome: "held", ReasonCode: "held_zeroed", Why: "held: KROS gives 0, but too many products would go to 0 within a day; it waits for approval"},
		{Item: "00017", Name: "Skrutka", Warehouses: []stock.Row{}, Outcome: "ambiguous", ReasonCode: "shared_key", Why: "EAN 8588000000017 belongs in KROS to 00018 as well"},
	}
}

func quantity(s string) *decimal.Decimal { return lo.ToPtr(decimal.RequireFromString(s)) }

func explained() protocol.Explanation {
	return protocol.Explanation{
		Shop: "acme", Answer: "KROS has 10; 4 were sold in the e-shop since 17:10 and are not booked in KROS yet; the shop shows 6 until tomorrow 17:10",
		Cause: protocol.CauseSold, Item: "KG-1", Name: "Kešu orechy nepražené, prémiová kvalita, balené v ochrannej atmosfére", EAN: "8588000000017", Unit: "kg", Key: "KG-1",
		Outcome: "unchanged", Kros: quantity("10"),
		Warehouses: []protocol.ExplainedWarehouse{{Code: "LT", Quantity: *quantity("10.75"), Counted: true}, {Code: "REKLAMÁCIE", Quantity: *quantity("-2"), Counted: false}},
		Steps: []stock.Step{
			{Name: stock.StepWarehouses, Detail: "LT 10.75", Result: *quantity("10.75")}, {Name: stock.StepDecimals, Detail: "rounded down to a whole number", Result: *quantity("10")},
		},
		Products: []protocol.ExplainedProduct{{ID: "6f1c2c1e-9d0b-4a53-8d0c-0c8ddad3a5f1", Name: "Kešu orechy nepražené 1 kg", ShopNow: quantity("6"), WouldBecome: quantity("6")}},
		Sales:    []protocol.ExplainedSale{{Quantity: *quantity("4"), Seen: begun.Add(-50 * time.Minute), HeldUntil: begun.Add(23*time.Hour + 10*time.Minute)}},
		Next:     "A pass now would change nothing.",
		Changes: []protocol.ItemChange{
			{At: begun.Add(-time.Hour), Pass: 1204, Trigger: protocol.TriggerNotification, Kind: protocol.ChangeQuantity, Product: "6f1c2c1e-9d0b-4a53-8d0c-0c8ddad3a5f1", From: quantity("3"), To: quantity("10")},
			{At: begun.Add(-2 * time.Hour), Pass: 1203, Kind: protocol.ChangeSettings, Text: "decimals: 3 -> 0"},
			{At: begun.Add(-3 * time.Hour), Pass: 1202, Trigger: protocol.TriggerManual, By: "jana", Kind: protocol.ChangeRefused, Product: "p-1", From: quantity("8"), To: quantity("3"), Text: "the shop does not accept changes of this product"},
		},
	}
}

func idleExplained() protocol.Explanation {
	return protocol.Explanation{
		Shop: "acme", Answer: "not written: EAN 8590001000012 belongs in KROS to B-1 as well; give one of them another EAN in KROS (Cenník)",
		Note: "KROS does not answer at the moment. This is as pass 12 saw it, at 17:00.", Cause: protocol.CauseNotWritten, Also: []string{"B-1"},
		Item: "A-1", Name: "Čaj", EAN: "8590001000012", Key: "8590001000012", Outcome: "ambiguous", Cure: "give one of them another EAN in KROS (Cenník)",
		Products: []protocol.ExplainedProduct{{ID: "p-1", Name: "Čaj", Left: quantity("5")}},
		Next:     "A pass now would fail: KROS does not answer at the moment.",
	}
}

func heldExplained() protocol.Explanation {
	return protocol.Explanation{
		Shop: "acme", Answer: "5, because a change is held: KROS gives 0, but too many products would go to 0 within a day; it waits for approval; to let it through, run: skladom approve acme",
		Cause: protocol.CauseHeld, Item: "A-1", Outcome: "held",
		Products: []protocol.ExplainedProduct{
			{ID: "p-1", ShopNow: quantity("5"), WouldBecome: quantity("5"), Want: quantity("0"), Held: true},
			{ID: "p-2", ShopNow: quantity("5"), WouldBecome: quantity("5"), Want: quantity("0"), Dismissed: true},
			{ID: "p-3", ShopNow: quantity("5"), WouldBecome: quantity("0"), Approved: true},
		},
		Next: "A pass now would set p-3 from 5 to 0 and leave p-1 at 5 (held), p-2 at 5 (dismissed).",
	}
}
