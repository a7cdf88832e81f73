package fynode_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/stock"
)

const answerLimit = 32 << 20 // of the driver

// A shop that has gone mad, or is somebody else's, fails the request and costs
// no more memory than a few times the longest answer that is read.
func TestAHostileShopCostsBoundedMemory(t *testing.T) {
	many := strings.Repeat("{},", answerLimit/3-100) + "{}"
	products := strings.Repeat(`{"id":"1","quantity":1},`, answerLimit/24-100) + `{"id":"1","quantity":1}`
	text := strings.Repeat("9", answerLimit-1000)
	for name, hostile := range map[string]struct {
		body, says string
	}{
		"millions of products":             {`{"products":[` + products + `]}`, "more than 50000"},
		"millions of empty products":       {`{"products":[` + many + `]}`, `it has no "id"`},
		"millions of other things":         {`{"products":[],"more":[` + many + `]}`, ""},
		"lists in lists":                   {`{"products":` + strings.Repeat("[", answerLimit-100), "depth: maximum"},
		"an id of 32 MB":                   {`{"products":[{"id":"` + text + `","quantity":1}]}`, `its "id" has`},
		"a name of 32 MB":                  {`{"products":[{"id":"1","name":"` + text + `","quantity":1}]}`, ""},
		"a quantity of 32 MB":              {`{"products":[{"id":"1","quantity":` + text + `}]}`, "is not one of goods"},
		"a quantity of a million digits":   {`{"products":[{"id":"1","quantity":1e1000000}]}`, "is not one of goods"},
		"a quantity of a million decimals": {`{"products":[{"id":"1","quantity":1e-1000000}]}`, "is not one of goods"},
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(hostile.body)) })
			var products []stock.Product
			var err error
			spent := allocated(func() { products, err = client.Lookup(t.Context(), stock.ByNumber, []string{"A"}) })
			require.Less(t, spent, uint64(14*answerLimit)) // reading into a buffer that grows takes a third of it
			if hostile.says == "" {
				require.NoError(t, err)
				for _, p := range products {
					require.LessOrEqual(t, len(p.Name), 1000)
				}
				return
			}
			require.Contains(t, requireTrouble(t, err, shop.BadResponse).Message, hostile.says)
			require.Less(t, len(err.Error()), 1500)
		})
	}
}

func TestOtherHostileAnswersAreBounded(t *testing.T) {
	long := strings.Repeat("9", 2<<20)
	_, err := saying(t, `{"id":"`+long+`"}`).Check(t.Context())
	requireTrouble(t, err, shop.BadResponse)
	identity, err := saying(t, `{"id":"1","name":"`+long+`"}`).Check(t.Context())
	require.NoError(t, err)
	require.Len(t, identity.Name, 1000)
	_, _, err = saying(t, `{"products":[],"next":"`+long+`"}`).List(t.Context(), "")
	require.Contains(t, requireTrouble(t, err, shop.BadResponse).Message, "a cursor of")
	_, err = saying(t, `{"results":[{"id":"`+long+`","status":"updated"}]}`).SetStock(t.Context(), "key", []shop.Change{{ID: "1"}})
	require.Less(t, len(requireTrouble(t, err, shop.BadResponse).Message), 1000)

	results, err := shop.Write(t.Context(), saying(t, `{"results":[{"id":"1","status":"rejected","reason":"\u001b[2J`+long+`"}]}`), "1",
		[]shop.Change{{ID: "1", Quantity: decimal.NewFromInt(1)}})
	require.NoError(t, err)
	require.Less(t, len(results[0].Reason), 400)
	require.NotContains(t, results[0].Reason, "\x1b")
}

// What is packed is unpacked no further than an answer may be long.
func TestAZipBombIsUnpackedNoFurtherThanTheLimit(t *testing.T) {
	var bomb bytes.Buffer
	writer := gzip.NewWriter(&bomb)
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	for range 512 {
		_, err := writer.Write(spaces)
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	for status, most := range map[int]uint64{http.StatusOK: 12 * answerLimit, http.StatusForbidden: 4 << 20} {
		client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(status)
			_, _ = w.Write(bomb.Bytes())
		})
		var err error
		require.Less(t, allocated(func() { _, err = client.Check(t.Context()) }), most, status)
		require.Error(t, err)
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
