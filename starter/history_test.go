package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// archive answers History and Inspect from records and objects, in pages of two.
type archive struct {
	records []protocol.PassRecord // newest first
	objects map[string][]any      // by key
}

func (s archive) serve(f *fakeTemporal) *fakeTemporal {
	const page = 2
	if f.workflows == nil {
		f.workflows = map[string]func(context.Context, string, any) (any, error){}
	}
	f.workflows[protocol.History] = func(_ context.Context, _ string, in any) (any, error) {
		r := in.(protocol.HistoryRequest)
		older := lo.Filter(s.records, func(p protocol.PassRecord, _ int) bool { return r.Before == 0 || p.Report.Pass < r.Before })
		n := min(len(older), page, r.Limit)
		answer := protocol.HistoryPage{Records: older[:n]}
		if n < len(older) {
			answer.Next = older[n-1].Report.Pass
		}
		return answer, nil
	}
	f.workflows[protocol.Inspect] = func(_ context.Context, _ string, in any) (any, error) {
		r := in.(protocol.InspectRequest)
		rows, ok := s.objects[r.Ref.Key]
		if !ok {
			return nil, fmt.Errorf("asked for %v", r)
		}
		end := min(len(rows), r.Offset+page)
		texts := lo.Map(rows[r.Offset:end], func(row any, _ int) json.RawMessage { return lo.Must(json.Marshal(row)) })
		return protocol.InspectPage{Ref: r.Ref, Rows: texts, Next: lo.Ternary(end < len(rows), end, 0), Total: len(rows)}, nil
	}
	return f
}

func record(pass int64, change func(*protocol.PassRecord)) protocol.PassRecord {
	r := protocol.PassRecord{
		Report: protocol.Report{
			Shop: "acme", Pass: pass, Trigger: protocol.TriggerSchedule, Result: protocol.ResultOK,
			StartedAt: now.Add(time.Duration(pass) * time.Hour), FinishedAt: now.Add(time.Duration(pass)*time.Hour + 2*time.Second),
			Counts: stock.Counts{KrosItems: 40, Updated: 3, Unchanged: 37, Raised: 2, Lowered: 1},
		},
		Settings: protocol.Settings{Rules: stock.Rules{Match: stock.ByNumber}},
	}
	if change != nil {
		change(&r)
	}
	return r
}

func written(product, had, asked string, answer stock.Answer) stock.Receipt {
	return stock.Receipt{
		Item: "I-" + product, Product: product, Had: decimal.RequireFromString(had), Asked: decimal.RequireFromString(asked),
		Kros: decimal.RequireFromString(asked), Answer: answer,
	}
}

// past is a shop with a past: two passes, one with other settings, a rollback
// and a pass that left no report.
func past() archive {
	receipt := protocol.Ref{Bucket: "b", Key: "receipt"}
	return archive{
		records: []protocol.PassRecord{
			record(14, func(r *protocol.PassRecord) {
				r.Report.Trigger, r.By, r.Undoes = protocol.TriggerRollback, "jana", 12
			}),
			{Report: protocol.Report{Shop: "acme", Pass: 13, StartedAt: now.Add(13 * time.Hour)}, Receipts: []protocol.Ref{receipt}},
			record(12, func(r *protocol.PassRecord) {
				r.Report.Trigger, r.By, r.Receipts = protocol.TriggerManual, "jana", []protocol.Ref{receipt}
				r.Settings.Rules.Match = stock.ByEAN
			}),
			record(7, func(r *protocol.PassRecord) {
				r.Report.Result, r.Report.Failure = protocol.ResultFailed, message.Failure(protocol.KrosUnavailable, message.Params{})
				r.Report.Counts = stock.Counts{}
			}),
		},
		objects: map[string][]any{"receipt": {
			written("p-1", "2", "9", "updated"), written("p-2", "9", "0", "updated"), written("p-3", "9", "4", "rejected"),
		}},
	}
}

func TestHistoryListsPassesNewestFirst(t *testing.T) {
	d := skladom(t, past().serve(&fakeTemporal{}), "history", "acme", "--config", settings(t, map[string]string{"acme.hcl": acme}))
	require.Equal(t, statusDone, d.status, d)
	require.Equal(t, `Passes of acme, times of Europe/London:

  PASS  BEGAN         TOOK  BY            RESULT             CHANGED
    14  24 Dec 23:30  2s    rollback,     ok undid pass 12   2 up, 1 down,
                            jana                             settings: match
    13  24 Dec 22:30                      no report
    12  24 Dec 21:30  2s    by hand,      ok                 2 up, 1 down,
                            jana                             settings: match
     7  24 Dec 16:30  2s    on schedule   failed
                                          kros_unavailable

What a pass changed: skladom history acme 14
`, d.stdout)
}

func TestHistoryAsJSON(t *testing.T) {
	v := document(t, skladom(t, past().serve(&fakeTemporal{}), "history", "acme", "--limit", "3", "--json"))
	require.ElementsMatch(t, []string{"shop", "passes", "more"}, keys(v))
	require.Equal(t, true, v["more"])
	passes := v["passes"].([]any)
	require.Len(t, passes, 3)
	rollback := passes[0].(map[string]any)
	require.ElementsMatch(t, append([]string{"by", "undoes", "settingsChanged"}, reportKeys...), keys(rollback))
	require.Equal(t, 12.0, rollback["undoes"])
	manual := passes[2].(map[string]any)
	require.Equal(t, []any{map[string]any{"setting": "match", "before": "number", "after": "ean"}}, manual["settingsChanged"], "against one that is not shown")
}

