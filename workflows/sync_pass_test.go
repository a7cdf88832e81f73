package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
	"github.com/skladom/skladom/workflows"
)

// shift is what one pass meets: the activities, each scripted by a list of
// what it does call after call; the last entry stays in force.
type shift struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment

	fetch  []func(protocol.FetchRequest) (protocol.Fetched, error)
	match  []func(protocol.MatchRequest) (protocol.Matched, error)
	write  []func(protocol.UpdateRequest) (protocol.Written, error)
	replan []func(protocol.ReplanRequest) (protocol.Ref, error)

	calls   []string
	fetches []protocol.FetchRequest
	matches []protocol.MatchRequest
	writes  []protocol.UpdateRequest
	replans []protocol.ReplanRequest
}

func newShift(t *testing.T) *shift {
	t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	s := &shift{t: t, env: suite.NewTestWorkflowEnvironment()}
	s.env.SetStartTime(begin)
	s.env.SetTestTimeout(time.Minute)
	s.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	s.fetch = append(s.fetch, func(protocol.FetchRequest) (protocol.Fetched, error) { return s.fetched(), nil })
	s.match = append(s.match, func(r protocol.MatchRequest) (protocol.Matched, error) { return matched(4), nil })
	s.write = append(s.write, func(protocol.UpdateRequest) (protocol.Written, error) { return written(4), nil })
	s.replan = append(s.replan, func(protocol.ReplanRequest) (protocol.Ref, error) { return ref("again"), nil })

	s.env.RegisterWorkflowWithOptions(workflows.SyncPass, workflow.RegisterOptions{Name: protocol.SyncPass})
	s.env.RegisterWorkflowWithOptions(asStockSync, workflow.RegisterOptions{Name: "parent"})
	s.activity("LoadSettings", func(_ context.Context, r protocol.LoadRequest) (protocol.Loaded, error) { return loaded(r.After), nil })
	s.activity("FetchStock", func(_ context.Context, r protocol.FetchRequest) (protocol.Fetched, error) {
		s.fetches = append(s.fetches, r)
		return next(s, "fetch", &s.fetch)(r)
	})
	s.activity("MatchProducts", func(_ context.Context, r protocol.MatchRequest) (protocol.Matched, error) {
		s.matches = append(s.matches, r)
		return next(s, "match", &s.match)(r)
	})
	s.activity("UpdateStock", func(_ context.Context, r protocol.UpdateRequest) (protocol.Written, error) {
		s.writes = append(s.writes, r)
		return next(s, "write", &s.write)(r)
	})
	s.activity("ReplanConflicts", func(_ context.Context, r protocol.ReplanRequest) (protocol.Replanned, error) {
		s.replans = append(s.replans, r)
		plan, err := next(s, "replan", &s.replan)(r)
		return protocol.Replanned{Plan: plan}, err
	})
	return s
}

func next[F any](s *shift, name string, script *[]F) F {
	s.calls = append(s.calls, name)
	do := (*script)[0]
	if len(*script) > 1 {
		*script = (*script)[1:]
	}
	return do
}

func (s *shift) activity(name string, run any) {
	s.env.RegisterActivityWithOptions(run, activity.RegisterOptions{Name: name})
}

// asStockSync runs a pass as the only one who may.
func asStockSync(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: protocol.SyncPassID(r.Shop), WaitForCancellation: true})
	var result protocol.PassResult
	err := workflow.ExecuteChildWorkflow(ctx, protocol.SyncPass, r).Get(ctx, &result)
	return result, err
}

// run is a writing pass.
func (s *shift) run(r protocol.PassRequest) protocol.PassResult {
	s.t.Helper()
	result, err := s.try(r)
	require.NoError(s.t, err)
	return result
}

func (s *shift) try(r protocol.PassRequest) (protocol.PassResult, error) {
	s.t.Helper()
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: protocol.StockSyncID(acme), TaskQueue: "skladom"})
	return s.execute("parent", r)
}

// byHand is a pass that somebody started.
func (s *shift) byHand(r protocol.PassRequest) (protocol.PassResult, error) {
	s.t.Helper()
	return s.execute(protocol.SyncPass, r)
}

