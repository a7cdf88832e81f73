package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/samber/lo"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
)

// ReadArchive returns one page of an object in the shop's archive.
func (a *Activities) ReadArchive(ctx context.Context, req protocol.InspectRequest) (protocol.InspectPage, error) {
	read := a.readArchive
	switch req.Kind {
	case protocol.InspectRows:
		read = a.readRows
	case protocol.InspectHeld:
		read = a.readHeld
	}
	page, err := read(ctx, req)
	return page, failed(ctx, req.Shop, err)
}

func (a *Activities) readArchive(ctx context.Context, req protocol.InspectRequest) (protocol.InspectPage, error) {
	ref, err := a.find(ctx, req)
	if err != nil {
		return protocol.InspectPage{}, err
	}
	if req.Kind == protocol.InspectReceipt && snapshot.KindOf(ref) == snapshot.Receipts {
		return a.readListed(ctx, ref, req)
	}
	page, err := a.archive.Page(ctx, ref, req.Offset, pageRows(req), protocol.MaxInspectBytes)
	if err != nil {
		return protocol.InspectPage{}, fmt.Errorf("read %s from row %d: %w", ref.Key, req.Offset, err)
	}
	return protocol.InspectPage{
		Ref: ref, Rows: page.Rows, Total: page.Total,
		Next: lo.Ternary(page.Next < page.Total, page.Next, 0),
	}, nil
}

// readListed returns a page of the receipts that a list of them points to, as if
// they were one object. A page ends with a receipt's last row.
func (a *Activities) readListed(ctx context.Context, list protocol.Ref, req protocol.InspectRequest) (protocol.InspectPage, error) {
	receipts, err := a.listed(ctx, []protocol.Ref{list})
	if err != nil {
		return protocol.InspectPage{}, err
	}
	out := protocol.InspectPage{Ref: list, Rows: []json.RawMessage{}, Total: lo.SumBy(receipts, func(r protocol.Ref) int { return r.Rows })}
	before := 0 // rows
	for _, ref := range receipts {
		if req.Offset >= before+ref.Rows {
			before += ref.Rows
			continue
		}
		page, err := a.archive.Page(ctx, ref, req.Offset-before, pageRows(req), protocol.MaxInspectBytes)
		if err != nil {
			return protocol.InspectPage{}, fmt.Errorf("read %s from row %d: %w", ref.Key, req.Offset-before, err)
		}
		out.Rows = page.Rows
		if next := before + page.Next; next < out.Total {
			out.Next = next
		}
		break
	}
	return out, nil
}

func pageRows(req protocol.InspectRequest) int {
	if req.Limit <= 0 || req.Limit > protocol.MaxInspectRows {
		return protocol.MaxInspectRows
	}
	return req.Limit
}

// find is the object that is asked for: the one named, or the newest of its kind.
func (a *Activities) find(ctx context.Context, req protocol.InspectRequest) (protocol.Ref, error) {
	if !req.Ref.Zero() {
		return req.Ref, nil
	}
	entries, err := a.archive.List(ctx, req.Shop, snapshot.Kind(req.Kind))
	if err != nil {
		return protocol.Ref{}, fmt.Errorf("list the archive of %q: %w", req.Shop, err)
	}
	entry, _, ok := lo.FindLastIndexOf(entries, func(e snapshot.Entry) bool {
		// A catalogue is what KROS had, whoever read it: the first pass uses the
		// one of the activation's dry run.
		own := !e.DryRun || e.Kind == snapshot.Catalogue
		return own && (req.Pass == 0 || e.Pass == req.Pass)
	})
	if !ok {
		return protocol.Ref{}, fmt.Errorf("the archive of %q has no %s of pass %d: %w", req.Shop, req.Kind, req.Pass, snapshot.ErrMissing)
	}
	return a.archive.Ref(ctx, entry.Key)
}
