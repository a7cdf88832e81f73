package soak

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/market"
	"github.com/skladom/skladom/standalone/internal/site"
)

// sideBySide is how many shops are asked at a time.
const sideBySide = 8

// heal ends all troubles and waits until every shop has had a pass since, by
// its own tick: nobody syncs, and a shop that was suspended goes on by itself.
// A pause that has an end ends by itself, too.
func (s *soak) heal() error {
	for _, shop := range s.market.Shops {
		shop.KROS.ClearFaults()
		shop.Fynode.ClearFaults()
	}
	healed := time.Now()
	for len(s.paused) > 0 {
		if err := s.resume(s.paused[0]); err != nil {
			return err
		}
	}
	return s.inStep(healed)
}

// inStep waits until every shop is active after a pass that began after healed.
func (s *soak) inStep(healed time.Time) error {
	ctx := s.context()
	waiting := lo.SliceToMap(s.market.Shops, func(shop *market.Shop) (string, bool) { return shop.Name, true })
	for {
		ready, err := s.ready(ctx, healed)
		if err != nil {
			return err
		}
		for _, name := range ready {
			status := s.status[name]
			if !waiting[name] {
				continue
			}
			if err := site.Query(ctx, s.client, name, protocol.QueryStatus, &status); err != nil {
				return err
			}
			if last := status.LastPass; status.State == protocol.StateActive && last.Result == protocol.ResultOK && last.StartedAt.After(healed) {
				s.status[name] = status
				delete(waiting, name)
			}
		}
		if len(waiting) == 0 {
			return nil
		}
		if !wait(ctx, *every/10) {
			return fmt.Errorf("wait for %d shops to be in step: %s", len(waiting), s.describe(lo.Keys(waiting)))
		}
	}
}

// ready are the shops that the fleet's list shows as active, with a success
// after healed. The pass may have begun before.
func (s *soak) ready(ctx context.Context, healed time.Time) ([]string, error) {
	request := &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000, Query: fmt.Sprintf(
		"WorkflowType = %q AND ExecutionStatus = 'Running' AND %s = %q AND %s > %q", protocol.StockSync,
		protocol.SearchState, protocol.StateActive, protocol.SearchLastSuccess, healed.UTC().Format(time.RFC3339Nano),
	)}
	var names []string
	for {
		page, err := s.client.ListWorkflow(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("list the shops that are in step: %w", err)
		}
		for _, e := range page.GetExecutions() {
			names = append(names, strings.TrimPrefix(e.GetExecution().GetWorkflowId(), protocol.StockSyncID("")))
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return names, nil
		}
	}
}

func (s *soak) describe(names []string) string {
	slices.Sort(names)
	return strings.Join(lo.Map(names[:min(len(names), 10)], func(name string, _ int) string {
		var status protocol.Status
		if err := site.Query(s.context(), s.client, name, protocol.QueryStatus, &status); err != nil {
			return fmt.Sprintf("%s (%v)", name, err)
		}
		return fmt.Sprintf("%s is %s since %+v, last pass %+v", name, status.State, lo.FromPtr(status.Reason), lo.FromPtr(status.LastPass))
	}), "\n  ")
}

// differences are where shops are not as they must be. Nothing moves in them.
func (s *soak) differences() ([]string, error) {
	var all []string
	for _, shop := range s.market.Shops {
		found, err := shop.Differences()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// samples is how often the worker is measured for one point: what it holds for
// a pass under way is not what is looked for, so the least counts.
const samples = 8

func (s *soak) measure() (p point, err error) {
	ctx := s.context()
	for i := range samples {
		m, err := s.worker.Measure(ctx)
		if err != nil {
			return p, err
		}
		if i == 0 {
			p.Measure = m
		}
		p.Heap, p.Goroutines = min(p.Heap, m.Heap), min(p.Goroutines, m.Goroutines)
		wait(ctx, 150*time.Millisecond)
	}
	p.passes = lo.SumBy(lo.Values(s.status), func(status protocol.Status) int64 { return status.LastPass.Pass })
	return p, nil
}

// rest pauses every shop and waits for its pass to end, so that nothing moves
// while all is judged.
func (s *soak) rest() error {
	return s.each(func(shop *market.Shop) error {
		ctx := s.context()
		var status protocol.Status
		if err := site.Update(ctx, s.client, shop.Name, protocol.UpdatePause, &status, protocol.PauseRequest{}); err != nil {
			return err
		}
		for {
			var now protocol.Recollection
			if err := site.Query(ctx, s.client, shop.Name, protocol.QueryMemory, &now); err != nil {
				return err
			}
			if !now.Busy {
				break
			}
			if !wait(ctx, 100*time.Millisecond) {
				return fmt.Errorf("wait for the last pass of %s: %w", shop.Name, context.Cause(ctx))
			}
		}
		err := site.Query(ctx, s.client, shop.Name, protocol.QueryStatus, &status)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.status[shop.Name] = status
		return err
	})
}

// judge says what became of all shops; they are at rest.
func (s *soak) judge() (wrong []string, err error) {
	err = s.each(func(shop *market.Shop) error {
		status := s.status[shop.Name]
		found, passes, err := market.Judge(s.context(), s.client, shop, status.LastPass.Pass, true)
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if sent := s.told[shop.Name]; status.Notifications.Count != sent {
			found = append(found, fmt.Sprintf("%s counted %d notifications of %d", shop.Name, status.Notifications.Count, sent))
		}
		wrong = append(wrong, found...)
		for _, p := range passes {
			s.results[string(lo.Ternary(p.Report.Failure == nil, protocol.Code(p.Report.Result), lo.FromPtr(p.Report.Failure).Code))]++
		}
		return nil
	})
	return wrong, err
}

// each asks all shops, some at a time. What do writes it locks; s.status is
// only read.
func (s *soak) each(do func(*market.Shop) error) error {
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for _, shop := range s.market.Shops {
		group.Go(func() error { return do(shop) })
	}
	return group.Wait()
}
