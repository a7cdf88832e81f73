package crash

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/samber/lo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/standalone/internal/process"
)

// rows are small catalogues, and in the long form one for which a pass writes
// several batches.
func rows(ith int) int {
	if ith == 2 && long() {
		return 1300
	}
	return 40 + 7*ith
}

// long tells whether this is the long form.
func long() bool { return *kills >= 50 }

// TestWorkersAreKilled is the rule: whenever a worker dies, another one ends what
// it began, and every shop shows what it must. In every fourth rig two workers
// share the queue, and one of them stays.
func TestWorkersAreKilled(t *testing.T) {
	t.Parallel()
	repeatable(t)
	var (
		mu                    sync.Mutex
		aimed                 = map[aim]int{}
		caught                = map[string]int{}
		passes, runs, sold    int
		killed, missed, shops int
	)
	secrets, logs := []string{}, []string{}
	began := time.Now()
	t.Run("rigs", func(t *testing.T) {
		for i := range *rigs {
			n := *kills / *rigs
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, rigOptions{
					name: fmt.Sprintf("rig%d-%d", i, *seed), seed: *seed + uint64(i), shops: lo.Ternary(long(), 12, 4), workers: lo.Ternary(i%4 == 1, 2, 1),
					address: temporal.Address(), rows: rows,
				})
				require.NoError(t, r.work())
				chance := random(uint64(i))
				weights := []aim{update, fetch, activation, match, update, anywhere}
				if long() {
					weights = []aim{update, fetch, activation, match, update, renewal, fetch, match, update, renewal, anywhere}
				}
				err := r.run(chance, plan(chance, n, weights...), r.killWorker, 100*time.Millisecond)
				require.NoError(t, err, r.tail())
				wrong, ended, renewed, err := r.judge()
				require.NoError(t, err, r.tail())
				if !assert.Empty(t, wrong) {
					t.Log(r.tail())
				}

				mu.Lock()
				defer mu.Unlock()
				for what, n := range r.aimed {
					aimed[what] += n
				}
				for what, n := range r.caught {
					caught[what] += n
				}
				for _, s := range r.market.Shops {
					sold += s.Sold()
				}
				passes, runs, killed, missed, shops = passes+ended, runs+renewed, killed+n, missed+r.missed, shops+len(r.market.Shops)
				secrets = append(secrets, r.market.Secrets()...)
				keepsSecrets(t, r.market.Secrets(), r.logPath)
			})
		}
	})
	keepsSecrets(t, secrets, temporalFile, logs...)
	if long() {
		assert.Positive(t, runs, "no StockSync was renewed, so no kill met one")
	}
	t.Logf("seed %d: %d kills of workers in %s, aimed at %s (%d met nothing); caught: %s. %d shops, %d passes, %d renewals of StockSync, %d pieces sold and kept",
		*seed, killed, time.Since(began).Round(time.Second), counts(aimed), missed, counts(caught), shops, passes, runs, sold)
}

// TestTheServerIsKilled kills the Temporal server, which starts again on its
// file, while its workers stay.
func TestTheServerIsKilled(t *testing.T) {
	t.Parallel()
	repeatable(t)
	dir, port := t.TempDir(), freePort(t)
	part := process.Part{Server: &process.Server{File: filepath.Join(dir, "temporal.db"), Port: port, SuggestedEvents: suggestedEvents}}
	r := newRig(t, rigOptions{
		name: fmt.Sprintf("fall-%d", *seed), seed: *seed + 100, shops: lo.Ternary(long(), 8, 3), workers: 1, address: loopback(port), rows: rows,
	})
	own, err := process.Start(r.context(), part, r.log)
	require.NoError(t, err)
	t.Cleanup(func() { own.Kill() })
	require.NoError(t, r.work())
	chance := random(100)
	err = r.run(chance, plan(chance, *falls, update, fetch, match, activation, anywhere), func(int) (caught map[string]int, err error) {
		if caught, err = r.underWay(); err != nil {
			return nil, err
		}
		own.Kill()
		own, err = process.Start(r.context(), part, r.log)
		return caught, err
	}, 100*time.Millisecond)
	require.NoError(t, err, r.tail())
	wrong, passes, renewed, err := r.judge()
	require.NoError(t, err, r.tail())
	require.Empty(t, wrong, r.tail())
	keepsSecrets(t, r.market.Secrets(), part.Server.File, r.logPath)
	t.Logf("seed %d: %d falls of the server, aimed at %s; caught: %s. %d passes, %d renewals", *seed, *falls, counts(r.aimed), counts(r.caught), passes, renewed)
}
