package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/relay"
	"github.com/skladom/skladom/testsuite/catalogue"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// The shop of the demo and its settings.
const (
	demoShop     = "demo"
	demoMatch    = "ean"
	demoQuantity = "max"
	demoItem     = "0000214" // whose stock is changed at the end
)

// stage is everything of the demo that is not Skladom itself.
type stage struct {
	shops     *config.Directory
	relay     net.Listener
	kros      *krossim.Server
	fynode    *fynodesim.Server
	krosURL   string
	fynodeURL string
	webhook   string
	key       string
	stop      context.CancelFunc
	expected  map[string]string // what every product must have after the first pass
}

// setStage starts both simulators and writes the settings into dir.
func setStage(dir string) (*stage, error) {
	ctx, stop := context.WithCancel(context.Background())
	s := &stage{stop: stop}
	if err := s.set(ctx, dir); err != nil {
		s.strike()
		return nil, err
	}
	return s, nil
}

func (s *stage) set(ctx context.Context, dir string) (err error) {
	if s.relay, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("open a port for the relay: %w", err)
	}
	master := make([]byte, 32)
	_, _ = rand.Read(master) // never fails
	s.key = kros.AuthorizationKey(master, demoShop, 1)
	s.webhook = "http://" + s.relay.Addr().String() + relay.Path(demoShop)

	items, err := krossim.LoadItems(bytes.NewReader(catalogue.Kros()))
	if err != nil {
		return err
	}
	products, err := fynodesim.LoadProducts(bytes.NewReader(catalogue.Shop()))
	if err != nil {
		return err
	}
	s.expected = catalogue.Expect(catalogue.Kros(), catalogue.Shop(), demoMatch, demoQuantity, nil)
	krosToken, shopToken := secret(), secret()
	s.kros = krossim.New(krossim.Options{Items: items, Token: krosToken, WebhookURL: s.webhook, WebhookKey: s.key})
	s.fynode = fynodesim.New(fynodesim.Options{Products: products, Token: shopToken, ID: "demo-shop", Name: "Záhrada a špajza"})
	if s.krosURL, err = serve(ctx, s.kros.Run); err != nil {
		return err
	}
	if s.fynodeURL, err = serve(ctx, s.fynode.Run); err != nil {
		return err
	}
	return s.configure(dir, master, krosToken, shopToken)
}

func secret() string {
	random := make([]byte, 18)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

func serve(ctx context.Context, run func(context.Context, net.Listener) error) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("open a port for a simulator: %w", err)
	}
	go run(ctx, listener) //nolint:errcheck // it ends with the demo
	return "http://" + listener.Addr().String(), nil
}

func (s *stage) configure(dir string, master []byte, krosToken, shopToken string) (err error) {
	text := fmt.Sprintf(`
relay { public_url = "http://%s" }
snapshots { url = %q }
secrets { master_key = %q }
shop %q {
  title    = "Záhrada a špajza s.r.o."
  match    = %q
  quantity = %q
  kros {
    url     = %q
    api_key = %q
  }
  fynode {
    url     = "%s/api/v1"
    api_key = %q
  }
}
`, s.relay.Addr(), "file://"+filepath.ToSlash(filepath.Join(dir, "archive")), base64.StdEncoding.EncodeToString(master),
		demoShop, demoMatch, demoQuantity, s.krosURL, krosToken, s.fynodeURL, shopToken)
	conf := filepath.Join(dir, "conf")
	if err := os.Mkdir(conf, 0o700); err != nil {
		return fmt.Errorf("make the settings of the demo: %w", err)
	}
	if err := os.WriteFile(filepath.Join(conf, "skladom.hcl"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the settings of the demo: %w", err)
	}
	s.shops, err = config.Open(conf, config.OS())
	return err
}

// strike ends the simulators and frees the ports.
func (s *stage) strike() {
	s.stop()
	if s.relay != nil {
		s.relay.Close()
	}
	if s.kros != nil {
		s.kros.Close()
	}
}

func (s *stage) links() string {
	return fmt.Sprintf("  KROS         %s/_sim/state\n  e-shop       %s/_sim/state\n", s.krosURL, s.fynodeURL)
}
