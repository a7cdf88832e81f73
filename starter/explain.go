package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/samber/lo"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
)

// maxAsked is how many characters of a code, EAN, number or id are taken.
const maxAsked = 200

func (a *app) explainCommand() *cobra.Command {
	var pass int64
	cmd := &cobra.Command{
		Use:   "explain SHOP ITEM",
		Short: "Say why an item has its quantity, or why it is not written",
		Long: `Say why an item has the quantity that the e-shop shows, or why it is not
written and what to do about it. ITEM is an item code, an EAN, or the id or the
number of a product. The first line is the answer.

It is found by a dry run, so it is what a pass now would do. With --pass it is
what the archive has of an earlier pass.`,
		Args: shopAndItem,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("pass") && pass < 1 {
				return wrongUsage(cmd, errors.New("--pass takes the number of a pass, from 1 on"))
			}
			c, err := a.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			return a.explain(cmd.Context(), c, protocol.ExplainRequest{Shop: args[0], Item: args[1], Pass: pass})
		},
	}
	cmd.Flags().Int64Var(&pass, "pass", 0, "the `number` of an earlier pass, see history")
	return cmd
}

func shopAndItem(_ *cobra.Command, args []string) error {
	const wanted = 2
	if len(args) != wanted {
		return fmt.Errorf("it needs the name of a shop and an item code, an EAN or a product, and got %d", len(args))
	}
	if err := atMostOneShop(nil, args[:1]); err != nil {
		return err
	}
	if strings.TrimSpace(args[1]) == "" || utf8.RuneCountInString(args[1]) > maxAsked {
		return fmt.Errorf("an item code, an EAN or a product has 1 to %d characters", maxAsked)
	}
	return nil
}

func (a *app) explain(ctx context.Context, c *connection, request protocol.ExplainRequest) error {
	var e protocol.Explanation
	err := c.execute(ctx, job{
		shop:     request.Shop,
		workflow: protocol.Explain,
		id:       protocol.ExplainID(request.Shop, c.newID()),
		in:       request,
		timeout:  passTimeout + inspectTimeout,
		private:  true,
	}, &e)
	if err != nil {
		return err
	}
	// The shop's own zone, since the answer speaks of times in it.
	zone, err := time.LoadLocation(e.Timezone)
	if err != nil {
		zone = a.zone
	}
	answer := lo.Ternary(a.terminal, render.Answer, render.AnswerLine)
	a.both(answer(e)+render.Explanation(e, zone), e)
	if e.Cause == protocol.CauseUnknown {
		return told(statusFailed)
	}
	return nil
}
