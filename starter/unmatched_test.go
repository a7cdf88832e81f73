package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// listing answers as Worklist and Inspect would, in pages of two rows.
func listing(rows ...stock.WorkRow) *fakeTemporal {
	ref := protocol.Ref{Bucket: "b", Key: "acme/worklist/dry-1", Rows: len(rows)}
	return &fakeTemporal{workflows: map[string]func(context.Context, string, any) (any, error){
		protocol.Worklist: func(_ context.Context, id string, in any) (any, error) {
			if id != protocol.WorklistID("acme", "id-1") || in != (protocol.WorklistRequest{Shop: "acme"}) {
				return nil, fmt.Errorf("asked for %s with %v", id, in)
			}
			return protocol.WorklistMade{Rows: ref, Counts: stock.CountWork(rows), Match: stock.ByNumber, Items: 1240, Products: 1300, KrosReadAt: now}, nil
		},
		protocol.Inspect: func(_ context.Context, _ string, in any) (any, error) {
			request := in.(protocol.InspectRequest)
			if request.Ref != ref || request.Kind != protocol.InspectWorklist {
				return nil, fmt.Errorf("asked for %+v", request)
			}
			page := protocol.InspectPage{Ref: ref, Total: len(rows)}
			for _, row := range lo.Slice(rows, request.Offset, request.Offset+2) {
				text, err := json.Marshal(row)
				if err != nil {
					return nil, err
				}
				page.Rows = append(page.Rows, text)
			}
			if next := request.Offset + 2; next < len(rows) {
				page.Next = next
			}
			return page, nil
		},
	}}
}

func workRows() []stock.WorkRow {
	near := stock.WorkProduct{ID: "p-7", Number: "a-1", Name: "Čaj", Quantity: decimal.NewFromInt(3)}
	rows := []stock.WorkRow{
		{
			Kind: stock.WorkNoProduct, ReasonCode: stock.ReasonNoProduct, Reason: "no product of the e-shop has item code A-1", Products: []stock.WorkProduct{},
			Items: []stock.WorkItem{{Code: "A-1", Name: "Čaj, sypaný", EAN: "8580001000012", Quantity: decimal.RequireFromString("17.5")}},
			Hints: []stock.Hint{{Why: []stock.Why{stock.WhySpelling}, Product: &near, Text: "differs in case"}},
		},
		{
			Kind: stock.WorkNoItem, ReasonCode: stock.ReasonNoItem, Reason: "no item of KROS has item code =1+1", Items: []stock.WorkItem{}, Hints: []stock.Hint{},
			Products: []stock.WorkProduct{{ID: "p-9", Number: "=1+1", Name: "@SUM(A1)", Quantity: decimal.NewFromInt(-2)}},
		},
		{
			Kind: stock.WorkAmbiguous, ReasonCode: stock.ReasonSharedKey, Reason: "EAN 8580001000029 belongs in KROS to C as well", Hints: []stock.Hint{},
			Items:    []stock.WorkItem{{Code: "B", Name: "Med"}, {Code: "C", Name: "Vosk"}},
			Products: []stock.WorkProduct{{ID: "p-1", Number: "B", Name: "Med", Gone: true}, {ID: "p-2", Number: "C", Name: "Vosk"}},
		},
	}
	for i := range rows {
		rows[i].Cure = message.Cure(rows[i], stock.ByNumber)
	}
	return rows
}

func TestUnmatchedPrintsTheWholeListAsJSON(t *testing.T) {
	d := skladom(t, listing(workRows()...), "unmatched", "acme", "--json")
	require.Equal(t, statusDone, d.status, "something on the list is no failure")
	v := document(t, d)
	require.ElementsMatch(t, []string{"shop", "krosReadAt", "counts", "rows"}, keys(v))
	require.Equal(t, "acme", v["shop"])
	require.Equal(t, map[string]any{"lost": 0., "item": 1., "product": 1., "ambiguous": 1.}, v["counts"])
	rows := v["rows"].([]any)
	require.Len(t, rows, 3, "all pages")
	first := rows[0].(map[string]any)
	require.ElementsMatch(t, strings.Fields("kind items products reasonCode reason cure hints"), keys(first))
	require.Equal(t, "17.5", first["items"].([]any)[0].(map[string]any)["quantity"])
	hint := first["hints"].([]any)[0].(map[string]any)
	require.Equal(t, "p-7", hint["product"].(map[string]any)["id"])
	require.Equal(t, []any{"spelling"}, hint["why"])

	d = skladom(t, listing(), "unmatched", "acme", "--json")
	require.Equal(t, []any{}, document(t, d)["rows"])
}

