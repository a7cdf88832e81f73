package activities_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// dry is a dry run that was made, for Explain.
func (b *bench) dry(memory protocol.Memory) protocol.ExplainItemRequest {
	b.t.Helper()
	b.loaded = b.load()
	fetch := b.fetchRequest(memory)
	fetch.DryRun, fetch.Pass = true, 0
	fetched, err := run[protocol.Fetched](b, b.acts.FetchStock, fetch)
	require.NoError(b.t, err)
	match := b.matchRequest(fetched)
	match.DryRun, match.Pass, match.Basis = true, 0, b.loaded.Basis
	matched, err := run[protocol.Matched](b, b.acts.MatchProducts, match)
	require.NoError(b.t, err)
	require.Nil(b.t, matched.Doubt)
	return protocol.ExplainItemRequest{
		ExplainRequest: protocol.ExplainRequest{Shop: acme}, Settings: b.loaded.Settings, Connection: b.loaded.Connection,
		State: protocol.StateActive, Plan: matched.Plan, Catalogue: fetched.Catalogue.Ref, TakenAt: fetched.Catalogue.TakenAt,
	}
}

func (b *bench) explain(request protocol.ExplainItemRequest, asked string) protocol.Explanation {
	b.t.Helper()
	request.Item = asked
	e, err := run[protocol.Explanation](b, b.acts.ExplainItem, request)
	require.NoError(b.t, err)
	return e
}

// passNumbered is a pass with a record, as StockSync leaves one.
func (b *bench) passNumbered(number int64, by string, memory protocol.Memory) protocol.Memory {
	b.t.Helper()
	b.loaded = b.load()
	fetch := b.fetchRequest(memory)
	fetch.Pass = number
	fetched, err := run[protocol.Fetched](b, b.acts.FetchStock, fetch)
	require.NoError(b.t, err)
	match := b.matchRequest(fetched)
	match.Pass, match.Basis = number, b.loaded.Basis
	matched, err := run[protocol.Matched](b, b.acts.MatchProducts, match)
	require.NoError(b.t, err)
	update := b.updateRequest(matched)
	update.Pass = number
	written := b.update(update)
	_, err = run[any](b, b.acts.RecordPass, protocol.RecordRequest{Shop: acme, Pass: number, Record: protocol.PassRecord{
		Report: protocol.Report{Shop: acme, Pass: number, Trigger: protocol.TriggerManual, Result: protocol.ResultOK, StartedAt: b.now.UTC()},
		By:     by, Settings: b.loaded.Settings, Plan: matched.Plan, Receipts: written.Receipts,
	}})
	require.NoError(b.t, err)
	return protocol.Memory{
		Baseline: fetched.Catalogue.Ref, Ledger: matched.Plan, Receipts: written.Receipts, Basis: b.loaded.Basis, Products: matched.Products, Pass: number,
	}
}

// later lets time pass.
func (b *bench) later(d time.Duration) { b.now = b.now.Add(d) }

// addSetting adds a line to the shop's file.
func (b *bench) addSetting(line string) {
	b.t.Helper()
	file := filepath.Join(b.dir, acme+".hcl")
	text, err := os.ReadFile(file)
	require.NoError(b.t, err)
	closed := strings.LastIndex(string(text), "}")
	b.write(acme, string(text[:closed])+line+"\n}")
}

// setKros gives an item other quantities.
func (b *bench) setKros(code string, quantities ...string) {
	b.t.Helper()
	require.NoError(b.t, b.kros.SetStock(code, item(code, "", quantities...).Warehouses...))
}

