package kros

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// flight is one request as a client sees it; KROS counts it somewhere between.
type flight struct{ sent, answered time.Time }

// fly sends a request that takes latency and returns when it was under way.
func fly(ctx context.Context, log *slidingLog, perSecond, perMinute int, latency time.Duration) (flight, error) {
	sending, err := log.take(ctx, wallClock{}, perSecond, perMinute)
	if err != nil {
		return flight{}, err
	}
	sent := time.Now()
	time.Sleep(latency)
	sending.free(time.Now())
	return flight{sent, time.Now()}, nil
}

func TestEachRequestWaitsForTheAnswerOfTheTenthBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLimits().of("token")
		const latency = 30 * time.Millisecond
		var flights []flight
		for n := range 41 {
			got, err := fly(t.Context(), log, 10, 300, latency)
			require.NoError(t, err)
			flights = append(flights, got)
			if n >= 10 {
				earliest := flights[n-10].answered.Add(time.Second + margin)
				if before := flights[n-1].answered; before.After(earliest) {
					earliest = before
				}
				require.Equal(t, earliest, got.sent, "request %d goes as early as it may", n)
			}
		}
	})
}

func TestTheThreeHundredAndFirstWaitsForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLimits().of("token")
		var flights []flight
		for range 301 {
			got, err := fly(t.Context(), log, 10, 300, 0)
			require.NoError(t, err)
			flights = append(flights, got)
		}
		require.Equal(t, flights[0].answered.Add(time.Minute+margin), flights[300].sent)
	})
}

func TestARequestUnderWayHoldsBackTheTenthAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLimits().of("token")
		slow, err := log.take(t.Context(), wallClock{}, 2, 300)
		require.NoError(t, err)
		_, err = fly(t.Context(), log, 2, 300, 0)
		require.NoError(t, err)
		go func() {
			time.Sleep(100 * time.Second)
			slow.free(time.Now())
		}()
		start := time.Now()
		third, err := fly(t.Context(), log, 2, 300, 0)
		require.NoError(t, err)
		require.Equal(t, start.Add(101*time.Second+margin), third.sent)
	})
}

func TestWhoGivesUpWaitingTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLimits().of("token")
		start := time.Now()
		_, err := fly(t.Context(), log, 1, 300, 0)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		var waiters sync.WaitGroup
		for range 20 {
			waiters.Go(func() {
				_, err := fly(ctx, log, 1, 300, 0)
				require.ErrorIs(t, err, context.DeadlineExceeded)
			})
		}
		waiters.Wait()
		next, err := fly(t.Context(), log, 1, 300, 0)
		require.NoError(t, err)
		require.Equal(t, start.Add(time.Second+margin), next.sent)
	})
}

func TestNobodyGoesWithAContextThatEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		_, err := NewLimits().of("token").take(ctx, wallClock{}, 10, 300)
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestClientsOfOneTokenShareItsLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := NewLimits()
		first, err := New(Config{Token: "one", Limits: limits})
		require.NoError(t, err)
		second, err := New(Config{Token: " Bearer one\n", Limits: limits, PerSecond: 2})
		require.NoError(t, err)
		other, err := New(Config{Token: "other", Limits: limits})
		require.NoError(t, err)
		require.Same(t, first.log, second.log)
		require.NotSame(t, first.log, other.log)

		start := time.Now()
		for range 5 {
			_, err := fly(t.Context(), first.log, first.perSecond, first.perMinute, 0)
			require.NoError(t, err)
		}
		require.Equal(t, start, time.Now(), "five of ten go at once")
		slower, err := fly(t.Context(), second.log, second.perSecond, second.perMinute, 0)
		require.NoError(t, err)
		require.Equal(t, start.Add(time.Second+margin), slower.sent, "who is granted two counts the five of the other")
	})
}

// However many requests are under way for however long, and wherever in its
// flight KROS counts each: no second sees more than ten, no minute more than
// the limit.
func TestNoWindowSeesMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		perSecond := rapid.IntRange(1, 6).Draw(rt, "perSecond")
		perMinute := rapid.IntRange(1, 30).Draw(rt, "perMinute")
		latencies := rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 80).Draw(rt, "latencies")
		counted := rapid.SliceOfN(rapid.Float64Range(0, 1), len(latencies), len(latencies)).Draw(rt, "counted")
		workers := rapid.IntRange(1, 12).Draw(rt, "workers")
		var mu sync.Mutex
		var arrivals []time.Time
		synctest.Test(t, func(t *testing.T) {
			log := NewLimits().of("token")
			jobs := make(chan int)
			var running sync.WaitGroup
			for range workers {
				running.Go(func() {
					for job := range jobs {
						got, err := fly(context.Background(), log, perSecond, perMinute, time.Duration(latencies[job])*time.Millisecond)
						if err != nil {
							t.Error(err)
						}
						arrival := got.sent.Add(time.Duration(counted[job] * float64(got.answered.Sub(got.sent))))
						mu.Lock()
						arrivals = append(arrivals, arrival)
						mu.Unlock()
					}
				})
			}
			for job := range latencies {
				jobs <- job
			}
			close(jobs)
			running.Wait()
		})
		slices.SortFunc(arrivals, time.Time.Compare)
		require.Len(rt, arrivals, len(latencies))
		for i := range arrivals {
			if i >= perSecond {
				require.GreaterOrEqual(rt, arrivals[i].Sub(arrivals[i-perSecond]), time.Second)
			}
			if i >= perMinute {
				require.GreaterOrEqual(rt, arrivals[i].Sub(arrivals[i-perMinute]), time.Minute)
			}
		}
	})
}

// trip is a line on which a request is sent.
type trip func(*http.Request) (*http.Response, error)

func (t trip) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestARequestThatIsGivenUpMayArriveLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Time
		client, err := New(Config{Token: "token", PerSecond: 1, HTTP: &http.Client{Transport: trip(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, time.Now())
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}})
		require.NoError(t, err)
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_, err = client.Item(ctx, "A")
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.Len(t, sent, 2)
		require.Equal(t, sent[0].Add(5*time.Second+onTheWay+time.Second+margin), sent[1])
	})
}
