package kros

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/samber/lo"

	"github.com/skladom/skladom/stock"
)

// identity is what tells rows apart while they move.
type identity struct{ code, name, ean string }

func identityOf(item stock.Item) identity { return identity{item.Code, item.Name, item.EAN} }

// sighting is what is known of the rows of one identity. A catalogue has a
// hundred thousand of them.
type sighting struct {
	rows    []stock.Item // the newest answer that showed them all
	sweep   int32        // the newest that saw it
	met     int32        // how many rows that sweep showed, on all its pages
	doubled int32        // in how many readings running before that one it had moved
	times   int32        // how many rows of that sweep it is: the most in one answer
	asked   bool         // an answer to this code alone showed all there is
	partial bool         // a newer answer showed only some of rows
}

func (s *sighting) id() identity { return identityOf(s.rows[0]) }

// moved tells whether the newest sweep met it more often than it counts: it is
// one row that moved, or several that look the same.
func (s *sighting) moved() bool { return s.met > s.times && !s.asked }

// again tells whether it moved in this sweep and in so many before it, which
// one row rarely does.
func (s *sighting) again(sweeps int32) bool { return s.moved() && s.doubled >= sweeps }

// place is what was seen under one code, compared trimmed. A row without a
// code shares its place only with those of its identity.
type place struct {
	code string // "" where KROS cannot be asked for it
	seen []sighting
	only [1]sighting // where seen lies while there is one, as nearly everywhere
	most int         // rows one sweep showed: a row renamed between two is not two
}

// sightings are the rows seen in all sweeps of one list.
type sightings struct {
	sweep   int32
	places  []*place // as they were first seen
	spare   []place  // for those to come
	byKey   map[string]*place
	counted int
	onPage  map[identity]struct{} // of the present page
	met     int                   // rows that the present sweep showed
	moved   int                   // of them those it had shown before, on another page
	// restless tells that so many rows move from page to page that one which
	// is met again and again need not be two.
	restless bool
}

// restlessFrom is the part of a sweep that is met more than once, from which on
// a list is restless: below it one row in 8,000 moves in three sweeps running.
const restlessFrom = 0.05

func newSightings() *sightings {
	return &sightings{byKey: map[string]*place{}, onPage: map[identity]struct{}{}}
}

// beginSweep starts a reading of the list that is newer than those before.
func (s *sightings) beginSweep() {
	s.restless = s.restless || float64(s.moved) > restlessFrom*float64(s.met)
	s.sweep, s.met, s.moved = s.sweep+1, 0, 0
}

// page takes in one answer of the list. Two rows of one identity in it are two
// rows; in two answers they may be one that moved.
func (s *sightings) page(rows []stock.Item) {
	for alike := range s.alike(rows) {
		p := s.placeOf(alike[0])
		s.counted -= p.most
		met := p.see(s.sweep, alike)
		if p.code == "" && !s.restless { // KROS cannot be asked for it
			p.believe(s.sweep, met)
		}
		s.counted += p.most
		if s.met += len(alike); met.moved() {
			s.moved += len(alike)
		}
	}
}

// alike groups the rows of a page by identity. Mostly each is one of its own,
// and its group a part of rows.
func (s *sightings) alike(rows []stock.Item) iter.Seq[[]stock.Item] {
	clear(s.onPage)
	for _, row := range rows {
		s.onPage[identityOf(row)] = struct{}{}
	}
	if len(s.onPage) < len(rows) {
		return slices.Values(lo.PartitionBy(rows, identityOf))
	}
	return slices.Chunk(rows, 1)
}

// single takes in an answer to one code alone: that is all there is of it.
func (s *sightings) single(rows []stock.Item) {
	p := s.placeOf(rows[0])
	s.counted -= p.most
	p.seen = lo.Map(lo.PartitionBy(rows, identityOf), func(alike []stock.Item, _ int) sighting {
		return sighting{rows: alike, sweep: s.sweep, times: int32(len(alike)), asked: true}
	})
	p.most = len(rows)
	s.counted += p.most
}

// count is how many different rows of the list were seen.
func (s *sightings) count() int { return s.counted }

// uncertain returns the codes that may count for more or fewer rows than they
// are: those the present sweep met more than once, and those an earlier sweep
// showed with rows that this one did not.
func (s *sightings) uncertain() []string {
	return s.codes(func(p *place) bool {
		newest := p.newest()
		return newest == s.sweep && slices.ContainsFunc(p.seen, func(one sighting) bool {
			return one.sweep < newest || one.moved()
		})
	})
}

