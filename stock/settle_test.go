package stock_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

// receipt is an answer to a write; now is "" where the shop did not tell.
func receipt(product, had, asked string, answer stock.Answer, now string) stock.Receipt {
	r := stock.Receipt{Item: "A", Product: product, Had: dec(had), Asked: dec(asked), Answer: answer}
	if now != "" {
		quantity := dec(now)
		r.Now = &quantity
	}
	return r
}

func refused(product, reason string) stock.Receipt {
	r := receipt(product, "5", "3", stock.AnswerRejected, "")
	r.Reason = reason
	return r
}

func TestSettleOneProduct(t *testing.T) {
	const had, asked = "5", "3"
	for name, tc := range map[string]struct {
		receipts []stock.Receipt
		outcome  stock.Outcome
		reason   string
		lowered  int
		conflict int
	}{
		"an updated product is updated": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerUpdated, asked)},
			outcome:  stock.Updated, lowered: 1,
		},
		"a product that the shop finds unchanged is unchanged": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerUnchanged, asked)},
			outcome:  stock.Unchanged,
		},
		"a conflict that already has the wanted quantity is done": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerConflict, "3.0")},
			outcome:  stock.Unchanged, conflict: 1,
		},
		"a conflict that was planned and written again is updated": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerConflict, "4"), receipt("p", "4", asked, stock.AnswerUpdated, asked)},
			outcome:  stock.Updated, lowered: 1, conflict: 1,
		},
		"a conflict that turned out right when planned again is unchanged": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerConflict, ""), receipt("p", asked, asked, stock.AnswerUnchanged, "")},
			outcome:  stock.Unchanged, conflict: 1,
		},
		"a second conflict is rejected": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerConflict, "4"), receipt("p", "4", asked, stock.AnswerConflict, "2")},
			outcome:  stock.Rejected, reason: "conflict", conflict: 1,
		},
		"a conflict without a second try is rejected": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerConflict, "4")},
			outcome:  stock.Rejected, reason: "conflict", conflict: 1,
		},
		"a conflict whose shop does not tell what it has is rejected": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerConflict, "")},
			outcome:  stock.Rejected, reason: "conflict", conflict: 1,
		},
		"a refused product is rejected": {
			receipts: []stock.Receipt{refused("p", "the product is locked")},
			outcome:  stock.Rejected, reason: "rejected",
		},
		"an answer nobody knows is rejected": {
			receipts: []stock.Receipt{receipt("p", had, asked, "perhaps", "")},
			outcome:  stock.Rejected, reason: "rejected",
		},
		"a planned write that was never made is rejected": {
			outcome: stock.Rejected, reason: "not_written",
		},
		"a batch that was repeated after its answer was lost counts once": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerUpdated, asked), receipt("p", had, asked, stock.AnswerUpdated, asked)},
			outcome:  stock.Updated, lowered: 1,
		},
		"a repeat that conflicts with our own write is done": {
			receipts: []stock.Receipt{receipt("p", had, asked, stock.AnswerUpdated, asked), receipt("p", had, asked, stock.AnswerConflict, asked)},
			outcome:  stock.Updated, lowered: 1, conflict: 1,
		},
		"a receipt of another product does not count": {
			receipts: []stock.Receipt{receipt("x", had, asked, stock.AnswerUpdated, asked)},
			outcome:  stock.Rejected, reason: "not_written",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(byNumber(), []stock.Item{item("A", "", asked)}, product("p", "A", "", had))
			counts, samples, _ := stock.Settle(p, tc.receipts)

			want := stock.Counts{KrosItems: 1, Products: 1, Lowered: tc.lowered, Conflicts: tc.conflict}
			switch tc.outcome {
			case stock.Updated:
				want.Updated = 1
			case stock.Unchanged:
				want.Unchanged = 1
			case stock.Rejected:
				want.Rejected = 1
			}
			require.Equal(t, want, counts)
			if tc.reason == "" {
				require.Empty(t, samples)
				return
			}
			sample := samples["rejected"][0]
			require.Equal(t, []string{"A", "p", tc.reason}, []string{sample.Item, sample.Product, sample.ReasonCode})
			require.NotEmpty(t, sample.Reason)
		})
	}
}

func TestTheShopsOwnReasonReachesTheMerchantCapped(t *testing.T) {
	p := plan(byNumber(), []stock.Item{item("A", "", "3")}, product("p", "A", "", "5"))
	_, samples, _ := stock.Settle(p, []stock.Receipt{refused("p", "the product is locked")})
	require.Equal(t, "the product is locked", samples["rejected"][0].Reason)

	_, samples, _ = stock.Settle(p, []stock.Receipt{refused("p", strings.Repeat("x", 10_000))})
	require.Len(t, []rune(samples["rejected"][0].Reason), 200)
}