func (s *shift) execute(name string, r protocol.PassRequest) (protocol.PassResult, error) {
	s.t.Helper()
	s.env.ExecuteWorkflow(name, r)
	require.True(s.t, s.env.IsWorkflowCompleted())
	if err := s.env.GetWorkflowError(); err != nil {
		return protocol.PassResult{}, err
	}
	var result protocol.PassResult
	require.NoError(s.t, s.env.GetWorkflowResult(&result))
	addsUp(s.t, result.Report)
	return result, nil
}

func addsUp(t *testing.T, r protocol.Report) {
	t.Helper()
	c := r.Counts
	require.Equal(t, c.KrosItems, c.Updated+c.Unchanged+c.Unmatched+c.Ambiguous+c.Skipped+c.Rejected+c.Held, "%+v", c)
	require.GreaterOrEqual(t, c.Held, 0)
	require.NotNil(t, r.Warnings, "JSON shows a list")
	require.NotNil(t, r.Samples)
}

func ref(key string) protocol.Ref { return protocol.Ref{Bucket: "b", Key: key, SHA256: key, Rows: 10} }

func (s *shift) fetched() protocol.Fetched {
	return protocol.Fetched{LastPass: 6, Memory: request().Memory, Catalogue: protocol.Catalogue{
		Ref: ref(fmt.Sprintf("sweep %d", len(s.fetches))), TakenAt: s.env.Now(), Items: 10, Requests: 3, Complete: true,
	}}
}

// matched is a plan that changes some of ten items.
func matched(updates int) protocol.Matched {
	return protocol.Matched{
		Plan: ref("plan"), Hash: "h", ShopID: shopID, Writes: updates, Products: 8,
		Counts: stock.Counts{KrosItems: 10, Updated: updates, Unchanged: 8 - updates, Unmatched: 2, Products: 8, Raised: updates - 1, Lowered: 1},
	}
}

// written is what became of it.
func written(updates int) protocol.Written {
	w := protocol.Written{Receipts: []protocol.Ref{ref("receipt")}, Counts: matched(updates).Counts}
	return w
}

func request() protocol.PassRequest {
	return protocol.PassRequest{
		Shop: acme, Pass: 7, Trigger: protocol.TriggerManual, Settings: loaded(begin).Settings, SettingsHash: hash,
		Connection: address, ShopID: shopID,
		Memory: protocol.Memory{Baseline: ref("old sweep"), Ledger: ref("old plan"), Products: 8, Pass: 6},
	}
}

func fails[R, V any](err error) func(R) (V, error) {
	return func(R) (V, error) {
		var none V
		return none, err
	}
}

func TestAPassFetchesMatchesAndWrites(t *testing.T) {
	s := newShift(t)
	result := s.run(request())
	require.Equal(t, []string{"fetch", "match", "write"}, s.calls)
	require.Equal(t, protocol.ResultOK, result.Result)
	require.Nil(t, result.Failure)
	require.Equal(t, written(4).Counts, result.Counts)
	require.Equal(t, "h", result.PlanHash)
	require.Equal(t, hash, result.SettingsHash)
	require.Equal(t, 3, result.KrosRequests)
	require.Equal(t, shopID, result.ShopID)
	require.Equal(t, int64(6), result.LastPass)
	require.Empty(t, result.Warnings)
	require.Equal(t, protocol.Memory{Baseline: ref("sweep 1"), Ledger: ref("plan"), Receipts: []protocol.Ref{ref("receipt")}, Products: 8, Pass: 7, ReadAt: begin, SweptAt: begin}, result.Memory, "accepted")

	require.Empty(t, cmp.Diff(protocol.FetchRequest{
		Shop: acme, Pass: 7, Connection: address, Settings: request().Settings.Terms().ToRead(), Memory: request().Memory, Brief: true,
	}, s.fetches[0]))
	require.Empty(t, cmp.Diff(protocol.MatchRequest{
		Shop: acme, Pass: 7, Connection: address, Settings: request().Settings.Terms(), ShopID: shopID, Memory: request().Memory.Compared(), Catalogue: s.matches[0].Catalogue,
	}, s.matches[0]))
	require.Equal(t, ref("sweep 1"), s.matches[0].Catalogue.Ref)
	require.Nil(t, result.Catalogue, "which is the baseline now")
	require.Equal(t, protocol.UpdateRequest{
		Shop: acme, Pass: 7, Connection: address, Plan: ref("plan"), TakenAt: begin, Brief: true,
	}, s.writes[0])
}

