// Package message makes every sentence that a merchant sees, from a code and
// its parameters, so that the words stand in one place and can be translated.
// A message says what happened, a hint says what to do next, in the labels
// that KROS itself uses.
//
// No decision may enter, no clock and no secret: what comes in is shown.
package message

import (
	"fmt"
	"strings"
	"time"

	"github.com/skladom/skladom/protocol"
)

// Params are what the sentences of a code need; each uses what it needs.
type Params struct {
	Shop       string
	Detail     string   // what the other side said, or a file and line; already cleaned and short
	Warehouses []string // codes that were asked for and not found
	Known      []string // codes that KROS has
	Seen       int
	Expected   int
	Earlier    int    // products taken to 0 within the last day, before this pass
	By         string // the key in use: number or ean
}

// TokenPath is where a merchant finds API tokens in KROS, in KROS's own labels.
const TokenPath = "Nastavenia > API prepojenia"

// Failure makes the failure of a code.
func Failure(code protocol.Code, p Params) *protocol.Failure {
	text, ok := failures[code]
	if !ok {
		return &protocol.Failure{Code: code, Message: detailed("Something went wrong that Skladom has no name for", p.Detail), Hint: "Try again; if it stays, ask the operator to look at the pass in the Temporal UI."}
	}
	message, hint := text(p)
	return &protocol.Failure{Code: code, Message: message, Hint: hint}
}

// Unfinished is the failure of a pass that ended for a reason of Skladom's own,
// such as its archive or somebody who stopped it. The code tells the side it
// was talking to.
func Unfinished(code protocol.Code, detail string) *protocol.Failure {
	return &protocol.Failure{
		Code: code, Message: detailed("The pass could not be finished.", detail),
		Hint: "Skladom tries again by itself, and a repeat does no harm. If this stays, ask the operator to look at the pass in the Temporal UI.",
	}
}

// Unwritable is the failure of a pass whose archive takes nothing, as detail
// says; the code as in Unfinished.
func Unwritable(code protocol.Code, detail string) *protocol.Failure {
	return &protocol.Failure{
		Code: code, Message: detailed("The pass could not be finished.", detail),
		Hint: "The operator has to make room at snapshots.url, or to give the worker the right to write there; lower snapshots.keep and snapshots.keep_receipts to keep less. A plan that cannot be kept is not written to the e-shop. Skladom tries again by itself.",
	}
}

// LostObject is the failure of a pass that did not find in the archive what it
// had just put there, as detail says; the code as in Unfinished.
func LostObject(code protocol.Code, detail string) *protocol.Failure {
	return &protocol.Failure{
		Code: code, Message: detailed("The pass could not be finished.", detail),
		Hint: "Something removes or damages files at snapshots.url: the operator has to see what else cleans up there, and whether the disk is sound. Nothing is written by guess. Skladom tries again by itself.",
	}
}

type sentences func(Params) (message, hint string)

func fixed(message, hint string) sentences {
	return func(p Params) (string, string) { return detailed(message, p.Detail), hint }
}

