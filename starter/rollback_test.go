package main

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/samber/lo"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// undoable is a shop in which pass 12 wrote three products, of which one was
// changed since.
func undoable(change func(*protocol.RollbackResult)) *fakeTemporal {
	s := past()
	shop := []stock.Product{
		{ID: "p-1", Name: "Čaj", Quantity: written("", "0", "9", "").Asked},
		{ID: "p-2", Name: "Soľ", Quantity: written("", "0", "0", "").Asked},
		{ID: "p-4", Name: "Cukor", Quantity: written("", "0", "3", "").Asked},
	}
	pass := []stock.Receipt{written("p-1", "2", "9", "updated"), written("p-2", "9", "0", "updated"), written("p-4", "7", "4", "updated")}
	plan := lo.ToAnySlice(stock.Rollback(pass, shop, nil).Lines)
	s.objects["dry plan"], s.objects["plan"] = plan, plan
	s.objects["undone"] = []any{written("p-1", "9", "2", "updated"), written("p-2", "0", "9", "conflict")}
	dry := protocol.RollbackResult{
		Report: protocol.Report{Shop: "acme", DryRun: true, Trigger: protocol.TriggerRollback, Result: protocol.ResultOK},
		Undo:   12, Plan: protocol.Ref{Key: "dry plan"}, State: protocol.StateActive,
	}
	if change != nil {
		change(&dry)
	}
	f := s.serve(&fakeTemporal{updates: map[string]func(context.Context, []any) (any, error){
		protocol.UpdateRollback: func(context.Context, []any) (any, error) {
			return protocol.RollbackResult{
				Report: protocol.Report{Shop: "acme", Pass: 14, Trigger: protocol.TriggerRollback, Result: protocol.ResultOK},
				Undo:   12, Plan: protocol.Ref{Key: "plan"}, Receipts: []protocol.Ref{{Key: "undone"}}, State: protocol.StatePaused,
			}, nil
		},
	}})
	f.workflows[protocol.Rollback] = func(_ context.Context, id string, in any) (any, error) {
		if !in.(protocol.RollbackRun).DryRun {
			return nil, fmt.Errorf("%s would write", id)
		}
		return dry, nil
	}
	return f
}

const wouldUndo = `acme: undo pass 12 of 24 Dec 2026 21:30 GMT (by hand).

  2 products go back to what the shop had before it

  ITEM   NAME  PRODUCT  HAS  GETS
  I-p-1  Čaj   p-1        9     2
  I-p-2  Soľ   p-2        0     9

  1 product is left as it is, since it was changed after the pass

  ITEM   PRODUCT  HAS  HAD  WHY
  I-p-4  p-4        3    7  it has 3 now, the pass had
                            left 4
`

func TestRollbackShowsWhatItWouldDoAndThenDoesIt(t *testing.T) {
	f := undoable(nil)
	d := skladom(t, f, "rollback", "acme", "--yes", "--config", settings(t, map[string]string{"acme.hcl": acme}))
	require.Equal(t, statusDone, d.status, d)
	require.Equal(t, wouldUndo+`
acme: 1 product has again what the shop had before pass 12.

  2 products are left as they are, since they were changed after the pass

  ITEM   PRODUCT  HAS  HAD  WHY
  I-p-2  p-2        0    9  it was changed while the
                            rollback ran
  I-p-4  p-4        3    7  it has 3 now, the pass had
                            left 4

acme is paused, or the next pass would write again what was undone. Mend what
was wrong, look at what a pass would do (skladom sync acme --dry-run), then go
on: skladom resume acme
`, d.stdout)
	require.Equal(t, "dry-run:acme:id-1", f.started[0].ID)
	require.Equal(t, protocol.RollbackRun{Shop: "acme", DryRun: true}, f.inputs[0])
	require.Equal(t, []any{protocol.RollbackRequest{Pass: 12, By: "jana"}}, f.updated[0].Args, "the pass that was shown, whichever is the last by now")
}

func TestRollbackAsks(t *testing.T) {
	for answer, done := range map[string]bool{"y\n": true, "YES\n": true, "n\n": false, "\n": false, "": false, "ja\n": false} {
		f := undoable(nil)
		env := surroundings(f)
		env.terminal, env.attended = true, true
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"rollback", "acme", "--pass", "12"}, bytes.NewBufferString(answer), &stdout, &stderr, env)
		require.Equal(t, statusDone, status)
		require.Contains(t, stderr.String(), "Undo pass 12 and pause acme? [y/N]")
		require.Equal(t, done, len(f.updated) == 1, "%q", answer)
		require.Equal(t, !done, bytes.Contains(stdout.Bytes(), []byte("Nothing was written.")))
		require.Equal(t, protocol.RollbackRun{Shop: "acme", DryRun: true, Undo: 12}, f.inputs[0])
	}
}

