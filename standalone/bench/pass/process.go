package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a process that this one started.
type process struct {
	cmd *exec.Cmd
	out io.Reader
}

// startSelf starts this program in another role.
func startSelf(ctx context.Context, role string, in io.Reader) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, role)
	cmd.Stdin = in
	return start(cmd)
}

// startRole starts this program in another role and gives it its task.
func startRole(ctx context.Context, role string, t task) (*process, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return startSelf(ctx, role, bytes.NewReader(text))
}

func start(cmd *exec.Cmd) (*process, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return &process{cmd: cmd, out: out}, nil
}

// stop ends it as SIGTERM does; how it ended does not matter any more.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = p.cmd.Wait()
	return nil
}

// user is the processor time that it has spent outside of the kernel. Linux
// counts it in hundredths of a second.
func (p *process) user() (time.Duration, error) {
	text, err := os.ReadFile(p.proc("stat"))
	if err != nil {
		return 0, err
	}
	_, behind, _ := strings.Cut(string(text), ") ") // the name may hold anything
	fields := strings.Fields(behind)
	if len(fields) < 12 {
		return 0, fmt.Errorf("%s: %d fields", p.proc("stat"), len(fields))
	}
	ticks, err := strconv.ParseInt(fields[11], 10, 64)
	return time.Duration(ticks) * 10 * time.Millisecond, err
}

// peak is the most memory that it has had since forgetPeak, in MiB.
func (p *process) peak() (int, error) {
	text, err := os.ReadFile(p.proc("status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			return kib >> 10, err
		}
	}
	return 0, errors.New("the system does not tell the peak of memory")
}

// forgetPeak makes the next peak one of its own.
func (p *process) forgetPeak() error { return os.WriteFile(p.proc("clear_refs"), []byte("5"), 0) }

func (p *process) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file)
}
