package market

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
)

// days are enough for the Black Friday and for what is booked late after it.
const days = 35

func TestWhoCountsAsWhat(t *testing.T) {
	customer := func(pieces int) happening { return happening{what: wanted, pieces: pieces} }
	tests := []struct {
		rule string
		good good
		do   []happening
		want Figures
	}{
		{"what is there and shown is sold", good{shelf: 3, kros: 3, web: 3}, []happening{customer(2)}, Figures{Wanted: 2, Ordered: 2}},
		{"shown, but promised to somebody: sold twice", good{shelf: 1, promised: 1, kros: 1, web: 1}, []happening{customer(1)},
			Figures{Wanted: 1, Ordered: 1, SoldTwice: 1}},
		{"shown, but gone: sold twice", good{kros: 1, web: 1}, []happening{customer(1)}, Figures{Wanted: 1, Ordered: 1, SoldTwice: 1}},
		{"only the pieces that are not free are sold twice", good{shelf: 3, promised: 1, kros: 3, web: 3}, []happening{customer(3)},
			Figures{Wanted: 3, Ordered: 3, SoldTwice: 1}},
		{"free, but not shown: lost", good{shelf: 3, promised: 1}, []happening{customer(1)}, Figures{Wanted: 1, Lost: 1}},
		{"only the pieces that are free are lost", good{shelf: 3, promised: 1, web: 1}, []happening{customer(3)},
			Figures{Wanted: 3, Ordered: 1, Lost: 1}},
		{"neither free nor shown: nobody's loss", good{shelf: 1, promised: 1}, []happening{customer(1)}, Figures{Wanted: 1}},
		{"more promised than there is: nothing is free", good{shelf: 1, promised: 4}, []happening{customer(1)}, Figures{Wanted: 1}},
		{"a promised piece taken at the counter is not delivered, and not sold twice", good{shelf: 1, kros: 1, web: 1},
			[]happening{customer(1), {what: bought, pieces: 1, thread: 1}, {what: packed}},
			Figures{Wanted: 1, Ordered: 1, NotDelivered: 1}},
		{"a piece sold twice and delivered after all", good{kros: 1, web: 1},
			[]happening{customer(1), {what: arrived, pieces: 5, thread: 1}, {what: packed}},
			Figures{Wanted: 1, Ordered: 1, SoldTwice: 1}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			m := newMarket(scene{stock: []int{0}, threads: 2}, 0)
			m.goods[0] = test.good
			m.play(scene{happenings: test.do})
			require.Equal(t, test.want, m.figures)
		})
	}
}

func TestWhatHappensToTheThreeStocks(t *testing.T) {
	order := happening{what: wanted, pieces: 2}
	tests := []struct {
		rule string
		do   []happening
		want good
	}{
		{"an order lowers the e-shop at once", []happening{order}, good{shelf: 5, promised: 2, kros: 5, web: 3}},
		{"booked, it is out of the house", []happening{order, {what: packed}}, good{shelf: 3, kros: 3, web: 3}},
		{"cancelled, it is on sale again", []happening{order, {what: cancelled}}, good{shelf: 5, kros: 5, web: 5}},
		{"the counter takes what it sees", []happening{order, {what: bought, pieces: 9, thread: 1}}, good{promised: 2, kros: 5, web: 3}},
		{"and tells KROS", []happening{{what: bought, pieces: 1, thread: 1}, {what: cashed, thread: 1}}, good{shelf: 4, kros: 4, web: 5}},
		{"a delivery fills up for what is promised too", []happening{order, {what: arrived, pieces: 8, thread: 1}},
			good{shelf: 10, promised: 2, kros: 5, web: 3}},
		{"and KROS receives as much", []happening{order, {what: arrived, pieces: 8, thread: 1}, {what: received, thread: 1}},
			good{shelf: 10, promised: 2, kros: 10, web: 3}},
		{"who has enough gets nothing", []happening{{what: arrived, pieces: 4, thread: 1}}, good{shelf: 5, kros: 5, web: 5}},
		{"what breaks is not known", []happening{{what: broke}}, good{shelf: 4, kros: 5, web: 5, astray: -1}},
		{"before it is counted", []happening{{what: broke}, {what: broke}, {what: found}, {what: counted}}, good{shelf: 4, kros: 4, web: 5}},
		{"or looked for in vain", []happening{order, {what: bought, pieces: 4, thread: 1}, {what: broke}, {what: cashed, thread: 1}, {what: packed}},
			good{web: 5}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			m := newMarket(scene{stock: []int{5}, threads: 2}, 0)
			m.play(scene{happenings: test.do})
			require.Equal(t, test.want, m.goods[0])
		})
	}
}

func TestASeedReproducesEveryNumber(t *testing.T) {
	setup := Setup{Seed: 7, Shops: 6, Days: 14, Holds: []time.Duration{0, 24 * time.Hour}}
	first, err := Run(t.Context(), setup)
	require.NoError(t, err)
	again, err := Run(t.Context(), setup)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Positive(t, Total(first)[0].Ordered)
	setup.Seed = 8
	other, err := Run(t.Context(), setup)
	require.NoError(t, err)
	require.NotEqual(t, first, other)
}

