package main

import (
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/starter/render"
)

func (a *app) webhookCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "webhook SHOP",
		Short: "Show the URL and the key for KROS again",
		Long: `Show the URL for notifications and the authorization key that KROS is given.
Both come from the settings and the master key: Temporal is not asked.`,
		Args: oneShop,
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := a.webhookOf(args[0])
			if err != nil {
				return err
			}
			a.both(render.Webhook(w.URL, w.Key), w)
			return nil
		},
	}
}
