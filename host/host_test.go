package host

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/kros"
	"github.com/skladom/skladom/relay"
)

var quiet = hclog.NewNullLogger()

// masterKey is 32 bytes, in base64 below.
const (
	masterKey     = "0123456789abcdef0123456789abcdef"
	masterKeyText = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
)

const installation = `
relay {
  listen = "127.0.0.1:0"
}
secrets {
  master_key = "` + masterKeyText + `"
}
`

func shopFile(name, more string) string {
	return fmt.Sprintf(`
shop %q {
  kros {
    api_key = "token-%s"
  }
  fynode {
    url     = "https://%s.example.com/api/v1"
    api_key = "key-%s"
  }
  match = "number"
  %s
}
`, name, name, name, name, more)
}

// files is a configuration directory.
type files string

func newFiles(t *testing.T, texts map[string]string) files {
	t.Helper()
	f := files(t.TempDir())
	for name, text := range texts {
		f.write(t, name, text)
	}
	return f
}

func (f files) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(string(f), name), []byte(text), 0o600))
}

func (f files) open(t *testing.T) *config.Directory {
	t.Helper()
	shops, err := config.Open(string(f), config.OS())
	require.NoError(t, err)
	return shops
}

func twoShops(t *testing.T) files {
	return newFiles(t, map[string]string{"skladom.hcl": installation, "acme.hcl": shopFile("acme", ""), "beta.hcl": shopFile("beta", "")})
}

// running is a host that runs.
type running struct {
	cancel  context.CancelFunc
	ended   chan error
	stopped chan struct{}
}

// start runs a host and returns when it has started.
func start(t *testing.T, o Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{cancel: cancel, ended: make(chan error, 1), stopped: make(chan struct{})}
	started := make(chan struct{})
	o.Started = func() { close(started) }
	o.Stopping = func() { close(r.stopped) }
	go func() { r.ended <- Run(ctx, o) }()
	select {
	case <-started:
	case err := <-r.ended:
		t.Fatalf("it did not start: %v", err)
	}
	return r
}

func (r *running) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	require.NoError(t, <-r.ended)
	<-r.stopped
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// notify sends a notification that is signed with a version of the key.
func notify(t *testing.T, at net.Listener, shop string, version int) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+at.Addr().String()+relay.Path(shop), strings.NewReader("{}"))
	require.NoError(t, err)
	req.Header.Set(kros.SignatureHeader, kros.Sign(kros.AuthorizationKey([]byte(masterKey), shop, version), []byte("{}")))
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func TestRunServesTheTaskQueueAndTheRelay(t *testing.T) {
	f := &frontend{}
	port := listen(t)
	r := start(t, Options{
		Client: f.serve(t, "stores"), Shops: twoShops(t).open(t), Logger: quiet, Namespace: "stores",
		Archive: "mem://", RelayListener: port,
	})
	f.set(func(f *frontend) { require.Equal(t, skladom.SearchAttributes(), f.attributes) })
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.polled["stores/skladom workflow"] > 0 && f.polled["stores/skladom activity"] > 0
	}, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, http.StatusOK, notify(t, port, "acme", 1))
	require.Equal(t, []string{"stock-sync:acme: notification"}, f.taken())
	r.stop(t)
	_, err := net.Dial("tcp", port.Addr().String())
	require.Error(t, err, "the relay has stopped")
}

func TestATaskQueueThatIsGivenWins(t *testing.T) {
	f := &frontend{}
	r := start(t, Options{
		Client: f.serve(t, "default"), Shops: newFiles(t, map[string]string{"acme.hcl": shopFile("acme", "")}).open(t),
		Logger: quiet, Namespace: "default", Archive: "mem://", TaskQueue: "mine",
	})
	defer r.stop(t)
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.polled["default/mine workflow"] > 0
	}, 10*time.Second, 5*time.Millisecond)
}