// twins returns the codes that two sweeps running met more than once.
func (s *sightings) twins() []string {
	return s.codes(func(p *place) bool {
		return p.newest() == s.sweep && slices.ContainsFunc(p.seen, func(one sighting) bool { return one.again(1) })
	})
}

// several returns the codes that have different rows, or a reading that is
// older than another, unless that is what KROS said of them alone.
func (s *sightings) several() []string {
	return s.codes(func(p *place) bool {
		asked := lo.EveryBy(p.seen, func(one sighting) bool { return one.asked })
		partial := slices.ContainsFunc(p.seen, func(one sighting) bool { return one.partial })
		return partial || !asked && len(p.items()) > 1
	})
}

// unseen returns those of the codes that no sweep showed and KROS can be asked
// for, each once.
func (s *sightings) unseen(codes []string) []string {
	return lo.Uniq(lo.FilterMap(codes, func(code string, _ int) (string, bool) {
		code = strings.TrimSpace(code)
		return code, s.byKey[code] == nil && askable(code)
	}))
}

func (s *sightings) codes(which func(*place) bool) []string {
	return lo.FilterMap(s.places, func(p *place, _ int) (string, bool) { return p.code, p.code != "" && which(p) })
}

// items returns every row once; rows equal in everything are one item.
func (s *sightings) items() []stock.Item {
	items := make([]stock.Item, 0, len(s.places))
	for _, p := range s.places {
		items = append(items, p.items()...)
	}
	return items
}

func (s *sightings) placeOf(item stock.Item) *place {
	code := strings.TrimSpace(item.Code)
	key := code
	if key == "" {
		key = "\x00" + item.Name + "\x00" + item.EAN
	}
	known := s.byKey[key]
	if known == nil {
		known = s.newPlace()
		if len(code) <= MaxItemCode && code != "" || askable(code) {
			known.code = code
		}
		s.byKey[key] = known
		s.places = append(s.places, known)
	}
	return known
}

// newPlace is one of a block of them: there are a hundred thousand.
func (s *sightings) newPlace() *place {
	if len(s.spare) == 0 {
		s.spare = make([]place, pageSize)
	}
	taken := &s.spare[0]
	s.spare = s.spare[1:]
	return taken
}

// see takes in the rows of one identity from one answer of the list.
func (p *place) see(sweep int32, alike []stock.Item) *sighting {
	known := p.sightingOf(alike)
	if known.sweep != sweep {
		known.doubled = lo.Ternary(known.moved(), known.doubled+1, 0)
		known.sweep, known.met, known.times = sweep, 0, 0
	}
	known.met += int32(len(alike))
	known.times = max(known.times, int32(len(alike)))
	known.partial = len(alike) < len(known.rows)
	if !known.partial {
		known.rows = alike
	}
	p.most = max(p.most, p.times(sweep))
	return known
}

// believe counts what three sweeps running met more than once as so many rows.
func (p *place) believe(sweep int32, known *sighting) {
	if known.again(2) {
		known.times = known.met
		p.most = max(p.most, p.times(sweep))
	}
}

// sightingOf is what is known of rows of one identity; new ones are taken in.
func (p *place) sightingOf(alike []stock.Item) *sighting {
	id := identityOf(alike[0])
	for i := range p.seen {
		if p.seen[i].id() == id {
			return &p.seen[i]
		}
	}
	if p.seen == nil {
		p.seen = p.only[:0]
	}
	p.seen = append(p.seen, sighting{rows: alike})
	return &p.seen[len(p.seen)-1]
}

// times is how many rows a sweep showed.
func (p *place) times(sweep int32) (rows int) {
	for _, one := range p.seen {
		if one.sweep == sweep {
			rows += int(one.times)
		}
	}
	return rows
}

func (p *place) newest() (sweep int32) {
	for _, one := range p.seen {
		sweep = max(sweep, one.sweep)
	}
	return sweep
}

func (p *place) items() []stock.Item {
	if len(p.seen) == 1 && len(p.seen[0].rows) == 1 {
		return p.seen[0].rows
	}
	rows := lo.FlatMap(p.seen, func(one sighting, _ int) []stock.Item { return one.rows })
	return lo.UniqBy(rows, inWords)
}

// inWords writes all of an item down, so that equal items give equal texts:
// the order of warehouses and 1.50 for 1.5 make no difference.
func inWords(item stock.Item) string {
	rows := lo.Map(item.Rows, func(row stock.Row, _ int) string {
		return fmt.Sprintf("%q %s", row.Warehouse, row.Quantity)
	})
	slices.Sort(rows)
	return fmt.Sprintf("%q %q %q %q %q", item.Code, item.Name, item.EAN, item.Unit, rows)
}
