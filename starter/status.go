package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
)

func (a *app) statusCommand() *cobra.Command {
	var state, stale string
	cmd := &cobra.Command{
		Use:   "status [SHOP]",
		Short: "Show where a shop stands, or list all shops",
		Long: `Show where a shop stands: its last and next pass, and what needs a person.
Without a shop: list the shops that are activated.`,
		Args: atMostOneShop,
		RunE: func(cmd *cobra.Command, args []string) error {
			filters := given(cmd.Flags(), "state", "stale")
			if len(args) == 1 && len(filters) > 0 {
				return wrongUsage(cmd, fmt.Errorf("--%s goes with the list of all shops, not with one", filters[0]))
			}
			if len(args) == 1 {
				return a.status(cmd.Context(), args[0])
			}
			filter, err := newFilter(state, stale, a.now())
			if err != nil {
				return wrongUsage(cmd, err)
			}
			return a.fleet(cmd.Context(), filter)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only shops in this `state`: "+strings.Join(listedStates, ", "))
	cmd.Flags().StringVar(&stale, "stale", "", "only shops without a success for this `time`, such as 2h or 3d")
	return cmd
}

// listedStates are the states in which a shop's workflow runs.
var listedStates = lo.Map([]protocol.State{
	protocol.StateActive, protocol.StateFailing, protocol.StateHeld, protocol.StateSuspended, protocol.StatePaused,
}, func(s protocol.State, _ int) string { return string(s) })

func newFilter(state, stale string, now time.Time) (filter, error) {
	if state != "" && !slices.Contains(listedStates, state) {
		return filter{}, fmt.Errorf("--state %s is none of %s", state, strings.Join(listedStates, ", "))
	}
	f := filter{state: protocol.State(state)}
	if stale != "" {
		age, err := parseSpan(stale)
		if err != nil {
			return filter{}, fmt.Errorf("--stale: %w", err)
		}
		f.before = now.Add(-age)
	}
	return f, nil
}

func (a *app) status(ctx context.Context, shop string) error {
	// One bound for all that has to be asked: whoever looks on wants an answer.
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	status, err := c.status(ctx, shop)
	if err != nil {
		return err
	}
	a.show(status)
	return nil
}

// show prints a status that a workflow gave.
func (a *app) show(status protocol.Status) {
	a.both(render.Status(status, a.zoneOf(status.Shop)), status)
}

// status asks where a shop stands. One that was never activated, or
// deactivated, has no workflow that could answer: it is inactive.
func (c *connection) status(ctx context.Context, shop string) (protocol.Status, error) {
	status, runs, err := query[protocol.Status](ctx, c, shop, protocol.QueryStatus)
	if err == nil && !runs {
		status = inactive(shop)
	}
	return presentable(status), err
}

// query asks the shop's StockSync for something it knows, if it runs.
func query[T any](ctx context.Context, c *connection, shop, name string) (value T, runs bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	id := protocol.StockSyncID(shop)
	seen, err := c.DescribeWorkflowExecution(ctx, id, "")
	var notFound *serviceerror.NotFound
	switch {
	case errors.As(err, &notFound):
		return value, false, nil
	case err != nil:
		return value, false, c.explain(shop, err)
	case seen.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return value, false, nil
	}
	answer, err := c.QueryWorkflow(ctx, id, "", name)
	if err != nil {
		return value, true, c.unanswered(shop, err)
	}
	if err := answer.Get(&value); err != nil {
		return value, true, c.explain(shop, fmt.Errorf("read the %s: %w", name, err))
	}
	return value, true, nil
}

// unanswered explains why a query failed of which Temporal said a moment ago
// that the workflow is there: it is the workers who are silent.
func (c *connection) unanswered(shop string, err error) error {
	var noPoller *serviceerror.FailedPrecondition
	if errors.As(err, &noPoller) || noAnswer(err) {
		return c.noWorker(shop, err)
	}
	return c.explain(shop, err)
}

func inactive(shop string) protocol.Status {
	return protocol.Status{
		Shop: shop, Title: shop, State: protocol.StateInactive,
		Notifications: protocol.Notifications{State: protocol.NotificationsWaiting},
	}
}

// presentable has no list that JSON would show as null.
func presentable(s protocol.Status) protocol.Status {
	if s.LastPass != nil {
		last := complete(*s.LastPass)
		s.LastPass = &last
	}
	return s
}
