package activities

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
)

func TestWhatIsHandedOverIsTakenOnce(t *testing.T) {
	var h handover
	h.give(protocol.Ref{Key: "a", Rows: 2}, "first")
	h.give(protocol.Ref{Key: "a", Rows: 2}, "again")
	h.give(protocol.Ref{Key: "b", Rows: 3}, "other")
	h.give(protocol.Ref{}, "nothing")

	value, held := h.take(protocol.Ref{Key: "a", Rows: 2})
	require.True(t, held)
	require.Equal(t, "first", value)
	for _, ref := range []protocol.Ref{{Key: "a", Rows: 2}, {Key: "b", Rows: 3, SHA256: "other bytes"}, {}} {
		_, held = h.take(ref)
		require.False(t, held, "%v", ref)
	}
	require.Equal(t, 3, h.rows)
}

func TestNoMoreIsHandedOverThanThereIsRoomFor(t *testing.T) {
	var h handover
	large, small := protocol.Ref{Key: "large", Rows: handoverRows}, protocol.Ref{Key: "small", Rows: 1}
	h.give(large, "large")
	h.give(small, "small")
	_, held := h.take(small)
	require.False(t, held)
	_, held = h.take(large)
	require.True(t, held)
	h.give(small, "small")
	_, held = h.take(small)
	require.True(t, held)
}

func TestWhatNobodyTakesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h handover
		ref := protocol.Ref{Key: "a", Rows: 2}
		h.give(ref, "a pass that was cancelled")
		time.Sleep(handoverFor + time.Second)
		synctest.Wait()
		_, held := h.take(ref)
		require.False(t, held)
		require.Zero(t, h.rows)
	})
}
