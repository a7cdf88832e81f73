package datadir_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/standalone/datadir"
)

// childDir, where set, makes the test's program one that holds that directory.
const childDir = "DATADIR_TEST_CHILD"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := datadir.Open(dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	select {}
}

func TestADirectoryIsMadeForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "var", "data")
	dir, err := datadir.Open(path)
	require.NoError(t, err)
	defer dir.Close()
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestPathsAreAbsoluteAndInside(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	require.NoError(t, err)
	dir, err := datadir.Open("data")
	require.NoError(t, err)
	defer dir.Close()
	require.Equal(t, filepath.Join(here, "data"), dir.Path())
	require.Equal(t, filepath.Join(here, "data", "temporal.db"), dir.Database())
	require.Equal(t, filepath.Join(here, "data", "archive"), dir.Archive())
}

func TestASecondProcessIsRefusedUntilTheFirstIsGone(t *testing.T) {
	path := t.TempDir()
	first := exec.Command(os.Args[0])
	first.Env = append(os.Environ(), childDir+"="+path)
	out, err := first.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, first.Start())
	t.Cleanup(func() { _ = first.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "locked\n", line)

	_, err = datadir.Open(path)
	require.EqualError(t, err, "the data directory "+path+" is in use by another process: stop that one, or choose another directory with --data")

	require.NoError(t, first.Process.Kill()) // a killed process leaves nothing locked
	_ = first.Wait()
	dir, err := datadir.Open(path)
	require.NoError(t, err)
	require.NoError(t, dir.Close())
}

func TestAClosedDirectoryCanBeOpenedAgain(t *testing.T) {
	path := t.TempDir()
	for range 2 {
		dir, err := datadir.Open(path)
		require.NoError(t, err)
		require.NoError(t, dir.Close())
	}
}

func TestAFileInThePlaceOfTheDirectoryIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err := datadir.Open(path)
	require.ErrorContains(t, err, path)
}
