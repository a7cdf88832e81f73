package krossim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
)

// maxLog is how many requests a server remembers one by one.
const maxLog = 10_000

// State is what a simulated KROS holds and what was asked of it.
type State struct {
	Items  []Item  `json:"items"`
	Faults []Fault `json:"faults"` // those that still wait
	Counts
	Log []Request `json:"log"` // the last requests under /api, oldest first
}

// Counts count requests under /api and notifications since the start.
type Counts struct {
	Requests      int            `json:"requests"`
	ByPath        map[string]int `json:"byPath"`       // "catalog-items", "auth/check"
	Rejected      int            `json:"rejected"`     // answered with 429 for their number
	MaxPerSecond  int            `json:"maxPerSecond"` // the most of one client that arrived in any second
	MaxPerMinute  int            `json:"maxPerMinute"`
	Notifications Notifications  `json:"notifications"`
}

// Notifications count what was sent to the webhook.
type Notifications struct {
	Sent     int `json:"sent"`     // POSTs, repeats included
	Accepted int `json:"accepted"` // answered with 200
	GivenUp  int `json:"givenUp"`  // never answered with 200
}

// Request is one request under /api. Status 0 was never answered.
type Request struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"` // below /api/
	Query  string    `json:"query"`
	Status int       `json:"status"`
}

// State returns a copy of what the server holds.
func (s *Server) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{
		Items:  lo.Map(s.items, func(r *row, _ int) Item { return r.Item }),
		Faults: lo.Map(s.faults, func(f *Fault, _ int) Fault { return *f }),
		Counts: s.counts,
		Log:    slices.Clone(s.requests),
	}
	state.ByPath = maps.Clone(s.counts.ByPath)
	return state
}

// SetStock replaces the warehouses of all rows with this code, compared
// trimmed, and sends a notification where a webhook is set.
func (s *Server) SetStock(itemCode string, warehouses ...Warehouse) error {
	if !s.setStock(itemCode, warehouses) {
		return fmt.Errorf("set the stock of item %q: KROS has no such item", itemCode)
	}
	s.Notify(itemCode)
	return nil
}

func (s *Server) setStock(itemCode string, warehouses []Warehouse) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := lo.Filter(s.items, func(r *row, _ int) bool {
		return strings.TrimSpace(r.ItemCode) == strings.TrimSpace(itemCode)
	})
	for _, r := range rows {
		r.Warehouses, r.wire = slices.Clone(warehouses), nil
		if s.options.QuantityTouches {
			r.ChangedAt = s.options.Now()
		}
	}
	return len(rows) > 0
}

// SetMoving changes how restless the list is from now on: how many rows change
// places after each answer, or whether all of them do.
func (s *Server) SetMoving(rows int, shuffle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.MovingRows, s.options.Shuffle = rows, shuffle
}

// log must be called with the lock held; it returns the number of the request.
func (s *Server) log(request Request) int {
	s.counts.Requests++
	s.counts.ByPath[request.Path]++
	if len(s.requests) == maxLog {
		s.requests = slices.Delete(s.requests, 0, maxLog/2)
	}
	s.requests = append(s.requests, request)
	return s.counts.Requests
}

func (s *Server) answered(number, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := len(s.requests) - 1 - (s.counts.Requests - number); i >= 0 {
		s.requests[i].Status = status
	}
}

func (s *Server) getState(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.State())
}

func (s *Server) putItem(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Warehouses *[]Warehouse `json:"warehouses"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, "read the item: "+err.Error(), http.StatusBadRequest)
		return
	}
	if body.Warehouses == nil {
		http.Error(w, `the item has no list "warehouses"`, http.StatusBadRequest)
		return
	}
	if err := s.SetStock(r.PathValue("itemCode"), *body.Warehouses...); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
