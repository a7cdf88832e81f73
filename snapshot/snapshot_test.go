package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func name(kind Kind, pass int64) Name {
	return Name{Shop: "acme", Kind: kind, Pass: pass, At: noon.Add(time.Duration(pass) * 30 * time.Minute), Unique: "a1"}
}

func items(n int) []stock.Item {
	all := make([]stock.Item, n)
	for i := range all {
		all[i] = stock.Item{
			Code: fmt.Sprintf("0%05d A", i), Name: "Čučoriedkový džem <bio> & med\u2028", EAN: "8586000000017", Unit: "kg",
			Rows: []stock.Row{{Warehouse: " LT", Quantity: decimal.New(int64(i)-5, -3)}}, Tracked: true,
		}
	}
	return all
}

func open(t *testing.T, address string) *Archive {
	t.Helper()
	a, err := Open(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

func openDir(t *testing.T) (*Archive, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a directory with spaces", "č")
	return open(t, "file://"+filepath.ToSlash(dir)), dir
}

// files are the files below dir, but for the bucket's id.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != idKey {
			relative, _ := filepath.Rel(dir, path)
			found = append(found, filepath.ToSlash(relative))
		}
		return err
	}))
	return found
}

func write(t *testing.T, a *Archive, n Name) protocol.Ref {
	t.Helper()
	ref, err := Write(t.Context(), a, n, slices.Values(items(3)))
	require.NoError(t, err)
	return ref
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	dirArchive, _ := openDir(t)
	for bucket, a := range map[string]*Archive{"file": dirArchive, "mem": open(t, "mem://")} {
		for _, n := range []int{0, 1, 3000} {
			t.Run(fmt.Sprintf("%s, %d rows", bucket, n), func(t *testing.T) {
				want := items(n)
				ref, err := Write(t.Context(), a, name(Catalogue, int64(n)), slices.Values(want))
				require.NoError(t, err)
				require.Equal(t, n, ref.Rows)
				require.Equal(t, a.Bucket(), ref.Bucket)
				require.False(t, ref.Zero())

				got, err := ReadAll[stock.Item](t.Context(), a, ref)
				require.NoError(t, err)
				require.Len(t, got, n)
				for i := range want {
					require.True(t, want[i].Rows[0].Quantity.Equal(got[i].Rows[0].Quantity))
					want[i].Rows, got[i].Rows = nil, nil
				}
				require.ElementsMatch(t, want, got)
			})
		}
	}
}

func TestAnObjectExplainsItselfToSomebodyWhoHasOnlyTheFile(t *testing.T) {
	a, dir := openDir(t)
	ref := write(t, a, name(Plan, 7))
	require.Equal(t, "acme/plan/0000000007-20260301T153000.000Z-a1.jsonl.zst", ref.Key)
	stored, err := os.ReadFile(filepath.Join(dir, ref.Key))
	require.NoError(t, err)
	decoder, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer decoder.Close()
	text, err := decoder.DecodeAll(stored, nil)
	require.NoError(t, err)
	first, rest, _ := strings.Cut(string(text), "\n")
	require.JSONEq(t, `{"kind":"plan","shop":"acme","pass":7,"at":"2026-03-01T15:30:00Z","version":1}`, first)
	require.Equal(t, 3, strings.Count(rest, "\n"))
}

func TestTheBucketHoldsNothingButTheObjects(t *testing.T) {
	a, dir := openDir(t)
	ref := write(t, a, name(Catalogue, 1))
	require.Equal(t, []string{ref.Key}, files(t, dir))
	again := write(t, a, name(Catalogue, 1))
	require.Equal(t, ref, again, "the same rows under the same name are the same object")
	require.Equal(t, []string{ref.Key}, files(t, dir))
}

func TestADirectoryAndItsFilesAreForTheirOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "below", "archive")
	write(t, open(t, "file://"+dir), name(Catalogue, 1))
	seen := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s: %s", path, info.Mode())
		seen++
		return nil
	}))
	require.Equal(t, 5, seen, "the directory, two below it, the bucket's id and the object")
}

