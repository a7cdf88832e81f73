package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/samber/lo"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
	"github.com/skladom/skladom/stock"
)

// shownHeld is how many products that wait for an answer a terminal shows.
const shownHeld = 50

// heldDocument is what approve and dismiss print as JSON where no answer was
// given.
type heldDocument struct {
	Shop     string             `json:"shop"`
	Code     protocol.Code      `json:"code"`
	PlanHash string             `json:"planHash"`
	Message  string             `json:"message"`
	Hint     string             `json:"hint"`
	Products int                `json:"products"`
	Rows     []protocol.HeldRow `json:"rows"`
}

func (a *app) approveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "approve SHOP",
		Short: "Show what is held and write it",
		Long: `Show the products that are held, because what KROS gives them looks wrong, and
ask whether to write it all the same. Written are those that KROS still gives
the quantity that was shown; what has changed since drops out, and what is new is
held again.

Scripts give --yes, or --plan with the planHash of the held report: then only
that is approved. --json alone shows what is held and approves nothing.`,
		Example: `  skladom approve acme
  skladom approve acme --plan 3f9c2b1a7d60e845`,
	}
	return a.answering(cmd, render.Approve, func(ctx context.Context, c *connection, shop string, answer protocol.AnswerRequest) error {
		report, err := c.pass(ctx, shop, protocol.UpdateApprove, answer)
		return a.passed(shop, report, err)
	})
}

func (a *app) dismissCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dismiss SHOP",
		Short: "Show what is held and keep the products as they are",
		Long: `Show the products that are held, because what KROS gives them looks wrong, and
ask whether to keep them as they are. They keep the quantity they have until KROS
gives them another one than it does now.

Scripts give --yes, or --plan with the planHash of the held report: then only
that is dismissed. --json alone shows what is held and dismisses nothing.`,
		Example: `  skladom dismiss acme
  skladom dismiss acme --plan 3f9c2b1a7d60e845`,
	}
	return a.answering(cmd, render.Dismiss, func(ctx context.Context, c *connection, shop string, answer protocol.AnswerRequest) error {
		return a.asked(ctx, c, shop, protocol.UpdateDismiss, answer)
	})
}

// answering makes a command of one of the two answers to what is held; give
// gives it.
func (a *app) answering(cmd *cobra.Command, verb render.Decision, give func(context.Context, *connection, string, protocol.AnswerRequest) error) *cobra.Command {
	var yes bool
	var plan string
	cmd.Args = oneShop
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if plan == "" && cmd.Flags().Changed("plan") { // a variable of a script that is not set
			return wrongUsage(cmd, errors.New("--plan is empty; it takes the planHash of the held report"))
		}
		c, err := a.connect(cmd.Context())
		if err != nil {
			return err
		}
		defer c.Close()
		answer := protocol.AnswerRequest{Hash: plan, By: a.user}
		if plan == "" {
			known, err := c.held(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			answer.Hash = known.Hold.Hash
			if !yes {
				if err := a.putTo(cmd, c, args[0], verb, known); err != nil {
					return err
				}
			}
		}
		return give(cmd.Context(), c, args[0], answer)
	}
	cmd.Flags().BoolVar(&yes, "yes", false, fmt.Sprintf("do not ask: %s what is held now", verb))
	cmd.Flags().StringVar(&plan, "plan", "", fmt.Sprintf("do not ask: %s what is held if this is its `hash`", verb))
	return cmd
}

// putTo shows a person what is held and asks. It is an error unless the answer
// is yes.
func (a *app) putTo(cmd *cobra.Command, c *connection, shop string, verb render.Decision, known protocol.Recollection) error {
	hold := *known.Hold
	rows, whole, err := c.heldRows(cmd.Context(), shop, hold, lo.Ternary(a.terminal && !a.json, shownHeld, 0))
	if err != nil {
		return err
	}
	if a.json {
		why := lo.FromPtr(hold.Why)
		a.document(heldDocument{
			Shop: shop, Code: hold.Code, PlanHash: hold.Hash, Message: why.Message, Hint: why.Hint, Products: whole.Products, Rows: rows,
		})
		return told(statusHeld)
	}
	a.say(render.Hold(shop, hold, rows, whole, a.zoneOf(shop)))
	if refusal := unanswerable(shop, verb, known); refusal != "" {
		a.say("\n")
		return trouble(shop, refusal, "")
	}
	a.say("\n" + render.Consequence(shop, verb, hold, whole))
	if !a.attended {
		a.say("\n" + render.InScript(shop, verb, hold))
		return told(statusHeld)
	}
	agreed, err := a.confirm(cmd, "\n"+render.Question(verb, whole))
	switch {
	case err != nil:
		return err
	case !agreed:
		a.say(fmt.Sprintf("Nothing was answered: %s stays held.\n", shop))
		return told(statusHeld)
	}
	a.say("\n")
	return nil
}

// unanswerable says why an answer would be refused, so that nobody is asked in
// vain; it is empty where it would not. The workflow refuses it itself, too.
func unanswerable(shop string, verb render.Decision, known protocol.Recollection) string {
	switch {
	case verb == render.Approve && known.State == protocol.StatePaused:
		return message.ApprovalWhilePaused(shop)
	case verb == render.Dismiss && known.Hold.Code == protocol.CatalogueChanged:
		return message.NotDismissible(shop)
	}
	return ""
}

// held asks StockSync what waits for a person. That nothing does is an error.
func (c *connection) held(ctx context.Context, shop string) (protocol.Recollection, error) {
	known, runs, err := query[protocol.Recollection](ctx, c, shop, protocol.QueryMemory)
	switch {
	case err != nil:
		return protocol.Recollection{}, err
	case !runs:
		return protocol.Recollection{}, trouble(shop, message.NotActive(shop), "")
	case known.Hold == nil:
		return protocol.Recollection{}, trouble(shop, message.NothingHeld(shop), "")
	}
	return known, nil
}

// heldRows reads the first products that are held, or all where limit is 0, and
// what all of them come to in numbers.
func (c *connection) heldRows(ctx context.Context, shop string, hold protocol.Hold, limit int) ([]protocol.HeldRow, stock.Counts, error) {
	rows := []protocol.HeldRow{}
	request := protocol.InspectRequest{Shop: shop, Kind: protocol.InspectHeld, Ref: hold.Plan, Limit: limit}
	for {
		page, err := c.inspect(ctx, request)
		if err != nil {
			return nil, stock.Counts{}, err
		}
		for _, text := range page.Rows {
			var row protocol.HeldRow
			if err := json.Unmarshal(text, &row); err != nil {
				return nil, stock.Counts{}, fmt.Errorf("read what is held of %s: %w", shop, err)
			}
			rows = append(rows, row)
		}
		if page.Next == 0 || limit > 0 {
			return rows, lo.FromPtr(page.Counts), nil
		}
		request.Offset = page.Next
	}
}
