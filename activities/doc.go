// Package activities is what Skladom does to the world on behalf of its
// workflows: one file an activity. An activity takes a request that names a
// shop, finds the shop's addresses and keys in the worker's configuration,
// does one thing and returns references and counts.
//
// Domain errors become Temporal errors in failure.go and nowhere else. No rule
// about quantities may enter (package stock), no key may leave, and nothing
// that grows with a catalogue may be returned.
package activities