var failures = map[protocol.Code]sentences{
	protocol.KrosKeyInvalid: fixed("KROS does not accept the API key.",
		"In KROS open "+TokenPath+", generate a new token (Vygenerovať token), copy it whole - it is shown once - and put it into the shop's settings. Resetting a token ends the old one at once."),
	protocol.KrosNoAPIAccess: fixed("The KROS company has no access to the API.",
		"KROS gives API access with the plan Premium, or with Základ or Štandard and the paid API module. Check in KROS that the plan is paid and has not lapsed."),
	protocol.KrosForbidden: fixed("KROS knows the API key but does not allow it to read the catalogue.",
		"In KROS open "+TokenPath+" and check that the token belongs to the right company and may read the price list and stock."),
	protocol.KrosUnavailable: fixed("KROS does not answer at the moment.",
		"Nothing was changed. Skladom tries again by itself; if this stays for hours, check kros.url and whether KROS reports an outage."),
	protocol.KrosBadResponse: fixed("KROS answered something that is not a list of items, so nothing was taken from it.",
		"Nothing was changed. Usually it passes by itself; if it stays, check kros.url and tell the operator."),
	protocol.KrosNoStock: func(p Params) (string, string) {
		if p.Expected == 0 {
			return "KROS shows no items at all.", "Check that this token belongs to the company that keeps the stock and, with only_eshop_items, that items are marked for the e-shop in KROS."
		}
		return fmt.Sprintf("KROS shows %s, and none has stock in a warehouse.", items(p.Expected)),
			"Check that this token belongs to the company that keeps the stock, that the stock module of KROS is in use, and - with OMEGA - that its module has uploaded stock to KROS."
	},
	protocol.WarehouseUnknown: func(p Params) (string, string) {
		return fmt.Sprintf("KROS has no stock in %s.", warehouses(p.Warehouses)),
			fmt.Sprintf("KROS has %s. Write the codes in kros.warehouses exactly so, or leave it out to count all.", warehouses(p.Known))
	},
	protocol.NothingMatched: func(p Params) (string, string) {
		return fmt.Sprintf("None of %s in KROS has a product in the e-shop by %s.", items(p.Expected), key(p.By)),
			fmt.Sprintf("Compare a few items by hand: does the e-shop have the same %s? If not, try match = %q.", keyPlural(p.By), other(p.By))
	},
	protocol.ProductsMissing: func(p Params) (string, string) {
		return fmt.Sprintf("The e-shop shows only %d of the %d products that were kept in step last time, so nothing was written.", p.Seen, p.Expected),
			"Check that the e-shop is complete and that numbers and EANs were not changed. If it is right as it is, activate again."
	},
	protocol.CatalogueChanged: func(p Params) (string, string) {
		text := fmt.Sprintf("KROS shows only %d of the %d items of last time, so nothing was written.", p.Seen, p.Expected)
		switch {
		case p.Seen == 0 && p.Expected > 0:
			text = fmt.Sprintf("KROS shows none of the %d items of last time, so nothing was written.", p.Expected)
		case p.Seen >= p.Expected:
			text = "KROS shows stock in no warehouse any more, for no item at all, so nothing was written."
		}
		return text, "Check that the token still belongs to the right company and that the catalogue in KROS is complete. If it is right as it is, see what would change and confirm it: " + command("skladom approve", p.Shop)
	},
	protocol.TooManyZeroed: func(p Params) (string, string) {
		text := fmt.Sprintf("KROS would take %s to 0, of %d that were in stock; they keep what they have, everything else is written.", products(p.Seen), p.Expected)
		if p.Earlier > 0 {
			text = fmt.Sprintf("KROS would take %s more to 0, after %d within a day, of %d that were in stock; they keep what they have, everything else is written.", products(p.Seen), p.Earlier, p.Expected)
		}
		return text, "Check the stock in KROS. If it is right as it is, see the products and confirm them: " + command("skladom approve", p.Shop) + ". If not, mend it in KROS, or keep the products as they are: " + command("skladom dismiss", p.Shop)
	},
	protocol.TooManyChanged: func(p Params) (string, string) {
		return fmt.Sprintf("KROS would change %s by more than half at once, of %d in stock, so nothing was written.", products(p.Seen), p.Expected),
			"Check the stock in KROS and the settings of the shop. If it is right as it is, see the products and confirm them: " + command("skladom approve", p.Shop) + ". If not, mend it, or keep the products as they are: " + command("skladom dismiss", p.Shop)
	},
	protocol.ShopKeyInvalid: fixed("The e-shop does not accept its API key.",
		"Copy the API key of the e-shop again from its administration and put it into the shop's settings (fynode.api_key)."),
	protocol.ShopForbidden: fixed("The e-shop knows the API key but does not allow it to read and set stock.",
		"Give the API key of the e-shop the right to read products and to set their stock."),
	protocol.ShopUnavailable: fixed("The e-shop does not answer at the moment.",
		"Nothing is lost: Skladom tries again by itself. If this stays, check that the e-shop runs and that fynode.url is right."),
	protocol.ShopBadResponse: fixed("The e-shop answered something that Skladom cannot read.",
		"Check that fynode.url is the address of the e-shop's API and not of its pages; if it is, tell the operator of the e-shop."),
	protocol.ShopChanged: func(p Params) (string, string) {
		return detailed("Another e-shop answers at this address than the one that was activated.", p.Detail),
			"Check fynode.url and the key. If the e-shop was really replaced, deactivate the connection and activate it again."
	},
	protocol.ConfigMissing: func(p Params) (string, string) {
		return fmt.Sprintf("There is no settings file for the shop %q.", p.Shop),
			fmt.Sprintf("Write a block shop %q { ... } into a .hcl file below the configuration directory of the worker, and run: skladom validate", p.Shop)
	},
	protocol.ConfigInvalid: func(p Params) (string, string) {
		return detailed(fmt.Sprintf("The settings of the shop %q cannot be used.", p.Shop), p.Detail),
			"Mend the file and run: skladom validate"
	},
}

// Warnings of a pass.

// WarehouseGone warns of a selected warehouse that hardly any item ever used
// and none uses now.
func WarehouseGone(codes, known []string) string {
	return fmt.Sprintf("No item has stock in %s any more; KROS has %s.", warehouses(codes), warehouses(known))
}

// WarehouseNew announces a warehouse that counts because none is selected.
func WarehouseNew(codes []string) string {
	return fmt.Sprintf("New in KROS, and counted from now on: %s. To leave it out, list the others in kros.warehouses.", warehouses(codes))
}

// SweepIncomplete warns that the list kept moving while it was read.
const SweepIncomplete = "The list in KROS kept moving while it was read; items that could not be seen this time were left as they are."

// KrosShared warns that KROS answered 429 so many times although Skladom keeps
// its limits.
func KrosShared(times int) string {
	often := "once"
	if times > 1 {
		often = fmt.Sprintf("%d times", times)
	}
	return fmt.Sprintf("KROS asked %s to wait although Skladom keeps KROS's limits: another program asks KROS for this company, too. Nothing is lost, but passes take longer; let that program ask less, or Skladom with a lower kros.requests_per_second.", often)
}

