package stock_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/stock"
)

// stall is one shop and its KROS over many passes, each half an hour after the
// one before.
type stall struct {
	rules   stock.Rules
	basis   string
	now     time.Time
	kros    map[string]string // by item code
	shop    []stock.Product
	memory  *stock.Memory
	last    stock.Plan // that memory remembers
	answers stock.Answers
	day     *stock.Day
}

func newStall(kros map[string]string, products ...stock.Product) *stall {
	rules := byNumber()
	rules.SoldHold = 24 * time.Hour
	return &stall{rules: rules, basis: "settings", now: day, kros: kros, shop: products}
}

func (s *stall) items() []stock.Item {
	codes := lo.Keys(s.kros)
	return lo.Map(codes, func(code string, _ int) stock.Item { return item(code, "", s.kros[code]) })
}

func (s *stall) plan() stock.Plan {
	s.now = s.now.Add(30 * time.Minute)
	return stock.NewPlan(stock.Input{
		Rules: s.rules, Items: s.items(), Products: s.shop, Memory: s.memory, Now: s.now, Basis: s.basis,
		First: s.memory == nil, Answers: s.answers, Day: s.day,
	})
}

// pass plans, writes and remembers.
func (s *stall) pass() stock.Plan {
	p := s.plan()
	s.shop = applied(p, s.shop)
	s.remember(p, lo.Map(p.Writes(), func(w stock.Write, _ int) stock.Receipt {
		return stock.Receipt{Product: w.Product, Had: w.From, Asked: w.To, Answer: stock.AnswerUpdated}
	})...)
	return p
}

func (s *stall) remember(p stock.Plan, receipts ...stock.Receipt) {
	s.last, s.memory = p, remember(s.items(), p, receipts...)
	s.memory.Basis = s.basis
}

func (s *stall) has(id string) string {
	found, _ := lo.Find(s.shop, func(p stock.Product) bool { return p.ID == id })
	return found.Quantity.String()
}

func (s *stall) sell(id, pieces string) { s.change(id, dec(pieces).Neg()) }

func (s *stall) change(id string, by decimal.Decimal) {
	for i, p := range s.shop {
		if p.ID == id {
			s.shop[i].Quantity = p.Quantity.Add(by)
		}
	}
}