// trouble is why an item of the realistic catalogue is not written, read from
// the lists as a person reads them; "" where it is.
func trouble(match stock.Match, items []krossim.Item, products []fynodesim.Product, it krossim.Item) string {
	clean := func(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }
	key := func(number, ean string) string {
		if match == stock.ByNumber {
			return clean(number)
		}
		return strings.TrimLeft(clean(ean), "0")
	}
	own := key(it.ItemCode, it.EANCode)
	same := func(other krossim.Item) bool { return asLine(other) == asLine(it) }
	parents := lo.Associate(products, func(p fynodesim.Product) (string, bool) { return p.ParentID, true })
	matching := lo.Filter(products, func(p fynodesim.Product, _ int) bool { return own != "" && key(p.Number, p.EAN) == own })
	rivals := func(is func(krossim.Item) bool) bool {
		return slices.ContainsFunc(items, func(other krossim.Item) bool { return !same(other) && is(other) })
	}
	ean := clean(it.EANCode)
	faulty := match == stock.ByEAN && (regexp.MustCompile(`^[0-9],?.*E\+`).MatchString(ean) || ean != "" && strings.Trim(ean, ean[:1]) == "")
	switch {
	case clean(it.ItemCode) != "" && rivals(func(other krossim.Item) bool { return clean(other.ItemCode) == clean(it.ItemCode) }):
		return stock.ReasonDuplicateCode
	case own != "" && own != "-" && !faulty && rivals(func(other krossim.Item) bool { return key(other.ItemCode, other.EANCode) == own }):
		return stock.ReasonSharedKey
	case len(it.Warehouses) == 0:
		return stock.ReasonNotStock
	case match == stock.ByEAN && strings.Contains(ean, "E+"):
		return stock.ReasonSpreadsheetEAN
	case faulty && ean != "0" && ean != "-":
		return stock.ReasonPlaceholderEAN
	case own == "" || own == "-":
		return stock.ReasonNoKey
	case len(matching) == 0:
		return stock.ReasonNoProduct
	case parents[matching[0].ID]:
		return stock.ReasonParent
	case matching[0].Tracked != nil && !*matching[0].Tracked:
		return stock.ReasonUntracked
	}
	return ""
}

func asLine(it krossim.Item) string { return string(lo.Must(json.Marshal(it))) }

// On a catalogue with every kind of trouble in it each item is explained by
// its own.
func TestEveryItemIsExplainedByItsTrueReason(t *testing.T) {
	const enough = 3 // items of a reason
	for _, match := range []stock.Match{stock.ByNumber, stock.ByEAN} {
		t.Run(string(match), func(t *testing.T) {
			kros, shop := realistic(t)
			b := newBench(t, kros, shop, fmt.Sprintf("match = %q", match))
			request := b.dry(protocol.Memory{})
			expected := catalogue.Expect(catalogue.Kros(), catalogue.Shop(), string(match), "max", nil)
			seen := map[string]int{}
			for _, it := range kros.Items {
				reason := trouble(match, kros.Items, shop.Products, it)
				if seen[reason]++; seen[reason] > enough {
					continue
				}
				asked := strings.TrimSpace(it.ItemCode)
				if asked == "" {
					asked = it.EANCode
				}
				e := b.explain(request, asked)
				require.Equal(t, norm.NFC.String(strings.TrimSpace(it.ItemCode)), e.Item)
				require.Equal(t, reason, e.ReasonCode, asLine(it))
				require.Equal(t, message.Answer(e, b.now, time.UTC), e.Answer, "without a time in it, the zone does not matter")
				if reason != "" {
					require.Equal(t, protocol.CauseNotWritten, e.Cause)
					require.True(t, strings.HasPrefix(e.Answer, "not written: "+e.Reason), e.Answer)
					require.NotEmpty(t, e.Cure)
					continue
				}
				require.Equal(t, protocol.CauseKros, e.Cause)
				require.Len(t, e.Warehouses, len(it.Warehouses))
				require.Equal(t, e.Steps[len(e.Steps)-1].Result.String(), e.Kros.String())
				for _, p := range e.Products {
					require.Equal(t, expected[p.ID], p.WouldBecome.String())
				}
			}
			wanted := []string{"", stock.ReasonDuplicateCode, stock.ReasonNotStock, stock.ReasonUntracked, stock.ReasonNoProduct, stock.ReasonNoKey}
			if match == stock.ByEAN {
				wanted = append(wanted, stock.ReasonSharedKey, stock.ReasonPlaceholderEAN, stock.ReasonSpreadsheetEAN)
			} else {
				wanted = append(wanted, stock.ReasonParent)
			}
			require.Subset(t, slices.Collect(maps.Keys(seen)), wanted, "the catalogue has every kind of trouble in it")
		})
	}
}

