package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

func heldBack(code protocol.Code, hash string) *protocol.Hold {
	return &protocol.Hold{Code: code, Hash: hash, Plan: ref("held plan"), Catalogue: ref("held sweep"), Products: 40, Matched: 90, Pass: 1}
}

// holding is a pass of which something waits for a person, until it is
// approved or dismissed.
func holding(code protocol.Code, hash string) passFunc {
	return func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		if !r.Approved.Zero() || !r.Dismissed.Zero() {
			result, err := passing(aPass)(ctx, r)
			result.Answered = true
			return result, err
		}
		result, err := ending(aPass, protocol.ResultHeld, message.Failure(code, message.Params{Shop: acme, Seen: 40, Expected: 100}))(ctx, r)
		result.Hold = heldBack(code, hash)
		return result, err
	}
}

func (w *world) approveAt(when time.Duration, hash string) *answer {
	return w.updateAt(when, protocol.UpdateApprove, protocol.AnswerRequest{Hash: hash, By: "Jana"})
}

func TestAnApprovalIsAPassAtOnce(t *testing.T) {
	w := newWorld(t)
	w.pass = holding(protocol.TooManyZeroed, "h1")
	held := w.statusAt(40 * time.Minute)
	a := w.approveAt(41*time.Minute, "h1")
	again := w.approveAt(42*time.Minute, "h1")
	w.runUntil(65*time.Minute, running())
	require.Equal(t, protocol.StateHeld, held.State)
	require.Equal(t, []string{"schedule@30m0s", "approval@41m0s", "schedule@1h0m0s"}, w.passes)
	require.NoError(t, a.err)
	require.Equal(t, protocol.TriggerApproval, a.report.Trigger)
	require.Equal(t, protocol.ResultOK, a.report.Result)
	require.Equal(t, ref("held plan"), w.requests[1].Approved)
	require.Equal(t, "Jana", w.requests[1].By)
	require.Contains(t, w.requests[1].Protected, ref("held plan"))
	require.Equal(t, running().Memory.Baseline, w.requests[1].Memory.Baseline, "the baseline is accepted by a pass that ends ok")
	require.NoError(t, again.err)
	require.Equal(t, a.report.Pass, again.report.Pass, "twice applies once")
	require.Zero(t, w.requests[2].Approved)
}

func TestAnApprovedCatalogueIsTheOneToCompareWith(t *testing.T) {
	w := newWorld(t)
	w.pass = holding(protocol.CatalogueChanged, "h1")
	dismissed := w.updateAt(40*time.Minute, protocol.UpdateDismiss, protocol.AnswerRequest{Hash: "h1"})
	w.approveAt(41*time.Minute, "h1")
	state := running()
	state.Memory = protocol.Memory{Baseline: ref("old sweep"), Products: 100}
	w.runUntil(45*time.Minute, state)
	require.Contains(t, sentence(dismissed.rejected), "whole catalogue")
	require.Equal(t, ref("old sweep"), w.requests[0].Memory.Baseline)
	require.Equal(t, ref("held sweep"), w.requests[1].Memory.Baseline)
	require.Zero(t, w.requests[1].Memory.Products, "fewer products are part of what was approved")
}

func TestAnApprovalWaitsForThePassThatRuns(t *testing.T) {
	w := newWorld(t)
	w.pass = holding(protocol.TooManyZeroed, "h1")
	a := w.approveAt(time.Hour+aPass/2, "h1")
	w.runUntil(65*time.Minute, running())
	require.Equal(t, []string{"schedule@30m0s", "schedule@1h0m0s", "approval@1h0m10s"}, w.passes)
	require.Equal(t, protocol.TriggerApproval, a.report.Trigger)
	require.Equal(t, ref("held plan"), w.requests[2].Approved)
}

func TestAnApprovalOutlivesAPassThatFails(t *testing.T) {
	w := newWorld(t)
	w.pass = holding(protocol.TooManyZeroed, "h1")
	w.at(40*time.Minute, func() { w.pass = failing(protocol.ShopUnavailable) })
	w.approveAt(41*time.Minute, "h1")
	w.at(50*time.Minute, func() { w.pass = holding(protocol.TooManyZeroed, "h1") })
	last := w.statusAt(64 * time.Minute)
	w.runUntil(65*time.Minute, running())
	require.Equal(t, ref("held plan"), w.requests[2].Approved, "the next pass carries it out")
	require.Equal(t, protocol.StateActive, last.State)
}

func TestAnAnswerHasToBeToWhatIsHeld(t *testing.T) {
	w := newWorld(t)
	early := w.approveAt(10*time.Minute, "h1")
	w.at(11*time.Minute, func() { w.pass = holding(protocol.TooManyZeroed, "h1") })
	other := w.approveAt(41*time.Minute, "h0")
	empty := w.approveAt(42*time.Minute, "")
	w.pauseAt(43*time.Minute, nil)
	paused := w.approveAt(44*time.Minute, "h1")
	w.runUntil(45*time.Minute, running())
	require.Contains(t, sentence(early.rejected), "Nothing of acme waits")
	require.Contains(t, sentence(other.rejected), "changed since")
	require.Contains(t, sentence(empty.rejected), "changed since")
	require.Contains(t, sentence(paused.rejected), "paused")
	require.Equal(t, []string{"schedule@30m0s"}, w.passes)
}

