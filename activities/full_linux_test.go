package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/testsuite/fulldisk"
)

func TestAFullArchiveIsNamedAndNothingIsWrittenWithoutAPlan(t *testing.T) {
	if !fulldisk.Alone(t) {
		return
	}
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.onDisk()
	fetched := b.fetch(protocol.Memory{})
	lift := fulldisk.Limit(t, 0)
	_, err := run[protocol.Matched](b, b.acts.MatchProducts, b.matchRequest(fetched))
	lift()
	require.Equal(t, activities.ErrorUnwritable, app(t, err).Type())
	require.Equal(t, "the archive at file://"+b.dir+"/archive cannot be written: file too large", app(t, err).Message())
	require.Empty(t, b.shop.Writes())
	require.NotEmpty(t, b.match(fetched).Writes, "it goes on when there is room")
}

func TestAFullArchiveGivesUpWhatNothingNeeds(t *testing.T) {
	if !fulldisk.Alone(t) {
		return
	}
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.onDisk()
	memory, _ := b.pass(protocol.Memory{})
	dry := b.fetchRequest(memory)
	dry.DryRun = true
	_, err := run[protocol.Fetched](b, b.acts.FetchStock, dry)
	require.NoError(t, err)
	b.now = b.now.Add(2 * time.Hour)

	lift := fulldisk.Limit(t, 0)
	_, err = run[protocol.Fetched](b, b.acts.FetchStock, b.fetchRequest(memory))
	lift()
	require.Equal(t, activities.ErrorUnwritable, app(t, err).Type())
	kept, err := b.archive.List(t.Context(), acme, snapshot.Catalogue)
	require.NoError(t, err)
	require.Len(t, kept, 1, "the dry run is gone")
	require.Equal(t, memory.Baseline.Key, kept[0].Key)
	require.Equal(t, memory, b.fetch(memory).Memory)
}