func TestAnItemIsFoundByAnyOfItsNames(t *testing.T) {
	kros, shop := small()
	shop.Products = append(shop.Products, product("p9", "A-2", "8580001000999", "1"))
	shop.Products[1].Number, shop.Products[1].EAN = "NR-2", "8580001000029"
	b := newBench(t, kros, shop, `match = "ean"`)
	request := b.dry(protocol.Memory{})
	for asked, want := range map[string]struct {
		item  string
		cause protocol.Cause
	}{
		"A-1":            {"A-1", protocol.CauseKros},
		" A-1 ":          {"A-1", protocol.CauseKros},
		"8580001000012":  {"A-1", protocol.CauseKros},
		"08580001000012": {"A-1", protocol.CauseKros}, // as GTIN-14
		"p1":             {"A-1", protocol.CauseKros},
		"NR-2":           {"A-2", protocol.CauseKros}, // the number of its product
		"8580001000999":  {"", protocol.CauseNoItem},  // the EAN of a product without an item
		"p77":            {"", protocol.CauseUnknown},
	} {
		e := b.explain(request, asked)
		require.Equal(t, want.item, e.Item, asked)
		require.Equal(t, want.cause, e.Cause, asked)
		require.Equal(t, asked, e.Asked)
	}
	e := b.explain(request, "a-1")
	require.Equal(t, protocol.CauseUnknown, e.Cause)
	require.Equal(t, []string{"A-1"}, e.Near)
	require.Contains(t, e.Answer, "like it are A-1")
}

func TestTheFirstLineIsTheAnswer(t *testing.T) {
	kg := item("KG", "", "0.75")
	kg.MeasureUnit = "kg"
	metre := item("M", "", "250")
	metre.MeasureUnit = "m"
	kros := krossim.Options{Items: []krossim.Item{
		kg, metre, item("NEG", "", "-3"), item("MAX", "", "3", "7"), item("ROUND", "", "7.9"), item("IDLE", "", "4"), item("SPLIT", "", "-1", "2.5"),
	}}
	shop := fynodesim.Options{ID: "fynode-1", Products: lo.Map(kros.Items, func(i krossim.Item, _ int) fynodesim.Product {
		return product("p-"+i.ItemCode, i.ItemCode, "", "0")
	})}
	for settings, answers := range map[string]map[string]string{
		"": {
			"KG":  "0, because KROS has 0.75 kg in A and decimals = 0 rounds down",
			"NEG": "0, because KROS has -3 in A and less than nothing counts as nothing",
			"MAX": `7 with the next pass (0 now), because KROS has 3 in A and 7 in B, of which quantity = "max" takes the largest`,
		},
		`quantity = "sum"`: {
			"MAX":   `10 with the next pass (0 now), because KROS has 3 in A and 7 in B, which quantity = "sum" adds up`,
			"SPLIT": `1 with the next pass (0 now), because KROS has -1 in A and 2.5 in B, which quantity = "sum" adds up and decimals = 0 rounds down`,
		},
		"unit_decimals = { kg = 1 }": {
			"KG":    "0.7 with the next pass (0 now), because KROS has 0.75 kg in A and unit_decimals { kg = 1 } rounds down",
			"ROUND": "7 with the next pass (0 now), because KROS has 7.9 in A and decimals = 0 rounds down",
		},
		"buffer = 2": {
			"ROUND": "5 with the next pass (0 now), because KROS has 7.9 in A, a buffer of 2 is kept back and decimals = 0 rounds down",
		},
	} {
		b := newBench(t, kros, shop, settings)
		request := b.dry(protocol.Memory{})
		for asked, want := range answers {
			require.Equal(t, want, b.explain(request, asked).Answer, settings)
		}
	}
	b := newBench(t, kros, shop, "", `warehouses = ["B"]`)
	require.Equal(t, "0, because KROS has 4 in A, which kros.warehouses does not count", b.explain(b.dry(protocol.Memory{}), "IDLE").Answer)
}

