package stock

import "github.com/shopspring/decimal"

// Change is what one write made of a product.
type Change struct {
	Item    string          `json:"item"`
	Product string          `json:"product"`
	Before  decimal.Decimal `json:"before"`
	After   decimal.Decimal `json:"after"` // equal to Before where the shop refused it
	Kros    decimal.Decimal `json:"kros"`  // what KROS gave
	Answer  Answer          `json:"answer"`
	Reason  string          `json:"reason"`
}

// Change reads a receipt as the change that it tells of.
func (r Receipt) Change() Change {
	c := Change{Item: r.Item, Product: r.Product, Before: r.Had, After: r.Had, Kros: r.Kros, Answer: r.Answer, Reason: r.Reason}
	switch {
	case r.Now != nil:
		c.After = *r.Now
	case r.Answer == AnswerUpdated || r.Answer == AnswerUnchanged:
		c.After = r.Asked
	}
	return c
}

// Written adds up what receipts, in order of time, made of the products: how
// many rose, fell and went to 0.
func Written(receipts []Receipt) Counts {
	t := newTally()
	for _, f := range fatesOf(receipts) {
		t.counts.Products++
		if f.wrote {
			t.change(f.had, f.asked)
		}
		if f.conflicted {
			t.counts.Conflicts++
		}
	}
	return t.counts
}
