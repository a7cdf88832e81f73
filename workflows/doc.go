// Package workflows decides what happens when: ActivateConnection tries a
// connection and starts it, StockSync keeps a shop in step for years, SyncPass
// is one pass, SyncNow and Inspect are small services to people.
//
// Deterministic code only: no I/O, no clock but the workflow's, no
// goroutines but the workflow's, no ranging over maps, nothing that grows with
// a catalogue. A change keeps the histories in testsuite/histories replaying,
// or is versioned.
package workflows
