package fynodesim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/samber/lo"
)

// FaultKind is a way for a request to go wrong.
type FaultKind string

// The ways for a request to go wrong. In those that carry the right answer
// the request is carried out.
const (
	FaultStatus      FaultKind = "status"       // Status with Body, and RetryAfter where set
	FaultHTML        FaultKind = "html"         // Status (default 200) with an HTML page
	FaultCut         FaultKind = "cut"          // the right answer, cut in the middle
	FaultReset       FaultKind = "reset"        // the connection is closed, nothing was done
	FaultResetBefore FaultKind = "reset_before" // the same as reset
	FaultResetAfter  FaultKind = "reset_after"  // carried out, but the answer is lost
	FaultSlow        FaultKind = "slow"         // the right answer after DelayMS
	FaultEmpty       FaultKind = "empty"        // 200 with an empty list
	FaultRedirect    FaultKind = "redirect"     // 302 to Location
	FaultWrongID     FaultKind = "wrong_id"     // the right answer, but with another id in its first row
)

// Fault breaks requests to the API.
type Fault struct {
	Kind       FaultKind `json:"kind"`
	Count      int       `json:"count,omitempty"`      // how many requests; 0: one, negative: all from now on
	After      int       `json:"after,omitempty"`      // how many requests pass before the first one breaks
	Path       string    `json:"path,omitempty"`       // "shop", "products", "products/lookup", "products/stock"; "": any
	Product    string    `json:"product,omitempty"`    // only writes that hold this product's id
	Status     int       `json:"status,omitempty"`     // for status and html
	Body       string    `json:"body,omitempty"`       // for status; "": a problem+json
	RetryAfter string    `json:"retryAfter,omitempty"` // for status: the header as it is
	DelayMS    int       `json:"delayMs,omitempty"`    // for slow
	Location   string    `json:"location,omitempty"`   // for redirect
}

const htmlPage = "<!DOCTYPE html>\n<html><head><title>Údržba</title></head><body><h1>E-shop je dočasne nedostupný</h1></body></html>\n"

// AddFault queues a fault. Where several wait for one request, the one queued
// first breaks it.
func (s *Server) AddFault(fault Fault) error {
	kinds := []FaultKind{FaultStatus, FaultHTML, FaultCut, FaultReset, FaultResetBefore, FaultResetAfter,
		FaultSlow, FaultEmpty, FaultRedirect, FaultWrongID}
	if !slices.Contains(kinds, fault.Kind) {
		return fmt.Errorf("fault kind %q is none of %v", fault.Kind, kinds)
	}
	if fault.Kind == FaultStatus && (fault.Status < 200 || fault.Status > 599) {
		return fmt.Errorf("fault status %d is not between 200 and 599", fault.Status)
	}
	paths := []string{"", pathShop, pathProducts, pathLookup, pathStock}
	if !slices.Contains(paths, fault.Path) {
		return fmt.Errorf("fault path %q is none of %q", fault.Path, paths)
	}
	fault.Count = cmp.Or(fault.Count, 1)
	fault.Location = cmp.Or(fault.Location, "https://prihlasenie.fynode.example/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault)
	return nil
}

// ClearFaults drops all faults that still wait.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault returns the fault that breaks a request, nil for none.
func (s *Server) takeFault(path string, body []byte) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, fault := range s.faults {
		if !fault.meets(path, body) {
			continue
		}
		if fault.After > 0 {
			fault.After--
			continue
		}
		taken := *fault
		if fault.Count > 0 {
			if fault.Count--; fault.Count == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return &taken
	}
	return nil
}

func (f *Fault) meets(path string, body []byte) bool {
	if f.Path != "" && f.Path != path {
		return false
	}
	if f.Product == "" {
		return true
	}
	items, _, err := readItems(body)
	return path == pathStock && err == nil &&
		lo.SomeBy(items, func(item stockItem) bool { return *item.ID == f.Product })
}

// serve answers a request as the fault wants it.
func (f *Fault) serve(w http.ResponseWriter, r *http.Request, s *Server, body []byte) {
	switch f.Kind {
	case FaultStatus:
		f.serveStatus(w)
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(cmp.Or(f.Status, http.StatusOK))
		_, _ = w.Write([]byte(htmlPage))
	case FaultCut:
		whole := f.carriedOut(r, s, body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	case FaultReset, FaultResetBefore:
		panic(http.ErrAbortHandler)
	case FaultResetAfter:
		f.carriedOut(r, s, body)
		panic(http.ErrAbortHandler)
	case FaultSlow:
		if pause(r.Context(), time.Duration(f.DelayMS)*time.Millisecond) {
			s.answer(w, r, body)
		}
	case FaultEmpty:
		writeJSON(w, map[string]any{"products": []any{}, "results": []any{}})
	case FaultRedirect:
		http.Redirect(w, r, f.Location, http.StatusFound)
	case FaultWrongID:
		whole := f.carriedOut(r, s, body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(whole.Code)
		_, _ = w.Write([]byte(strings.Replace(whole.Body.String(), `"id":"`, `"id":"other-`, 1)))
	}
}

func (f *Fault) serveStatus(w http.ResponseWriter) {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	if f.Body == "" {
		problem(w, f.Status, "the simulator was told to answer so")
		return
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}

func (f *Fault) carriedOut(r *http.Request, s *Server, body []byte) *httptest.ResponseRecorder {
	whole := httptest.NewRecorder()
	s.answer(whole, r, body)
	return whole
}

func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	var fault Fault
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&fault); err != nil {
		http.Error(w, "read the fault: "+err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.AddFault(fault); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	s.ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}
