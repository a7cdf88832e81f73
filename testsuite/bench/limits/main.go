// Command limits measures how near a sweep of KROS comes to the least time that
// KROS's limits permit, and whether it ever exceeds them as KROS counts. Every
// sweep has a KROS of its own, over HTTP, whose minute has not begun.
//
// It prints ratios beside their goals and fails for none that is not met: how
// idle the machine is, it cannot know.
// A limit that is exceeded and a catalogue that is not read right are errors.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/samber/lo"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

// maxRatio is the goal for a sweep against the least time.
const maxRatio = 1.15

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("limits", flag.ContinueOnError)
	sizes := flags.String("items", "5000,25000,35000", "`numbers` of items of the catalogues")
	answers := flags.String("answers", "0s,150ms,400ms", "`times` that an answer of KROS takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	items, err := list(*sizes, strconv.Atoi)
	if err != nil {
		return err
	}
	latencies, err := list(*answers, time.ParseDuration)
	if err != nil {
		return err
	}
	results, err := measure(ctx, items, latencies)
	if err != nil {
		return err
	}
	return show(out, results)
}

func list[T any](text string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	for _, one := range strings.Split(text, ",") {
		value, err := parse(strings.TrimSpace(one))
		if err != nil {
			return nil, fmt.Errorf("read the list %q: %w", text, err)
		}
		all = append(all, value)
	}
	return all, nil
}

// measure runs the sweeps of one size side by side: they do nothing but wait for
// limits that each has of its own.
func measure(ctx context.Context, items []int, latencies []time.Duration) ([]*sweep, error) {
	var all []*sweep
	for _, n := range items {
		var group []*sweep
		for _, latency := range latencies {
			group = append(group, &sweep{items: n, latency: latency}, &sweep{items: n, latency: latency, known: true})
		}
		if err := runAll(ctx, group); err != nil {
			return nil, err
		}
		all = append(all, group...)
	}
	return all, nil
}

func runAll(ctx context.Context, sweeps []*sweep) error {
	for _, s := range sweeps {
		if err := s.open(ctx); err != nil {
			return err
		}
		defer s.close()
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range sweeps {
		group.Go(func() error {
			if err := s.run(ctx); err != nil {
				return fmt.Errorf("sweep of %d items with answers of %s: %w", s.items, s.latency, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func show(out io.Writer, all []*sweep) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "items\tpages\tanswers\tsweep\tleast, s\ttook : least\ttook : least with such answers\tbehind the end\tmost in 1 s\tmost in 60 s\t429\t")
	var over error
	for _, s := range all {
		kind := "first"
		if s.known {
			kind = "later"
		}
		fmt.Fprintf(table, "%d\t%d\t%s\t%s\t%.1f\t%.2f\t%.2f\t%d\t%d\t%d\t%d\t\n", s.items, s.pages(), s.latency, kind,
			s.least(0).Seconds(), s.ratio(0), s.ratio(s.latency), s.counts.Requests-s.pages(), s.counts.MaxPerSecond, s.counts.MaxPerMinute, s.counts.Rejected)
		over = errors.Join(over, s.exceeded())
	}
	if err := errors.Join(table.Flush(), over); err != nil {
		return err
	}
	goal.Print(out, figures(all)...)
	return nil
}

// figures are of each size the slower of its sweeps whose answers took no time.
func figures(all []*sweep) []goal.Figure {
	instant := lo.Filter(all, func(s *sweep, _ int) bool { return s.latency == 0 })
	sizes := lo.Uniq(lo.Map(instant, func(s *sweep, _ int) int { return s.items }))
	return lo.Map(sizes, func(items, _ int) goal.Figure {
		ratios := lo.FilterMap(instant, func(s *sweep, _ int) (float64, bool) { return s.ratio(0), s.items == items })
		return goal.AtMost(fmt.Sprintf("sweep of %d items : least time", items), slices.Max(ratios), maxRatio)
	})
}