func TestAWriteThatFoundNoOtherSamplesLeavesThoseOfThePlan(t *testing.T) {
	planned := stock.Samples{"unmatched": {{Item: "A-4"}}}
	s := newShift(t)
	s.match[0] = func(protocol.MatchRequest) (protocol.Matched, error) {
		m := matched(4)
		m.Samples = planned
		return m, nil
	}
	s.write[0] = func(protocol.UpdateRequest) (protocol.Written, error) {
		w := written(4)
		w.Samples, w.Conflicts = stock.Samples{"rejected": {{Item: "A-2"}}}, 1
		return w, nil
	}
	s.write = append(s.write, func(protocol.UpdateRequest) (protocol.Written, error) {
		w := written(4)
		w.AsPlanned = true
		return w, nil
	})
	result := s.run(request())
	require.Equal(t, []string{"fetch", "match", "write", "replan", "write"}, s.calls)
	require.Equal(t, planned, result.Samples, "not those of the write before")
}

func TestAFetchIsGivenTheRulesWhereMissingItemsAreWrittenToZero(t *testing.T) {
	for missing, want := range map[stock.Missing]stock.Rules{
		stock.MissingZero: {Match: stock.ByEAN, Missing: stock.MissingZero},
		stock.MissingKeep: {},
	} {
		s := newShift(t)
		r := request()
		r.Settings.Rules = stock.Rules{Match: stock.ByEAN, Missing: missing}
		s.run(r)
		require.Empty(t, cmp.Diff(want, s.fetches[0].Settings.Rules))
		require.Empty(t, cmp.Diff(r.Settings.Rules, s.matches[0].Settings.Rules))
	}
}

// Samples are mostly those of the report before, which its StockSync has.
func TestKnownSamplesTravelInNoResult(t *testing.T) {
	known := func(protocol.MatchRequest) (protocol.Matched, error) {
		m := matched(4)
		m.SamplesKnown = true
		return m, nil
	}
	r := request()
	r.SamplesHash, r.Last = "s", &protocol.Ended{}
	recording := func(s *shift) *[]protocol.RecordRequest {
		records := &[]protocol.RecordRequest{}
		s.activity("RecordPass", func(_ context.Context, r protocol.RecordRequest) error {
			*records = append(*records, r)
			return nil
		})
		return records
	}
	t.Run("which the plan has", func(t *testing.T) {
		s := newShift(t)
		records := recording(s)
		s.match[0] = known
		s.write[0] = func(protocol.UpdateRequest) (protocol.Written, error) {
			w := written(4)
			w.AsPlanned = true
			return w, nil
		}
		result := s.run(r)
		require.Equal(t, "s", s.matches[0].SamplesHash)
		require.True(t, result.SamplesKnown)
		require.Empty(t, result.Samples)
		require.Len(t, *records, 1)
		require.True(t, (*records)[0].SamplesOfPlan, "a record has them all the same")
	})
	t.Run("which the plan has, and the write not any more", func(t *testing.T) {
		s := newShift(t)
		records := recording(s)
		s.match[0] = known
		s.write[0] = func(protocol.UpdateRequest) (protocol.Written, error) {
			w := written(4)
			w.Samples = stock.Samples{"rejected": {{Item: "A-2"}}}
			return w, nil
		}
		result := s.run(r)
		require.False(t, result.SamplesKnown)
		require.Equal(t, stock.Samples{"rejected": {{Item: "A-2"}}}, result.Samples)
		require.False(t, (*records)[0].SamplesOfPlan)
	})
}

func TestAPassThatChangesNothingWritesNothing(t *testing.T) {
	s := newShift(t)
	s.match[0] = func(protocol.MatchRequest) (protocol.Matched, error) { return matched(0), nil }
	result := s.run(request())
	require.Equal(t, []string{"fetch", "match"}, s.calls)
	require.Equal(t, protocol.Memory{Baseline: ref("sweep 1"), Ledger: ref("plan"), Products: 8, Pass: 7, ReadAt: begin, SweptAt: begin}, result.Memory,
		"what it saw sold is in the ledger, else it were seen for the first time again and again")

	first := newShift(t)
	first.match[0] = s.match[0]
	fresh := request()
	fresh.Memory = protocol.Memory{}
	first.fetch[0] = func(protocol.FetchRequest) (protocol.Fetched, error) {
		f := first.fetched()
		f.Memory = protocol.Memory{}
		return f, nil
	}
	require.Equal(t, ref("plan"), first.run(fresh).Memory.Ledger, "or the first one of all")
}

