package message

import (
	"fmt"
	"strings"

	"github.com/skladom/skladom/protocol"
)

// NothingToRollBack refuses to undo a pass that wrote nothing, or that the
// archive does not know; pass 0 is any.
func NothingToRollBack(shop string, pass int64) *protocol.Failure {
	text := fmt.Sprintf("The archive knows no pass of %s that wrote anything.", shop)
	if pass != 0 {
		text = fmt.Sprintf("Pass %d of %s wrote nothing that the archive knows of.", pass, shop)
	}
	return &protocol.Failure{
		Code: protocol.NothingToRollBack, Message: text,
		Hint: "What was written is kept for snapshots.keep_receipts (90 days unless set). To see the passes: skladom history " + shop,
	}
}

// RollbackOfRollback refuses to undo what was undone.
func RollbackOfRollback(shop string, pass int64) *protocol.Failure {
	return &protocol.Failure{
		Code: protocol.NothingToRollBack, Message: fmt.Sprintf("Pass %d of %s is a rollback itself.", pass, shop),
		Hint: "To write what KROS has again, resume: skladom resume " + shop,
	}
}

// RollbackReason is why a shop is paused by a rollback; pass 0 is the last one
// that wrote.
func RollbackReason(pass int64) string {
	if pass == 0 {
		return "rollback of the last pass"
	}
	return fmt.Sprintf("rollback of pass %d", pass)
}

// RollbackRuns refuses a second rollback beside the first.
func RollbackRuns(shop string) string {
	return fmt.Sprintf("A rollback of %s runs already; wait until it has ended.", shop)
}

// ChangedSince warns of products that a rollback left alone.
func ChangedSince(products int) string {
	if products == 1 {
		return "1 product was left alone: it was changed since."
	}
	return fmt.Sprintf("%d products were left alone: they were changed since.", products)
}

// RollbackAgain adds to a failure that nobody repeats a rollback but a person.
func RollbackAgain(f *protocol.Failure, shop string, pass int64) *protocol.Failure {
	command := "skladom rollback " + shop
	if pass != 0 {
		command += fmt.Sprintf(" --pass %d", pass)
	}
	hint := f.Hint
	if f.Code == protocol.ShopUnavailable { // its hint promises a repeat
		hint = "If this stays, check that the e-shop runs and that fynode.url is right."
	}
	again := *f
	again.Hint = strings.TrimSpace(fmt.Sprintf("A rollback is not repeated by itself; to go on with it, which does no harm, run \"%s\". %s", command, hint))
	return &again
}

// RollbackStale says that a rollback took so long that it stopped.
const RollbackStale = "It took so long that what the e-shop has may have changed; nothing more was written."
