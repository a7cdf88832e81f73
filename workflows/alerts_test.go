package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/workflows"
)

// collector is Alerts with a destination and a clock that leaps.
type collector struct {
	t       *testing.T
	env     *testsuite.TestWorkflowEnvironment
	deliver func(protocol.AlertMessage) error

	tries     int
	delivered []protocol.AlertMessage
	told      []string // shops@time, with "over"
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(silent{})
	c := &collector{t: t, env: suite.NewTestWorkflowEnvironment(), deliver: func(protocol.AlertMessage) error { return nil }}
	c.env.SetStartTime(begin)
	c.env.SetTestTimeout(time.Minute)
	c.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	c.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: protocol.AlertsID("d1", protocol.AlertSuspended, protocol.KrosKeyInvalid), TaskQueue: "skladom"})
	c.env.RegisterWorkflowWithOptions(workflows.Alerts, workflow.RegisterOptions{Name: protocol.Alerts})
	c.env.RegisterActivityWithOptions(func(_ context.Context, m protocol.AlertMessage) error {
		c.tries++
		if err := c.deliver(m); err != nil {
			return err
		}
		c.delivered = append(c.delivered, m)
		shops := strings.Join(lo.Map(m.Shops, func(s protocol.AlertedShop, _ int) string { return s.Shop }), " ")
		c.told = append(c.told, fmt.Sprintf("%s%s@%s", lo.Ternary(m.Cleared, "over: ", ""), shops, c.env.Now().Sub(begin)))
		return nil
	}, activity.RegisterOptions{Name: "DeliverAlerts"})
	return c
}

func trouble(shop string) protocol.Alert {
	return protocol.Alert{
		Shop: shop, Title: "Title of " + shop, Timezone: "Europe/Bratislava", Kind: protocol.AlertSuspended, State: protocol.StateSuspended,
		Code: protocol.KrosKeyInvalid, Message: "KROS does not accept the API key.", Hint: "Generate a new one.", Since: begin, At: begin,
	}
}

func over(shop string) protocol.Alert {
	a := trouble(shop)
	a.State, a.Cleared, a.Message, a.Hint = protocol.StateActive, true, "Stock is kept in step again.", ""
	return a
}

func again(shop string) protocol.Alert {
	a := trouble(shop)
	a.Again = true
	return a
}

func (c *collector) raiseAt(when time.Duration, alerts ...protocol.Alert) {
	c.env.RegisterDelayedCallback(func() {
		for _, a := range alerts {
			c.env.SignalWorkflow(protocol.SignalAlert, a)
		}
	}, when)
}

// raiseMany raises an alert of each of n shops within 6 s. The test environment
// holds few signals at a time.
func (c *collector) raiseMany(when time.Duration, n int, alert func(shop string) protocol.Alert) {
	const burst = 250
	for from := 0; from < n; from += burst {
		c.env.RegisterDelayedCallback(func() {
			for i := from; i < min(n, from+burst); i++ {
				c.env.SignalWorkflowSkippingWorkflowTask(protocol.SignalAlert, alert(fmt.Sprintf("shop-%04d", i)))
			}
		}, when+time.Duration(from)*3*time.Millisecond)
	}
}

func (c *collector) run(state protocol.AlertsState) error {
	c.t.Helper()
	c.env.ExecuteWorkflow(protocol.Alerts, state)
	require.True(c.t, c.env.IsWorkflowCompleted())
	return c.env.GetWorkflowError()
}

func empty() protocol.AlertsState {
	return protocol.AlertsState{Destination: "d1", Kind: protocol.AlertSuspended, Code: protocol.KrosKeyInvalid}
}

