package kros

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/krossim"
)

func catalogue(n int) []krossim.Item {
	return lo.Times(n, func(i int) krossim.Item {
		return krossim.Item{
			ItemCode:   fmt.Sprintf("A%05d", i),
			Name:       fmt.Sprintf("Čaj %d", i),
			Warehouses: []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(strconv.Itoa(i))}},
		}
	})
}

// asRead is what a right client makes of a catalogue.
func asRead(items []krossim.Item) []stock.Item {
	return lo.Map(items, func(item krossim.Item, _ int) stock.Item {
		read := stock.Item{Code: item.ItemCode, Name: item.Name, EAN: item.EANCode, Unit: item.MeasureUnit}
		for _, warehouse := range item.Warehouses {
			read.Rows = append(read.Rows, row(warehouse.Code, warehouse.QuantityOnHand.String()))
		}
		return read
	})
}

var anyOrder = cmpopts.SortSlices(func(a, b stock.Item) bool { return inWords(a) < inWords(b) })

func listed(codes []string) func() ([]string, error) {
	return func() ([]string, error) { return codes, nil }
}

func TestAListThatStandsStillIsReadOncePageByPage(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 200, 1234} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			items := catalogue(n)
			inBubble(t, krossim.Options{Items: items}, func(b bubble) {
				var last Progress
				start := time.Now()
				sweep, err := b.client.Sweep(b.Context(), SweepOptions{Progress: func(p Progress) { last = p }})
				require.NoError(b, err)
				require.Empty(b, cmp.Diff(asRead(items), sweep.Items, cmpopts.EquateEmpty()))
				pages := n/100 + 1
				require.Equal(b, Progress{Pages: pages, Items: n, Requests: pages, Sweeps: 1}, last)
				require.Equal(b, pages, b.sim.State().Requests)
				require.Equal(b, Sweep{Items: sweep.Items, Requests: pages, Sweeps: 1, Complete: true, StartedAt: start}, sweep)
			})
		})
	}
}

// Where answers take long, pages that the list must have are asked for side by
// side; KROS's limits and the number of requests stay what they were.
func TestKnownPagesAreReadAhead(t *testing.T) {
	const slow = 700 * time.Millisecond
	tests := []struct {
		rule              string
		rows, expected    int
		requests, slowest int // the most requests, and how many slow answers follow one another
	}{
		{"not known: from one to four, and three in vain", 1950, 0, 23, 8},
		{"known", 1950, 1950, 20, 5},
		{"it grew by two pages", 1950, 1750, 21, 7},
		{"it grew a lot", 1950, 450, 23, 8},
		{"it shrank: few requests are in vain", 950, 1950, 13, 5},
		{"it is gone", 0, 1950, 4, 1},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			sim := krossim.New(krossim.Options{Items: catalogue(test.rows), Token: testToken})
			defer sim.Close()
			late := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-time.After(slow): // in the time of the bubble
					sim.ServeHTTP(w, r)
				case <-r.Context().Done():
				}
			})
			onWire(t, late, func(t *testing.T, client *Client) {
				begin := time.Now()
				sweep, err := client.Sweep(t.Context(), SweepOptions{Expected: test.expected})
				require.NoError(t, err)
				require.True(t, sweep.Complete)
				require.Len(t, sweep.Items, test.rows)
				require.LessOrEqual(t, time.Since(begin), time.Duration(test.slowest)*slow+2*time.Second)
				state := sim.State()
				require.LessOrEqual(t, state.Requests, test.requests)
				require.Zero(t, state.Rejected, "the limits are kept")
			})
		})
	}
}

