package stock_test

import (
	"fmt"
	"testing"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

// guardedStall has n items of 10 pieces each, in step, under the default guard.
func guardedStall(n int) *stall {
	s := newStall(map[string]string{})
	s.rules.SoldHold = 0
	for i := range n {
		s.kros[code(i)] = "10"
		s.shop = append(s.shop, product(code(i), code(i), "", "10"))
	}
	s.pass()
	s.rules.Guard = stock.Guard{MaxZeroed: 0.3, MaxChanged: 0.8, MinItems: 5, MinCatalogue: 0.5}
	return s
}

func code(i int) string { return fmt.Sprintf("N%03d", i) }

// set gives the items from first on another quantity in KROS.
func (s *stall) set(first, n int, quantity string) {
	for i := first; i < first+n; i++ {
		s.kros[code(i)] = quantity
	}
}

func kindOf(p stock.Plan) stock.HoldKind { return lo.FromPtr(p.Hold).Kind }

func TestGuard(t *testing.T) {
	tests := []struct {
		rule   string
		n      int
		do     func(*stall)
		kind   stock.HoldKind
		held   int
		writes int
	}{
		{"30 % to 0 are not more than 30 %", 100, func(s *stall) { s.set(0, 30, "0") }, "", 0, 30},
		{"31 % are", 100, func(s *stall) { s.set(0, 31, "0") }, stock.HoldZeroed, 31, 0},
		{"other changes flow", 100, func(s *stall) { s.set(0, 31, "0"); s.set(50, 5, "9") }, stock.HoldZeroed, 31, 5},
		{"fewer than min_items never are", 10, func(s *stall) { s.set(0, 4, "0") }, "", 0, 4},
		{"min_items of a small shop are", 10, func(s *stall) { s.set(0, 5, "0") }, stock.HoldZeroed, 5, 0},
		{"all of a shop of three", 3, func(s *stall) { s.set(0, 3, "0") }, stock.HoldZeroed, 3, 0},
		{"all of a shop of two may be", 2, func(s *stall) { s.set(0, 2, "0") }, "", 0, 2},
		{"a shop of 19 products all zero", 19, func(s *stall) { s.set(0, 19, "0") }, stock.HoldZeroed, 19, 0},
		{"what the shop sold out itself does not count", 100, func(s *stall) {
			s.day = &stock.Day{Stocked: 100}
			s.set(0, 60, "0")
			for i := range 40 {
				s.sell(code(i), "10")
			}
		}, "", 0, 20},
		{"zeroings of the day before count", 100, func(s *stall) { s.day = &stock.Day{Stocked: 100, Zeroed: 30}; s.set(0, 1, "0") }, stock.HoldZeroed, 1, 0},
		{"against what was in stock a day ago", 50, func(s *stall) { s.day = &stock.Day{Stocked: 100, Zeroed: 10}; s.set(0, 20, "0") }, "", 0, 20},
		{"100 -> 1 for all is held whole", 40, func(s *stall) { s.set(0, 40, "1") }, stock.HoldChanged, 40, 0},
		{"with the zeroings and small changes among it", 40, func(s *stall) { s.set(0, 36, "1"); s.set(36, 2, "0"); s.set(38, 2, "9") }, stock.HoldChanged, 38, 0},
		{"more than half, up", 40, func(s *stall) { s.set(0, 40, "16") }, stock.HoldChanged, 40, 0},
		{"by half is not more than half", 40, func(s *stall) { s.set(0, 40, "5") }, "", 0, 40},
		{"80 % are not more than 80 %", 40, func(s *stall) { s.set(0, 32, "1") }, "", 0, 32},
		{"fewer than 20 products are no mass", 19, func(s *stall) { s.set(0, 19, "1") }, "", 0, 19},
		{"a first pass may change anything", 40, func(s *stall) { s.memory = nil; s.set(0, 40, "1") }, "", 0, 40},
		{"but not zero too much", 40, func(s *stall) { s.memory = nil; s.set(0, 13, "0") }, stock.HoldZeroed, 13, 0},
		{"100 % switches zeroings off, both halves", 40, func(s *stall) { s.rules.Guard.MaxZeroed = 1; s.rules.Guard.MaxChanged = 1; s.set(0, 40, "0") }, "", 0, 40},
		{"100 % switches mass changes off", 40, func(s *stall) { s.rules.Guard.MaxChanged = 1; s.set(0, 40, "1") }, "", 0, 40},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := guardedStall(test.n)
			test.do(s)
			before := s.shop
			p := s.plan()
			require.Equal(t, test.kind, kindOf(p))
			require.Len(t, p.Writes(), test.writes)
			counts := p.Counts()
			require.Equal(t, test.n, outcomes(counts))
			if p.Hold == nil {
				require.Zero(t, counts.Held)
				return
			}
			require.Equal(t, test.held, p.Hold.Products)
			require.GreaterOrEqual(t, counts.Held, test.held)
			after := lo.KeyBy(applied(p, before), func(p stock.Product) string { return p.ID })
			for _, line := range p.HeldLines() {
				require.NotEmpty(t, line.Reason)
				for _, e := range line.Entries {
					require.Equal(t, "10", after[e.Product].Quantity.String(), "keeps what it has")
				}
			}
		})
	}
}