// When messages go is all that collecting decides.
func TestWhatBecomesOneMessage(t *testing.T) {
	tests := []struct {
		rule string
		do   func(*collector)
		want []string
	}{
		{"one alert, after a short quiet", func(c *collector) {
			c.raiseAt(0, trouble("acme"))
		}, []string{"acme@10s"}},
		{"those that come together, by name", func(c *collector) {
			c.raiseAt(0, trouble("b"), trouble("a"))
			c.raiseAt(5*time.Second, trouble("c"))
		}, []string{"a b c@20s"}},
		{"those that do not stop coming are sent after a minute, and the rest after another", func(c *collector) {
			for i := range 30 {
				c.raiseAt(time.Duration(i)*4*time.Second, trouble(fmt.Sprintf("s%02d", i)))
			}
		}, []string{
			"s00 s01 s02 s03 s04 s05 s06 s07 s08 s09 s10 s11 s12 s13 s14@1m0s",
			"s15 s16 s17 s18 s19 s20 s21 s22 s23 s24 s25 s26 s27 s28 s29@2m0s",
		}},
		{"one after the other, as ticks come: less and less often", func(c *collector) {
			for i := range 30 {
				c.raiseAt(time.Duration(i)*time.Minute, trouble(fmt.Sprintf("s%02d", i)))
			}
		}, []string{
			"s00@10s", "s01@1m20s", "s02 s03@3m30s", "s04 s05 s06 s07@7m40s",
			"s08 s09 s10 s11 s12 s13 s14 s15@15m50s", "s16 s17 s18 s19 s20 s21 s22 s23 s24 s25 s26 s27 s28 s29@32m0s",
		}},
		{"the same shop twice is told once", func(c *collector) {
			c.raiseAt(0, trouble("acme"), trouble("acme"))
		}, []string{"acme@10s"}},
		{"trouble that ended before it was told is told to nobody", func(c *collector) {
			c.raiseAt(0, trouble("acme"), trouble("b"))
			c.raiseAt(5*time.Second, over("acme"))
		}, []string{"b@20s"}},
		{"all of it", func(c *collector) {
			c.raiseAt(0, trouble("acme"), over("acme"))
		}, nil},
		{"its end after it was told", func(c *collector) {
			c.raiseAt(0, trouble("acme"))
			c.raiseAt(30*time.Second, over("acme"))
		}, []string{"acme@10s", "over: acme@1m20s"}},
		{"an end of what an earlier run told", func(c *collector) {
			c.raiseAt(0, over("acme"))
		}, []string{"over: acme@10s"}},
		{"a reminder and its end: the end, as the trouble was told before", func(c *collector) {
			c.raiseAt(0, again("acme"))
			c.raiseAt(time.Second, over("acme"))
		}, []string{"over: acme@20s"}},
		{"an end that did not last", func(c *collector) {
			c.raiseAt(0, trouble("acme"))
			c.raiseAt(30*time.Second, over("acme"))
			c.raiseAt(40*time.Second, trouble("acme"))
		}, []string{"acme@10s"}},
		{"and then did", func(c *collector) {
			c.raiseAt(0, trouble("acme"))
			c.raiseAt(30*time.Second, over("acme"), trouble("acme"), over("acme"))
		}, []string{"acme@10s", "over: acme@1m20s"}},
		{"trouble of some and the end of others are two messages", func(c *collector) {
			c.raiseAt(0, over("a"), trouble("b"), over("c"))
		}, []string{"b@10s", "over: a c@10s"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			c := newCollector(t)
			test.do(c)
			require.NoError(t, c.run(empty()))
			require.Equal(t, test.want, c.told)
			require.Equal(t, len(test.want), c.tries)
		})
	}
}

func TestAThousandShopsOfOneCauseAreOneMessage(t *testing.T) {
	c := newCollector(t)
	c.raiseMany(0, 1000, trouble)
	require.NoError(t, c.run(empty()))
	require.Len(t, c.delivered, 1)
	m := c.delivered[0]
	require.Equal(t, 1000, m.Count)
	require.Len(t, m.Shops, 1000)
	require.Equal(t, "KROS does not accept the API key.", m.Message, "said once")
	require.Equal(t, "Generate a new one.", m.Hint)
	require.Empty(t, cmp.Diff(protocol.AlertedShop{Shop: "shop-0000", Title: "Title of shop-0000", Timezone: "Europe/Bratislava", Since: begin}, m.Shops[0]))
	require.Less(t, size(t, m), protocol.MaxAlertedBytes)
}

// size is what a value takes in a payload.
func size(t *testing.T, v any) int {
	t.Helper()
	payload, err := converter.GetDefaultDataConverter().ToPayload(v)
	require.NoError(t, err)
	return len(payload.GetData())
}