// Where nothing is known of a list, pages are read ahead as far as KROS's
// answers and not its limits set the pace, and no further: what is behind the
// end costs requests.
func TestAListOfUnknownLengthIsReadAheadWhereAnswersAreSlow(t *testing.T) {
	const pages = 61
	always := func(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }
	tests := []struct {
		rule      string
		answers   func(nth int) time.Duration
		perSecond int
		inVain    int // the most requests for what is not there
		within    time.Duration
	}{
		{"fast answers: one after the other", always(0), 10, 0, 7 * time.Second},
		{"as fast as KROS grants requests", always(100 * time.Millisecond), 10, 0, 7 * time.Second},
		{"a little slower: two", always(150 * time.Millisecond), 10, 1, 8 * time.Second},
		{"slow: four", always(400 * time.Millisecond), 10, 3, 11 * time.Second},
		{"very slow: still four", always(3 * time.Second), 10, 3, 55 * time.Second},
		{"fewer granted than answered", always(400 * time.Millisecond), 2, 0, 45 * time.Second},
		{"more granted than KROS does: as many as by KROS's limits", always(50 * time.Millisecond), 1000, 0, 4 * time.Second},
		{"now and then one that is slow", func(nth int) time.Duration { return time.Duration(nth%2) * 900 * time.Millisecond }, 10, 0, 30 * time.Second},
		{"slow and then fast", func(nth int) time.Duration { return max(0, time.Duration(30-nth)) * 100 * time.Millisecond }, 10, 0, 25 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			sim := krossim.New(krossim.Options{Items: catalogue(100*pages - 1), Token: testToken, NoLimits: test.perSecond > 10})
			defer sim.Close()
			var asked atomic.Int32
			late := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-time.After(test.answers(int(asked.Add(1)) - 1)):
					sim.ServeHTTP(w, r)
				case <-r.Context().Done():
				}
			})
			onWire(t, late, func(t *testing.T, client *Client) {
				client.perSecond = test.perSecond
				begin := time.Now()
				sweep, err := client.Sweep(t.Context(), SweepOptions{})
				require.NoError(t, err)
				require.True(t, sweep.Complete)
				require.Len(t, sweep.Items, 100*pages-1)
				require.LessOrEqual(t, time.Since(begin), test.within)
				require.LessOrEqual(t, sweep.Requests, pages+test.inVain)
				require.LessOrEqual(t, int(asked.Load()), sweep.Requests, "each that was sent is counted")
				require.Zero(t, sim.State().Rejected, "the limits are kept")
			})
		})
	}
}

func TestWhateverMovesMeanwhileItIsCompleteReadAhead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		items := catalogue(rapid.IntRange(0, 850).Draw(rt, "items"))
		expected := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 900)).Draw(rt, "expected")
		options := krossim.Options{
			Items: items, Seed: rapid.Uint64().Draw(rt, "seed"),
			Latency:  time.Duration(rapid.SampledFrom([]int{0, 150, 400}).Draw(rt, "latency")) * time.Millisecond,
			Switches: krossim.Switches{MovingRows: rapid.IntRange(0, 4).Draw(rt, "moving")},
		}
		inBubble(t, options, func(b bubble) {
			sweep, err := b.client.Sweep(b.Context(), SweepOptions{Expected: expected})
			require.NoError(rt, err)
			require.True(rt, sweep.Complete)
			require.Empty(rt, cmp.Diff(asRead(items), sweep.Items, anyOrder, cmpopts.EquateEmpty()))
		})
	})
}

// Of a list that is shuffled after every answer five sweeps may not show all.
// What was there last time is found nevertheless; what is gone stays away.
func TestWhatAListDoesNotShowIsAskedForWhereItIsKnown(t *testing.T) {
	incomplete := 0
	for seed := range uint64(12) {
		items := catalogue(420)
		known := append(lo.Map(items, func(item krossim.Item, _ int) string { return " " + item.ItemCode }), "gone", "", strings.Repeat("x", 26))
		options := krossim.Options{Items: items, Seed: seed, Switches: krossim.Switches{Shuffle: true}}
		inBubble(t, options, func(b bubble) {
			blind, err := b.client.Sweep(b.Context(), SweepOptions{})
			require.NoError(b, err)
			if !blind.Complete {
				incomplete++
			}
			sweep, err := b.client.Sweep(b.Context(), SweepOptions{Known: listed(known)})
			require.NoError(b, err)
			require.True(b, sweep.Complete)
			require.Empty(b, cmp.Diff(asRead(items), sweep.Items, anyOrder))
		})
	}
	require.Positive(t, incomplete, "else nothing was tried")
}