func TestRollbackWritesNothingUnlessItIsTold(t *testing.T) {
	f := undoable(nil)
	d := skladom(t, f, "rollback", "acme")
	require.Equal(t, statusUsage, d.status)
	require.Contains(t, d.stdout, "2 products go back")
	require.Contains(t, d.stderr, "give --yes")
	require.Empty(t, f.updated)

	v := document(t, skladom(t, f, "rollback", "acme", "--json"))
	require.ElementsMatch(t, []string{"shop", "pass", "dryRun", "restored", "unchanged", "changedSince", "rejected", "state", "failure", "rows"}, keys(v))
	require.Equal(t, true, v["dryRun"])
	require.Equal(t, 12.0, v["pass"])
	require.Equal(t, 2.0, v["restored"])
	require.Equal(t, 1.0, v["changedSince"])
	require.Equal(t, "active", v["state"])
	require.Equal(t, map[string]any{
		"item": "I-p-4", "product": "p-4", "name": "Cukor", "from": "3", "to": "7", "outcome": "changedSince",
		"reasonCode": "changed_since", "reason": "it has 3 now, the pass had left 4",
	}, v["rows"].([]any)[2])
	require.Empty(t, f.updated)
}

func TestRollbackAsJSON(t *testing.T) {
	v := document(t, skladom(t, undoable(nil), "rollback", "acme", "--yes", "--json"))
	require.Equal(t, false, v["dryRun"])
	require.Equal(t, 1.0, v["restored"])
	require.Equal(t, 2.0, v["changedSince"])
	require.Equal(t, "paused", v["state"])
	require.Nil(t, v["failure"])
}

func TestARollbackThatBreaksOffTellsWhatItWrote(t *testing.T) {
	f := undoable(nil)
	f.updates[protocol.UpdateRollback] = func(context.Context, []any) (any, error) {
		return protocol.RollbackResult{
			Report: protocol.Report{Shop: "acme", Pass: 14, Result: protocol.ResultFailed, Failure: message.RollbackAgain(message.Failure(protocol.ShopUnavailable, message.Params{}), "acme", 12)},
			Undo:   12, Plan: protocol.Ref{Key: "plan"}, State: protocol.StatePaused,
		}, nil
	}
	s := past() // its record of pass 14 gets what the archive has
	s.records[0].Receipts = []protocol.Ref{{Key: "receipt of 14"}}
	inspect := f.workflows[protocol.Inspect]
	s.objects = map[string][]any{"receipt of 14": {written("p-1", "9", "2", "updated")}}
	s.serve(f)
	own := f.workflows[protocol.Inspect]
	f.workflows[protocol.Inspect] = func(ctx context.Context, id string, in any) (any, error) {
		if in.(protocol.InspectRequest).Ref.Key == "receipt of 14" {
			return own(ctx, id, in)
		}
		return inspect(ctx, id, in)
	}
	d := skladom(t, f, "rollback", "acme", "--yes")
	require.Equal(t, statusFailed, d.status)
	require.Contains(t, d.stdout, "1 product has again")
	require.Contains(t, d.stdout, "1 product could not be written")
	require.Contains(t, d.stdout, "skladom rollback acme --pass 12")

	v := document(t, skladom(t, f, "rollback", "acme", "--yes", "--json"))
	require.Equal(t, "shop_unavailable", v["failure"].(map[string]any)["code"])
	require.Equal(t, 1.0, v["restored"])
	require.Equal(t, 1.0, v["rejected"])
}

func TestWhereThereIsNothingToUndo(t *testing.T) {
	t.Run("no such pass", func(t *testing.T) {
		f := undoable(func(r *protocol.RollbackResult) {
			r.Result, r.Failure = protocol.ResultFailed, message.NothingToRollBack("acme", 12)
		})
		d := skladom(t, f, "rollback", "acme", "--pass", "12", "--yes", "--json")
		require.Equal(t, statusFailed, d.status)
		require.Equal(t, "nothing_to_roll_back", document(t, d)["failure"].(map[string]any)["code"])
		require.Empty(t, f.updated)
	})
	t.Run("everything was changed since", func(t *testing.T) {
		f := undoable(func(r *protocol.RollbackResult) { r.Plan = protocol.Ref{} })
		d := skladom(t, f, "rollback", "acme", "--yes")
		require.Equal(t, statusDone, d.status)
		require.Contains(t, d.stdout, "No product goes back")
		require.Contains(t, d.stdout, "Nothing was written.")
		require.Empty(t, f.updated, "the shop is not paused for nothing")
	})
	t.Run("the shop is not active", func(t *testing.T) {
		f := undoable(func(r *protocol.RollbackResult) { r.State = protocol.StateInactive })
		d := skladom(t, f, "rollback", "acme", "--yes")
		require.Equal(t, statusFailed, d.status)
		require.Contains(t, d.stderr, message.NotActive("acme"))
		require.Empty(t, f.updated)
	})
}

func TestWrongUsesOfRollback(t *testing.T) {
	for _, args := range [][]string{{}, {"acme", "12"}, {"acme", "--pass", "0"}, {"acme", "--pass", "-1"}, {"acme", "--pass", "x"}} {
		require.Equal(t, statusUsage, skladom(t, &fakeTemporal{}, append([]string{"rollback"}, args...)...).status, args)
	}
}
