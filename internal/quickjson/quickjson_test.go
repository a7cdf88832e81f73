package quickjson_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/internal/quickjson"
)

// walk reads a value as a program does that knows nothing of it, into what
// encoding/json makes of it with UseNumber.
func walk(r *quickjson.Reader) (any, error) {
	switch r.Next() {
	case '{':
		fields := map[string]any{}
		return fields, r.Object(func(name []byte) error {
			field := string(name)
			value, err := walk(r)
			if readable(field) {
				fields[field] = value
			}
			return err
		})
	case '[':
		list := []any{}
		err := r.List(func() error {
			element, err := walk(r)
			list = append(list, element)
			return err
		})
		return list, err
	}
	value, err := r.Value()
	if err != nil {
		return nil, err
	}
	switch value[0] {
	case '"':
		return r.Text(value)
	case 'n':
		return nil, nil
	case 't', 'f':
		return value[0] == 't', nil
	}
	return json.Number(value), nil
}

// readable tells whether a name is one: of what is not Unicode each decoder
// makes something else, and nobody's field is called so.
func readable(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsRune(name, utf8.RuneError)
}

// readableNames leaves the other ones out.
func readableNames(value any) any {
	switch value := value.(type) {
	case map[string]any:
		maps.DeleteFunc(value, func(name string, _ any) bool { return !readable(name) })
		for name := range value {
			value[name] = readableNames(value[name])
		}
	case []any:
		for i := range value {
			value[i] = readableNames(value[i])
		}
	}
	return value
}

func FuzzItReadsWhatEncodingJSONReads(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.50,1e3,true,false,null,"x\u00e1\ud83d\ude00\ud800",{"b":{}}],"a":""}`,
		"\"\xff\"", `[`, `[1,]`, `{"a"}`, `{"a":1,}`, `01`, ` 1 2`, ``, "\"a\nb\"", `"\x"`, "[{\"\xc3\":1}]",
	} {
		f.Add([]byte(seed))
	}
	var r quickjson.Reader
	f.Fuzz(func(t *testing.T, text []byte) {
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		var want any
		wantErr := decoder.Decode(&want)
		if wantErr == nil && decoder.More() || !json.Valid(text) {
			wantErr = json.Unmarshal([]byte(`x`), &want) // some error
		}
		r.Reset(text)
		got, err := walk(&r)
		if err == nil {
			err = r.End()
		}
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		if err == nil {
			require.Equal(t, readableNames(want), got)
		}
	})
}

func TestWhatWasReadStaysAsItWas(t *testing.T) {
	var r quickjson.Reader
	var texts []string
	for i := range 2000 { // more than lies in one piece
		r.Reset([]byte(`"` + strings.Repeat("ž", i%40) + `"`))
		value, err := r.Value()
		require.NoError(t, err)
		text, err := r.Text(value)
		require.NoError(t, err)
		texts = append(texts, text)
	}
	for i, text := range texts {
		require.Equal(t, strings.Repeat("ž", i%40), text)
	}
}

func TestNumbersAreWhatDecimalReads(t *testing.T) {
	var r quickjson.Reader
	for _, written := range []string{"0", "12", "12.50", "-3", "1e3", "123456789012345678901234567890.5", "12", "-0"} {
		got, err := r.Number([]byte(written))
		require.NoError(t, err)
		require.Equal(t, decimal.RequireFromString(written), got, "with its exponent")
	}
	for range 2 { // an error is not remembered as a number
		_, err := r.Number([]byte("veľa"))
		require.Error(t, err)
	}
}

func TestAFieldIsNamedAsEncodingJSONCompares(t *testing.T) {
	names := quickjson.Names{"itemCode", "ean", "Ean"}
	for field, want := range map[string]string{
		"itemCode": "itemCode", "ITEMcode": "itemCode", "Ean": "Ean", "EAN": "ean", "itemCodes": "", "": "",
	} {
		require.Equal(t, want, names.Of([]byte(field)), field)
	}
}

func TestAnotherShapeIsAnError(t *testing.T) {
	var r quickjson.Reader
	nothing := func() error { return nil }
	r.Reset([]byte(`["a"]`))
	require.ErrorContains(t, r.Object(func([]byte) error { return nil }), `["a"]`)
	r.Reset([]byte(`{"a":1}`))
	require.ErrorContains(t, r.List(nothing), `{"a":1}`)
	r.Reset([]byte(`7`))
	value, err := r.Value()
	require.NoError(t, err)
	_, err = r.Text(value)
	require.ErrorContains(t, err, "7 is no text")
}
