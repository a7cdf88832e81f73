// Package market is many shops that live: each has a KROS and an e-shop,
// simulated behind real HTTP, in which goods arrive, are sold and are booked, by
// chance from one number. It knows at any moment what every product must show
// and hears every request, so that tests can break what lies between and judge
// what came of it.
//
// What must be shown comes from the oracle in testsuite/catalogue and from the
// market's own till. Nothing here knows how the product works inside, and no
// program may import it.
package market
