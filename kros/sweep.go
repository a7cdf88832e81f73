package kros

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/samber/lo"

	"github.com/skladom/skladom/stock"
)

const (
	// maxSweeps is how often a list that moves is read before going on with
	// what was seen.
	maxSweeps = 5
	// patience is after how many pages a list is expected to show something
	// new on at least every second row, or it has no end.
	patience = 20
	// maxPages is how long a list may be: five times what was ever measured. One
	// without end fails before it fills the memory.
	maxPages = 5000
	// maxSingles is how many codes with several rows are asked one by one: a
	// minute's worth of requests. The rest stays as it was read, several rows.
	maxSingles = 300
	// ahead is how many pages are under way at once where the list is known to
	// have them, and the most where it is not: an answer that takes longer than
	// KROS's limits would else set the pace. Fewer than KROS grants in a second,
	// so the limits still do.
	ahead = 4
)

// SweepOptions say what a sweep reads and who hears of it.
type SweepOptions struct {
	OnlyEshopItems bool           // only items marked for an e-shop in KROS
	ChangedSince   time.Time      // only items whose change timestamp is not older; zero: all. Whether quantities move it is unknown
	Progress       func(Progress) // nil: nobody. Called after each page and each item asked singly
	Expected       int            // rows that the list had last time; pages that it must have are asked for side by side. 0: not known

	// Known are the codes that were there last time; what of them the list has
	// not shown is asked for singly. Called once the list was read; nil: none.
	Known func() ([]string, error)
}

// Progress is how far a sweep has come.
type Progress struct {
	Pages    int // read in this sweep of the list
	Items    int // different rows seen so far
	Requests int // sent so far, repeats included
	Sweeps   int // of the list, this one included
}

// Sweep is a catalogue as it was read.
type Sweep struct {
	Items     []stock.Item
	Requests  int       // repeats included
	Throttled int       // of them answered with 429; 0 where the client may ask more than KROS grants
	Sweeps    int       // how often the list was read
	Complete  bool      // false: after maxSweeps rows were still missing
	StartedAt time.Time // of the last sweep: nothing in Items that it saw is older
}

// Sweep reads the whole catalogue.
//
// The order of KROS's list is not stable: rows move between pages while one
// reads. A sweep is complete when as many different rows were seen as the list
// is long; else it is read again and merged (docs/kros-api.md, count rule).
// Items holds each row once; a code that is there several times has several
// rows in KROS. A page that cannot be read fails the sweep with an Error, and
// Requests says what it cost.
func (c *Client) Sweep(ctx context.Context, options SweepOptions) (Sweep, error) {
	s := sweeper{client: c, options: options, seen: newSightings()}
	for !s.result.Complete && s.result.Sweeps < maxSweeps {
		s.result.Sweeps++
		length, err := s.readList(ctx)
		if err != nil {
			return Sweep{Requests: s.result.Requests}, err
		}
		if s.result.Complete, err = s.complete(ctx, length); err != nil {
			return Sweep{}, err
		}
	}
	if err := s.ask(ctx, lo.Slice(s.seen.several(), 0, maxSingles)); err != nil {
		return Sweep{}, err
	}
	s.result.Items = s.seen.items()
	return s.result, nil
}

// sweeper is one call of Sweep.
type sweeper struct {
	client  *Client
	options SweepOptions
	seen    *sightings
	result  Sweep
	pages   int // of the present sweep
}

// complete tells whether all rows of a list of this length were seen, after it
// has asked for what can be asked for singly.
func (s *sweeper) complete(ctx context.Context, length int) (bool, error) {
	if s.seen.count() < length {
		if err := s.askMoved(ctx); err != nil {
			return false, err
		}
	}
	if counted := s.seen.count() >= length; counted || s.result.Sweeps == maxSweeps {
		if err := s.askUnseen(ctx, counted); err != nil {
			return false, err
		}
	}
	return s.seen.count() >= length, nil
}

// askUnseen asks for what was there last time. The count alone does not show
// that it is gone: a row that was taken out while the list was read stands for
// one that slipped past meanwhile. And an item that stays out of sight would
// make another one of its key look clear, and that one would be written. Where
// the count says that more went than can be asked for, they went.
func (s *sweeper) askUnseen(ctx context.Context, counted bool) error {
	if s.options.Known == nil {
		return nil
	}
	known, err := s.options.Known()
	if err != nil {
		return err
	}
	unseen := s.seen.unseen(known)
	if counted && len(unseen) > maxSingles {
		return nil
	}
	return s.ask(ctx, lo.Slice(unseen, 0, maxSingles))
}

// readList reads all pages once and returns how long the list is.
func (s *sweeper) readList(ctx context.Context) (length int, err error) {
	s.seen.beginSweep()
	s.result.StartedAt = s.client.clock.Now()
	s.pages = 0
	pages := s.pagesOf(ctx)
	defer func() { s.spend(pages.stop()) }()
	for {
		page := pages.next()
		s.spend(page.spent)
		if page.err != nil {
			return 0, page.err
		}
		s.pages++
		s.seen.page(page.rows)
		s.report()
		if len(page.rows) < pageSize {
			return page.skip + len(page.rows), nil
		}
		if s.pages >= maxPages {
			return 0, &Error{Op: readOp(page.skip), Kind: BadResponse, Message: fmt.Sprintf("the list has more than %d rows", maxPages*pageSize)}
		}
		if s.pages >= patience && s.seen.count() < s.pages*pageSize/2 {
			return 0, &Error{Op: readOp(page.skip), Kind: BadResponse,
				Message: fmt.Sprintf("the list repeats itself: %d pages showed %d different rows", s.pages, s.seen.count())}
		}
	}
}