// Ten slices of 5 %, a pass each, are as bad as one of 50 %.
func TestSlicesOfOneDayCountTogether(t *testing.T) {
	s := guardedStall(100)
	s.day = &stock.Day{Stocked: 100}
	zeroed := 0
	for slice := range 10 {
		s.set(5*slice, 5, "0")
		p := s.pass()
		s.day.Zeroed += p.Zeroings()
		zeroed += len(p.Writes())
		require.Equal(t, slice >= 6, p.Hold != nil, slice)
	}
	require.Equal(t, 30, zeroed)
}

func TestApproval(t *testing.T) {
	held := func() (*stall, stock.Plan) {
		s := guardedStall(100)
		s.set(0, 40, "0")
		p := s.pass()
		require.NotNil(t, p.Hold)
		s.answers.Approved = p.Lines
		return s, p
	}
	t.Run("writes exactly what KROS still has at 0", func(t *testing.T) {
		s, _ := held()
		s.kros[code(0)] = "7"
		s.set(50, 1, "0") // new since
		p := s.pass()
		require.Nil(t, p.Hold, "what was approved counts in no threshold, and one more is not too much")
		require.Len(t, p.Writes(), 41)
		require.Equal(t, []string{"7", "0", "0"}, []string{s.has(code(0)), s.has(code(1)), s.has(code(50))})
		require.Equal(t, 1, p.Zeroings(), "of the day count those that nobody approved")
	})
	t.Run("new ones stay held", func(t *testing.T) {
		s, _ := held()
		s.set(40, 31, "0")
		p := s.pass()
		require.Equal(t, 31, p.Hold.Products)
		require.Len(t, p.Writes(), 40)
	})
	t.Run("in a shop that sells meanwhile", func(t *testing.T) {
		s, _ := held()
		s.rules.SoldHold = day.Sub(day.Add(-24 * 3600e9))
		s.sell(code(3), "2")
		s.sell(code(60), "2")
		p := s.pass()
		require.Nil(t, p.Hold)
		require.Equal(t, []string{"0", "8"}, []string{s.has(code(3)), s.has(code(60))})
	})
	t.Run("twice applies once", func(t *testing.T) {
		s, _ := held()
		require.Len(t, s.pass().Writes(), 40)
		require.Empty(t, s.pass().Writes())
	})
	t.Run("a mass change", func(t *testing.T) {
		s := guardedStall(40)
		s.set(0, 40, "1")
		s.answers.Approved = s.pass().Lines
		require.Len(t, s.pass().Writes(), 40)
	})
	t.Run("a doubtful catalogue", func(t *testing.T) {
		s := guardedStall(40)
		s.set(0, 40, "0")
		in := stock.Input{Rules: s.rules, Items: s.items(), Products: s.shop, Memory: s.memory, Now: s.now, Basis: s.basis, Doubtful: true}
		p := stock.NewPlan(in)
		require.Empty(t, p.Writes())
		require.Equal(t, stock.HoldCatalogue, p.Hold.Kind)
		in.Doubtful, in.Answers.Approved = false, p.Lines
		p = stock.NewPlan(in)
		require.Nil(t, p.Hold)
		require.Len(t, p.Writes(), 40)
	})
}

