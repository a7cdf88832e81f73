package shop_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/shop"
	"github.com/skladom/skladom/stock"
)

// scripted is a shop that fails as its functions say, and remembers what it
// was asked.
type scripted struct {
	refuse  func(changes []shop.Change) error // nil: never
	fail    []error                           // one a call, nil for none; then none
	found   func(keys []string) []stock.Product
	listed  func(cursor string) (products []stock.Product, next string)
	mu      sync.Mutex
	keys    []string // Idempotency-Keys in the order of the calls
	batches [][]string
	written []string
}

func (s *scripted) Check(context.Context) (shop.Identity, error) { return shop.Identity{}, nil }

func (s *scripted) Lookup(_ context.Context, _ stock.Match, keys []string) ([]stock.Product, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, keys)
	if err := s.next(); err != nil {
		return nil, err
	}
	return s.found(keys), nil
}

func (s *scripted) List(_ context.Context, cursor string) ([]stock.Product, string, error) {
	s.batches = append(s.batches, []string{cursor})
	if err := s.next(); err != nil {
		return nil, "", err
	}
	products, next := s.listed(cursor)
	return products, next, nil
}

func (s *scripted) SetStock(_ context.Context, key string, changes []shop.Change) ([]shop.Result, error) {
	s.keys = append(s.keys, key)
	s.batches = append(s.batches, lo.Map(changes, func(c shop.Change, _ int) string { return c.ID }))
	if err := s.next(); err != nil {
		return nil, err
	}
	if s.refuse != nil {
		if err := s.refuse(changes); err != nil {
			return nil, err
		}
	}
	return lo.Map(changes, func(c shop.Change, _ int) shop.Result {
		s.written = append(s.written, c.ID)
		return shop.Result{ID: c.ID, Status: shop.Updated, Reason: "as\nasked"}
	}), nil
}

func (s *scripted) next() error {
	if len(s.fail) == 0 {
		return nil
	}
	err := s.fail[0]
	s.fail = s.fail[1:]
	return err
}

func status(code int) *shop.Error {
	return shop.NewError("set stock", shop.KindOfStatus(code), code, "refused")
}

func refuseGuilty(code int, guilty ...string) func([]shop.Change) error {
	return func(changes []shop.Change) error {
		if lo.SomeBy(changes, func(c shop.Change) bool { return slices.Contains(guilty, c.ID) }) {
			return fmt.Errorf("driver: %w", status(code))
		}
		return nil
	}
}

func changes(ids ...string) []shop.Change {
	return lo.Map(ids, func(id string, _ int) shop.Change {
		return shop.Change{ID: id, Quantity: decimal.NewFromInt(2), Expected: decimal.NewFromInt(1)}
	})
}

func letters(n int) []string {
	return lo.Times(n, func(i int) string { return fmt.Sprintf("p%03d", i) })
}

func TestARefusedBatchIsSplitUntilTheGuiltyChangeIsFound(t *testing.T) {
	for _, code := range []int{400, 413, 422} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			s := &scripted{refuse: refuseGuilty(code, "p003")}
			results, err := shop.Write(t.Context(), s, "acme/7", changes(letters(8)...))
			require.NoError(t, err)
			require.Equal(t, shop.Result{ID: "p003", Status: shop.Rejected, Reason: "refused"}, results[3])
			require.Equal(t, []string{"p000", "p001", "p002", "p004", "p005", "p006", "p007"}, s.written)
			require.Len(t, s.batches, 7, "8, 4, 2, 2, 1, 1, 4")
		})
	}
}

func TestEveryGuiltyChangeIsRejectedAndEveryOtherWrittenOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := letters(rapid.IntRange(1, 60).Draw(t, "changes"))
		guilty := lo.Filter(ids, func(string, int) bool { return rapid.Bool().Draw(t, "guilty") })
		s := &scripted{refuse: refuseGuilty(422, guilty...), written: []string{}}
		results, err := shop.Write(context.Background(), s, "acme/7", changes(ids...))
		require.NoError(t, err)
		require.Equal(t, ids, lo.Map(results, func(r shop.Result, _ int) string { return r.ID }))
		for _, r := range results {
			require.Equal(t, slices.Contains(guilty, r.ID), r.Status == shop.Rejected)
		}
		require.Equal(t, lo.Without(ids, guilty...), s.written)
		require.Len(t, lo.Uniq(s.keys), len(s.keys), "each half is a request of its own")
	})
}

func TestWhatIsNotTheBatchsFaultIsNeverSplit(t *testing.T) {
	for _, code := range []int{401, 403, 404, 409, 429, 500, 503, 302} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{refuse: refuseGuilty(code, "p001")}
				results, err := shop.Write(t.Context(), s, "acme/7", changes(letters(4)...))
				trouble := (*shop.Error)(nil)
				require.ErrorAs(t, err, &trouble)
				require.Equal(t, code, trouble.Status)
				require.ErrorContains(t, err, "p000")
				require.Empty(t, results)
				for _, batch := range s.batches {
					require.Len(t, batch, 4)
				}
			})
		})
	}
}

