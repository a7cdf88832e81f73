package activities_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/testsuite/bench/goal"
	"github.com/skladom/skladom/testsuite/krossim"
)

// day is how many items the day has that is counted.
var day = flag.Int("day", 300, "how many items KROS has on the day whose requests are counted")

// reader reads KROS pass by pass, and accepts what it read.
type reader struct {
	*bench
	memory protocol.Memory
	spent  int
}

// filtered is a KROS of n items whose timestamp moves with quantities, or not.
func filtered(t *testing.T, n int, honest bool) *reader {
	kros, shop := many(n)
	kros.QuantityTouches = honest
	b := newBench(t, kros, shop, "")
	return &reader{bench: b}
}

func (r *reader) read(delta bool) protocol.Fetched {
	r.t.Helper()
	request := r.fetchRequest(r.memory)
	request.Delta = delta
	fetched, err := run[protocol.Fetched](r.bench, r.acts.FetchStock, request)
	require.NoError(r.t, err)
	r.memory = fetched.Memory
	r.memory.Baseline, r.memory.ReadAt = fetched.Catalogue.Ref, fetched.Catalogue.TakenAt
	if !fetched.Catalogue.Delta {
		r.memory.SweptAt = fetched.Catalogue.TakenAt
	}
	r.spent += fetched.Catalogue.Requests
	return fetched
}

// change gives an item another quantity in KROS.
func (r *reader) change(item, quantity int) {
	r.t.Helper()
	stock := krossim.Warehouse{Code: "A", QuantityOnHand: json.Number(fmt.Sprint(quantity))}
	require.NoError(r.t, r.kros.SetStock(fmt.Sprintf("C%05d", item), stock))
}

func (r *reader) learn() {
	r.t.Helper()
	for i := range protocol.FilterProof {
		require.False(r.t, r.memory.Filter.Proven())
		r.change(i, 10+i)
		r.read(false)
	}
	require.True(r.t, r.memory.Filter.Proven())
}

func (r *reader) has(fetched protocol.Fetched) map[string]string {
	return lo.SliceToMap(rows[stock.Item](r.bench, fetched.Catalogue.Ref), func(i stock.Item) (string, string) {
		return i.Code, i.Rows[0].Quantity.String()
	})
}

func TestAConnectionFindsOutWhetherChangesAreEnough(t *testing.T) {
	r := filtered(t, 250, true)
	r.read(false)
	for range 3 {
		require.Equal(t, 3, r.read(false).Catalogue.Requests, "a sweep that found nothing changed says nothing, and asks for nothing")
	}
	require.False(t, r.read(true).Catalogue.Delta, "not before it is proven")
	r.learn()

	r.change(3, 77)
	fetched := r.read(true)
	require.True(t, fetched.Catalogue.Delta)
	require.Equal(t, 1, fetched.Catalogue.Requests)
	require.Equal(t, 250, fetched.Catalogue.Items, "the rest is the baseline's")
	require.Equal(t, "77", r.has(fetched)["C00003"])
	require.True(t, fetched.Catalogue.Changed)
	whole := r.read(false)
	require.False(t, whole.Catalogue.Delta)
	require.Equal(t, r.has(fetched), r.has(whole), "a whole sweep shows the same")
}

func TestOneDisagreementEndsIt(t *testing.T) {
	r := filtered(t, 250, true)
	r.read(false)
	r.learn()
	items := r.kros.State().Items
	items = append(items, item("HIDDEN", "", "4")) // it never changed, says KROS
	r.kros.SetItems(items)
	fetched := r.read(false)
	require.Equal(t, []string{"KROS's list of changes left out 1 of 1 item that had changed, so it is not relied on any more: from now on a notification reads the whole catalogue again."}, fetched.Warnings)
	require.False(t, r.read(true).Catalogue.Delta)
	r.change(1, 99)
	require.Equal(t, 3, r.read(false).Catalogue.Requests, "and nobody asks again")
}

