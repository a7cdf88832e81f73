package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
)

// ReadHistory returns a page of the records of a shop's passes, newest first.
func (a *Activities) ReadHistory(ctx context.Context, req protocol.HistoryRequest) (protocol.HistoryPage, error) {
	page, err := a.readHistory(ctx, req)
	return page, failed(ctx, req.Shop, err)
}

func (a *Activities) readHistory(ctx context.Context, req protocol.HistoryRequest) (protocol.HistoryPage, error) {
	passes, err := a.pastPasses(ctx, req.Shop)
	if err != nil {
		return protocol.HistoryPage{}, err
	}
	if req.Before > 0 {
		passes = lo.Filter(passes, func(p pastPass, _ int) bool { return p.number < req.Before })
	}
	limit := req.Limit
	if limit <= 0 || limit > protocol.MaxHistoryRecords {
		limit = protocol.MaxHistoryRecords
	}
	page := protocol.HistoryPage{Records: []protocol.PassRecord{}}
	size := 0
	for i, past := range passes {
		record, err := a.record(ctx, req.Shop, past)
		if forgotten(err) { // removed since it was listed, or damaged: the others are worth showing
			a.log.Warn("the archive has lost the record of a pass", "shop", req.Shop, "pass", past.number, "error", err)
			continue
		}
		if err != nil {
			return protocol.HistoryPage{}, err
		}
		text, err := json.Marshal(record)
		if err != nil {
			return protocol.HistoryPage{}, fmt.Errorf("encode the record of pass %d of %q: %w", past.number, req.Shop, err)
		}
		size += len(text)
		if len(page.Records) == limit || len(page.Records) > 0 && size > protocol.MaxInspectBytes {
			page.Next = passes[i-1].number
			break
		}
		page.Records = append(page.Records, record)
	}
	return page, nil
}

// pastPass is what the archive has of a pass that is over: its record, its
// receipts, or both.
type pastPass struct {
	number   int64
	record   string // key; empty where the pass left none
	receipts []snapshot.Entry
}

// pastPasses are the passes of a shop that the archive tells of, newest first.
func (a *Activities) pastPasses(ctx context.Context, shop string) ([]pastPass, error) {
	passes := map[int64]pastPass{}
	for _, kind := range []snapshot.Kind{snapshot.Pass, snapshot.Receipt} {
		entries, err := a.archive.List(ctx, shop, kind)
		if err != nil {
			return nil, fmt.Errorf("list the archive of %q: %w", shop, err)
		}
		for _, entry := range entries {
			past := passes[entry.Pass]
			past.number = entry.Pass
			if kind == snapshot.Pass {
				past.record = entry.Key
			} else {
				past.receipts = append(past.receipts, entry)
			}
			passes[entry.Pass] = past
		}
	}
	return slices.SortedFunc(maps.Values(passes), func(x, y pastPass) int { return int(y.number - x.number) }), nil
}

// record reads the record of a pass. A pass whose writing broke off may have
// receipts that it does not know of: they are added from the archive.
func (a *Activities) record(ctx context.Context, shop string, past pastPass) (protocol.PassRecord, error) {
	record := protocol.PassRecord{Report: protocol.Report{Shop: shop, Pass: past.number}}
	if past.record != "" {
		ref, err := a.archive.Ref(ctx, past.record)
		if err != nil {
			return protocol.PassRecord{}, err
		}
		rows, err := snapshot.ReadAll[protocol.PassRecord](ctx, a.archive, ref)
		if err != nil {
			return protocol.PassRecord{}, err
		}
		if len(rows) != 1 {
			return protocol.PassRecord{}, fmt.Errorf("%s has %d rows instead of 1: %w", ref.Key, len(rows), snapshot.ErrCorrupt)
		}
		record = rows[0]
	} else if len(past.receipts) > 0 {
		record.Report.StartedAt, record.Report.FinishedAt = past.receipts[0].At, past.receipts[len(past.receipts)-1].At
	}
	var err error
	if record.Receipts, err = a.listed(ctx, record.Receipts); err != nil && !forgotten(err) {
		return protocol.PassRecord{}, err
	}
	if len(record.Receipts) < len(past.receipts) {
		refs := make([]protocol.Ref, 0, len(past.receipts))
		for _, entry := range past.receipts {
			ref, err := a.archive.Ref(ctx, entry.Key)
			if err != nil {
				return protocol.PassRecord{}, err
			}
			refs = append(refs, ref)
		}
		record.Receipts = refs
	}
	return record, nil
}
