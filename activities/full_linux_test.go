package activities_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
)

// alone runs the test in a process of its own and tells whether this is that
// one: what it does to the process is nobody else's business.
func alone(t *testing.T) bool {
	t.Helper()
	const own = "SKLADOM_TEST_ALONE"
	if os.Getenv(own) != "" {
		return true
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), own+"=1")
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return false
}

// full makes the disk of the whole process full until lift is called.
func full(t *testing.T) (lift func()) {
	t.Helper()
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Max: old.Max}))
	lift = func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)) }
	t.Cleanup(lift)
	return lift
}

func TestAFullArchiveIsNamedAndNothingIsWrittenWithoutAPlan(t *testing.T) {
	if !alone(t) {
		return
	}
	kros, shop := small()
	b := newBench(t, kros, shop, "")
	b.onDisk()
	fetched := b.fetch(protocol.Memory{})
	lift := full(t)
	_, err := run[protocol.Matched](b, b.acts.MatchProducts, b.matchRequest(fetched))
	lift()
	require.Equal(t, activities.ErrorUnwritable, app(t, err).Type())
	require.Equal(t, "the archive at file://"+b.dir+"/archive cannot be written: file too large", app(t, err).Message())
	require.Empty(t, b.shop.Writes())
	require.NotEmpty(t, b.match(fetched).Writes, "it goes on when there is room")
}

func TestAFullArchiveGivesUpWhatNothingNeeds(t *testing.T) {
	if !alone(t) {
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

	lift := full(t)
	_, err = run[protocol.Fetched](b, b.acts.FetchStock, b.fetchRequest(memory))
	lift()
	require.Equal(t, activities.ErrorUnwritable, app(t, err).Type())
	kept, err := b.archive.List(t.Context(), acme, snapshot.Catalogue)
	require.NoError(t, err)
	require.Len(t, kept, 1, "the dry run is gone")
	require.Equal(t, memory.Baseline.Key, kept[0].Key)
	require.Equal(t, memory, b.fetch(memory).Memory)
}
