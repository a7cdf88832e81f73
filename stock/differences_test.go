package stock_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

// What a dry run shows, what a plan writes and what a pass reports that it
// changed are the same, for 1,000 catalogues.
func TestDryRunPlanAndPassChangeTheSame(t *testing.T) {
	const rounds = 10 // of 100 each
	for round := range rounds {
		t.Run(fmt.Sprint(round), rapid.MakeCheck(func(t *rapid.T) {
			in := inputs().Draw(t, "input")
			p := stock.NewPlan(in)

			var shown []stock.Write
			for _, d := range p.Differences(in.Items) {
				if d.Changes() {
					e := d.Entry
					shown = append(shown, stock.Write{Item: d.Line.Item, Product: e.Product, From: e.From, To: e.To, Kros: e.Kros, Unbooked: e.Unbooked})
				}
			}
			require.Equal(t, byProduct(p.Writes()), byProduct(shown))

			receipts := lo.Map(p.Writes(), func(w stock.Write, _ int) stock.Receipt {
				return stock.Receipt{Item: w.Item, Product: w.Product, Had: w.From, Asked: w.To, Kros: w.Kros, Answer: stock.AnswerUpdated}
			})
			counts, _, _ := stock.Settle(p, receipts)
			require.Equal(t, p.Counts(), counts)
		}))
	}
}

func TestEveryItemThatIsNotWrittenIsShownWithItsReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		p := stock.NewPlan(in)
		idle := 0
		for _, d := range p.Differences(in.Items) {
			if d.Entry == nil {
				idle++
				require.NotEmpty(t, d.Line.Reason)
			}
		}
		counts := p.Counts()
		zeroed := lo.CountBy(p.Lines, func(line stock.Line) bool { return line.Missing && len(line.Entries) > 0 })
		require.Equal(t, counts.Unmatched+counts.Ambiguous+counts.Skipped+counts.Missing-zeroed, idle)
	})
}

func TestALineKnowsTheRowThatItWasMadeOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs().Draw(t, "input")
		p := stock.NewPlan(in)
		for i, source := range p.Sources(in.Items) {
			line := p.Lines[i]
			if line.Missing {
				require.Equal(t, stock.Item{}, source)
				continue
			}
			require.Equal(t, line.Item, stock.CleanKey(source.Code))
			require.Equal(t, line.Name, source.Name)
			key := lo.Ternary(in.Rules.Match == stock.ByEAN, source.EAN, source.Code)
			require.Equal(t, line.Key, stock.CleanKey(key), "also where two items have one code and name")
		}
	})
}

func TestChangesComeBeforeWhatStays(t *testing.T) {
	d := decimal.NewFromInt
	zero := d(0)
	p := stock.Plan{Lines: []stock.Line{
		{Item: "A", Outcome: stock.Unmatched, ReasonCode: stock.ReasonNoProduct},
		{Item: "B", Outcome: stock.Unchanged, Entries: []stock.Entry{{Product: "in step", From: d(3), To: d(3), Kros: d(3)}}},
		{Item: "C", Outcome: stock.Held, Entries: []stock.Entry{{Product: "held", From: d(3), To: d(3), Want: &zero}, {Product: "raised", From: d(1), To: d(3)}}},
		{Item: "D", Outcome: stock.Unchanged, Entries: []stock.Entry{{Product: "sold", From: d(6), To: d(6), Kros: d(10), Unbooked: d(4)}}},
		{Item: "E", Outcome: stock.Held, Entries: []stock.Entry{{Product: "dismissed", From: d(6), To: d(6), Want: &zero, Dismissed: true}}},
		{Item: "F", Missing: true, ReasonCode: stock.ReasonMissingKept},
		{Item: "0", Outcome: stock.Unchanged, Entries: []stock.Entry{{Product: "sold out", Unbooked: d(4)}}},
		{Item: "G", Outcome: stock.Updated, Entries: []stock.Entry{{Product: "lowered", From: d(6), To: d(2)}}},
	}}
	got := lo.Map(p.Differences(nil), func(d stock.Difference, _ int) string {
		return d.Line.Item + lo.TernaryF(d.Entry == nil, func() string { return "" }, func() string { return " " + d.Entry.Product })
	})
	require.Equal(t, []string{"C raised", "G lowered", "C held", "D sold", "E dismissed", "A", "F"}, got)
}

func byProduct(writes []stock.Write) []stock.Write {
	return slices.SortedFunc(slices.Values(writes), func(a, b stock.Write) int { return cmp.Compare(a.Product, b.Product) })
}
