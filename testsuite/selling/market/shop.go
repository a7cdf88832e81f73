package market

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Booking is how soon the orders of a shop are booked in KROS.
type Booking string

// How soon orders are booked.
const (
	WithinMinutes Booking = "within minutes" // by a program; one order in thirty needs a person
	SameDay       Booking = "the same day"   // by people, in office hours
	NextDays      Booking = "the next days"  // the next working day, or some days later
)

// Bookings are all of them, fastest first.
var Bookings = []Booking{WithinMinutes, SameDay, NextDays}

// Counter is how KROS learns of what a shop sells over a counter.
type Counter string

// How KROS learns of counter sales.
const (
	NoCounter Counter = "no counter"
	AtOnce    Counter = "counter sales in KROS at once"
	Evening   Counter = "counter sales in KROS in the evening"
)

// Counters are all of them.
var Counters = []Counter{NoCounter, AtOnce, Evening}

// Class is what a shop is like. With a Black Friday come many more orders for
// four days, and where people book, these are booked one to three working days
// later than others.
type Class struct {
	Booking     Booking
	BlackFriday bool
	Counter     Counter
}

const (
	itemsOfAShop = 10
	passEvery    = 30 * time.Minute
	rushDays     = 4 // Friday to Monday
)

// rush is how many times more customers come on the days from Black Friday on.
var rush = [rushDays]float64{8, 5, 4, 3}

// happening is one thing that happens to a shop, whatever the hold.
type happening struct {
	at     time.Time
	what   what
	item   int
	pieces int
	thread int // what belongs together: an order and its booking, a delivery and its receipt
}

type what int

const (
	wanted    what = iota // a customer of the e-shop wants pieces
	packed                // his order is packed and booked in KROS
	cancelled             // or never booked and given up
	bought                // a customer takes pieces at the counter
	cashed                // and KROS learns of it
	arrived               // goods come, up to so many pieces
	received              // and are booked in KROS
	broke                 // a piece breaks or is stolen, and nobody knows
	found                 // a piece turns up that nobody knew of
	counted               // stocktaking: KROS learns what is there
	passed                // a pass of Skladom
)

// scene is a shop and everything that happens to it, in order of time.
type scene struct {
	class      Class
	stock      []int // of each item in the beginning, on the shelf, in KROS and in the e-shop
	happenings []happening
	threads    int
}

// newScene draws a shop. The same seed and number make the same shop.
func newScene(seed uint64, number, days int) scene {
	d := &draw{
		chance: rand.New(rand.NewPCG(seed, uint64(number))),
		scene: scene{class: Class{
			Booking:     Bookings[number%len(Bookings)],
			BlackFriday: number/len(Bookings)%2 == 1,
			Counter:     Counters[number/len(Bookings)/2%len(Counters)],
		}},
		days: days,
	}
	d.habits()
	for item := range itemsOfAShop {
		d.item(item)
	}
	d.stocktaking()
	d.passes()
	d.inOrder()
	return d.scene
}

// draw makes one scene.
type draw struct {
	scene
	chance *rand.Rand
	days   int

	counter  float64 // customers at the counter for each customer of the e-shop
	delivery int     // days from one delivery to the next
}

func (d *draw) habits() {
	if d.class.Counter != NoCounter {
		d.counter = 0.2 + 0.4*d.chance.Float64()
	}
	d.delivery = 3 + d.chance.IntN(8)
}

// item draws the life of one item: from one sold now and then to a few a day,
// stocked for a little less or more than what is sold between two deliveries.
func (d *draw) item(item int) {
	perDay := math.Exp(d.chance.NormFloat64() - 0.7)
	cover := 0.8 + 1.2*d.chance.Float64()
	level := max(1, int(math.Ceil(perDay*(1+d.counter)*float64(d.delivery)*cover)))
	d.stock = append(d.stock, level)
	next := d.chance.IntN(d.delivery)
	for n := range d.days {
		day := begin.AddDate(0, 0, n)
		d.customers(item, day, perDay*d.bustle(day))
		if d.class.BlackFriday && day.Equal(blackFriday.AddDate(0, 0, -2)) {
			d.deliver(item, day, level*4) // who advertises has bought
		}
		if n >= next && !daysOff(day) {
			d.deliver(item, day, level)
			next = n + d.delivery
		}
		for range d.poisson(0.01) {
			astray := broke
			if d.chance.IntN(4) == 0 {
				astray = found
			}
			d.happen(within(day, 0, 24*time.Hour, d.chance), astray, item, 1, d.thread())
		}
	}
}

// bustle is how many times more customers come than on any other day.
func (d *draw) bustle(day time.Time) float64 {
	if !d.rushed(day) {
		return 1
	}
	return rush[int(day.Sub(blackFriday)/(24*time.Hour))]
}

