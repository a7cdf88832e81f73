package message

import (
	"fmt"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/stock"
)

// Why says why a product would get a quantity, or why it or its item is left as
// it is. Times are those of the zone.
func Why(d stock.Difference, now time.Time, zone *time.Location) string {
	switch e := d.Entry; {
	case e == nil, d.Line.Missing:
		return d.Line.Reason
	case e.Want != nil && !e.Dismissed:
		return "held: " + lo.CoalesceOrEmpty(d.Line.Reason, fmt.Sprintf("KROS gives %s; it waits for approval", e.Kros))
	case e.Dismissed:
		return lo.CoalesceOrEmpty(d.Line.Reason, fmt.Sprintf("KROS gives %s, which was dismissed", e.Kros))
	case e.Unbooked.IsPositive() && len(d.Line.Sold) > 0:
		return fmt.Sprintf("KROS has %s; %s sold in the e-shop since %s, not booked in KROS yet", e.Kros, sold(d.Line.Sold), Clock(d.Line.Sold[0].Seen, now, zone))
	default:
		return fmt.Sprintf("KROS has %s", e.Kros)
	}
}

// sold is how many pieces all sales are.
func sold(sales []stock.Sale) decimal.Decimal {
	return lo.Reduce(sales, func(sum decimal.Decimal, s stock.Sale, _ int) decimal.Decimal { return sum.Add(s.Quantity) }, decimal.Zero)
}