func TestWhatCannotBeTrustedIsNotHandedOut(t *testing.T) {
	corruptions := map[string]struct {
		change func(t *testing.T, path string, ref *protocol.Ref)
		want   error
	}{
		"one bit flipped": {func(t *testing.T, path string, _ *protocol.Ref) {
			stored := read(t, path)
			stored[len(stored)/2] ^= 1
			require.NoError(t, os.WriteFile(path, stored, 0o600))
		}, ErrCorrupt},
		"another object of the archive in its place": {func(t *testing.T, path string, _ *protocol.Ref) {
			other := items(2000)
			other[7].Name = "forged"
			stored, rows, err := encode(t.Context(), name(Catalogue, 1), slices.Values(other))
			require.NoError(t, err)
			require.Equal(t, 2000, rows)
			require.NoError(t, os.WriteFile(path, stored, 0o600))
		}, ErrCorrupt},
		"cut off": {func(t *testing.T, path string, _ *protocol.Ref) {
			stored := read(t, path)
			require.NoError(t, os.WriteFile(path, stored[:len(stored)-9], 0o600))
		}, ErrCorrupt},
		"cut off, and the hash is that of the rest": {func(t *testing.T, path string, ref *protocol.Ref) {
			stored := read(t, path)
			stored = stored[:len(stored)-9]
			require.NoError(t, os.WriteFile(path, stored, 0o600))
			ref.SHA256 = digest(stored)
		}, ErrCorrupt},
		"empty": {func(t *testing.T, path string, ref *protocol.Ref) {
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			ref.SHA256 = digest(nil)
		}, ErrCorrupt},
		"another hash":   {func(_ *testing.T, _ string, ref *protocol.Ref) { ref.SHA256 = digest(nil) }, ErrCorrupt},
		"fewer rows":     {func(_ *testing.T, _ string, ref *protocol.Ref) { ref.Rows++ }, ErrCorrupt},
		"more rows":      {func(_ *testing.T, _ string, ref *protocol.Ref) { ref.Rows-- }, ErrCorrupt},
		"removed":        {func(t *testing.T, path string, _ *protocol.Ref) { require.NoError(t, os.Remove(path)) }, ErrMissing},
		"no such key":    {func(_ *testing.T, _ string, ref *protocol.Ref) { ref.Key = "acme/../../etc/passwd" }, ErrMissing},
		"other bucket":   {func(_ *testing.T, _ string, ref *protocol.Ref) { ref.Bucket = "elsewhere" }, ErrOtherBucket},
		"zero reference": {func(_ *testing.T, _ string, ref *protocol.Ref) { *ref = protocol.Ref{} }, ErrOtherBucket},
	}
	for what, c := range corruptions {
		t.Run(what, func(t *testing.T) {
			a, dir := openDir(t)
			ref, err := Write(t.Context(), a, name(Catalogue, 1), slices.Values(items(2000)))
			require.NoError(t, err)
			c.change(t, filepath.Join(dir, filepath.FromSlash(ref.Key)), &ref)

			var last error
			for row, err := range Read[stock.Item](t.Context(), a, ref) {
				require.NoError(t, last, "nothing comes behind an error")
				if last = err; err != nil {
					require.Zero(t, row)
				}
			}
			require.ErrorIs(t, last, c.want)
			all, err := ReadAll[stock.Item](t.Context(), a, ref)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, all)
			_, err = a.Page(t.Context(), ref, 0, 10, 1<<20)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}

func TestAnotherBucketIsNamedAsTheCause(t *testing.T) {
	one, other := open(t, "mem://"), open(t, "mem://")
	_, err := ReadAll[stock.Item](t.Context(), other, write(t, one, name(Catalogue, 1)))
	require.ErrorIs(t, err, ErrOtherBucket)
	require.ErrorContains(t, err, "one shared bucket")
}

func TestARowOfAnotherShapeIsCorrupt(t *testing.T) {
	a := open(t, "mem://")
	ref, err := Write(t.Context(), a, name(Plan, 1), slices.Values([]string{"text"}))
	require.NoError(t, err)
	_, err = ReadAll[stock.Item](t.Context(), a, ref)
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestReadingMayStopEarly(t *testing.T) {
	a := open(t, "mem://")
	ref := write(t, a, name(Plan, 1))
	for range 3 { // the decoder goes back to the pool each time
		next, stop := iter.Pull2(Read[stock.Item](t.Context(), a, ref))
		row, err, ok := next()
		require.True(t, ok)
		require.NoError(t, err)
		require.Equal(t, "000000 A", row.Code)
		stop()
	}
}

func TestABombCostsBoundedMemory(t *testing.T) {
	valid := `{"kind":"plan","shop":"acme","version":1}` + "\n"
	for what, text := range map[string]string{
		"one endless line": valid + strings.Repeat(" ", 64<<20),
		"endless header":   strings.Repeat(" ", 64<<20),
		"empty lines":      valid + strings.Repeat("\n", 64<<20),
	} {
		t.Run(what, func(t *testing.T) {
			stored := compress(t, []byte(text))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := count(stored)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, ErrCorrupt)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(48<<20))
		})
	}
	t.Run("a window larger than any we write", func(t *testing.T) {
		encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(64<<20), zstd.WithSingleSegment(false))
		require.NoError(t, err)
		defer func() { _ = encoder.Close() }()
		var stored bytes.Buffer
		encoder.Reset(&stored)
		_, err = encoder.Write(bytes.Repeat([]byte("{}\n"), 10<<20))
		require.NoError(t, err)
		require.NoError(t, encoder.Close())
		_, err = count(stored.Bytes())
		require.ErrorIs(t, err, ErrCorrupt)
	})
}

