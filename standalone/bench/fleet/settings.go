package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/samber/lo"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/relay"
)

const masterKey = "0123456789abcdef0123456789abcdef"

// never is the schedule of shops whose passes are all asked for.
const never = "0 3 1 1 *"

// names of the shops of one kind.
func names(kind string, n int) []string {
	return lo.Times(n, func(i int) string { return fmt.Sprintf("%s-%05d", kind, i+1) })
}

func ticking(o options) []string { return names("tick", o.shops) }
func busy(o options) []string    { return names("busy", o.busy) }

// relayOf a worker is at an address that is free.
func relayOf(ctx context.Context) (address string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("look for a port for the relay: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

func sidesOf(o options, relayAddress string) sidesTask {
	return sidesTask{
		Items: o.items, Large: o.large,
		WebhookURL: "http://" + relayAddress + relay.Path(small),
		WebhookKey: kros.AuthorizationKey([]byte(masterKey), small, 1),
	}
}

// writeSettings writes a file a shop, as an operator would have them. Only one
// worker on a machine can have the relay.
func writeSettings(dir, archive, relayAddress, sides string, o options) error {
	shops := filepath.Join(dir, "shops")
	if err := os.MkdirAll(shops, 0o700); err != nil {
		return err
	}
	installation := fmt.Sprintf("snapshots { url = %q }\nsecrets { master_key = %q }\n",
		"file://"+filepath.ToSlash(archive), base64.StdEncoding.EncodeToString([]byte(masterKey)))
	if relayAddress != "" {
		installation += fmt.Sprintf("relay { listen = %q }\n", relayAddress)
	}
	if err := os.WriteFile(filepath.Join(dir, "skladom.hcl"), []byte(installation), 0o600); err != nil {
		return err
	}
	write := func(schedule string, names ...string) error {
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(shops, name+".hcl"), []byte(shopFile(name, schedule, sides)), 0o600); err != nil {
				return err
			}
		}
		return nil
	}
	if err := write(o.schedule, ticking(o)...); err != nil {
		return err
	}
	return write(never, append(busy(o), small, large)...)
}

// shopFile raises KROS's limits, so that they are not what is measured.
func shopFile(name, schedule, sides string) string {
	return fmt.Sprintf(`shop %[1]q {
  schedule = %[2]q
  kros {
    url                 = "%[3]s/kros/%[1]s"
    api_key             = %[4]q
    requests_per_second = 100000
    requests_per_minute = 1000000
  }
  fynode {
    url     = "%[3]s/fynode/%[1]s/api/v1"
    api_key = %[4]q
  }
  webhook { min_gap = "0s" }
}
`, name, schedule, sides, tokenOf(name))
}

// open reads the settings as a worker does.
func open(dir string) (map[string]config.Shop, error) {
	directory, err := config.Open(dir, config.OS())
	if err != nil {
		return nil, err
	}
	if wrong := directory.Diagnostics(); len(wrong) > 0 {
		return nil, fmt.Errorf("the settings are wrong: %v", wrong[0])
	}
	return lo.SliceToMap(directory.Shops(), func(s config.Shop) (string, config.Shop) { return s.Name, s }), nil
}
