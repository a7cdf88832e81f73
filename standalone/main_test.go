package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/standalone/datadir"
)

const settings = `
shop "acme" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://acme.example.com/api/v1"
    api_key = env("ACME_SHOP_KEY")
  }
  match = "number"
}
`

func TestWrongUsageIsToldApartFromFailure(t *testing.T) {
	for _, args := range []string{"walk", "run --fast", "run now", "demo twice", "run --port many"} {
		t.Run(args, func(t *testing.T) {
			status, stdout, stderr := executed(t, strings.Fields(args)...)
			require.Equal(t, statusUsage, status)
			require.Empty(t, stdout)
			require.Contains(t, stderr, "--help")
		})
	}
}

func TestHelpTellsTheTwoCommands(t *testing.T) {
	status, stdout, _ := executed(t)
	require.Equal(t, statusDone, status)
	require.Contains(t, stdout, "skladom-standalone demo")
	require.Contains(t, stdout, "skladom-standalone run --config ./conf --data ./data")
}

func TestRunFailsWithoutSettingsAndMakesNothing(t *testing.T) {
	dir := t.TempDir()
	status, _, stderr := executed(t, "run", "--config", filepath.Join(dir, "conf"), "--data", filepath.Join(dir, "data"))
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, filepath.Join(dir, "conf"))
	require.NoDirExists(t, filepath.Join(dir, "data"))
}

func TestRunRefusesADataDirectoryThatIsInUse(t *testing.T) {
	data := t.TempDir()
	first, err := datadir.Open(data)
	require.NoError(t, err)
	defer first.Close()
	status, _, stderr := executed(t, "run", "--config", conf(t), "--data", data)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "in use by another process")
	require.Contains(t, stderr, "--data")
}

func TestRunNamesAPortInUseAndItsFlag(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for _, flag := range []string{"--port", "--ui-port"} {
		t.Run(flag, func(t *testing.T) {
			args := []string{"run", "--config", conf(t), "--data", t.TempDir(), "--port", "0", "--ui-port", "0"}
			status, _, stderr := executed(t, append(args, flag, fmt.Sprint(port))...)
			require.Equal(t, statusFailed, status)
			require.Contains(t, stderr, fmt.Sprintf("port %d cannot be used, choose another with %s:", port, flag))
		})
	}
}

func TestRunPrintsLinksStaysInItsDirectoryAndEndsWhenTold(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "192.0.2.1:1") // somebody's cluster: not what is meant here
	t.Setenv("TEMPORAL_NAMESPACE", "elsewhere")
	dir := t.TempDir()
	t.Chdir(dir)
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr lockedBuffer
	status := make(chan int, 1)
	settings := conf(t)
	go func() {
		status <- execute(ctx, []string{"run", "--config", settings, "--data", "data", "--port", "0", "--ui-port", "0"}, &stdout, &stderr, "")
	}()
	link := regexp.MustCompile(`Temporal UI +(http://127\.0\.0\.1:\d+)`)
	require.Eventually(t, func() bool { return link.MatchString(stdout.String()) }, time.Minute, 20*time.Millisecond)
	resp, err := http.Get(link.FindStringSubmatch(stdout.String())[1])
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)

	stop()
	require.Equal(t, statusDone, <-status)
	// The SDK may tell of a poll that the stop cut short.
	told := regexp.MustCompile(`.*Failed to poll for task.*context canceled.*`).ReplaceAllString(stderr.String(), "")
	require.NotRegexp(t, `\[(WARN|ERROR)\]`, told)
	made, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, made, 1, "nothing beside the data directory")
}

func TestTheDemoEndsWellAndLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	status, stdout, stderr := executed(t, "demo", "--once")
	require.Equal(t, statusDone, status, stderr)
	require.Empty(t, stderr)
	require.Regexp(t, `The e-shop shows 72 after \d+ ms\.`, stdout)
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, left)
}

// executed runs the command line until it ends.
func executed(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = execute(t.Context(), args, &out, &errs, "")
	return status, out.String(), errs.String()
}

// conf makes a directory of settings with one shop.
func conf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "acme.hcl"), []byte(settings), 0o600))
	return dir
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
