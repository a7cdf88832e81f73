package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
)

// heartbeatEvery is below the time-out of 20 s and no more often than it must
// be: every heartbeat is a billable action.
const heartbeatEvery = 16 * time.Second

// pulse heartbeats the progress of a long activity. It beats by itself, since
// one answer of KROS may take 180 s.
type pulse struct {
	mu       sync.Mutex
	progress any // protocol.Progress, or more than that
}

// beat begins to heartbeat: at once, then every 16 s until end is called. The
// context it returns is cancelled when the worker begins to stop, so that
// another worker can go on at once.
func beat(ctx context.Context, begin any) (_ context.Context, p *pulse, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	p = &pulse{progress: begin}
	activity.RecordHeartbeat(ctx, begin)
	var done sync.WaitGroup
	done.Go(func() { p.run(ctx, cancel, activity.GetWorkerStopChannel(ctx)) })
	return ctx, p, func() {
		cancel()
		done.Wait()
	}
}

func (p *pulse) run(ctx context.Context, cancel context.CancelFunc, stop <-chan struct{}) {
	ticker := time.NewTicker(heartbeatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-stop:
			cancel()
			return
		case <-ticker.C:
			activity.RecordHeartbeat(ctx, p.now())
		}
	}
}

func (p *pulse) now() any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// at notes how far the activity is.
func (p *pulse) at(progress any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress = progress
}
