package message

import (
	"fmt"
	"strings"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Answer says in one sentence why the item of an explanation has its quantity,
// or why it is not written and what to do about it. It reads all of the
// explanation but Answer and Next; times are those of the zone, beside now.
func Answer(e protocol.Explanation, now time.Time, zone *time.Location) string {
	switch e.Cause {
	case protocol.CauseUnknown:
		return unknown(e)
	case protocol.CauseNoItem:
		return fmt.Sprintf("not written: the e-shop has a product %s, and KROS no item with its %s; give both the same", e.Asked, cureKey(e.Rules.Match).product)
	case protocol.CauseNotWritten:
		return "not written: " + remedied(e)
	case protocol.CauseMissing:
		return missing(e)
	case protocol.CauseHeld:
		return fmt.Sprintf("%s, because a change is held: %s; to let it through, run: skladom approve %s", stays(e), e.Reason, e.Shop)
	case protocol.CauseDismissed:
		return fmt.Sprintf("%s, because %s", stays(e), e.Reason)
	case protocol.CauseRefused:
		p := e.Products[0]
		return fmt.Sprintf("%s instead of %s: %s", quantity(p.ShopNow), quantity(p.WouldBecome), remedied(e))
	case protocol.CauseSold:
		return unbooked(e, now, zone)
	}
	return plain(e)
}

func unknown(e protocol.Explanation) string {
	text := fmt.Sprintf("KROS has no item with the code or EAN %q, and the e-shop no product of it", e.Asked)
	if len(e.Near) > 0 {
		text += "; like it are " + strings.Join(e.Near, ", ")
	}
	return text
}

// remedied is the reason and what to do, where the reason does not say it.
func remedied(e protocol.Explanation) string {
	short := remedy(e.ReasonCode, e.Rules.Match, e.Shop)
	if short == "" || cured[e.ReasonCode] {
		return e.Reason
	}
	return e.Reason + "; " + short
}

func missing(e protocol.Explanation) string {
	if e.ReasonCode == stock.ReasonMissingZeroed {
		return fmt.Sprintf("%s, because KROS does not have this item any more and missing = %q", becomes(e), e.Rules.Missing)
	}
	left := leftThere(e)
	if left != "" && e.Rules.Missing == stock.MissingZero {
		return left + ` as before, because KROS does not list this item any more; missing = "zero" takes only products to 0 that Skladom wrote, and only where KROS does not know the item when asked for it alone`
	}
	if left != "" {
		return fmt.Sprintf("%s as before, because KROS does not show this item any more and missing = %q; %s", left, e.Rules.Missing, remedy(e.ReasonCode, e.Rules.Match, e.Shop))
	}
	return "not written: " + remedied(e)
}

// leftThere is what was left of products that are not looked at any more,
// where it is the same for all.
func leftThere(e protocol.Explanation) string {
	left := lo.Uniq(lo.FilterMap(e.Products, func(p protocol.ExplainedProduct, _ int) (string, bool) {
		return quantity(p.Left), p.Left != nil
	}))
	if len(left) != 1 {
		return ""
	}
	return left[0]
}

func unbooked(e protocol.Explanation, now time.Time, zone *time.Location) string {
	pieces := lo.Reduce(e.Sales, func(sum decimal.Decimal, s protocol.ExplainedSale, _ int) decimal.Decimal { return sum.Add(s.Quantity) }, decimal.Zero)
	were, are := "were", "are"
	if pieces.Equal(decimal.NewFromInt(1)) {
		were, are = "was", "is"
	}
	first := e.Sales[0]
	return fmt.Sprintf("KROS has %s; %s %s sold in the e-shop since %s and %s not booked in KROS yet; the shop %s until %s",
		quantity(e.Kros), pieces, were, Clock(first.Seen, now, zone), are, shows(e), Clock(first.HeldUntil, now, zone))
}

// shows is what the shop shows, or will show after the next pass.
func shows(e protocol.Explanation) string {
	p := e.Products[0]
	if e.Pass == 0 && !p.ShopNow.Equal(*p.WouldBecome) {
		return fmt.Sprintf("gets %s with the next pass, instead of %s,", quantity(p.WouldBecome), quantity(p.ShopNow))
	}
	return "shows " + quantity(p.WouldBecome)
}

// stays is the quantity that a product keeps.
func stays(e protocol.Explanation) string { return quantity(e.Products[0].WouldBecome) }

// becomes is the quantity that a product has or gets.
func becomes(e protocol.Explanation) string {
	p := e.Products[0]
	if e.Pass == 0 && !p.ShopNow.Equal(*p.WouldBecome) {
		return fmt.Sprintf("%s with the next pass (%s now)", quantity(p.WouldBecome), quantity(p.ShopNow))
	}
	return quantity(p.WouldBecome)
}

func plain(e protocol.Explanation) string {
	return becomes(e) + ", because " + because(e)
}

// because says what KROS has and which rules changed it.
func because(e protocol.Explanation) string {
	if len(e.Steps) == 0 {
		return "KROS has " + quantity(e.Kros) // the catalogue is not known any more
	}
	clauses := []string{inWarehouses(e)}
	before := e.Steps[0].Result
	for _, step := range e.Steps[1:] {
		clauses = append(clauses, clause(e, step, before))
		before = step.Result
	}
	if last := len(clauses) - 1; last > 0 {
		return strings.Join(clauses[:last], ", ") + " and " + clauses[last]
	}
	return clauses[0]
}

func clause(e protocol.Explanation, step stock.Step, before decimal.Decimal) string {
	switch step.Name {
	case stock.StepBuffer:
		return fmt.Sprintf("a buffer of %s is kept back", before.Sub(step.Result))
	case stock.StepDecimals:
		if e.Rules.UnitDecimals {
			return fmt.Sprintf("unit_decimals { %s = %d } rounds down", e.Unit, e.Rules.Decimals)
		}
		return fmt.Sprintf("decimals = %d rounds down", e.Rules.Decimals)
	}
	return step.Detail
}

const namedWarehouses = 4

// inWarehouses says what lies where, and how that becomes one quantity.
func inWarehouses(e protocol.Explanation) string {
	counted := lo.Filter(e.Warehouses, func(w protocol.ExplainedWarehouse, _ int) bool { return w.Counted })
	switch {
	case len(e.Warehouses) == 0:
		return "KROS shows it in no warehouse any more"
	case len(counted) == 0:
		return fmt.Sprintf("KROS has %s, which kros.warehouses does not count", listed(e.Warehouses, e.Unit))
	case len(counted) == 1:
		return "KROS has " + listed(counted, e.Unit)
	case e.Rules.Quantity == stock.Sum:
		return fmt.Sprintf("KROS has %s, which quantity = %q adds up", listed(counted, e.Unit), stock.Sum)
	}
	return fmt.Sprintf("KROS has %s, of which quantity = %q takes the largest", listed(counted, e.Unit), stock.Max)
}

func listed(warehouses []protocol.ExplainedWarehouse, unit string) string {
	texts := lo.Map(warehouses[:min(len(warehouses), namedWarehouses)], func(w protocol.ExplainedWarehouse, _ int) string {
		return strings.Join(strings.Fields(fmt.Sprintf("%s %s in %s", w.Quantity, unit, w.Code)), " ")
	})
	if rest := len(warehouses) - len(texts); rest > 0 {
		texts = append(texts, fmt.Sprintf("%d more warehouses", rest))
	}
	if last := len(texts) - 1; last > 0 {
		return strings.Join(texts[:last], ", ") + " and " + texts[last]
	}
	return texts[0]
}

func quantity(q *decimal.Decimal) string {
	if q == nil {
		return "nothing known"
	}
	return q.String()
}

// NextPass says what a pass now would do with the item of an explanation.
func NextPass(e protocol.Explanation) string {
	changing := lo.Filter(e.Products, func(p protocol.ExplainedProduct, _ int) bool {
		return p.ShopNow != nil && p.WouldBecome != nil && !p.ShopNow.Equal(*p.WouldBecome)
	})
	kept := lo.Filter(e.Products, func(p protocol.ExplainedProduct, _ int) bool { return p.Held || p.Dismissed })
	var does []string
	if len(changing) > 0 {
		does = append(does, "set "+several(changing, func(p protocol.ExplainedProduct) string {
			return fmt.Sprintf("%s from %s to %s", p.ID, p.ShopNow, p.WouldBecome)
		}))
	}
	if len(kept) > 0 {
		does = append(does, "leave "+several(kept, func(p protocol.ExplainedProduct) string {
			return fmt.Sprintf("%s at %s (%s)", p.ID, quantity(p.WouldBecome), lo.Ternary(p.Held, "held", "dismissed"))
		}))
	}
	if len(does) == 0 {
		return "A pass now would change nothing."
	}
	return "A pass now would " + strings.Join(does, " and ") + "."
}

func several(products []protocol.ExplainedProduct, text func(protocol.ExplainedProduct) string) string {
	const named = 3
	texts := lo.Map(products[:min(len(products), named)], func(p protocol.ExplainedProduct, _ int) string { return text(p) })
	if rest := len(products) - named; rest > 0 {
		texts = append(texts, fmt.Sprintf("%d more", rest))
	}
	return strings.Join(texts, ", ")
}

// NoPass says that a shop's passes do not run by themselves, and why.
func NoPass(shop string, state protocol.State) string {
	switch state {
	case protocol.StateInactive:
		return fmt.Sprintf("No pass runs by itself: %s is not active.", shop)
	case protocol.StatePaused, protocol.StateSuspended:
		return fmt.Sprintf("No pass runs by itself: %s is %s.", shop, state)
	}
	return ""
}

// WouldFail says that a pass now would fail.
func WouldFail(f protocol.Failure) string { return "A pass now would fail: " + f.Message }

// ToldFromArchive says that an explanation is not of now. why, which may be
// nil, is what keeps it from that.
func ToldFromArchive(pass int64, at, now time.Time, zone *time.Location, why *protocol.Failure) string {
	text := fmt.Sprintf("This is as pass %d saw it, at %s.", pass, Clock(at, now, zone))
	if why == nil {
		return text
	}
	return why.Message + " " + text
}

// Notes of an explanation.
const (
	// CatalogueNotKept says that what KROS gave is not known any more.
	CatalogueNotKept = "What KROS showed in each warehouse is not kept any more."
	// ItemsChanged says that rules for single items may have been others.
	ItemsChanged = "The file of rules for single items is another one now, so the steps may differ."
	// ShopNotAsked says that the e-shop could not be asked for a product.
	ShopNotAsked = "The e-shop could not be asked for a product with this number or EAN."
)

// NotKept is why a pass cannot be explained: its plan is not in the archive,
// which has those from first to last, or none where last is 0.
func NotKept(shop string, pass, first, last int64) *protocol.Failure {
	kept := "the archive has no plan"
	if last > 0 {
		kept = fmt.Sprintf("the archive has the plans of passes %d to %d", first, last)
	}
	return &protocol.Failure{
		Message: fmt.Sprintf("The plan of pass %d is not kept: %s.", pass, kept),
		Hint:    fmt.Sprintf("To see how it is now: skladom explain %s ITEM. What passes wrote is kept longer: skladom history %s", shop, shop),
	}
}
