package notifytest_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/notifytest"
)

// patience bounds every wait; nothing but a failure takes so long.
const patience = 5 * time.Minute

// asRelay makes this program a relay of its own, for a test that kills it: its
// settings, where Temporal is and where it listens.
const asRelay = "SKLADOM_TEST_RELAY"

func TestMain(m *testing.M) {
	if line, ok := os.LookupEnv(asRelay); ok {
		if err := runRelay(strings.Split(line, "|")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	// Most of the time of most tests is a wait that the product is to make.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	debug.SetGCPercent(400) // the race detector makes collecting dear
	os.Exit(m.Run())
}

// runRelay is what skladom-worker --only relay does.
func runRelay(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	shops, err := config.Open(args[0], config.OS())
	if err != nil {
		return err
	}
	c, err := client.Dial(client.Options{HostPort: args[1], Logger: host.TemporalLogger(hclog.NewNullLogger())})
	if err != nil {
		return err
	}
	defer c.Close()
	listener, err := net.Listen("tcp", args[2])
	if err != nil {
		return err
	}
	return host.Run(ctx, host.Options{
		Client: c, Namespace: "default", Shops: shops, Logger: hclog.NewNullLogger(), RelayOnly: true, RelayListener: listener,
		Started: func() { fmt.Println("listening") },
	})
}

// newTown opens a town and activates its first shops.
func newTown(t *testing.T, activated int, o notifytest.Options) *notifytest.Town {
	t.Helper()
	log := &book{}
	o.Dir, o.Logger = t.TempDir(), hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Info})
	town, err := notifytest.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, town.Close())
		if t.Failed() {
			t.Log(log.String())
		}
	})
	require.NoError(t, town.Activate(within(t), town.Shops[:activated]...))
	return town
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// book is a log that many write to.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// await waits for what Temporal has to be asked for.
func await(t *testing.T, is func() bool, what string) {
	t.Helper()
	require.NoError(t, notifytest.Await(within(t), notifytest.Later, is), what)
}

// follows waits until the shop shows a quantity of its item.
func follows(t *testing.T, s *notifytest.Shop, quantity int) {
	t.Helper()
	err := notifytest.Await(within(t), notifytest.Soon, func() bool { return s.Shows(0, quantity) })
	require.NoError(t, err, "%s has to show %d", s.Name, quantity)
}

// books changes the stock in KROS, and notifies with the answer that is due.
func books(t *testing.T, s *notifytest.Shop, quantity, answer int) {
	t.Helper()
	require.NoError(t, s.Book(0, quantity))
	status, _, err := s.Notify(within(t), http.DefaultClient, s.Key)
	require.NoError(t, err)
	require.Equal(t, answer, status)
}

func status(t *testing.T, s *notifytest.Shop) protocol.Status {
	t.Helper()
	status, err := s.Status(within(t))
	require.NoError(t, err)
	return status
}

// counts waits until the shop has taken in so many notifications, and returns
// where it stands then.
func counts(t *testing.T, s *notifytest.Shop, notifications int64) (now protocol.Status) {
	t.Helper()
	await(t, func() bool {
		now = status(t, s)
		return now.Notifications.Count >= notifications
	}, "what was sent has to be counted")
	require.Equal(t, notifications, now.Notifications.Count)
	return now
}

func update(t *testing.T, s *notifytest.Shop, name string, request, answer any) {
	t.Helper()
	require.NoError(t, s.Update(within(t), name, request, answer))
}
