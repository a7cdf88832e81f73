// Package krossim is a KROS to try things against without an account: the part
// of its API that Skladom reads, with KROS's own limits and errors, and with
// everything that is not known about KROS as a switch.
//
// It is written from docs/kros-api.md and shares no code with package kros, so
// that a mistake in the client is not repeated here. Nothing else of the
// project may enter.
package krossim
