package main

import (
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
)

func newFynodeCommand() *cobra.Command {
	var (
		listen, products string
		options          fynodesim.Options
	)
	cmd := &cobra.Command{
		Use:   "fynode",
		Short: "A Fynode e-shop with the stock API that Skladom asks for",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if options.Products, err = load("products", products, catalogue.Shop(), fynodesim.LoadProducts); err != nil {
				return err
			}
			return serve(cmd, "Fynode", listen, fynodesim.New(options), "/_sim/products/{id}")
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&listen, "listen", "127.0.0.1:8082", "address to listen on; port 0 takes a free one")
	flags.StringVar(&products, "products", "", "file with a list of products (default: the shop that belongs to the realistic catalogue)")
	flags.StringVar(&options.Token, "token", demoToken, "the token that is accepted")

	flags.StringVar(&options.ID, "id", "sim", "who the shop says it is")
	flags.StringVar(&options.Name, "name", "Simulated shop", "the shop's name")
	flags.IntVar(&options.RequestsPerSecond, "requests-per-second", 0, "requests that are answered in any second; 0: any number")
	flags.DurationVar(&options.Latency, "latency", 0, "how long each answer takes")

	s := &options.Switches
	flags.StringSliceVar(&s.Rejected, "rejected", nil, "ids of products whose every change is rejected")
	flags.BoolVar(&s.NumbersAsStrings, "numbers-as-strings", false, `send quantities as "12.5"`)
	flags.BoolVar(&s.ForgetsKeys, "forgets-keys", false, "carry out a repeated Idempotency-Key again")
	flags.BoolVar(&s.HidesQuantity, "hides-quantity", false, "do not tell the quantity after a change")
	return cmd
}