func TestDismissalKeepsProductsUntilKROSShowsAnotherNumber(t *testing.T) {
	s := guardedStall(100)
	s.set(0, 40, "0")
	s.answers.Dismissed = s.pass().Lines
	p := s.pass()
	require.Nil(t, p.Hold, "a person has answered")
	require.Equal(t, 40, p.Counts().Held)
	require.Equal(t, "10", s.has(code(0)))

	s.answers = stock.Answers{} // the ledger remembers
	s.kros[code(0)] = "3"
	p = s.pass()
	require.Nil(t, p.Hold)
	require.Equal(t, 39, p.Counts().Held)
	require.Equal(t, "3", s.has(code(0)), "another number is news")
	s.kros[code(0)] = "0"
	p = s.pass()
	require.Equal(t, "0", s.has(code(0)), "and so is the next 0, of one product")
	require.Equal(t, 39, p.Counts().Held)
}

// What KROS shows while it is not believed books nothing: a glitch to 0 and
// back does not put sold pieces on sale again.
func TestAHeldNumberBooksNoSales(t *testing.T) {
	s := guardedStall(10)
	s.rules.SoldHold = day.Sub(day.Add(-24 * 3600e9))
	s.sell(code(0), "4")
	s.pass()
	s.set(0, 10, "0")
	require.NotNil(t, s.pass().Hold)
	s.set(0, 10, "10")
	require.Nil(t, s.pass().Hold)
	require.Equal(t, "6", s.has(code(0)))
}

func TestAHoldIsNamedByWhatIsHeld(t *testing.T) {
	hash := func(do func(*stall)) string {
		s := guardedStall(100)
		s.set(0, 40, "0")
		do(s)
		return s.plan().HoldHash("baseline")
	}
	same := hash(func(*stall) {})
	require.NotEmpty(t, same)
	require.Equal(t, same, hash(func(*stall) {}))
	require.Equal(t, same, hash(func(s *stall) { s.sell(code(3), "2"); s.sell(code(70), "2") }), "the shop sells meanwhile")
	require.NotEqual(t, same, hash(func(s *stall) { s.kros[code(41)] = "0" }))
	require.NotEqual(t, same, hash(func(s *stall) { s.kros[code(3)] = "1" }))
	s := guardedStall(100)
	s.set(0, 40, "0")
	require.NotEqual(t, same, s.plan().HoldHash("another baseline"))
	s.set(0, 40, "10")
	require.Empty(t, s.plan().HoldHash("baseline"), "nothing is held")
}

// Whatever KROS shows: within a day no more products go to 0 than the guard
// allows, unless a person said so, and nothing held changes.
func TestNoDayZeroesMoreThanTheGuardAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 60).Draw(t, "products")
		s := guardedStall(n)
		s.day = &stock.Day{Stocked: n}
		for range rapid.IntRange(1, 8).Draw(t, "passes") {
			for i := range n {
				if rapid.IntRange(0, 3).Draw(t, "changes") == 0 {
					s.kros[code(i)] = rapid.SampledFrom([]string{"0", "0", "1", "10", "30"}).Draw(t, "quantity")
				}
			}
			p := s.pass()
			s.day.Zeroed += p.Zeroings()
			require.Equal(t, n, outcomes(p.Counts()))
			allowed := max(4, int(0.3*float64(n)))
			require.LessOrEqual(t, s.day.Zeroed, allowed)
			require.Empty(t, lo.Filter(p.Writes(), func(w stock.Write, _ int) bool { return w.From.Equal(w.To) }))
		}
	})
}
