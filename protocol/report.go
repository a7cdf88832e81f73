package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/skladom/skladom/stock"
)

// Trigger is what a pass was begun by.
type Trigger string

// The triggers of a pass.
const (
	TriggerActivation   Trigger = "activation"
	TriggerSchedule     Trigger = "schedule"
	TriggerNotification Trigger = "notification"
	TriggerManual       Trigger = "manual"
	TriggerApproval     Trigger = "approval"
	TriggerRollback     Trigger = "rollback" // restores what a pass overwrote, and reads no catalogue
)

// The priorities of what waits for a worker, as Temporal counts them: 1 goes
// first, and 3 is what nobody gave one.
const (
	PriorityNotification = 1
	PriorityManual       = 2
	PrioritySchedule     = 3
	PriorityActivation   = 4 // and whatever only shows what would be done
)

// Result is how a pass ended.
type Result string

// The results of a pass.
const (
	ResultOK     Result = "ok"
	ResultHeld   Result = "held"
	ResultFailed Result = "failed"
)

// The modes of a pass.
const (
	ModeFull  = "full"  // reads the whole catalogue
	ModeDelta = "delta" // reads what KROS says has changed
)

// Code names a failure or a reason. Messages are made from it in package message.
type Code string

// The failure codes.
const (
	KrosKeyInvalid   Code = "kros_key_invalid"
	KrosNoAPIAccess  Code = "kros_no_api_access"
	KrosForbidden    Code = "kros_forbidden"
	KrosUnavailable  Code = "kros_unavailable"
	KrosBadResponse  Code = "kros_bad_response"
	KrosNoStock      Code = "kros_no_stock"
	WarehouseUnknown Code = "warehouse_unknown"
	NothingMatched   Code = "nothing_matched"
	ProductsMissing  Code = "products_missing"
	CatalogueChanged Code = "catalogue_changed"
	ShopKeyInvalid   Code = "shop_key_invalid"
	ShopForbidden    Code = "shop_forbidden"
	ShopUnavailable  Code = "shop_unavailable"
	ShopBadResponse  Code = "shop_bad_response"
	ShopChanged      Code = "shop_changed"
	ConfigMissing    Code = "config_missing"
	ConfigInvalid    Code = "config_invalid"

	// The guard holds; nothing has failed.
	TooManyZeroed  Code = "too_many_zeroed"
	TooManyChanged Code = "too_many_changed"
)

// Failure is what went wrong, for a person: what happened and what to do.
type Failure struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// SamplesHash names samples, so that a report with the same ones as the report
// before need not carry them. Empty where there are none.
func SamplesHash(samples stock.Samples) string {
	if len(samples) == 0 {
		return ""
	}
	text, err := json.Marshal(samples)
	if err != nil {
		return "" // texts only: it cannot be; and then they travel
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Report is what a pass did, or would do where DryRun is set.
type Report struct {
	Shop         string    `json:"shop"`
	Pass         int64     `json:"pass"` // counts up from 1; 0 for a dry run
	Trigger      Trigger   `json:"trigger"`
	Mode         string    `json:"mode"`
	DryRun       bool      `json:"dryRun"`
	Result       Result    `json:"result"`
	Failure      *Failure  `json:"failure"`
	Warnings     []string  `json:"warnings"`
	SettingsHash string    `json:"settingsHash"`
	StartedAt    time.Time `json:"startedAt"`
	FinishedAt   time.Time `json:"finishedAt"`
	KrosRequests int       `json:"krosRequests"`
	stock.Counts
	PlanHash string        `json:"planHash"`
	Samples  stock.Samples `json:"samples"`
}

// Settings are a shop's settings as they travel with a pass: values, never a key.
type Settings struct {
	Title          string        `json:"title"`
	Rules          stock.Rules   `json:"rules"`
	OnlyEshopItems bool          `json:"onlyEshopItems,omitempty"`
	Schedule       string        `json:"schedule"`
	Timezone       string        `json:"timezone"`
	MinGap         time.Duration `json:"minGap"`
	ItemsHash      string        `json:"itemsHash,omitempty"` // of the rules for single items

	// What a workflow has to know of alerts; where they go stays in the files.
	Alerts       bool          `json:"alerts,omitempty"`       // somebody is told
	QuietAfter   time.Duration `json:"quietAfter,omitempty"`   // without any change in KROS; 0: never
	MissedPasses int           `json:"missedPasses,omitempty"` // intervals without a good pass; 0 where Alerts is false
}

// Terms are what of Settings decides about quantities. Activities that judge
// need no more.
type Terms struct {
	Rules          stock.Rules `json:"rules,omitzero"`
	OnlyEshopItems bool        `json:"onlyEshopItems,omitempty"`
	ItemsHash      string      `json:"itemsHash,omitempty"`
}

// ToRead are what of the terms decides how the catalogue is read: the rules only
// where they write missing items to zero, for which KROS is asked again.
func (t Terms) ToRead() Terms {
	if t.Rules.Missing != stock.MissingZero {
		t.Rules = stock.Rules{}
	}
	return t
}

// Terms are what of the settings decides about quantities.
func (s Settings) Terms() Terms {
	return Terms{Rules: s.Rules, OnlyEshopItems: s.OnlyEshopItems, ItemsHash: s.ItemsHash}
}
