package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/api/enums/v1"

	"github.com/skladom/skladom/standalone/bench/internal/house"
)

// use is the processor time that was used up to a moment.
type use struct {
	at                     time.Time
	server, workers, sides time.Duration
	idle                   time.Duration // of all processors together
}

// Who uses processors, and that nobody does.
const (
	serverShare  = "server"
	workersShare = "workers"
	idleOnes     = "idle"
)

// share is what somebody used of one processor, and for each pass.
type share struct {
	who   string
	part  float64
	aPass time.Duration
}

// take is what has been used by now. What the measuring takes counts as the
// server's, with which it shares a process.
func (b *bench) take(workers []*house.Process) (u use, err error) {
	u.at = time.Now()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return use{}, err
	}
	u.server = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	for _, w := range workers {
		user, system, err := w.Used()
		if err != nil {
			return use{}, err
		}
		u.workers += user + system
	}
	user, system, err := b.sides.Used()
	if err != nil {
		return use{}, err
	}
	u.sides = user + system
	u.idle, err = idle()
	return u, err
}

// idle is how long processors have had nothing to do, or waited for a disk.
func idle() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 6 || fields[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat: begins with %.40q", text)
	}
	idle, err := strconv.ParseInt(fields[4], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	waiting, err := strconv.ParseInt(fields[5], 10, 64)
	return time.Duration(idle+waiting) * 10 * time.Millisecond, err
}

func (u use) since(before use, passes int64) []share {
	took := u.at.Sub(before.at)
	of := func(who string, d time.Duration) share {
		return share{who: who, part: d.Seconds() / took.Seconds(), aPass: d / time.Duration(max(passes, 1))}
	}
	return []share{
		of(serverShare, u.server-before.server), of(workersShare, u.workers-before.workers),
		of("simulators", u.sides-before.sides), of(idleOnes, u.idle-before.idle),
	}
}

// polled returns when so many workers ask for work.
func (b *bench) polled(ctx context.Context, workers int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		described, err := b.house.Client.DescribeTaskQueue(ctx, house.Queue, enums.TASK_QUEUE_TYPE_ACTIVITY)
		if err != nil {
			return fmt.Errorf("wait for %d workers: %w", workers, err)
		}
		who := map[string]bool{}
		for _, poller := range described.GetPollers() {
			if time.Since(poller.GetLastAccessTime().AsTime()) < time.Minute {
				who[poller.GetIdentity()] = true
			}
		}
		if len(who) >= workers {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %d workers: there are %d", workers, len(who))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