func TestResultsBeforeAnErrorAreKept(t *testing.T) {
	s := &scripted{fail: []error{status(422), nil, status(401)}}
	results, err := shop.Write(t.Context(), s, "acme/7", changes(letters(4)...))
	require.Error(t, err)
	require.Equal(t, s.written, lo.Map(results, func(r shop.Result, _ int) string { return r.ID }))
	require.Equal(t, []string{"p000", "p001"}, s.written)
	require.Equal(t, "as asked", results[0].Reason)
}

func TestNothingToWriteAsksNothing(t *testing.T) {
	s := &scripted{}
	results, err := shop.Write(t.Context(), s, "acme/7", nil)
	require.NoError(t, err)
	require.Empty(t, results)
	require.Empty(t, s.batches)
}

func TestTheKeyNamesPassAndBatch(t *testing.T) {
	key := func(pass string, batch []shop.Change) string {
		s := &scripted{}
		_, err := shop.Write(t.Context(), s, pass, batch)
		require.NoError(t, err)
		return s.keys[0]
	}
	one := changes("a", "b")
	require.Regexp(t, "^[0-9a-f]{64}$", key("acme/7", one))
	require.Equal(t, key("acme/7", one), key("acme/7", changes("a", "b")))

	other := changes("a", "b")
	other[1].Expected = decimal.NewFromInt(9)
	raised := changes("a", "b")
	raised[1].Quantity = decimal.NewFromInt(9)
	keys := []string{
		key("acme/7", one), key("acme/8", one), key("acme/7", one[:1]), key("acme/7", changes("b", "a")),
		key("acme/7", changes("ab")), key("acme/7", other), key("acme/7", raised),
	}
	require.Len(t, lo.Uniq(keys), len(keys))
}

func TestTemporaryTroubleIsWaitedOut(t *testing.T) {
	busy := func(seconds int) *shop.Error {
		err := status(429)
		err.RetryAfter = time.Duration(seconds) * time.Second
		return err
	}
	html := shop.NewError("set stock", shop.BadResponse, 200, "HTML")
	tests := []struct {
		rule   string
		fail   []error
		calls  int
		waited time.Duration
		ok     bool
	}{
		{"no trouble, no wait", nil, 1, 0, true},
		{"waits double", []error{status(503), status(500), status(408), status(502)}, 5, 15 * time.Second, true},
		{"five tries are enough", []error{status(503), status(503), status(503), status(503), status(503)}, 5, 15 * time.Second, false},
		{"Retry-After is kept", []error{busy(7), busy(60)}, 3, 67 * time.Second, true},
		{"429 that names no time backs off", []error{busy(0), busy(0)}, 3, 3 * time.Second, true},
		{"a longer Retry-After is the caller's", []error{busy(61)}, 1, 0, false},
		{"an unreadable answer is asked for again", []error{html, html}, 3, 3 * time.Second, true},
		{"a redirect stays one", []error{status(302)}, 1, 0, false},
		{"a refused key stays refused", []error{status(401)}, 1, 0, false},
		{"a foreign error is not judged", []error{errors.New("driver is broken")}, 1, 0, false},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, begin := &scripted{fail: test.fail}, time.Now()
				_, err := shop.Write(t.Context(), s, "acme/7", changes("a"))
				require.Equal(t, test.ok, err == nil, "%v", err)
				require.Len(t, s.keys, test.calls)
				require.Len(t, lo.Uniq(s.keys), 1, "a repeat is the same request")
				require.Equal(t, test.waited, time.Since(begin))
				if !test.ok {
					require.ErrorIs(t, err, test.fail[test.calls-1])
				}
			})
		})
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		s, begin := &scripted{fail: lo.RepeatBy(9, func(int) error { return status(503) })}, time.Now()
		_, err := shop.Write(ctx, s, "acme/7", changes("a"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, s.keys, 2)
		require.Equal(t, 1500*time.Millisecond, time.Since(begin))
	})
}

func TestLookupAllAsksInBatchesAndFindsEachProductOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{
			fail: []error{nil, status(503)},
			found: func(keys []string) []stock.Product { // each key has a product of its own, all share one
				own := lo.Map(keys, func(key string, _ int) stock.Product { return stock.Product{ID: "of " + key} })
				return append(own, stock.Product{ID: "shared"})
			},
		}
		keys := lo.Times(1201, func(i int) string { return fmt.Sprint(i) })
		var progress []int
		products, err := shop.LookupAll(t.Context(), s, stock.ByEAN, append(keys, "0", "1"), func(done int) { progress = append(progress, done) })
		require.NoError(t, err)
		require.Len(t, s.batches, 4, "one was repeated")
		asked := lo.UniqBy(s.batches, func(b []string) string { return b[0] })
		require.ElementsMatch(t, []int{500, 500, 201}, lo.Map(asked, func(b []string, _ int) int { return len(b) }))
		require.Len(t, progress, 3)
		require.IsIncreasing(t, progress)
		require.Equal(t, 1201, progress[2])
		require.Len(t, products, 1202)
	})
}