func TestTheRelayAloneNeedsNoWorker(t *testing.T) {
	f := &frontend{}
	dir, port := twoShops(t), listen(t)
	r := start(t, Options{Client: f.serve(t, "default"), Shops: dir.open(t), Logger: quiet, RelayOnly: true, RelayListener: port})
	require.Equal(t, http.StatusOK, notify(t, port, "acme", 1))
	require.Equal(t, http.StatusUnauthorized, notify(t, port, "nobody", 1))
	require.Equal(t, http.StatusUnauthorized, notify(t, port, "acme", 2))
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.Equal(f.signals, []string{"stock-sync:acme: notification", "stock-sync:acme: notification-refused"})
	}, 10*time.Second, 5*time.Millisecond, "a known shop is told of the wrong key")
	f.set(func(f *frontend) { f.unknown["stock-sync:beta"] = true })
	require.Equal(t, http.StatusUnauthorized, notify(t, port, "beta", 1), "it was never activated")
	f.taken()

	dir.write(t, "acme.hcl", shopFile("acme", "webhook {\n key_version = 2\n also_accept = [1]\n }"))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	require.Eventually(t, func() bool { return notify(t, port, "acme", 2) == http.StatusOK }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, http.StatusOK, notify(t, port, "acme", 1), "the earlier key is still accepted")
	require.NotContains(t, f.taken(), "stock-sync:acme: config-changed", "the files of a relay are not those of the workers")
	r.stop(t)
	f.set(func(f *frontend) {
		require.Empty(t, f.polled)
		require.Empty(t, f.attributes)
	})
}

func TestRunTellsWhatItLacks(t *testing.T) {
	taken := listen(t)
	defer taken.Close()
	acme := shopFile("acme", "")
	for name, test := range map[string]struct {
		files map[string]string
		o     Options
		want  string
	}{
		"a relay": {
			map[string]string{"acme.hcl": acme}, Options{RelayOnly: true},
			`there is no relay in the configuration; write: relay { listen = ":8088" }`,
		},
		"a master key": {
			map[string]string{"a.hcl": "relay {\n listen = \"127.0.0.1:0\"\n}", "acme.hcl": acme}, Options{RelayOnly: true},
			"notifications cannot be verified: secrets.master_key is not configured",
		},
		"a port": {
			map[string]string{"a.hcl": fmt.Sprintf("relay {\n listen = %q\n}", taken.Addr()), "acme.hcl": acme}, Options{RelayOnly: true},
			fmt.Sprintf("relay.listen %q: listen tcp", taken.Addr()),
		},
		"an archive": {
			map[string]string{"acme.hcl": acme}, Options{},
			"no archive",
		},
		"a bucket that can be opened": {
			map[string]string{"acme.hcl": acme}, Options{Archive: "s3://bucket"},
			"no driver",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.o
			o.Client, o.Shops, o.Logger, o.Namespace = (&frontend{}).serve(t, "default"), newFiles(t, test.files).open(t), quiet, "default"
			require.ErrorContains(t, Run(t.Context(), o), test.want)
		})
	}
}

func TestRunStopsWhereSearchAttributesCannotBeAdded(t *testing.T) {
	f := &frontend{refuse: status.Error(codes.PermissionDenied, "not an administrator")}
	port := listen(t)
	err := Run(t.Context(), Options{Client: f.serve(t, "stores"), Shops: twoShops(t).open(t), Logger: quiet, Namespace: "stores", Archive: "mem://", RelayListener: port})
	require.ErrorContains(t, err, "temporal operator search-attribute create --namespace stores")
	require.ErrorContains(t, err, "not an administrator")
	require.NotContains(t, err.Error(), masterKeyText)
	_, err = net.Dial("tcp", port.Addr().String())
	require.Error(t, err, "the port is given back")
}

func TestChangedSettingsAreToldToTheirShopAlone(t *testing.T) {
	dir := twoShops(t)
	w, f, _ := newTestWatch(t, dir)
	w.look(t.Context())
	require.Empty(t, f.taken(), "nothing changed")

	dir.write(t, "acme.hcl", shopFile("acme", "buffer = 1"))
	w.look(t.Context())
	require.Equal(t, []string{"stock-sync:acme: config-changed"}, f.taken())
	w.look(t.Context())
	require.Empty(t, f.taken(), "once")

	require.NoError(t, os.Remove(filepath.Join(string(dir), "beta.hcl")))
	dir.write(t, "new.hcl", shopFile("new", ""))
	f.set(func(f *frontend) { f.unknown["stock-sync:new"] = true })
	w.look(t.Context())
	require.Equal(t, []string{"stock-sync:beta: config-changed"}, f.taken(), "a removed shop learns it; a new one does not run")
	f.set(func(f *frontend) { f.unknown = nil })
	w.look(t.Context())
	require.Empty(t, f.taken(), "one that does not run is not told later")
}

