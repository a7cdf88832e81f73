package relay_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"
)

// What KROS does, written down once more from its description and not with the
// code under test: HMAC by its definition, UTF-16LE by another library.

func signed(key, body string) string {
	return base64.StdEncoding.EncodeToString(hmac256(utf16(key), utf16(body)))
}

func utf16(text string) []byte {
	encoded, err := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().Bytes([]byte(text))
	if err != nil {
		panic(err)
	}
	return encoded
}

func hmac256(key, message []byte) []byte {
	const block = 64
	if len(key) > block {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	inner, outer := make([]byte, block), make([]byte, block)
	copy(inner, key)
	copy(outer, key)
	for i := range block {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	sum := sha256.Sum256(append(inner, message...))
	sum = sha256.Sum256(append(outer, sum[:]...))
	return sum[:]
}

// authorizationKey is HKDF-SHA256 (RFC 5869) for one block of output.
func authorizationKey(shop string, version int) string {
	extracted := hmac256(make([]byte, 32), []byte(masterKey))
	info := fmt.Sprintf("skladom/kros-notification/v1\x00%s\x00%d", shop, version)
	return base64.RawURLEncoding.EncodeToString(hmac256(extracted, append([]byte(info), 1)))
}

const masterKey = "0123456789abcdef0123456789abcdef"

func TestTheOtherImplementationAgreesWithTheDescription(t *testing.T) {
	body := `{"status":200,"externalId":"11111111-2222-3333-4444-555555555555","data":{"documentId":"FA-2026-1"}}`
	require.Equal(t, "yayIOBK9RX322/ixT69BXcFVbhiT9w4Q1LBY8nudmk0=", signed("kros-secret-123", body))
	// RFC 4231, test case 2.
	require.Equal(t, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		hex.EncodeToString(hmac256([]byte("Jefe"), []byte("what do ya want for nothing?"))))
}
