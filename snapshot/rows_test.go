package snapshot

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

// Texts that JSON has to escape, or that are no UTF-8, and the words that rows
// have many of.
func texts() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "Čaj \"50 g\"", "a\\b\n\t\x00", "\u2028<&>", "\xff\xfe", "updated", "no_product", "😀",
	}))
}

func numbers() *rapid.Generator[decimal.Decimal] {
	return rapid.Custom(func(t *rapid.T) decimal.Decimal {
		return rapid.SampledFrom([]func() decimal.Decimal{
			func() decimal.Decimal { return decimal.Decimal{} },
			func() decimal.Decimal { return decimal.New(rapid.Int64().Draw(t, "any"), 0) },
			func() decimal.Decimal { return decimal.New(rapid.Int64Range(-999, 999).Draw(t, "small"), -2) },
			func() decimal.Decimal {
				return decimal.New(rapid.Int64().Draw(t, "value"), rapid.Int32Range(-20, 20).Draw(t, "exponent"))
			},
		}).Draw(t, "kind")()
	})
}

func times() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond"))
		return at.In(rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("CET", 3600)}).Draw(t, "zone"))
	})
}

func entryRows() *rapid.Generator[stock.Entry] {
	return rapid.Custom(func(t *rapid.T) stock.Entry {
		return stock.Entry{
			Product: texts().Draw(t, "product"), Name: texts().Draw(t, "name"),
			From: numbers().Draw(t, "from"), To: numbers().Draw(t, "to"), Kros: numbers().Draw(t, "kros"), Unbooked: numbers().Draw(t, "unbooked"),
			Wrote: rapid.Bool().Draw(t, "wrote"), Want: rapid.Ptr(numbers(), true).Draw(t, "want"),
			Approved: rapid.Bool().Draw(t, "approved"), Dismissed: rapid.Bool().Draw(t, "dismissed"),
		}
	})
}

func catalogueLines() *rapid.Generator[CatalogueLine] {
	rows := rapid.Custom(func(t *rapid.T) stock.Row {
		return stock.Row{Warehouse: texts().Draw(t, "warehouse"), Quantity: numbers().Draw(t, "quantity")}
	})
	return rapid.Custom(func(t *rapid.T) CatalogueLine {
		return CatalogueLine{Gone: rapid.Bool().Draw(t, "gone"), Item: stock.Item{
			Code: texts().Draw(t, "code"), Name: texts().Draw(t, "name"), EAN: texts().Draw(t, "ean"), Unit: texts().Draw(t, "unit"),
			Rows: rapid.SliceOfN(rows, 0, 3).Draw(t, "rows"), Tracked: rapid.Bool().Draw(t, "tracked"),
		}}
	})
}

func planLines() *rapid.Generator[stock.Line] {
	sales := rapid.Custom(func(t *rapid.T) stock.Sale {
		return stock.Sale{Quantity: numbers().Draw(t, "quantity"), Seen: times().Draw(t, "seen")}
	})
	return rapid.Custom(func(t *rapid.T) stock.Line {
		return stock.Line{
			Item: texts().Draw(t, "item"), Name: texts().Draw(t, "name"), Key: texts().Draw(t, "key"),
			Outcome: stock.Outcome(texts().Draw(t, "outcome")), ReasonCode: texts().Draw(t, "reasonCode"), Reason: texts().Draw(t, "reason"),
			Kros:   numbers().Draw(t, "kros"),
			Others: rapid.SliceOfN(texts(), 0, 2).Draw(t, "others"), Paired: rapid.SliceOfN(texts(), 0, 2).Draw(t, "paired"),
			NoStock: rapid.Bool().Draw(t, "noStock"), Missing: rapid.Bool().Draw(t, "missing"), Past: rapid.Bool().Draw(t, "past"),
			Entries: rapid.SliceOfN(entryRows(), 0, 3).Draw(t, "entries"), Sold: rapid.SliceOfN(sales, 0, 2).Draw(t, "sold"),
			Booked: rapid.Ptr(numbers(), true).Draw(t, "booked"), Kept: rapid.SliceOfN(entryRows(), 0, 2).Draw(t, "kept"),
		}
	})
}

func receipts() *rapid.Generator[stock.Receipt] {
	return rapid.Custom(func(t *rapid.T) stock.Receipt {
		return stock.Receipt{
			Item: texts().Draw(t, "item"), Product: texts().Draw(t, "product"),
			Had: numbers().Draw(t, "had"), Asked: numbers().Draw(t, "asked"), Kros: numbers().Draw(t, "kros"),
			Answer: stock.Answer(texts().Draw(t, "answer")), Now: rapid.Ptr(numbers(), true).Draw(t, "now"), Reason: texts().Draw(t, "reason"),
			Repeated: rapid.Bool().Draw(t, "repeated"),
		}
	})
}

