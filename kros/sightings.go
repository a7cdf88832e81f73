package kros

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/samber/lo"

	"github.com/skladom/skladom/stock"
)

// identity is what tells rows apart while they move.
type identity struct{ code, name, ean string }

func identityOf(item stock.Item) identity { return identity{item.Code, item.Name, item.EAN} }

// sighting is what is known of the rows of one identity.
type sighting struct {
	id      identity
	rows    []stock.Item // the newest answer that showed them all
	sweep   int          // the newest that saw it
	met     int          // how many rows that sweep showed, on all its pages
	doubled int          // in how many readings running before that one it had moved
	times   int          // how many rows of that sweep it is: the most in one answer
	asked   bool         // an answer to this code alone showed all there is
	partial bool         // a newer answer showed only some of rows
}

// moved tells whether the newest sweep met it more often than it counts: it is
// one row that moved, or several that look the same.
func (s *sighting) moved() bool { return s.met > s.times && !s.asked }

// again tells whether it moved in this sweep and in so many before it, which
// one row rarely does.
func (s *sighting) again(sweeps int) bool { return s.moved() && s.doubled >= sweeps }

// place is what was seen under one code, compared trimmed. A row without a
// code shares its place only with those of its identity.
type place struct {
	code string // "" where KROS cannot be asked for it
	seen []*sighting
	most int // rows one sweep showed: a row renamed between two is not two
}

// sightings are the rows seen in all sweeps of one list.
type sightings struct {
	sweep   int
	places  []*place // as they were first seen
	byKey   map[string]*place
	counted int
}

func newSightings() *sightings { return &sightings{byKey: map[string]*place{}} }

// beginSweep starts a reading of the list that is newer than those before.
func (s *sightings) beginSweep() { s.sweep++ }

// page takes in one answer of the list. Two rows of one identity in it are two
// rows; in two answers they may be one that moved.
func (s *sightings) page(rows []stock.Item) {
	for _, alike := range lo.PartitionBy(rows, identityOf) {
		p := s.placeOf(alike[0])
		s.counted -= p.most
		p.see(s.sweep, alike)
		s.counted += p.most
	}
}

// single takes in an answer to one code alone: that is all there is of it.
func (s *sightings) single(rows []stock.Item) {
	p := s.placeOf(rows[0])
	s.counted -= p.most
	p.seen = lo.Map(lo.PartitionBy(rows, identityOf), func(alike []stock.Item, _ int) *sighting {
		return &sighting{id: identityOf(alike[0]), rows: alike, sweep: s.sweep, times: len(alike), asked: true}
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
		return newest == s.sweep && slices.ContainsFunc(p.seen, func(one *sighting) bool {
			return one.sweep < newest || one.moved()
		})
	})
}

// twins returns the codes that two sweeps running met more than once.
func (s *sightings) twins() []string {
	return s.codes(func(p *place) bool {
		return p.newest() == s.sweep && slices.ContainsFunc(p.seen, func(one *sighting) bool { return one.again(1) })
	})
}

// several returns the codes that have different rows, or a reading that is
// older than another, unless that is what KROS said of them alone.
func (s *sightings) several() []string {
	return s.codes(func(p *place) bool {
		asked := lo.EveryBy(p.seen, func(one *sighting) bool { return one.asked })
		partial := slices.ContainsFunc(p.seen, func(one *sighting) bool { return one.partial })
		return partial || !asked && len(p.items()) > 1
	})
}

func (s *sightings) codes(which func(*place) bool) []string {
	return lo.FilterMap(s.places, func(p *place, _ int) (string, bool) { return p.code, p.code != "" && which(p) })
}

// items returns every row once; rows equal in everything are one item.
func (s *sightings) items() []stock.Item {
	return lo.FlatMap(s.places, func(p *place, _ int) []stock.Item { return p.items() })
}

func (s *sightings) placeOf(item stock.Item) *place {
	code := strings.TrimSpace(item.Code)
	key := cmp.Or(code, "\x00"+item.Name+"\x00"+item.EAN)
	if s.byKey[key] == nil {
		s.byKey[key] = &place{}
		if askable(code) {
			s.byKey[key].code = code
		}
		s.places = append(s.places, s.byKey[key])
	}
	return s.byKey[key]
}

// see takes in the rows of one identity from one answer of the list.
func (p *place) see(sweep int, alike []stock.Item) {
	id := identityOf(alike[0])
	known, ok := lo.Find(p.seen, func(one *sighting) bool { return one.id == id })
	if !ok {
		known = &sighting{id: id}
		p.seen = append(p.seen, known)
	}
	if known.sweep != sweep {
		known.doubled = lo.Ternary(known.moved(), known.doubled+1, 0)
		known.sweep, known.met, known.times = sweep, 0, 0
	}
	known.met += len(alike)
	known.times = max(known.times, len(alike))
	if p.code == "" && known.again(2) { // KROS cannot be asked, so believe it
		known.times = known.met
	}
	known.partial = len(alike) < len(known.rows)
	if !known.partial {
		known.rows = alike
	}
	p.most = max(p.most, p.times(sweep))
}

// times is how many rows a sweep showed.
func (p *place) times(sweep int) int {
	return lo.SumBy(p.seen, func(one *sighting) int { return lo.Ternary(one.sweep == sweep, one.times, 0) })
}

func (p *place) newest() int {
	return lo.Max(lo.Map(p.seen, func(one *sighting, _ int) int { return one.sweep }))
}

func (p *place) items() []stock.Item {
	rows := lo.FlatMap(p.seen, func(one *sighting, _ int) []stock.Item { return one.rows })
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