func (d *draw) rushed(t time.Time) bool {
	return d.class.BlackFriday && !t.Before(blackFriday) && t.Before(blackFriday.AddDate(0, 0, rushDays))
}

func (d *draw) customers(item int, day time.Time, number float64) {
	for range d.poisson(number) {
		d.order(item, onTheWeb(day, d.chance))
	}
	if !counterOpen(day) {
		return
	}
	for range d.poisson(number * d.counter) {
		at := within(day, counterOpening, counterClosing, d.chance)
		known := at
		if d.class.Counter == Evening {
			known = day.Add(counterClosing + 15*time.Minute)
		}
		thread := d.thread()
		d.happen(at, bought, item, d.pieces(), thread)
		d.happen(known, cashed, item, 0, thread)
	}
}

// order draws an order and what becomes of it. One in sixteen is given up: half
// of these soon, half when nobody has paid for a week.
func (d *draw) order(item int, at time.Time) {
	thread := d.thread()
	d.happen(at, wanted, item, d.pieces(), thread)
	switch d.chance.IntN(32) {
	case 0:
		d.happen(at.Add(between(time.Hour, 48*time.Hour, d.chance)), cancelled, item, 0, thread)
	case 1:
		d.happen(at.Add(7*24*time.Hour), cancelled, item, 0, thread)
	default:
		d.happen(d.booked(at), packed, item, 0, thread)
	}
}

// booked is when an order of that time is booked in KROS.
func (d *draw) booked(ordered time.Time) time.Time {
	late := 0
	if d.rushed(ordered) {
		late = 1 + d.chance.IntN(3)
	}
	switch d.class.Booking {
	case WithinMinutes:
		if d.chance.IntN(30) > 0 {
			return ordered.Add(between(2*time.Minute, 40*time.Minute, d.chance))
		}
		return within(workday(ordered, 1), opening, closing, d.chance)
	case SameDay:
		hours := time.Duration(d.chance.ExpFloat64() * float64(3*time.Hour)).Truncate(time.Second)
		at := inOfficeHours(ordered.Add(10*time.Minute+hours), d.chance)
		if late > 0 {
			at = within(workday(at, late), opening, closing, d.chance)
		}
		return at
	}
	n := []int{1, 1, 1, 1, 1, 1, 1, 2, 2, 3}[d.chance.IntN(10)]
	return within(workday(ordered, n+late), opening, closing, d.chance)
}

// deliver fills the shelf up. Half of the deliveries are in KROS within an
// hour, some not before the next working day.
func (d *draw) deliver(item int, day time.Time, upTo int) {
	at := within(day, opening, closing-3*time.Hour, d.chance)
	var known time.Time
	switch n := d.chance.IntN(20); {
	case n < 10:
		known = at.Add(between(5*time.Minute, time.Hour, d.chance))
	case n < 17:
		known = at.Add(between(time.Hour, 4*time.Hour, d.chance))
	default:
		known = within(workday(at, 1), opening, closing, d.chance)
	}
	thread := d.thread()
	d.happen(at, arrived, item, upTo, thread)
	d.happen(known, received, item, 0, thread)
}

// stocktaking is on a Saturday evening, every four weeks or so.
func (d *draw) stocktaking() {
	for n := 5 + 7*d.chance.IntN(4); n < d.days; n += 28 {
		for item := range itemsOfAShop {
			d.happen(begin.AddDate(0, 0, n).Add(20*time.Hour), counted, item, 0, d.thread())
		}
	}
}

func (d *draw) passes() {
	for at := begin.Add(between(0, passEvery, d.chance)); at.Before(d.end()); at = at.Add(passEvery) {
		d.happen(at, passed, 0, 0, 0)
	}
}

func (d *draw) end() time.Time { return begin.AddDate(0, 0, d.days) }

func (d *draw) thread() int {
	d.threads++
	return d.threads - 1
}

func (d *draw) happen(at time.Time, what what, item, pieces, thread int) {
	d.happenings = append(d.happenings, happening{at, what, item, pieces, thread})
}

// inOrder sorts what happens by time and ends with the last day.
func (d *draw) inOrder() {
	slices.SortStableFunc(d.happenings, func(a, b happening) int { return a.at.Compare(b.at) })
	d.happenings = slices.DeleteFunc(d.happenings, func(h happening) bool { return !h.at.Before(d.end()) })
}

// pieces is how many one customer wants: mostly one.
func (d *draw) pieces() int { return []int{1, 1, 1, 1, 1, 1, 1, 1, 2, 3}[d.chance.IntN(10)] }

// poisson is how many independent things happen where so many do on average.
func (d *draw) poisson(average float64) int {
	n := 0
	for at := d.chance.ExpFloat64(); at < average; at += d.chance.ExpFloat64() {
		n++
	}
	return n
}