func TestAMessageIsBoundedAndCountsAll(t *testing.T) {
	c := newCollector(t)
	c.raiseMany(0, 1500, func(shop string) protocol.Alert {
		a := trouble(shop)
		a.Message = shop + strings.Repeat("ž", 500)
		return a
	})
	c.raiseAt(8*time.Second, trouble("shop-1499"))
	require.NoError(t, c.run(empty()))
	require.Len(t, c.delivered, 1)
	m := c.delivered[0]
	require.Equal(t, 1501, m.Count, "one that was not kept by name counts each time")
	require.Empty(t, m.Message)
	require.Equal(t, "Generate a new one.", m.Hint)
	require.Greater(t, len(m.Shops), 100)
	require.Less(t, size(t, m), protocol.MaxAlertedBytes)
}

func TestADestinationThatTakesNothingIsTriedForADay(t *testing.T) {
	c := newCollector(t)
	first, last := time.Time{}, time.Time{}
	c.deliver = func(protocol.AlertMessage) error {
		last = c.env.Now()
		if first.IsZero() {
			first = last
		}
		return temporal.NewApplicationError("it was answered with an error (503)", "alert_undelivered")
	}
	c.raiseAt(0, trouble("acme"))
	require.NoError(t, c.run(empty()))
	require.Empty(t, c.delivered)
	require.InDelta(t, 24, last.Sub(first).Hours(), 1)
	require.Less(t, c.tries, 1000)
}

// What was not taken waits, and what comes meanwhile joins it or makes it needless.
func TestWhatWasNotTakenWaitsForTheDestination(t *testing.T) {
	c := newCollector(t)
	c.deliver = func(protocol.AlertMessage) error {
		if c.env.Now().Before(begin.Add(3 * time.Hour)) {
			return errors.New("down")
		}
		return nil
	}
	c.raiseAt(0, trouble("a"), trouble("b"))
	c.raiseAt(time.Hour, over("a"))
	c.raiseAt(90*time.Minute, trouble("c"))
	require.NoError(t, c.run(empty()))
	require.Len(t, c.delivered, 1)
	require.True(t, strings.HasPrefix(c.told[0], "b c@3h"), c.told[0])
}

func TestWhatWasTakenIsNotSentAgain(t *testing.T) {
	c := newCollector(t)
	c.deliver = func(m protocol.AlertMessage) error {
		if m.Cleared && c.env.Now().Before(begin.Add(20*time.Minute)) {
			return errors.New("down")
		}
		return nil
	}
	c.raiseAt(0, trouble("a"), over("b"))
	require.NoError(t, c.run(empty()))
	require.Equal(t, []string{"a", "over: b"}, lo.Map(c.told, func(line string, _ int) string { return line[:strings.Index(line, "@")] }))
}

func TestADestinationThatIsGoneIsNotTriedAgain(t *testing.T) {
	c := newCollector(t)
	c.deliver = func(protocol.AlertMessage) error {
		return temporal.NewNonRetryableApplicationError("gone", activities.ErrorNoDestination, nil)
	}
	c.raiseAt(0, trouble("a"))
	require.NoError(t, c.run(empty()))
	require.Equal(t, 1, c.tries)
	require.Less(t, c.env.Now().Sub(begin), time.Hour)
}

// Nothing that was raised is lost or told twice when a run gives way.
func TestAlertsGoOnInTheNextRun(t *testing.T) {
	c := newCollector(t)
	c.deliver = func(protocol.AlertMessage) error { return errors.New("down") }
	c.raiseMany(5*time.Minute, 2000, trouble)
	c.raiseAt(0, trouble("acme"), over("b"))
	err := c.run(empty())
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &next)
	var state protocol.AlertsState
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &state))
	require.Equal(t, protocol.MaxAlertedShops, len(state.Pending))
	require.Less(t, size(t, state), 2<<20)
	require.False(t, state.FailingAt.IsZero())

	second := newCollector(t)
	second.env.SetStartTime(c.env.Now())
	require.NoError(t, second.run(state))
	require.Len(t, second.delivered, 2)
	require.Equal(t, 2001, second.delivered[0].Count)
	require.Equal(t, 1, second.delivered[1].Count)
	require.True(t, second.delivered[1].Cleared)
}
