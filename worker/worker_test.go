package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/skladom/skladom/config"
)

// settings are the variables of a process.
type settings map[string]string

func (s settings) LookupEnv(name string) (string, bool) { value, ok := s[name]; return value, ok }
func (s settings) Environ() []string {
	var all []string
	for name, value := range s {
		all = append(all, name+"="+value)
	}
	return all
}

// temporal is as much of a client as the relay and the probes need.
type temporal struct {
	client.Client
	mu     sync.Mutex
	health []error // of the next questions; afterwards it is there
	closed bool
}

func (f *temporal) CheckHealth(context.Context, *client.CheckHealthRequest) (*client.CheckHealthResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.health) == 0 {
		return &client.CheckHealthResponse{}, nil
	}
	err := f.health[0]
	f.health = f.health[1:]
	return nil, err
}

func (f *temporal) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.health = []error{err}
}

func (f *temporal) Close() { f.closed = true }

// environmentOf is a machine with files and a Temporal.
func environmentOf(vars settings, c client.Client) environment {
	files := config.OS()
	files.Getenv = vars.LookupEnv
	return environment{vars: vars, files: files, dial: func(_ envconfig.EnvLookup, _ hclog.Logger) (client.Client, place, error) {
		return c, place{"temporal:7233", "default"}, nil
	}}
}

const (
	masterKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	token     = "token-of-acme"
	relayFile = "relay {\n listen = \"127.0.0.1:0\"\n}\nsecrets {\n master_key = env(\"SKLADOM_MASTER_KEY\")\n}\n"
	acmeFile  = `shop "acme" {
  kros {
    api_key = env("ACME")
  }
  fynode {
    url     = "https://acme.example.com/api/v1"
    api_key = "key-of-acme"
  }
  match = "number"
}
`
)

var vars = settings{"SKLADOM_MASTER_KEY": masterKey, "ACME": token}

func conf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestWrongUsageIsStatus2(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a flag that is none":      {[]string{"--frobnicate"}, "unknown flag: --frobnicate"},
		"an argument":              {[]string{"relay"}, `unknown command "relay"`},
		"a level that is none":     {[]string{"--log-level", "loud"}, `--log-level is "loud"; it must be trace, debug, info, warn, error or off`},
		"a part that is none":      {[]string{"--only", "worker"}, `--only is "worker"; there is only relay`},
		"a flag without a value":   {[]string{"--config"}, "needs an argument"},
		"a switch that is no bool": {[]string{"--json-logs=perhaps"}, "invalid argument"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, 2, run(t.Context(), test.args, &stdout, &stderr, environmentOf(vars, nil)))
			require.Contains(t, stderr.String(), test.want)
			require.Contains(t, stderr.String(), "skladom-worker --help")
			require.Empty(t, stdout.String())
		})
	}
}

func TestHelpAndVersionAreNoWork(t *testing.T) {
	for _, arg := range []string{"--help", "--version"} {
		var stdout, stderr bytes.Buffer
		require.Zero(t, run(t.Context(), []string{arg}, &stdout, &stderr, environmentOf(vars, nil)))
		require.Contains(t, stdout.String(), "skladom-worker")
		require.Empty(t, stderr.String())
	}
}

func TestWhatItCannotWorkWithoutIsStatus1(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	good := conf(t, map[string]string{"skladom.hcl": relayFile, "acme.hcl": acmeFile})
	for name, test := range map[string]struct {
		args []string
		vars settings
		want string
	}{
		"no directory of settings":  {[]string{"--config", filepath.Join(good, "none"), "--only", "relay"}, vars, "open configuration"},
		"a directory without files": {[]string{"--config", t.TempDir(), "--only", "relay"}, vars, "open configuration"},
		"the port of health":        {[]string{"--config", good, "--only", "relay", "--health-listen", taken.Addr().String()}, vars, "bind: address already in use"},
		"a master key":              {[]string{"--config", good, "--only", "relay", "--health-listen", ""}, settings{}, "environment variable SKLADOM_MASTER_KEY is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, 1, run(t.Context(), test.args, &stdout, &stderr, environmentOf(test.vars, &temporal{})))
			require.Contains(t, stderr.String(), "skladom-worker cannot go on")
			require.Contains(t, stderr.String(), test.want)
		})
	}
}

func TestTheDirectoryOfSettingsIsFlagThenVariableThenConf(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		vars settings
		want string
	}{
		"neither":  {nil, settings{}, "open configuration ./conf:"},
		"variable": {nil, settings{"SKLADOM_CONFIG": "/var/none"}, "open configuration /var/none:"},
		"both":     {[]string{"--config", "/flag/none"}, settings{"SKLADOM_CONFIG": "/var/none"}, "open configuration /flag/none:"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			require.Equal(t, 1, run(t.Context(), test.args, io.Discard, &stderr, environmentOf(test.vars, &temporal{})))
			require.Contains(t, stderr.String(), test.want)
		})
	}
}

