package snapshot

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
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

// limitFiles lets the kernel refuse what would make a file longer than so many
// bytes, as a full disk does, until the function that it returns is called. Only
// for a process that has nothing else to write.
func limitFiles(t *testing.T, bytes uint64) (lift func()) {
	t.Helper()
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: old.Max}))
	lift = func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)) }
	t.Cleanup(lift)
	return lift
}

func TestAFullDiskLeavesNoHalfObject(t *testing.T) {
	if !alone(t) {
		return
	}
	a, dir := openDir(t)
	whole, err := Write(t.Context(), a, name(Plan, 1), slices.Values(items(500)))
	require.NoError(t, err)
	before := files(t, dir)
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(whole.Key)))
	require.NoError(t, err)
	for _, room := range []uint64{0, 1, uint64(info.Size()) / 2, uint64(info.Size()) - 1} {
		lift := limitFiles(t, room)
		_, err := Write(t.Context(), a, name(Plan, 2), slices.Values(items(500)))
		_, again := Write(t.Context(), a, name(Plan, 1), slices.Values(items(500)))
		lift()
		var refusal *UnwritableError
		require.ErrorAs(t, err, &refusal)
		require.ErrorIs(t, err, syscall.EFBIG)
		require.Equal(t, "the archive at file://"+filepath.ToSlash(dir)+" cannot be written: file too large", refusal.Error())
		require.Error(t, again)
		require.Equal(t, before, files(t, dir), "with room for %d bytes", room)
		require.NoError(t, a.Check(t.Context(), whole), "what was there is as it was")
	}
	lift := limitFiles(t, uint64(info.Size())+100)
	defer lift()
	_, err = Write(t.Context(), a, name(Plan, 2), slices.Values(items(500)))
	require.NoError(t, err, "there is just room enough")
}

func TestAFullDiskHasNoIDAndKeepsNoFileOfTheAttempt(t *testing.T) {
	if !alone(t) {
		return
	}
	dir := t.TempDir()
	for _, room := range []uint64{0, 10} {
		lift := limitFiles(t, room)
		_, err := Open(t.Context(), "file://"+filepath.ToSlash(dir))
		lift()
		require.ErrorIs(t, err, syscall.EFBIG)
		require.ErrorContains(t, err, dir)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left, "a worker that cannot start is started again and again")
	}
	require.NotEmpty(t, open(t, "file://"+filepath.ToSlash(dir)).Bucket())
}

func TestWhereTheArchiveIsIsShownWithoutOptions(t *testing.T) {
	refusal := &UnwritableError{Address: open(t, "mem://?nothing=secret").address, Err: errors.New("the bucket hangs")}
	require.Equal(t, "the archive at mem:// cannot be written: the bucket hangs", refusal.Error())
}
