// Package crash kills what Skladom is made of, by SIGKILL and at moments that a
// seed chooses, while shops live: workers, the Temporal server, and what lies in
// the archive. Afterwards every shop must be right.
//
// There are only tests here; see docs/reliability.md for how they are run.
package crash
