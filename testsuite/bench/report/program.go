package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/samber/lo"
)

// program is a benchmark: make bench-NAME.
type program struct {
	name    string
	heading string // of its section; sections are found again by it
	about   string
	short   string // arguments for a try
}

// programs are all benchmarks, in the order in which they run and are told.
var programs = []program{
	{
		name: "limits", heading: "A sweep at KROS's limits",
		about: "Whole sweeps of catalogues of several sizes, each at a simulated KROS of its own that grants 10 requests a second and 300 a minute, against the least time that these limits permit for the pages needed. " +
			"A first sweep does not know how long the list is, a later one does. A limit exceeded, as the server counts, is an error.",
		short: "-items 1500 -answers 0s",
	},
	{
		name: "pass", heading: "A whole pass without limits",
		about: "A pass over a large catalogue with KROS's limits raised out of the way, against three anchors in the same run: the bare requests, with answers that nobody decodes (the floor), the script one would write by hand, without archive and guard, and a flow in Node-RED that does what the script does, with as many requests under way at once as Skladom and the floor, and once more with one at a time, as flows mostly are drawn. " +
			"Where npm is missing, Node-RED is not run. Each side has a process of its own; the ratios are compared round by round.",
		short: "-items 1000 -rounds 1",
	},
	{
		name: "cost", heading: "What a pass costs on Temporal",
		about: "Events, bytes of history and billable actions of StockSync and SyncPass together, counted from the histories of an embedded server: asked for by hand, by notification and by schedule, with nothing, 1 % and everything changed. " +
			"The counts do not depend on the machine.",
		short: "-small 100 -large 1000 -passes 1 -ticks 0",
	},
	{
		name: "fleet", heading: "Many small shops on one worker",
		about: "Sustained passes a second against the same workflows with empty activities; the same with a second worker; a notification for a small shop while a large one runs its passes; and how late ticks begin at their natural pace. " +
			"The Temporal server, on a SQLite file, shares the processors with the workers and both simulators.",
		short: "-shops 100 -busy 20 -items 10 -large 1000 -rounds 1 -window 2s -ticks 20s -samples 3 -schedule '* * * * *'",
	},
	{
		name: "notify", heading: "Notifications",
		about: "Everything in one process, with KROS's limits of 10 requests a second and 300 a minute. It prints, in this order: how long the shop took to show the new quantity after a notification was sent, step by step from the workflow's history; " +
			"a thousand notifications on one shop over several continue-as-new; and a storm on a hundred shops. " +
			"The shop of 500 items is read in 6 requests, which fit into the 10 that KROS grants at once; a larger catalogue waits for KROS. " +
			"In the storm each shop runs one pass at once and one when `min_gap` (30 s) is over, so every shop is right a little after that.",
		short: "-samples 3 -only",
	},
	{
		name: "day", heading: "Requests of a day",
		about: "How many requests KROS is asked for in a day of 48 ticks and 200 notifications, each of which changes an item: with full sweeps alone, and where the filter of changes is proven. Counted, not timed.",
		short: "-day 300",
	},
}

func names() []string {
	return lo.Map(programs, func(p program, _ int) string { return p.name })
}

// choose reads a list of names; none are all.
func choose(list string) ([]program, error) {
	if list == "" {
		return programs, nil
	}
	wanted := strings.Split(list, ",")
	for _, name := range wanted {
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("-only %s: there is no benchmark %q, but %s", list, name, strings.Join(names(), ", "))
		}
	}
	return lo.Filter(programs, func(p program, _ int) bool { return slices.Contains(wanted, p.name) }), nil
}
