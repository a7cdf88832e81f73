package stock_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

func answered(product, had, asked string, answer stock.Answer, now ...string) stock.Receipt {
	r := stock.Receipt{Item: "I-" + product, Product: product, Had: dec(had), Asked: dec(asked), Kros: dec(asked), Answer: answer}
	if len(now) > 0 {
		r.Now = lo.ToPtr(dec(now[0]))
	}
	return r
}

func TestWhatARollbackRestores(t *testing.T) {
	for name, tc := range map[string]struct {
		receipts []stock.Receipt
		now      string // empty: the shop does not show it
		want     string
	}{
		"what the pass raised goes back":                     {[]stock.Receipt{answered("p", "2", "9", "updated")}, "9", "restored 9>2"},
		"what the pass lowered goes back":                    {[]stock.Receipt{answered("p", "9", "0", "updated")}, "0", "restored 0>9"},
		"equal is equal, however it is written":              {[]stock.Receipt{answered("p", "9", "2.50", "updated")}, "2.5", "restored 2.5>9"},
		"sold since: left alone":                             {[]stock.Receipt{answered("p", "2", "9", "updated")}, "8", "changedSince 8>2 changed_since"},
		"written by a later pass: left alone":                {[]stock.Receipt{answered("p", "2", "9", "updated")}, "12", "changedSince 12>2 changed_since"},
		"restored already":                                   {[]stock.Receipt{answered("p", "2", "9", "updated")}, "2", "unchanged 2>2"},
		"not shown any more":                                 {[]stock.Receipt{answered("p", "2", "9", "updated")}, "", "changedSince gone"},
		"refused by the shop: the pass changed nothing":      {[]stock.Receipt{answered("p", "2", "9", "rejected")}, "2", ""},
		"a conflict that was left: the pass changed nothing": {[]stock.Receipt{answered("p", "2", "9", "conflict", "3")}, "3", ""},
		"written at the second try: what it had before that": {[]stock.Receipt{answered("p", "2", "9", "conflict", "3"), answered("p", "3", "9", "updated")}, "9", "restored 9>3"},
		"written twice: from the first to the last":          {[]stock.Receipt{answered("p", "2", "9", "updated"), answered("p", "9", "4", "updated")}, "4", "restored 4>2"},
		"written there and back: nothing to undo":            {[]stock.Receipt{answered("p", "2", "9", "updated"), answered("p", "9", "2", "updated")}, "2", ""},
		"the shop had it already, whoever wrote it":          {[]stock.Receipt{answered("p", "2", "9", "unchanged")}, "9", "changedSince 9>2 not_ours"},
		"a conflict that was right already":                  {[]stock.Receipt{answered("p", "2", "9", "conflict", "9")}, "9", "changedSince 9>2 not_ours"},
		"a repeat of what was answered": {
			[]stock.Receipt{answered("p", "2", "9", "updated"), answered("p", "2", "9", "unchanged", "9")}, "9", "restored 9>2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var shop []stock.Product
			if tc.now != "" {
				shop = append(shop, product("p", "A", "", tc.now))
			}
			plan := stock.Rollback(tc.receipts, append(shop, product("other", "B", "", "9")), nil)
			got := ""
			for _, r := range plan.Restorations(false, nil) {
				require.Equal(t, "I-p", r.Item)
				require.Equal(t, "p", r.Product)
				got = string(r.Outcome)
				if r.From != nil {
					got += fmt.Sprintf(" %s>%s", r.From, r.To)
				}
				if r.ReasonCode != "" {
					got += " " + r.ReasonCode
					require.NotEmpty(t, r.Reason)
				}
			}
			require.Equal(t, tc.want, got)
			require.Equal(t, tc.want != "" && lo.HasPrefix([]rune(tc.want), []rune("restored")), len(plan.Writes()) == 1, "only what is restored is written")
		})
	}
}

