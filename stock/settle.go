package stock

import (
	"cmp"

	"github.com/shopspring/decimal"
)

// Answer is what the shop said to one write.
type Answer string

// The answers to a write.
const (
	AnswerUpdated   Answer = "updated"
	AnswerUnchanged Answer = "unchanged"
	AnswerConflict  Answer = "conflict" // the shop did not have what the plan expected
	AnswerRejected  Answer = "rejected"
)

// Receipt is one write and its answer: what the shop had, what was asked, what
// KROS gave, and what the shop has now where it told.
type Receipt struct {
	Item    string           `json:"item,omitempty"`
	Product string           `json:"product"`
	Had     decimal.Decimal  `json:"had,omitzero"`
	Asked   decimal.Decimal  `json:"asked,omitzero"`
	Kros    decimal.Decimal  `json:"kros,omitzero"`
	Answer  Answer           `json:"answer"`
	Now     *decimal.Decimal `json:"now,omitempty"`
	Reason  string           `json:"reason,omitempty"`
	// Repeated tells that the write was sent before and its answer is not known:
	// the shop may have carried it out then.
	Repeated bool `json:"repeated,omitempty"`
}

// AlreadyRight are receipts for the products of the plan that need no write.
// After Replan they tell Settle that a conflict ended well.
func (p Plan) AlreadyRight() []Receipt {
	var receipts []Receipt
	for _, line := range p.Lines {
		for _, e := range line.Entries {
			if !e.changes() {
				receipts = append(receipts, Receipt{
					Item: line.Item, Product: e.Product, Had: e.From, Asked: e.To, Kros: e.Kros, Answer: AnswerUnchanged,
				})
			}
		}
	}
	return receipts
}

// Settle says what became of a plan, from all receipts of the pass in order of
// time. Where the products of an item fared differently, rejected comes before
// held, updated and unchanged. Raised, Lowered and Zeroed count what was
// really written. A planned write without a receipt was never made.
//
// zeroed is how many products were taken from above 0 to 0 without a person
// having said so: what counts against the thresholds of the next day.
func Settle(plan Plan, receipts []Receipt) (counts Counts, samples Samples, zeroed int) {
	fates := fatesOf(receipts)
	t := newTally()
	for _, line := range plan.Lines {
		t.line(settleLine(line, fates))
		for _, e := range line.Entries {
			fate := fates[e.Product]
			if fate.wrote {
				t.change(fate.had, fate.asked)
				if fate.had.IsPositive() && fate.asked.IsZero() && !e.Approved {
					zeroed++
				}
			}
			if fate.conflicted {
				t.counts.Conflicts++
			}
		}
	}
	return t.counts, t.samples, zeroed
}

// fate is what became of one product.
type fate struct {
	wrote      bool
	had, asked decimal.Decimal // from the first write to the last one that came through
	conflicted bool
	last       *Receipt
}

func fatesOf(receipts []Receipt) map[string]fate {
	fates := make(map[string]fate, len(receipts))
	for i := range receipts {
		r := &receipts[i]
		f := fates[r.Product]
		f.last = r
		f.conflicted = f.conflicted || r.Answer == AnswerConflict
		if r.Answer == AnswerUpdated {
			if !f.wrote {
				f.wrote, f.had = true, r.Had
			}
			f.asked = r.Asked
		}
		fates[r.Product] = f
	}
	return fates
}

// settleLine gives a line the outcome that its products had.
func settleLine(line Line, fates map[string]fate) Line {
	if len(line.Entries) == 0 {
		return line
	}
	outcome, worst := Unchanged, Entry{}
	if line.Outcome == Held {
		outcome = Held
	}
	for _, e := range line.Entries {
		became, code, reason := e.settle(fates)
		if severity(became) <= severity(outcome) {
			continue
		}
		outcome = became
		if became == Rejected {
			worst = e
			line.ReasonCode, line.Reason = code, cmp.Or(reason, sentence(code, "", "", nil))
		}
	}
	if worst.Product != "" {
		line.Others = []string{worst.Product}
	}
	if !line.Missing {
		line.Outcome = outcome
	}
	return line
}

func (e Entry) settle(fates map[string]fate) (outcome Outcome, code, reason string) {
	f, asked := fates[e.Product]
	switch {
	case !asked && e.changes():
		return Rejected, ReasonNotWritten, ""
	case !asked:
		return Unchanged, "", ""
	}
	switch f.last.Answer {
	case AnswerUpdated, AnswerUnchanged:
	case AnswerConflict:
		// Somebody else, or a repeat of our own write, has already done it.
		if f.last.Now == nil || !f.last.Now.Equal(f.last.Asked) {
			return Rejected, ReasonConflict, ""
		}
	default:
		return Rejected, ReasonRejected, f.last.Reason
	}
	if f.wrote {
		return Updated, "", ""
	}
	return Unchanged, "", ""
}

func severity(outcome Outcome) int {
	switch outcome {
	case Rejected:
		return 3
	case Held:
		return 2
	case Updated:
		return 1
	}
	return 0
}

// tally adds lines up to counts and gathers the first few of each outcome.
type tally struct {
	counts  Counts
	samples Samples
}

func newTally() *tally { return &tally{samples: Samples{}} }

func (t *tally) line(line Line) {
	if line.Past {
		return
	}
	c := &t.counts
	c.Products += len(line.Entries)
	if len(line.Entries) > 1 {
		c.Shared += len(line.Entries)
	}
	if line.Missing {
		c.Missing++
		t.sample("missing", line)
		return
	}
	c.KrosItems++
	switch line.Outcome {
	case Updated:
		c.Updated++
		return
	case Unchanged:
		c.Unchanged++
		return
	case Unmatched:
		c.Unmatched++
	case Ambiguous:
		c.Ambiguous++
	case Skipped:
		c.Skipped++
	case Rejected:
		c.Rejected++
	case Held:
		c.Held++
	}
	t.sample(string(line.Outcome), line)
}

func (t *tally) change(from, to decimal.Decimal) {
	switch to.Cmp(from) {
	case 1:
		t.counts.Raised++
	case -1:
		t.counts.Lowered++
		if to.IsZero() {
			t.counts.Zeroed++
		}
	}
}

func (t *tally) sample(of string, line Line) {
	if len(t.samples[of]) >= MaxSamples {
		return
	}
	t.samples[of] = append(t.samples[of], Sample{
		Item:       clip(line.Item),
		Name:       clip(line.Name),
		Key:        clip(line.Key),
		Product:    clip(sampleProduct(line)),
		ReasonCode: line.ReasonCode,
		Reason:     clip(line.Reason),
	})
}

// sampleProduct is the product that a line's reason is about.
func sampleProduct(line Line) string {
	switch line.ReasonCode {
	case ReasonDuplicateCode, ReasonSharedKey:
		return ""
	}
	if len(line.Others) > 0 {
		return line.Others[0]
	}
	if len(line.Entries) > 0 {
		return line.Entries[0].Product
	}
	return ""
}