func TestSoldAndNotBookedIsToldWithItsTimes(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, `timezone = "UTC"`)
	b.now = time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	b.setKros("A-1", "10")
	memory := b.passNumbered(1, "", protocol.Memory{})
	require.NoError(t, b.shop.SetQuantity("p1", decimal.NewFromInt(6)))
	b.later(10 * time.Minute)
	memory = b.passNumbered(2, "", memory)
	b.later(time.Hour)

	e := b.explain(b.dry(memory), "A-1")
	require.Equal(t, protocol.CauseSold, e.Cause)
	require.Equal(t, "KROS has 10; 4 were sold in the e-shop since 12:10 and are not booked in KROS yet; the shop shows 6 until tomorrow 12:10", e.Answer)
	require.Len(t, e.Sales, 1)
	require.Equal(t, b.now.Add(23*time.Hour), e.Sales[0].HeldUntil.UTC())
	require.Equal(t, "A pass now would change nothing.", e.Next)

	b.setKros("A-1", "6")
	require.Equal(t, protocol.CauseKros, b.explain(b.dry(memory), "A-1").Cause, "once it is booked")
}

func TestWhatIsHeldAndWhatWasDismissedSaysSo(t *testing.T) {
	kros := krossim.Options{Items: lo.Times(10, func(i int) krossim.Item { return item(fmt.Sprintf("H%d", i), "", "5") })}
	shop := fynodesim.Options{ID: "fynode-1", Products: lo.Times(10, func(i int) fynodesim.Product {
		return product(fmt.Sprintf("p%d", i), fmt.Sprintf("H%d", i), "", "5")
	})}
	b := newBench(t, kros, shop, "")
	memory := b.passNumbered(1, "", protocol.Memory{})
	for i := range 9 {
		b.setKros(fmt.Sprintf("H%d", i), "0")
	}
	request := b.dry(memory)
	e := b.explain(request, "H3")
	require.Equal(t, protocol.CauseHeld, e.Cause)
	require.Equal(t, "5, because a change is held: KROS gives 0, but too many products would go to 0 within a day; it waits for approval; to let it through, run: skladom approve acme", e.Answer)
	require.Equal(t, "A pass now would leave p3 at 5 (held).", e.Next)
	require.True(t, e.Products[0].Held)
	require.Equal(t, "0", e.Products[0].Want.String())

	match := b.matchRequest(protocol.Fetched{Memory: memory, Catalogue: protocol.Catalogue{Ref: request.Catalogue}})
	match.DryRun, match.Pass, match.Dismissed = true, 0, request.Plan
	dismissed, err := run[protocol.Matched](b, b.acts.MatchProducts, match)
	require.NoError(t, err)
	request.Plan = dismissed.Plan
	e = b.explain(request, "H3")
	require.Equal(t, protocol.CauseDismissed, e.Cause)
	require.Equal(t, "5, because the 0 of KROS was dismissed; the product keeps its quantity until KROS shows another one", e.Answer)
	require.Equal(t, "A pass now would leave p3 at 5 (dismissed).", e.Next)
}

func TestAnItemThatKrosDoesNotShowAnyMore(t *testing.T) {
	for missing, want := range map[string]string{
		"keep": `7 as before, because KROS does not show this item any more and missing = "keep"; if it is gone for good, set the product to 0 in the e-shop, or missing = "zero"; if not, look in KROS (Cenník) why it is not shown`,
		"zero": `0 with the next pass (7 now), because KROS does not have this item any more and missing = "zero"`,
	} {
		kros, shop := small()
		shop.Products[0].Quantity = decimal.NewFromInt(1) // so that we write it
		b := newBench(t, kros, shop, fmt.Sprintf("missing = %q", missing))
		memory := b.passNumbered(1, "", protocol.Memory{})
		b.kros.SetItems(kros.Items[1:])
		request := b.dry(memory)
		for _, asked := range []string{"A-1", "p1"} {
			e := b.explain(request, asked)
			require.Equal(t, protocol.CauseMissing, e.Cause, missing)
			require.Equal(t, want, e.Answer)
			require.Equal(t, "missing", e.Outcome)
		}
	}
}