func TestADismissalIsTakenIntoTheNextLedger(t *testing.T) {
	w := newWorld(t)
	w.pass = holding(protocol.TooManyZeroed, "h1")
	a := w.updateAt(40*time.Minute, protocol.UpdateDismiss, protocol.AnswerRequest{Hash: "h1"})
	w.runUntil(95*time.Minute, running())
	require.NoError(t, a.err)
	require.Equal(t, protocol.StateActive, a.status.State)
	require.Equal(t, []string{"schedule@30m0s", "schedule@1h0m0s", "schedule@1h30m0s"}, w.passes, "a dismissal writes nothing, so it hurries no pass")
	require.Equal(t, ref("held plan"), w.requests[1].Dismissed)
	require.Zero(t, w.requests[2].Dismissed, "the ledger has it")
}

func TestAHoldOutlivesTheRunOfTheWorkflow(t *testing.T) {
	w := newWorld(t)
	w.pass = holding(protocol.TooManyZeroed, "h1")
	state := w.continued(w.run(running()))
	require.Equal(t, "h1", state.Hold.Hash)
	require.Equal(t, protocol.StateHeld, state.State)
	require.Equal(t, begin.Add(30*time.Minute+aPass), state.Hold.Since, "when it was held first")
}

// counting is a pass that took some products to 0.
func counting(basis string, zeroed int) passFunc {
	return func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		result, err := passing(aPass)(ctx, r)
		result.Day, result.Memory.Basis = &stock.Day{Stocked: 100, Zeroed: zeroed}, basis
		return result, err
	}
}

func TestZeroingsOfOneDayAreCountedByTheHour(t *testing.T) {
	w := newWorld(t)
	w.load = func(r protocol.LoadRequest) protocol.Loaded {
		l := loaded(r.After)
		l.Basis, l.NextTick = "b", r.After.Truncate(20*time.Minute).Add(20*time.Minute)
		return l
	}
	w.pass = counting("b", 1)
	state := running()
	state.NextTick = begin.Add(20 * time.Minute)
	w.at(26*time.Hour, func() { w.env.CancelWorkflow() })
	next := w.continued(w.run(state))
	require.Nil(t, w.requests[0].Day, "nothing is known of the day before")
	require.Equal(t, &stock.Day{Stocked: 100, Zeroed: 2}, w.requests[2].Day)
	require.Equal(t, &stock.Day{Stocked: 100, Zeroed: 40}, w.requests[40].Day)
	require.LessOrEqual(t, len(next.Hours), 24)
}

func TestOtherSettingsBeginANewDay(t *testing.T) {
	w := newWorld(t)
	basis := "b"
	w.load = func(r protocol.LoadRequest) protocol.Loaded {
		l := loaded(r.After)
		l.Basis = basis
		return l
	}
	w.pass = func(ctx workflow.Context, r protocol.PassRequest) (protocol.PassResult, error) {
		return counting(r.Basis, 3)(ctx, r)
	}
	w.at(65*time.Minute, func() { basis = "c" })
	w.runUntil(125*time.Minute, running())
	require.Equal(t, &stock.Day{Stocked: 100, Zeroed: 3}, w.requests[1].Day)
	require.Nil(t, w.requests[2].Day)
	require.Equal(t, &stock.Day{Stocked: 100, Zeroed: 3}, w.requests[3].Day)
}

func TestAPassThatEndedWithoutAWordIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.pass = func(workflow.Context, protocol.PassRequest) (protocol.PassResult, error) {
		return protocol.PassResult{}, context.DeadlineExceeded
	}
	w.runUntil(65*time.Minute, running())
	require.Equal(t, int64(1), w.requests[1].Memory.Lost, "it may have begun to write")
}

