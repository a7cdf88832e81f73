package shop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/samber/lo"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/internal/quickjson"
	"github.com/skladom/skladom/stock"
)

// LookupAll looks up any number of keys, MaxBatch at a time and two of these at
// once, and returns every product found once, however many of the keys it has.
// progress, which may be nil, hears after each batch how many keys are done.
//
// Temporary trouble and unreadable answers are repeated here; what is left of
// them comes back as an *Error, and no product with it.
func LookupAll(ctx context.Context, s Shop, by stock.Match, keys []string, progress func(done int)) ([]stock.Product, error) {
	if slices.IsSorted(keys) {
		keys = slices.Compact(slices.Clone(keys))
	} else {
		keys = lo.Uniq(keys)
	}
	batches := slices.Collect(slices.Chunk(keys, MaxBatch))
	found := make([][]stock.Product, len(batches))
	var mu sync.Mutex
	done := 0
	tell := func(keys int) {
		mu.Lock()
		defer mu.Unlock()
		if done += keys; progress != nil {
			progress(done)
		}
	}
	group, together := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, batch := range batches {
		group.Go(func() (err error) {
			found[i], err = retry(together, func() ([]stock.Product, error) { return s.Lookup(together, by, batch) })
			if err != nil {
				from := i*MaxBatch + 1
				return fmt.Errorf("look up keys %d to %d of %d: %w", from, from-1+len(batch), len(keys), err)
			}
			tell(len(batch))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	products, seen := slices.Concat(found...), make(map[string]struct{}, len(keys))
	return slices.DeleteFunc(products, func(p stock.Product) bool {
		_, again := seen[p.ID]
		seen[p.ID] = struct{}{}
		return again
	}), nil
}

// atOnce is how many look-ups are under way at once: while one answer is read
// the shop works at the next.
const atOnce = 2

// Bounds of a list, which only the shop knows the end of.
const (
	maxListed = 500_000 // products
	maxIdle   = 10      // pages in a row without a product that was not listed before
)

// ListAll lists the whole shop page by page, each product once: one that moved
// to a later page meanwhile is returned as it was read first. progress, which
// may be nil, hears after each page how many products are listed.
//
// Temporary trouble and unreadable answers are repeated here; what is left of
// them comes back as an *Error, and no product with it. So does a list that
// does not end: a cursor that comes again, pages that bring nothing new, or
// more than half a million products.
func ListAll(ctx context.Context, s Shop, progress func(done int)) ([]stock.Product, error) {
	var products []stock.Product
	listed, followed := map[string]bool{}, map[string]bool{}
	idle, cursor := 0, ""
	for {
		page, next, err := list(ctx, s, cursor)
		if err != nil {
			return nil, fmt.Errorf("list products from number %d on: %w", len(products)+1, err)
		}
		before := len(products)
		for _, p := range page {
			if !listed[p.ID] {
				listed[p.ID] = true
				products = append(products, p)
			}
		}
		if progress != nil {
			progress(len(products))
		}
		idle = lo.Ternary(len(products) == before, idle+1, 0)
		switch {
		case next == "":
			return products, nil
		case followed[next]:
			return nil, endless(fmt.Sprintf("the cursor %.40q leads in a circle", next))
		case idle == maxIdle:
			return nil, endless(fmt.Sprintf("%d pages in a row brought no new product, and there is to be a next one", idle))
		case len(products) > maxListed:
			return nil, endless(fmt.Sprintf("it has more than %d products", maxListed))
		}
		followed[next] = true
		cursor = next
	}
}

func list(ctx context.Context, s Shop, cursor string) ([]stock.Product, string, error) {
	var next string
	products, err := retry(ctx, func() (page []stock.Product, err error) {
		page, next, err = s.List(ctx, cursor)
		return page, err
	})
	return products, next, err
}

func endless(message string) error {
	return NewError("list products", BadResponse, http.StatusOK, "the list of products does not end: "+message)
}

// Write sets one batch of at most MaxBatch changes and returns one result a
// change, in their order. pass names the pass the changes belong to: the same
// batch of the same pass is the same request to the shop.
//
// A batch that the shop refuses as a whole (400, 413, 422) is split in halves
// until the guilty change is found, which becomes Rejected. Temporary trouble
// and unreadable answers are repeated here; what is left of them comes back as
// an *Error. The results returned with an error are those of the first
// len(results) changes; whether any of the others was carried out is unknown.
func Write(ctx context.Context, s Shop, pass string, changes []Change) ([]Result, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	sent := 0
	results, err := retry(ctx, func() ([]Result, error) {
		sent++
		return s.SetStock(ctx, batchKey(pass, changes), changes)
	})
	if err == nil {
		return lo.Map(results, func(r Result, _ int) Result {
			r.Reason, r.Repeated = oneLine(r.Reason), sent > 1
			return r
		}), nil
	}
	refusal := (*Error)(nil)
	if !errors.As(err, &refusal) || !refusal.ofTheBatch() {
		return nil, fmt.Errorf("write %d changes from product %q on: %w", len(changes), changes[0].ID, err)
	}
	if len(changes) == 1 {
		return []Result{{ID: changes[0].ID, Status: Rejected, Reason: refusal.Message}}, nil
	}
	half := len(changes) / 2
	first, err := Write(ctx, s, pass, changes[:half])
	if err != nil {
		return first, err
	}
	second, err := Write(ctx, s, pass, changes[half:])
	return append(first, second...), err
}

// ofTheBatch tells whether the shop refused what the request holds, and not
// who asks or when.
func (e *Error) ofTheBatch() bool {
	return e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity || e.Kind == TooLarge
}

// batchKey is the name of a batch: another batch, also a half of it, has
// another one.
func batchKey(pass string, changes []Change) string {
	text := append(strconv.AppendQuote(nil, pass), '\n')
	for _, c := range changes {
		text = append(strconv.AppendQuote(text, c.ID), ' ')
		text = append(quickjson.AppendNumber(text, c.Quantity), ' ')
		text = append(quickjson.AppendNumber(text, c.Expected), '\n')
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
