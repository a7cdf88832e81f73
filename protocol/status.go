package protocol

import "time"

// State is where a shop's connection stands.
type State string

// The states of a connection.
const (
	StateInactive  State = "inactive"  // never activated, or deactivated
	StateActive    State = "active"    // in step
	StateFailing   State = "failing"   // temporary trouble, retrying by itself
	StateHeld      State = "held"      // waits for approval
	StateSuspended State = "suspended" // needs a person
	StatePaused    State = "paused"    // by a person
)

// Reason says why a shop is in its state. Since is when it came to it.
type Reason struct {
	Failure
	Since time.Time `json:"since"`
}

// Status is what people see of a shop's connection.
type Status struct {
	Shop          string        `json:"shop"`
	Title         string        `json:"title"`
	State         State         `json:"state"`
	Reason        *Reason       `json:"reason"`
	NextPassAt    *time.Time    `json:"nextPassAt"`
	LastPass      *Report       `json:"lastPass"`
	LastSuccessAt *time.Time    `json:"lastSuccessAt"`
	KrosChangedAt *time.Time    `json:"krosChangedAt"` // when a pass last saw another quantity in KROS
	Notifications Notifications `json:"notifications"`
	Reading       string        `json:"reading,omitempty"` // of passes for notifications: delta where the filter is proven
}

// Notifications is what a shop knows of KROS's notifications.
type Notifications struct {
	State  string     `json:"state"`  // waiting, working or refused
	LastAt *time.Time `json:"lastAt"` // the last one; where refused, the last that was
	Count  int64      `json:"count"`  // without those that were refused
}

// The states of notifications.
const (
	NotificationsWaiting = "waiting"
	NotificationsWorking = "working"
	NotificationsRefused = "refused"
)
