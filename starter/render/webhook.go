package render

import (
	"fmt"

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