func TestSoldStaysSold(t *testing.T) {
	one := func(kros string) *stall {
		s := newStall(map[string]string{"A": kros}, product("a", "A", "", kros))
		s.pass()
		return s
	}
	tests := []struct {
		rule string
		do   func(t *testing.T, s *stall)
		want string
		sold string
	}{
		{"what was sold is not refilled", func(_ *testing.T, s *stall) { s.sell("a", "4"); s.pass() }, "6", "4"},
		{"nor by any later pass", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			for range 10 {
				s.pass()
			}
		}, "6", "4"},
		{"booked: equal to KROS", func(_ *testing.T, s *stall) { s.sell("a", "4"); s.pass(); s.kros["A"] = "6"; s.pass() }, "6", "0"},
		{"booked at once: equal to KROS", func(_ *testing.T, s *stall) { s.sell("a", "4"); s.kros["A"] = "6"; s.pass() }, "6", "0"},
		{"booked in parts", func(_ *testing.T, s *stall) { s.sell("a", "4"); s.pass(); s.kros["A"] = "9"; s.pass() }, "6", "3"},
		{"received while sold pieces are not booked", func(_ *testing.T, s *stall) { s.sell("a", "9"); s.pass(); s.kros["A"] = "90"; s.pass() }, "81", "9"},
		{"sold at the counter", func(_ *testing.T, s *stall) { s.kros["A"] = "7"; s.pass() }, "7", "0"},
		{"a cancelled order comes back", func(_ *testing.T, s *stall) { s.sell("a", "4"); s.pass(); s.sell("a", "-3"); s.pass() }, "9", "1"},
		{"a rise by hand does not stay", func(_ *testing.T, s *stall) { s.sell("a", "-5"); s.pass() }, "10", "0"},
		{"hold over: KROS wins", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			s.pass()
			s.now = s.now.Add(23*time.Hour + 30*time.Minute)
			s.pass()
		}, "10", "0"},
		{"the hold begins when the sale was seen, however many passes follow", func(t *testing.T, s *stall) {
			s.sell("a", "4")
			for range 48 {
				s.pass()
				require.Equal(t, "6", s.has("a"))
			}
			s.pass()
		}, "10", "0"},
		{"each sale has its own hold", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			s.pass()
			s.now = s.now.Add(12 * time.Hour)
			s.sell("a", "1")
			s.pass()
			s.now = s.now.Add(12 * time.Hour)
			s.pass()
		}, "9", "1"},
		{"bookings are taken from the oldest sale", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			s.pass()
			s.now = s.now.Add(12 * time.Hour)
			s.sell("a", "1")
			s.kros["A"] = "6"
			s.pass()
			s.now = s.now.Add(11 * time.Hour) // the first would end; it is booked
			s.pass()
		}, "5", "1"},
		{"more sold than KROS has: 0, and the rest is not forgotten", func(_ *testing.T, s *stall) {
			s.sell("a", "8")
			s.pass()
			s.kros["A"] = "5" // counter sales
			s.pass()
			s.kros["A"] = "10"
			s.pass()
		}, "7", "3"},
		{"a change of settings books nothing", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			s.pass()
			s.basis = "other warehouses"
			s.kros["A"] = "8"
			s.pass()
		}, "4", "4"},
		{"an item that is missing for a pass keeps its sales", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			s.pass()
			delete(s.kros, "A")
			s.kros["B"] = "1"
			s.pass()
			s.kros["A"] = "10"
			s.memory.Items = append(s.memory.Items, item("A", "", "10"))
			s.pass()
		}, "6", "4"},
		{"an item that is gone for long, and whose absence was approved, keeps its sales", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			s.pass()
			delete(s.kros, "A")
			for range 5 {
				s.pass()
			}
			s.kros["A"] = "10"
			s.pass()
		}, "6", "4"},
		{"and no longer than the hold", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			s.pass()
			delete(s.kros, "A")
			s.pass()
			s.pass()
			s.now = s.now.Add(24 * time.Hour)
			s.pass()
			s.kros["A"] = "10"
			s.pass()
		}, "10", "0"},
		{"a product that is not found for a while keeps its sales", func(_ *testing.T, s *stall) {
			s.sell("a", "4")
			s.pass()
			number := s.shop[0].Number
			s.shop[0].Number = "renamed"
			s.pass()
			s.pass()
			s.shop[0].Number = number
			s.pass()
		}, "6", "4"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := one("10")
			test.do(t, s)
			require.Equal(t, test.want, s.has("a"))
			line, _ := lo.Find(s.last.Lines, func(l stock.Line) bool { return l.Item == "A" })
			require.Equal(t, test.sold, lo.Reduce(line.Sold, func(sum decimal.Decimal, sale stock.Sale, _ int) decimal.Decimal {
				return sum.Add(sale.Quantity)
			}, decimal.Zero).String())
		})
	}
}

func TestLibracore(t *testing.T) {
	s := newStall(map[string]string{"A": "30"}, product("a", "A", "", "30"))
	s.pass()
	s.sell("a", "29")
	s.pass()
	s.kros["A"] = "80"
	s.pass()
	require.Equal(t, "51", s.has("a"), "80 received, 29 sold and not booked")
}

func TestProductsOfOneItemShareItsSales(t *testing.T) {
	s := newStall(map[string]string{"A": "10"}, product("a", "A", "", "10"), product("b", "A", "", "10"))
	s.pass()
	s.sell("a", "3")
	s.sell("b", "2")
	s.pass()
	require.Equal(t, []string{"5", "5"}, []string{s.has("a"), s.has("b")}, "both sell the same ten pieces")
	s.kros["A"] = "5"
	s.pass()
	require.Equal(t, []string{"5", "5"}, []string{s.has("a"), s.has("b")})
}

