package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
)

// activated is the JSON of activate. Failure is what went wrong after the
// connection was activated.
type activated struct {
	Shop  string         `json:"shop"`
	State protocol.State `json:"state"`
	webhook
	Findings  *protocol.Findings `json:"findings"`
	FirstPass *protocol.Report   `json:"firstPass"`
	Failure   *protocol.Failure  `json:"failure,omitempty"`
}

func (a *app) activateCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "activate SHOP",
		Short: "Try the connection of a shop and begin to keep its stock",
		Long: `Try KROS and the e-shop with the shop's settings, show what a first pass would
change, begin to keep the stock in step, and show what to enter in KROS.

The API key comes from KROS: Nastavenia > API prepojenia, add a connection named
"Fynode", leave URL and key empty for now, Vygenerovať token. The token is shown
once: copy it whole and put it into the shop's settings (kros.api_key).`,
		Args: oneShop,
		RunE: func(cmd *cobra.Command, args []string) error { return a.activate(cmd.Context(), args[0], dryRun) },
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "stop after what it found; nothing is begun")
	return cmd
}

func (a *app) activate(ctx context.Context, shop string, dryRun bool) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	activation, err := c.activate(ctx, shop, a.user, dryRun)
	if err != nil {
		return err
	}
	if activation.Failure != nil {
		p := failure(shop, *activation.Failure)
		if activation.Findings != nil {
			p.failure.Hint = strings.TrimSpace(p.failure.Hint + " " + render.OtherKey(*activation.Findings))
		}
		return p
	}
	found := activated{Shop: shop, State: activation.State, Findings: whole(activation.Findings)}
	a.say(render.Findings(shop, *found.Findings))
	if dryRun {
		a.say("\nTo begin: skladom activate " + shop + "\n")
		a.document(found)
		return nil
	}
	return a.begin(ctx, c, found, activation.ID)
}

// activate runs ActivateConnection. A dry run of somebody else may run under
// the same id: it is waited for, and then the activation has its turn.
func (c *connection) activate(ctx context.Context, shop, by string, dryRun bool) (protocol.Activation, error) {
	const turns = 2
	var activation protocol.Activation
	for range turns {
		activation = protocol.Activation{}
		err := c.execute(ctx, job{
			shop:     shop,
			workflow: protocol.ActivateConnection,
			id:       protocol.ActivateID(shop),
			in:       protocol.ActivateRequest{Shop: shop, DryRun: dryRun, By: by},
			timeout:  activationTimeout,
		}, &activation)
		if err != nil || dryRun || activation.Failure != nil || activation.ID != "" {
			return activation, err
		}
	}
	return activation, trouble(shop, shop+" was looked at, but not activated.", "Somebody else is trying the connection at the same time; run the command again.")
}

// begin waits for the first pass of a connection that is active now, and shows
// what to enter in KROS.
func (a *app) begin(ctx context.Context, c *connection, found activated, activation string) error {
	a.say("\nThe connection is active. The first pass:\n\n")
	report, passErr := c.pass(ctx, found.Shop, protocol.UpdateSync, protocol.SyncRequest{Activation: activation, By: a.user})
	if passErr == nil {
		found.FirstPass = &report
		found.State = c.stateNow(ctx, found.Shop, found.State)
		a.say(render.Report(report, a.zoneOf(found.Shop)))
	} else {
		found.Failure = &asProblem(passErr).failure
	}
	var webhookErr error
	found.webhook, webhookErr = a.webhookOf(found.Shop)
	a.document(found)
	a.say("\n" + webhookText(found.webhook, webhookErr))
	if report.Result == protocol.ResultHeld {
		a.say("\n" + render.Unanswered([]string{found.Shop}))
	}
	switch {
	case passErr != nil && a.json:
		return told(statusFailed)
	case passErr != nil:
		return passErr
	}
	return ending(report)
}

func webhookText(w webhook, err error) string {
	var missing *problem
	if errors.As(err, &missing) {
		return render.Failure(missing.failure)
	}
	return render.Webhook(w.URL, w.Key)
}

// stateNow asks where the shop stands after its first pass.
func (c *connection) stateNow(ctx context.Context, shop string, otherwise protocol.State) protocol.State {
	status, err := c.status(ctx, shop)
	if err != nil {
		return otherwise
	}
	return status.State
}

// whole has no list that JSON would show as null.
func whole(f *protocol.Findings) *protocol.Findings {
	if f == nil {
		f = &protocol.Findings{}
	}
	if f.Warehouses == nil {
		f.Warehouses = []protocol.WarehouseUse{}
	}
	return f
}