func compress(t testing.TB, text []byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(1<<20))
	require.NoError(t, err)
	defer func() { _ = encoder.Close() }()
	return encoder.EncodeAll(text, nil)
}

func TestAFormatFromTheFutureIsSaid(t *testing.T) {
	_, err := count(compress(t, []byte(`{"kind":"plan","version":2}`+"\n")))
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "another release")
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	t.Run("cancelled while the rows come", func(t *testing.T) {
		a, dir := openDir(t)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Write(ctx, a, name(Catalogue, 1), func(yield func(int) bool) {
			for i := range 100_000 {
				if i == 5000 {
					cancel()
				}
				if !yield(i) {
					return
				}
			}
			t.Error("the rows were read to the end")
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, files(t, dir))
	})
	t.Run("cancelled before", func(t *testing.T) {
		a, dir := openDir(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Write(ctx, a, name(Catalogue, 1), slices.Values(items(1)))
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, files(t, dir))
	})
	t.Run("a row that is no JSON", func(t *testing.T) {
		a, dir := openDir(t)
		_, err := Write(t.Context(), a, name(Catalogue, 1), slices.Values([]any{1, func() {}}))
		require.ErrorContains(t, err, "row 1")
		require.Empty(t, files(t, dir))
	})
	t.Run("a row that could not be read again", func(t *testing.T) {
		a, dir := openDir(t)
		_, err := Write(t.Context(), a, name(Catalogue, 1), slices.Values([]string{strings.Repeat("x", maxLine)}))
		require.ErrorContains(t, err, "limit")
		require.Empty(t, files(t, dir))
	})
}