func TestAPassLeavesARecordWhereThereIsSomethingToTell(t *testing.T) {
	ok := &protocol.Ended{Result: protocol.ResultOK, SettingsHash: hash}
	tests := []struct {
		rule   string
		last   *protocol.Ended
		writes int
		fails  bool
		want   bool
	}{
		{"it wrote", ok, 4, false, true},
		{"it wrote nothing, as before", ok, 0, false, false},
		{"the settings are new", &protocol.Ended{Result: protocol.ResultOK, SettingsHash: "before"}, 0, false, true},
		{"it failed", ok, 0, true, true},
		{"it failed as the one before", &protocol.Ended{Result: protocol.ResultFailed, Code: protocol.ShopUnavailable, SettingsHash: hash}, 0, true, false},
		{"the first one", &protocol.Ended{}, 0, false, true},
		{"begun by a StockSync of before there were records", nil, 4, false, false},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := newShift(t)
			var records []protocol.RecordRequest
			s.activity("RecordPass", func(_ context.Context, r protocol.RecordRequest) error {
				records = append(records, r)
				return nil
			})
			s.match[0] = func(protocol.MatchRequest) (protocol.Matched, error) { return matched(test.writes), nil }
			if test.fails {
				s.match[0] = fails[protocol.MatchRequest, protocol.Matched](refused(protocol.ShopUnavailable))
			}
			r := request()
			r.Last, r.By = test.last, "Jana"
			result := s.run(r)
			if !test.want {
				require.Empty(t, records)
				return
			}
			require.Len(t, records, 1)
			require.Equal(t, "Jana", records[0].Record.By)
			require.Equal(t, result.Result, records[0].Record.Report.Result)
			require.Equal(t, result.Memory.Receipts, records[0].Record.Receipts)
		})
	}
}

// The last write leaves the record: an activity less in every pass that writes.
func TestAPassThatItsWriteHasRecordedRecordsNothing(t *testing.T) {
	ended := time.Date(2026, 3, 2, 8, 0, 1, 0, time.UTC)
	for name, test := range map[string]struct {
		matched protocol.Matched
		result  protocol.Result
	}{
		"ok": {matched(4), protocol.ResultOK},
		"held": {func() protocol.Matched {
			m := matched(4)
			m.Holding = message.Failure(protocol.TooManyZeroed, message.Params{Shop: acme})
			return m
		}(), protocol.ResultHeld},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShift(t)
			s.activity("RecordPass", func(context.Context, protocol.RecordRequest) error {
				t.Error("it is recorded already")
				return nil
			})
			s.match[0] = func(protocol.MatchRequest) (protocol.Matched, error) { return test.matched, nil }
			var draft *protocol.PassDraft
			s.write[0] = func(r protocol.UpdateRequest) (protocol.Written, error) {
				draft = r.Record
				w := written(4)
				w.RecordedAt = ended
				return w, nil
			}
			r := request()
			r.Last, r.By = &protocol.Ended{Result: protocol.ResultOK, SettingsHash: hash}, "Jana"
			result := s.run(r)
			require.Equal(t, test.result, result.Result)
			require.Equal(t, ended, result.FinishedAt, "as the record says")
			require.NotNil(t, draft)
			require.Equal(t, "Jana", draft.By)
			report := result.Report // but for what only the write knows
			report.Counts, report.FinishedAt = stock.Counts{}, time.Time{}
			report.Samples = nil
			require.Equal(t, report, draft.Report.Report(acme, r.Pass))
		})
	}
}

func TestWhatIsHeldIsNotAccepted(t *testing.T) {
	s := newShift(t)
	s.match[0] = func(protocol.MatchRequest) (protocol.Matched, error) {
		m := matched(4)
		m.Hold, m.Holding = heldBack(protocol.TooManyZeroed, "h1"), message.Failure(protocol.TooManyZeroed, message.Params{Shop: acme})
		m.Stocked, m.Zeroings = 90, 2
		return m, nil
	}
	s.write[0] = func(protocol.UpdateRequest) (protocol.Written, error) {
		w := written(4)
		w.Zeroed = 1
		return w, nil
	}
	result := s.run(request())
	require.Equal(t, []string{"fetch", "match", "write"}, s.calls, "all other changes are applied")
	require.Equal(t, protocol.ResultHeld, result.Result)
	require.Equal(t, protocol.TooManyZeroed, result.Failure.Code)
	require.Equal(t, "h1", result.Hold.Hash)
	require.Equal(t, ref("old sweep"), result.Memory.Baseline)
	require.Equal(t, ref("plan"), result.Memory.Ledger, "but what was left in the shop is remembered")
	require.Equal(t, &stock.Day{Stocked: 90, Zeroed: 1}, result.Day)
}

func TestANotificationReadsOnlyChangesWhereThatIsProven(t *testing.T) {
	w := newWorld(t)
	state := running()
	state.Memory.Filter = protocol.Filter{Agreed: protocol.FilterProof}
	w.notifyAt(10 * time.Minute)
	w.at(31*time.Minute, func() { w.pass = failing(protocol.ShopUnavailable) })
	w.syncAt(32 * time.Minute)
	w.notifyAt(40 * time.Minute)
	seen := w.statusAt(50 * time.Minute)
	w.runUntil(51*time.Minute, state)
	require.Equal(t, []string{"notification@10m0s", "schedule@30m0s", "manual@32m0s", "notification@40m0s"}, w.passes)
	deltas := []bool{}
	for _, r := range w.requests {
		deltas = append(deltas, r.Delta)
	}
	require.Equal(t, []bool{true, false, false, false}, deltas, "after a failure everything is looked at")
	require.Equal(t, protocol.ModeDelta, seen.Reading)
}