func TestRejectedComesBeforeHeldUpdatedAndUnchanged(t *testing.T) {
	entry := func(id string) stock.Entry { return stock.Entry{Product: id, From: dec("5"), To: dec("3")} }
	same := stock.Entry{Product: "same", From: dec("3"), To: dec("3")}
	updated := receipt("1", "5", "3", stock.AnswerUpdated, "3")

	for name, tc := range map[string]struct {
		line     stock.Line
		receipts []stock.Receipt
		want     stock.Counts
	}{
		"updated before unchanged": {
			stock.Line{Entries: []stock.Entry{same, entry("1")}}, []stock.Receipt{updated},
			stock.Counts{Updated: 1, Lowered: 1},
		},
		"held before updated": {
			stock.Line{Outcome: stock.Held, Entries: []stock.Entry{same, entry("1")}}, []stock.Receipt{updated},
			stock.Counts{Held: 1, Lowered: 1},
		},
		"rejected before updated": {
			stock.Line{Entries: []stock.Entry{entry("2"), entry("1")}}, []stock.Receipt{updated, refused("2", "")},
			stock.Counts{Rejected: 1, Lowered: 1},
		},
		"rejected before held": {
			stock.Line{Outcome: stock.Held, Entries: []stock.Entry{same, entry("2")}}, []stock.Receipt{refused("2", "")},
			stock.Counts{Rejected: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.KrosItems, tc.want.Products, tc.want.Shared = 1, 2, 2
			counts, _, _ := stock.Settle(stock.Plan{Lines: []stock.Line{tc.line}}, tc.receipts)
			require.Equal(t, tc.want, counts)
		})
	}
}

func TestSettleCountsWhatWasReallyWritten(t *testing.T) {
	p := plan(byNumber(),
		[]stock.Item{item("A", "", "0"), item("B", "", "0"), item("C", "", "9"), item("D", "", "9")},
		product("a", "A", "", "5"), product("b", "B", "", "5"), product("c", "C", "", "5"), product("d", "D", "", "5"))
	require.Equal(t, 2, p.Counts().Zeroed)

	receipts := []stock.Receipt{
		receipt("a", "5", "0", stock.AnswerUpdated, "0"),
		receipt("b", "5", "0", stock.AnswerRejected, ""),
		receipt("c", "5", "9", stock.AnswerConflict, "12"),
		receipt("c", "12", "9", stock.AnswerUpdated, "9"), // planned up, written down
		receipt("d", "5", "9", stock.AnswerUnchanged, "9"),
	}
	counts, _, zeroed := stock.Settle(p, receipts)
	require.Equal(t, stock.Counts{
		KrosItems: 4, Updated: 2, Unchanged: 1, Rejected: 1, Products: 4, Lowered: 2, Zeroed: 1, Conflicts: 1,
	}, counts)
	require.Equal(t, 1, zeroed)

	p.Lines[0].Entries[0].Approved = true
	counts, _, zeroed = stock.Settle(p, receipts)
	require.Equal(t, 1, counts.Zeroed)
	require.Zero(t, zeroed, "a person has said so")
}

func TestSeveralWritesOfOneProductCountFromTheFirstToTheLast(t *testing.T) {
	p := plan(byNumber(), []stock.Item{item("A", "", "7")}, product("p", "A", "", "5"))
	counts, _, _ := stock.Settle(p, []stock.Receipt{
		receipt("p", "5", "9", stock.AnswerUpdated, ""), receipt("p", "9", "7", stock.AnswerUpdated, ""),
	})
	require.Equal(t, stock.Counts{KrosItems: 1, Updated: 1, Products: 1, Raised: 1}, counts)
}

func TestAPlanFullyWrittenSettlesAsItWasCounted(t *testing.T) {
	p := plan(byNumber(),
		[]stock.Item{item("A", "", "0"), item("B", "", "5"), item("C", "", "9"), item("D", ""), item("E", "", "1")},
		product("a", "A", "", "5"), product("b", "B", "", "5"), product("c1", "C", "", "5"), product("c2", "C", "", "5"))
	var receipts []stock.Receipt
	for _, w := range p.Writes() {
		receipts = append(receipts, stock.Receipt{Item: w.Item, Product: w.Product, Had: w.From, Asked: w.To, Answer: stock.AnswerUpdated})
	}
	counts, samples, _ := stock.Settle(p, receipts)
	require.Equal(t, p.Counts(), counts)
	require.Equal(t, p.Samples(), samples)
}

func TestAReplanThatNeedsNoWriteSettlesItsConflicts(t *testing.T) {
	items := []stock.Item{item("A", "", "3"), item("B", "", "3")}
	base := plan(byNumber(), items, product("a", "A", "", "5"), product("b", "B", "", "5"))
	conflicts := []stock.Receipt{receipt("a", "5", "3", stock.AnswerConflict, ""), receipt("b", "5", "3", stock.AnswerConflict, "")}
	again, _ := stock.Replan(byNumber(), base, []stock.Product{product("a", "A", "", "3"), product("b", "B", "", "4")}, nil, day)

	counts, _, _ := stock.Settle(base, append(conflicts, again.AlreadyRight()...))
	require.Equal(t, 1, counts.Unchanged)
	require.Equal(t, 1, counts.Rejected)
	require.Equal(t, 2, counts.Conflicts)
}

func TestAReceiptSurvivesItsArchive(t *testing.T) {
	zero := decimal.Zero
	for _, r := range []stock.Receipt{
		{Item: "A", Product: "p", Had: dec("5"), Asked: dec("0"), Kros: dec("0.5"), Answer: stock.AnswerUpdated, Now: &zero},
		{Product: "p", Answer: stock.AnswerRejected, Reason: "locked"},
	} {
		text, err := json.Marshal(r)
		require.NoError(t, err)
		var back stock.Receipt
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, fmt.Sprint(r.Had, r.Asked, r.Kros, r.Answer, r.Now, r.Reason), fmt.Sprint(back.Had, back.Asked, back.Kros, back.Answer, back.Now, back.Reason))
	}
}
