package krossim

import (
	"cmp"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// window is a sliding log of the requests of one client: the arrivals of the
// last minute, those that were let through and all of them.
type window struct {
	counted []time.Time
	arrived []time.Time
}

// arrive notes a request, tells whether it is within the limits and, where it
// is not, how long it should have waited. index is the request's place in the log.
func (s *Server) arrive(r *http.Request, path string) (index int, wait time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	w := s.windowOf(r)
	w.forget(now)
	w.arrived = append(w.arrived, now)
	s.counts.MaxPerSecond = max(s.counts.MaxPerSecond, within(w.arrived, now, time.Second))
	s.counts.MaxPerMinute = max(s.counts.MaxPerMinute, within(w.arrived, now, time.Minute))

	wait = max(
		excess(w.counted, now, time.Second, s.options.PerSecond),
		excess(w.counted, now, time.Minute, s.options.PerMinute),
	)
	ok = wait == 0 || s.options.NoLimits
	if ok || s.options.RejectedCount {
		w.counted = append(w.counted, now)
	}
	if !ok {
		s.counts.Rejected++
	}
	return s.log(Request{At: now, Method: r.Method, Path: path, Query: r.URL.RawQuery}), wait, ok
}

func (s *Server) windowOf(r *http.Request) *window {
	client := r.Header.Get("Authorization")
	if s.options.LimitPer == PerAddress {
		client, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	if s.windows[client] == nil {
		s.windows[client] = &window{}
	}
	return s.windows[client]
}

func (w *window) forget(now time.Time) {
	old := func(at time.Time) bool { return now.Sub(at) >= time.Minute }
	w.counted = slices.DeleteFunc(w.counted, old)
	w.arrived = slices.DeleteFunc(w.arrived, old)
}

// within counts the requests of the span that ends now.
func within(log []time.Time, now time.Time, span time.Duration) int {
	count := 0
	for _, at := range slices.Backward(log) {
		if now.Sub(at) >= span {
			break
		}
		count++
	}
	return count
}

// excess is how long a request has to wait until one more fits into span; 0
// where it fits now.
func excess(log []time.Time, now time.Time, span time.Duration, limit int) time.Duration {
	if within(log, now, span) < limit {
		return 0
	}
	return span - now.Sub(log[len(log)-limit])
}

func (s *Server) refuseTooMany(w http.ResponseWriter, wait time.Duration) {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	switch cmp.Or(s.options.RetryAfter, RetrySeconds) {
	case RetrySeconds:
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	case RetryDate:
		at := s.options.Now().Add(time.Duration(seconds) * time.Second)
		w.Header().Set("Retry-After", at.UTC().Format(http.TimeFormat))
	}
	writeJSON(w, http.StatusTooManyRequests, map[string]string{"message": "Too many requests."})
}
