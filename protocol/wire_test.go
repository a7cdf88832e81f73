package protocol_test

import (
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

var archived = protocol.Ref{
	Bucket: "ef3ee40a-66e9-49ed-9c9f-7eced96aa92e",
	Key:    "large/plan/0000000004-20261129T123402.093Z-1fee8995.jsonl.zst",
	SHA256: "a0494d688ac352a6689c27d987c1e8d766cb8fe7f2278e6951f75def02a8ed0d",
	Rows:   100_000,
}

const (
	archivedBefore = `{"bucket":"ef3ee40a-66e9-49ed-9c9f-7eced96aa92e","key":"large/plan/0000000004-20261129T123402.093Z-1fee8995.jsonl.zst",` +
		`"sha256":"a0494d688ac352a6689c27d987c1e8d766cb8fe7f2278e6951f75def02a8ed0d","rows":100000}`
	archivedNow = `"large/plan/0000000004-20261129T123402.093Z-1fee8995 7z7kCmbpSe2cn37O2WqpLqBJTWiKw1KmaJwn2YfB6Ndmy4_n8ieOaVH3Xe8CqO0N 100000"`
)

// Histories of a release are read by the next one: this form may not change
// either.
func TestAReferenceTravelsAsAShortText(t *testing.T) {
	text, err := json.Marshal(archived)
	require.NoError(t, err)
	require.Equal(t, archivedNow, string(text))
	require.Less(t, len(text), len(archivedBefore)*2/3)
	require.Equal(t, archived, decoded[protocol.Ref](t, string(text)))

	text, err = json.Marshal(protocol.Memory{Ledger: archived})
	require.NoError(t, err)
	require.Contains(t, string(text), `"baseline":"","ledger":`+archivedNow)
	require.Equal(t, protocol.Memory{Ledger: archived}, decoded[protocol.Memory](t, string(text)))
}

// Histories, states of running workflows and records in the archive have it.
func TestAReferenceOfBeforeStaysReadable(t *testing.T) {
	require.Equal(t, archived, decoded[protocol.Ref](t, archivedBefore))
	require.Zero(t, decoded[protocol.Ref](t, `{"bucket":"","key":"","sha256":"","rows":0}`))
	memory := decoded[protocol.Memory](t, `{"baseline":`+archivedBefore+`,"ledger":`+archivedNow+`,"receipts":[`+archivedBefore+`,`+archivedNow+`],"products":3,"pass":4}`)
	require.Equal(t, protocol.Memory{
		Baseline: archived, Ledger: archived, Receipts: []protocol.Ref{archived, archived}, Products: 3, Pass: 4,
	}, memory, "it is the same reference in both forms")
}

func TestWhatFitsIntoNoShortTextTravelsWhole(t *testing.T) {
	for name, change := range map[string]func(*protocol.Ref){
		"another key":          func(r *protocol.Ref) { r.Key = "bucket.id" },
		"a key with a space":   func(r *protocol.Ref) { r.Key = "a b.jsonl.zst" },
		"no bucket":            func(r *protocol.Ref) { r.Bucket = "" },
		"a bucket in capitals": func(r *protocol.Ref) { r.Bucket = strings.ToUpper(r.Bucket) },
		"a hash in capitals":   func(r *protocol.Ref) { r.SHA256 = strings.ToUpper(r.SHA256) },
		"a short hash":         func(r *protocol.Ref) { r.SHA256 = r.SHA256[:62] },
	} {
		ref := archived
		change(&ref)
		text, err := json.Marshal(ref)
		require.NoError(t, err)
		require.Contains(t, string(text), `{"bucket":`, name)
		require.Equal(t, ref, decoded[protocol.Ref](t, string(text)), name)
	}
}

// What is 0 is left out of what activities answer; reports have all numbers.
func TestCountsThatActivitiesAnswerReadAsBefore(t *testing.T) {
	counts := stock.Counts{KrosItems: 9, Updated: 2, Conflicts: 1}
	matched := protocol.Matched{Plan: archived, Hash: "h", Writes: 2, Counts: counts, Samples: stock.Samples{"held": {{Item: "A"}}}}
	text, err := json.Marshal(matched)
	require.NoError(t, err)
	require.Contains(t, string(text), `"counts":{"krosItems":9,"updated":2,"conflicts":1}`)
	require.Equal(t, 1, strings.Count(string(text), `"counts"`))
	require.Equal(t, matched, decoded[protocol.Matched](t, string(text)))
	written := protocol.Written{Counts: counts, Stale: true, Zeroed: 1}
	text, err = json.Marshal(written)
	require.NoError(t, err)
	require.Contains(t, string(text), `"counts":{"krosItems":9,"updated":2,"conflicts":1}`)
	require.Equal(t, written, decoded[protocol.Written](t, string(text)))

	all, err := json.Marshal(counts)
	require.NoError(t, err)
	require.Equal(t, counts, decoded[protocol.Written](t, `{"counts":`+string(all)+`}`).Counts, "of before")
	rapid.Check(t, func(t *rapid.T) {
		var each stock.Counts
		fields := reflect.ValueOf(&each).Elem()
		for i := range fields.NumField() {
			fields.Field(i).SetInt(int64(rapid.IntRange(0, 2).Draw(t, fields.Type().Field(i).Name)))
		}
		text, err := json.Marshal(protocol.Written{Counts: each})
		require.NoError(t, err)
		var read protocol.Written
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, each, read.Counts)
	})
}