func TestLookupAllGivesNoProductsWithAnError(t *testing.T) {
	s := &scripted{
		fail:  []error{nil, status(401)},
		found: func([]string) []stock.Product { return []stock.Product{{ID: "a"}} },
	}
	products, err := shop.LookupAll(t.Context(), s, stock.ByNumber, letters(600), nil)
	trouble := (*shop.Error)(nil)
	require.ErrorAs(t, err, &trouble)
	require.Equal(t, shop.Unauthorized, trouble.Kind)
	require.Regexp(t, "look up keys (1 to 500|501 to 600) of 600", err.Error())
	require.Empty(t, products)
}

func TestLookupAllOfNothingAsksNothing(t *testing.T) {
	s := &scripted{}
	products, err := shop.LookupAll(t.Context(), s, stock.ByNumber, nil, nil)
	require.NoError(t, err)
	require.Empty(t, products)
	require.Empty(t, s.batches)
}

// named are products of these ids.
func named(ids ...string) []stock.Product {
	return lo.Map(ids, func(id string, _ int) stock.Product { return stock.Product{ID: id} })
}

func TestListAllFollowsTheCursorsAndListsEachProductOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{
			fail: []error{nil, status(503)},
			listed: func(cursor string) ([]stock.Product, string) {
				switch cursor {
				case "":
					return []stock.Product{{ID: "a", Name: "as it was read first"}, {ID: "b"}}, "2"
				case "2":
					return []stock.Product{{ID: "a", Name: "moved"}, {ID: "c"}}, "3"
				case "3":
					return nil, "4" // everything on it was deleted
				}
				return named("d"), ""
			},
		}
		var progress []int
		products, err := shop.ListAll(t.Context(), s, func(done int) { progress = append(progress, done) })
		require.NoError(t, err)
		require.Equal(t, []stock.Product{{ID: "a", Name: "as it was read first"}, {ID: "b"}, {ID: "c"}, {ID: "d"}}, products)
		require.Equal(t, [][]string{{""}, {"2"}, {"2"}, {"3"}, {"4"}}, s.batches, "one was repeated")
		require.Equal(t, []int{2, 3, 3, 4}, progress)
	})
}

func TestAListThatDoesNotEndIsABadResponse(t *testing.T) {
	const maxListed = 500_000
	tests := []struct {
		rule    string
		listed  func(cursor string, page int) ([]stock.Product, string)
		message string
		pages   int
	}{
		{"a cursor that leads to itself", func(string, int) ([]stock.Product, string) { return named("a"), "again" }, `"again" leads in a circle`, 2},
		{"a circle of two, with new products all the while", func(_ string, page int) ([]stock.Product, string) {
			return named(fmt.Sprint(page)), []string{"odd", "even"}[page%2]
		}, "leads in a circle", 3},
		{"a shop that does not look at the cursor", func(_ string, page int) ([]stock.Product, string) {
			return named("a", "b"), fmt.Sprint("page ", page)
		}, "10 pages in a row", 11},
		{"empty pages for ever", func(_ string, page int) ([]stock.Product, string) { return nil, fmt.Sprint(page) }, "10 pages in a row", 10},
		{"products for ever", func(_ string, page int) ([]stock.Product, string) {
			return named(lo.Times(maxListed/2, func(i int) string { return strconv.Itoa(page*maxListed + i) })...), fmt.Sprint(page)
		}, "more than 500000 products", 3},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := &scripted{}
			s.listed = func(cursor string) ([]stock.Product, string) { return test.listed(cursor, len(s.batches)) }
			products, err := shop.ListAll(t.Context(), s, nil)
			trouble := (*shop.Error)(nil)
			require.ErrorAs(t, err, &trouble)
			require.Equal(t, shop.BadResponse, trouble.Kind)
			require.Contains(t, trouble.Message, test.message)
			require.Empty(t, products)
			require.Len(t, s.batches, test.pages)
		})
	}
}

func TestListAllGivesNoProductsWithAnError(t *testing.T) {
	s := &scripted{
		fail:   []error{nil, status(401)},
		listed: func(string) ([]stock.Product, string) { return named("a", "b"), "2" },
	}
	products, err := shop.ListAll(t.Context(), s, nil)
	trouble := (*shop.Error)(nil)
	require.ErrorAs(t, err, &trouble)
	require.Equal(t, shop.Unauthorized, trouble.Kind)
	require.ErrorContains(t, err, "from number 3 on")
	require.Empty(t, products)
}
