package market

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/samber/lo"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/site"
)

// Pass is a run of SyncPass.
type Pass struct {
	Began, Ended time.Time
	Report       protocol.Report // of one that ended with a result
	Trouble      error           // of one that did not
}

// Passes are the writing passes of a shop that have ended, oldest first. It
// waits until the last one is among them.
func Passes(ctx context.Context, c client.Client, shop *Shop, last int64) ([]Pass, error) {
	for {
		passes, err := listPasses(ctx, c, shop)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(passes, func(p Pass) bool { return p.Report.Pass == last }) {
			return passes, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return nil, fmt.Errorf("wait for pass %d of %s to be listed: %w", last, shop.Name, err)
		}
	}
}

func listPasses(ctx context.Context, c client.Client, shop *Shop) (passes []Pass, err error) {
	request := &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 1000,
		Query:    fmt.Sprintf("WorkflowId = %q AND ExecutionStatus != 'Running'", protocol.SyncPassID(shop.Name)),
	}
	for {
		page, err := c.ListWorkflow(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("list the passes of %s: %w", shop.Name, err)
		}
		for _, e := range page.GetExecutions() {
			p := Pass{Began: e.GetStartTime().AsTime(), Ended: e.GetCloseTime().AsTime()}
			p.Trouble = c.GetWorkflow(ctx, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId()).Get(ctx, &p.Report)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			passes = append(passes, p)
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			break
		}
	}
	slices.SortFunc(passes, func(a, b Pass) int { return a.Began.Compare(b.Began) })
	return passes, nil
}

// Judge says what is wrong with what became of a shop: quantities, passes that
// do not add up or did not end as they should, and writers side by side. The
// shop is to be in step, after a pass of the number last.
func Judge(ctx context.Context, c client.Client, shop *Shop, last int64, mayFail bool) (wrong []string, passes []Pass, err error) {
	if wrong, err = shop.Differences(); err != nil {
		return nil, nil, err
	}
	if passes, err = Passes(ctx, c, shop, last); err != nil {
		return nil, nil, err
	}
	complain := func(format string, args ...any) {
		wrong = append(wrong, shop.Name+": "+fmt.Sprintf(format, args...))
	}
	items := shop.Items()
	for _, p := range passes {
		r := p.Report
		switch sum := r.Updated + r.Unchanged + r.Unmatched + r.Ambiguous + r.Skipped + r.Rejected + r.Held; {
		case p.Trouble != nil:
			complain("a pass ended without a report: %v", p.Trouble)
		case r.Result != protocol.ResultOK && !mayFail:
			complain("pass %d ended %s: %s", r.Pass, r.Result, lo.FromPtr(r.Failure).Message)
		case sum != r.KrosItems:
			complain("pass %d: the outcomes are %d and krosItems %d", r.Pass, sum, r.KrosItems)
		case r.Result == protocol.ResultOK && r.KrosItems != items:
			complain("pass %d: krosItems is %d, KROS has %d", r.Pass, r.KrosItems, items)
		}
	}
	for _, text := range secondWriters(shop.Writings(), passes) {
		complain("%s", text)
	}
	return wrong, passes, nil
}

// secondWriters finds two writers for a shop: requests side by side, passes side
// by side, a request outside of every pass, and a batch that two passes sent.
func secondWriters(writes []Writing, passes []Pass) (found []string) {
	for i := 1; i < len(passes); i++ {
		if passes[i].Began.Before(passes[i-1].Ended) {
			found = append(found, fmt.Sprintf("passes %d and %d ran at the same time", passes[i-1].Report.Pass, passes[i].Report.Pass))
		}
	}
	slices.SortStableFunc(writes, func(a, b Writing) int { return a.Began.Compare(b.Began) })
	sender := map[string]int{}
	for i, w := range writes {
		if i > 0 && (writes[i-1].Ended.IsZero() || w.Began.Before(writes[i-1].Ended)) {
			found = append(found, fmt.Sprintf("two requests wrote at the same time, %s and %s", writes[i-1].Key, w.Key))
		}
		at := slices.IndexFunc(passes, func(p Pass) bool { return !w.Began.Before(p.Began) && !w.Began.After(p.Ended) })
		if at < 0 {
			found = append(found, fmt.Sprintf("request %s wrote at %s, when no pass ran", w.Key, w.Began))
			continue
		}
		if before, known := sender[w.Key]; known && before != at {
			found = append(found, fmt.Sprintf("request %s was sent by two passes, %d and %d", w.Key, passes[before].Report.Pass, passes[at].Report.Pass))
		}
		sender[w.Key] = at
	}
	return found
}

// Activate begins to activate a shop and returns how to wait for it: until its
// first pass has ended. From then on customers buy.
func Activate(ctx context.Context, c client.Client, queue string, shop *Shop) (wait func(context.Context) error, err error) {
	var run client.WorkflowRun
	err = site.Persist(ctx, func() error {
		run, err = c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID: protocol.ActivateID(shop.Name), TaskQueue: queue,
			WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		}, protocol.ActivateConnection, protocol.ActivateRequest{Shop: shop.Name})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("activate %s: %w", shop.Name, err)
	}
	return func(ctx context.Context) error {
		var activation protocol.Activation
		if err := site.Persist(ctx, func() error { return run.Get(ctx, &activation) }); err != nil {
			return fmt.Errorf("activate %s: %w", shop.Name, err)
		}
		if activation.Failure != nil {
			return fmt.Errorf("activate %s: %s", shop.Name, activation.Failure.Message)
		}
		var first protocol.Report
		if err := site.Update(ctx, c, shop.Name, protocol.UpdateSync, &first, protocol.SyncRequest{Activation: activation.ID}); err != nil {
			return err
		}
		if first.Result != protocol.ResultOK {
			return fmt.Errorf("the first pass of %s ended %s: %s", shop.Name, first.Result, lo.FromPtr(first.Failure).Message)
		}
		shop.Open()
		return nil
	}, nil
}

// Sync is a pass by hand, begun after it was asked for.
func Sync(ctx context.Context, c client.Client, shop *Shop) (report protocol.Report, err error) {
	err = site.Update(ctx, c, shop.Name, protocol.UpdateSync, &report, protocol.SyncRequest{})
	return report, err
}

// Signal is one notification of KROS, and does not wait for its pass.
func Signal(ctx context.Context, c client.Client, shop *Shop) error {
	return signal(ctx, c, shop, protocol.SignalNotification)
}

// SyncNow asks for a pass as a Temporal Schedule does, and does not wait for it.
func SyncNow(ctx context.Context, c client.Client, shop *Shop) error {
	return signal(ctx, c, shop, protocol.SignalSyncNow)
}

// signal sends one signal, however often it is to be repeated: all tries have
// one id, since signals are counted.
func signal(ctx context.Context, c client.Client, shop *Shop, name string) error {
	request := &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, WorkflowExecution: &common.WorkflowExecution{WorkflowId: protocol.StockSyncID(shop.Name)},
		SignalName: name, RequestId: uuid.NewString(), Identity: "market",
	}
	return site.Persist(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, signalTimeout)
		defer cancel()
		_, err := c.WorkflowService().SignalWorkflowExecution(ctx, request)
		return err
	})
}

// signalTimeout is how long Temporal may take to accept a signal.
const signalTimeout = 10 * time.Second

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
