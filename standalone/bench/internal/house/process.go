package house

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

// Process is a process that this one started.
type Process struct {
	Out io.Reader // what it says
	cmd *exec.Cmd
}

// Self starts this program in another role and gives it its task.
func Self(ctx context.Context, role string, task any) (*Process, error) {
	text, err := json.Marshal(task)
	if err != nil {
		return nil, fmt.Errorf("give the %s its task: %w", role, err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, role)
	cmd.Stdin = bytes.NewReader(text)
	return Start(cmd)
}

// Start starts a program.
func Start(cmd *exec.Cmd) (*Process, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return &Process{Out: out, cmd: cmd}, nil
}

// Wait returns when it has ended.
func (p *Process) Wait() error { return p.cmd.Wait() }

// Stop ends it as SIGTERM does; how it ended does not matter any more.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = p.cmd.Wait()
	return nil
}

// Used is the processor time that it has spent, outside of the kernel and in
// it. Linux counts it in hundredths of a second.
func (p *Process) Used() (user, system time.Duration, err error) {
	text, err := os.ReadFile(p.proc("stat"))
	if err != nil {
		return 0, 0, err
	}
	_, behind, _ := strings.Cut(string(text), ") ") // the name may hold anything
	fields := strings.Fields(behind)
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("%s: %d fields", p.proc("stat"), len(fields))
	}
	ticks := func(field string) time.Duration {
		n, parseErr := strconv.ParseInt(field, 10, 64)
		err = errors.Join(err, parseErr)
		return time.Duration(n) * 10 * time.Millisecond
	}
	return ticks(fields[11]), ticks(fields[12]), err
}

// Peak is the most memory that it has had since ForgetPeak, in MiB.
func (p *Process) Peak() (int, error) {
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

// ForgetPeak makes the next peak one of its own.
func (p *Process) ForgetPeak() error { return os.WriteFile(p.proc("clear_refs"), []byte("5"), 0) }

func (p *Process) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file)
}

// Load is the system's load of the last minute, where it tells one.
func Load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}