func TestWhatTheShopDidNotTakeIsTold(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.shop.SetRejected("p2")
	memory := b.passNumbered(1, "", protocol.Memory{})
	request := b.dry(memory)
	e := b.explain(request, "A-2")
	require.Equal(t, protocol.CauseRefused, e.Cause)
	require.Equal(t, stock.ReasonRejected, e.ReasonCode)
	require.Equal(t, "8 instead of 3: the shop does not accept changes of this product; look at the product in the e-shop; the next pass tries again", e.Answer)
	require.Equal(t, "A pass now would set p2 from 8 to 3.", e.Next)
	require.Equal(t, protocol.ChangeRefused, e.Changes[0].Kind)

	archived := request
	archived.Plan, archived.Catalogue, archived.Pass = protocol.Ref{}, protocol.Ref{}, 1
	require.Equal(t, protocol.CauseRefused, b.explain(archived, "A-2").Cause)

	b.setKros("A-2", "2")
	require.Equal(t, protocol.CauseKros, b.explain(b.dry(memory), "A-2").Cause, "the shop was never asked for this one")
}

func TestTheLastChangesSayWhenByWhatAndByWhom(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory := b.passNumbered(1, "jana", protocol.Memory{})
	b.later(time.Hour)
	b.setKros("A-2", "9")
	memory = b.passNumbered(2, "", memory)
	b.later(time.Hour)
	b.addSetting("buffer = 1")
	memory = b.passNumbered(3, "karol", memory)

	got := lo.Map(b.explain(b.dry(memory), "A-2").Changes, func(c protocol.ItemChange, _ int) string {
		return fmt.Sprintf("%d %s %s %s %s%s", c.Pass, c.Trigger, c.By, c.Kind, c.Text,
			lo.TernaryF(c.From == nil, func() string { return "" }, func() string { return fmt.Sprintf("%s %s>%s", c.Product, c.From, c.To) }))
	})
	require.Equal(t, []string{
		"3 manual karol quantity p2 9>8",
		"3   settings buffer: 0 -> 1",
		"2 manual  quantity p2 3>9",
		"1 manual jana quantity p2 8>3",
	}, got)
	require.Equal(t, b.now.Add(-2*time.Hour).UTC(), b.explain(b.dry(memory), "A-2").Changes[3].At.UTC())
}

func TestAtMostFiftyChangesAreTold(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory := protocol.Memory{}
	const passes = protocol.MaxExplainedChanges + 2
	for i := range int64(passes) {
		b.later(time.Minute)
		b.setKros("A-2", fmt.Sprint(10+i))
		memory = b.passNumbered(i+1, "", memory)
	}
	changes := b.explain(b.dry(memory), "A-2").Changes
	require.Len(t, changes, protocol.MaxExplainedChanges)
	require.Equal(t, int64(passes), changes[0].Pass)
	require.Equal(t, int64(3), changes[len(changes)-1].Pass)
}

func TestAPassThatIsOverIsToldFromTheArchive(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, `timezone = "UTC"`)
	b.now = time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	memory := b.passNumbered(1, "jana", protocol.Memory{})
	b.later(24 * time.Hour)
	b.setKros("A-2", "9")
	b.passNumbered(2, "", memory)

	request := protocol.ExplainItemRequest{
		ExplainRequest: protocol.ExplainRequest{Shop: acme, Pass: 1}, Settings: b.loaded.Settings, Connection: b.loaded.Connection, State: protocol.StateActive,
	}
	e := b.explain(request, "A-2")
	require.Equal(t, "3, because KROS has 3 in A", e.Answer)
	require.Equal(t, "This is as pass 1 saw it, at yesterday 12:00.", e.Note)
	require.Equal(t, int64(1), e.Pass)
	require.Empty(t, e.Next)
	require.Len(t, e.Changes, 1, "what came later is not told")

	request.Pass = 7
	request.Item = "A-2"
	_, err := run[protocol.Explanation](b, b.acts.ExplainItem, request)
	require.Equal(t, "The plan of pass 7 is not kept: the archive has the plans of passes 1 to 2.", failureIn(t, err).Message)
	require.True(t, app(t, err).NonRetryable())
}

