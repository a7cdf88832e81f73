package kros

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// SignatureHeader is the header of a notification that holds its signature.
const SignatureHeader = "X-Kros-Signature-256"

// Sign returns the signature KROS sends with body: HMAC-SHA256 in Base64 over
// UTF-16LE, key and body alike (docs/kros-api.md, Notifications). The body is
// taken as it was received.
func Sign(key string, body []byte) string {
	mac := hmac.New(sha256.New, utf16LE(key))
	mac.Write(utf16LE(string(body)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify tells whether signature is that of body under key. It takes the same
// time wherever the difference is. No signature is right under an empty key.
func Verify(key string, body []byte, signature string) bool {
	same := subtle.ConstantTimeCompare([]byte(Sign(key, body)), []byte(strings.TrimSpace(signature)))
	return same == 1 && key != ""
}

// AuthorizationKey derives the key a merchant pastes into his KROS connection
// from the installation's master key: 43 characters of base64url. The same
// input always gives the same key, so nothing has to be stored.
func AuthorizationKey(master []byte, shop string, version int) string {
	info := "skladom/kros-notification/v1\x00" + shop + "\x00" + strconv.Itoa(version)
	key, err := hkdf.Key(sha256.New, master, nil, info, 32)
	if err != nil {
		panic(fmt.Sprintf("derive an authorization key of 32 bytes: %v", err)) // only for more than 8160 bytes
	}
	return base64.RawURLEncoding.EncodeToString(key)
}

func utf16LE(text string) []byte {
	encoded := make([]byte, 0, 2*len(text))
	for _, r := range text {
		if high, low := utf16.EncodeRune(r); high != '\uFFFD' {
			encoded = binary.LittleEndian.AppendUint16(encoded, uint16(high))
			encoded = binary.LittleEndian.AppendUint16(encoded, uint16(low))
			continue
		}
		encoded = binary.LittleEndian.AppendUint16(encoded, uint16(r))
	}
	return encoded
}