func TestAForgottenMemoryStaysForgotten(t *testing.T) {
	s := newShift(t)
	s.match[0] = func(r protocol.MatchRequest) (protocol.Matched, error) {
		require.Equal(t, protocol.Memory{}, r.Memory)
		return matched(0), nil
	}
	s.fetch[0] = func(protocol.FetchRequest) (protocol.Fetched, error) {
		f := s.fetched()
		f.Memory = protocol.Memory{}
		return f, nil
	}
	require.Equal(t, protocol.Memory{Baseline: ref("sweep 1"), Ledger: ref("plan"), Products: 8, Pass: 7, ReadAt: begin, SweptAt: begin}, s.run(request()).Memory,
		"a ledger that is gone would make every pass a first one")
}

func TestADryRunStopsBeforeItWrites(t *testing.T) {
	for _, byHand := range []bool{false, true} {
		s := newShift(t)
		recalled := 0
		s.activity("RecallMemory", func(_ context.Context, shop string) (protocol.Recollection, error) {
			recalled++
			require.Equal(t, acme, shop)
			return protocol.Recollection{Running: true, ShopID: shopID, Memory: request().Memory, Busy: true}, nil
		})
		r := request()
		r.DryRun, r.Pass, r.Findings, r.Accept = true, 0, true, true
		if byHand {
			r = protocol.PassRequest{Shop: acme, DryRun: true, Trigger: protocol.TriggerManual}
		}
		result, err := s.byHand(r)
		require.NoError(t, err)
		require.Equal(t, []string{"fetch", "match"}, s.calls)
		require.True(t, result.DryRun)
		require.Equal(t, matched(4).Counts, result.Counts, "what a run would do")
		require.Equal(t, request().Memory, result.Memory, "nothing is accepted")
		require.Equal(t, hash, result.SettingsHash)
		require.Equal(t, byHand, recalled == 1)
		require.Equal(t, byHand, slices.Contains(result.Warnings, message.PassRuns))
		require.True(t, s.fetches[0].DryRun)
		require.True(t, s.matches[0].DryRun)
		require.Equal(t, shopID, s.matches[0].ShopID)
		require.Equal(t, !byHand, s.matches[0].Accept)
		require.Equal(t, !byHand, s.matches[0].Findings)
		require.Equal(t, request().Memory, s.fetches[0].Memory)
		require.Equal(t, address, s.fetches[0].Connection)
	}
}

func TestADryRunWithoutSettingsFails(t *testing.T) {
	s := newShift(t)
	s.activity("LoadSettings", func(_ context.Context, r protocol.LoadRequest) (protocol.Loaded, error) {
		return unusable(protocol.ConfigMissing)(r), nil
	})
	result, err := s.byHand(protocol.PassRequest{Shop: acme, DryRun: true})
	require.NoError(t, err)
	require.Equal(t, protocol.ConfigMissing, result.Failure.Code)
	require.Empty(t, s.calls)
}

func TestOnlyStockSyncStartsAPassThatWrites(t *testing.T) {
	s := newShift(t)
	_, err := s.byHand(request())
	require.ErrorContains(t, err, "skladom sync acme")
	require.Empty(t, s.calls)

	s = newShift(t)
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: protocol.StockSyncID("other"), TaskQueue: "skladom"})
	_, err = s.execute("parent", request())
	require.ErrorContains(t, err, "skladom sync acme")
}

func TestTheSweepOfAnActivationIsUsedWhileItIsFresh(t *testing.T) {
	for _, test := range []struct {
		age  time.Duration
		want []string
	}{
		{14*time.Minute + 59*time.Second, []string{"match", "write"}},
		{15 * time.Minute, []string{"fetch", "match", "write"}},
	} {
		s := newShift(t)
		r := request()
		r.Catalogue = &protocol.Catalogue{Ref: ref("shown"), TakenAt: begin.Add(-test.age), Items: 10, Complete: true}
		result := s.run(r)
		require.Equal(t, test.want, s.calls)
		require.Equal(t, len(test.want) == 2, result.Memory.Baseline == ref("shown"))
		require.Equal(t, result.Memory.ReadAt, s.writes[0].TakenAt)
	}
}

