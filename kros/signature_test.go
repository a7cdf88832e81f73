package kros

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

const (
	vectorKey  = "kros-secret-123"
	vectorBody = `{"status":200,"externalId":"11111111-2222-3333-4444-555555555555","data":{"documentId":"FA-2026-1"}}`
	vectorSign = "yayIOBK9RX322/ixT69BXcFVbhiT9w4Q1LBY8nudmk0="
)

func TestSignatureIsThatOfKROS(t *testing.T) {
	require.Equal(t, vectorSign, Sign(vectorKey, []byte(vectorBody)))
}

// Signatures of a shop's key, made by OpenSSL and iconv and again by Python:
//
//	iconv -t UTF-16LE | openssl dgst -sha256 -mac HMAC -macopt hexkey:... -binary | base64
func TestSignaturesMadeElsewhereAreAccepted(t *testing.T) {
	const key = "lkNGce4pG_aYQ85fiE1OQQ83se-D7yq-sFJJgSgUMpQ"
	for name, test := range map[string]struct{ body, signature string }{
		"ASCII":      {`{"status":200}`, "3VzLngFCYRfC3LG5hKxBBm60BwehHMyK05bZ8JaIaPg="},
		"diacritics": {`{"name":"Ľadové kráľovstvo – čaša žltá"}`, "GU0Y3Cub1BACe13QkbXlZgwrr/gTaki7zSSWx1ISIDw="},
		"emoji":      {`{"name":"📦 balík 👩‍👩‍👧"}`, "zlpZ3EuYxtfIZW6FS4x/uD+YgUgV0pJ4QQIA9L2wv7w="},
		"empty body": {"", "qRIuTCezkvqgpBl0bujy9Hsmh72SYC3fPpQCYmIJZ5w="},
		"900 kB":     {strings.Repeat("žltučký kôň ", 53_000), "a385b2YVN4EvkZGrjehuvCnI5sUqoQ27uZlsQjWCq9M="},
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, Verify(key, []byte(test.body), test.signature))
			require.False(t, Verify(key, []byte(test.body+"x"), test.signature))
		})
	}
	require.True(t, Verify("kľúč 🔑", []byte("📦"), "Omd9rhO0C5oaMpLcojaUKkWqbUmROzkMtLugTjJR2zE="), "a key beyond ASCII")
}

func TestVerifyAcceptsOnlyTheRightSignature(t *testing.T) {
	for name, test := range map[string]struct {
		key, body, signature string
		want                 bool
	}{
		"the vector":                         {vectorKey, vectorBody, vectorSign, true},
		"spaces around the header":           {vectorKey, vectorBody, " " + vectorSign + "\t", true},
		"HMAC over UTF-8 is another":         {vectorKey, vectorBody, "y59rDojpA1THe8jyBSjzNp1j5nG9XRhwqLqvdLr5VdM=", false},
		"another key":                        {"kros-secret-124", vectorBody, vectorSign, false},
		"another body":                       {vectorKey, vectorBody + " ", vectorSign, false},
		"none":                               {vectorKey, vectorBody, "", false},
		"cut":                                {vectorKey, vectorBody, vectorSign[:40], false},
		"not Base64":                         {vectorKey, vectorBody, "%%%", false},
		"nothing is right under no key":      {"", vectorBody, Sign("", []byte(vectorBody)), false},
		"an empty body can be signed":        {vectorKey, "", Sign(vectorKey, nil), true},
		"characters beyond the basic plane":  {"🔑", "📦", Sign("🔑", []byte("📦")), true},
		"bytes that are no text are no harm": {vectorKey, "\xff\xfe", Sign(vectorKey, []byte("\xff\xfe")), true},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, Verify(test.key, []byte(test.body), test.signature))
		})
	}
}

func TestAuthorizationKeyIsStableAndOfOneShopAndVersion(t *testing.T) {
	master := []byte("0123456789abcdef0123456789abcdef")
	key := AuthorizationKey(master, "acme", 1)
	require.Equal(t, key, AuthorizationKey(master, "acme", 1))
	require.Equal(t, "lkNGce4pG_aYQ85fiE1OQQ83se-D7yq-sFJJgSgUMpQ", key, "computed by RFC 5869 in another language")
	require.Len(t, key, 43)
	raw, err := base64.RawURLEncoding.DecodeString(key)
	require.NoError(t, err)
	require.Len(t, raw, 32)
	others := map[string]bool{
		key:                                  true,
		AuthorizationKey(master, "acme", 2):  true,
		AuthorizationKey(master, "acme1", 1): true,
		AuthorizationKey(append(master[:31:31], 'g'), "acme", 1): true,
	}
	require.Len(t, others, 4)
}

func FuzzVerify(f *testing.F) {
	f.Add(vectorKey, []byte(vectorBody), vectorSign)
	f.Add("kľúč", []byte("\xff\x00😀"), "")
	f.Fuzz(func(t *testing.T, key string, body []byte, signature string) {
		right := Sign(key, body)
		if Verify(key, body, right) != (key != "") {
			t.Fatal("its own signature is refused")
		}
		if Verify(key, body, signature) && signature != right && len(signature) <= len(right) {
			t.Fatalf("another signature is accepted: %q", signature)
		}
	})
}

func FuzzUTF16LE(f *testing.F) {
	f.Add("kľúč 😀")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, text string) {
		var want []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			want = append(want, byte(unit), byte(unit>>8))
		}
		require.Equal(t, want, append([]byte(nil), utf16LE(text)...))
	})
}
