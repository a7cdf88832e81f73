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
	pages   int          // of that sweep that showed it
	times   int          // how many rows of the list it is
	asked   bool         // times comes from an answer to this code alone
	partial bool         // a newer answer showed only some of rows
}

// place is what was seen under one code, compared trimmed. A row without a
// code shares its place only with those of its identity.
type place struct {
	code string // "" where KROS cannot be asked for it
	seen []*sighting
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
		s.counted -= p.weight()
		p.see(s.sweep, alike)
		s.counted += p.weight()
	}
}

// single takes in an answer to one code alone: that is all there is of it.
func (s *sightings) single(rows []stock.Item) {
	p := s.placeOf(rows[0])
	s.counted -= p.weight()
	p.seen = lo.Map(lo.PartitionBy(rows, identityOf), func(alike []stock.Item, _ int) *sighting {
		return &sighting{id: identityOf(alike[0]), rows: alike, sweep: s.sweep, times: len(alike), asked: true}
	})
	s.counted += p.weight()
}

// count is how many different rows of the list were seen.
func (s *sightings) count() int { return s.counted }

// uncertain returns the codes that may count for more or fewer rows than they
// are: those of the present sweep that were met on several pages, and those
// that an earlier sweep showed with rows that this one did not.
func (s *sightings) uncertain() []string {
	return s.codes(func(p *place) bool {
		newest := p.newest()
		return newest == s.sweep && slices.ContainsFunc(p.seen, func(one *sighting) bool {
			return one.sweep < newest || one.pages > 1 && !one.asked
		})
	})
}

// several returns the codes that have different rows, or a reading that is
// older than another, unless that is what KROS said of them alone.
func (s *sightings) several() []string {
	return s.codes(func(p *place) bool {
		settled := lo.EveryBy(p.seen, func(one *sighting) bool { return one.asked && one.pages == 0 })
		partial := slices.ContainsFunc(p.seen, func(one *sighting) bool { return one.partial })
		return !settled && (partial || len(p.items()) > 1)
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

func (p *place) see(sweep int, alike []stock.Item) {
	id := identityOf(alike[0])
	known, ok := lo.Find(p.seen, func(one *sighting) bool { return one.id == id })
	if !ok {
		known = &sighting{id: id}
		p.seen = append(p.seen, known)
	}
	if known.sweep != sweep {
		known.sweep, known.pages = sweep, 0
		if !known.asked {
			known.times = 0
		}
	}
	known.pages++
	known.times = max(known.times, len(alike))
	known.partial = len(alike) < len(known.rows)
	if !known.partial {
		known.rows = alike
	}
}

func (p *place) newest() int {
	return lo.Max(lo.Map(p.seen, func(one *sighting, _ int) int { return one.sweep }))
}

// weight is how many rows of the list the place is. What only an earlier sweep
// saw beside newer rows of its code may have been renamed, and counts nothing.
func (p *place) weight() int {
	newest := p.newest()
	return lo.SumBy(p.seen, func(one *sighting) int { return lo.Ternary(one.sweep == newest, one.times, 0) })
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