// A row that is taken out while the list is read makes another one slip past at
// the seam of two pages, and the count is right all the same.
func TestWhatSlipsPastARemovalIsAskedForWhereItIsKnown(t *testing.T) {
	for _, removed := range []int{5, 99} {
		items := catalogue(250)
		known := lo.Map(items, func(item krossim.Item, _ int) string { return item.ItemCode })
		sim := krossim.New(krossim.Options{Items: items, Token: testToken})
		left := append(slices.Clone(items[:removed]), items[removed+1:]...)
		requests := 0
		changing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if requests++; requests == 2 {
				sim.SetItems(left)
			}
			sim.ServeHTTP(w, r)
		})
		onWire(t, changing, func(t *testing.T, client *Client) {
			sweep, err := client.Sweep(t.Context(), SweepOptions{Known: listed(known)})
			require.NoError(t, err)
			require.True(t, sweep.Complete)
			require.Empty(t, cmp.Diff(asRead(items), sweep.Items, anyOrder), "with the row that was there when the sweep began")
			require.Equal(t, 3+1, sweep.Requests)
		})
		sim.Close()
	}
}

func TestWhatIsGoneIsAskedForOnlyWhereThatIsLittle(t *testing.T) {
	for gone, asked := range map[int]int{0: 0, maxSingles: maxSingles, maxSingles + 1: 0} {
		items := catalogue(400)
		known := lo.Map(items, func(item krossim.Item, _ int) string { return item.ItemCode })
		inBubble(t, krossim.Options{Items: items[gone:]}, func(b bubble) {
			sweep, err := b.client.Sweep(b.Context(), SweepOptions{Known: listed(known)})
			require.NoError(b, err)
			require.Empty(b, cmp.Diff(asRead(items[gone:]), sweep.Items, anyOrder))
			require.Equal(b, (400-gone)/100+1+asked, sweep.Requests)
		})
	}
}

// Of a list that is shuffled after every answer a row without a code is met
// twice in many sweeps. That does not make it two, which would stand for a row
// that no sweep has shown.
func TestACompleteSweepOfAShuffledListIsComplete(t *testing.T) {
	complete := 0
	for seed := range uint64(150) {
		items := catalogue(300)
		for i := 0; i < len(items); i += 60 {
			items[i].ItemCode = ""
		}
		inBubble(t, krossim.Options{Items: items, Seed: seed, Switches: krossim.Switches{Shuffle: true}}, func(b bubble) {
			sweep, err := b.client.Sweep(b.Context(), SweepOptions{})
			require.NoError(b, err)
			if sweep.Complete {
				complete++
				require.Empty(b, cmp.Diff(asRead(items), sweep.Items, anyOrder), "seed %d", seed)
			}
		})
	}
	require.Positive(t, complete, "else nothing was tried")
}

func TestASweepCountsThe429OfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		perSecond, perMinute, times, want int
	}{
		"none":                                   {DefaultPerSecond, DefaultPerMinute, 0, 0},
		"each, of pages and of single items":     {DefaultPerSecond, DefaultPerMinute, 3, 3},
		"where the client asks less than it may": {1, 20, 2, 2},
		"not where it may ask more a second":     {DefaultPerSecond + 1, DefaultPerMinute, 3, 0},
		"not where it may ask more a minute":     {DefaultPerSecond, DefaultPerMinute + 1, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, krossim.Options{Items: []krossim.Item{tea("A", "x", "1"), tea("A", "y", "1")}}, func(b bubble) {
				b.client.perSecond, b.client.perMinute = test.perSecond, test.perMinute
				for i := range test.times {
					require.NoError(b, b.sim.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 429, After: i % 2}))
				}
				sweep, err := b.client.Sweep(b.Context(), SweepOptions{})
				require.NoError(b, err)
				require.Equal(b, test.want, sweep.Throttled)
				require.Equal(b, 2+test.times, sweep.Requests)
			})
		})
	}
}

