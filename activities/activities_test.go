package activities_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

func TestAPassBringsTheShopInStep(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, written := b.pass(protocol.Memory{})
	require.Equal(t, map[string]string{"p1": "7", "p2": "3", "p3": "9"}, b.quantities())
	require.Equal(t, stock.Counts{KrosItems: 4, Updated: 2, Unchanged: 1, Unmatched: 1, Products: 3, Raised: 1, Lowered: 1}, written.Counts)
	require.Equal(t, []string{"p2", "p3"}, lo.Map(b.shop.Writes(), func(w fynodesim.Write, _ int) string { return w.ID }))

	second := b.match(b.fetch(memory))
	require.Empty(t, second.Writes, "a second pass writes nothing")
}

func TestLoadSettingsSaysWhatTheFilesSayNow(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, `quantity = "sum"`)
	require.Equal(t, stock.Sum, b.loaded.Settings.Rules.Quantity)
	require.Regexp(t, "^[0-9a-f]{12}$", b.loaded.Hash)
	require.Regexp(t, "^[0-9a-f]{8}$", b.loaded.Connection)
	require.True(t, b.loaded.NextTick.After(b.now))
	require.LessOrEqual(t, b.loaded.NextTick.Sub(b.now), time.Hour)

	b.env["KROS_TOKEN"] = "another"
	require.NotEqual(t, b.loaded.Connection, b.load().Connection)
	require.Equal(t, b.loaded.Hash, b.load().Hash, "a key is no setting")

	delete(b.env, "KROS_TOKEN")
	unset := b.load()
	require.Equal(t, protocol.ConfigInvalid, unset.Failure.Code)
	require.Contains(t, unset.Failure.Message, "KROS_TOKEN")
	require.Equal(t, b.now.Add(30*time.Minute), unset.NextTick, "it is looked at again")

	missing, err := b.acts.LoadSettings(t.Context(), protocol.LoadRequest{Shop: "nobody", After: b.now})
	require.NoError(t, err)
	require.Equal(t, protocol.ConfigMissing, missing.Failure.Code)
	require.Equal(t, b.now.Add(30*time.Minute), missing.NextTick)
}

func TestChecksTellWhatIsWrong(t *testing.T) {
	tests := []struct {
		rule string
		do   func(*bench)
		kros protocol.Code
		shop protocol.Code
	}{
		{"all is well", func(*bench) {}, "", ""},
		{"KROS's key was reset", func(b *bench) { b.kros.SetToken("new") }, protocol.KrosKeyInvalid, ""},
		{"KROS forbids", func(b *bench) {
			require.NoError(b.t, b.kros.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 403}))
		}, protocol.KrosForbidden, ""},
		{"the plan lacks the API, seen at once", func(b *bench) {
			require.NoError(b.t, b.kros.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 402}))
		}, protocol.KrosNoAPIAccess, ""},
		{"the plan lacks the API, seen at the catalogue only", func(b *bench) {
			require.NoError(b.t, b.kros.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 402, Path: "catalog-items"}))
		}, protocol.KrosNoAPIAccess, ""},
		{"another address than KROS's", func(b *bench) {
			require.NoError(b.t, b.kros.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 404}))
		}, protocol.KrosBadResponse, ""},
		{"the e-shop's key was reset", func(b *bench) { b.shop.SetToken("new") }, "", protocol.ShopKeyInvalid},
		{"the e-shop forbids", func(b *bench) {
			require.NoError(b.t, b.shop.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 403}))
		}, "", protocol.ShopForbidden},
		{"the e-shop's address is a page", func(b *bench) {
			require.NoError(b.t, b.shop.AddFault(fynodesim.Fault{Kind: fynodesim.FaultHTML, Count: -1}))
		}, "", protocol.ShopBadResponse},
		{"the e-shop is down", func(b *bench) {
			require.NoError(b.t, b.shop.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 503}))
		}, "", protocol.ShopUnavailable},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			kros, shop := small()
			b := newBench(t, kros, shop, "")
			test.do(b)
			request := protocol.CheckRequest{Shop: acme, Connection: b.loaded.Connection}
			_, err := run[any](b, b.acts.CheckKROS, request)
			tells(t, test.kros, err)
			who, err := run[protocol.ShopIdentity](b, b.acts.CheckShop, request)
			tells(t, test.shop, err)
			if err == nil {
				require.Equal(t, protocol.ShopIdentity{ID: "fynode-1", Name: "Acme", Products: 3}, who)
			}
		})
	}
}

func tells(t *testing.T, code protocol.Code, err error) {
	t.Helper()
	if code == "" {
		require.NoError(t, err)
		return
	}
	require.Equal(t, code, failureIn(t, err).Code)
}

func TestATokenThatCannotBeOneIsAWrongKey(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.env["KROS_TOKEN"] = "kľúč"
	b.loaded = b.load()
	_, err := run[any](b, b.acts.CheckKROS, protocol.CheckRequest{Shop: acme, Connection: b.loaded.Connection})
	fails(t, protocol.KrosKeyInvalid, err)
	require.Empty(t, b.kros.State().Log, "KROS was not asked")
}

