// Package protocol is what crosses Temporal: workflow ids, names of workflows,
// signals, updates, queries and search attributes, and the values they carry.
//
// Types and names only: no I/O, no Temporal SDK, no decision. A value here
// never holds a secret, and nothing in it grows with the catalogue. Recorded
// histories are decoded into these types, so a field is added, never renamed.
package protocol