func TestTheLastPassIsShownThoughItLeftNoRecord(t *testing.T) {
	f := past().serve(&fakeTemporal{})
	f.describe = running
	f.query = func(context.Context) (any, error) {
		return protocol.Status{Shop: "acme", LastPass: &protocol.Report{Shop: "acme", Pass: 20, Trigger: protocol.TriggerSchedule, Result: protocol.ResultOK, StartedAt: now, FinishedAt: now}}, nil
	}
	require.Contains(t, skladom(t, f, "history", "acme").stdout, "    20  24 Dec 10:30  1s    on schedule   ok")
	f.describe = func(context.Context, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
		return nil, fmt.Errorf("trouble")
	}
	require.Equal(t, statusDone, skladom(t, f, "history", "acme").status, "a shop that cannot be asked has its history still")
}

func TestHistoryOfNothing(t *testing.T) {
	d := skladom(t, archive{}.serve(&fakeTemporal{}), "history", "acme")
	require.Equal(t, statusDone, d.status)
	require.Equal(t, "The archive tells of no pass of acme.\n", d.stdout)
	require.Equal(t, []any{}, document(t, skladom(t, archive{}.serve(&fakeTemporal{}), "history", "acme", "--json"))["passes"])
}

func TestOfManyPassesTheNewestAreShown(t *testing.T) {
	many := archive{records: lo.Times(60, func(i int) protocol.PassRecord { return record(int64(60-i), nil) })}
	d := skladom(t, many.serve(&fakeTemporal{}), "history", "acme")
	require.Contains(t, d.stdout, "\n    11  ")
	require.NotContains(t, d.stdout, "\n    10  ")
	require.Contains(t, d.stdout, "There are older ones: skladom history acme --limit 200\n")
}

func TestHistoryOfOnePassShowsWhatItChanged(t *testing.T) {
	d := skladom(t, past().serve(&fakeTemporal{}), "history", "acme", "12", "--config", settings(t, map[string]string{"acme.hcl": acme}))
	require.Equal(t, statusDone, d.status, d)
	require.Equal(t, `acme: pass 12 of 24 Dec 2026 21:30 GMT (by hand) took 2s.

  40 items in KROS
   3  updated    products: 2 up, 1 down
  37  unchanged  the e-shop shows the right quantity already

  Asked for by jana.

  Settings that were other ones in pass 7

  SETTING  BEFORE  AFTER
  match    number  ean

  Products: 2 up, 1 down, 0 of them to 0

  ITEM   PRODUCT  BEFORE  AFTER  KROS  ANSWER
  I-p-1  p-1           2      9     9  updated
  I-p-2  p-2           9      0     0  updated
  I-p-3  p-3           9      9     4  rejected
`, d.stdout)

	v := document(t, skladom(t, past().serve(&fakeTemporal{}), "history", "acme", "12", "--json"))
	require.ElementsMatch(t, append([]string{"by", "settingsChanged", "changes"}, reportKeys...), keys(v))
	require.Equal(t, map[string]any{
		"item": "I-p-3", "product": "p-3", "before": "9", "after": "9", "kros": "4", "answer": "rejected", "reason": "",
	}, v["changes"].([]any)[2])
}

func TestAPassWithoutAReportIsCountedFromWhatItWrote(t *testing.T) {
	d := skladom(t, past().serve(&fakeTemporal{}), "history", "acme", "13")
	require.Contains(t, d.stdout, "left no report")
	require.Contains(t, d.stdout, "Products: 1 up, 1 down, 1 of them to 0")
}

func TestAPassThatTheArchiveDoesNotKnow(t *testing.T) {
	for _, pass := range []string{"8", "99"} {
		d := skladom(t, past().serve(&fakeTemporal{}), "history", "acme", pass, "--json")
		require.Equal(t, statusFailed, d.status)
		require.Contains(t, document(t, d)["failure"].(map[string]any)["message"], "no record of pass "+pass)
	}
}

func TestChangesAsCSVHoldNoFormula(t *testing.T) {
	s := past()
	evil := written("=HYPERLINK(1)", "2", "9", "rejected")
	evil.Item, evil.Reason = "+421", "@SUM(A1)"
	s.objects["receipt"] = append(s.objects["receipt"], evil)
	d := skladom(t, s.serve(&fakeTemporal{}), "history", "acme", "12", "--csv")
	require.Equal(t, statusDone, d.status, d)
	rows, err := csv.NewReader(strings.NewReader(d.stdout)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, [][]string{
		{"item", "product", "before", "after", "kros", "answer", "reason"},
		{"I-p-1", "p-1", "2", "9", "9", "updated", ""},
		{"I-p-2", "p-2", "9", "0", "0", "updated", ""},
		{"I-p-3", "p-3", "9", "9", "4", "rejected", ""},
		{"'+421", "'=HYPERLINK(1)", "2", "2", "9", "rejected", "'@SUM(A1)"},
	}, rows)
}

func TestWrongUsesOfHistory(t *testing.T) {
	for _, args := range [][]string{
		{}, {"acme", "1", "2"}, {"acme", "x"}, {"acme", "0"}, {"acme", "-1"}, {"acme", "--csv"}, {"acme", "1", "--csv", "--json"}, {"acme", "--limit", "0"}, {"Acme"},
	} {
		f := &fakeTemporal{}
		require.Equal(t, statusUsage, skladom(t, f, append([]string{"history"}, args...)...).status, args)
		require.Empty(t, f.started)
	}
}