func TestDoubtWritesNothing(t *testing.T) {
	for _, test := range []struct {
		code   protocol.Code
		held   bool
		result protocol.Result
	}{
		{protocol.CatalogueChanged, true, protocol.ResultHeld},
		{protocol.WarehouseUnknown, false, protocol.ResultFailed},
		{protocol.ProductsMissing, false, protocol.ResultFailed},
		{protocol.KrosNoStock, false, protocol.ResultFailed},
	} {
		t.Run(string(test.code), func(t *testing.T) {
			s := newShift(t)
			failure := message.Failure(test.code, message.Params{Shop: acme, Seen: 1, Expected: 10})
			s.match[0] = func(protocol.MatchRequest) (protocol.Matched, error) {
				return protocol.Matched{Doubt: failure, Held: test.held, Counts: stock.Counts{KrosItems: 10}, Warnings: []string{"a warehouse"}}, nil
			}
			result := s.run(request())
			require.Equal(t, []string{"fetch", "match"}, s.calls)
			require.Equal(t, test.result, result.Result)
			require.Equal(t, failure, result.Failure)
			require.Equal(t, stock.Counts{KrosItems: 10, Held: 10}, result.Counts)
			require.Equal(t, []string{"a warehouse"}, result.Warnings)
			require.Equal(t, request().Memory, result.Memory, "the baseline stays")
		})
	}
}

func TestAnIncompleteSweepIsToldAndUsed(t *testing.T) {
	s := newShift(t)
	s.fetch[0] = func(protocol.FetchRequest) (protocol.Fetched, error) {
		f := s.fetched()
		f.Catalogue.Complete = false
		return f, nil
	}
	result := s.run(request())
	require.Equal(t, []string{message.SweepIncomplete}, result.Warnings)
	require.Equal(t, protocol.ResultOK, result.Result)
}

func TestAnotherProgramThatSharesTheLimitsIsToldOf(t *testing.T) {
	for times, want := range map[int][]string{0: {}, 1: {message.KrosShared(1)}, 3: {message.KrosShared(3)}} {
		s := newShift(t)
		s.fetch[0] = func(protocol.FetchRequest) (protocol.Fetched, error) {
			f := s.fetched()
			f.Catalogue.Throttled = times
			return f, nil
		}
		require.Equal(t, want, s.run(request()).Warnings)
	}
}

func conflicting(n int) func(protocol.UpdateRequest) (protocol.Written, error) {
	return func(protocol.UpdateRequest) (protocol.Written, error) {
		w := written(4)
		w.Conflicts = n
		w.Counts.Updated, w.Counts.Rejected = 3, 1
		return w, nil
	}
}

func TestConflictsArePlannedAgainOnce(t *testing.T) {
	t.Run("and end well", func(t *testing.T) {
		s := newShift(t)
		s.write = append([]func(protocol.UpdateRequest) (protocol.Written, error){conflicting(1)}, s.write...)
		result := s.run(request())
		require.Equal(t, []string{"fetch", "match", "write", "replan", "write"}, s.calls)
		require.Equal(t, written(4).Counts, result.Counts)
		require.Equal(t, []protocol.Ref{ref("receipt")}, s.replans[0].Receipts)
		require.Equal(t, ref("plan"), s.writes[1].Plan)
		require.Equal(t, ref("again"), s.writes[1].Writes)
		require.Equal(t, []protocol.Ref{ref("receipt")}, s.writes[1].Receipts, "the counts are those of the whole pass")
		require.Len(t, result.Memory.Receipts, 2)
	})
	t.Run("a second one is left to the next pass", func(t *testing.T) {
		s := newShift(t)
		s.write[0] = conflicting(1)
		result := s.run(request())
		require.Equal(t, []string{"fetch", "match", "write", "replan", "write"}, s.calls)
		require.Equal(t, protocol.ResultOK, result.Result)
		require.Equal(t, 1, result.Rejected)
		require.Equal(t, int64(7), result.Memory.Pass)
	})
	t.Run("or not, where the e-shop does not answer any more", func(t *testing.T) {
		s := newShift(t)
		s.write[0] = conflicting(1)
		s.replan[0] = fails[protocol.ReplanRequest, protocol.Ref](refused(protocol.ShopUnavailable))
		result := s.run(request())
		require.Equal(t, protocol.ShopUnavailable, result.Failure.Code)
		require.Equal(t, 3, result.Updated, "what was written is told")
		require.Equal(t, ref("plan"), result.Memory.Ledger)
		require.Equal(t, ref("old sweep"), result.Memory.Baseline)
	})
}