// Every activity that talks to somebody, with a request that would work.
func (b *bench) everyActivity() map[string]func(connection string) error {
	fetched := b.fetch(protocol.Memory{})
	matched := b.match(fetched)
	return map[string]func(string) error{
		"CheckKROS": func(c string) error {
			_, err := run[any](b, b.acts.CheckKROS, protocol.CheckRequest{Shop: acme, Connection: c})
			return err
		},
		"CheckShop": func(c string) error {
			_, err := run[any](b, b.acts.CheckShop, protocol.CheckRequest{Shop: acme, Connection: c})
			return err
		},
		"FetchStock": func(c string) error {
			r := b.fetchRequest(protocol.Memory{})
			r.Connection = c
			_, err := run[any](b, b.acts.FetchStock, r)
			return err
		},
		"MatchProducts": func(c string) error {
			r := b.matchRequest(fetched)
			r.Connection = c
			_, err := run[any](b, b.acts.MatchProducts, r)
			return err
		},
		"UpdateStock": func(c string) error {
			r := b.updateRequest(matched)
			r.Connection = c
			_, err := run[any](b, b.acts.UpdateStock, r)
			return err
		},
		"ReplanConflicts": func(c string) error {
			_, err := run[any](b, b.acts.ReplanConflicts, protocol.ReplanRequest{
				Shop: acme, Pass: 7, Connection: c, Settings: b.loaded.Settings.Terms(), Plan: matched.Plan,
			})
			return err
		},
	}
}

func TestAWorkerWithOtherFilesServesNoPass(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	for name, call := range b.everyActivity() {
		asked := len(b.kros.State().Log) + len(b.shop.Writes())
		err := call("0badc0de")
		require.Equal(t, "worker_has_other_files", app(t, err).Type(), name)
		require.False(t, app(t, err).NonRetryable(), "%s: another worker may have them", name)
		require.Contains(t, failureIn(t, err).Message, "give all workers the same files", name)
		require.Len(t, b.kros.State().Log, asked-len(b.shop.Writes()), "%s asked KROS", name)
		require.NoError(t, call(b.loaded.Connection), name)
	}
}

func TestAShopWhoseFileIsGoneIsServedNoMore(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	calls := b.everyActivity()
	b.write("other", `shop "other" {
		kros { api_key = "k" }
		fynode {
			url = "https://other.example.com"
			api_key = "k"
		}
	}`)
	require.NoError(t, os.Remove(filepath.Join(b.dir, acme+".hcl")))
	b.shops.Reload()
	for name, call := range calls {
		err := call(b.loaded.Connection)
		require.Equal(t, protocol.ConfigMissing, failureIn(t, err).Code, name)
		require.True(t, app(t, err).NonRetryable(), name)
	}
}

func TestFetchStockArchivesTheCatalogueAsItWasRead(t *testing.T) {
	kros, shop := small()
	kros.Items = append(kros.Items, krossim.Item{ItemCode: " S-1 ", Name: "Dovoz"}, item("N-1", "", "-2.5"))
	b := newBench(t, kros, shop, "")
	fetched := b.fetch(protocol.Memory{})
	require.Equal(t, 6, fetched.Catalogue.Items)
	require.Equal(t, 1, fetched.Catalogue.Requests)
	require.True(t, fetched.Catalogue.Complete)
	require.True(t, fetched.Catalogue.Changed)
	require.WithinDuration(t, time.Now(), fetched.Catalogue.TakenAt, time.Minute)
	require.Equal(t, protocol.Memory{}, fetched.Memory)
	require.Equal(t, b.archive.Bucket(), fetched.Catalogue.Ref.Bucket)

	items := lo.KeyBy(rows[stock.Item](b, fetched.Catalogue.Ref), func(i stock.Item) string { return i.Code })
	require.Len(t, items, 6)
	require.Equal(t, "-2.5", items["N-1"].Rows[0].Quantity.String(), "raw")
	require.Empty(t, items[" S-1 "].Rows)
	require.False(t, items[" S-1 "].Tracked)
	require.True(t, items["A-1"].Tracked)
	require.JSONEq(t, `{"phase":"fetch","done":0}`, b.beats[0], "the first heartbeat goes at once")
}

// An activation makes one, and goes on behind it.
func TestADryRunTellsTheLastPassOfTheArchive(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.fetch(protocol.Memory{})
	request := b.fetchRequest(protocol.Memory{})
	request.Pass, request.DryRun = 0, true
	fetched, err := run[protocol.Fetched](b, b.acts.FetchStock, request)
	require.NoError(t, err)
	require.Equal(t, int64(7), fetched.LastPass)
}

// A shop of 90 days has thousands of receipts and records.
func TestWhatIsTooOldOfTheHistoryGoesEveryFortyEightPasses(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	left := func() int {
		entries, err := b.archive.List(t.Context(), acme, snapshot.Pass)
		require.NoError(t, err)
		return len(entries)
	}
	_, err := run[any](b, b.acts.RecordPass, protocol.RecordRequest{Shop: acme, Pass: 1, Record: protocol.PassRecord{
		Report: protocol.Report{Shop: acme, Pass: 1, StartedAt: b.now.AddDate(-1, 0, 0)},
	}})
	require.NoError(t, err)
	for _, step := range []struct {
		pass   int64
		dryRun bool
		left   int
	}{{pass: 47, left: 1}, {pass: 48, dryRun: true, left: 1}, {pass: 48, left: 0}} {
		request := b.fetchRequest(protocol.Memory{})
		request.Pass, request.DryRun = step.pass, step.dryRun
		_, err := run[protocol.Fetched](b, b.acts.FetchStock, request)
		require.NoError(t, err)
		require.Equal(t, step.left, left(), "pass %d, dry run %t", step.pass, step.dryRun)
	}
}

