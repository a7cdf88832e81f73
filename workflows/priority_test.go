package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/protocol"
)

// queue sees what workflows ask for, and with what priority: "type:priority".
type queue struct {
	interceptor.WorkerInterceptorBase
	children, activities []string
}

func askedOf(env *testsuite.TestWorkflowEnvironment) *queue {
	q := &queue{}
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute, Interceptors: []interceptor.WorkerInterceptor{q}})
	return q
}

func (q *queue) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &queueEntry{interceptor.WorkflowInboundInterceptorBase{Next: next}, q}
}

type queueEntry struct {
	interceptor.WorkflowInboundInterceptorBase
	queue *queue
}

func (e *queueEntry) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return e.Next.Init(&queued{interceptor.WorkflowOutboundInterceptorBase{Next: next}, e.queue})
}

type queued struct {
	interceptor.WorkflowOutboundInterceptorBase
	queue *queue
}

func (q *queued) ExecuteChildWorkflow(ctx workflow.Context, name string, args ...any) workflow.ChildWorkflowFuture {
	q.queue.children = append(q.queue.children, fmt.Sprintf("%s:%d", name, workflow.GetChildWorkflowOptions(ctx).Priority.PriorityKey))
	return q.Next.ExecuteChildWorkflow(ctx, name, args...)
}

func (q *queued) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	q.queue.activities = append(q.queue.activities, fmt.Sprintf("%s:%d", name, workflow.GetActivityOptions(ctx).Priority.PriorityKey))
	return q.Next.ExecuteActivity(ctx, name, args...)
}

func TestAPassHasThePriorityOfItsTrigger(t *testing.T) {
	w := newWorld(t)
	q := askedOf(w.env)
	w.rollbacks(undoes)
	w.pass = holding(protocol.TooManyZeroed, "h1")
	w.notifyAt(time.Minute)
	w.syncAt(2 * time.Minute)
	w.approveAt(31*time.Minute, "h1")
	w.rollbackAt(32*time.Minute, 0)
	state := running()
	state.Activation = &protocol.Activated{ID: "a", ShopID: shopID}
	w.runUntil(40*time.Minute, state)
	require.Equal(t, []string{"activation@0s", "notification@1m0s", "manual@2m0s", "schedule@30m0s", "approval@31m0s", "rollback@32m0s"}, w.passes)
	require.Equal(t, []string{"SyncPass:4", "SyncPass:1", "SyncPass:2", "SyncPass:3", "SyncPass:2", "Rollback:2"}, q.children)
}

func TestTheActivitiesOfAPassHaveItsPriority(t *testing.T) {
	for trigger, key := range map[protocol.Trigger]int{
		protocol.TriggerNotification: 1, protocol.TriggerManual: 2, protocol.TriggerApproval: 2,
		protocol.TriggerSchedule: 3, protocol.TriggerActivation: 4,
	} {
		s := newShift(t)
		q := askedOf(s.env)
		r := request()
		r.Trigger = trigger
		s.run(r)
		require.Equal(t, prioritized(key, "FetchStock", "MatchProducts", "UpdateStock"), q.activities, trigger)
	}
}

func prioritized(key int, names ...string) []string {
	for i, name := range names {
		names[i] = fmt.Sprintf("%s:%d", name, key)
	}
	return names
}

// Whoever starts it need not know of priorities.
func TestADryRunIsOutOfTheWayOfPasses(t *testing.T) {
	s := newShift(t)
	q := askedOf(s.env)
	r := request()
	r.DryRun, r.Trigger = true, protocol.TriggerManual
	_, err := s.byHand(r)
	require.NoError(t, err)
	require.Equal(t, prioritized(4, "FetchStock", "MatchProducts"), q.activities)
}

func TestAProbeIsAsUrgentAsWhatAsksForIt(t *testing.T) {
	w := newWorld(t)
	q := askedOf(w.env)
	w.checkShop = func() (protocol.ShopIdentity, error) {
		return protocol.ShopIdentity{}, refused(protocol.ShopKeyInvalid)
	}
	w.syncAt(time.Minute)
	w.runUntil(every+time.Minute, suspended())
	require.Equal(t, append(prioritized(2, "CheckKROS", "CheckShop"), prioritized(3, "CheckKROS", "CheckShop")...), q.activities)
}

// The StockSync that an activation begins lives for years.
func TestStockSyncDoesNotHaveThePriorityOfItsActivation(t *testing.T) {
	d := newDesk(t)
	q := askedOf(d.env)
	d.activate(false)
	require.Equal(t, []string{"SyncPass:4", "StockSync:1"}, q.children)
	require.Equal(t, prioritized(4, "RecallMemory", "CheckKROS"), q.activities)
}
