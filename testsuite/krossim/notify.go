package krossim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf16"
)

// notificationTries is how often a notification is sent before it is given up.
// How often KROS repeats is unknown.
const notificationTries = 5

// Notify sends a signed notification in the background where a webhook is set,
// and repeats it until it is answered with 200. The body is made up: what KROS
// sends for stock is unknown, and nobody may depend on it.
func (s *Server) Notify(itemCodes ...string) {
	if s.options.WebhookURL == "" {
		return
	}
	body, _ := json.Marshal(map[string]any{
		"event":      "CatalogItemStockChanged",
		"occurredAt": s.options.Now().UTC().Format(time.RFC3339),
		"itemCodes":  itemCodes,
	})
	s.notifications.Go(func() { s.deliver(body) })
}

func (s *Server) deliver(body []byte) {
	wait := s.options.WebhookWait
	for range notificationTries {
		accepted := s.post(body)
		s.count(func(n *Notifications) {
			n.Sent++
			if accepted {
				n.Accepted++
			}
		})
		if accepted {
			return
		}
		if !pause(s.ctx, wait) {
			break
		}
		wait *= 2
	}
	s.count(func(n *Notifications) { n.GivenUp++ })
}

func (s *Server) post(body []byte) bool {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.options.WebhookURL, bytes.NewReader(body))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Kros-Signature-256", sign(s.options.WebhookKey, body))
	response, err := s.options.Client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (s *Server) count(change func(*Notifications)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.counts.Notifications)
}

// sign is KROS's signature: key and body go into the HMAC as UTF-16LE.
func sign(key string, body []byte) string {
	mac := hmac.New(sha256.New, utf16LE(key))
	mac.Write(utf16LE(string(body)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func utf16LE(text string) []byte {
	var encoded []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		encoded = binary.LittleEndian.AppendUint16(encoded, unit)
	}
	return encoded
}
