package protocol

// Names of the workflow types.
const (
	ActivateConnection = "ActivateConnection"
	StockSync          = "StockSync"
	SyncPass           = "SyncPass"
	SyncNow            = "SyncNow"
	Inspect            = "Inspect"
)

// Signals, updates and the query of StockSync. SignalNotification and
// SignalRefused carry nothing that is decoded: any program may send them.
const (
	SignalNotification  = "notification"
	SignalRefused       = "notification-refused" // one came whose signature was wrong
	SignalSyncNow       = "sync-now"
	SignalConfigChanged = "config-changed"

	UpdateSync       = "sync"
	UpdatePause      = "pause"
	UpdateResume     = "resume"
	UpdateApprove    = "approve"
	UpdateDismiss    = "dismiss"
	UpdateDeactivate = "deactivate"

	QueryStatus = "status"
	QueryMemory = "memory" // Recollection, for dry runs and activations
)

// Search attributes of StockSync, by which the fleet is listed.
const (
	SearchShop        = "SkladomShop"        // Keyword: the shop's name
	SearchState       = "SkladomState"       // Keyword: State
	SearchReason      = "SkladomReason"      // Keyword: Code of the reason, or none
	SearchLastSuccess = "SkladomLastSuccess" // Datetime: end of the last pass that ended ok
)

// MemoTitle is the memo field of StockSync that holds the shop's title.
const MemoTitle = "title"

// StockSyncID is the id of the workflow that keeps a shop in step.
func StockSyncID(shop string) string { return "stock-sync:" + shop }

// SyncPassID is the id of a shop's writing pass. There is one at a time.
func SyncPassID(shop string) string { return "sync-pass:" + shop }

// DryRunID is the id of a pass that writes nothing; unique makes it one of many.
func DryRunID(shop, unique string) string { return "dry-run:" + shop + ":" + unique }

// ActivateID is the id of a shop's activation.
func ActivateID(shop string) string { return "activate:" + shop }

// InspectID is the id of a look into a shop's archive.
func InspectID(shop, unique string) string { return "inspect:" + shop + ":" + unique }
