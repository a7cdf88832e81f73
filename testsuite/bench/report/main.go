// Command report runs the benchmarks one after the other, shows what they print
// as it comes, puts their ratios into one table and writes docs/benchmarks.md:
// each benchmark with its command and its output, and the same table on top.
//
// It measures nothing itself and knows no goal: both are the benchmarks'
// (package goal is the line that they say them by). A benchmark that fails
// leaves the document as it is.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], bench{dir: ".", out: os.Stdout, log: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, b bench) error {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	only := flags.String("only", "", "run these `benchmarks` alone, and leave the others in the document as they are: "+strings.Join(names(), ","))
	document := flags.String("document", "", "`file` to write; docs/benchmarks.md, but for a try none")
	flags.BoolVar(&b.short, "short", false, "a try: everything in a tiny form, whose ratios say nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if *document == "" && !b.short {
		*document = "docs/benchmarks.md"
	}
	return b.report(ctx, chosen, *document)
}
