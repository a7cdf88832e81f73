// Package market simulates shops that sell the same goods over the web and, many
// of them, over a counter, to find out what stock.Rules.SoldHold does: how many
// pieces are sold twice, and how many sales are lost.
//
// Time is simulated and chance has a seed: who wants what when, when each order
// is booked in KROS or cancelled, when goods come, break and are counted is
// drawn once for a shop and happens to every hold alike. Only what the e-shop
// shows differs. Every half hour there is a pass: planned by stock.NewPlan with
// the memory of the pass before, and written at once and exactly.
//
// # Who counts as what
//
// A piece is there when it lies on the shelf, whatever KROS and the e-shop say.
// It is promised when an order was accepted for it that is neither booked nor
// cancelled. It is free when it is there and not promised. Then, in pieces and
// at the moment when a customer of the e-shop orders:
//
//   - ordered is what the e-shop accepts: what the customer wants, as far as it
//     is shown.
//   - sold twice is what of that is not free: it is gone, or promised to somebody
//     else. It stays counted where a delivery or a cancellation saves it later.
//   - lost is what the customer wanted beyond that, was free, and not shown.
//   - not delivered are accepted pieces that are not on the shelf when the order
//     is to be packed. Of those sold twice some are delivered after all; and some
//     were taken by customers at the counter, who take what they see, promised
//     or not. That is no sale of the e-shop, so it is not counted as sold twice.
//
// What is neither free nor shown is no loss, and a customer at the counter who
// finds the shelf empty is nobody's.
//
// # What is left out
//
// A pass reads and writes in one moment and none fails. There are no
// notifications, which would show bookings sooner. The guard is off: what waits
// for a person does not depend on the hold. Goods leave when they are booked.
//
// Of the project only package stock may enter: what is measured is its plan.
package market
