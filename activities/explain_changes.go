package activities

import (
	"context"
	"slices"

	"github.com/samber/lo"
	"golang.org/x/sync/errgroup"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// readAhead is how many passes are read at once, newest first, until enough
// changes of an item are found. There may be thousands of them.
const readAhead = 16

// toldPass is what a past pass tells of an item.
type toldPass struct {
	record   protocol.PassRecord
	kept     bool // the record is one, and not put together from receipts
	receipts []stock.Receipt
}

// remember writes down the last changes of the item and of the settings, from
// the receipts and records of all passes up to the one that is explained.
func (e *explaining) remember(ctx context.Context, passes []pastPass) error {
	if e.pass > 0 {
		passes = lo.Filter(passes, func(p pastPass, _ int) bool { return p.number <= e.pass })
	}
	e.last = map[string]stock.Receipt{}
	var later *protocol.PassRecord // the record of the next pass that has one
	for chunk := range slices.Chunk(passes, readAhead) {
		told, err := e.tell(ctx, chunk)
		if err != nil {
			return err
		}
		for _, pass := range told {
			if pass.kept {
				e.settingsChange(pass.record, later)
				later = &pass.record
			}
			e.written(pass)
		}
		if len(e.out.Changes) >= protocol.MaxExplainedChanges {
			e.out.Changes = e.out.Changes[:protocol.MaxExplainedChanges]
			return nil
		}
	}
	return nil
}

// tell reads what passes tell of the item, in their order. What the archive has
// lost meanwhile tells nothing.
func (e *explaining) tell(ctx context.Context, passes []pastPass) ([]toldPass, error) {
	told := make([]toldPass, len(passes))
	group, ctx := errgroup.WithContext(ctx)
	for i, past := range passes {
		group.Go(func() error {
			record, err := e.a.record(ctx, e.req.Shop, past)
			if err != nil {
				return ignoreForgotten(err)
			}
			told[i] = toldPass{record: record, kept: past.record != ""}
			receipts, err := e.a.receipts(ctx, record.Receipts)
			told[i].receipts = lo.Filter(receipts, func(r stock.Receipt, _ int) bool { return e.concerns(r) })
			return ignoreForgotten(err)
		})
	}
	return told, group.Wait()
}

func ignoreForgotten(err error) error {
	if forgotten(err) {
		return nil
	}
	return err
}

// concerns tells whether a receipt is of the item, or of the product that was
// asked for.
func (e *explaining) concerns(r stock.Receipt) bool {
	if e.subject.Product != "" && r.Product == e.subject.Product {
		return true
	}
	return r.Item != "" && r.Item == e.subject.Line.Item
}

// written writes down what a pass did with the item, the last write first. Of
// quantities that the shop did not take only the latest of a product counts:
// each pass may try again.
func (e *explaining) written(pass toldPass) {
	for _, r := range slices.Backward(pass.receipts) {
		_, seen := e.last[r.Product]
		if !seen {
			e.last[r.Product] = r
		}
		change := protocol.ItemChange{
			At: pass.record.Report.StartedAt, Pass: pass.record.Report.Pass, Trigger: pass.record.Report.Trigger, By: pass.record.By,
			Kind: protocol.ChangeQuantity, Product: r.Product, From: &r.Had, To: &r.Asked,
		}
		switch r.Answer {
		case stock.AnswerUpdated:
			e.out.Changes = append(e.out.Changes, change)
		case stock.AnswerRejected, stock.AnswerConflict:
			if _, refused := (stock.Entry{Product: r.Product, From: r.Had, To: r.Asked}).Refused([]stock.Receipt{r}); !seen && refused != "" {
				change.Kind, change.Text = protocol.ChangeRefused, refused
				e.out.Changes = append(e.out.Changes, change)
			}
		}
	}
}

// settingsChange writes down which settings that decide about quantities the
// pass after this one found changed.
func (e *explaining) settingsChange(record protocol.PassRecord, later *protocol.PassRecord) {
	if later == nil {
		return
	}
	for _, c := range message.SettingsChanges(deciding(record.Settings), deciding(later.Settings)) {
		e.out.Changes = append(e.out.Changes, protocol.ItemChange{
			At: later.Report.StartedAt, Pass: later.Report.Pass, Kind: protocol.ChangeSettings,
			Text: c.Setting + ": " + c.Before + " -> " + c.After,
		})
	}
}

func deciding(s protocol.Settings) protocol.Settings {
	return protocol.Settings{Rules: s.Rules, OnlyEshopItems: s.OnlyEshopItems, ItemsHash: s.ItemsHash}
}
