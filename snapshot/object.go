package snapshot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/skladom/skladom/protocol"
)

// Write stores the rows under name and returns the reference to them. The
// object appears whole or not at all. A row may take 1 MiB of JSON. What the
// bucket does not take is an UnwritableError.
func Write[T any](ctx context.Context, a *Archive, name Name, rows iter.Seq[T]) (protocol.Ref, error) {
	key, err := name.key()
	if err != nil {
		return protocol.Ref{}, fmt.Errorf("write to archive: %w", err)
	}
	stored, n, err := encode(ctx, name, rows)
	if err != nil {
		return protocol.Ref{}, fmt.Errorf("write %s to archive: %w", key, err)
	}
	if err := a.put(ctx, key, stored); err != nil {
		return protocol.Ref{}, fmt.Errorf("write %s to archive: %w", key, &UnwritableError{Address: a.address, Err: err})
	}
	return a.ref(key, stored, n), nil
}

// Read yields the rows that ref points to. Bucket and hash are checked before
// the first, their number after the last, so that the rows are only to be used
// when the sequence has ended without an error. An error ends it, and is
// ErrOtherBucket, ErrMissing, ErrCorrupt or the bucket's own trouble (try again).
func Read[T any](ctx context.Context, a *Archive, ref protocol.Ref) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		stored, err := a.get(ctx, ref)
		if err != nil {
			yield(none, err)
			return
		}
		reader := rowReaders.Get().(*rowReader)
		defer reader.done()
		n, row := 0, new(T)
		for line, err := range lines(stored) {
			if *row = none; err == nil {
				err = reader.read(line, row)
			}
			if err != nil {
				yield(none, fmt.Errorf("read %s from archive: row %d: %w", ref.Key, n, err))
				return
			}
			if !yield(*row, nil) {
				return
			}
			n++
		}
		if n != ref.Rows {
			yield(none, rowsMissing(ref, n))
		}
	}
}

// ReadAll is all rows that ref points to, or an error as Read gives it.
func ReadAll[T any](ctx context.Context, a *Archive, ref protocol.Ref) ([]T, error) {
	var all []T
	for row, err := range Read[T](ctx, a, ref) {
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = make([]T, 0, min(max(ref.Rows, 0), maxReserved))
		}
		all = append(all, row)
	}
	return all, nil
}

// maxReserved is how many rows memory is taken for before they have come.
const maxReserved = 1 << 18

// Check says whether the object that ref points to is there as it was written,
// without reading its rows. Errors as in Read.
func (a *Archive) Check(ctx context.Context, ref protocol.Ref) error {
	_, err := a.get(ctx, ref)
	return err
}

// Page is a part of an object as it is stored.
type Page struct {
	Rows  []json.RawMessage
	Next  int // offset of the next page; equal to Total after the last one
	Total int
}

// Page reads at most limit rows from offset on, and no more than fit into
// maxBytes of JSON together. A single row above maxBytes comes alone, so that
// paging always gets on. Errors as in Read.
func (a *Archive) Page(ctx context.Context, ref protocol.Ref, offset, limit, maxBytes int) (Page, error) {
	if offset < 0 || limit < 1 {
		return Page{}, fmt.Errorf("read %s from archive: offset %d, limit %d: out of range", ref.Key, offset, limit)
	}
	stored, err := a.get(ctx, ref)
	if err != nil {
		return Page{}, err
	}
	if rows, err := count(stored); err != nil || rows != ref.Rows {
		return Page{}, errors.Join(err, rowsMissing(ref, rows))
	}
	page := Page{Next: min(offset, ref.Rows), Total: ref.Rows}
	size, at := 0, 0
	for line, err := range lines(stored) {
		if err != nil {
			return Page{}, fmt.Errorf("read %s from archive: %w", ref.Key, err)
		}
		at++
		if at <= offset {
			continue
		}
		size += len(line) + 1 // and the comma
		if len(page.Rows) == limit || len(page.Rows) > 0 && size > maxBytes {
			break
		}
		page.Rows = append(page.Rows, bytes.Clone(line))
		page.Next++
	}
	return page, nil
}

