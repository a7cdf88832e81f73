package render

import (
	"fmt"
	"strings"

	"github.com/skladom/skladom/message"
)

// KROS's own labels of the two fields, from https://www.kros.sk/openapi-dokumentacia/.
const (
	labelURL = "URL pre príjem notifikácií z API"
	labelKey = "Autorizačný kľúč k zadanej URL"
)

// Webhook shows URL and authorization key and the clicks to where they go in
// KROS. Both stand alone on their lines, to be copied whole.
func Webhook(url, key string) string {
	return paragraph("", "So that KROS tells of changes at once, give it these two values:") +
		fmt.Sprintf("\n  %s\n    %s\n  %s\n    %s\n\n", labelURL, url, labelKey, key) +
		paragraph("  ", "1. In KROS open "+message.TokenPath+".") +
		paragraph("  ", "2. Open the connection whose token Skladom uses (\"Fynode\").") +
		paragraph("  ", "3. Paste both values into these fields and save; do not reset the token.")
}

// Mark says how a step of a test notification ended.
type Mark string

// How a step can end.
const (
	Passed   Mark = "ok"
	Failed   Mark = "FAILED"
	NotTried Mark = "-"
	Waiting  Mark = "..." // it has not ended
)

// Step shows one step of a test notification: a line, or as many as it needs.
func Step(mark Mark, name, message string) string {
	const names = 9 // signature
	prefix := fmt.Sprintf("  %-*s  %-*s  ", len(Failed), mark, names, name)
	rest := strings.Repeat(" ", len(prefix))
	return prefix + strings.TrimPrefix(paragraph(rest, message), rest)
}

// Tried ends a test notification that went all the way.
func Tried(shop string) string {
	return "\n" + paragraph("", "This is the way from this machine to the shop. That KROS has the same URL and key shows when KROS itself notifies: "+
		"change a quantity there, and look whether notifications are one more: skladom status "+shop)
}
