package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const queue = "test"

var (
	colour     = temporal.NewSearchAttributeKeyKeyword("TestColour")
	attributes = map[string]enums.IndexedValueType{"TestColour": enums.INDEXED_VALUE_TYPE_KEYWORD}
)

// childFile, where set, makes the test's program a server on that file, for
// the tests that kill one.
const childFile = "SERVER_TEST_CHILD_FILE"

func TestMain(m *testing.M) {
	file := os.Getenv(childFile)
	if file == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Options{File: file, UIPort: NoUI, SearchAttributes: attributes})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Address())
	select {}
}

func TestAServerInMemory(t *testing.T) {
	t.Parallel()
	grpc, err := freePort()
	require.NoError(t, err)
	ui, err := freePort()
	require.NoError(t, err)
	var logged lockedBuffer
	s := start(t, Options{Port: grpc, UIPort: ui, Namespace: "obchod", SearchAttributes: attributes,
		Logger: hclog.New(&hclog.LoggerOptions{Output: &logged, Level: hclog.Debug})})

	t.Run("takes the ports asked for", func(t *testing.T) {
		require.Equal(t, address(grpc), s.Address())
		require.Equal(t, "http://"+address(ui), s.UIURL())
	})
	t.Run("does not warn of what is meant to be so", func(t *testing.T) {
		require.NotContains(t, logged.String(), "HTTP API port")
	})
	t.Run("runs workflows and lists them by their search attributes", func(t *testing.T) {
		c := connect(t, s.Address(), "obchod")
		work(t, c)
		var result string
		require.NoError(t, begin(t, c, "in-memory", "green").Get(t.Context(), &result))
		require.Equal(t, "painted green", result)
		require.Eventually(t, func() bool {
			list, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
				Query: "TestColour = 'green' AND ExecutionStatus = 'Completed'"})
			require.NoError(t, err)
			return len(list.Executions) == 1 && list.Executions[0].Execution.WorkflowId == "in-memory"
		}, 10*time.Second, 20*time.Millisecond)
	})
	t.Run("shows its namespace in the web interface", func(t *testing.T) {
		_, body := get(t, s.UIURL()+"/api/v1/namespaces/obchod", "")
		require.Regexp(t, `"name":\s*"obchod"`, body)
	})
	for name, want := range map[string]int{
		"127.0.0.1:" + strconv.Itoa(ui): http.StatusOK,
		"localhost:" + strconv.Itoa(ui): http.StatusOK,
		"localhost":                     http.StatusOK,
		"[::1]:" + strconv.Itoa(ui):     http.StatusOK,
		"evil.example":                  http.StatusForbidden,
		"localhost.evil.example:80":     http.StatusForbidden,
		"10.0.0.1":                      http.StatusForbidden,
	} {
		t.Run("asked as "+name, func(t *testing.T) {
			resp, body := get(t, s.UIURL(), name)
			require.Equal(t, want, resp.StatusCode)
			if want == http.StatusOK {
				require.Contains(t, resp.Header.Get("Content-Type"), "text/html")
				require.Contains(t, body, "<html")
			}
		})
	}
}

func TestTwoServersInMemoryShareNothing(t *testing.T) {
	t.Parallel()
	one, err := openStore("", "default", nil)
	require.NoError(t, err)
	two, err := openStore("", "default", nil)
	require.NoError(t, err)
	require.NotEqual(t, one.DatabaseName, two.DatabaseName)
}

func TestAFileOutlivesAStoppedServer(t *testing.T) {
	t.Parallel()
	// Characters that mean something in a URL, which SQLite takes the name for.
	file := filepath.Join(t.TempDir(), "obchod č. 1? 50%#.db")
	options := Options{File: file, UIPort: NoUI, SearchAttributes: attributes}
	s := start(t, options)
	begin(t, connect(t, s.Address(), "default"), "outlives", "blue")
	s.Stop()

	s = start(t, options)
	finish(t, s, "outlives", "painted blue")
	s.Stop()
	made, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
	require.NoError(t, err)
	require.Subset(t, []string{file, file + "-wal", file + "-shm"}, made)
	require.Contains(t, made, file)
}

func TestAnOlderFileGetsTheSearchAttributesItLacks(t *testing.T) {
	t.Parallel()
	options := Options{File: filepath.Join(t.TempDir(), "temporal.db"), UIPort: NoUI}
	start(t, options).Stop()
	options.SearchAttributes = attributes
	s := start(t, options)
	begin(t, connect(t, s.Address(), "default"), "older", "white")
	finish(t, s, "older", "painted white")
	s.Stop()

	options.SearchAttributes = map[string]enums.IndexedValueType{"TestColour": enums.INDEXED_VALUE_TYPE_INT}
	_, err := Start(t.Context(), options)
	require.ErrorContains(t, err, "search attribute TestColour", "one of another type cannot be added")
}

func TestAFileOutlivesAKilledServer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "temporal.db")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFile+"="+file, // and what would lead elsewhere
		"TEMPORAL_ADDRESS=192.0.2.1:1", "TEMPORAL_NAMESPACE=elsewhere", "TEMPORAL_LOCALHOST_IP=192.0.2.1", "TEMPORAL_TLS=true")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	t.Cleanup(func() { _ = child.Process.Kill() })
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	begin(t, connect(t, address[:len(address)-1], "default"), "killed", "red")
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()

	finish(t, start(t, Options{File: file, UIPort: NoUI, SearchAttributes: attributes}), "killed", "painted red")
}

func TestAPortInUseIsNamedWithItsFlag(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", address(0))
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	_, err = Start(t.Context(), Options{Port: port, UIPort: NoUI})
	require.ErrorContains(t, err, fmt.Sprintf("port %d cannot be used, choose another with --port:", port))
	_, err = Start(t.Context(), Options{UIPort: port})
	require.ErrorContains(t, err, fmt.Sprintf("port %d cannot be used, choose another with --ui-port:", port))
}

func TestAStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("asked to stop"))
	_, err := Start(ctx, Options{})
	require.ErrorContains(t, err, "asked to stop")
}

func paint(ctx workflow.Context, colourName string) (string, error) {
	return "painted " + colourName, workflow.UpsertTypedSearchAttributes(ctx, colour.ValueSet(colourName))
}

func start(t *testing.T, options Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func connect(t *testing.T, address, namespace string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Namespace: namespace, Logger: hclog.NewNullLogger()})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func work(t *testing.T, c client.Client) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(paint)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

func begin(t *testing.T, c client.Client, id, colourName string) client.WorkflowRun {
	t.Helper()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: queue,
		TypedSearchAttributes: temporal.NewSearchAttributes(colour.ValueSet("none"))}, paint, colourName)
	require.NoError(t, err)
	return run
}

// finish runs a worker until the workflow ends, and looks at its result.
func finish(t *testing.T, s *Server, id, want string) {
	t.Helper()
	c := connect(t, s.Address(), "default")
	work(t, c)
	var got string
	require.NoError(t, c.GetWorkflow(t.Context(), id, "").Get(t.Context(), &got))
	require.Equal(t, want, got)
}

// get asks for an address under a name, or under its own for "".
func get(t *testing.T, address, name string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	req.Host = name
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
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
