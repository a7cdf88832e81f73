package main

import (
	"errors"
	"fmt"

	"github.com/samber/lo"
	"github.com/spf13/cobra"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/starter/render"
)

// validation is the JSON of validate.
type validation struct {
	Shops       []string            `json:"shops"`
	Diagnostics []config.Diagnostic `json:"diagnostics"`
}

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check the settings files",
		Long: `Check every .hcl file below the settings directory and look up every secret.
What is wrong is shown with file and line; then the exit status is 1.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.validate() },
	}
}

func (a *app) validate() error {
	shops, diagnostics, err := check(a.config, a.files)
	if err != nil {
		return err
	}
	a.document(validation{Shops: lo.CoalesceSliceOrEmpty(shops), Diagnostics: lo.CoalesceSliceOrEmpty(diagnostics)})
	if len(diagnostics) == 0 {
		a.say(fmt.Sprintf("%s: %s, nothing is wrong.\n", a.config, render.Of(len(shops), "shop")))
		return nil
	}
	if !a.json {
		for _, d := range diagnostics {
			fmt.Fprintln(a.stderr, render.Plain(d.String()))
		}
	}
	return told(statusFailed)
}

func check(dir string, env config.Environment) (shops []string, diagnostics []config.Diagnostic, err error) {
	directory, err := config.Open(dir, env)
	var unusable *config.OpenError
	if errors.As(err, &unusable) {
		return nil, unusable.Diagnostics, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return lo.Map(directory.Shops(), func(s config.Shop, _ int) string { return s.Name }), directory.Validate(), nil
}
