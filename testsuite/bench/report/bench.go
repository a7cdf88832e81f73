package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

// bench runs benchmarks by the Makefile of a directory.
type bench struct {
	dir      string
	out, log io.Writer
	short    bool
}

// result is what became of a benchmark.
type result struct {
	program
	command string
	machine string // it was measured on, and how busy that was before
	output  string
	figures []goal.Figure
}

// endIn bounds how long a benchmark that was told to end may take to clean up.
const endIn = 30 * time.Second

// report runs benchmarks and writes the document, where one is named and none
// has failed.
func (b bench) report(ctx context.Context, chosen []program, document string) error {
	var results []result
	var failed error
	for _, p := range chosen {
		r, err := b.run(ctx, p)
		if ctx.Err() != nil {
			return errors.Join(failed, fmt.Errorf("%s: %w", p.name, context.Cause(ctx)))
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
			fmt.Fprintf(b.out, "\n%v\n", err)
			failed = errors.Join(failed, err)
			continue
		}
		results = append(results, r)
	}
	if err := b.show(results); err != nil {
		return errors.Join(failed, err)
	}
	switch {
	case failed != nil:
		return fmt.Errorf("no document was written, since a benchmark failed:\n%w", failed)
	case document == "":
		return nil
	}
	return b.write(document, results)
}

// run runs a benchmark and finds its figures in what it prints.
func (b bench) run(ctx context.Context, p program) (result, error) {
	r, args := result{program: p, command: "make bench-" + p.name, machine: machine()}, ""
	if b.short {
		args = p.short
		r.command += fmt.Sprintf(" ARGS=%q", args)
	}
	fmt.Fprintf(b.out, "\n== %s\n\n", r.command)
	// What is printed goes into the document: nothing of make's own. ARGS are
	// set in any case, or they were the report's.
	cmd := exec.CommandContext(ctx, "make", "--silent", "--no-print-directory", "bench-"+p.name, "ARGS="+args)
	cmd.Dir = b.dir
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(b.out, &output), b.log
	// The benchmark is several processes below make, and all have to end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = endIn
	if err := cmd.Run(); err != nil {
		return result{}, fmt.Errorf("run %s: %w", r.command, err)
	}
	r.output, r.figures = output.String(), goal.Find(output.String())
	if len(r.figures) == 0 {
		return result{}, fmt.Errorf("%s has printed no ratio", r.command)
	}
	return r, nil
}

// show prints one table of all ratios.
func (b bench) show(results []result) error {
	fmt.Fprintln(b.out)
	table := tabwriter.NewWriter(b.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tmeasured\tgoal\t")
	for _, r := range results {
		for _, f := range r.figures {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.What, f.Measured, f.Goal, f.Verdict)
		}
	}
	return table.Flush()
}

// write replaces the sections of what was measured in a document.
func (b bench) write(file string, results []result) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(file, []byte(rewrite(string(old), results)), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\nwritten: %s\n", file)
	return nil
}

func machine() string {
	return fmt.Sprintf("%s, %s/%s, %d processors, load of the last minute %s", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load())
}

// load is the system's load of the last minute, where it tells one.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}