func TestTheLongestRowWrittenIsReadAgain(t *testing.T) {
	a := open(t, "mem://")
	want := []string{strings.Repeat("x", maxLine-4)} // two quotes, the line end, and one below the limit
	ref, err := Write(t.Context(), a, name(Catalogue, 1), slices.Values(want))
	require.NoError(t, err)
	got, err := ReadAll[string](t.Context(), a, ref)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestANameThatCannotBeAKeyIsRefused(t *testing.T) {
	a := open(t, "mem://")
	for what, change := range map[string]func(*Name){
		"no shop":        func(n *Name) { n.Shop = "" },
		"upper case":     func(n *Name) { n.Shop = "Acme" },
		"leading dash":   func(n *Name) { n.Shop = "-acme" },
		"parent":         func(n *Name) { n.Shop = ".." },
		"slash":          func(n *Name) { n.Shop = "a/b" },
		"64 characters":  func(n *Name) { n.Shop = strings.Repeat("a", 64) },
		"trailing line":  func(n *Name) { n.Shop = "acme\n" },
		"no kind":        func(n *Name) { n.Kind = "" },
		"unknown kind":   func(n *Name) { n.Kind = "../x" },
		"negative pass":  func(n *Name) { n.Pass = -1 },
		"11 digits":      func(n *Name) { n.Pass = maxPass + 1 },
		"no time":        func(n *Name) { n.At = time.Time{} },
		"nothing unique": func(n *Name) { n.Unique = "" },
		"odd unique":     func(n *Name) { n.Unique = "a/b" },
	} {
		t.Run(what, func(t *testing.T) {
			n := name(Plan, 1)
			change(&n)
			_, err := Write(t.Context(), a, n, slices.Values(items(1)))
			require.Error(t, err)
		})
	}
	for _, shop := range []string{"0", strings.Repeat("a", 63), "a-b-"} {
		n := name(Plan, 1)
		n.Shop = shop
		write(t, a, n)
	}
}

func TestAnAddressThatMeansAnotherPlaceIsRefused(t *testing.T) {
	for address, says := range map[string]string{
		"":                              "scheme",
		"/var/lib/skladom":              "scheme",
		"data":                          "scheme",
		"file://data":                   "three slashes",
		"file://./data":                 "three slashes",
		"file:data":                     "three slashes",
		"file://":                       "no directory",
		"file:///":                      "no directory",
		`C:\skladom`:                    "path",
		`file:///C:\skladom`:            "backslash",
		"C:/skladom":                    "path",
		"file:///tmp/a#b":               "%23",
		"file:///tmp/a?prefix=b":        "%3F",
		"gopher://x":                    "no driver for it, only for file, mem",
		"s3://user:hush@ho st/x":        "not a URL",
		"gopher://user:hush@host/x?y=z": "leave user and password out",
	} {
		t.Run(address, func(t *testing.T) {
			_, err := Open(t.Context(), address)
			require.ErrorContains(t, err, says)
			require.NotContains(t, err.Error(), "hush")
		})
	}
	if runtime.GOOS != "windows" {
		_, err := Open(t.Context(), "file:///C:/skladom")
		require.ErrorContains(t, err, "Windows")
	}
}

func TestAPlaceThatIsNoDirectoryIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err := Open(t.Context(), "file://"+filepath.ToSlash(path))
	require.ErrorContains(t, err, "not a directory")
}

