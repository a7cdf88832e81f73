package krossim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/samber/lo"
)

const (
	defaultTop  = 50
	maxTop      = 100
	maxItemCode = 25
	// timestampForm is how CatalogItemChangedTimestamp is written; KROS's time
	// zone is unknown, here it is UTC.
	timestampForm = "2006-01-02T15:04:05"

	jsonType = "application/json; charset=utf-8"
)

// problem is one entry of KROS's answer 400.
type problem struct {
	PropertyPath string `json:"propertyPath"`
	ErrorMessage string `json:"errorMessage"`
}

type listQuery struct {
	top, skip      int
	itemCode, name string
	onlyEshop      bool
	changedSince   time.Time
}

// all tells whether a query leaves no row out.
func (q listQuery) all() bool {
	return strings.TrimSpace(q.itemCode) == "" && q.name == "" && !q.onlyEshop && q.changedSince.IsZero()
}

func (s *Server) listItems(w http.ResponseWriter, r *http.Request) {
	query, problems := parseListQuery(r.URL.Query())
	if len(problems) > 0 {
		writeJSON(w, http.StatusBadRequest, map[string]any{"errors": problems})
		return
	}
	body := append([]byte(`{"data":[`), bytes.Join(s.page(query), []byte(","))...)
	body = append(body, ']')
	if s.options.UnknownFields {
		body = append(body, `,"meta":{"data":[1]},"requestId":"6f1d"`...)
	}
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(append(body, "}\n"...))
}

func parseListQuery(values url.Values) (listQuery, []problem) {
	query := listQuery{top: defaultTop}
	var problems []problem
	refuse := func(name, format string, args ...any) {
		problems = append(problems, problem{PropertyPath: name, ErrorMessage: fmt.Sprintf(format, args...)})
	}
	for name, given := range values {
		value := given[0]
		var err error
		switch strings.ToLower(name) {
		case "top":
			if query.top, err = strconv.Atoi(value); err != nil || query.top < 1 || query.top > maxTop {
				refuse("Top", "'Top' must be between 1 and %d.", maxTop)
			}
		case "skip":
			if query.skip, err = strconv.Atoi(value); err != nil || query.skip < 0 {
				refuse("Skip", "'Skip' must be greater than or equal to 0.")
			}
		case "itemcode":
			if query.itemCode = value; utf8.RuneCountInString(value) > maxItemCode {
				refuse("ItemCode", "'ItemCode' must be at most %d characters.", maxItemCode)
			}
		case "name":
			query.name = value
		case "onlymarkedforeshop":
			if query.onlyEshop, err = strconv.ParseBool(strings.ToLower(value)); err != nil {
				refuse("OnlyMarkedForEshop", "'%s' is not a valid value.", value)
			}
		case "catalogitemchangedtimestamp":
			if query.changedSince, err = time.Parse(timestampForm, value); err != nil {
				refuse("CatalogItemChangedTimestamp", "'%s' is not a valid value.", value)
			}
		}
	}
	slices.SortFunc(problems, func(a, b problem) int { return strings.Compare(a.PropertyPath, b.PropertyPath) })
	return query, problems
}

// page returns the rows a query asks for, as they are written, and moves rows
// afterwards where the list is told to be restless.
func (s *Server) page(query listQuery) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.order
	if !query.all() { // of a hundred thousand rows a thousand pages are asked for
		found = lo.Filter(s.order, func(r *row, _ int) bool { return s.matches(query, r) })
	}
	from := min(query.skip, len(found))
	to := min(from+query.top, len(found))
	page := lo.Map(found[from:to], func(r *row, _ int) []byte { return s.written(r) })
	s.moveRows()
	return page
}

// written is an item as KROS writes it. It is kept: encoding is most of what a
// large catalogue costs the simulator.
func (s *Server) written(r *row) []byte {
	if r.wire == nil {
		r.wire = lo.Must(json.Marshal(s.encode(r))) // only what is no number does not encode, and no KROS holds that
	}
	return r.wire
}

func (s *Server) matches(query listQuery, r *row) bool {
	code, asked := strings.TrimSpace(r.ItemCode), strings.TrimSpace(query.itemCode)
	byCode := asked == "" || code == asked || s.options.ItemCodeSearches && strings.Contains(code, asked)
	byName := query.name == "" || strings.Contains(strings.ToLower(r.Name), strings.ToLower(query.name))
	return byCode && byName &&
		(!query.onlyEshop || r.MarkedForEshop) &&
		!r.ChangedAt.Before(query.changedSince)
}

func (s *Server) moveRows() {
	if s.options.Shuffle {
		s.random.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
		return
	}
	for range min(s.options.MovingRows, len(s.order)) {
		from, to := s.random.IntN(len(s.order)), s.random.IntN(len(s.order))
		moved := s.order[from]
		s.order = slices.Insert(slices.Delete(s.order, from, from+1), to, moved)
	}
}

// encode writes an item as KROS does, bent by the switches. A field KROS has
// nothing to say about is left out.
func (s *Server) encode(r *row) map[string]any {
	item := map[string]any{"itemCode": r.ItemCode, "name": r.Name}
	if r.EANCode != "" {
		item[s.options.EANField] = r.EANCode
	}
	if r.MeasureUnit != "" {
		item["measureUnit"] = r.MeasureUnit
	}
	if r.Warehouses != nil && !s.options.NoStockModule {
		item["warehouses"] = lo.Map(r.Warehouses, func(warehouse Warehouse, _ int) map[string]any {
			return map[string]any{"code": warehouse.Code, "quantityOnHand": s.number(warehouse.QuantityOnHand)}
		})
	}
	if s.options.UnknownFields {
		item["id"] = r.id
		item["customFields"] = []any{map[string]any{"itemCode": "no", "quantityOnHand": 99}, nil}
	}
	return item
}

func (s *Server) number(n json.Number) any {
	if s.options.NumbersAsStrings {
		return n.String()
	}
	return n
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
