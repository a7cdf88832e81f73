package snapshot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/skladom/skladom/protocol"
)

// Kind is what an object of the archive holds.
type Kind string

// The kinds of objects.
const (
	Catalogue Kind = "catalogue" // what a sweep read from KROS
	Plan      Kind = "plan"      // what a pass intends, or a dry run would do
	Receipt   Kind = "receipt"   // what a pass wrote and what the shop answered
	Pass      Kind = "pass"      // one row: how a pass ended, and by which settings
	Receipts  Kind = "receipts"  // references to the receipts of a write that has several, so that one stands for all
	Worklist  Kind = "worklist"  // what waits for a person to put it right; made like a dry run, and goes like one
)

var kinds = []Kind{Catalogue, Plan, Receipt, Receipts, Pass, Worklist}

// Name says what an object is. Its key in the bucket is
//
//	<shop>/<kind>/<pass, 10 digits>-<UTC time>-<unique>.jsonl.zst
//
// with "dry-" before the pass of a dry run. At is kept to the millisecond.
// Unique (letters, digits, "-" and "_", at most 64) tells apart what the same
// pass writes twice: two attempts of an activity need two of them, because a
// late writer would replace the object under the reference of the other.
type Name struct {
	Shop   string
	Pass   int64
	DryRun bool
	Kind   Kind
	At     time.Time
	Unique string
}

const (
	keyTime   = "20060102T150405.000Z"
	extension = ".jsonl.zst"
	maxPass   = 9_999_999_999
)

var (
	shopPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	uniquePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	keyPattern    = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,62})/(catalogue|plan|receipt|receipts|pass|worklist)/(dry-)?(\d{10})-(\d{8}T\d{6}\.\d{3}Z)-([A-Za-z0-9_-]{1,64})\.jsonl\.zst$`)
)

// key validates every part, since a shop's name becomes a directory.
func (n Name) key() (string, error) {
	if err := validate(n.Shop, n.Kind); err != nil {
		return "", err
	}
	if n.Pass < 0 || n.Pass > maxPass {
		return "", fmt.Errorf("pass %d is not between 0 and %d", n.Pass, maxPass)
	}
	if n.At.IsZero() || n.At.UTC().Year() > 9999 {
		return "", fmt.Errorf("time %s cannot be part of a key", n.At)
	}
	if !uniquePattern.MatchString(n.Unique) {
		return "", fmt.Errorf("unique part %q must match %s", n.Unique, uniquePattern)
	}
	dry := ""
	if n.DryRun {
		dry = "dry-"
	}
	return fmt.Sprintf("%s%s%010d-%s-%s%s", folder(n.Shop, n.Kind), dry, n.Pass, n.At.UTC().Format(keyTime), n.Unique, extension), nil
}

func folder(shop string, kind Kind) string { return shop + "/" + string(kind) + "/" }

func validate(shop string, kind Kind) error {
	if !shopPattern.MatchString(shop) {
		return fmt.Errorf("shop name %q must match %s", shop, shopPattern)
	}
	if !slices.Contains(kinds, kind) {
		return fmt.Errorf("unknown kind %q", kind)
	}
	return nil
}

// KindOf is the kind of the object that a reference points to, empty where its
// key is none of the archive.
func KindOf(ref protocol.Ref) Kind {
	name, _ := parseKey(ref.Key)
	return name.Kind
}

// parseKey is the inverse of key; anything else in a bucket is not ours.
func parseKey(key string) (Name, bool) {
	parts := keyPattern.FindStringSubmatch(key)
	if parts == nil {
		return Name{}, false
	}
	pass, err := strconv.ParseInt(parts[4], 10, 64)
	if err != nil {
		return Name{}, false
	}
	at, err := time.Parse(keyTime, parts[5])
	if err != nil {
		return Name{}, false
	}
	return Name{Shop: parts[1], Kind: Kind(parts[2]), DryRun: parts[3] != "", Pass: pass, At: at, Unique: parts[6]}, true
}
