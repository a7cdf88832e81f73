package protocol

import "time"

// MemoReason is the memo field of StockSync that holds a NotedReason, while the
// shop has one.
const MemoReason = "reason"

// NotedReason is what the list of all shops knows of a shop's reason without
// asking the shop.
type NotedReason struct {
	Reason
	Until *time.Time `json:"until,omitempty"` // when a pause ends by itself
}
