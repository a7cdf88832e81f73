package main

import (
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/krossim"
)

func newKROSCommand() *cobra.Command {
	var (
		listen, catalog string
		options         krossim.Options
	)
	cmd := &cobra.Command{
		Use:   "kros",
		Short: "A KROS Fakturácia with its limits, its errors and its notifications",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if options.Items, err = load("catalog", catalog, catalogue.Kros(), krossim.LoadItems); err != nil {
				return err
			}
			return serve(cmd, "KROS", listen, krossim.New(options), "/_sim/items/{itemCode}")
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&listen, "listen", "127.0.0.1:8081", "address to listen on; port 0 takes a free one")
	flags.StringVar(&catalog, "catalog", "", "file with a list of items as KROS sends them (default: a realistic catalogue)")
	flags.StringVar(&options.Token, "token", demoToken, "the token that is accepted")
	flags.StringVar(&options.WebhookURL, "webhook-url", "", "where notifications go when an item is changed")
	flags.StringVar(&options.WebhookKey, "webhook-key", "", "the authorization key they are signed with")
	cmd.MarkFlagsRequiredTogether("webhook-url", "webhook-key")

	flags.IntVar(&options.PerSecond, "per-second", 10, "requests that are answered in any second")
	flags.IntVar(&options.PerMinute, "per-minute", 300, "requests that are answered in any minute")
	flags.BoolVar(&options.NoLimits, "no-limits", false, "answer any number of requests")
	flags.DurationVar(&options.Latency, "latency", 0, "how long each answer takes")
	flags.Uint64Var(&options.Seed, "seed", 0, "seed of what happens by chance")

	// What is not known about KROS; see docs/kros-api.md.
	s := &options.Switches
	flags.BoolVar(&s.NumbersAsStrings, "numbers-as-strings", false, `send quantities as "12.5"`)
	flags.StringVar(&s.EANField, "ean-field", "eanCode", "name of the EAN's field")
	flags.Var(oneOf[krossim.NoAPIAccess]{&s.NoAPIAccess, []krossim.NoAPIAccess{krossim.RefusedAtCheck, krossim.RefusedAtItems}},
		"no-api-access", "the company's plan lacks the API, which shows at: check (everywhere) or catalog (not yet at auth/check)")
	flags.BoolVar(&s.NoStockModule, "no-stock-module", false, "send items without warehouses")
	flags.IntVar(&s.MovingRows, "moving-rows", 0, "rows that change places after each page")
	flags.BoolVar(&s.Shuffle, "shuffle", false, "shuffle the whole list after each page")
	s.LimitPer = krossim.PerToken
	flags.Var(oneOf[krossim.LimitPer]{&s.LimitPer, []krossim.LimitPer{krossim.PerToken, krossim.PerAddress}},
		"limit-per", "whom the limits count for: token or address")
	flags.BoolVar(&s.RejectedCount, "rejected-count", false, "requests answered with 429 count towards the limits too")
	s.RetryAfter = krossim.RetrySeconds
	flags.Var(oneOf[krossim.RetryAfter]{&s.RetryAfter, []krossim.RetryAfter{krossim.RetrySeconds, krossim.RetryDate, krossim.RetryAbsent}},
		"retry-after", "what a 429 carries: seconds, date or none")
	flags.BoolVar(&s.ItemCodeSearches, "item-code-searches", false, "ItemCode= also finds codes that only contain it")
	flags.BoolVar(&s.QuantityTouches, "quantity-touches", false, "a changed quantity moves the item's change timestamp")
	flags.BoolVar(&s.UnknownFields, "unknown-fields", false, "send fields nobody has heard of")
	return cmd
}