func TestAnImportIsNotTakenForSales(t *testing.T) {
	tests := []struct {
		rule     string
		of       int
		change   func(i int) int64
		imported bool
	}{
		{"half the shop changed, up and down", 40, func(i int) int64 { return []int64{-3, 5, 0, 0}[i%4] }, true},
		{"a quarter of the changes shows more", 40, func(i int) int64 { return []int64{-3, -3, -3, 1}[i%4] }, true},
		{"falls alone are Black Friday", 40, func(int) int64 { return -3 }, false},
		{"hardly any shows more", 40, func(i int) int64 { return lo.Ternary[int64](i%5 == 0, 1, -3) }, false},
		{"not more than a third", 30, func(i int) int64 { return []int64{4, 0, 0}[i%3] }, false},
		{"fewer than ten", 9, func(int) int64 { return 4 }, false},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := newStall(map[string]string{})
			for i := range test.of {
				code := fmt.Sprintf("N%02d", i)
				s.kros[code] = "10"
				s.shop = append(s.shop, product(code, code, "", "10"))
			}
			s.pass()
			for i := range test.of {
				s.change(fmt.Sprintf("N%02d", i), decimal.NewFromInt(test.change(i)))
			}
			p := s.pass()
			require.Equal(t, test.imported, p.Imported)
			for i := range test.of {
				want := lo.Ternary(test.imported, 10, min(10, 10+test.change(i)))
				require.Equal(t, fmt.Sprint(want), s.has(fmt.Sprintf("N%02d", i)))
			}
		})
	}
}

// A pass that was killed leaves a plan and maybe some answers.
func TestWhatAKilledPassLeft(t *testing.T) {
	planned := func(from, to string) *stall {
		s := newStall(map[string]string{"A": to}, product("a", "A", "", from))
		p := s.plan()
		s.remember(p) // nothing of it is known to be written
		return s
	}
	tests := []struct {
		rule     string
		from, to string
		answer   stock.Answer
		repeated bool
		now      string
		shows    string
		want     string
	}{
		{"the shop shows what was wanted: written", "5", "10", "", false, "", "10", "10"},
		{"it shows what it had: not written", "5", "10", "", false, "", "5", "10"},
		{"something between: sold", "5", "10", "", false, "", "8", "8"},
		{"less than both: the larger possibility, nothing is sold twice", "5", "10", "", false, "", "4", "4"},
		{"a decrease, and less than both", "10", "5", "", false, "", "4", "0"},
		{"a known answer", "5", "10", stock.AnswerUpdated, false, "10", "4", "4"},
		{"a refusal", "5", "10", stock.AnswerRejected, false, "", "4", "9"},
		{"a conflict: what was sold before its answer counts, too", "5", "10", stock.AnswerConflict, false, "3", "2", "7"},
		{"a conflict at the wanted quantity: sold as well", "10", "7", stock.AnswerConflict, false, "7", "7", "4"},
		{"the same of a repeated write: our own", "10", "7", stock.AnswerConflict, true, "7", "6", "6"},
		{"another conflict of a repeated write: written or not", "5", "10", stock.AnswerConflict, true, "8", "8", "8"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := planned(test.from, test.to)
			if test.answer != "" {
				r := stock.Receipt{Product: "a", Had: dec(test.from), Asked: dec(test.to), Answer: test.answer, Repeated: test.repeated}
				if test.now != "" {
					r.Now = lo.ToPtr(dec(test.now))
				}
				s.remember(s.last, r)
			}
			s.shop[0].Quantity = dec(test.shows)
			s.pass()
			require.Equal(t, test.want, s.has("a"))
		})
	}
}

func TestWithoutAHoldKROSAlwaysWins(t *testing.T) {
	s := newStall(map[string]string{"A": "10"}, product("a", "A", "", "10"))
	s.rules.SoldHold = 0
	s.pass()
	s.sell("a", "4")
	require.Equal(t, []string{"a 6>10"}, writes(s.pass()))
}