func TestWhereADryRunFailsTheLastPassTells(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, `timezone = "UTC"`)
	b.now = time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	b.onDisk()
	memory := b.passNumbered(1, "", protocol.Memory{})
	b.later(time.Hour)
	down := protocol.ExplainItemRequest{
		ExplainRequest: protocol.ExplainRequest{Shop: acme}, Settings: b.loaded.Settings, Connection: b.loaded.Connection, State: protocol.StateFailing,
		Failure: message.Failure(protocol.KrosUnavailable, message.Params{}),
	}
	e := b.explain(down, "A-2")
	require.Equal(t, "KROS does not answer at the moment. This is as pass 1 saw it, at 12:00.", e.Note)
	require.Equal(t, "3, because KROS has 3 in A", e.Answer)
	require.Equal(t, "A pass now would fail: KROS does not answer at the moment.", e.Next)

	_, err := snapshot.Write(t.Context(), b.archive, snapshot.Name{Shop: acme, Pass: 2, Kind: snapshot.Plan, At: b.now, Unique: "undoes"}, slices.Values([]stock.Line{{Item: "A-2"}}))
	require.NoError(t, err)
	_, err = run[any](b, b.acts.RecordPass, protocol.RecordRequest{Shop: acme, Pass: 2, Record: protocol.PassRecord{
		Report: protocol.Report{Shop: acme, Pass: 2, Trigger: protocol.TriggerRollback, StartedAt: b.now}, Undoes: 1,
	}})
	require.NoError(t, err)
	require.Equal(t, int64(1), b.explain(down, "A-2").Pass, "a rollback read nothing from KROS")

	b.lose(memory.Baseline)
	e = b.explain(down, "A-2")
	require.Equal(t, "3, because KROS has 3", e.Answer)
	require.Contains(t, e.Note, message.CatalogueNotKept)
	require.Empty(t, e.Warehouses)

	b.open("mem://")
	down.Item = "A-2"
	_, err = run[protocol.Explanation](b, b.acts.ExplainItem, down)
	require.Equal(t, *down.Failure, failureIn(t, err), "there is nothing to tell it from")
}

func TestTheFirstPassIsToldFromTheCatalogueOfItsActivation(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	activation := b.dry(protocol.Memory{})
	b.later(time.Minute)
	match := b.matchRequest(protocol.Fetched{Catalogue: protocol.Catalogue{Ref: activation.Catalogue}})
	match.Pass = 1
	_, err := run[protocol.Matched](b, b.acts.MatchProducts, match)
	require.NoError(t, err)
	activation.Plan, activation.Catalogue, activation.Pass = protocol.Ref{}, protocol.Ref{}, 1
	require.Len(t, b.explain(activation, "A-1").Warehouses, 2)
}

func TestAShopThatCannotBeAskedLeavesTheRestOfTheAnswer(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	request := b.dry(protocol.Memory{})
	b.shop.SetToken("new")
	e := b.explain(request, "nobody")
	require.Equal(t, protocol.CauseUnknown, e.Cause)
	require.Equal(t, message.ShopNotAsked, e.Note)
}

func TestAPausedShopSaysThatNoPassRuns(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	request := b.dry(protocol.Memory{})
	request.State = protocol.StatePaused
	require.Equal(t, "A pass now would set p2 from 8 to 3. No pass runs by itself: acme is paused.", b.explain(request, "A-2").Next)
}

func TestAnExplanationOfMuchIsStillSmall(t *testing.T) {
	many := item("W", "")
	for i := range 500 {
		many.Warehouses = append(many.Warehouses, krossim.Warehouse{Code: fmt.Sprintf("W%03d", i), QuantityOnHand: "1"})
	}
	b := newBench(t, krossim.Options{Items: []krossim.Item{many}}, fynodesim.Options{ID: "fynode-1", Products: []fynodesim.Product{product("p", "W", "", "1")}}, "")
	e := b.explain(b.dry(protocol.Memory{}), "W")
	require.Len(t, e.Warehouses, protocol.MaxExplainedWarehouses)
	require.Contains(t, e.Answer, "1 in W000, 1 in W001, 1 in W002, 1 in W003 and 46 more warehouses")
	require.Less(t, len(asJSON(t, e)), protocol.MaxInspectBytes)
}