// page is an answer of the list, or why there is none.
type page struct {
	skip  int
	rows  []stock.Item
	spent cost
	err   error
}

// pages are the pages of one reading, in their order. Those that the list is
// expected to fill are asked for ahead; from there on one after the other, so
// that no request is wasted on what is not there, unless KROS takes so long to
// answer that this would set the pace.
type pages struct {
	read    func(skip int) page
	cancel  func()
	certain int // pages that are expected to be followed by another
	tempo   tempo
	asked   int
	waiting []chan page // in order
}

// tempo is how many pages are asked for side by side where nothing is known of
// the list: one more than KROS would grant requests while it answers one. So
// many less one may be in vain, behind the end of the list.
type tempo struct {
	interval time.Duration // between two requests that KROS grants
	slow     int           // raised and lowered by one with each answer
}

// hear takes in how long an answer took that was followed by another page. Of
// one slow answer nothing follows: two in a row are a slow KROS.
func (t *tempo) hear(answer time.Duration) {
	switch {
	case answer > time.Duration(max(t.slow, 1))*t.interval:
		t.slow = min(t.slow+1, ahead)
	case answer <= time.Duration(max(t.slow-1, 1))*t.interval:
		t.slow = max(t.slow-1, 0)
	}
}

func (t *tempo) width() int { return max(t.slow, 1) }

func (s *sweeper) pagesOf(ctx context.Context) *pages {
	ctx, cancel := context.WithCancel(ctx)
	return &pages{
		certain: s.options.Expected / pageSize,
		tempo:   tempo{interval: time.Second / time.Duration(min(s.client.perSecond, DefaultPerSecond))},
		cancel:  cancel,
		read: func(skip int) page {
			query := listQuery(skip, s.options.OnlyEshopItems)
			if since := s.options.ChangedSince; !since.IsZero() {
				query.Set("CatalogItemChangedTimestamp", since.UTC().Format(changedForm))
			}
			rows, spent, err := s.client.page(ctx, readOp(skip), query)
			return page{skip, rows, spent, err}
		},
	}
}

func readOp(skip int) string { return fmt.Sprintf("read the catalogue from row %d", skip) }

// next waits for the next page.
func (p *pages) next() page {
	for len(p.waiting) < p.width() {
		answer := make(chan page, 1)
		skip := p.asked * pageSize
		go func() { answer <- p.read(skip) }()
		p.asked++
		p.waiting = append(p.waiting, answer)
	}
	first := <-p.waiting[0]
	p.waiting = p.waiting[1:]
	if first.err == nil && first.skip/pageSize >= p.certain {
		p.tempo.hear(first.spent.answer)
	}
	return first
}

// width is how many pages may be under way when the next one is asked for.
func (p *pages) width() int {
	if p.asked <= p.certain {
		return ahead
	}
	return p.tempo.width()
}

// stop gives up what is under way, and says what that cost.
func (p *pages) stop() (spent cost) {
	p.cancel()
	for _, answer := range p.waiting {
		spent.add((<-answer).spent)
	}
	return spent
}

// askMoved settles the codes that make the count uncertain: an identity met on
// several pages may be one row that moved or several rows that look the same.
// It pays where it takes fewer requests than another sweep; for rows that look
// the same sweep after sweep, fewer than all sweeps that are left.
func (s *sweeper) askMoved(ctx context.Context) error {
	if codes := s.seen.uncertain(); len(codes) < s.pages {
		return s.ask(ctx, codes)
	}
	left := max(maxSweeps-s.result.Sweeps, 1) // after the last sweep the answer alone can help
	if codes := s.seen.twins(); len(codes) < min(left*s.pages, maxSingles) {
		return s.ask(ctx, codes)
	}
	return nil
}

// ask reads codes one by one; what KROS shows then is what there is. A code
// that it shows nothing for, or cannot be asked for, stays as it was read.
func (s *sweeper) ask(ctx context.Context, codes []string) error {
	for _, code := range codes {
		rows, spent, err := s.client.item(ctx, code, s.options.OnlyEshopItems)
		s.spend(spent)
		kind := KindOf(err)
		switch {
		case errors.Is(err, ErrCannotAsk), kind == Invalid, kind == NotFound:
			continue
		case err != nil:
			return err
		}
		if len(rows) > 0 {
			s.seen.single(rows)
		}
		s.report()
	}
	return nil
}

// spend counts what was asked. A 429 tells of others who ask for the same
// company only where this client alone would not have caused it.
func (s *sweeper) spend(spent cost) {
	s.result.Requests += spent.requests
	if s.client.perSecond <= DefaultPerSecond && s.client.perMinute <= DefaultPerMinute {
		s.result.Throttled += spent.throttled
	}
}

func (s *sweeper) report() {
	if s.options.Progress == nil {
		return
	}
	s.options.Progress(Progress{
		Pages:    s.pages,
		Items:    s.seen.count(),
		Requests: s.result.Requests,
		Sweeps:   s.result.Sweeps,
	})
}
