package notifytest_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/standalone/notifytest"
)

// A smaller chase than that of bench/notify, which has 1,000 notifications over
// several renewals.
func TestNotificationsAreNotLostBetweenRunsOfStockSync(t *testing.T) {
	t.Parallel()
	const rounds, each = 52, 6 // StockSync is renewed after 48 passes
	shop := newTown(t, 1, notifytest.Options{Shops: 1, MinGap: "0s"}).Shops[0]
	require.NoError(t, shop.Chase(within(t), rounds, each))
	counts(t, shop, rounds*each)
	await(t, func() bool {
		runs, err := shop.Runs(within(t))
		require.NoError(t, err)
		return runs > 1
	}, "StockSync has to be renewed meanwhile")
}

func TestKrosGetsThroughWhenTemporalIsBack(t *testing.T) {
	t.Parallel()
	var (
		mu      sync.Mutex
		answers []string
	)
	town := newTown(t, 1, notifytest.Options{Shops: 1, MinGap: "0s", Rings: true, Answer: func(r *http.Response) {
		mu.Lock()
		defer mu.Unlock()
		answers = append(answers, strings.TrimSpace(fmt.Sprint(r.StatusCode, " ", r.Header.Get("Retry-After"))))
	}})
	answered := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string{}, answers...)
	}
	shop := town.Shops[0]
	town.StopServer()
	require.NoError(t, shop.Book(0, 7))
	await(t, func() bool { return len(answered()) > 0 }, "the relay has to answer without Temporal")
	require.NoError(t, town.StartServer(t.Context()))
	follows(t, shop, 7)

	now := answered()
	for _, answer := range now[:len(now)-1] {
		require.Equal(t, "503 10", answer)
	}
	require.Equal(t, "200", now[len(now)-1])
	require.Greater(t, len(now), 1)
	require.Zero(t, shop.KROS.State().Notifications.GivenUp)
	counted := status(t, shop).Notifications.Count
	require.Positive(t, counted)
	// A server that starts may keep a signal and be too slow to say so: then KROS
	// repeats what has been counted.
	require.LessOrEqual(t, counted, int64(len(now)))

	// And what another relay sends is kept for the next worker.
	require.NoError(t, town.StopHost())
	require.NoError(t, shop.Signal(within(t), nil))
	require.NoError(t, town.StartHost(t.Context()))
	counts(t, shop, counted+1)
}

// A relay that is killed answers those no more who wait; whoever had a 200
// need not repeat.
func TestNothingIsLostThatAKilledRelayAccepted(t *testing.T) {
	t.Parallel()
	const shops = 6
	town := newTown(t, shops, notifytest.Options{Shops: shops, MinGap: "0s", NoRelay: true})
	for round, kill := range []int{1, shops / 2, shops - 1} { // after so many answers
		relay := startRelay(t, town)
		quantity := 10 + round
		accepted := notifyUntil(t, town, quantity, kill, relay.kill)
		require.GreaterOrEqual(t, len(accepted), kill)
		for _, shop := range accepted {
			follows(t, shop, quantity)
		}

		relay = startRelay(t, town)
		for _, shop := range town.Shops {
			if !shop.Shows(0, quantity) {
				books(t, shop, quantity, http.StatusOK) // as KROS repeats
			}
		}
		for _, shop := range town.Shops {
			follows(t, shop, quantity)
		}
		relay.kill()
	}
}

// notifyUntil changes the stock of all shops, notifies for all at once, and
// calls enough after so many were accepted. It returns those.
func notifyUntil(t *testing.T, town *notifytest.Town, quantity, many int, enough func()) (accepted []*notifytest.Shop) {
	t.Helper()
	var (
		mu   sync.Mutex
		sent sync.WaitGroup
	)
	web := &http.Client{Transport: &http.Transport{}}
	defer web.CloseIdleConnections()
	for _, shop := range town.Shops {
		require.NoError(t, shop.Book(0, quantity))
		sent.Go(func() {
			status, _, err := shop.Notify(within(t), web, shop.Key)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || status != http.StatusOK {
				return
			}
			if accepted = append(accepted, shop); len(accepted) == many {
				enough()
			}
		})
	}
	sent.Wait()
	return accepted
}

// process is a relay of its own.
type process struct{ kill func() }

// startRelay returns when the relay listens.
func startRelay(t *testing.T, town *notifytest.Town) process {
	t.Helper()
	relay := exec.Command(os.Args[0], "-test.run=^$")
	relay.Env = append(os.Environ(), asRelay+"="+strings.Join([]string{town.Config(), town.Temporal(), town.Relay()}, "|"))
	relay.Stderr = os.Stderr
	out, err := relay.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, relay.Start())
	kill := sync.OnceFunc(func() {
		_ = relay.Process.Kill()
		_ = relay.Wait() // it was killed
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "listening\n", line)
	return process{kill}
}
