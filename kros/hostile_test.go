package kros

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/stock"
)

// Somebody else may answer in KROS's place, or KROS may go mad: that fails the
// read, and costs no more memory than a few times the longest body that is read.
func TestAHostileAnswerCostsBoundedMemory(t *testing.T) {
	many := strings.Repeat("{},", maxBody/3-100) + "{}"
	for name, hostile := range map[string]struct {
		body, says string
	}{
		"millions of items":                {`{"data":[` + many + `]}`, "more came"},
		"millions of warehouses":           {`{"data":[{"warehouses":[` + many + `]}]}`, "more than 1000 warehouses"},
		"millions of lists of warehouses":  {`{"data":[{` + strings.TrimSuffix(strings.Repeat(`"warehouses":[`+strings.TrimSuffix(strings.Repeat("{},", 1000), ",")+`],`, 5000), ",") + `}]}`, "more than 1000 warehouses"},
		"lists in lists":                   {`{"data":` + strings.Repeat("[", maxBody-64), "depth: maximum"},
		"objects in objects":               {strings.Repeat(`{"data":`, maxBody/8-8), "depth: maximum"},
		"an item code of 15 MiB":           {`{"data":[{"itemCode":"` + strings.Repeat("9", 15<<20) + `"}]}`, "is no code"},
		"a warehouse code of 15 MiB":       {`{"data":[{"warehouses":[{"code":"` + strings.Repeat("9", 15<<20) + `"}]}]}`, "is no code"},
		"a quantity of 15 MiB":             {`{"data":[{"warehouses":[{"quantityOnHand":` + strings.Repeat("9", 15<<20) + `}]}]}`, "is not a quantity"},
		"a quantity of a million digits":   {`{"data":[{"warehouses":[{"quantityOnHand":1e1000000}]}]}`, "is not a quantity"},
		"a quantity of a million decimals": {`{"data":[{"warehouses":[{"quantityOnHand":1e-1000000}]}]}`, "is not a quantity"},
	} {
		t.Run(name, func(t *testing.T) {
			body := []byte(hostile.body)
			require.LessOrEqual(t, len(body), maxBody)
			var err error
			spent := allocated(func() { _, err = decodeItems(body) })
			require.ErrorContains(t, err, hostile.says)
			require.Less(t, len(err.Error()), 1000)
			require.Less(t, spent, uint64(8*maxBody))
		})
	}
	t.Run("an endless check", func(t *testing.T) { // which takes any JSON for yes
		body := []byte("[" + many + "]")
		require.Less(t, allocated(func() { require.NoError(t, decodeCheck(body)) }), uint64(4*maxBody))
	})
}

// What is packed is unpacked no further than a body may be long.
func TestAZipBombIsUnpackedNoFurtherThanTheLimit(t *testing.T) {
	const unpacked = 1 << 28
	var bomb bytes.Buffer
	writer := gzip.NewWriter(&bomb)
	_, err := io.CopyN(writer, spaces{}, unpacked)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	require.Less(t, bomb.Len(), unpacked/500)
	for _, status := range []int{http.StatusOK, http.StatusForbidden} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(status)
			_, _ = w.Write(bomb.Bytes())
		}))
		client, err := New(Config{URL: server.URL, Token: testToken, Clock: instantly{}})
		require.NoError(t, err)
		spent := allocated(func() {
			_, err = client.get(t.Context(), call{op: "read", path: "catalog-items", tries: 1, decode: decodeCheck})
		})
		require.Less(t, spent, uint64(8*maxBody))
		require.Error(t, err)
		server.Close()
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestLongTextsThatNothingHangsOnAreCut(t *testing.T) {
	long := strings.Repeat("č", 1<<20)
	items, err := decodeItems([]byte(`{"data":[{"itemCode":"A","name":"` + long + `","eanCode":"` + long + `","measureUnit":"` + long + `"}]}`))
	require.NoError(t, err)
	cut := strings.Repeat("č", maxText/2)
	require.Equal(t, []stock.Item{{Code: "A", Name: cut, EAN: cut, Unit: cut}}, items)
}

func TestACatalogueWithoutEndIsABadResponse(t *testing.T) {
	rows := 0
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[`)
		for i := range pageSize {
			rows++
			_, _ = fmt.Fprintf(w, `{"itemCode":"%d"}%s`, rows, strings.Repeat(",", min(pageSize-1-i, 1)))
		}
		_, _ = io.WriteString(w, `]}`)
	})
	onWire(t, endless, func(t *testing.T, client *Client) {
		_, err := client.Sweep(t.Context(), SweepOptions{})
		require.Equal(t, BadResponse, KindOf(err))
		require.ErrorContains(t, err, "more than 500000 rows")
		require.Equal(t, maxPages*pageSize, rows)
	})
}

func TestAPrintedClientDoesNotShowTheToken(t *testing.T) {
	limits := NewLimits()
	client, err := New(Config{Token: testToken, Limits: limits})
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		require.NotContains(t, fmt.Sprintf(format, client)+fmt.Sprintf(format, *client)+fmt.Sprintf(format, limits), testToken, format)
	}
}

// allocated is how much memory was asked for meanwhile, in bytes, by anybody.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