func TestRowsAreWrittenAndReadAsEncodingJSONDoes(t *testing.T) {
	t.Run("catalogue", rapid.MakeCheck(alike(catalogueLines())))
	t.Run("plan", rapid.MakeCheck(alike(planLines())))
	t.Run("receipt", rapid.MakeCheck(alike(receipts())))
}

// alike compares each way with encoding/json: what is written says the same,
// field by field and in its order, and the same is read.
func alike[T any](rows *rapid.Generator[T]) func(*rapid.T) {
	var reader rowReader // the rows before must not show in later ones
	var kept []struct{ got, want T }
	return func(t *rapid.T) {
		row := rows.Draw(t, "row")
		theirs, err := json.Marshal(row)
		require.NoError(t, err)
		ours, err := appendRow(nil, &row)
		require.NoError(t, err)
		var got, want T
		require.Equal(t, tokens(t, theirs), tokens(t, ours))

		require.NoError(t, json.Unmarshal(theirs, &want))
		require.NoError(t, reader.read(ours, &got))
		kept = append(kept, struct{ got, want T }{got, want})
		for _, k := range kept[max(0, len(kept)-20):] {
			require.Empty(t, cmp.Diff(k.want, k.got, cmpopts.EquateEmpty()))
		}
	}
}

// tokens are a text of JSON in its order, but for how it is spelled.
func tokens(t *rapid.T, text []byte) []string {
	var all []string
	var value json.RawMessage
	require.NoError(t, json.Unmarshal(text, &value), "%s", text)
	decoder := json.NewDecoder(bytes.NewReader(text))
	for decoder.More() || len(all) == 0 || decoder.InputOffset() < int64(len(text)) {
		token, err := decoder.Token()
		require.NoError(t, err)
		word, err := json.Marshal(token)
		require.NoError(t, err)
		all = append(all, string(word))
	}
	return all
}

// Whoever adds a field to a row learns here that rows.go has to know of it.
func TestEveryFieldOfARowIsWrittenAndRead(t *testing.T) {
	every(t, CatalogueLine{})
	every(t, stock.Line{})
	every(t, stock.Receipt{})
}

func every[T any](t *testing.T, row T) {
	fill(t, reflect.ValueOf(&row).Elem())
	theirs, err := json.Marshal(row)
	require.NoError(t, err)
	ours, err := appendRow(nil, &row)
	require.NoError(t, err)
	require.Equal(t, string(theirs), string(ours))
	var got T
	require.NoError(t, new(rowReader).read(ours, &got))
	require.Empty(t, cmp.Diff(row, got))
}

// fill sets every field to something else than nothing.
func fill(t *testing.T, v reflect.Value) {
	switch value := v.Addr().Interface().(type) {
	case *decimal.Decimal:
		*value = decimal.New(125, -1)
		return
	case *time.Time:
		*value = time.Unix(1_700_000_000, 0).UTC()
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("a row has a field of kind %s: see to it in rows.go", v.Kind())
	}
}

func TestRowsOfLaterReleasesAreRead(t *testing.T) {
	var reader rowReader
	var line stock.Line
	require.NoError(t, reader.read([]byte(`{"item":"A","since":{"x":[1,null]},"kros":12,"entries":[{"product":"p","from":null,"later":true}],"sold":null}`), &line))
	require.Equal(t, stock.Line{Item: "A", Kros: decimal.NewFromInt(12), Entries: []stock.Entry{{Product: "p"}}}, line)
}

func FuzzReadRows(f *testing.F) {
	for _, seed := range []string{
		`{"code":"A","rows":[{"warehouse":"LT","quantity":"12.5"}],"tracked":true}`,
		`{"item":"A","outcome":"updated","kros":"1e3","entries":[{"product":"p","want":"1"}],"sold":[{"quantity":"1","seen":"2026-03-01T15:30:00Z"}],"booked":null}`,
		`{"product":"p","answer":"updated","now":"3"}`, `{"item":7}`, `null`, `[]`, `{"item":"A"`,
	} {
		f.Add([]byte(seed))
	}
	var reader rowReader
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, row := range []any{&CatalogueLine{}, &stock.Line{}, &stock.Receipt{}} {
			if reader.read(text, row) != nil {
				continue
			}
			again, err := appendRow(nil, row)
			require.NoError(t, err)
			require.True(t, json.Valid(again), "%s", again)
		}
	})
}
