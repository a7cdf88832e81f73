package server

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger lets the server's warnings and errors through. What it tells of its
// ordinary life goes to trace, and so does everything once quiet is set: its
// services complain of each other while they stop.
type logger struct {
	log   hclog.Logger
	quiet *atomic.Bool
}

var (
	_ log.Logger     = (*logger)(nil)
	_ log.WithLogger = (*logger)(nil)
)

// harmless are warnings of what is meant to be so.
var harmless = map[string]bool{
	"HTTP API port has not been set. Nexus HTTP endpoints will not be available. " +
		"To enable Nexus, follow these instructions: https://github.com/temporalio/temporal/blob/main/docs/architecture/nexus.md#enabling-nexus.": true,
}

// fatal is what a server panics with that cannot go on.
type fatal string

func newLogger(to hclog.Logger) *logger {
	return &logger{log: to, quiet: new(atomic.Bool)}
}

func (l *logger) With(tags ...tag.Tag) log.Logger {
	return &logger{log: l.log.With(pairs(tags)...), quiet: l.quiet}
}

func (l *logger) Debug(msg string, tags ...tag.Tag)  { l.write(hclog.Trace, msg, tags) }
func (l *logger) Info(msg string, tags ...tag.Tag)   { l.write(hclog.Trace, msg, tags) }
func (l *logger) Warn(msg string, tags ...tag.Tag)   { l.write(hclog.Warn, msg, tags) }
func (l *logger) Error(msg string, tags ...tag.Tag)  { l.write(hclog.Error, msg, tags) }
func (l *logger) DPanic(msg string, tags ...tag.Tag) { l.write(hclog.Error, msg, tags) }

func (l *logger) Panic(msg string, tags ...tag.Tag) {
	l.write(hclog.Error, msg, tags)
	panic(msg)
}

// Fatal does not return, as the server expects, unless it is stopping anyway.
func (l *logger) Fatal(msg string, tags ...tag.Tag) {
	l.write(hclog.Error, msg, tags)
	if !l.quiet.Load() {
		panic(fatal(msg))
	}
}

func (l *logger) write(level hclog.Level, msg string, tags []tag.Tag) {
	if l.quiet.Load() || harmless[msg] || hungUp(tags) {
		level = hclog.Trace
	}
	if level >= l.log.GetLevel() {
		l.log.Log(level, msg, pairs(tags)...)
	}
}

// hungUp tells whether all that happened is that a caller did not wait for the
// answer, as every worker does that stops.
func hungUp(tags []tag.Tag) bool {
	for _, t := range tags {
		if err, ok := t.Value().(error); ok {
			return errors.Is(err, context.Canceled) || strings.HasSuffix(err.Error(), context.Canceled.Error())
		}
		if text, ok := t.Value().(string); ok && t.Key() == "error" {
			return strings.HasSuffix(text, context.Canceled.Error())
		}
	}
	return false
}

func pairs(tags []tag.Tag) []any {
	args := make([]any, 0, 2*len(tags))
	for _, t := range tags {
		args = append(args, t.Key(), t.Value())
	}
	return args
}