func TestFetchStockRemembers(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.onDisk()
	memory, _ := b.pass(protocol.Memory{})

	again := b.fetch(memory)
	require.Equal(t, memory, again.Memory)
	require.Empty(t, again.Warnings)
	require.False(t, again.Catalogue.Changed)

	b.kros.SetItems(append(slices.Clone(kros.Items[1:]), krossim.Item{ItemCode: "A-1", EANCode: "8580001000012", Name: "Item A-1"}))
	lost := b.fetch(memory)
	require.True(t, lost.Catalogue.Changed)
	items := lo.KeyBy(rows[stock.Item](b, lost.Catalogue.Ref), func(i stock.Item) string { return i.Code })
	require.True(t, items["A-1"].Tracked, "that it had rows is sticky")

	for name, ref := range map[string]protocol.Ref{"ledger": memory.Ledger, "baseline": memory.Baseline} {
		b.lose(ref)
		first := b.fetch(memory)
		require.Equal(t, protocol.Memory{}, first.Memory, "without its %s it is a first pass", name)
		require.Equal(t, []string{message.MemoryLost}, first.Warnings)
	}

	begun := protocol.Memory{Ledger: again.Catalogue.Ref}
	require.Equal(t, begun, b.fetch(begun).Memory, "the ledger of a first pass that failed is kept")
}

func TestFetchStockProtectsWhatIsRememberedFromBeingPruned(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.onDisk()
	b.write("skladom", "snapshots { keep = 1 }")
	b.shops.Reload()
	memory, _ := b.pass(protocol.Memory{})
	for range 3 {
		b.now = b.now.Add(2 * time.Hour)
		b.fetch(memory)
	}
	kept, err := b.archive.List(t.Context(), acme, snapshot.Catalogue)
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.Equal(t, memory.Baseline.Key, kept[0].Key)
	require.Equal(t, memory, b.fetch(memory).Memory)
}

func TestItemsThatKROSDoesNotShowAreAskedForSingly(t *testing.T) {
	for _, missing := range []string{"keep", "zero"} {
		kros, shop := small()
		b := newBench(t, kros, shop, fmt.Sprintf("missing = %q\nguard {\n min_catalogue = \"0%%\"\n}", missing))
		memory, _ := b.pass(protocol.Memory{})
		b.kros.SetItems(slices.Delete(slices.Clone(kros.Items), 1, 2)) // A-2, whose product we wrote
		fetched := b.fetch(memory)
		matched := b.match(fetched)
		require.Equal(t, 1, matched.Counts.Missing)
		require.Equal(t, lo.Ternary(missing == "zero", 3, 2), fetched.Catalogue.Requests, "the sweep asks too, or another row may have slipped past")
		require.Equal(t, 3, fetched.Catalogue.Items)
		b.update(b.updateRequest(matched))
		require.Equal(t, lo.Ternary(missing == "zero", "0", "3"), b.quantities()["p2"])
	}
}

func TestAWorkerWithAnotherBucketFailsAtOnce(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	fetched := b.fetch(protocol.Memory{})
	matched := b.match(fetched)
	b.open("mem://")
	for _, call := range []func() error{
		func() error { _, err := run[any](b, b.acts.MatchProducts, b.matchRequest(fetched)); return err },
		func() error { _, err := run[any](b, b.acts.UpdateStock, b.updateRequest(matched)); return err },
		func() error {
			_, err := run[any](b, b.acts.FetchStock, b.fetchRequest(protocol.Memory{Baseline: fetched.Catalogue.Ref}))
			return err
		},
		func() error {
			_, err := run[any](b, b.acts.ReadArchive, protocol.InspectRequest{Shop: acme, Ref: matched.Plan})
			return err
		},
	} {
		err := call()
		require.Equal(t, "worker_has_other_bucket", app(t, err).Type())
		require.True(t, app(t, err).NonRetryable())
		require.Equal(t, protocol.ConfigInvalid, failureIn(t, err).Code)
		require.Contains(t, failureIn(t, err).Message, "one shared bucket")
	}
	require.Empty(t, b.shop.Writes())
}

func TestWhatTheArchiveHasLostIsNeverGuessed(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.onDisk()
	fetched := b.fetch(protocol.Memory{})
	matched := b.match(fetched)
	b.lose(fetched.Catalogue.Ref)
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "archive", matched.Plan.Key), []byte("damaged"), 0o600))
	_, missing := run[any](b, b.acts.MatchProducts, b.matchRequest(fetched))
	_, damaged := run[any](b, b.acts.UpdateStock, b.updateRequest(matched))
	for kind, err := range map[string]error{activities.ErrorLostObject: missing, activities.ErrorLostPlan: damaged} {
		require.Equal(t, kind, app(t, err).Type())
		require.True(t, app(t, err).NonRetryable())
	}
	require.Empty(t, b.shop.Writes())
}

// A repeat, or another worker, finds nothing handed over.
func TestWhatIsHandedOverIsWhatTheArchiveHas(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{})
	b.kros.SetItems(append([]krossim.Item{item("A-1", "8580001000012", "11")}, kros.Items[1:]...))
	fetched := b.fetch(memory)
	handed, again := b.match(fetched), b.match(fetched)
	require.Equal(t, 1, handed.Writes)
	require.Equal(t, rows[stock.Line](b, again.Plan), rows[stock.Line](b, handed.Plan))
	again.Plan = handed.Plan
	require.Equal(t, again, handed)

	b.update(b.updateRequest(handed))
	require.Equal(t, "11", b.quantities()["p1"])
}

func TestMatchProductsArchivesThePlanBeforeAnythingIsWritten(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	matched := b.match(b.fetch(protocol.Memory{}))
	require.Equal(t, 2, matched.Writes)
	require.Equal(t, 3, matched.Products)
	require.Equal(t, "fynode-1", matched.ShopID)
	require.Nil(t, matched.Findings)
	require.Nil(t, matched.Doubt)
	plan := stock.Plan{Lines: rows[stock.Line](b, matched.Plan)}
	require.Equal(t, plan.Hash(), matched.Hash)
	require.Equal(t, plan.Counts(), matched.Counts)
	require.Equal(t, []string{"A-4"}, lo.Map(matched.Samples["unmatched"], func(s stock.Sample, _ int) string { return s.Item }))
	require.Empty(t, b.shop.Writes())
}