func TestAllWhoOpenABucketAtOnceAgreeOnItsID(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		ids := make([]string, 8)
		var all sync.WaitGroup
		begin := make(chan struct{})
		for i := range ids {
			all.Go(func() {
				<-begin
				a, err := Open(context.Background(), "file://"+filepath.ToSlash(dir))
				if err == nil {
					ids[i] = a.Bucket()
					err = a.Close()
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		all.Wait()
		require.NotEmpty(t, ids[0])
		require.Len(t, slices.Compact(ids), 1)
		require.Empty(t, files(t, dir))
	}
}

func TestWhoComesSecondTakesTheIDOfTheFirst(t *testing.T) {
	dir := t.TempDir()
	file, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	require.NoError(t, err)
	first, second := uuid.NewString(), uuid.NewString()
	for what, c := range map[string]struct {
		bucket *blob.Bucket
		dir    string
	}{
		"a bucket with conditional writes":           {memblob.OpenBucket(nil), ""},
		"a directory":                                {file, dir},
		"a directory that knows no hard links (say)": {file, filepath.Join(dir, "absent")},
	} {
		t.Run(what, func(t *testing.T) {
			require.NoError(t, claim(t.Context(), c.bucket, c.dir, first))
			require.NoError(t, claim(t.Context(), c.bucket, c.dir, second))
			id, err := readID(t.Context(), c.bucket)
			require.NoError(t, err)
			require.Equal(t, first, id)
			require.NoError(t, c.bucket.Delete(t.Context(), idKey))
		})
	}
}

func TestABucketKeepsItsID(t *testing.T) {
	a, dir := openDir(t)
	require.Equal(t, a.Bucket(), open(t, "file://"+filepath.ToSlash(dir)).Bucket())
	require.NotEqual(t, a.Bucket(), open(t, "mem://").Bucket())

	require.NoError(t, os.WriteFile(filepath.Join(dir, idKey), []byte("?"), 0o600))
	_, err := Open(t.Context(), "file://"+filepath.ToSlash(dir))
	require.ErrorContains(t, err, "bucket.id holds")
}

func TestAPageIsBoundedByRowsAndBytes(t *testing.T) {
	a := open(t, "mem://")
	ref, err := Write(t.Context(), a, name(Plan, 1), slices.Values([]int{10, 11, 12, 13, 14}))
	require.NoError(t, err)
	for what, c := range map[string]struct {
		offset, limit, maxBytes int
		want                    string
		next                    int
	}{
		"all":                      {0, 500, 1000, "[10,11,12,13,14]", 5},
		"by rows":                  {1, 2, 1000, "[11,12]", 3},
		"by bytes, commas counted": {1, 500, 9, "[11,12,13]", 4},
		"one byte too few":         {1, 500, 8, "[11,12]", 3},
		"a row above the bytes":    {2, 500, 1, "[12]", 3},
		"the last":                 {4, 500, 1000, "[14]", 5},
		"behind the last":          {5, 500, 1000, "null", 5},
		"far behind the last":      {99, 500, 1000, "null", 5},
	} {
		t.Run(what, func(t *testing.T) {
			page, err := a.Page(t.Context(), ref, c.offset, c.limit, c.maxBytes)
			require.NoError(t, err)
			got, err := json.Marshal(page.Rows)
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(got))
			require.Equal(t, c.next, page.Next)
			require.Equal(t, 5, page.Total)
		})
	}
	for _, bad := range [][2]int{{-1, 1}, {0, 0}} {
		_, err := a.Page(t.Context(), ref, bad[0], bad[1], 1000)
		require.ErrorContains(t, err, "out of range")
	}
}

func TestAListedObjectGetsTheReferenceItWasWrittenUnder(t *testing.T) {
	a := open(t, "mem://")
	want := write(t, a, name(Receipt, 3))
	list, err := a.List(t.Context(), "acme", Receipt)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, name(Receipt, 3), list[0].Name)
	require.Positive(t, list[0].Size)
	got, err := a.Ref(t.Context(), list[0].Key)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestTheLastPassIsTheHighestOfAllKindsWithoutDryRuns(t *testing.T) {
	a := open(t, "mem://")
	last, err := a.LastPass(t.Context(), "acme")
	require.NoError(t, err)
	require.Zero(t, last)

	write(t, a, name(Catalogue, 9))
	write(t, a, name(Catalogue, 10))
	write(t, a, name(Receipt, 11))
	dry := name(Plan, 99)
	dry.DryRun = true
	write(t, a, dry)
	other := name(Plan, 50)
	other.Shop = "acme-2"
	write(t, a, other)

	last, err = a.LastPass(t.Context(), "acme")
	require.NoError(t, err)
	require.EqualValues(t, 11, last)
}

func TestPruneKeepsWhatRetentionSays(t *testing.T) {
	now := noon.Add(10 * 30 * time.Minute) // pass 10 is of now, pass 1 is 4.5 hours old
	dry := func(kind Kind, age time.Duration) Name {
		return Name{Shop: "acme", Kind: kind, DryRun: true, At: now.Add(-age), Unique: "d"}
	}
	passes := func(kind Kind) (all []Name) {
		for pass := range int64(10) {
			all = append(all, name(kind, pass+1))
		}
		return all
	}
	for what, c := range map[string]struct {
		have      []Name
		protected []Name
		retention Retention
		want      []Name
	}{
		"the last catalogues": {
			passes(Catalogue), nil, Retention{Catalogues: 3}, passes(Catalogue)[7:],
		},
		"plans likewise": {
			passes(Plan), nil, Retention{Catalogues: 3}, passes(Plan)[7:],
		},
		"fewer than the limit": {
			passes(Plan)[:2], nil, Retention{Catalogues: 3}, passes(Plan)[:2],
		},
		"receipts by age, whatever the number": {
			passes(Receipt), nil, Retention{Catalogues: 1, Receipts: 2 * time.Hour}, passes(Receipt)[5:],
		},
		"neither receipts nor records where they are skipped": {
			slices.Concat(passes(Receipt), passes(Receipts), passes(Pass), passes(Plan)), nil,
			Retention{Catalogues: 1, Receipts: 2 * time.Hour, SkipReceipts: true},
			slices.Concat(passes(Receipt), passes(Receipts), passes(Pass), passes(Plan)[9:]),
		},
		"lists of receipts as long as receipts": {
			passes(Receipts), nil, Retention{Catalogues: 1, Receipts: 2 * time.Hour}, passes(Receipts)[5:],
		},
		"records of passes as long as receipts": {
			passes(Pass), nil, Retention{Catalogues: 1, Receipts: 2 * time.Hour}, passes(Pass)[5:],
		},
		"a protected one of each kind, and it counts for nobody": {
			slices.Concat(passes(Catalogue), passes(Plan), passes(Receipt)),
			[]Name{name(Catalogue, 2), name(Plan, 3), name(Receipt, 4)},
			Retention{Catalogues: 1, Receipts: time.Minute},
			[]Name{name(Catalogue, 2), name(Catalogue, 10), name(Plan, 3), name(Plan, 10), name(Receipt, 4), name(Receipt, 10)},
		},
		"dry runs of the last hour, and they push out nothing": {
			append(passes(Catalogue)[8:], dry(Catalogue, 2*time.Hour), dry(Catalogue, time.Hour), dry(Catalogue, time.Minute), dry(Receipt, 2*time.Hour)),
			nil, Retention{Catalogues: 2, Receipts: 24 * time.Hour},
			append(passes(Catalogue)[8:], dry(Catalogue, time.Hour), dry(Catalogue, time.Minute)),
		},
		"worklists of the last hour": {
			[]Name{dry(Worklist, 2*time.Hour), dry(Worklist, time.Minute)}, nil, Retention{Catalogues: 1}, []Name{dry(Worklist, time.Minute)},
		},
		"the snapshot of an activation that became the baseline": {
			[]Name{dry(Catalogue, 48*time.Hour)}, []Name{dry(Catalogue, 48*time.Hour)}, Retention{Catalogues: 1}, []Name{dry(Catalogue, 48*time.Hour)},
		},
		"by the number of the pass where clocks differ": {
			[]Name{{Shop: "acme", Kind: Plan, Pass: 2, At: noon, Unique: "x"}, {Shop: "acme", Kind: Plan, Pass: 1, At: noon.Add(time.Hour), Unique: "x"}},
			nil, Retention{Catalogues: 1},
			[]Name{{Shop: "acme", Kind: Plan, Pass: 2, At: noon, Unique: "x"}},
		},
	} {
		t.Run(what, func(t *testing.T) {
			a, _ := openDir(t)
			refs := map[Name]protocol.Ref{}
			for _, n := range c.have {
				refs[n] = write(t, a, n)
			}
			other := Name{Shop: "other", Kind: Catalogue, DryRun: true, At: noon.AddDate(-1, 0, 0), Unique: "x"}
			write(t, a, other)
			for _, n := range c.protected {
				c.retention.Protected = append(c.retention.Protected, refs[n])
			}
			c.retention.Now = now

			removed, err := a.Prune(t.Context(), "acme", c.retention)
			require.NoError(t, err)
			require.Equal(t, len(c.have)-len(c.want), removed)
			var left []Name
			for _, kind := range kinds {
				list, err := a.List(t.Context(), "acme", kind)
				require.NoError(t, err)
				for _, entry := range list {
					left = append(left, entry.Name)
				}
			}
			require.ElementsMatch(t, c.want, left)
			rest, err := a.List(t.Context(), "other", Catalogue)
			require.NoError(t, err)
			require.Len(t, rest, 1, "another shop is not touched")

			removed, err = a.Prune(t.Context(), "acme", c.retention)
			require.NoError(t, err)
			require.Zero(t, removed)
		})
	}
}

// The longer form of a reference is for what is no object of an archive.
func TestReferencesToTheArchiveTravelShort(t *testing.T) {
	a := open(t, "mem://")
	for _, kind := range kinds {
		ref := write(t, a, Name{Shop: "acme", Kind: kind, Pass: 7, At: noon, Unique: "x"})
		require.Equal(t, kind, KindOf(ref))
		text, err := json.Marshal(ref)
		require.NoError(t, err)
		require.Regexp(t, `^"acme/`+string(kind)+`/0000000007-[^ ]+-x [A-Za-z0-9_-]{64} \d+"$`, string(text))
		var read protocol.Ref
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, ref, read)
	}
	require.Empty(t, KindOf(protocol.Ref{Key: idKey}))
}

func TestPruneRefusesToRemoveEverything(t *testing.T) {
	a := open(t, "mem://")
	for _, r := range []Retention{{}, {Catalogues: 1}, {Now: noon}, {Catalogues: 1, Now: noon, Receipts: -1}} {
		_, err := a.Prune(t.Context(), "acme", r)
		require.Error(t, err)
	}
	_, err := a.Prune(t.Context(), "..", Retention{Catalogues: 1, Now: noon})
	require.Error(t, err)
}

func TestTemporaryFilesOfAKilledProcessAreNoObjectsAndGoInTime(t *testing.T) {
	a, dir := openDir(t)
	ref := write(t, a, name(Catalogue, 1))
	stray := filepath.Join(dir, filepath.FromSlash(ref.Key)) + ".18a2b3c4d5e6f708.tmp"
	foreign := filepath.Join(dir, "acme", "catalogue", "README.tmp")
	for _, path := range []string{stray, foreign} {
		require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
		require.NoError(t, os.Chtimes(path, noon, noon))
	}
	list, err := a.List(t.Context(), "acme", Catalogue)
	require.NoError(t, err)
	require.Len(t, list, 1)

	_, err = a.Prune(t.Context(), "acme", Retention{Catalogues: 1, Now: noon.Add(time.Minute)})
	require.NoError(t, err)
	require.FileExists(t, stray, "somebody may be writing it")
	_, err = a.Prune(t.Context(), "acme", Retention{Catalogues: 1, Now: noon.Add(2 * time.Hour)})
	require.NoError(t, err)
	require.NoFileExists(t, stray)
	require.FileExists(t, foreign)
}

// Whatever stands in the bucket, the reader ends with rows or with ErrCorrupt.
func FuzzRead(f *testing.F) {
	stored, _, err := encode(context.Background(), name(Catalogue, 1), slices.Values(items(2)))
	require.NoError(f, err)
	f.Add(stored)
	f.Add(stored[:len(stored)-3])
	f.Add([]byte{})
	f.Add(compress(f, []byte(`{"version":1}`+"\n{}\n[]\n")))
	f.Add(compress(f, []byte(`{"version":1}`+"\n\n")))
	f.Add(compress(f, []byte("{}\n")))
	a, err := Open(context.Background(), "mem://")
	require.NoError(f, err)
	key, err := name(Catalogue, 1).key()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, stored []byte) {
		require.NoError(t, a.put(t.Context(), key, stored))
		ref, err := a.Ref(t.Context(), key)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		rows, err := ReadAll[stock.Item](t.Context(), a, ref)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		require.Len(t, rows, ref.Rows)
	})
}

// A key is what its name says, both ways.
func FuzzKey(f *testing.F) {
	f.Add("acme/plan/0000000007-20260301T153000.000Z-a1.jsonl.zst")
	f.Add("acme/receipt/dry-0000000000-20260301T153000.000Z-a1.jsonl.zst")
	f.Add("acme/plan/../x")
	f.Fuzz(func(t *testing.T, key string) {
		n, ours := parseKey(key)
		if !ours {
			return
		}
		again, err := n.key()
		require.NoError(t, err)
		require.Equal(t, key, again)
	})
}

func BenchmarkWriteAndRead100000Items(b *testing.B) {
	a, err := Open(b.Context(), "file://"+filepath.ToSlash(b.TempDir()))
	require.NoError(b, err)
	all := items(100_000)
	var ref protocol.Ref
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ref, err = Write(b.Context(), a, name(Catalogue, 1), slices.Values(all))
			require.NoError(b, err)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rows, err := ReadAll[stock.Item](b.Context(), a, ref)
			require.NoError(b, err)
			require.Len(b, rows, len(all))
		}
	})
}
