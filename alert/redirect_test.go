package alert

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// The address of an alert is a secret, and its text is for nobody else.
func TestARedirectLeadsNeitherElsewhereNorToReadableHTTP(t *testing.T) {
	request := func(method, address string) *http.Request {
		u, err := url.Parse(address)
		require.NoError(t, err)
		return &http.Request{Method: method, URL: u}
	}
	first := request(http.MethodPost, "https://hooks.example.com/secret")
	for address, followed := range map[string]bool{
		"https://hooks.example.com/moved":       true,
		"https://HOOKS.example.com/moved":       false, // stricter than it need be
		"http://hooks.example.com/moved":        false,
		"https://example.com/moved":             false,
		"https://evil.hooks.example.com/":       false,
		"https://hooks.example.com.evil.org/":   false,
		"https://hooks.example.com@evil.org/":   false,
		"https://127.0.0.1/":                    false,
		"file://hooks.example.com/etc/passwd":   false,
		"https://hooks.example.com:8443/moved":  false,
		"//hooks.example.com/without-a-scheme/": false,
	} {
		require.Equal(t, followed, sameHost(request(http.MethodPost, address), []*http.Request{first}) == nil, address)
	}
	require.Error(t, sameHost(request(http.MethodGet, "https://hooks.example.com/moved"), []*http.Request{first}), "it would lose the message")
	many := []*http.Request{first, first, first, first}
	require.Error(t, sameHost(first, many))
}
