package main

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/protocol"
)

// How long the command line waits for others.
const (
	acceptWithin = 20 * time.Second // a worker accepts at once; after a restart of one it takes up to 10 s
	lookEvery    = 500 * time.Millisecond
	lookRarely   = 2 * time.Second // where nobody watches progress
	repeats      = 5               // the SDK repeats each try for a minute by itself
	waitRepeat   = time.Second     // doubles

	passTimeout       = 3 * time.Hour
	activationTimeout = 4 * time.Hour // checks, then a dry run
	inspectTimeout    = 5 * time.Minute
	worklistTimeout   = 45 * time.Minute
)

// update asks StockSync for something and waits until it is done. What breaks
// the connection is repeated with the same update id, so that the repeat
// attaches to what the first try began.
func (c *connection) update(ctx context.Context, shop, name string, out any, args ...any) error {
	options := client.UpdateWorkflowOptions{
		UpdateID:     c.newID(),
		WorkflowID:   protocol.StockSyncID(shop),
		UpdateName:   name,
		Args:         args,
		WaitForStage: client.WorkflowUpdateStageAccepted,
	}
	var handle client.WorkflowUpdateHandle
	err := persist(ctx, func() error {
		accepting, cancel := context.WithTimeout(ctx, acceptWithin)
		defer cancel()
		var err error
		handle, err = c.UpdateWorkflow(accepting, options)
		if err != nil && accepting.Err() != nil && ctx.Err() == nil {
			return c.silence(shop, options.WorkflowID, err)
		}
		return err
	})
	if err == nil {
		err = persist(ctx, func() error { return handle.Get(ctx, out) })
	}
	if err != nil {
		return c.explain(shop, err)
	}
	return nil
}

// job is a workflow to be run and waited for.
type job struct {
	shop     string
	workflow string
	id       string
	in       any
	timeout  time.Duration
	private  bool // nobody else waits for it: it is cancelled when nobody waits any more
}

// execute runs a job and waits for its result; a job that runs already is
// waited for as well. Meanwhile it looks at the workflow every now and then: to
// show progress, and to tell when no worker is there to begin it.
func (c *connection) execute(ctx context.Context, j job, out any) error {
	if c.queueErr != nil {
		return c.queueErr
	}
	options := client.StartWorkflowOptions{
		ID:                       j.id,
		TaskQueue:                c.queue,
		WorkflowRunTimeout:       j.timeout,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
	var run client.WorkflowRun
	err := persist(ctx, func() (err error) {
		run, err = c.ExecuteWorkflow(ctx, options, j.workflow, j.in)
		return err
	})
	if err != nil {
		return c.explain(j.shop, err)
	}
	waiting, stop := context.WithCancelCause(ctx)
	end := c.follow(waiting, j.id, func() { stop(c.noWorker(j.shop, nil)) })
	err = persist(waiting, func() error { return run.Get(waiting, out) })
	left := waiting.Err() != nil
	stop(nil)
	end()
	if left && j.private {
		c.abandon(j.id, run.GetRunID())
	}
	if j.private && errors.Is(err, context.Canceled) {
		return c.wrap(j.shop, err, "Stopped.", "Nothing was written.")
	}
	if err != nil {
		return c.explain(j.shop, err)
	}
	return nil
}

// abandon cancels what nobody waits for any more. Where that fails, the work
// is done for nothing, and nothing else.
func (c *connection) abandon(workflowID, runID string) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	_ = c.CancelWorkflow(ctx, workflowID, runID)
}

// persist repeats what fails for want of a connection, or came at the wrong moment.
func persist(ctx context.Context, try func() error) error {
	wait := waitRepeat
	for attempt := 1; ; attempt++ {
		err := try()
		var known *problem
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &known), !noAnswer(err) && !betweenRuns(err), attempt == repeats:
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
			wait *= 2
		}
	}
}

// betweenRuns tells that an update met a StockSync that was about to give way to
// its next run, just when a signal came or its worker died.
func betweenRuns(err error) bool {
	var exhausted *serviceerror.ResourceExhausted
	busy := errors.As(err, &exhausted) && exhausted.Cause == enumspb.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
	return busy || errors.As(err, new(*serviceerror.WorkflowNotReady))
}

// follow shows the progress of a workflow on a terminal until end is called or
// the context is done. neglected, where it is given, is called when its first
// task waited for a worker for too long.
func (c *connection) follow(ctx context.Context, workflowID string, neglected func()) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		show, every := noBar, lookRarely
		if c.terminal {
			bar := newBar(c.screen)
			defer bar.stop()
			show, every = bar.show, lookEvery
		}
		c.look(ctx, workflowID, every, show, neglected)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (c *connection) look(ctx context.Context, workflowID string, every time.Duration, show func(progress), neglected func()) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var unstarted time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		seen, err := c.describe(ctx, workflowID)
		if err != nil {
			continue // whoever waits for the result hears of it
		}
		unstarted += every
		if neglected == nil || !neverStarted(seen) {
			unstarted = 0
		}
		if unstarted >= acceptWithin {
			neglected()
			return
		}
		if p, ok := c.observe(seen.GetPendingActivities()); ok {
			show(p)
		}
	}
}

// describe looks at a workflow, or at its child while it only waits for that.
func (c *connection) describe(ctx context.Context, workflowID string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	seen, err := c.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil || len(seen.GetPendingActivities()) > 0 || len(seen.GetPendingChildren()) == 0 {
		return seen, err
	}
	child, err := c.DescribeWorkflowExecution(ctx, seen.GetPendingChildren()[0].GetWorkflowId(), "")
	if err != nil {
		return seen, nil
	}
	return child, nil
}

// neverStarted tells that no worker has taken up any task of a workflow yet:
// its history is the start and the task that waits.
func neverStarted(seen *workflowservice.DescribeWorkflowExecutionResponse) bool {
	const startAndTask = 2
	return seen.GetWorkflowExecutionInfo().GetHistoryLength() <= startAndTask &&
		seen.GetPendingWorkflowTask().GetState() == enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
}