func TestAFilterThatDoesNotMoveIsFoundOutAtOnce(t *testing.T) {
	r := filtered(t, 250, false)
	r.read(false)
	r.change(1, 9)
	fetched := r.read(false)
	require.Empty(t, fetched.Warnings, "nobody relied on it")
	require.True(t, r.memory.Filter.Refuted)
}

func TestAFilterThatShowsEverythingIsNoHelp(t *testing.T) {
	r := filtered(t, 250, true)
	items := r.kros.State().Items
	for i := range items {
		items[i].ChangedAt = time.Now()
	}
	r.kros.SetItems(items)
	r.read(false)
	r.change(1, 9)
	r.read(false)
	require.True(t, r.memory.Filter.Refuted)
}

func TestAKROSWithoutTheFilter(t *testing.T) {
	r := filtered(t, 250, true)
	r.read(false)
	r.change(1, 9)
	require.NoError(t, r.kros.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 400, After: 3}))
	r.read(false)
	require.True(t, r.memory.Filter.Refuted)
}

// A KROS that answers its list and not its filter is read as before.
func TestAFilterThatDoesNotAnswerFailsNoPass(t *testing.T) {
	t.Parallel() // it waits between tries
	r := filtered(t, 250, true)
	r.read(false)
	r.learn()
	r.change(1, 9)
	require.NoError(t, r.kros.AddFault(krossim.Fault{Kind: krossim.FaultHTML, After: 3, Count: -1}))
	fetched := r.read(false)
	require.Equal(t, "9", r.has(fetched)["C00001"])
	require.Equal(t, []string{message.FilterSilent}, fetched.Warnings)
	require.Equal(t, 3+5, fetched.Catalogue.Requests, "each try counts")
	require.Zero(t, r.memory.Filter, "neither relied on any more nor refuted")
	r.kros.ClearFaults()
	require.False(t, r.read(true).Catalogue.Delta)
	r.change(1, 8)
	r.read(false)
	require.Equal(t, protocol.Filter{Agreed: 1, Of: r.loaded.Connection}, r.memory.Filter, "it proves itself anew")
}

// A new key may be another company's: of that the changes are not read into the
// baseline of the one before.
func TestAnotherKeyHasToFindOutForItself(t *testing.T) {
	r := filtered(t, 250, true)
	r.read(false)
	r.learn()
	require.True(t, r.read(true).Catalogue.Delta)
	text, err := os.ReadFile(filepath.Join(r.dir, acme+".hcl"))
	require.NoError(t, err)
	r.write(acme, strings.Replace(string(text), "127.0.0.1", "localhost", 1)) // the simulator knows one key; an address counts as well
	r.shops.Reload()
	r.loaded = r.load()
	fetched := r.read(true)
	require.False(t, fetched.Catalogue.Delta)
	require.Zero(t, r.memory.Filter)
	r.change(1, 9)
	r.read(false)
	require.Equal(t, protocol.Filter{Agreed: 1, Of: r.loaded.Connection}, r.memory.Filter)
}

// What KROS is asked for in a day of 48 ticks and 200 notifications, each of
// which changes one item:
//
//	make bench-day
func TestRequestsOfADay(t *testing.T) {
	r := filtered(t, *day, true)
	r.read(false)
	r.learn()
	r.spent = 0
	requests := map[bool]int{}
	for _, delta := range []bool{false, true} {
		for notification := range 200 {
			r.change(notification%*day, 100+notification)
			r.read(delta)
			if notification%25 < 6 {
				r.read(false) // a tick
			}
		}
		requests[delta], r.spent = r.spent, 0
	}
	t.Logf("%d items: %d requests a day before, %d where the filter is proven", *day, requests[false], requests[true])
	goal.Print(t.Output(), goal.Above("requests of a day, before : after", float64(requests[false])/float64(requests[true]), 1))
	require.Less(t, requests[true], requests[false])
}
