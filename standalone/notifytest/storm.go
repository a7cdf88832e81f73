package notifytest

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
)

// Storm is how notifications are sent to all shops at once.
type Storm struct {
	Notifications int           // over all shops in turn; each follows a change of stock in KROS
	Wrong         int           // besides, notifications with a wrong signature
	Spread        time.Duration // over which they are sent evenly, whatever is answered
}

// Aftermath is what became of a storm.
type Aftermath struct {
	Statuses      map[int]int   // answers to those that were signed rightly, by status; 0: none came
	WrongStatuses map[int]int   // to the others
	Took          time.Duration // from the first that was sent to the last that was answered
	Settled       time.Duration // until every shop had what its KROS has
	Passes        []int         // that notifications began, by shop

	HeapBefore, HeapPeak, HeapAfter uint64 // bytes in use; before and after: once collected
}

// Endure lets a storm break over the town, whose shops are all activated and
// nothing else asks anything of, and returns when every shop has followed.
func (t *Town) Endure(ctx context.Context, s Storm) (Aftermath, error) {
	before, err := t.passes(ctx)
	if err != nil {
		return Aftermath{}, err
	}
	web := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: s.Notifications}}
	a := Aftermath{Statuses: map[int]int{}, WrongStatuses: map[int]int{}, HeapBefore: settledHeap()}
	watch := watchHeap()
	begin := time.Now()
	last, err := t.send(ctx, s, web, &a)
	if err != nil {
		return Aftermath{}, err
	}
	a.Took = time.Since(begin)
	if err := t.follow(ctx, last); err != nil {
		return a, err
	}
	a.Settled = time.Since(begin)
	a.HeapPeak = watch()
	web.CloseIdleConnections()
	after, err := t.passes(ctx)
	if err != nil {
		return Aftermath{}, err
	}
	a.Passes = lo.Map(after, func(n int, i int) int { return n - before[i] })
	a.HeapAfter = settledHeap()
	return a, nil
}

// send returns when all are answered: with what every shop has to show then.
func (t *Town) send(ctx context.Context, s Storm, web *http.Client, a *Aftermath) (last []int, err error) {
	var (
		mu   sync.Mutex
		sent sync.WaitGroup
	)
	notify := func(shop *Shop, key string, statuses map[int]int) {
		status, _, _ := shop.Notify(ctx, web, key) // 0 says enough
		mu.Lock()
		defer mu.Unlock()
		statuses[status]++
	}
	last = make([]int, len(t.Shops))
	all := s.Notifications + s.Wrong
	begin, wrong := time.Now(), 0
	for i := range all {
		time.Sleep(time.Until(begin.Add(s.Spread * time.Duration(i) / time.Duration(all))))
		if wrong*all < s.Wrong*(i+1) {
			wrong++
			sent.Go(func() { notify(t.Shops[i%len(t.Shops)], "wrong", a.WrongStatuses) })
			continue
		}
		n := i - wrong
		last[n%len(t.Shops)] = stockAt + 1 + n
		if err := t.Shops[n%len(t.Shops)].Book(0, stockAt+1+n); err != nil {
			return nil, err
		}
		sent.Go(func() { notify(t.Shops[n%len(t.Shops)], t.Shops[n%len(t.Shops)].Key, a.Statuses) })
	}
	sent.Wait()
	return last, ctx.Err()
}

// follow waits until every shop shows what it has to.
func (t *Town) follow(ctx context.Context, want []int) error {
	for i, s := range t.Shops {
		if err := Await(ctx, Soon, func() bool { return s.Shows(0, want[i]) }); err != nil {
			return fmt.Errorf("%s never showed %d: %w", s.Name, want[i], err)
		}
	}
	return t.Quiet(ctx)
}

// Quiet waits until every notification has been followed by a pass.
func (t *Town) Quiet(ctx context.Context) error {
	for _, s := range t.Shops {
		var status protocol.Status
		var trouble error
		err := Await(ctx, Later, func() bool {
			status, trouble = s.Status(ctx)
			last := status.Notifications.LastAt
			return trouble != nil || last == nil || status.LastPass != nil && !status.LastPass.StartedAt.Before(*last)
		})
		if err := lo.CoalesceOrEmpty(trouble, err); err != nil {
			return fmt.Errorf("%s did not come to rest: %w", s.Name, err)
		}
	}
	return nil
}

func (t *Town) passes(ctx context.Context) (all []int, err error) {
	for _, s := range t.Shops {
		status, err := s.Status(ctx)
		if err != nil {
			return nil, err
		}
		if status.LastPass == nil {
			return nil, fmt.Errorf("%s has had no pass", s.Name)
		}
		all = append(all, int(status.LastPass.Pass))
	}
	return all, nil
}

// Chase notifies by way of signals, each times a round, as soon as the shop
// shows what the round before told of: its pass has not ended yet, and behind
// every 48th StockSync is renewed. A signal that is lost is never counted, and
// may leave the shop behind for ever.
//
// Notified passes keep a gap of a second. So in every other round somebody asks
// for a pass as well, and renewals come sooner.
func (s *Shop) Chase(ctx context.Context, rounds, each int) error {
	for round := range rounds {
		quantity := stockAt + 1 + round
		if err := s.Book(0, quantity); err != nil {
			return err
		}
		for range each {
			if err := s.Signal(ctx, nil); err != nil {
				return err
			}
		}
		if round%2 == 0 {
			if err := s.town.Client.SignalWorkflow(ctx, protocol.StockSyncID(s.Name), "", protocol.SignalSyncNow, nil); err != nil {
				return fmt.Errorf("ask %s for a pass: %w", s.Name, err)
			}
		}
		if err := Await(ctx, Soon, func() bool { return s.Shows(0, quantity) }); err != nil {
			return fmt.Errorf("%s never showed %d: %w", s.Name, quantity, err)
		}
	}
	return nil
}

// How often Await looks.
const (
	Soon  = 5 * time.Millisecond   // at what is in this process
	Later = 100 * time.Millisecond // where Temporal has to be asked
)

// Await looks again and again until something is true, or ctx ends.
func Await(ctx context.Context, every time.Duration, is func() bool) error {
	for !is() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(every):
		}
	}
	return nil
}

// settledHeap is what is in use once all that nobody needs is gone; what pools
// hold goes with the second collection.
func settledHeap() uint64 {
	runtime.GC()
	runtime.GC()
	return heap()
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// watchHeap watches the heap until what it returns is called, which tells the most.
func watchHeap() (most func() uint64) {
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		most := heap()
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				peak <- most
				return
			case <-ticker.C:
				most = max(most, heap())
			}
		}
	}()
	return func() uint64 {
		close(done)
		return <-peak
	}
}