func TestMatchProductsFindsWhatAnActivationShows(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "", `warehouses = ["A"]`)
	request := b.matchRequest(b.fetch(protocol.Memory{}))
	request.Findings, request.Accept, request.DryRun = true, true, true
	matched, err := run[protocol.Matched](b, b.acts.MatchProducts, request)
	require.NoError(t, err)
	require.Equal(t, &protocol.Findings{
		ShopName: "Acme", ShopProducts: 3, Match: stock.ByNumber, Quantity: stock.Max,
		Warehouses: []protocol.WarehouseUse{{Code: "A", Items: 4, Counted: true}, {Code: "B", Items: 1}},
		KrosItems:  4, Matched: 3, MatchedByOther: 2, Products: 3, Raised: 1, Lowered: 2, Unmatched: 1,
	}, matched.Findings)
	require.Contains(t, matched.Plan.Key, "/dry-", "a dry run's plan is not kept for long")
}

func TestMatchProductsDoubts(t *testing.T) {
	missingWarehouse := `warehouses = ["A", "Z"]`
	many, products := many(12)
	tests := []struct {
		rule   string
		inKros string
		kros   func(*bench)
		shop   func(*bench)
		accept bool
		first  bool
		code   protocol.Code
		says   []string
	}{
		{"no stock at all, at activation", "", func(b *bench) {
			b.kros.SetItems([]krossim.Item{{ItemCode: "S"}, {ItemCode: "T"}})
		}, nil, true, true, protocol.KrosNoStock, []string{"2 items"}},
		{"no items at all, at activation", "", func(b *bench) { b.kros.SetItems(nil) }, nil, true, true, protocol.KrosNoStock, []string{"no items"}},
		{"a warehouse that KROS does not have, at activation", missingWarehouse, nil, nil, true, true, protocol.WarehouseUnknown, []string{`"Z"`}},
		{"nothing matches, at activation", "", nil, func(b *bench) { b.shop.SetProducts(nil) }, true, true, protocol.NothingMatched, []string{"12 items", "product number"}},
		{"a cut catalogue that was shown", "", func(b *bench) { b.kros.SetItems(many.Items[:5]) }, nil, true, false, "", nil},
		{"products gone", "", nil, func(b *bench) { b.shop.SetProducts(products.Products[:5]) }, false, false, protocol.ProductsMissing, []string{"5 of the 12"}},
		{"products gone, as was shown", "", nil, func(b *bench) { b.shop.SetProducts(products.Products[:5]) }, true, false, "", nil},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			b := newBench(t, many, products, "", test.inKros)
			memory := protocol.Memory{}
			if !test.first {
				memory, _ = b.pass(memory)
			}
			if test.kros != nil {
				test.kros(b)
			}
			if test.shop != nil {
				test.shop(b)
			}
			before := len(b.shop.Writes())
			request := b.matchRequest(b.fetch(memory))
			request.Accept = test.accept
			matched, err := run[protocol.Matched](b, b.acts.MatchProducts, request)
			require.NoError(t, err)
			require.Len(t, b.shop.Writes(), before)
			if test.code == "" {
				require.Nil(t, matched.Doubt)
				return
			}
			require.Equal(t, test.code, matched.Doubt.Code)
			for _, part := range test.says {
				require.Contains(t, matched.Doubt.Message, part)
			}
			require.True(t, matched.Plan.Zero())
			require.Equal(t, stock.Counts{KrosItems: matched.Counts.KrosItems}, matched.Counts)
		})
	}
}

func TestAnotherShopIsNotWrittenTo(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	request := b.matchRequest(b.fetch(protocol.Memory{}))
	request.ShopID = "fynode-1"
	_, err := run[protocol.Matched](b, b.acts.MatchProducts, request)
	require.NoError(t, err)
	b.shop.SetShop("fynode-2", "Other")
	_, err = run[protocol.Matched](b, b.acts.MatchProducts, request)
	fails(t, protocol.ShopChanged, err)
	require.Contains(t, failureIn(t, err).Message, `"fynode-2"`)
	require.Zero(t, b.shop.Requests("products/stock"))
}

func TestUpdateStockArchivesWhatTheShopAnswered(t *testing.T) {
	kros, shop := small()
	shop.Rejected = []string{"p3"}
	b := newBench(t, kros, shop, "")
	matched := b.match(b.fetch(protocol.Memory{}))
	written := b.update(b.updateRequest(matched))
	require.Equal(t, stock.Counts{KrosItems: 4, Updated: 1, Unchanged: 1, Unmatched: 1, Rejected: 1, Products: 3, Lowered: 1}, written.Counts)
	require.False(t, written.Stale)
	require.Zero(t, written.Conflicts)
	require.Len(t, written.Receipts, 1)
	receipts := rows[stock.Receipt](b, written.Receipts[0])
	require.Equal(t, []string{"p2 8 3 3 updated", "p3 2 9 9 rejected"}, lo.Map(receipts, func(r stock.Receipt, _ int) string {
		return fmt.Sprint(r.Product, " ", r.Had, " ", r.Asked, " ", r.Kros, " ", r.Answer)
	}))
}

