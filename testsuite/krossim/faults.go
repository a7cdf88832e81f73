package krossim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// FaultKind is a way for a request to go wrong.
type FaultKind string

// The ways for a request to go wrong.
const (
	FaultStatus   FaultKind = "status"   // Status with Body, and RetryAfter where set
	FaultHTML     FaultKind = "html"     // Status (default 200) with an HTML page
	FaultCut      FaultKind = "cut"      // the right answer, cut in the middle
	FaultReset    FaultKind = "reset"    // the connection is closed without an answer
	FaultSlow     FaultKind = "slow"     // the right answer after DelayMS
	FaultEmpty    FaultKind = "empty"    // 200 with an empty list
	FaultRedirect FaultKind = "redirect" // 302 to Location
)

// Fault breaks requests under /api.
type Fault struct {
	Kind       FaultKind `json:"kind"`
	Count      int       `json:"count,omitempty"`      // how many requests; 0: one, negative: all from now on
	After      int       `json:"after,omitempty"`      // how many requests pass before the first one breaks
	Path       string    `json:"path,omitempty"`       // "catalog-items" or "auth/check"; "": any
	Status     int       `json:"status,omitempty"`     // for status and html
	Body       string    `json:"body,omitempty"`       // for status
	RetryAfter string    `json:"retryAfter,omitempty"` // for status: the header as it is
	DelayMS    int       `json:"delayMs,omitempty"`    // for slow
	Location   string    `json:"location,omitempty"`   // for redirect
}

const htmlPage = "<!DOCTYPE html>\n<html><head><title>Údržba</title></head><body><h1>KROS je dočasne nedostupný</h1></body></html>\n"

// AddFault queues a fault. Where several wait for one request, the one queued
// first breaks it.
func (s *Server) AddFault(fault Fault) error {
	kinds := []FaultKind{FaultStatus, FaultHTML, FaultCut, FaultReset, FaultSlow, FaultEmpty, FaultRedirect}
	if !slices.Contains(kinds, fault.Kind) {
		return fmt.Errorf("fault kind %q is none of %v", fault.Kind, kinds)
	}
	if fault.Kind == FaultStatus && (fault.Status < 200 || fault.Status > 599) {
		return fmt.Errorf("fault status %d is not between 200 and 599", fault.Status)
	}
	fault.Count = cmp.Or(fault.Count, 1)
	fault.Location = cmp.Or(fault.Location, "https://prihlasenie.kros.example/")
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

// takeFault returns the fault that breaks a request to path, nil for none.
func (s *Server) takeFault(path string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, fault := range s.faults {
		if fault.Path != "" && fault.Path != path {
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

// breakAnswer breaks a request and tells whether it is to be answered nevertheless.
func (s *Server) breakAnswer(f *Fault, w http.ResponseWriter, r *http.Request, path string) bool {
	switch f.Kind {
	case FaultStatus:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(cmp.Or(f.Status, http.StatusOK))
		_, _ = w.Write([]byte(htmlPage))
	case FaultCut:
		cut := &buffer{ResponseWriter: w}
		s.answer(cut, r, path)
		_, _ = w.Write(cut.body[:len(cut.body)/2])
	case FaultReset:
		panic(http.ErrAbortHandler)
	case FaultEmpty:
		writeJSON(w, http.StatusOK, map[string]any{"data": []any{}})
	case FaultRedirect:
		http.Redirect(w, r, f.Location, http.StatusFound)
	case FaultSlow:
		return pause(r.Context(), time.Duration(f.DelayMS)*time.Millisecond)
	}
	return false
}

// buffer holds back the body of an answer.
type buffer struct {
	http.ResponseWriter
	body []byte
}

func (b *buffer) Write(p []byte) (int, error) {
	b.body = append(b.body, p...)
	return len(p), nil
}

func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	var fault Fault
	if err := json.NewDecoder(r.Body).Decode(&fault); err != nil {
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