func TestUnmatchedPrintsTheWholeListAsCSV(t *testing.T) {
	d := skladom(t, listing(workRows()...), "unmatched", "acme", "--csv")
	require.Equal(t, statusDone, d.status)
	require.Empty(t, d.stderr)
	rows, err := csv.NewReader(strings.NewReader(d.stdout)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, workHeader, rows[0])
	cure := func(i int) string { return workRows()[i].Cure }
	require.Equal(t, [][]string{
		{"item", "A-1", "Čaj, sypaný", "8580001000012", "17.5", "", "", "", "", "", "no_product", "no product of the e-shop has item code A-1", cure(0), "a-1 Čaj (differs in case)"},
		{"product", "", "", "", "", "p-9", "'=1+1", "", "'@SUM(A1)", "'-2", "no_item", "no item of KROS has item code =1+1", cure(1), ""},
		{"ambiguous", "B | C", "Med | Vosk", " | ", "0 | 0", "p-1 | p-2", "B | C", " | ", "Med | Vosk", " | 0", "shared_key", "EAN 8580001000029 belongs in KROS to C as well", cure(2), ""},
	}, rows[1:])

	d = skladom(t, listing(), "unmatched", "acme", "--csv")
	require.Equal(t, strings.Join(workHeader, ",")+"\n", d.stdout, "a header even where there is nothing")
}

func TestUnmatchedShowsATableForPeople(t *testing.T) {
	many := lo.Times(shownWork+5, func(i int) stock.WorkRow {
		row := workRows()[0]
		row.Items = []stock.WorkItem{{Code: fmt.Sprintf("A-%02d", i)}}
		return row
	})
	whole := skladom(t, listing(many...), "unmatched", "acme")
	require.Equal(t, statusDone, whole.status)
	require.Contains(t, whole.stdout, "ITEMS OF KROS WITHOUT A PRODUCT: 15")
	require.Contains(t, whole.stdout, "A-14", "into a pipe goes all of it")

	env := surroundings(listing(many...))
	env.terminal = true
	short := runIn(t.Context(), env, "unmatched", "acme")
	require.Contains(t, short.stdout, "A-09")
	require.NotContains(t, short.stdout, "A-10")
	require.Contains(t, short.stdout, "... and 5 more")
	require.Contains(t, short.stdout, "skladom unmatched acme --csv")

	require.Contains(t, skladom(t, listing(), "unmatched", "acme").stdout, "acme: nothing to put right.")
}

func TestUnmatchedWithoutACatalogueSaysHowToGetOne(t *testing.T) {
	f := &fakeTemporal{workflows: map[string]func(context.Context, string, any) (any, error){
		protocol.Worklist: func(context.Context, string, any) (any, error) {
			return protocol.WorklistMade{Failure: message.NoCatalogue("acme")}, nil
		},
	}}
	d := skladom(t, f, "unmatched", "acme")
	require.Equal(t, statusFailed, d.status)
	require.Contains(t, strings.Join(strings.Fields(d.stderr), " "), "skladom activate acme --dry-run")
	d = skladom(t, f, "unmatched", "acme", "--json")
	require.Equal(t, statusFailed, d.status)
	require.Equal(t, message.NoCatalogue("acme").Message, document(t, d)["failure"].(map[string]any)["message"])
}

func TestUnmatchedIsEitherCSVOrJSON(t *testing.T) {
	require.Equal(t, statusUsage, skladom(t, listing(), "unmatched", "acme", "--csv", "--json").status)
	require.Equal(t, statusUsage, skladom(t, listing(), "unmatched").status)
}
