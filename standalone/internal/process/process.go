// Package process runs parts of Skladom as processes of their own, which a test
// may kill: the test program starts itself once more and becomes that part.
//
// What a part does is what the programs do, by the packages they are made of. No
// program may import this package.
package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/host"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/server"
)

// part is the environment variable that makes the test program a part.
const part = "SKLADOM_TEST_PART"

// What a part says on its standard output, one line each.
const (
	ready    = "ready"
	renewing = "renewing" // a StockSync is about to give way to its next run
)

// Part is what a process is to be: a worker, or a Temporal server.
type Part struct {
	Worker *Worker `json:"worker,omitempty"`
	Server *Server `json:"server,omitempty"`
}

// Worker is what skladom-worker does.
type Worker struct {
	Config   string `json:"config"`
	Temporal string `json:"temporal"`
	Queue    string `json:"queue"`
}

// Server is a Temporal server on a file.
type Server struct {
	File            string `json:"file"`
	Port            int    `json:"port"`
	SuggestedEvents int    `json:"suggestedEvents"` // see server.Options
}

// Main becomes a part where this process is to be one, and does not return
// then. Call it first in TestMain.
func Main() {
	text, is := os.LookupEnv(part)
	if !is {
		return
	}
	var p Part
	err := json.Unmarshal([]byte(text), &p)
	ctx, stop := context.WithCancel(context.Background())
	go answer(stop)
	switch {
	case err != nil:
	case p.Worker != nil:
		err = p.Worker.run(ctx)
	case p.Server != nil:
		err = p.Server.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// answer measures when asked to, and ends the process when nobody is left to ask.
func answer(stop func()) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		runtime.GC()
		runtime.GC() // what pools hold goes with the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		text, _ := json.Marshal(Measure{Heap: m.HeapAlloc, Goroutines: runtime.NumGoroutine()})
		fmt.Println(string(text))
	}
	stop()
}

// Measure is what a process holds once all that nobody needs is collected.
type Measure struct {
	Heap       uint64 `json:"heap"` // bytes
	Goroutines int    `json:"goroutines"`
}

func (w Worker) run(ctx context.Context) error {
	shops, err := config.Open(w.Config, config.OS())
	if err != nil {
		return err
	}
	log := hclog.New(&hclog.LoggerOptions{Name: "skladom", Output: os.Stderr, Level: hclog.Debug})
	c, err := client.DialContext(ctx, client.Options{
		HostPort: w.Temporal, Logger: host.TemporalLogger(log.Named("temporal")), Interceptors: []interceptor.ClientInterceptor{&listener{}},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	return host.Run(ctx, host.Options{
		Client: c, Namespace: client.DefaultNamespace, TaskQueue: w.Queue, Shops: shops, Logger: log,
		Started: func() { fmt.Println(ready) },
	})
}

// listener tells when a StockSync is about to be renewed: a worker of a client
// that has it takes it over.
type listener struct {
	interceptor.ClientInterceptorBase
	interceptor.WorkerInterceptorBase
}

func (*listener) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &renewals{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type renewals struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (r *renewals) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	result, err := r.Next.ExecuteWorkflow(ctx, in)
	var next *workflow.ContinueAsNewError
	if errors.As(err, &next) && workflow.GetInfo(ctx).WorkflowType.Name == protocol.StockSync {
		fmt.Println(renewing)
	}
	return result, err
}

func (s Server) run(ctx context.Context) error {
	log := hclog.New(&hclog.LoggerOptions{Name: "temporal", Output: os.Stderr, Level: hclog.Warn})
	running, err := server.Start(ctx, server.Options{
		File: s.File, Port: s.Port, SuggestedEvents: s.SuggestedEvents, UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes(), Logger: log,
	})
	if err != nil {
		return err
	}
	fmt.Println(ready)
	<-ctx.Done()
	running.Stop()
	return nil
}

// Process is a part that runs.
type Process struct {
	// Renewing gets something whenever a StockSync is about to be renewed and
	// somebody listens.
	Renewing chan struct{}

	cmd      *exec.Cmd
	in       io.WriteCloser
	ready    chan struct{}
	measured chan Measure
	ended    chan struct{}
}

// Start starts a part, which writes its log to log, and returns when it works.
func Start(ctx context.Context, p Part, log io.Writer) (*Process, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return Command(ctx, log, func(string) bool { return false }, part+"="+string(text))
}

// Command starts this program once more with more environment and arguments.
// It returns when the process says that it works, also where isReady
// understands a line so.
func Command(ctx context.Context, log io.Writer, isReady func(line string) bool, env string, args ...string) (*Process, error) {
	p := &Process{
		Renewing: make(chan struct{}), cmd: exec.CommandContext(context.WithoutCancel(ctx), os.Args[0], args...),
		ready: make(chan struct{}), measured: make(chan Measure), ended: make(chan struct{}),
	}
	p.cmd.Env = append(os.Environ(), env)
	p.cmd.Stderr = log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a process: %w", err)
	}
	go p.listen(out, isReady)
	select {
	case <-p.ready:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("a process ended before it worked: %s", p.cmd.ProcessState)
	case <-ctx.Done():
		p.Kill()
		return nil, fmt.Errorf("wait for a process to work: %w", context.Cause(ctx))
	}
}

func (p *Process) listen(out io.Reader, isReady func(string) bool) {
	works := sync.OnceFunc(func() { close(p.ready) })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		var m Measure
		switch {
		case line == ready || isReady(line):
			works()
		case line == renewing:
			select {
			case p.Renewing <- struct{}{}:
			default:
			}
		case strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &m) == nil:
			p.measured <- m
		}
	}
	_ = p.cmd.Wait() // killed, as a rule
	close(p.ended)
}

// Measure asks the process how much it holds.
func (p *Process) Measure(ctx context.Context) (Measure, error) {
	if _, err := fmt.Fprintln(p.in, "measure"); err != nil {
		return Measure{}, fmt.Errorf("ask a process to measure: %w", err)
	}
	select {
	case m := <-p.measured:
		return m, nil
	case <-p.ended:
		return Measure{}, errors.New("the process has ended")
	case <-ctx.Done():
		return Measure{}, context.Cause(ctx)
	}
}

// Kill ends the process without a word (SIGKILL) and returns when it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.ended
}

// Stop lets the process come to an end.
func (p *Process) Stop() {
	_ = p.in.Close()
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		p.Kill()
	}
}