func TestFetchStockLeavesOutAMemoryThatStaysWhereThatIsUnderstood(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	memory, _ := b.pass(protocol.Memory{})
	request := b.fetchRequest(memory)
	before, err := run[protocol.Fetched](b, b.acts.FetchStock, request)
	require.NoError(t, err)
	require.False(t, before.Same, "a workflow of before would take it for a first pass")
	require.Equal(t, memory, before.Memory)

	request.Brief = true
	fetched, err := run[protocol.Fetched](b, b.acts.FetchStock, request)
	require.NoError(t, err)
	require.True(t, fetched.Same)
	require.Zero(t, fetched.Memory)

	request.Memory.Lost = 8 // a pass that never came to write
	fetched, err = run[protocol.Fetched](b, b.acts.FetchStock, request)
	require.NoError(t, err)
	require.False(t, fetched.Same)
	require.Equal(t, memory, fetched.Memory)
}

func TestUpdateStockLeavesTheRecordOfAPassThatItEnds(t *testing.T) {
	kros, shop := small()
	shop.Rejected = []string{"p3"}
	b := newBench(t, kros, shop, "")
	matched := b.match(b.fetch(protocol.Memory{}))
	request := b.updateRequest(matched)
	earlier := b.update(request)
	draft := protocol.PassDraft{
		Report: protocol.ReportDraft{
			Trigger: protocol.TriggerManual, Result: protocol.ResultOK, StartedAt: b.now.UTC(), SettingsHash: b.loaded.Hash,
		},
		By: "Jana",
	}
	recorded := func() int {
		entries, err := b.archive.List(t.Context(), acme, snapshot.Pass)
		require.NoError(t, err)
		return len(entries)
	}
	request.Pass, request.Record = 8, &draft
	request.TakenAt = b.now.Add(-activities.MaxAge - time.Second)
	require.Zero(t, b.update(request).RecordedAt, "a catalogue that is too old ends no pass")

	request.TakenAt = b.now
	require.NoError(t, b.shop.SetQuantity("p2", product("", "", "", "6").Quantity))
	conflict := b.update(request)
	require.Positive(t, conflict.Conflicts)
	require.Zero(t, conflict.RecordedAt, "nor does a conflict")
	edited := draft
	edited.Report.SettingsHash = "before"
	request.Pass, request.Record = 10, &edited
	require.NoError(t, b.shop.SetQuantity("p2", product("", "", "", "8").Quantity))
	require.Zero(t, b.update(request).RecordedAt, "nor a record with settings that the pass did not have")
	request.Record = &draft
	require.Zero(t, recorded())

	require.NoError(t, b.shop.SetQuantity("p2", product("", "", "", "8").Quantity))
	request.Pass, request.Receipts = 9, earlier.Receipts
	written := b.update(request)
	require.False(t, written.RecordedAt.Before(draft.Report.StartedAt))
	want := protocol.PassRecord{Report: draft.Report.Report(acme, 9), By: draft.By, Settings: b.loaded.Settings}
	want.Report.Counts, want.Report.Samples, want.Report.FinishedAt = written.Counts, written.Samples, written.RecordedAt
	want.Plan, want.Receipts = matched.Plan, append(slices.Clone(earlier.Receipts), written.Receipts...)
	require.Equal(t, 1, recorded())
	page, err := run[protocol.InspectPage](b, b.acts.ReadArchive, protocol.InspectRequest{Shop: acme, Kind: "pass", Pass: 9})
	require.NoError(t, err)
	require.Len(t, page.Rows, 1)
	require.JSONEq(t, asJSON(t, want), string(page.Rows[0]))
}

// What is the plan's, the workflow has: samples lie in four more events.
func TestUpdateStockLeavesOutTheSamplesOfThePlanWhereThatIsUnderstood(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	matched := b.match(b.fetch(protocol.Memory{}))
	require.NotEmpty(t, matched.Samples)
	request := b.updateRequest(matched)
	written := b.update(request)
	require.Equal(t, matched.Samples, written.Samples, "a workflow of before would take it for none")
	require.False(t, written.AsPlanned)

	again := func(pass int64) protocol.Written {
		require.NoError(t, b.shop.SetQuantity("p2", product("", "", "", "8").Quantity))
		require.NoError(t, b.shop.SetQuantity("p3", product("", "", "", "2").Quantity))
		request.Pass = pass
		return b.update(request)
	}
	request.Brief, request.Writes = true, protocol.Ref{}
	request.Record = &protocol.PassDraft{Report: protocol.ReportDraft{StartedAt: b.now, SettingsHash: b.loaded.Hash}}
	written = again(8)
	require.Empty(t, written.Samples)
	require.True(t, written.AsPlanned)
	page, err := run[protocol.HistoryPage](b, b.acts.ReadHistory, protocol.HistoryRequest{Shop: acme})
	require.NoError(t, err)
	require.Equal(t, matched.Samples, page.Records[0].Report.Samples, "a record has them")

	b.shop.SetRejected("p3")
	written = again(9)
	require.NotEmpty(t, written.Samples[string(stock.Rejected)])
	require.False(t, written.AsPlanned)
}

