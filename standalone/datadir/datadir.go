// Package datadir is the directory in which one process keeps everything that
// has to outlive it: Temporal's database and the archive.
//
// It says where things are and sees to it that one process alone works on
// them. What is inside the files is their owners' business.
package datadir

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Dir is a directory that is locked for this process.
type Dir struct {
	path string
	lock *flock.Flock
}

// Open makes the directory where it is missing and locks it. The lock ends
// with Close or with the process, however that ends. Where another process has
// it, the error is a sentence that says so.
func Open(path string) (*Dir, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the data directory %s: %w", path, err)
	}
	if err := os.MkdirAll(absolute, 0o700); err != nil { // what shops sell is nobody else's business
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	lock := flock.New(filepath.Join(absolute, "lock"), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data directory %s: %w", absolute, err)
	}
	if !locked {
		return nil, fmt.Errorf("the data directory %s is in use by another process: stop that one, or choose another directory with --data", absolute)
	}
	return &Dir{path: absolute, lock: lock}, nil
}

// Path is the directory's absolute path.
func (d *Dir) Path() string { return d.path }

// Database is the file of the Temporal server.
func (d *Dir) Database() string { return filepath.Join(d.path, "temporal.db") }

// Archive is the directory of the snapshots, where the configuration names no
// bucket.
func (d *Dir) Archive() string { return filepath.Join(d.path, "archive") }

// Close lets another process in. Everything inside must be closed before.
func (d *Dir) Close() error {
	// The file stays: removing it would let two processes hold two locks of one name.
	if err := d.lock.Close(); err != nil {
		return fmt.Errorf("unlock the data directory %s: %w", d.path, err)
	}
	return nil
}
