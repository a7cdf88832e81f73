package process

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// NoLimit lets files grow again.
const NoLimit = uint64(unix.RLIM_INFINITY)

// LimitFiles has the kernel refuse whatever the process writes to a file beyond
// so many bytes, as a disk does that is full. The process's log is to be no file
// then.
func (p *Process) LimitFiles(bytes uint64) error {
	pid := p.cmd.Process.Pid
	var old unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &old); err != nil {
		return fmt.Errorf("read the limits of process %d: %w", pid, err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: old.Max}, nil); err != nil {
		return fmt.Errorf("limit the files of process %d to %d bytes: %w", pid, bytes, err)
	}
	return nil
}
