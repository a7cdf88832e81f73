package soak

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/samber/lo"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/internal/market"
	"github.com/skladom/skladom/standalone/internal/site"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// chased is how many passes a busy shop gets at least, in whatever form: more
// than a run of StockSync has.
const chased = 50

// busy are the shops that are synced all the time, so that they come to be
// renewed. Nothing keeps them from it.
func (s *soak) busy() []*market.Shop { return s.market.Shops[:1+len(s.market.Shops)/50] }

// live lets all shops live for a time, each about as many steps as ticks. What
// is begun by hand has ended when it returns.
func (s *soak) live(lasts time.Duration, meanwhile func(context.Context) error) error {
	ctx, enough := context.WithTimeout(context.Background(), lasts)
	defer enough()
	var life errgroup.Group
	life.Go(func() error { return meanwhile(ctx) })
	for _, shop := range s.busy() {
		life.Go(func() error { return s.chase(ctx, shop) })
	}
	life.Go(func() error {
		for wait(ctx, *every/time.Duration(len(s.market.Shops))) {
			if err := s.step(ctx, &life); err != nil {
				return err
			}
		}
		return nil
	})
	return life.Wait()
}

// inRhythm has every shop synced while something is done, as a Temporal Schedule
// would do it, where the rhythm is quicker than settings permit.
func (s *soak) inRhythm(do func() error) error {
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	var rhythm errgroup.Group
	if *every < leastSchedule {
		rhythm.Go(func() error { return s.beat(ctx) })
	}
	err := do()
	enough()
	return errors.Join(err, rhythm.Wait())
}

func (s *soak) beat(ctx context.Context) error {
	for i := 0; wait(ctx, *every/time.Duration(len(s.market.Shops))); i++ {
		if err := market.SyncNow(context.WithoutCancel(ctx), s.client, s.market.Shops[i%len(s.market.Shops)]); err != nil {
			return err
		}
	}
	return nil
}

// chase syncs a shop ten times as often as its ticks do.
func (s *soak) chase(ctx context.Context, shop *market.Shop) error {
	for wait(ctx, *every/10) {
		if err := s.sync(shop); err != nil {
			return err
		}
	}
	return nil
}

func (s *soak) sync(shop *market.Shop) error {
	_, err := market.Sync(s.context(), s.client, shop)
	s.count(s.synced, shop.Name)
	return err
}

// step is one thing that happens to one shop.
func (s *soak) step(ctx context.Context, life *errgroup.Group) error {
	shop := s.market.Shops[s.random.IntN(len(s.market.Shops))]
	n := s.random.IntN(100)
	if slices.Contains(s.busy(), shop) {
		n %= 60
	}
	switch {
	case n < 35:
		s.count(s.done, "changes")
		return shop.Live(1 + s.random.IntN(8))
	case n < 60:
		s.count(s.done, "changes")
		return s.notify(ctx, shop)
	case n < 82:
		return s.trouble(ctx, shop, life)
	case n < 86:
		return s.refuse(ctx, shop, life)
	case n < 92:
		s.syncByHand(shop, life)
		return nil
	default:
		return s.pauseOrResume(shop)
	}
}

func (s *soak) notify(ctx context.Context, shop *market.Shop) error {
	if err := shop.Live(1 + s.random.IntN(8)); err != nil {
		return err
	}
	for range 1 + s.random.IntN(3) {
		if err := market.Signal(context.WithoutCancel(ctx), s.client, shop); err != nil {
			return err
		}
		s.told[shop.Name]++
	}
	return nil
}

// trouble plants a few faults, which are over after a while. Every second time
// KROS notifies, so that they are met even where no tick comes meanwhile.
func (s *soak) trouble(ctx context.Context, shop *market.Shop, life *errgroup.Group) error {
	for range 1 + s.random.IntN(3) {
		if err := s.plant(shop); err != nil {
			return err
		}
	}
	s.lift(ctx, shop, life, *every/8+s.upTo(*every))
	if s.random.IntN(2) == 0 {
		return s.notify(ctx, shop)
	}
	return shop.Live(1)
}

// refuse has both sides, or one, refuse the key, past the shop's next tick.
func (s *soak) refuse(ctx context.Context, shop *market.Shop, life *errgroup.Group) error {
	side := s.random.IntN(3)
	s.count(s.planted, "key refused for a while")
	s.lift(ctx, shop, life, *every+s.upTo(*every))
	if side != 0 {
		if err := shop.KROS.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: http.StatusUnauthorized, Count: -1}); err != nil {
			return err
		}
	}
	if side != 1 {
		return shop.Fynode.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: http.StatusUnauthorized, Count: -1})
	}
	return nil
}

func (s *soak) lift(ctx context.Context, shop *market.Shop, life *errgroup.Group, after time.Duration) {
	life.Go(func() error {
		wait(ctx, after)
		shop.KROS.ClearFaults()
		shop.Fynode.ClearFaults()
		return nil
	})
}

// syncByHand lets a person wait for a pass, who is refused while the shop is
// paused.
func (s *soak) syncByHand(shop *market.Shop, life *errgroup.Group) {
	s.count(s.done, "syncs by hand")
	life.Go(func() error {
		_, err := market.Sync(s.context(), s.client, shop)
		return unlessRefused(err)
	})
}

// unlessRefused is err, but nil where the shop said in a sentence that it will not.
func unlessRefused(err error) error {
	if app := new(temporal.ApplicationError); errors.As(err, &app) && app.Type() == "refused" {
		return nil
	}
	return err
}

// leastPause is enough for a pause to be still to come when it arrives, as a rule.
const leastPause = 3 * time.Second

// pauseOrResume pauses a shop, every second time for a while only, or resumes
// the first that waits for it.
func (s *soak) pauseOrResume(shop *market.Shop) error {
	if len(s.paused) > 0 && s.random.IntN(2) == 0 {
		s.count(s.done, "resumes")
		return s.resume(s.paused[0])
	}
	s.count(s.done, "pauses")
	request := protocol.PauseRequest{Reason: "inventory"}
	if s.random.IntN(2) == 0 {
		until := time.Now().Add(*every/4 + s.upTo(*every) + leastPause)
		request.Until = &until
	} else if !slices.Contains(s.paused, shop) {
		s.paused = append(s.paused, shop)
	}
	return unlessRefused(site.Update(s.context(), s.client, shop.Name, protocol.UpdatePause, new(protocol.Status), request))
}

func (s *soak) resume(shop *market.Shop) error {
	s.paused = lo.Without(s.paused, shop)
	return site.Update(s.context(), s.client, shop.Name, protocol.UpdateResume, new(protocol.Status))
}

func (s *soak) upTo(d time.Duration) time.Duration { return time.Duration(s.random.Int64N(int64(d))) }

// wait tells whether so much time has passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
