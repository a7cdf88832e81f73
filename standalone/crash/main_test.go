package crash

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/standalone/internal/process"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/standalone/server"
)

var (
	seed   = flag.Uint64("seed", 0, "of all that happens by chance; 0 takes one from the clock")
	kills  = flag.Int("kills", 4, "how many workers are killed, over all rigs")
	rigs   = flag.Int("rigs", 2, "how many rigs work side by side")
	falls  = flag.Int("falls", 1, "how often the Temporal server is killed")
	breaks = flag.Int("breaks", 9, "how often objects of the archive are broken; a third as often its disk is full")
)

// patience bounds every wait; nothing but a failure takes so long.
const patience = 5 * time.Minute

// suggestedEvents makes a StockSync give way to its next run every few passes:
// that is one of the moments at which a worker is to be killed.
const suggestedEvents = 120

// temporal serves all rigs whose server is not the one that is killed. It keeps
// a file, so that one can be searched for what must not be in it.
var (
	temporal     *server.Server
	temporalFile string
)

func TestMain(m *testing.M) {
	process.Main()
	flag.Parse()
	// Most of the time of most tests is a wait that the product is to make.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	debug.SetGCPercent(400) // the race detector makes collecting dear
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	os.Exit(withServer(m.Run))
}

func withServer(run func() int) int {
	dir, err := os.MkdirTemp("", "skladom-crash-")
	if err == nil {
		defer os.RemoveAll(dir)
		temporalFile = filepath.Join(dir, "temporal.db")
		temporal, err = server.Start(context.Background(), server.Options{
			File: temporalFile, UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes(), SuggestedEvents: suggestedEvents,
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer temporal.Stop()
	return run()
}

// repeatable prints, when a test has failed, how to run it again.
func repeatable(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again, from the directory standalone:\n  go test ./crash -run '^%s$' -seed %d -kills %d -rigs %d -falls %d -breaks %d -v -timeout 30m",
				t.Name(), *seed, *kills, *rigs, *falls, *breaks)
		}
	})
}

// random is what a part of a test takes its chances from.
func random(of uint64) *rand.Rand { return rand.New(rand.NewPCG(*seed, of)) }

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{HostPort: address, Logger: host.TemporalLogger(hclog.NewNullLogger())})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// keepsSecrets fails where a secret stands in a file of Temporal's, which holds
// every history, or in a log.
func keepsSecrets(t *testing.T, secrets []string, file string, logs ...string) {
	t.Helper()
	for _, path := range append([]string{file}, logs...) {
		held, err := os.Stat(path)
		require.NoError(t, err)
		require.NotZero(t, held.Size(), path)
	}
	found, err := site.Secrets(secrets, append([]string{file, file + "-wal"}, logs...)...)
	require.NoError(t, err)
	assert.Empty(t, found)
}