func TestEveryHoldMeetsTheSameCustomers(t *testing.T) {
	shops, err := Run(t.Context(), Setup{Seed: 1, Shops: 3, Days: days, Holds: []time.Duration{0, 24 * time.Hour, 96 * time.Hour}})
	require.NoError(t, err)
	for _, shop := range shops {
		require.Equal(t, shop.Figures[0].Wanted, shop.Figures[1].Wanted)
		require.Equal(t, shop.Figures[0].Wanted, shop.Figures[2].Wanted)
	}
}

func TestAHoldNeverShowsMoreThanThePlainRule(t *testing.T) {
	for _, hold := range []time.Duration{0, 24 * time.Hour, 96 * time.Hour} {
		t.Run(hold.String(), func(t *testing.T) {
			passes, less := 0, 0
			for number := range 3 {
				s := newScene(3, number, 21)
				m := newMarket(s, hold)
				m.after = func(m *market) {
					passes++
					for _, g := range m.goods {
						plain := max(0, g.kros)
						require.LessOrEqual(t, g.web, plain)
						require.GreaterOrEqual(t, g.shelf, 0)
						require.GreaterOrEqual(t, g.promised, 0)
						less += plain - g.web
					}
				}
				m.play(s)
			}
			require.Positive(t, passes)
			require.Equal(t, hold > 0, less > 0, "without a hold it is the plain rule")
		})
	}
}

// A pass that finds nothing new changes nothing, so the simulation may leave it
// out.
func TestQuietPassesChangeNothing(t *testing.T) {
	for _, hold := range []time.Duration{0, 24 * time.Hour} {
		s := newScene(5, 2, days)
		all := newMarket(s, hold)
		all.every = true
		figures := all.play(s)
		require.Equal(t, newMarket(s, hold).play(s), figures)
	}
}

// Where every order is booked within the hold, and nothing else takes goods
// away, no piece is sold twice.
func TestAHoldThatLastsUntilTheBookingSellsNothingTwice(t *testing.T) {
	var plain, held Figures
	for _, number := range []int{0, 1, 2, 3, 4, 5} {
		s := newScene(11, number, days)
		s.happenings = slices.DeleteFunc(s.happenings, func(h happening) bool {
			return slices.Contains([]what{bought, cashed, broke, found, counted}, h.what)
		})
		for i := range s.happenings {
			if h := &s.happenings[i]; h.what == cancelled {
				h.what = packed
			}
		}
		plain = plain.Plus(newMarket(s, 0).play(s))
		held = held.Plus(newMarket(s, 15*24*time.Hour).play(s))
	}
	require.Positive(t, plain.SoldTwice)
	require.Zero(t, held.SoldTwice)
	require.Zero(t, held.NotDelivered)
}

func TestAHoldSellsFewerPiecesTwiceWhereOrdersAreBookedTheNextDays(t *testing.T) {
	for seed := range uint64(3) {
		var plain, day, days4 Figures
		for number := range 18 {
			if s := newScene(seed, number, 28); s.class.Booking == NextDays {
				plain = plain.Plus(newMarket(s, 0).play(s))
				day = day.Plus(newMarket(s, 24*time.Hour).play(s))
				days4 = days4.Plus(newMarket(s, 96*time.Hour).play(s))
			}
		}
		t.Logf("seed %d: sold twice %d, with a hold of 24h %d, of 96h %d", seed, plain.SoldTwice, day.SoldTwice, days4.SoldTwice)
		require.Greater(t, plain.SoldTwice, 50, "seed %d: too little happens to compare", seed)
		require.Less(t, 100*day.SoldTwice, 95*plain.SoldTwice, "seed %d", seed)
		require.Less(t, 100*days4.SoldTwice, 70*plain.SoldTwice, "seed %d", seed)
	}
}

func TestShopsAreOfEveryClass(t *testing.T) {
	classes := lo.Map(lo.Range(18), func(number, _ int) Class { return newScene(1, number, 1).class })
	require.Len(t, lo.Uniq(classes), len(Bookings)*2*len(Counters))
}

func TestWhenOrdersAreBooked(t *testing.T) {
	friday := time.Date(2026, time.November, 6, 15, 0, 0, 0, time.UTC)
	tests := []struct {
		class    Class
		ordered  time.Time
		earliest time.Time
		latest   time.Time
	}{
		{Class{Booking: WithinMinutes}, friday, friday, friday.AddDate(0, 0, 3).Add(2 * time.Hour)},
		{Class{Booking: SameDay}, friday, friday, friday.AddDate(0, 0, 4)},
		{Class{Booking: NextDays}, friday, friday.AddDate(0, 0, 3).Add(-7 * time.Hour), friday.AddDate(0, 0, 5).Add(2 * time.Hour)},
		{Class{Booking: NextDays}, time.Date(2026, time.December, 23, 12, 0, 0, 0, time.UTC), // over Christmas
			time.Date(2026, time.December, 28, 8, 0, 0, 0, time.UTC), time.Date(2026, time.December, 30, 17, 0, 0, 0, time.UTC)},
		{Class{Booking: NextDays, BlackFriday: true}, blackFriday,
			time.Date(2026, time.December, 1, 8, 0, 0, 0, time.UTC), time.Date(2026, time.December, 7, 17, 0, 0, 0, time.UTC)},
	}
	for _, test := range tests {
		d := &draw{chance: rand.New(rand.NewPCG(1, 1)), scene: scene{class: test.class}}
		for range 500 {
			at := d.booked(test.ordered)
			require.False(t, at.Before(test.earliest), "%v: %s", test.class, at)
			require.False(t, at.After(test.latest), "%v: %s", test.class, at)
		}
	}
}