func staleAfter(receipts ...protocol.Ref) func(protocol.UpdateRequest) (protocol.Written, error) {
	return func(protocol.UpdateRequest) (protocol.Written, error) {
		return protocol.Written{Receipts: receipts, Stale: true, Counts: stock.Counts{KrosItems: 10, Updated: 1, Rejected: 3, Unchanged: 4, Unmatched: 2}}, nil
	}
}

func TestAPlanThatGrewTooOldBeginsAgainAtTheFetch(t *testing.T) {
	t.Run("and ends well", func(t *testing.T) {
		s := newShift(t)
		s.write = append([]func(protocol.UpdateRequest) (protocol.Written, error){staleAfter(ref("early"))}, s.write...)
		r := request()
		r.Catalogue = &protocol.Catalogue{Ref: ref("shown"), TakenAt: begin, Items: 10, Complete: true}
		result := s.run(r)
		require.Equal(t, []string{"match", "write", "fetch", "match", "write"}, s.calls, "the activation's sweep is as old")
		require.Equal(t, ref("sweep 1"), result.Memory.Baseline)
		require.Equal(t, []protocol.Ref{ref("early")}, s.writes[1].Receipts)
		require.Equal(t, ref("plan"), s.fetches[0].Memory.Ledger, "the first plan began to write: it is the ledger now")
	})
	t.Run("with nothing left to write, but to count", func(t *testing.T) {
		s := newShift(t)
		s.write = append([]func(protocol.UpdateRequest) (protocol.Written, error){staleAfter(ref("early"))}, s.write...)
		s.match = append(s.match, func(protocol.MatchRequest) (protocol.Matched, error) { return matched(0), nil })
		result := s.run(request())
		require.Equal(t, []string{"fetch", "match", "write", "fetch", "match", "write"}, s.calls)
		require.Equal(t, 4, result.Updated)
	})
	t.Run("three times, then it fails", func(t *testing.T) {
		s := newShift(t)
		s.write[0] = staleAfter()
		result := s.run(request())
		require.Len(t, s.fetches, 3)
		require.Len(t, s.writes, 3)
		require.Equal(t, protocol.ShopUnavailable, result.Failure.Code)
		require.Contains(t, result.Failure.Message, "15m0s")
		require.Equal(t, 1, result.Updated, "what was written is told")
		require.Equal(t, 9, result.KrosRequests)
		require.Equal(t, ref("old sweep"), result.Memory.Baseline)
	})
	t.Run("and the second plan is shorter than what was done", func(t *testing.T) {
		s := newShift(t)
		s.write[0] = func(protocol.UpdateRequest) (protocol.Written, error) {
			return protocol.Written{Stale: true, Counts: stock.Counts{KrosItems: 10, Updated: 1, Unchanged: 9}}, nil
		}
		s.fetch = append(s.fetch, func(protocol.FetchRequest) (protocol.Fetched, error) {
			f := s.fetched()
			f.Catalogue.Items = 3
			return f, nil
		})
		s.match = append(s.match, fails[protocol.MatchRequest, protocol.Matched](refused(protocol.ShopUnavailable)))
		require.Equal(t, stock.Counts{KrosItems: 3, Held: 3}, s.run(request()).Counts)
	})
}

