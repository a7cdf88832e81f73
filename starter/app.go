package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/starter/render"
)

// environment is everything that the program takes from the machine it runs
// on, beside its arguments and streams.
type environment struct {
	vars     envconfig.EnvLookup
	files    config.Environment
	now      func() time.Time
	zone     *time.Location
	user     string
	newID    func() string
	lookup   func(ctx context.Context, host string) ([]netip.Addr, error)
	roots    *x509.CertPool // authorities that are trusted; nil: those of the machine
	terminal bool           // a person looks on: show progress
	attended bool           // and can answer
	dial     func(context.Context, envconfig.EnvLookup) (temporalClient, place, error)
}

// The exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2
	statusHeld   = 3 // done, but held for approval
)

// run runs the command line and returns its exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env environment) int {
	a := &app{environment: env, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var told told
	if err == nil || errors.As(err, &told) {
		return int(told)
	}
	p := asProblem(err)
	if p.status == statusUsage && slices.Contains(args, "--json") {
		a.json = true // the flag may not have been read
	}
	if a.json {
		a.document(p.document())
	} else {
		fmt.Fprint(stderr, render.Failure(p.failure))
	}
	return p.status
}

// app is one run of the command line.
type app struct {
	environment
	stdout, stderr io.Writer
	json           bool
	config         string // directory
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "skladom",
		Short: "Keep the stock of an e-shop equal to the stock in KROS",
		Long: `Skladom keeps the stock of a Fynode e-shop equal to the stock in KROS Fakturácia.

  1. Write the shop's settings into a .hcl file     skladom validate
  2. See what a connection would find and change    skladom activate SHOP --dry-run
  3. Begin                                          skladom activate SHOP

Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but held for approval.
The Temporal connection comes from TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
TEMPORAL_API_KEY, TEMPORAL_TLS... or the profile file, as for every Temporal tool.`,
		Version:       version(),
		Args:          cobra.ArbitraryArgs,
		RunE:          a.unknownCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return wrongUsage(cmd, err) })
	directory, _ := a.vars.LookupEnv("SKLADOM_CONFIG")
	flags := root.PersistentFlags()
	flags.StringVar(&a.config, "config", cmp.Or(directory, "./conf"), "`directory` of the settings (env SKLADOM_CONFIG)")
	flags.BoolVar(&a.json, "json", false, "print one JSON document")
	root.AddCommand(
		a.validateCommand(), a.activateCommand(), a.syncCommand(), a.statusCommand(), a.approveCommand(), a.dismissCommand(),
		a.pauseCommand(), a.resumeCommand(), a.deactivateCommand(), a.webhookCommand(),
		a.explainCommand(), a.historyCommand(), a.rollbackCommand(), a.unmatchedCommand(),
	)
	for _, cmd := range root.Commands() {
		cmd.Args = usageOf(cmd.Args)
	}
	return root
}

func (a *app) unknownCommand(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 && a.json:
		return wrongUsage(cmd, errors.New("it needs a command"))
	case len(args) == 0:
		return cmd.Help()
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; perhaps it is " + strings.Join(near, " or ")
	}
	return wrongUsage(cmd, errors.New(text))
}

// usageOf makes what an argument check refuses a wrong usage.
func usageOf(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return wrongUsage(cmd, err)
		}
		return nil
	}
}

var shopName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func oneShop(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("it needs the name of one shop, and got %d", len(args))
	}
	return atMostOneShop(nil, args)
}

func atMostOneShop(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("it takes the name of one shop, and got %d", len(args))
	}
	if len(args) == 1 && !shopName.MatchString(args[0]) {
		return fmt.Errorf("%q is not the name of a shop: small letters, digits and -, at most 63", args[0])
	}
	return nil
}

// both print a result: the text for people, the document with --json.
func (a *app) both(text string, document any) {
	a.say(text)
	a.document(document)
}

func (a *app) say(text string) {
	if !a.json {
		fmt.Fprint(a.stdout, text)
	}
}

func (a *app) document(v any) {
	if !a.json {
		return
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	if err == nil {
		_, err = a.stdout.Write(escaped(out.Bytes()))
	}
	if err != nil {
		fmt.Fprintf(a.stderr, "skladom: write the result: %v\n", err)
	}
}

// escaped is the same JSON in characters that a terminal prints: names that
// others wrote are not to steer it.
func escaped(document []byte) []byte {
	var out []byte
	for len(document) > 0 {
		r, size := utf8.DecodeRune(document)
		if r == '\n' || unicode.IsPrint(r) {
			out = append(out, document[:size]...)
		} else {
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}
		document = document[size:]
	}
	return out
}

// given returns which of the flags were given.
func given(flags *pflag.FlagSet, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !flags.Changed(name) })
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
