package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/skladom/skladom/protocol"
)

// Entry is an object that the archive has.
type Entry struct {
	Name
	Key  string
	Size int64 // bytes stored
}

// List is what the archive has of a shop and a kind, the newest last.
func (a *Archive) List(ctx context.Context, shop string, kind Kind) ([]Entry, error) {
	if err := validate(shop, kind); err != nil {
		return nil, fmt.Errorf("list archive: %w", err)
	}
	found, err := a.objects(ctx, folder(shop, kind))
	if err != nil {
		return nil, err
	}
	return entries(found), nil
}

// LastPass is the highest number of a pass that the archive has of the shop,
// 0 if none. Dry runs do not count.
func (a *Archive) LastPass(ctx context.Context, shop string) (int64, error) {
	last := int64(0)
	for _, kind := range kinds {
		found, err := a.List(ctx, shop, kind)
		if err != nil {
			return 0, err
		}
		for _, entry := range found {
			if !entry.DryRun {
				last = max(last, entry.Pass)
			}
		}
	}
	return last, nil
}

// Retention says what of a shop is kept. Protected objects (baseline, ledger,
// what a held plan needs) always are.
type Retention struct {
	Catalogues int           // the last so many catalogues, and as many plans; at least 1
	Receipts   time.Duration // receipts and records of passes not older than this
	Now        time.Time
	Protected  []protocol.Ref
	// SkipReceipts leaves receipts and records alone. A shop has thousands of
	// them, so that looking at all is nothing to be done by the way.
	SkipReceipts bool
}

// grace is how long things without a future are kept: what a dry run wrote, of
// which an activation may still use the snapshot, and temporary files.
const grace = time.Hour

// Prune removes what retention does not keep and returns the number of objects
// removed. Dry runs do not count among the last catalogues and plans: they go
// after an hour. Plans are as large as catalogues and go with them; receipts,
// which hold only what was written, and records of passes tell the older history. It may be repeated
// and run twice at once.
func (a *Archive) Prune(ctx context.Context, shop string, retention Retention) (int, error) {
	if retention.Catalogues < 1 || retention.Receipts < 0 || retention.Now.IsZero() {
		return 0, fmt.Errorf("prune archive of %s: retention of %d catalogues, receipts of %s at %s would remove too much",
			shop, retention.Catalogues, retention.Receipts, retention.Now)
	}
	removed := 0
	for _, kind := range retention.kinds() {
		if err := validate(shop, kind); err != nil {
			return removed, fmt.Errorf("prune archive: %w", err)
		}
		found, err := a.objects(ctx, folder(shop, kind))
		if err != nil {
			return removed, err
		}
		for _, key := range append(retention.superfluous(kind, entries(found)), retention.strays(found)...) {
			err := a.bucket.Delete(ctx, key)
			if gcerrors.Code(err) == gcerrors.NotFound {
				continue
			}
			if err != nil {
				return removed, fmt.Errorf("prune archive: remove %s: %w", key, err)
			}
			removed++
		}
	}
	return removed, nil
}

// kinds are those that are looked at.
func (r Retention) kinds() []Kind {
	if r.SkipReceipts {
		return []Kind{Catalogue, Plan, Worklist}
	}
	return kinds
}

// superfluous are the keys of all that nothing keeps.
func (r Retention) superfluous(kind Kind, all []Entry) []string {
	protected := lo.SliceToMap(r.Protected, func(ref protocol.Ref) (string, bool) { return ref.Key, true })
	dryRuns, passes := lo.FilterReject(all, func(e Entry, _ int) bool { return e.DryRun })
	// By number: the clocks of two workers may differ.
	slices.SortStableFunc(passes, func(x, y Entry) int { return cmp.Compare(x.Pass, y.Pass) })

	gone := lo.Filter(dryRuns, func(e Entry, _ int) bool { return e.At.Before(r.Now.Add(-grace)) })
	switch kind {
	case Catalogue, Plan:
		gone = append(gone, lo.DropRight(passes, r.Catalogues)...)
	case Receipt, Receipts, Pass:
		gone = append(gone, lo.Filter(passes, func(e Entry, _ int) bool { return e.At.Before(r.Now.Add(-r.Receipts)) })...)
	}
	return lo.FilterMap(gone, func(e Entry, _ int) (string, bool) { return e.Key, !protected[e.Key] })
}

// strays are temporary files that a killed process left in a directory.
func (r Retention) strays(found []*blob.ListObject) []string {
	return lo.FilterMap(found, func(o *blob.ListObject, _ int) (string, bool) {
		target, _, temporary := strings.Cut(o.Key, extension+".")
		_, ours := parseKey(target + extension)
		return o.Key, temporary && ours && strings.HasSuffix(o.Key, ".tmp") && o.ModTime.Before(r.Now.Add(-grace))
	})
}

func (a *Archive) objects(ctx context.Context, prefix string) ([]*blob.ListObject, error) {
	var all []*blob.ListObject
	list := a.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		object, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list archive below %s: %w", prefix, err)
		}
		all = append(all, object)
	}
}

// entries are those of the objects that the archive itself named, by time.
func entries(found []*blob.ListObject) []Entry {
	all := lo.FilterMap(found, func(o *blob.ListObject, _ int) (Entry, bool) {
		name, ours := parseKey(o.Key)
		return Entry{Name: name, Key: o.Key, Size: o.Size}, ours
	})
	slices.SortFunc(all, func(x, y Entry) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Pass, y.Pass), cmp.Compare(x.Key, y.Key))
	})
	return all
}