func TestOnlyEshopItemsAreAskedFor(t *testing.T) {
	items := catalogue(150)
	for i := range items {
		items[i].MarkedForEshop = i%2 == 0
	}
	inBubble(t, krossim.Options{Items: items}, func(b bubble) {
		sweep, err := b.client.Sweep(b.Context(), SweepOptions{OnlyEshopItems: true})
		require.NoError(b, err)
		require.Len(b, sweep.Items, 75)
		require.Equal(b, 1, sweep.Requests)
	})
}

func TestWhateverMovesMeanwhileTheSweepIsComplete(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		items := catalogue(rapid.IntRange(0, 350).Draw(rt, "items"))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "kinds"), 0))
		for i := range items {
			switch random.IntN(60) {
			case 0: // one row twice, unless nobody could tell
				if before := items[max(i-1, 0)]; before.ItemCode != "" {
					items[i] = before
				}
			case 1: // another row of the same code
				items[i].ItemCode = items[max(i-1, 0)].ItemCode
			case 2: // nothing but a name
				items[i].ItemCode = ""
			}
		}
		options := krossim.Options{
			Items: items,
			Seed:  rapid.Uint64().Draw(rt, "seed"),
			Switches: krossim.Switches{
				MovingRows:       rapid.IntRange(0, 4).Draw(rt, "moving"),
				NumbersAsStrings: rapid.Bool().Draw(rt, "strings"),
			},
		}
		var sweep Sweep
		var err error
		var state krossim.State
		inBubble(t, options, func(b bubble) {
			sweep, err = b.client.Sweep(b.Context(), SweepOptions{})
			state = b.sim.State()
		})
		require.NoError(rt, err)
		require.True(rt, sweep.Complete, "%d sweeps of %d rows, %d requests", sweep.Sweeps, len(items), sweep.Requests)
		want := lo.UniqBy(asRead(items), inWords)
		require.Empty(rt, cmp.Diff(want, sweep.Items, anyOrder, cmpopts.EquateEmpty()))
		require.Zero(rt, state.Rejected)
		require.Equal(rt, state.Requests, sweep.Requests)
	})
}

func TestAListThatIsShuffledAllTheTimeIsGivenUpAfterFiveSweeps(t *testing.T) {
	inBubble(t, krossim.Options{Items: catalogue(2000), Switches: krossim.Switches{Shuffle: true}}, func(b bubble) {
		sweep, err := b.client.Sweep(b.Context(), SweepOptions{})
		require.NoError(b, err)
		require.Equal(b, 5, sweep.Sweeps)
		require.Equal(b, 5*21, sweep.Requests)
		require.False(b, sweep.Complete)
		require.Greater(b, len(sweep.Items), 1900)
		require.Less(b, len(sweep.Items), 2000)
	})
}