func TestWhetherAPassWrote(t *testing.T) {
	require.False(t, stock.Wrote(nil))
	require.False(t, stock.Wrote([]stock.Receipt{answered("p", "2", "9", "rejected"), answered("q", "2", "9", "unchanged")}))
	require.False(t, stock.Wrote([]stock.Receipt{answered("p", "2", "9", "updated"), answered("p", "9", "2", "updated")}))
	require.True(t, stock.Wrote([]stock.Receipt{answered("q", "2", "2", "unchanged"), answered("p", "2", "9", "updated")}))
}

func TestWhatBecameOfARollback(t *testing.T) {
	shop := []stock.Product{product("a", "A", "", "9"), product("b", "B", "", "9"), product("c", "C", "", "9"), product("d", "D", "", "9"), product("e", "E", "", "9"), product("f", "F", "", "5")}
	pass := lo.Map(shop, func(p stock.Product, _ int) stock.Receipt { return answered(p.ID, "2", "9", "updated") })
	plan := stock.Rollback(pass, shop, nil)
	refused := answered("d", "9", "2", "rejected")
	refused.Reason = "locked by the merchant"
	answers := []stock.Receipt{answered("a", "9", "2", "updated"), answered("b", "9", "2", "conflict", "8"), answered("c", "9", "2", "conflict", "2"), refused}
	var got []string
	for _, r := range plan.Restorations(true, answers) {
		got = append(got, fmt.Sprintf("%s %s %s %s", r.Product, r.Outcome, r.From, r.Reason))
	}
	require.Equal(t, []string{
		"a restored 9 ",
		"b changedSince 8 it was changed while the rollback ran",
		"c restored 9 ",
		"d rejected 9 locked by the merchant",
		"e rejected 9 the rollback ended before it was written; roll back again",
		"f changedSince 5 it has 5 now, the pass had left 9",
	}, got)
}

func TestARollbackKnowsNamesAndKeysFromLedgerAndPlan(t *testing.T) {
	known := []stock.Line{
		{Item: "I-p", Name: "Tea", Key: "8580001000012", Entries: []stock.Entry{{Product: "p", Name: "Tea 20 g"}}},
		{Item: "I-p", Name: "Tea of old", Key: "old", Entries: []stock.Entry{{Product: "p"}}},
		{Item: "I-q", Name: "Salt", Key: "8580001000029", Kept: []stock.Entry{{Product: "q", Name: "Salt 1 kg"}}},
	}
	plan := stock.Rollback([]stock.Receipt{answered("p", "1", "2", "updated"), answered("q", "1", "2", "updated")}, []stock.Product{product("p", "", "8580001000012", "2")}, known)
	require.Equal(t, []string{"Tea", "Salt"}, lo.Map(plan.Lines, func(l stock.Line, _ int) string { return l.Name }))
	require.Equal(t, []string{"8580001000012", "8580001000029"}, lo.Map(plan.Lines, func(l stock.Line, _ int) string { return l.Key }))
}

