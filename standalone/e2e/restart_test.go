package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/standalone/server"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// middles are where a pass can be interrupted: while KROS is read, while
// products are looked up, and while the shop writes.
func middles(h *house) map[string]func() (arrived <-chan struct{}, release func()) {
	return map[string]func() (<-chan struct{}, func()){
		"KROS is read":           func() (<-chan struct{}, func()) { return h.atKros.hold(h.t, "catalog-items", 3) },
		"products are looked up": func() (<-chan struct{}, func()) { return h.atShop.hold(h.t, "products/lookup", 2) },
		"quantities are written": func() (<-chan struct{}, func()) { return h.atShop.hold(h.t, "products/stock", 2) },
	}
}

const batches = 1200 // items: three batches

func TestAnotherWorkerGoesOnWhereOneWasStopped(t *testing.T) {
	t.Parallel()
	h := newHouse(t, krossim.Options{Items: rows(batches, 5), NoLimits: true}, fynodesim.Options{Products: products(batches, 1)}, "")
	stop := h.work()
	h.bringsInStep(byNumber, h.start)
	quantity := 5
	for name, hold := range middles(h) {
		quantity++
		h.kros.SetItems(rows(batches, quantity))
		want, before := h.expect(byNumber), h.status().LastPass.Pass
		arrived, release := hold()
		h.signal(protocol.SignalSyncNow, nil)
		h.wait(arrived)
		stop() // tells its activities, and returns when they have ended
		release()
		stop = h.work()

		status := h.eventually(passes(before + 1))
		require.Equal(t, protocol.ResultOK, status.LastPass.Result, "%s: %s", name, asJSON(t, status))
		addsUp(t, *status.LastPass)
		require.Equal(t, before+1, status.LastPass.Pass, "the same pass, %s", name)
		require.Equal(t, batches, status.LastPass.Updated+status.LastPass.Unchanged, name)
		require.Equal(t, want, h.quantities(), name)
		h.isActive()
	}
}

// TestAWorkerThatVanishesInTheMiddleOfAWrite is the cruellest case: from one
// moment on nobody hears of the worker, yet it goes on writing.
func TestAWorkerThatVanishesInTheMiddleOfAWrite(t *testing.T) {
	t.Parallel()
	h := newHouse(t, krossim.Options{Items: rows(batches, 5), NoLimits: true}, fynodesim.Options{Products: products(batches, 1)}, "")
	lost := h.dial(temporal.Address())
	h.workFor(lost)
	h.bringsInStep(byNumber, h.start)

	h.kros.SetItems(rows(batches, 7))
	want := h.expect(byNumber)
	arrived, release := h.atShop.hold(t, "products/stock", 2)
	h.signal(protocol.SignalSyncNow, nil)
	h.wait(arrived)
	lost.Close()
	release()
	h.work()
	status := h.eventually(passes(2))
	require.Equal(t, protocol.ResultOK, status.LastPass.Result, asJSON(t, status))
	addsUp(t, *status.LastPass)
	require.Equal(t, want, h.quantities())
	h.unmoved(func() { require.Zero(t, h.now().Updated) })
}

func TestTheServerGoesOnFromItsFile(t *testing.T) {
	t.Parallel()
	options := server.Options{
		File: filepath.Join(t.TempDir(), "temporal.db"), UIPort: server.NoUI, SearchAttributes: skladom.SearchAttributes(),
	}
	own, err := server.Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { own.Stop() })
	options.Port = portOf(t, own.Address())

	h := newHouseAt(t, own.Address(), "", krossim.Options{Items: rows(batches, 5), NoLimits: true}, fynodesim.Options{Products: products(batches, 1)}, "")
	stop := h.work()
	h.bringsInStep(byNumber, h.start)
	restart := map[string]func(){
		"the server alone": func() {
			own.Stop()
			own, err = server.Start(t.Context(), options)
			require.NoError(t, err)
		},
		"server and worker": func() {
			stop()
			own.Stop()
			own, err = server.Start(t.Context(), options)
			require.NoError(t, err)
			stop = h.work()
		},
	}
	quantity := 5
	for name, restart := range restart {
		quantity++
		h.kros.SetItems(rows(batches, quantity))
		want, before := h.expect(byNumber), h.status().LastPass.Pass
		arrived, release := h.atKros.hold(t, "catalog-items", 3)
		h.signal(protocol.SignalSyncNow, nil)
		h.wait(arrived)
		restart()
		release()
		status := h.eventually(passes(before + 1))
		require.Equal(t, protocol.ResultOK, status.LastPass.Result, "%s: %s", name, asJSON(t, status))
		addsUp(t, *status.LastPass)
		require.Equal(t, want, h.quantities(), name)
		h.isActive()
	}
}