// Ref makes the reference to an object found by List. It vouches for the bytes
// that are there now, no more: where a reference was kept, use that.
func (a *Archive) Ref(ctx context.Context, key string) (protocol.Ref, error) {
	stored, err := a.fetch(ctx, key)
	if err != nil {
		return protocol.Ref{}, err
	}
	n, err := count(stored)
	if err != nil {
		return protocol.Ref{}, fmt.Errorf("read %s from archive: %w", key, err)
	}
	return a.ref(key, stored, n), nil
}

func (a *Archive) ref(key string, stored []byte, rows int) protocol.Ref {
	return protocol.Ref{Bucket: a.id, Key: key, SHA256: digest(stored), Rows: rows}
}

func digest(stored []byte) string {
	sum := sha256.Sum256(stored)
	return hex.EncodeToString(sum[:])
}

func (a *Archive) put(ctx context.Context, key string, stored []byte) error {
	return put(ctx, a.bucket, key, stored, blob.WriterOptions{ContentType: "application/zstd"})
}

// put writes an object whole or not at all. The bucket's own WriteAll takes what
// a full disk cut short for the object.
func put(ctx context.Context, bucket *blob.Bucket, key string, stored []byte, options blob.WriterOptions) error {
	// Cancelling is how a blob writer is told to leave nothing behind.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	var file *os.File
	options.BeforeWrite = func(as func(any) bool) error {
		if !as(&file) {
			return nil // it is no directory
		}
		return file.Chmod(ownersFile)
	}
	w, err := bucket.NewWriter(ctx, key, &options)
	if err != nil {
		return err
	}
	_, err = w.Write(stored)
	if err == nil && file != nil {
		// A plan is archived before the shop is written to; it has to survive
		// a power cut as well as Temporal's history does.
		err = file.Sync()
	}
	if err != nil {
		cancel()
		return errors.Join(err, ignoreCancelled(w.Close()))
	}
	return w.Close()
}

func ignoreCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// get returns the stored bytes of an object, which are what was written.
func (a *Archive) get(ctx context.Context, ref protocol.Ref) ([]byte, error) {
	if ref.Bucket != a.id {
		return nil, fmt.Errorf("read %s from archive: reference to bucket %q, this is bucket %s: %w", ref.Key, ref.Bucket, a.id, ErrOtherBucket)
	}
	stored, err := a.fetch(ctx, ref.Key)
	if err != nil {
		return nil, err
	}
	if got := digest(stored); got != ref.SHA256 {
		return nil, fmt.Errorf("read %s from archive: SHA-256 is %s instead of %s: %w", ref.Key, got, ref.SHA256, ErrCorrupt)
	}
	return stored, nil
}

func rowsMissing(ref protocol.Ref, rows int) error {
	return fmt.Errorf("read %s from archive: %d rows instead of %d: %w", ref.Key, rows, ref.Rows, ErrCorrupt)
}

func (a *Archive) fetch(ctx context.Context, key string) ([]byte, error) {
	if _, ours := parseKey(key); !ours {
		return nil, fmt.Errorf("read %q from archive: no key of the archive looks so: %w", key, ErrMissing)
	}
	r, err := a.bucket.NewReader(ctx, key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fmt.Errorf("read %s from archive: %w", key, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s from archive: %w", key, err)
	}
	defer func() { _ = r.Close() }()
	if r.Size() > maxStored {
		return nil, fmt.Errorf("read %s from archive: %d bytes, above %d: %w", key, r.Size(), maxStored, ErrCorrupt)
	}
	stored := bytes.NewBuffer(make([]byte, 0, r.Size()+bytes.MinRead))
	if _, err := stored.ReadFrom(io.LimitReader(r, maxStored)); err != nil {
		return nil, fmt.Errorf("read %s from archive: %w", key, err)
	}
	return stored.Bytes(), nil
}
