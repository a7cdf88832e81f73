package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnly200IsHealthy(t *testing.T) {
	for status, healthy := range map[int]bool{200: true, 204: false, 404: false, 503: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		err := probe(t.Context(), server.URL+"/readyz")
		server.Close()
		require.Equal(t, healthy, err == nil, "status %d: %v", status, err)
	}
}

func TestNobodyThereIsNotHealthy(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	require.Error(t, probe(t.Context(), server.URL))
}
