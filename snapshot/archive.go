package snapshot

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"github.com/google/uuid"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"
)

// The errors a caller decides by. They are wrapped; use errors.Is.
var (
	// ErrMissing: there is no such object (removed, or never written).
	ErrMissing = errors.New("the object is not in the archive")
	// ErrCorrupt: the object is there, but is not what was written.
	ErrCorrupt = errors.New("the object in the archive is damaged")
	// ErrOtherBucket: the reference was made by a worker with another bucket.
	ErrOtherBucket = errors.New("the reference belongs to another bucket: all workers need one shared bucket (snapshots.url)")
)

// UnwritableError is why a bucket took no object: its disk is full, it cannot be
// reached, or its rights do not allow it. Nothing of the object is left.
type UnwritableError struct {
	Address string // of the bucket, as it may be shown
	Err     error
}

// Error is short enough to be read in a status; what was to be written stands
// in what wraps it.
func (e *UnwritableError) Error() string {
	reason := e.Err.Error()
	var errno syscall.Errno
	if errors.As(e.Err, &errno) {
		reason = errno.Error()
	}
	return fmt.Sprintf("the archive at %s cannot be written: %s", e.Address, reason)
}

func (e *UnwritableError) Unwrap() error { return e.Err }

// Archive is an open bucket. It is safe for concurrent use.
type Archive struct {
	bucket  *blob.Bucket
	id      string
	address string // without the options of its driver
}

// idKey holds the bucket's id. No shop can be called so: the dot.
const idKey = "bucket.id"

// Open opens the bucket at address: "file:///absolute/dir" (created if absent),
// "mem://" (a new, empty one each time), or any scheme whose gocloud.dev driver
// the program has imported ("s3://name?region=..."). The first to open a bucket
// gives it an id.
func Open(ctx context.Context, address string) (*Archive, error) {
	bucket, dir, err := openBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	id, err := identify(ctx, bucket, dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open archive %s: %w", address, err), bucket.Close())
	}
	place, _, _ := strings.Cut(address, "?")
	return &Archive{bucket: bucket, id: id, address: place}, nil
}

// Close releases the bucket.
func (a *Archive) Close() error {
	if err := a.bucket.Close(); err != nil {
		return fmt.Errorf("close archive: %w", err)
	}
	return nil
}

// Bucket is the id of the bucket, the same for everyone who opens it.
func (a *Archive) Bucket() string { return a.id }

