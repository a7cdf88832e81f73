package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/samber/lo"
	"golang.org/x/sync/errgroup"
)

// floor sends what Skladom has to send, with what it has under way at once,
// and reads the answers without decoding them. The bodies lie ready.
func floor(t task) func(context.Context) error {
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 16
	all := lo.Range(t.Goods.Items)
	lookups := lo.Map(lo.Chunk(all, batchSize), func(batch []int, _ int) []byte {
		return encoded(map[string]any{"by": "number", "values": lo.Map(batch, func(i, _ int) string { return number(i) })})
	})
	changed := lo.Filter(all, func(i, _ int) bool { return t.Goods.changed(i) })
	writes := lo.Map(lo.Chunk(changed, batchSize), func(batch []int, _ int) []byte {
		return encoded(map[string]any{"items": lo.Map(batch, func(i, _ int) map[string]any {
			return map[string]any{"id": productID(i), "quantity": t.Goods.wanted(i), "expected": base(i) + t.Goods.Shop}
		})})
	})
	return func(ctx context.Context) error {
		if err := atOnce(t.Pages, t.Goods.Items/pageSize+1, func(i int) error {
			return send(ctx, http.MethodGet, t.page(i), nil, discard)
		}); err != nil {
			return err
		}
		if err := atOnce(t.Lookups, len(lookups), func(i int) error {
			return send(ctx, http.MethodPost, t.fynode("products/lookup"), lookups[i], discard)
		}); err != nil {
			return err
		}
		return atOnce(1, len(writes), func(i int) error {
			return send(ctx, http.MethodPatch, t.fynode("products/stock"), writes[i], discard)
		})
	}
}

// atOnce does n things, so many at a time.
func atOnce(limit, n int, do func(i int) error) error {
	var group errgroup.Group
	group.SetLimit(limit)
	for i := range n {
		group.Go(func() error { return do(i) })
	}
	return group.Wait()
}

func discard(body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

func encoded(v any) []byte { return lo.Must(json.Marshal(v)) }
