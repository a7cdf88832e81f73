package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/skladom/skladom/protocol"
)

// problem is an error in the words that a person is shown, and the exit status
// that goes with it.
type problem struct {
	shop    string
	failure protocol.Failure
	status  int
	cause   error
}

func (p *problem) Error() string {
	if p.cause == nil {
		return p.failure.Message
	}
	return fmt.Sprintf("%s: %v", p.failure.Message, p.cause)
}

func (p *problem) Unwrap() error { return p.cause }

// document is the problem as JSON; code and shop are left out where there is none.
func (p *problem) document() any {
	type failure struct {
		Code    protocol.Code `json:"code,omitempty"`
		Message string        `json:"message"`
		Hint    string        `json:"hint"`
	}
	return struct {
		Shop    string  `json:"shop,omitempty"`
		Failure failure `json:"failure"`
	}{p.shop, failure(p.failure)}
}

// trouble is a problem without a code: what happened and what to do.
func trouble(shop, text, hint string) *problem {
	return &problem{shop: shop, failure: protocol.Failure{Message: text, Hint: hint}, status: statusFailed}
}

// failure is a problem that has a name.
func failure(shop string, f protocol.Failure) *problem {
	return &problem{shop: shop, failure: f, status: statusFailed}
}

func wrongUsage(cmd *cobra.Command, err error) *problem {
	return &problem{
		failure: protocol.Failure{
			Message: fmt.Sprintf("%s: %v.", cmd.CommandPath(), err),
			Hint:    fmt.Sprintf("To see how it is used: %s --help", cmd.CommandPath()),
		},
		status: statusUsage,
		cause:  err,
	}
}

func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return &problem{failure: protocol.Failure{Message: err.Error()}, status: statusFailed, cause: err}
}

// told ends a command that has already said everything; only its exit status
// is left.
type told int

func (t told) Error() string { return fmt.Sprintf("exit status %d", int(t)) }

// ending is what a command returns after it printed the report of a pass.
func ending(r protocol.Report) error {
	switch r.Result {
	case protocol.ResultFailed:
		return told(statusFailed)
	case protocol.ResultHeld:
		return told(statusHeld)
	}
	return nil
}