func TestMatchProductsLeavesOutSamplesThatAreKnown(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	fetched := b.fetch(protocol.Memory{})
	before := b.match(fetched)
	require.NotEmpty(t, before.Samples)
	request := b.matchRequest(fetched)
	request.SamplesHash = protocol.SamplesHash(before.Samples)
	matched, err := run[protocol.Matched](b, b.acts.MatchProducts, request)
	require.NoError(t, err)
	require.True(t, matched.SamplesKnown)
	require.Empty(t, matched.Samples)

	report := protocol.Report{Shop: acme, Pass: 7, StartedAt: b.now}
	_, err = run[any](b, b.acts.RecordPass, protocol.RecordRequest{
		Shop: acme, Pass: 7, Record: protocol.PassRecord{Report: report, Plan: matched.Plan}, SamplesOfPlan: true,
	})
	require.NoError(t, err)
	page, err := run[protocol.HistoryPage](b, b.acts.ReadHistory, protocol.HistoryRequest{Shop: acme})
	require.NoError(t, err)
	require.Equal(t, before.Samples, page.Records[0].Report.Samples, "a record has them")

	b.setKros("A-3") // no stock item any more
	fetched = b.fetch(protocol.Memory{})
	request.Catalogue = fetched.Catalogue.Swept()
	matched, err = run[protocol.Matched](b, b.acts.MatchProducts, request)
	require.NoError(t, err)
	require.False(t, matched.SamplesKnown)
	require.NotEmpty(t, matched.Samples)
}

func TestUpdateStockWithNothingLeftToWriteCounts(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	first := b.match(b.fetch(protocol.Memory{}))
	earlier := b.update(b.updateRequest(first))
	second := b.match(b.fetch(protocol.Memory{}))
	require.Zero(t, second.Writes)
	request := b.updateRequest(second)
	request.Receipts = earlier.Receipts
	written := b.update(request)
	require.Equal(t, earlier.Counts, written.Counts, "of the whole pass")
	require.Empty(t, written.Receipts)
}

func TestUpdateStockWritesInBatchesAndGoesOnBehindTheLastReceipt(t *testing.T) {
	kros, shop := many(1200)
	b := newBench(t, kros, shop, "")
	b.onDisk()
	matched := b.match(b.fetch(protocol.Memory{}))

	// The third batch meets a shop that refuses the key: final, but kept.
	require.NoError(t, b.shop.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 401, Path: "products/stock", After: 2}))
	_, err := run[any](b, b.acts.UpdateStock, b.updateRequest(matched))
	fails(t, protocol.ShopKeyInvalid, err)
	require.Len(t, b.shop.Writes(), 1000)
	kept := receiptsOf(b)
	require.Len(t, kept, 1, "what the shop has answered is in the archive")
	require.Equal(t, 1000, kept[0].Rows)

	b.details = map[string]any{"phase": "write", "done": 1100, "total": 1200, "batch": 2, "receipts": kept}
	b.later(time.Second)
	requests := b.shop.Requests("products/stock")
	written := b.update(b.updateRequest(matched))
	require.Equal(t, requests+1, b.shop.Requests("products/stock"), "only the batch that was not answered")
	require.Equal(t, 1200, written.Counts.Updated)
	require.Equal(t, 1200, written.Counts.Raised)
	require.Len(t, written.Receipts, 1)
	require.Equal(t, snapshot.Receipts, snapshot.KindOf(written.Receipts[0]))
	require.Equal(t, receiptsOf(b), rows[protocol.Ref](b, written.Receipts[0]))
	require.Equal(t, []int{1000, 200}, lo.Map(receiptsOf(b), func(r protocol.Ref, _ int) int { return r.Rows }))
	var beat struct {
		Done, Total, Batch int
	}
	require.NoError(t, json.Unmarshal([]byte(b.beats[0]), &beat))
	require.Equal(t, 1000, beat.Done, "what is behind a receipt")
	require.Equal(t, 2, beat.Batch)
}

// inParts is a bench whose pass has left two receipts, of 1,000 and of 200 rows.
func inParts(t *testing.T, before func(*bench)) (*bench, protocol.Memory, protocol.Written) {
	t.Helper()
	kros, shop := many(1200)
	b := newBench(t, kros, shop, "")
	b.onDisk()
	fetched := b.fetch(protocol.Memory{})
	matched := b.match(fetched)
	require.NoError(t, b.shop.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 401, Path: "products/stock", After: 2}))
	_, err := run[any](b, b.acts.UpdateStock, b.updateRequest(matched))
	fails(t, protocol.ShopKeyInvalid, err)
	b.details = map[string]any{"phase": "write", "done": 1000, "total": 1200, "batch": 2, "receipts": receiptsOf(b)}
	b.later(time.Second)
	before(b)
	request := b.updateRequest(matched)
	request.Record = &protocol.PassDraft{Report: protocol.ReportDraft{Result: protocol.ResultOK, StartedAt: b.now, SettingsHash: b.loaded.Hash}}
	written := b.update(request)
	b.details = nil
	require.Equal(t, 1200, written.Counts.Updated)
	return b, protocol.Memory{
		Baseline: fetched.Catalogue.Ref, Ledger: matched.Plan, Receipts: written.Receipts, Products: matched.Products, Pass: 7,
	}, written
}

