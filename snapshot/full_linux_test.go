package snapshot

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/fulldisk"
)

func TestAFullDiskLeavesNoHalfObject(t *testing.T) {
	if !fulldisk.Alone(t) {
		return
	}
	a, dir := openDir(t)
	whole, err := Write(t.Context(), a, name(Plan, 1), slices.Values(items(500)))
	require.NoError(t, err)
	before := files(t, dir)
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(whole.Key)))
	require.NoError(t, err)
	for _, room := range []uint64{0, 1, uint64(info.Size()) / 2, uint64(info.Size()) - 1} {
		lift := fulldisk.Limit(t, room)
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
	lift := fulldisk.Limit(t, uint64(info.Size())+100)
	defer lift()
	_, err = Write(t.Context(), a, name(Plan, 2), slices.Values(items(500)))
	require.NoError(t, err, "there is just room enough")
}

func TestAFullDiskHasNoIDAndKeepsNoFileOfTheAttempt(t *testing.T) {
	if !fulldisk.Alone(t) {
		return
	}
	dir := t.TempDir()
	for _, room := range []uint64{0, 10} {
		lift := fulldisk.Limit(t, room)
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
