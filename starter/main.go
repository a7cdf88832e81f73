// Command skladom is the command line of Skladom: it activates the connection
// of a shop, asks for passes, shows where shops stand and pauses them.
//
// It decides nothing about stock: what it shows comes from workflows, what it
// does is ask them. Only the files and their secrets are read here, for the
// commands that need them; the rest needs Temporal alone. It speaks HTTP to
// nobody but the relay, when a merchant wants to see that notifications arrive.
package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/contrib/envconfig"
	"golang.org/x/term"

	"github.com/skladom/skladom/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	terminal := term.IsTerminal(int(os.Stdout.Fd())) && term.IsTerminal(int(os.Stderr.Fd()))
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, environment{
		vars:     envconfig.EnvLookupOS,
		files:    config.OS(),
		now:      time.Now,
		zone:     time.Local,
		user:     userName(),
		newID:    uuid.NewString,
		lookup:   lookup,
		terminal: terminal,
		attended: terminal && term.IsTerminal(int(os.Stdin.Fd())),
		dial:     dial,
	})
	stop()
	os.Exit(status)
}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
