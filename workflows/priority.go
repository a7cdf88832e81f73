package workflows

import (
	"go.temporal.io/sdk/temporal"

	"github.com/skladom/skladom/protocol"
)

// priority is the place of a pass where more waits than the workers can take.
// A notification comes first, since something has just been sold or received;
// then whoever waits in front of a screen. A tick can wait: the next one comes
// anyway. What only shows what would be done, and the first pass of a new shop,
// come last: nobody relies on them yet.
func priority(trigger protocol.Trigger, dryRun bool) temporal.Priority {
	key := protocol.PrioritySchedule
	switch {
	case dryRun, trigger == protocol.TriggerActivation:
		key = protocol.PriorityActivation
	case trigger == protocol.TriggerNotification:
		key = protocol.PriorityNotification
	case trigger == protocol.TriggerManual, trigger == protocol.TriggerApproval, trigger == protocol.TriggerRollback:
		key = protocol.PriorityManual
	}
	return temporal.Priority{PriorityKey: key}
}