func TestAnObjectThatTheArchiveHasLostIsWorthOneNewFetch(t *testing.T) {
	lost := temporal.NewNonRetryableApplicationError("the object is not in the archive", activities.ErrorLostObject, nil)
	t.Run("and then all is well", func(t *testing.T) {
		s := newShift(t)
		s.match = append([]func(protocol.MatchRequest) (protocol.Matched, error){fails[protocol.MatchRequest, protocol.Matched](lost)}, s.match...)
		r := request()
		r.Catalogue = &protocol.Catalogue{Ref: ref("shown"), TakenAt: begin, Items: 10, Complete: true}
		require.Equal(t, protocol.ResultOK, s.run(r).Result)
		require.Equal(t, []string{"match", "fetch", "match", "write"}, s.calls)
	})
	lostPlan := temporal.NewNonRetryableApplicationError("the object is not in the archive", activities.ErrorLostPlan, nil)
	t.Run("and the shop is as it was left before, where its plan was lost", func(t *testing.T) {
		s := newShift(t)
		s.write = append([]func(protocol.UpdateRequest) (protocol.Written, error){fails[protocol.UpdateRequest, protocol.Written](lostPlan)}, s.write...)
		require.Equal(t, protocol.ResultOK, s.run(request()).Result)
		require.Equal(t, []string{"fetch", "match", "write", "fetch", "match", "write"}, s.calls)
		require.Equal(t, request().Memory, s.fetches[1].Memory)
	})
	t.Run("also where it is lost twice", func(t *testing.T) {
		s := newShift(t)
		s.write[0] = fails[protocol.UpdateRequest, protocol.Written](lostPlan)
		result := s.run(request())
		require.Equal(t, protocol.ResultFailed, result.Result)
		require.Equal(t, request().Memory, result.Memory)
		require.False(t, result.Answered)
		require.Zero(t, result.Day.Zeroed)
	})
	t.Run("but of one that may have been written in part the plan is the ledger", func(t *testing.T) {
		s := newShift(t)
		s.write[0] = fails[protocol.UpdateRequest, protocol.Written](lost)
		require.Equal(t, ref("plan"), s.run(request()).Memory.Ledger)
		require.Equal(t, ref("plan"), s.fetches[1].Memory.Ledger)
	})
	t.Run("but not two", func(t *testing.T) {
		s := newShift(t)
		s.match[0] = fails[protocol.MatchRequest, protocol.Matched](lost)
		result := s.run(request())
		require.Equal(t, []string{"fetch", "match", "fetch", "match"}, s.calls)
		require.Equal(t, protocol.ResultFailed, result.Result)
		require.Contains(t, result.Failure.Message, "not in the archive")
		require.Contains(t, result.Failure.Hint, "removes or damages files")
	})
}

func TestAPassThatFailsSaysWhyAndOfWhat(t *testing.T) {
	timeout := errors.New("retried until the bounds end")
	tests := []struct {
		rule   string
		do     func(*shift)
		code   protocol.Code
		says   string
		counts stock.Counts
	}{
		{"KROS refuses the key", func(s *shift) {
			s.fetch[0] = fails[protocol.FetchRequest, protocol.Fetched](refused(protocol.KrosKeyInvalid))
		}, protocol.KrosKeyInvalid, "API key", stock.Counts{}},
		{"KROS, without a code", func(s *shift) {
			s.fetch[0] = fails[protocol.FetchRequest, protocol.Fetched](timeout)
		}, protocol.KrosUnavailable, "retried until", stock.Counts{}},
		{"the archive", func(s *shift) {
			s.fetch[0] = fails[protocol.FetchRequest, protocol.Fetched](temporal.NewNonRetryableApplicationError("the bucket hangs", "archive", nil))
		}, protocol.KrosUnavailable, "The pass could not be finished: the bucket hangs", stock.Counts{}},
		{"the archive, which is full", func(s *shift) {
			s.match[0] = fails[protocol.MatchRequest, protocol.Matched](temporal.NewNonRetryableApplicationError(
				"the archive at file:///a cannot be written: no space left on device", activities.ErrorUnwritable, nil))
		}, protocol.ShopUnavailable, "The pass could not be finished: the archive at file:///a cannot be written: no space left on device", stock.Counts{KrosItems: 10, Held: 10}},
		{"the e-shop at the look-up", func(s *shift) {
			s.match[0] = fails[protocol.MatchRequest, protocol.Matched](refused(protocol.ShopKeyInvalid))
		}, protocol.ShopKeyInvalid, "API key", stock.Counts{KrosItems: 10, Held: 10}},
		{"the e-shop at the look-up, without a code", func(s *shift) {
			s.match[0] = fails[protocol.MatchRequest, protocol.Matched](timeout)
		}, protocol.ShopUnavailable, "retried until", stock.Counts{KrosItems: 10, Held: 10}},
		{"the e-shop at the write", func(s *shift) {
			s.write[0] = fails[protocol.UpdateRequest, protocol.Written](refused(protocol.ShopUnavailable))
		}, protocol.ShopUnavailable, "does not answer", stock.Counts{KrosItems: 10, Held: 4, Unchanged: 4, Unmatched: 2, Products: 8}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := newShift(t)
			test.do(s)
			result := s.run(request())
			require.Equal(t, protocol.ResultFailed, result.Result)
			require.Equal(t, test.code, result.Failure.Code)
			require.Contains(t, result.Failure.Message, test.says)
			require.NotEmpty(t, result.Failure.Hint)
			require.Equal(t, test.counts, result.Counts)
			require.Equal(t, ref("old sweep"), result.Memory.Baseline, "not accepted")
			require.Equal(t, len(s.writes) > 0, result.Memory.Ledger == ref("plan"), "the ledger is of every pass that began to write")
			require.Less(t, s.env.Now().Sub(begin), time.Hour, "not in silence")
		})
	}
}

