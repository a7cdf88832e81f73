package snapshot

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Bounds of an object, so that a damaged or hostile one costs a known amount of
// memory. A catalogue of 100,000 items takes about 1 MiB stored, 12 MiB decoded.
const (
	maxStored  = 256 << 20
	maxDecoded = 2 << 30
	maxLine    = 1 << 20
	maxWindow  = 8 << 20
)

// formatVersion is raised when old readers could misunderstand new rows.
const formatVersion = 1

// header is the first line of an object; it says what the rest is to somebody
// who has nothing but the file.
type header struct {
	Kind    Kind      `json:"kind"`
	Shop    string    `json:"shop"`
	Pass    int64     `json:"pass"`
	DryRun  bool      `json:"dryRun,omitempty"`
	At      time.Time `json:"at"`
	Version int       `json:"version"`
}

// encode is the stored form of the rows and their number.
func encode[T any](ctx context.Context, name Name, rows iter.Seq[T]) ([]byte, int, error) {
	var stored bytes.Buffer
	compressor := encoders.Get().(*zstd.Encoder)
	defer encoders.Put(compressor)
	compressor.Reset(&stored)
	defer compressor.Reset(nil) // the pool must not keep the buffer alive

	var line []byte
	write := func(v any) (err error) {
		if line, err = appendRow(line[:0], v); err != nil {
			return err
		}
		if line = append(line, '\n'); len(line) >= maxLine {
			return fmt.Errorf("a row of %d bytes is above the limit of %d", len(line), maxLine)
		}
		_, err = compressor.Write(line)
		return err
	}

	first := header{Kind: name.Kind, Shop: name.Shop, Pass: name.Pass, DryRun: name.DryRun, At: name.At.UTC(), Version: formatVersion}
	if err := write(&first); err != nil {
		return nil, 0, fmt.Errorf("header: %w", err)
	}
	count := 0
	row := new(T)
	for *row = range rows {
		if err := write(row); err != nil {
			return nil, 0, fmt.Errorf("row %d: %w", count, err)
		}
		count++
		if count%1024 == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
	}
	if err := compressor.Close(); err != nil {
		return nil, 0, fmt.Errorf("compress: %w", err)
	}
	return stored.Bytes(), count, nil
}

// lines yields the rows of an object without the header. A line is valid until
// the next one only. After an error, which is always ErrCorrupt, it ends.
func lines(stored []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		decompressor := decoders.Get().(*zstd.Decoder)
		defer decoders.Put(decompressor)
		defer func() { _ = decompressor.Reset(nil) }()
		if err := decompressor.Reset(bytes.NewReader(stored)); err != nil {
			yield(nil, corrupt(err))
			return
		}
		bounded := &io.LimitedReader{R: decompressor, N: maxDecoded}
		scanner := bufio.NewScanner(bounded)
		scanner.Buffer(make([]byte, 0, 64<<10), maxLine)
		if err := checkHeader(scanner); err != nil {
			yield(nil, corrupt(err))
			return
		}
		for scanner.Scan() {
			if len(scanner.Bytes()) == 0 {
				yield(nil, corrupt(errors.New("empty line")))
				return
			}
			if !yield(scanner.Bytes(), nil) {
				return
			}
		}
		switch {
		case scanner.Err() != nil:
			yield(nil, corrupt(scanner.Err()))
		case bounded.N <= 0:
			yield(nil, corrupt(fmt.Errorf("more than %d bytes decoded", maxDecoded)))
		}
	}
}

func checkHeader(scanner *bufio.Scanner) error {
	if !scanner.Scan() {
		return errors.Join(errors.New("no header"), scanner.Err())
	}
	var first header
	if err := json.Unmarshal(scanner.Bytes(), &first); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if first.Version != formatVersion {
		return fmt.Errorf("format version %d, this program reads %d: was it written by another release?", first.Version, formatVersion)
	}
	return nil
}

// count walks over an object once without decoding its rows.
func count(stored []byte) (int, error) {
	rows := 0
	for _, err := range lines(stored) {
		if err != nil {
			return 0, err
		}
		rows++
	}
	return rows, nil
}

func corrupt(cause error) error { return fmt.Errorf("%w: %w", ErrCorrupt, cause) }

// Both are costly to make and keep their windows; concurrency 1 means that they
// run in the caller and hold no goroutine, so the pool may drop them.
var (
	encoders = sync.Pool{New: func() any {
		return must(zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20)))
	}}
	decoders = sync.Pool{New: func() any {
		return must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow)))
	}}
)

// must serves the constant options above, which cannot fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