// However much a pass writes, the histories of Temporal hold one reference.
func TestManyReceiptsTravelAsOneList(t *testing.T) {
	nothing := func(*bench) {}
	t.Run("the next pass remembers what they say", func(t *testing.T) {
		b, memory, _ := inParts(t, nothing)
		for _, id := range []string{"p00003", "p01100"} { // one of each receipt; sold, and not yet booked
			require.NoError(t, b.shop.SetQuantity(id, product("", "", "", "1").Quantity))
		}
		fetched := b.fetch(memory)
		require.Empty(t, fetched.Warnings)
		require.Equal(t, memory, fetched.Memory)
		require.Zero(t, b.match(fetched).Writes, "sold stays sold")
	})
	t.Run("history, rollback and pages read through it", func(t *testing.T) {
		b, memory, written := inParts(t, nothing)
		want := append(rows[stock.Receipt](b, receiptsOf(b)[0]), rows[stock.Receipt](b, receiptsOf(b)[1])...)
		var got []stock.Receipt
		for offset, pages := 0, 0; pages == 0 || offset > 0; pages++ {
			page, err := run[protocol.InspectPage](b, b.acts.ReadArchive, protocol.InspectRequest{
				Shop: acme, Kind: protocol.InspectReceipt, Ref: written.Receipts[0], Offset: offset, Limit: 300,
			})
			require.NoError(t, err)
			require.Equal(t, 1200, page.Total)
			require.LessOrEqual(t, len(page.Rows), 300)
			require.Equal(t, written.Receipts[0], page.Ref)
			for _, row := range page.Rows {
				var r stock.Receipt
				require.NoError(t, json.Unmarshal(row, &r))
				got = append(got, r)
			}
			offset = page.Next
		}
		require.Equal(t, asJSON(t, want), asJSON(t, got))
		beyond, err := run[protocol.InspectPage](b, b.acts.ReadArchive, protocol.InspectRequest{
			Shop: acme, Kind: protocol.InspectReceipt, Ref: written.Receipts[0], Offset: 1200,
		})
		require.NoError(t, err)
		require.Empty(t, beyond.Rows)
		require.Zero(t, beyond.Next)

		// A pass that its workflow has recorded has the list itself.
		_, err = run[any](b, b.acts.RecordPass, protocol.RecordRequest{Shop: acme, Pass: 7, Record: protocol.PassRecord{
			Report: protocol.Report{Shop: acme, Pass: 7, StartedAt: b.now}, Receipts: written.Receipts,
		}})
		require.NoError(t, err)
		recorded := func() []protocol.Ref {
			page, err := run[protocol.HistoryPage](b, b.acts.ReadHistory, protocol.HistoryRequest{Shop: acme})
			require.NoError(t, err)
			require.Len(t, page.Records, 1)
			return page.Records[0].Receipts
		}
		require.Equal(t, receiptsOf(b), recorded())
		require.Equal(t, 1200, b.planRollback(b.rollbackRequest(7, memory)).Writes)
		b.lose(written.Receipts[0])
		require.Equal(t, receiptsOf(b), recorded(), "receipts lie in the archive without it, too")
	})
	t.Run("lost, it makes a first pass", func(t *testing.T) {
		for name, lost := range map[string]func(*bench, protocol.Written) protocol.Ref{
			"the list":     func(_ *bench, w protocol.Written) protocol.Ref { return w.Receipts[0] },
			"a part of it": func(b *bench, _ protocol.Written) protocol.Ref { return receiptsOf(b)[1] },
		} {
			b, memory, written := inParts(t, nothing)
			b.lose(lost(b, written))
			fetched := b.fetch(memory)
			require.Equal(t, []string{message.MemoryLost}, fetched.Warnings, name)
			require.Zero(t, fetched.Memory, name)
		}
	})
	t.Run("where it cannot be kept they travel themselves", func(t *testing.T) {
		b, memory, written := inParts(t, func(b *bench) {
			// A file where its folder would be.
			require.NoError(t, os.WriteFile(filepath.Join(b.dir, "archive", acme, "receipts"), nil, 0o600))
		})
		require.Equal(t, receiptsOf(b), written.Receipts)
		require.Len(t, written.Receipts, 2)
		require.False(t, written.RecordedAt.IsZero())
		require.NoError(t, os.Remove(filepath.Join(b.dir, "archive", acme, "receipts")))
		require.Empty(t, b.fetch(memory).Warnings)
	})
}

func receiptsOf(b *bench) []protocol.Ref {
	b.t.Helper()
	entries, err := b.archive.List(b.t.Context(), acme, snapshot.Receipt)
	require.NoError(b.t, err)
	return lo.Map(entries, func(e snapshot.Entry, _ int) protocol.Ref {
		ref, err := b.archive.Ref(b.t.Context(), e.Key)
		require.NoError(b.t, err)
		return ref
	})
}

// A crash loses the last heartbeats: what was sent since is sent again.
func TestUpdateStockRepeatedFromTheBeginDoesNoHarm(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		kros, shop := many(600)
		shop.ForgetsKeys = forgets
		b := newBench(t, kros, shop, "")
		matched := b.match(b.fetch(protocol.Memory{}))
		b.update(b.updateRequest(matched))
		written := b.update(b.updateRequest(matched))
		require.Len(t, b.shop.Writes(), 600, "nothing is written twice")
		require.Zero(t, written.Conflicts, "a conflict with what we wrote is none")
		require.Zero(t, written.Counts.Rejected)
		require.Equal(t, 600, written.Counts.Updated+written.Counts.Unchanged)
	}
}

func TestAPlanThatIsTooOldIsNotWritten(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	matched := b.match(b.fetch(protocol.Memory{}))
	request := b.updateRequest(matched)
	request.TakenAt = b.now.Add(-activities.MaxAge - time.Second)
	written := b.update(request)
	require.True(t, written.Stale)
	require.Empty(t, b.shop.Writes())
	require.Equal(t, 2, written.Counts.Rejected, "of which the report says: not written")
	require.Equal(t, 4, written.Counts.Rejected+written.Counts.Unchanged+written.Counts.Unmatched)

	request.TakenAt = b.now.Add(-activities.MaxAge)
	require.False(t, b.update(request).Stale)
}

