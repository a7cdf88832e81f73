package protocol

import "time"

// Alerts is the workflow type that collects alerts of one cause for one
// destination and has them delivered.
const Alerts = "Alerts"

// SignalAlert tells Alerts of an Alert.
const SignalAlert = "alert"

// AlertsID is the id of the workflow that collects what there is to tell one
// destination of one cause. The destination is an opaque id, no address.
func AlertsID(destination string, kind AlertKind, code Code) string {
	return "alerts:" + destination + ":" + string(kind) + ":" + string(code)
}

// AlertKind is what is worth an alert.
type AlertKind string

// The kinds of alerts.
const (
	AlertSuspended AlertKind = "suspended" // needs a person
	AlertHeld      AlertKind = "held"      // waits for approval; again after each day
	AlertFailing   AlertKind = "failing"   // no good pass for so many ticks
	AlertPaused    AlertKind = "paused"    // by a person, for a day; again after each day
	AlertUnmatched AlertKind = "unmatched" // products were in step and are not any more
	AlertQuiet     AlertKind = "quiet"     // KROS has not changed for longer than it should
)

// Codes of the alerts that no failure stands behind.
const (
	MatchLost Code = "match_lost"
	KrosQuiet Code = "kros_quiet"
)

// Alert is one thing to tell about one shop.
type Alert struct {
	Shop     string    `json:"shop"`
	Title    string    `json:"title"`
	Timezone string    `json:"timezone,omitempty"`
	Kind     AlertKind `json:"kind"`
	State    State     `json:"state"` // of the shop
	Code     Code      `json:"code"`
	Message  string    `json:"message"`
	Hint     string    `json:"hint"`
	Since    time.Time `json:"since"`
	At       time.Time `json:"at"`                // when it was raised
	Again    bool      `json:"again,omitempty"`   // the daily repeat of an earlier one
	Cleared  bool      `json:"cleared,omitempty"` // the all-clear after an earlier one
}

// AlertsState is the input of Alerts, and what it carries from run to run.
type AlertsState struct {
	Destination string    `json:"destination"`
	Kind        AlertKind `json:"kind"`
	Code        Code      `json:"code"`

	Pending     []PendingAlert `json:"pending,omitempty"`     // at most one for a shop
	More        int            `json:"more,omitempty"`        // shops in trouble beyond those that are kept by name
	MoreCleared int            `json:"moreCleared,omitempty"` // shops out of it, likewise

	FirstAt   time.Time     `json:"firstAt,omitzero"`   // when the first of Pending was taken in
	LastAt    time.Time     `json:"lastAt,omitzero"`    // and the last
	Wait      time.Duration `json:"wait,omitempty"`     // between the last message and the next
	NotBefore time.Time     `json:"notBefore,omitzero"` // the next message
	FailingAt time.Time     `json:"failingAt,omitzero"` // since when the destination takes nothing
}

// PendingAlert is an alert that is still to be told. Told: the destination
// believes the shop to be in this trouble, from an earlier message.
type PendingAlert struct {
	Alert
	Told bool `json:"told,omitempty"`
}

// Bounds of what is kept and named of one cause, so that it stays below
// Temporal's payload limit. All shops are counted, named or not.
const (
	MaxAlertedShops = 1000
	MaxAlertedBytes = 256 << 10
)

// AlertMessage is what DeliverAlerts delivers: alerts of one cause.
type AlertMessage struct {
	Destination string        `json:"destination"`
	Kind        AlertKind     `json:"kind"`
	Code        Code          `json:"code"`
	State       State         `json:"state"`
	Cleared     bool          `json:"cleared,omitempty"`
	Message     string        `json:"message,omitempty"` // where all shops have the same
	Hint        string        `json:"hint,omitempty"`    // likewise
	Shops       []AlertedShop `json:"shops"`
	Count       int           `json:"count"` // of all shops, also of those that are not named
	At          time.Time     `json:"at"`    // of the newest alert
}

// AlertedShop is a shop that a message names.
type AlertedShop struct {
	Shop     string    `json:"shop"`
	Title    string    `json:"title"`
	Timezone string    `json:"timezone,omitempty"`
	Message  string    `json:"message,omitempty"`
	Hint     string    `json:"hint,omitempty"`
	Since    time.Time `json:"since"`
}
