package relay

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// caller is the address a request comes from. X-Forwarded-For is read from its
// end, as far as trusted proxies wrote it: what stands before is hearsay. The
// zero address stands for a connection without one.
func caller(req *http.Request, proxies []netip.Prefix) netip.Addr {
	at, ok := parseAddress(req.RemoteAddr)
	if !ok {
		return netip.Addr{}
	}
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !trusted(at, proxies) {
			break
		}
		before, ok := parseAddress(hop)
		if !ok {
			break // no further than what can be understood
		}
		at = before
	}
	return at
}

func trusted(address netip.Addr, proxies []netip.Prefix) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// parseAddress reads an address with or without a port, as proxies write both.
func parseAddress(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		address = withPort.Addr()
	}
	return address.Unmap().WithZone(""), true
}