// script is a KROS that answers the pages of the list one after the other as
// they are written down, and codes from a table.
type script struct {
	t       *testing.T
	pages   [][]krossim.Item
	singles map[string][]krossim.Item
	asked   []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	var rows []krossim.Item
	if code := query.Get("ItemCode"); code != "" {
		s.asked = append(s.asked, code)
		rows = s.singles[code]
	} else if len(s.pages) == 0 {
		s.t.Errorf("one page too many: %s", r.URL)
	} else {
		rows, s.pages = s.pages[0], s.pages[1:]
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": append([]krossim.Item{}, rows...)})
}

func tea(code, name, quantity string) krossim.Item {
	return krossim.Item{ItemCode: code, Name: name, Warehouses: []krossim.Warehouse{{Code: "LT", QuantityOnHand: json.Number(quantity)}}}
}

func TestTheCountRule(t *testing.T) {
	full := catalogue(100)
	fullAnd := func(more ...krossim.Item) []krossim.Item {
		return append(append([]krossim.Item{}, full[:100-len(more)]...), more...)
	}
	hidden := full[99]
	long := strings.Repeat("x", MaxItemCode+1)
	for name, test := range map[string]struct {
		pages    [][]krossim.Item
		singles  map[string][]krossim.Item
		want     []krossim.Item
		asked    []string
		sweeps   int
		complete bool
	}{
		"a row that moved over the seam is found by the next sweep": {
			pages:   [][]krossim.Item{full, {full[7]}, full, {tea("N", "new", "1")}},
			singles: map[string][]krossim.Item{full[7].ItemCode: {full[7]}},
			want:    append(fullAnd(), tea("N", "new", "1")),
			asked:   []string{full[7].ItemCode}, sweeps: 2, complete: true,
		},
		"two rows that look the same on two pages are two by the single answer": {
			pages:   [][]krossim.Item{full, {full[7]}},
			singles: map[string][]krossim.Item{full[7].ItemCode: {full[7], full[7]}},
			want:    full,
			asked:   []string{full[7].ItemCode}, sweeps: 1, complete: true,
		},
		"two rows that look the same and have no code are two by the third sweep": {
			pages: [][]krossim.Item{
				fullAnd(tea("", "x", "1")), {tea("", "x", "1")},
				fullAnd(tea("", "x", "1")), {tea("", "x", "1")},
				fullAnd(tea("", "x", "1")), {tea("", "x", "1")},
			},
			want: append(fullAnd()[:99], tea("", "x", "1")), sweeps: 3, complete: true,
		},
		"rows that look the same sweep after sweep are asked for, however many": {
			pages: [][]krossim.Item{full, full[:2], full, full[:2]},
			singles: map[string][]krossim.Item{
				full[0].ItemCode: {full[0], full[0]},
				full[1].ItemCode: {full[1], full[1]},
			},
			want:  full,
			asked: []string{full[0].ItemCode, full[1].ItemCode}, sweeps: 2, complete: true,
		},
		"two rows of a code of which each sweep missed one are found by asking": {
			pages: [][]krossim.Item{
				fullAnd(tea("A", "x", "1")), {full[1]},
				fullAnd(tea("A", "y", "1")), {full[1]},
			},
			singles: map[string][]krossim.Item{
				full[1].ItemCode: {full[1]},
				"A":              {tea("A", "x", "1"), tea("A", "y", "1")},
			},
			want:  append(fullAnd()[:99], tea("A", "x", "1"), tea("A", "y", "1")),
			asked: []string{full[1].ItemCode, "A"}, sweeps: 2, complete: true,
		},
		"two rows that stood together are not one because one moved": {
			pages: [][]krossim.Item{
				fullAnd(tea(long, "x", "1"), tea(long, "x", "2")), {tea(long, "x", "1")},
				full, {tea(long, "x", "1")},
			},
			want: append(fullAnd(), tea(long, "x", "1"), tea(long, "x", "2")), sweeps: 2, complete: true,
		},
		"a reading of some rows makes the older one of all doubtful": {
			pages: [][]krossim.Item{
				fullAnd(tea("A", "x", "5"), tea("A", "x", "5")), {full[1], full[2]},
				fullAnd(tea("A", "x", "4"), tea("N", "new", "1")), {tea("M", "more", "1")},
			},
			singles: map[string][]krossim.Item{"A": {tea("A", "x", "4"), tea("A", "x", "4")}},
			want:    append(fullAnd()[:98], tea("A", "x", "4"), tea("N", "new", "1"), tea("M", "more", "1")),
			asked:   []string{"A"}, sweeps: 2, complete: true,
		},
		"two rows that look the same in one answer are two": {
			pages: [][]krossim.Item{{tea("A", "x", "1"), tea("A", "x", "1")}},
			want:  []krossim.Item{tea("A", "x", "1")}, sweeps: 1, complete: true,
		},
		"more codes in doubt than pages are not asked": {
			pages: [][]krossim.Item{full, {full[7], full[8]}, full, {tea("N", "new", "1"), tea("M", "more", "1")}},
			want:  append(fullAnd(), tea("N", "new", "1"), tea("M", "more", "1")), sweeps: 2, complete: true,
		},
		"the newest reading wins over pages": {
			pages:   [][]krossim.Item{fullAnd(tea("A", "x", "5")), {tea("A", "x", "4")}},
			singles: map[string][]krossim.Item{"A": {tea("A", "x", "4"), tea("A", "x", "4")}},
			want:    append(fullAnd()[:99], tea("A", "x", "4")),
			asked:   []string{"A"}, sweeps: 1, complete: true,
		},
		"the newest reading wins over sweeps": {
			pages: [][]krossim.Item{
				fullAnd(tea("A", "x", "5")), {full[1], full[2]},
				fullAnd(tea("A", "x", "4")), {hidden, tea("N", "new", "1")},
			},
			want: append(fullAnd()[:99], tea("A", "x", "4"), hidden, tea("N", "new", "1")), sweeps: 2, complete: true,
		},
		"a row renamed between sweeps is one item": {
			pages: [][]krossim.Item{
				fullAnd(tea("A", "old", "5")), {full[1], full[2]},
				fullAnd(tea("A", "new", "5")), {hidden, tea("N", "new", "1")},
			},
			singles: map[string][]krossim.Item{"A": {tea("A", "new", "5")}},
			want:    append(fullAnd()[:99], tea("A", "new", "5"), hidden, tea("N", "new", "1")),
			asked:   []string{"A"}, sweeps: 2, complete: true,
		},
		"a renamed row does not stand in for one that was not seen": {
			pages: [][]krossim.Item{
				fullAnd(tea("A", "old", "5")), {full[1], full[2]},
				fullAnd(tea("A", "new", "5")), {full[1], tea("N", "new", "1")},
				fullAnd(tea("A", "new", "5")), {hidden, tea("N", "new", "1")},
			},
			singles: map[string][]krossim.Item{"A": {tea("A", "new", "5")}, full[1].ItemCode: {full[1]}},
			want:    append(fullAnd()[:99], tea("A", "new", "5"), tea("N", "new", "1"), hidden),
			asked:   []string{full[1].ItemCode, "A"}, sweeps: 3, complete: true,
		},
		"the length is that of the newest sweep": {
			pages: [][]krossim.Item{full, {full[1], full[2], full[3]}, full[:99]},
			want:  full, sweeps: 2, complete: true,
		},
		"several rows of a code that KROS confirms stay": {
			pages:   [][]krossim.Item{{tea("A", "x", "1"), tea("B", "y", "1"), tea("A ", "z", "2")}},
			singles: map[string][]krossim.Item{"A": {tea("A", "x", "1"), tea("A ", "z", "2")}},
			want:    []krossim.Item{tea("A", "x", "1"), tea("A ", "z", "2"), tea("B", "y", "1")},
			asked:   []string{"A"}, sweeps: 1, complete: true,
		},
		"several rows of a code of which KROS shows one are that one": {
			pages:   [][]krossim.Item{{tea("A", "x", "1"), tea("A", "x", "2")}},
			singles: map[string][]krossim.Item{"A": {tea("A", "x", "2")}},
			want:    []krossim.Item{tea("A", "x", "2")},
			asked:   []string{"A"}, sweeps: 1, complete: true,
		},
		"several rows of a code KROS finds nothing for stay": {
			pages: [][]krossim.Item{{tea("A", "x", "1"), tea("A", "x", "2")}},
			want:  []krossim.Item{tea("A", "x", "1"), tea("A", "x", "2")},
			asked: []string{"A"}, sweeps: 1, complete: true,
		},
		"a code that cannot be asked for stays as it was read": {
			pages: [][]krossim.Item{{
				tea(long, "x", "1"), tea(long, "x", "2"),
				tea("", "x", "1"), tea("", "x", "2"), tea("", "y", "3"),
			}},
			want: []krossim.Item{
				tea(long, "x", "1"), tea(long, "x", "2"),
				tea("", "x", "1"), tea("", "x", "2"), tea("", "y", "3"),
			}, sweeps: 1, complete: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			kros := &script{t: t, pages: test.pages, singles: test.singles}
			onWire(t, kros, func(t *testing.T, client *Client) {
				sweep, err := client.Sweep(t.Context(), SweepOptions{})
				require.NoError(t, err)
				require.Empty(t, cmp.Diff(asRead(test.want), sweep.Items, anyOrder))
				require.Equal(t, test.asked, kros.asked)
				require.Equal(t, test.sweeps, sweep.Sweeps)
				require.Equal(t, test.complete, sweep.Complete)
				require.Empty(t, kros.pages)
			})
		})
	}
}