func TestTheLedgerAfterARollbackSaysWhatIsLeftInTheShop(t *testing.T) {
	ledger := []stock.Line{
		{Item: "A", Kros: dec("9"), Entries: []stock.Entry{
			{Product: "p", From: dec("2"), To: dec("9"), Kros: dec("9"), Unbooked: dec("1")},
			{Product: "sold", From: dec("2"), To: dec("9"), Kros: dec("9"), Wrote: true},
			{Product: "refused", From: dec("2"), To: dec("9"), Kros: dec("9")},
			{Product: "silent", From: dec("2"), To: dec("9"), Kros: dec("9")},
		}},
		{Item: "B", Outcome: stock.Unmatched, Kept: []stock.Entry{{Product: "k", From: dec("3"), To: dec("3")}}},
		{Item: "C", Outcome: stock.Unmatched},
	}
	before := fmt.Sprint(ledger)
	pass := []stock.Receipt{answered("p", "2", "9", "updated"), answered("sold", "2", "9", "updated"), answered("k", "1", "3", "updated")}
	rollback := stock.Rollback(pass, []stock.Product{product("p", "", "", "9"), product("sold", "", "", "8"), product("k", "", "", "3")}, nil)
	got := rollback.RolledBack(ledger, append(pass, answered("refused", "2", "9", "rejected")))
	require.Equal(t, before, fmt.Sprint(ledger), "the old one stays as it is")
	want := []stock.Line{
		{Item: "A", Kros: dec("9"), Entries: []stock.Entry{
			{Product: "p", From: dec("9"), To: dec("2"), Kros: dec("9"), Unbooked: dec("1"), Wrote: true},
			{Product: "sold", From: dec("9"), To: dec("9"), Kros: dec("9"), Wrote: true},
			{Product: "refused", From: dec("2"), To: dec("2"), Kros: dec("9")},
			{Product: "silent", From: dec("2"), To: dec("9"), Kros: dec("9")},
		}},
		{Item: "B", Outcome: stock.Unmatched, Kept: []stock.Entry{{Product: "k", From: dec("3"), To: dec("1"), Wrote: true}}},
		{Item: "C", Outcome: stock.Unmatched},
	}
	require.Empty(t, cmp.Diff(want, got, cmp.Comparer(decimal.Decimal.Equal)))
}

// A pass, then anybody's changes, then the rollback: what nobody touched has
// what it had before the pass, all else has what it has.
func TestARollbackRestoresExactlyWhatNobodyTouched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		before := lo.UniqBy(in.Products, func(p stock.Product) string { return p.ID })
		in.Products = before
		plan := stock.NewPlan(in)
		had := stockOf(before)
		var receipts []stock.Receipt
		left := stockOf(before)
		for _, w := range plan.Writes() {
			r := stock.Receipt{Item: w.Item, Product: w.Product, Had: w.From, Asked: w.To, Kros: w.Kros, Answer: stock.AnswerUpdated}
			if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
				r.Answer = stock.AnswerRejected
			} else {
				left[w.Product] = w.To
			}
			receipts = append(receipts, r)
		}
		now := stockOf(before)
		present := lo.Map(before, func(p stock.Product, _ int) stock.Product {
			p.Quantity = left[p.ID]
			if rapid.Bool().Draw(t, "touched") {
				p.Quantity = decimal.NewFromInt(rapid.Int64Range(0, 20).Draw(t, "to"))
			}
			now[p.ID] = p.Quantity
			return p
		})
		rollback := stock.Rollback(receipts, present, plan.Lines)
		listed := lo.KeyBy(rollback.Restorations(false, nil), func(r stock.Restoration) string { return r.Product })
		after := map[string]decimal.Decimal{}
		for id, q := range now {
			after[id] = q
		}
		for _, w := range rollback.Writes() {
			require.True(t, w.From.Equal(now[w.Product]), "expected is what the shop has")
			after[w.Product] = w.To
		}
		for id := range had {
			if wrote := !left[id].Equal(had[id]); wrote && now[id].Equal(left[id]) {
				require.True(t, after[id].Equal(had[id]), "%s was not touched", id)
				require.Equal(t, stock.Restored, listed[id].Outcome)
			} else {
				require.True(t, after[id].Equal(now[id]), "%s is not ours", id)
				require.Equal(t, wrote && !now[id].Equal(had[id]), listed[id].Outcome == stock.ChangedSince, "%s is listed", id)
			}
		}
		again := stock.Rollback(receipts, lo.Map(present, func(p stock.Product, _ int) stock.Product { p.Quantity = after[p.ID]; return p }), nil)
		require.Empty(t, again.Writes(), "twice is once")
	})
}

func stockOf(products []stock.Product) map[string]decimal.Decimal {
	return lo.SliceToMap(products, func(p stock.Product) (string, decimal.Decimal) { return p.ID, p.Quantity })
}