func TestWhatWasPlannedAgainBeforeStaysReadable(t *testing.T) {
	whole := archived
	whole.Rows = 7
	fresh := protocol.Replanned{Plan: archived, Whole: whole}
	text, err := json.Marshal(fresh)
	require.NoError(t, err)
	require.Equal(t, fresh, decoded[protocol.Replanned](t, string(text)))
	before := strings.TrimSuffix(archivedBefore, "}")
	require.Equal(t, protocol.Replanned{Plan: archived, Whole: archived}, decoded[protocol.Replanned](t, before+`,"whole":`+archivedBefore+`}`))
	require.Equal(t, protocol.Replanned{Plan: archived}, decoded[protocol.Replanned](t, archivedBefore), "of before there was a whole plan")
}

func TestADamagedReferenceIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no hash":         `"a/plan/1 100"`,
		"a word too many": strings.Replace(archivedNow, ` 100000"`, ` 100000 1"`, 1),
		"a short hash":    strings.Replace(archivedNow, `O0N 1`, ` 1`, 1),
		"no base64":       strings.Replace(archivedNow, `O0N 1`, `O!N 1`, 1),
		"no number":       strings.Replace(archivedNow, ` 100000"`, ` many"`, 1),
		"a list":          `[]`,
	} {
		var ref protocol.Ref
		require.Error(t, json.Unmarshal([]byte(text), &ref), name)
		require.Zero(t, ref, name)
	}
}

// Whatever a reference holds, it is the same after it has travelled.
func TestEveryReferenceTravelsWhole(t *testing.T) {
	hexText := func(n int) *rapid.Generator[string] {
		return rapid.Map(rapid.SliceOfN(rapid.Byte(), n, n), hex.EncodeToString)
	}
	bucket := rapid.OneOf(rapid.String(), rapid.Map(hexText(16), func(s string) string {
		return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
	}), rapid.StringMatching(`[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}`))
	hash := rapid.OneOf(rapid.String(), hexText(32), rapid.StringMatching(`[0-9A-Fa-f]{62,66}`))
	key := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9-]{1,63}/plan/[0-9]{10}-[0-9TZ.]{20}-[0-9a-f]{8}\.jsonl\.zst`))
	rapid.Check(t, func(t *rapid.T) {
		ref := protocol.Ref{Bucket: bucket.Draw(t, "bucket"), Key: key.Draw(t, "key"), SHA256: hash.Draw(t, "hash"), Rows: rapid.Int().Draw(t, "rows")}
		text, err := json.Marshal(ref)
		require.NoError(t, err)
		var read protocol.Ref
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, ref, read, string(text))
	})
}

func decoded[T any](t *testing.T, text string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

// A fetch that had other rules than the pass would guess about missing items.
func TestAFetchHasTheRulesWhereItNeedsThem(t *testing.T) {
	settings := protocol.Settings{OnlyEshopItems: true, ItemsHash: "i", Title: "Acme", Rules: stock.Rules{Match: stock.ByEAN, Missing: stock.MissingZero}}
	terms := settings.Terms()
	require.Equal(t, protocol.Terms{Rules: settings.Rules, OnlyEshopItems: true, ItemsHash: "i"}, terms)
	require.Equal(t, terms, terms.ToRead())
	settings.Rules.Missing = stock.MissingKeep
	require.Equal(t, protocol.Terms{OnlyEshopItems: true, ItemsHash: "i"}, settings.Terms().ToRead())

	text, err := json.Marshal(settings.Terms().ToRead())
	require.NoError(t, err)
	require.JSONEq(t, `{"onlyEshopItems":true,"itemsHash":"i"}`, string(text))
	before, err := json.Marshal(settings)
	require.NoError(t, err)
	require.Equal(t, settings.Rules.Match, decoded[protocol.Terms](t, string(before)).Rules.Match, "a request of before has all settings")
}

// It was sent as a PassRecord before.
func TestADraftReadsWhatWasARecord(t *testing.T) {
	at := time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)
	report := protocol.Report{
		Shop: "acme", Pass: 7, Trigger: protocol.TriggerManual, Mode: protocol.ModeFull, Result: protocol.ResultHeld, Warnings: []string{},
		Failure: &protocol.Failure{Code: protocol.TooManyZeroed}, SettingsHash: "h", StartedAt: at, KrosRequests: 3, PlanHash: "p",
	}
	before, err := json.Marshal(protocol.PassRecord{Report: report, By: "Jana", Settings: protocol.Settings{Title: "Acme"}})
	require.NoError(t, err)
	draft := decoded[protocol.PassDraft](t, string(before))
	require.Equal(t, report, draft.Report.Report("acme", 7))
	require.Equal(t, "Jana", draft.By)
	now, err := json.Marshal(draft)
	require.NoError(t, err)
	require.Equal(t, draft.Report.Report("acme", 7), decoded[protocol.PassDraft](t, string(now)).Report.Report("acme", 7))
}
