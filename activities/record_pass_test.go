package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
)

func TestARecordThatIsWrittenTwiceIsOneRecord(t *testing.T) {
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	record := protocol.PassRecord{
		Report: protocol.Report{Shop: acme, Pass: 12, Trigger: protocol.TriggerManual, Result: protocol.ResultOK, StartedAt: b.now.UTC()},
		By:     "jana", Settings: b.loaded.Settings, Plan: protocol.Ref{Key: "plan"}, Receipts: []protocol.Ref{{Key: "receipt"}},
	}
	for range 2 {
		_, err := run[any](b, b.acts.RecordPass, protocol.RecordRequest{Shop: acme, Pass: 12, Record: record})
		require.NoError(t, err)
		b.now = b.now.Add(time.Minute)
	}
	page, err := run[protocol.InspectPage](b, b.acts.ReadArchive, protocol.InspectRequest{Shop: acme, Kind: "pass", Pass: 12})
	require.NoError(t, err)
	require.Len(t, page.Rows, 1)
	require.JSONEq(t, asJSON(t, record), string(page.Rows[0]))

	entries, err := b.archive.List(t.Context(), acme, snapshot.Pass)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	last, err := b.archive.LastPass(t.Context(), acme)
	require.NoError(t, err)
	require.Equal(t, int64(12), last, "pass numbers go on behind it")
}
