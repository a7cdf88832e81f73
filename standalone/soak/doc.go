// Package soak lets many shops live for long, with faults and changes by chance,
// and looks at what must not grow: memory, goroutines, timers and histories.
// Whenever all is healthy, every shop must be right.
//
// There are only tests here; see docs/reliability.md for how they are run.
package soak