// No run of sales, cancellations, bookings, deliveries and counter sales lifts
// a product above the plain rule; and where everybody books in the end and
// nobody sells at the counter, the shop shows what there really is, always.
func TestSalesOfARandomShop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		honest := rapid.Bool().Draw(t, "no counter sales")
		s := newStall(map[string]string{"A": "50"}, product("a", "A", "", "50"))
		s.pass()
		kros, waiting := int64(50), int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "passes") {
			if sold := rapid.Int64Range(0, 9).Draw(t, "sold"); s.shop[0].Quantity.GreaterThanOrEqual(decimal.NewFromInt(sold)) {
				s.sell("a", fmt.Sprint(sold))
				waiting += sold
			}
			booked := rapid.Int64Range(0, waiting).Draw(t, "booked")
			if kros, waiting = kros-booked, waiting-booked; !honest {
				kros -= rapid.Int64Range(0, max(0, min(5, kros))).Draw(t, "counter")
			}
			if booked == 0 { // a delivery hides bookings of the same half hour
				kros += rapid.Int64Range(0, 20).Draw(t, "received")
			}
			s.kros["A"] = fmt.Sprint(kros)
			s.pass()
			shows := s.shop[0].Quantity.IntPart()
			require.LessOrEqual(t, shows, max(0, kros), "never above the plain rule")
			if honest {
				require.Equal(t, max(0, kros-waiting), shows, "what there really is")
			}
		}
	})
}

func TestAProductThatComesBackToItsItemHasKeptItsSales(t *testing.T) {
	s := newStall(map[string]string{"A": "31"}, product("a", "A", "", "31"))
	s.pass()
	s.sell("a", "5")
	s.shop[0].ID = "other" // as a shop says that mixes its products up
	require.Zero(t, s.pass().Lost(), "the item is in step with a product")
	s.shop[0].ID, s.shop[0].Quantity = "a", dec("26")
	s.pass()
	require.Equal(t, "26", s.has("a"))
}

func TestAMatchThatIsLostIsCountedUntilItIsBack(t *testing.T) {
	s := newStall(map[string]string{"A": "10", "B": "1"}, product("a", "A", "", "10"), product("b", "B", "", "1"))
	require.Zero(t, s.pass().Lost())
	s.shop[0].Number = "renamed"
	require.Equal(t, 1, s.pass().Lost())
	require.Equal(t, 1, s.pass().Lost())
	delete(s.kros, "B")
	require.Equal(t, 1, s.pass().Lost(), "an item that KROS does not show is no lost match")
	s.shop[0].Number = "A"
	require.Zero(t, s.pass().Lost())
}

// A worker that is killed behind a write sends it again; what the shop sold in
// between makes a conflict of it.
func TestAConflictOfARepeatedWriteMayBeOurOwnWrite(t *testing.T) {
	tests := []struct {
		rule     string
		from, to string
		shows    string
		repeated bool
		want     string
	}{
		{"sold between look-up and write", "5", "10", "3", false, "8"},
		{"written, and sold since", "5", "10", "8", true, "8"},
		{"written, and not sold", "5", "10", "10", true, "10"},
		{"written or not: nothing is sold twice", "5", "10", "3", true, "3"},
		{"a decrease, written, and sold since", "10", "5", "4", true, "0"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := newStall(map[string]string{"A": test.to}, product("a", "A", "", test.from))
			p := s.plan()
			conflict := stock.Receipt{Product: "a", Had: dec(test.from), Asked: dec(test.to), Answer: stock.AnswerConflict, Repeated: test.repeated}
			again, _ := stock.Replan(s.rules, p, []stock.Product{product("a", "A", "", test.shows)}, []stock.Receipt{conflict}, s.now)
			require.Equal(t, test.want, only(t, again).Entries[0].To.String())
		})
	}
}