func TestASideThatIsTooSlowIsNamed(t *testing.T) {
	s := newShift(t)
	s.fetch[0] = fails[protocol.FetchRequest, protocol.Fetched](temporal.NewTimeoutError(enums.TIMEOUT_TYPE_HEARTBEAT, nil))
	result := s.run(request())
	require.Equal(t, protocol.KrosUnavailable, result.Failure.Code)
	require.Equal(t, "KROS does not answer at the moment: it took too long.", result.Failure.Message)
}

// Without bounds a stuck shop would stop in silence.
func TestEveryActivityIsBounded(t *testing.T) {
	s := newShift(t)
	s.write[0] = conflicting(1)
	seen := map[string]activity.Info{}
	s.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		seen[info.ActivityType.Name] = *info
	})
	s.run(request())
	require.Len(t, seen, 4)
	for name, bounds := range map[string][2]time.Duration{
		"FetchStock":      {30 * time.Minute, 45 * time.Minute},
		"MatchProducts":   {15 * time.Minute, 30 * time.Minute},
		"ReplanConflicts": {15 * time.Minute, 30 * time.Minute},
		"UpdateStock":     {10 * time.Minute, 20 * time.Minute},
	} {
		require.Equal(t, bounds[0], seen[name].StartToCloseTimeout, name)
		require.Equal(t, bounds[1], seen[name].ScheduleToCloseTimeout, name)
		require.Equal(t, 20*time.Second, seen[name].HeartbeatTimeout, name)
	}
}

func TestACancelledPassSaysWhatItDid(t *testing.T) {
	t.Run("before it wrote", func(t *testing.T) {
		s := newShift(t)
		s.fetch[0] = fails[protocol.FetchRequest, protocol.Fetched](errors.New("not now")) // tried again after a second
		s.env.RegisterDelayedCallback(s.env.CancelWorkflow, time.Second/2)
		result := s.cancelled(request())
		require.Equal(t, []string{"fetch"}, s.calls)
		require.Equal(t, request().Memory, result.Memory)
	})
	t.Run("while it wrote", func(t *testing.T) {
		s := newShift(t)
		s.write[0] = fails[protocol.UpdateRequest, protocol.Written](errors.New("not now"))
		s.env.RegisterDelayedCallback(s.env.CancelWorkflow, time.Second/2)
		result := s.cancelled(request())
		require.Equal(t, []string{"fetch", "match", "write"}, s.calls)
		require.Equal(t, ref("plan"), result.Memory.Ledger)
		require.Equal(t, protocol.ResultFailed, result.Result)
		require.Equal(t, "The pass could not be finished: cancelled.", result.Failure.Message)
		require.False(t, result.FinishedAt.IsZero())
	})
}

// cancelled is what a pass says that is cancelled on its way.
func (s *shift) cancelled(r protocol.PassRequest) protocol.PassResult {
	s.t.Helper()
	_, err := s.try(r)
	var cancelled *temporal.CanceledError
	require.ErrorAs(s.t, err, &cancelled)
	var result protocol.PassResult
	require.NoError(s.t, cancelled.Details(&result))
	addsUp(s.t, result.Report)
	return result
}

func TestAPassCostsTheSameFewStepsWhateverItWrites(t *testing.T) {
	s := newShift(t)
	s.match[0] = func(protocol.MatchRequest) (protocol.Matched, error) {
		m := matched(4)
		m.Counts = stock.Counts{KrosItems: 100_000, Updated: 60_000, Unchanged: 40_000}
		return m, nil
	}
	s.write[0] = func(protocol.UpdateRequest) (protocol.Written, error) {
		return protocol.Written{Counts: stock.Counts{KrosItems: 100_000, Updated: 60_000, Unchanged: 40_000}}, nil
	}
	result := s.run(request())
	require.Len(t, s.calls, 3)
	payload, err := converter.GetDefaultDataConverter().ToPayload(result)
	require.NoError(t, err)
	require.Less(t, len(payload.GetData()), 4<<10)
}
