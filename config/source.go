package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// source is one file as it was last read. It is never changed.
type source struct {
	stamp  stamp
	sum    [sha256.Size]byte // of the content
	parsed *parsedFile
	items  itemsFiles // that its shops name
}

// unchanged tells whether the file, and those it names, are surely the ones
// that were read.
func (s *source) unchanged(env Environment, dir, file string) bool {
	return s.stamp.unchanged(env, dir, file) && s.items.unchanged(env)
}

func (s *source) young() bool { return s.stamp.young || s.items.young() }

// stamp is how a file looked from outside when it was read.
type stamp struct {
	modified time.Time
	size     int64
	// young: written so shortly before it was read that another writing may
	// have left the same time. Such a file is read again to be sure.
	young bool
}

// Times of files are as coarse as 2 s (FAT), those of directories matter until
// the next listing only.
const (
	fileGranularity      = 2 * time.Second
	directoryGranularity = 50 * time.Millisecond
)

func newStamp(info fs.FileInfo, now time.Time, granularity time.Duration) stamp {
	age := now.Sub(info.ModTime())
	return stamp{modified: info.ModTime(), size: info.Size(), young: age.Abs() < granularity}
}

func (s stamp) equal(other stamp) bool {
	return !s.young && s.modified.Equal(other.modified) && s.size == other.size
}

// unchanged tells whether the file is surely the one that was read.
func (s stamp) unchanged(env Environment, dir, file string) bool {
	now, err := stampOf(env, dir, file)
	return err == nil && s.equal(now)
}

// stampOf looks at a file that is to be read. Anything but a file (a pipe, a
// device) is refused: reading it could wait for ever.
func stampOf(env Environment, dir, file string) (stamp, error) {
	now := env.Now()
	info, err := env.Stat(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return stamp{}, errors.New("it is a folder, pipe or device")
	}
	return newStamp(info, now, fileGranularity), nil
}

// listing is what the directory held when it was last listed. Paths have
// slashes and are relative to it.
type listing struct {
	at          time.Time
	took        time.Duration // with what was read again
	files       map[string]stamp
	directories map[string]stamp
	unreadable  []string // what was read there before still counts
	problems    []Diagnostic
}

// list walks the directory. The diagnostic is set where it cannot be listed or
// holds no file at all.
func list(env Environment, dir string) (listing, *Diagnostic) {
	l := listing{at: env.Now(), files: map[string]stamp{}, directories: map[string]stamp{}}
	if err := l.walk(env, dir, "."); err != nil {
		return l, &Diagnostic{File: ".", Message: fmt.Sprintf("the configuration directory %s cannot be read: %s; give another one with --config or SKLADOM_CONFIG", dir, reason(err))}
	}
	if len(l.files) == 0 && len(l.unreadable) == 0 {
		return l, &Diagnostic{File: ".", Message: fmt.Sprintf("the configuration directory %s holds no *.hcl file; put skladom.hcl and shops/*.hcl there", dir)}
	}
	return l, nil
}

func (l *listing) walk(env Environment, dir, below string) error {
	// The time of the directory before its content: what is added in between
	// shows at the next look.
	info, err := env.Stat(filepath.Join(dir, filepath.FromSlash(below)))
	if err != nil {
		return err
	}
	entries, err := env.ReadDir(filepath.Join(dir, filepath.FromSlash(below)))
	if err != nil {
		return err
	}
	l.directories[below] = newStamp(info, l.at, directoryGranularity)
	for _, entry := range entries {
		l.add(env, dir, path.Join(below, entry.Name()), entry)
	}
	return nil
}

func (l *listing) add(env Environment, dir, name string, entry fs.DirEntry) {
	// Names with a dot in front are editors' files and, in a mounted Kubernetes
	// ConfigMap, the directories that the visible names are links into.
	if strings.HasPrefix(entry.Name(), ".") {
		return
	}
	if entry.IsDir() {
		if err := l.walk(env, dir, name); err != nil {
			l.fail(name, err)
		}
		return
	}
	if entry.Type()&fs.ModeSymlink != 0 {
		if info, err := env.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil && info.IsDir() {
			l.problems = append(l.problems, Diagnostic{File: name, Message: "is a link to a directory, which is not followed; link its files one by one, or give that directory with --config"})
			return
		}
	}
	if path.Ext(name) != ".hcl" {
		return
	}
	stamp, err := stampOf(env, dir, name)
	if err != nil {
		l.fail(name, err)
		return
	}
	l.files[name] = stamp
}

// interval is how long a listing serves, unless somebody asks for a new one.
func (l *listing) interval() time.Duration {
	return min(max(listingInterval, listingShare*l.took), maxListingInterval)
}

func (l *listing) fail(name string, err error) {
	l.problems = append(l.problems, Diagnostic{File: name, Message: "cannot be read: " + reason(err)})
	if !errors.Is(err, fs.ErrNotExist) {
		l.unreadable = append(l.unreadable, name)
	}
}

// unchanged tells whether no name was surely added or removed since.
func (l *listing) unchanged(env Environment, dir string) bool {
	for name, before := range l.directories {
		info, err := env.Stat(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || !before.equal(newStamp(info, l.at, 0)) {
			return false
		}
	}
	return true
}

// read reads the files of a listing that changed and keeps the others.
func (d *Directory) read(l listing, before map[string]*source) map[string]*source {
	files := make(map[string]*source, len(l.files))
	for name, stamp := range l.files {
		if file := d.readFile(name, stamp, before[name]); file != nil {
			files[name] = file
		}
	}
	for _, below := range l.unreadable {
		for name, file := range before {
			if name == below || strings.HasPrefix(name, below+"/") {
				files[name] = file
			}
		}
	}
	return files
}

// readFile reads a file unless it is surely the one that was read before; nil
// where it was removed meanwhile.
func (d *Directory) readFile(name string, now stamp, before *source) *source {
	var items itemsFiles
	if before != nil {
		items = before.items.again(d.env, d.path)
		if before.stamp.equal(now) && before.items.sameContent(items) {
			if len(items) == 0 {
				return before
			}
			same := *before
			same.items = items
			return &same
		}
	}
	data, err := d.env.ReadFile(filepath.Join(d.path, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadableFile(name, now, before, err)
	}
	file := &source{stamp: now, sum: sha256.Sum256(data), items: itemsFiles{}}
	var previous *parsedFile
	if before != nil {
		if before.sum == file.sum && before.items.sameContent(items) {
			file.parsed, file.items = before.parsed, items
			return file
		}
		previous = before.parsed
	}
	file.parsed = parse(decoder{env: d.env, dir: d.path, file: name, known: items, used: file.items}, data, previous)
	return file
}

// unreadableFile goes on holding what it held before; of a file that was never
// read the name is all there is to go by.
func unreadableFile(name string, now stamp, before *source, err error) *source {
	now.young = true // rights may change without a trace in the times
	message := "cannot be read: " + reason(err)
	file := &source{stamp: now, sum: sha256.Sum256([]byte("unreadable\x00" + message))}
	if before != nil && before.sum == file.sum {
		file.parsed = before.parsed
		return file
	}
	var previous *parsedFile
	guess := []byte(`shop "` + strings.TrimSuffix(path.Base(name), ".hcl") + `"`)
	if before != nil {
		previous, guess = before.parsed, nil
	}
	file.parsed = brokenFile(name, guess, previous, Diagnostic{File: name, Message: message})
	return file
}

// reason is an error of the file system without the path, which is named anyway.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}