// ShopImported warns that the shop's stock was changed as a whole.
const ShopImported = "Many products of the e-shop were changed at once, up and down, as by an import or a restore. That was not taken for sales: they have KROS's quantities again."

// MemoryLost warns of a pass that has nothing to tell sales by.
const MemoryLost = "The archive has lost what it knew of the last pass, so this one counts as a first pass: the e-shop gets KROS's quantities, and pieces that were sold and are not booked in KROS may be on sale again. Book open orders in KROS; let the operator see what removes or damages files at snapshots.url."

// PassRuns warns of a dry run beside a pass, of which it knows nothing.
const PassRuns = "A pass of this shop was running at the same time: what that pass has just written may look as if it were sold. Run it again for numbers that hold."

// FilterSilent warns that KROS's filter by change timestamp, relied on until
// now, did not answer.
const FilterSilent = "KROS gave its catalogue and not its list of changes, so that is not relied on until it has proven itself again: a notification reads the whole catalogue."

// FilterWrong warns that KROS's filter by change timestamp, relied on until
// now, did not show everything that changed.
func FilterWrong(hidden, changed int) string {
	return fmt.Sprintf("KROS's list of changes left out %d of %s that had changed, so it is not relied on any more: from now on a notification reads the whole catalogue again.", hidden, items(changed))
}

// NothingHeld refuses an answer where nothing waits for one.
func NothingHeld(shop string) string {
	return fmt.Sprintf("Nothing of %s waits for approval.", shop)
}

// OtherHold refuses an answer to something that is not held any more.
func OtherHold(shop string) string {
	return fmt.Sprintf("What is held of %s has changed since you looked at it; look again: skladom approve %s", shop, shop)
}

// NotDismissible refuses to dismiss a whole catalogue.
func NotDismissible(shop string) string {
	return fmt.Sprintf("What is held of %s is the whole catalogue of KROS, and passes write nothing until it is right again or you approve it: skladom approve %s", shop, shop)
}

// ApprovalWhilePaused refuses an approval, which is a pass, of a paused shop.
func ApprovalWhilePaused(shop string) string {
	return fmt.Sprintf("%s is paused; resume it first: skladom resume %s", shop, shop)
}

// OrdersNotBooked tells what KROS cannot know.
const OrdersNotBooked = "KROS does not know an order of the e-shop before it is booked in KROS: book orders soon, or KROS's number will be too high."

// SyncWhilePaused refuses a pass of a paused shop.
func SyncWhilePaused(shop string) string {
	return fmt.Sprintf("%s is paused; to go on, run: skladom resume %s", shop, shop)
}

// NotActive refuses what only an active connection can do.
func NotActive(shop string) string {
	return fmt.Sprintf("%s is not active; to begin, run: skladom activate %s", shop, shop)
}

// Paused is the sentence for a paused shop; zone is the shop's time zone.
func Paused(shop string, p protocol.PauseRequest, zone *time.Location) (text, hint string) {
	text = "Paused"
	if p.By != "" {
		text += " by " + p.By
	}
	if p.Until != nil {
		text += " until " + Time(*p.Until, zone)
	}
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	return text + ".", "Stock is not written meanwhile; notifications are remembered. To go on: skladom resume " + shop
}

// PauseOver refuses a pause that would have ended before it begins.
func PauseOver(until time.Time, zone *time.Location) string {
	return fmt.Sprintf("The pause would end at %s, which is over already.", Time(until, zone))
}

// Time shows a time in the shop's time zone.
func Time(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2 Jan 2006 15:04 MST")
}

func detailed(message, detail string) string {
	if detail == "" {
		return message
	}
	return strings.TrimSuffix(message, ".") + ": " + strings.TrimRight(detail, ". ") + "."
}

func items(n int) string {
	if n == 1 {
		return "1 item"
	}
	return fmt.Sprintf("%d items", n)
}

func products(n int) string {
	if n == 1 {
		return "1 product"
	}
	return fmt.Sprintf("%d products", n)
}

// command is what to type, for a shop where it is known.
func command(what, shop string) string {
	return strings.TrimSpace(what + " " + shop)
}

// maxNamed bounds a sentence: nobody has so many warehouses, but a list of KROS
// may name any number.
const maxNamed = 50

func warehouses(codes []string) string {
	quoted := make([]string, min(len(codes), maxNamed))
	for i := range quoted {
		quoted[i] = fmt.Sprintf("%.60q", codes[i])
	}
	if rest := len(codes) - len(quoted); rest > 0 {
		quoted = append(quoted, fmt.Sprintf("and %d more", rest)) //nolint:makezero // the rest is named in one more word
	}
	switch len(codes) {
	case 0:
		return "no warehouse"
	case 1:
		return "warehouse " + quoted[0]
	}
	return "warehouses " + strings.Join(quoted, ", ")
}

func key(by string) string {
	if by == "ean" {
		return "EAN"
	}
	return "product number"
}

func keyPlural(by string) string {
	if by == "ean" {
		return "EANs"
	}
	return "product numbers"
}

func other(by string) string {
	if by == "ean" {
		return "number"
	}
	return "ean"
}
