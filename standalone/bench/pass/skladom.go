package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/bench/internal/house"
	"github.com/skladom/skladom/workflows"
)

// skladom is a house with one worker.
type skladom struct {
	*house.House
	worker *house.Process
}

func openSkladom(ctx context.Context, dir, worker, limit, sides string, shops []string) (*skladom, error) {
	config := filepath.Join(dir, "conf")
	if err := os.Mkdir(config, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(config, "skladom.hcl"), []byte(settings(dir, sides, shops)), 0o600); err != nil {
		return nil, err
	}
	h, err := house.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := &skladom{House: h}
	if s.worker, err = h.Work(ctx, worker, config, "GOMEMLIMIT="+limit); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// settings raise KROS's limits and leave every pass to who asks for it.
func settings(dir, sides string, shops []string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "snapshots { url = %q }\n", "file://"+filepath.ToSlash(filepath.Join(dir, "archive")))
	for _, shop := range shops {
		fmt.Fprintf(&text, `
shop %[1]q {
  schedule = "0 3 1 1 *"
  kros {
    url                 = "%[2]s/kros"
    api_key             = %[3]q
    requests_per_second = 100000
    requests_per_minute = 1000000
  }
  fynode {
    url     = "%[2]s/fynode/%[1]s/api/v1"
    api_key = %[3]q
  }
}
`, shop, sides, token)
	}
	return text.String()
}

func (s *skladom) close() (err error) {
	if s.worker != nil {
		err = s.worker.Stop()
	}
	s.Close()
	return err
}

// first is the first pass of a shop.
func (s *skladom) first(ctx context.Context, shop string) (protocol.Report, error) {
	if err := s.Begin(ctx, house.Queue, workflows.SyncState{Shop: shop}); err != nil {
		return protocol.Report{}, err
	}
	return s.Sync(ctx, shop)
}