// line is what the tests read of a line of JSON logs.
type line struct {
	Level   string `json:"@level"`
	Message string `json:"@message"`
	Address string `json:"address"`
}

func TestTheRelayAloneFromStartToStop(t *testing.T) {
	dir := conf(t, map[string]string{"skladom.hcl": relayFile, "acme.hcl": acmeFile})
	f := &temporal{}
	logs, stderr := io.Pipe()
	var kept bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(logs, &kept))
	next := func(message string) line {
		t.Helper()
		for lines.Scan() {
			var l line
			require.NoError(t, json.Unmarshal(lines.Bytes(), &l), "every line is JSON: %s", lines.Text())
			if l.Message == message {
				return l
			}
		}
		t.Fatalf("no line %q", message)
		return line{}
	}

	ctx, stop := context.WithCancel(t.Context())
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"--config", dir, "--only", "relay", "--json-logs", "--log-level", "trace", "--health-listen", "127.0.0.1:0"},
			io.Discard, stderr, environmentOf(vars, f))
		_ = stderr.Close()
	}()
	health := next("health listens").Address
	relay := next("relay listens").Address // after it has started

	code, text := get(t, health, "/healthz")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "ok\n", text)
	code, _ = get(t, health, "/readyz")
	require.Equal(t, http.StatusOK, code)
	code, text = get(t, relay, "/webhooks/kros/acme")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, text, "notifications of KROS")

	f.fail(errors.New("connection refused"))
	code, text = get(t, health, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, text, "connection refused")
	code, _ = get(t, health, "/healthz")
	require.Equal(t, http.StatusOK, code, "Temporal away is no reason to kill the process")

	stop()
	next("stopping")
	_, _ = io.Copy(&kept, logs)
	require.Zero(t, <-status)
	require.True(t, f.closed)
	for _, secret := range []string{masterKey, token, "key-of-acme"} {
		require.NotContains(t, kept.String(), secret)
	}
}

func get(t *testing.T, address, path string) (int, string) {
	t.Helper()
	res, err := http.Get("http://" + address + path)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestReadinessFollowsTheLifeOfTheProcess(t *testing.T) {
	h, err := startHealth(t.Context(), "", hclog.NewNullLogger())
	require.NoError(t, err)
	f := &temporal{}
	require.ErrorIs(t, (*h.check.Load())(t.Context()), errStarting)
	h.ready(f)
	require.NoError(t, (*h.check.Load())(t.Context()))
	h.notReady(errStopping)
	require.ErrorIs(t, (*h.check.Load())(t.Context()), errStopping)
	require.NoError(t, h.close())
}

func TestAWorkerWaitsForTemporal(t *testing.T) {
	away := serviceerror.NewUnavailable("connection refused")
	for name, test := range map[string]struct {
		health []error
		asked  int
	}{
		"that is there":           {nil, 0},
		"that comes later":        {[]error{away, context.DeadlineExceeded, fmt.Errorf("health: %w", away)}, 3},
		"and not for permission":  {[]error{serviceerror.NewPermissionDenied("no", "")}, 0},
		"nor for another failure": {[]error{errors.New("boom")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				require.True(t, await(t.Context(), &temporal{health: test.health}, place{"temporal:7233", "default"}, hclog.New(&hclog.LoggerOptions{Output: &log})))
				require.Equal(t, test.asked, bytes.Count(log.Bytes(), []byte("Temporal does not answer")))
			})
		})
	}
}

func TestAWorkerThatWaitsCanBeStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	dir := conf(t, map[string]string{"acme.hcl": acmeFile})
	var stderr bytes.Buffer
	f := &temporal{health: []error{serviceerror.NewUnavailable("away")}}
	require.Zero(t, run(ctx, []string{"--config", dir, "--health-listen", ""}, io.Discard, &stderr, environmentOf(vars, f)))
	require.NotContains(t, stderr.String(), "ERROR")
}

func TestTheConnectionComesFromTheVariablesOfTemporal(t *testing.T) {
	c, at, err := dial(settings{
		"TEMPORAL_ADDRESS": "temporal.example.com:7233", "TEMPORAL_NAMESPACE": "stores",
		"TEMPORAL_CONFIG_FILE": filepath.Join(t.TempDir(), "none.toml"),
	}, hclog.NewNullLogger())
	require.NoError(t, err)
	c.Close()
	require.Equal(t, place{"temporal.example.com:7233", "stores"}, at)

	c, at, err = dial(settings{"TEMPORAL_CONFIG_FILE": filepath.Join(t.TempDir(), "none.toml")}, hclog.NewNullLogger())
	require.NoError(t, err)
	c.Close()
	require.Equal(t, place{"localhost:7233", "default"}, at)

	profile := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(profile, []byte("[profile.default\n"), 0o600))
	_, _, err = dial(settings{"TEMPORAL_CONFIG_FILE": profile}, hclog.NewNullLogger())
	require.ErrorContains(t, err, "TEMPORAL_* and the profile file")
}