func TestConflictsArePlannedAgainFromWhatTheShopHasNow(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	matched := b.match(b.fetch(protocol.Memory{}))
	require.NoError(t, b.shop.SetQuantity("p2", product("", "", "", "6").Quantity)) // sold two
	require.NoError(t, b.shop.SetQuantity("p3", product("", "", "", "9").Quantity)) // somebody was faster
	first := b.update(b.updateRequest(matched))
	require.Equal(t, 1, first.Conflicts, "what has the wanted quantity is done")
	require.Empty(t, b.shop.Writes())

	again, err := run[protocol.Replanned](b, b.acts.ReplanConflicts, protocol.ReplanRequest{
		Shop: acme, Pass: 7, Connection: b.loaded.Connection, Settings: b.loaded.Settings.Terms(), Plan: matched.Plan, Receipts: first.Receipts,
	})
	require.NoError(t, err)
	lines := rows[stock.Line](b, again.Plan)
	require.Len(t, lines, 1)
	require.Equal(t, "6", lines[0].Entries[0].From.String())

	request := b.updateRequest(matched)
	request.Writes, request.Receipts = again.Plan, first.Receipts
	second := b.update(request)
	require.Zero(t, second.Conflicts)
	require.Equal(t, "1", b.quantities()["p2"], "the two that were sold meanwhile are not in KROS yet")
	require.Equal(t, stock.Counts{KrosItems: 4, Updated: 1, Unchanged: 2, Unmatched: 1, Products: 3, Lowered: 1, Conflicts: 2}, second.Counts)
}

func TestAConflictThatRightedItselfIsDone(t *testing.T) {
	kros, shop := small()
	shop.HidesQuantity = true
	b := newBench(t, kros, shop, "")
	matched := b.match(b.fetch(protocol.Memory{}))
	require.NoError(t, b.shop.SetQuantity("p2", product("", "", "", "3").Quantity))
	first := b.update(b.updateRequest(matched))
	require.Equal(t, 1, first.Conflicts, "the shop does not tell what it has")

	// The pass begins again at the fetch and finds nothing left to write.
	second := b.match(b.fetch(protocol.Memory{}))
	request := b.updateRequest(second)
	request.Receipts = first.Receipts
	require.Zero(t, b.update(request).Counts.Rejected)
}

func TestAWorkerThatStopsLetsAnotherGoOn(t *testing.T) {
	t.Run("FetchStock", func(t *testing.T) {
		kros, shop := small()
		b := newBench(t, kros, shop, "")
		require.NoError(t, b.kros.AddFault(krossim.Fault{Kind: krossim.FaultSlow, DelayMS: 60_000}))
		close(b.stop)
		_, err := run[any](b, b.acts.FetchStock, b.fetchRequest(protocol.Memory{}))
		stopping(t, err)
	})
	t.Run("UpdateStock", func(t *testing.T) {
		kros, shop := many(1200)
		b := newBench(t, kros, shop, "")
		b.onDisk()
		matched := b.match(b.fetch(protocol.Memory{}))
		b.onWrite = func(n int) {
			if n == 2 {
				close(b.stop)
			}
		}
		_, err := run[any](b, b.acts.UpdateStock, b.updateRequest(matched))
		stopping(t, err)
		require.NotEmpty(t, receiptsOf(b), "what was answered is kept")
	})
}

func stopping(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, "worker_stopping", app(t, err).Type())
	require.False(t, app(t, err).NonRetryable())
	require.LessOrEqual(t, app(t, err).NextRetryDelay(), time.Second)
}

func TestReadArchiveGivesPages(t *testing.T) {
	kros, shop := many(700)
	b := newBench(t, kros, shop, "")
	matched := b.match(b.fetch(protocol.Memory{}))
	ask := func(r protocol.InspectRequest) (protocol.InspectPage, error) {
		r.Shop = acme
		return run[protocol.InspectPage](b, b.acts.ReadArchive, r)
	}
	var items []string
	for offset, pages := 0, 0; pages == 0 || offset > 0; pages++ {
		page, err := ask(protocol.InspectRequest{Kind: protocol.InspectPlan, Offset: offset})
		require.NoError(t, err)
		require.Equal(t, matched.Plan, page.Ref, "the newest")
		require.Equal(t, 700, page.Total)
		require.LessOrEqual(t, len(page.Rows), 500)
		require.Less(t, len(asJSON(t, page)), 300<<10)
		for _, row := range page.Rows {
			var line stock.Line
			require.NoError(t, json.Unmarshal(row, &line))
			items = append(items, line.Item)
		}
		offset = page.Next
	}
	require.Len(t, lo.Uniq(items), 700)

	few, err := ask(protocol.InspectRequest{Ref: matched.Plan, Offset: 10, Limit: 3})
	require.NoError(t, err)
	require.Len(t, few.Rows, 3)
	require.Equal(t, 13, few.Next)

	for _, r := range []protocol.InspectRequest{
		{Kind: protocol.InspectReceipt},
		{Kind: protocol.InspectPlan, Pass: 8},
		{Ref: protocol.Ref{Bucket: b.archive.Bucket(), Key: "../../etc/passwd"}},
	} {
		_, err := ask(r)
		require.Equal(t, activities.ErrorLostObject, app(t, err).Type())
		require.True(t, app(t, err).NonRetryable(), "no repeat brings it back")
	}
}

// What travels is small, however large the catalogue.
func TestResultsDoNotGrowWithTheCatalogue(t *testing.T) {
	kros, shop := many(3000)
	for i := range 1500 {
		kros.Items[i].ItemCode = strings.Repeat("X", 20) + fmt.Sprintf("%05d", i)
	}
	b := newBench(t, kros, shop, "")
	fetched := b.fetch(protocol.Memory{})
	matched := b.match(fetched)
	written := b.update(b.updateRequest(matched))
	for _, result := range []any{fetched, matched, written} {
		require.Less(t, len(asJSON(t, result)), 8<<10)
	}
	require.Len(t, matched.Samples["unmatched"], stock.MaxSamples)
}