// openBucket returns the directory too where the bucket is one.
func openBucket(ctx context.Context, address string) (bucket *blob.Bucket, dir string, err error) {
	if drivePattern.MatchString(address) {
		return nil, "", fmt.Errorf("%q is a path: write it as a URL, %s", address, fileExample)
	}
	u, err := url.Parse(address)
	if err != nil {
		// The cause repeats the address, which may hold a password.
		return nil, "", fmt.Errorf("the address is not a URL: write for example %s", fileExample)
	}
	if u.User != nil {
		return nil, "", fmt.Errorf("%s: leave user and password out of the address, drivers repeat it in their errors; they read the environment", u.Redacted())
	}
	switch u.Scheme {
	case "":
		return nil, "", fmt.Errorf("%q has no scheme: write it as a URL, %s", address, fileExample)
	case fileblob.Scheme:
		if dir, err = directory(u); err != nil {
			return nil, "", err
		}
		// Temporary files go beside the target: the system's folder may be on
		// another device, where a rename is no longer atomic or fails.
		bucket, err = fileblob.OpenBucket(dir, &fileblob.Options{CreateDir: true, DirFileMode: ownersDir, NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	case memblob.Scheme:
		bucket = memblob.OpenBucket(nil)
	default:
		if mux := blob.DefaultURLMux(); !mux.ValidBucketScheme(u.Scheme) {
			return nil, "", fmt.Errorf("%q: this program has no driver for it, only for %s", address, strings.Join(mux.BucketSchemes(), ", "))
		}
		bucket, err = blob.OpenBucket(ctx, address)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", address, err)
	}
	return bucket, dir, nil
}

// What a merchant has in stock is nobody else's business on a machine that many
// use. A directory that was there before keeps its mode.
const (
	ownersDir  = 0o700
	ownersFile = 0o600
)

const fileExample = "file:///var/lib/skladom"

// drivePattern is a drive letter as it begins a path of Windows; as a URL it
// would be a scheme of one letter.
var drivePattern = regexp.MustCompile(`^[A-Za-z]:([\\/]|$)`)

// directory is the absolute directory that a file URL names. What the driver
// would take in silence for another directory is refused.
func directory(u *url.URL) (string, error) {
	switch {
	case u.Opaque != "", u.Host != "" && u.Host != "localhost":
		return "", fmt.Errorf("%q is not absolute: three slashes follow \"file:\", as in %s", u.String(), fileExample)
	case strings.Contains(u.Path, `\`):
		return "", fmt.Errorf("%q holds a backslash: write slashes, as in %s", u.String(), fileExample)
	case u.Path == "" || u.Path == "/":
		return "", fmt.Errorf("%q names no directory: write for example %s", u.String(), fileExample)
	case u.Fragment != "" || u.RawQuery != "":
		return "", fmt.Errorf("%q: only a directory may follow \"file://\"; write ? and # in its name as %%3F and %%23", u.String())
	}
	if !drivePattern.MatchString(strings.TrimPrefix(u.Path, "/")) {
		return filepath.FromSlash(u.Path), nil
	}
	if runtime.GOOS != "windows" {
		return "", fmt.Errorf("%q is a path of Windows, but this system is %s", u.String(), runtime.GOOS)
	}
	return filepath.FromSlash(strings.TrimPrefix(u.Path, "/")), nil
}

// identify reads the bucket's id and gives it one if it has none. Of several
// processes that begin at once one wins; each takes the winner's id, because it
// is read back.
func identify(ctx context.Context, bucket *blob.Bucket, dir string) (string, error) {
	id, err := readID(ctx, bucket)
	if gcerrors.Code(err) != gcerrors.NotFound {
		return id, err
	}
	if err := claim(ctx, bucket, dir, uuid.NewString()); err != nil {
		return "", fmt.Errorf("give the bucket an id: %w", err)
	}
	return readID(ctx, bucket)
}

func readID(ctx context.Context, bucket *blob.Bucket) (string, error) {
	content, err := bucket.ReadAll(ctx, idKey)
	if err != nil {
		return "", fmt.Errorf("read the bucket's id: %w", err)
	}
	id, err := uuid.ParseBytes(content)
	if err != nil {
		return "", fmt.Errorf("%s holds %.40q instead of a bucket's id: restore it, or use an empty bucket", idKey, content)
	}
	return id.String(), nil
}

// claim writes the id unless there is one by now.
func claim(ctx context.Context, bucket *blob.Bucket, dir, id string) error {
	if dir != "" && claimFile(dir, id) == nil {
		return nil
	}
	err := put(ctx, bucket, idKey, []byte(id), blob.WriterOptions{ContentType: "text/plain", IfNotExist: true})
	if gcerrors.Code(err) == gcerrors.FailedPrecondition {
		return nil
	}
	return err
}

// claimFile exists because the driver's IfNotExist looks first and renames
// then, so two processes can both win. A hard link is made whole or not at all.
// Where the file system has none, the driver's way is the best there is.
func claimFile(dir, id string) (err error) {
	target := filepath.Join(dir, idKey)
	temporary := target + "." + id + ".tmp"
	// Also where it could be written in part only: a worker that a full disk
	// keeps from starting is started again and again.
	defer func() { err = errors.Join(err, ignoreMissing(os.Remove(temporary))) }()
	if err := os.WriteFile(temporary, []byte(id), ownersFile); err != nil {
		return err
	}
	if err := os.Link(temporary, target); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