func TestTheSweepBeginsWithItsLastReading(t *testing.T) {
	full := catalogue(100)
	pages := [][]krossim.Item{full, {full[7], full[8]}, full[:99]}
	onWire(t, &script{t: t, pages: pages}, func(t *testing.T, client *Client) {
		start := time.Now()
		client.perSecond = 1
		sweep, err := client.Sweep(t.Context(), SweepOptions{})
		require.NoError(t, err)
		require.Equal(t, start.Add(time.Second+margin), sweep.StartedAt)
	})
}

func TestASingleThatFailsFailsTheSweep(t *testing.T) {
	items := []krossim.Item{tea("A", "x", "1"), tea("A", "y", "1")}
	inBubble(t, krossim.Options{Items: items}, func(b bubble) {
		require.NoError(b, b.sim.AddFault(krossim.Fault{Kind: krossim.FaultHTML, After: 1, Count: -1}))
		_, err := b.client.Sweep(b.Context(), SweepOptions{})
		require.Equal(b, BadResponse, KindOf(err))
		require.ErrorContains(b, err, `read item "A"`)
	})
	inBubble(t, krossim.Options{Items: items}, func(b bubble) {
		require.NoError(b, b.sim.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 400, After: 1}))
		sweep, err := b.client.Sweep(b.Context(), SweepOptions{})
		require.NoError(b, err, "a code KROS does not take stays as it was read")
		require.Len(b, sweep.Items, 2)
	})
}

