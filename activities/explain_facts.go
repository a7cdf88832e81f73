package activities

import (
	"slices"
	"strings"

	"github.com/samber/lo"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// describe writes down what the plan and the catalogue say of the item.
func (e *explaining) describe() {
	line, item, out := e.subject.Line, e.subject.Item, &e.out
	out.Also = e.subject.Also
	out.Item, out.Name, out.Key = line.Item, line.Name, line.Key
	out.EAN, out.Unit = stock.CleanKey(item.EAN), stock.CleanKey(item.Unit)
	out.Outcome = lo.Ternary(line.Missing, "missing", string(line.Outcome))
	out.ReasonCode, out.Reason = line.ReasonCode, line.Reason
	out.Rules.Decimals, out.Rules.UnitDecimals = e.rules.DecimalsOf(item.Unit)
	if !line.Missing && !line.NoStock {
		out.Kros = &line.Kros
	}
	if item.Code != "" || item.Name != "" || item.EAN != "" {
		e.measure(item)
	}
	e.products()
	for _, sale := range line.Sold {
		out.Sales = append(out.Sales, protocol.ExplainedSale{Quantity: sale.Quantity, Seen: sale.Seen, HeldUntil: e.rules.HeldUntil(sale)})
	}
}

// measure writes down how the quantity came about. The rules of the time are
// not always known to the letter; steps that lead elsewhere would be a lie.
func (e *explaining) measure(item stock.Item) {
	for _, row := range item.Rows[:min(len(item.Rows), protocol.MaxExplainedWarehouses)] {
		e.out.Warehouses = append(e.out.Warehouses, protocol.ExplainedWarehouse{
			Code: stock.CleanKey(row.Warehouse), Quantity: row.Quantity, Counted: e.rules.Counts(row.Warehouse),
		})
	}
	steps := e.rules.Steps(item)
	if e.out.Kros != nil && len(steps) > 0 && steps[len(steps)-1].Result.Equal(*e.out.Kros) {
		e.out.Steps = steps
	}
}

// products writes down the products of the item, the one that the answer is
// about first.
func (e *explaining) products() {
	lead := e.subject.Lead()
	entries := e.subject.Line.Entries
	if lead != nil {
		rest := lo.Reject(entries, func(entry stock.Entry, _ int) bool { return entry.Product == lead.Product })
		entries = append([]stock.Entry{*lead}, rest...)
	}
	for _, entry := range entries {
		e.out.Products = append(e.out.Products, protocol.ExplainedProduct{
			ID: entry.Product, Name: entry.Name, ShopNow: &entry.From, WouldBecome: &entry.To, Want: entry.Want,
			Held: entry.Want != nil && !entry.Dismissed, Dismissed: entry.Dismissed, Approved: entry.Approved,
		})
	}
	for _, entry := range e.subject.Line.Kept {
		e.out.Products = append(e.out.Products, protocol.ExplainedProduct{ID: entry.Product, Name: entry.Name, Left: &entry.To})
	}
	e.out.Products = e.out.Products[:min(len(e.out.Products), protocol.MaxExplainedProducts)]
}

// judge decides what the answer rests on.
func (e *explaining) judge() {
	lead, out := e.subject.Lead(), &e.out
	switch {
	case e.subject.Line.Missing && (lead == nil || lead.Want == nil):
		out.Cause = protocol.CauseMissing
	case lead == nil:
		out.Cause = protocol.CauseNotWritten
	case lead.Dismissed:
		out.Cause = protocol.CauseDismissed
	case lead.Want != nil:
		out.Cause = protocol.CauseHeld
	case e.refused(*lead):
		out.Cause = protocol.CauseRefused
	case lead.Sold() && len(out.Sales) > 0:
		out.Cause = protocol.CauseSold
	default:
		out.Cause = protocol.CauseKros
	}
	out.Cure = message.CureOf(out.ReasonCode, out.Rules.Match, out.Shop)
}

// refused tells whether the shop did not take the quantity of the product: in
// the pass that is explained, or when the same was last asked of it.
func (e *explaining) refused(entry stock.Entry) bool {
	code, reason := "", ""
	if e.pass > 0 {
		code, reason = entry.Refused(e.receipts)
	} else if last, known := e.last[entry.Product]; known {
		code, reason = entry.RefusedBefore(last)
	}
	if code == "" {
		return false
	}
	e.out.ReasonCode, e.out.Reason = code, reason
	return true
}

// say puts it into words.
func (e *explaining) say() {
	if e.out.Cause == protocol.CauseNotWritten && e.out.Reason == "" {
		e.out.Reason = "the plan gives no reason"
	}
	e.out.Answer = message.Answer(e.out, e.now, e.zone())
	switch {
	case e.req.Failure != nil:
		e.out.Next = message.WouldFail(*e.req.Failure)
	case e.pass == 0:
		e.out.Next = strings.TrimSpace(message.NextPass(e.out) + " " + message.NoPass(e.req.Shop, e.req.State))
	}
	e.out.Note = strings.Join(slices.Compact(e.notes), " ")
}