func TestLookingAtTheFilesTakesAHundredthOfTheTime(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0:                     2 * time.Second,
		time.Millisecond:      2 * time.Second,
		80 * time.Millisecond: 8 * time.Second, // ten thousand files
		3 * time.Second:       time.Minute,     // all of them read again
	} {
		require.Equal(t, want, nextLook(took), took)
	}
}

func TestShopsAreToldOnceTemporalAnswersAgain(t *testing.T) {
	dir := twoShops(t)
	w, f, log := newTestWatch(t, dir)
	f.set(func(f *frontend) { f.down = true })
	dir.write(t, "acme.hcl", shopFile("acme", "buffer = 1"))
	dir.write(t, "beta.hcl", shopFile("beta", "buffer = 1"))
	w.look(t.Context())
	require.Equal(t, 1, strings.Count(log.String(), "trying again"), "the first failure is enough")
	f.set(func(f *frontend) { f.down = false })
	w.look(t.Context())
	require.Equal(t, []string{"stock-sync:acme: config-changed", "stock-sync:beta: config-changed"}, f.taken())
}

func TestWhatIsWrongInTheFilesIsLoggedOnce(t *testing.T) {
	dir := twoShops(t)
	w, f, log := newTestWatch(t, dir)
	dir.write(t, "acme.hcl", shopFile("acme", "bufer = 1"))
	w.look(t.Context())
	w.look(t.Context())
	require.Equal(t, 1, strings.Count(log.String(), "wrong configuration"), log.String())
	require.Contains(t, log.String(), "file=acme.hcl")
	require.Empty(t, f.taken(), "the last good version stays in force")

	dir.write(t, "beta.hcl", shopFile("beta", "match = 1"))
	w.look(t.Context())
	require.Equal(t, 2, strings.Count(log.String(), "wrong configuration"), "only what is new: "+log.String())

	dir.write(t, "acme.hcl", shopFile("acme", ""))
	dir.write(t, "beta.hcl", shopFile("beta", ""))
	w.look(t.Context())
	w.look(t.Context())
	require.Equal(t, 1, strings.Count(log.String(), "nothing is wrong"))
}

func newTestWatch(t *testing.T, dir files) (*watch, *frontend, *bytes.Buffer) {
	t.Helper()
	f, log := &frontend{}, &bytes.Buffer{}
	h := &host{
		Options: Options{
			Client: f.serve(t, "default"), Shops: dir.open(t),
			Logger: hclog.New(&hclog.LoggerOptions{Output: log}),
		},
		keys: &keyring{},
	}
	h.keys.read(h.Shops.Shops())
	return newWatch(h), f, log
}

func TestKeyringTellsTheGreatestNumberOfVersions(t *testing.T) {
	k := &keyring{}
	k.read([]config.Shop{
		{Name: "acme", Webhook: config.Webhook{KeyVersion: 3, AlsoAccept: []int{1, 2}}},
		{Name: "beta", Webhook: config.Webhook{KeyVersion: 1}},
	})
	for shop, want := range map[string][]int{"acme": {3, 1, 2}, "beta": {1}, "nobody": nil} {
		versions, most := k.KeyVersions(shop)
		require.Equal(t, want, versions)
		require.Equal(t, 3, most)
	}
}

func TestKeyringIsReadWhileItChanges(t *testing.T) {
	k := &keyring{}
	k.read(nil)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 100 {
				if versions, most := k.KeyVersions("acme"); len(versions) > most {
					t.Errorf("%d versions, at most %d", len(versions), most)
				}
			}
		})
	}
	for i := range 100 {
		k.read([]config.Shop{{Name: "acme", Webhook: config.Webhook{KeyVersion: 1, AlsoAccept: make([]int, i%3)}}})
	}
	readers.Wait()
}

func TestTheLoggerOfTemporalKeepsFieldsAndLevels(t *testing.T) {
	var out bytes.Buffer
	log := TemporalLogger(hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Info, DisableTime: true}))
	child := sdklog.With(log, "WorkflowID", "stock-sync:acme")
	child.Debug("not shown")
	child.Warn("shown", "Attempt", 2)
	log.Info("plain")
	require.Equal(t, "[WARN]  shown: WorkflowID=stock-sync:acme Attempt=2\n[INFO]  plain\n", out.String())
}