func TestOnlySoManyCodesAreAskedSingly(t *testing.T) {
	items := append(catalogue(310), lo.Map(catalogue(310), func(item krossim.Item, _ int) krossim.Item {
		item.Name += " II"
		return item
	})...)
	inBubble(t, krossim.Options{Items: items}, func(b bubble) {
		sweep, err := b.client.Sweep(b.Context(), SweepOptions{})
		require.NoError(b, err)
		require.Equal(b, 7+maxSingles, sweep.Requests)
		require.Len(b, sweep.Items, 620)
	})
}

func TestAListWithoutEndIsABadResponse(t *testing.T) {
	page, err := json.Marshal(map[string]any{"data": catalogue(100)})
	require.NoError(t, err)
	onWire(t, answer(string(page)), func(t *testing.T, client *Client) {
		_, err := client.Sweep(t.Context(), SweepOptions{})
		require.Equal(t, BadResponse, KindOf(err))
		require.ErrorContains(t, err, "the list repeats itself: 20 pages showed 100 different rows")
	})
}

func TestOverRealConnections(t *testing.T) {
	items := catalogue(250)
	sim := krossim.New(krossim.Options{Items: items, Token: testToken, NoLimits: true, Switches: krossim.Switches{MovingRows: 2, UnknownFields: true, EANField: "barcode"}})
	server := httptest.NewServer(sim)
	defer server.Close()
	defer sim.Close()
	address, err := url.JoinPath(server.URL, "api")
	require.NoError(t, err)
	client, err := New(Config{URL: address, Token: testToken, PerSecond: 100})
	require.NoError(t, err)
	require.NoError(t, client.Probe(t.Context()))
	sweep, err := client.Sweep(t.Context(), SweepOptions{})
	require.NoError(t, err)
	require.True(t, sweep.Complete)
	require.Empty(t, cmp.Diff(asRead(items), sweep.Items, anyOrder))
}
