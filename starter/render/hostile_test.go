package render

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

// Names, reasons and codes are written by others. Whatever stands in any of the
// values that are shown, the terminal gets text and the ends of lines that are
// ours: no escape sequence (also not of one byte, as old terminals take it), no
// mark that turns the direction of writing, no line that looks like ours.
func TestWhatOthersWroteNeitherSteersTheTerminalNorAddsALine(t *testing.T) {
	const (
		hostile = "A\x1b[2J\x1b]0;title\x07\x1bP\u009b31m\u202egpj.exe\u2066\u200f\b\r\v\x00\xff\ndone: 0 rejected\u2028x"
		tame    = "A[2J]0;titleP31mgpj.exe  \uFFFD done: 0 rejected x"
	)
	require.Equal(t, tame, Plain(hostile))
	for name, show := range everything() {
		for variant := range 12 { // so that every branch that hangs on a word or a number is taken
			got := show(filler{text: hostile, variant: variant})
			for _, r := range got {
				require.True(t, r == '\n' || unicode.IsPrint(r), "%s, variant %d, shows %q: %q", name, variant, r, got)
			}
			want := show(filler{text: tame, variant: variant})
			if !strings.Contains(got, `"A\x1b[2J`) { // quoted, and so another text
				require.Equal(t, want, got, "%s, variant %d", name, variant)
			}
		}
	}
}

// everything is all that this package shows, made of values that a filler fills.
func everything() map[string]func(filler) string {
	return map[string]func(filler) string{
		"Answer":      func(f filler) string { return Answer(of[protocol.Explanation](f)) },
		"AnswerLine":  func(f filler) string { return AnswerLine(of[protocol.Explanation](f)) },
		"Explanation": func(f filler) string { return Explanation(of[protocol.Explanation](f), zone) },
		"Findings":    func(f filler) string { return Findings(f.text, of[protocol.Findings](f)) },
		"OtherKey":    func(f filler) string { return OtherKey(of[protocol.Findings](f)) },
		"History":     func(f filler) string { return History(f.text, of[[]PastPass](f), zone) },
		"Pass":        func(f filler) string { return Pass(of[PastPass](f), 7, of[[]stock.Change](f), zone) },
		"Hold": func(f filler) string {
			return Hold(f.text, of[protocol.Hold](f), of[[]protocol.HeldRow](f), of[stock.Counts](f), zone)
		},
		"Consequence": func(f filler) string {
			return Consequence(f.text, of[Decision](f), of[protocol.Hold](f), of[stock.Counts](f))
		},
		"Question":   func(f filler) string { return Question(of[Decision](f), of[stock.Counts](f)) },
		"InScript":   func(f filler) string { return InScript(f.text, of[Decision](f), of[protocol.Hold](f)) },
		"Unanswered": func(f filler) string { return Unanswered(of[[]string](f)) },
		"Plan": func(f filler) string {
			return Plan(of[protocol.Report](f), of[[]protocol.PlanRow](f), 2+f.variant%2)
		},
		"Failure":      func(f filler) string { return Failure(of[protocol.Failure](f)) },
		"Report":       func(f filler) string { return Report(of[protocol.Report](f), zone) },
		"Trigger":      func(f filler) string { return Trigger(of[protocol.Trigger](f)) },
		"RollbackPlan": func(f filler) string { return RollbackPlan(of[protocol.Report](f), of[[]stock.Restoration](f), zone) },
		"RolledBack": func(f filler) string {
			return RolledBack(f.text, of[protocol.RollbackResult](f), of[[]stock.Restoration](f))
		},
		"Status": func(f filler) string { return Status(of[protocol.Status](f), zone) },
		"Fleet":  func(f filler) string { return Fleet(of[[]Listed](f), begun) },
		"Step":   func(f filler) string { return Step(Failed, "signature", f.text) },
		"Tried":  func(f filler) string { return Tried(f.text) },
		"Worklist": func(f filler) string {
			return Worklist(f.text, of[protocol.WorklistMade](f), of[[]stock.WorkRow](f), f.variant%3, zone)
		},
	}
}

func TestEverythingThatIsShownIsTriedWithHostileNames(t *testing.T) {
	harmless := map[string]string{
		"Count": "of numbers alone", "Of": "of numbers and our own words", "Unreported": "shows nothing",
		"Webhook": "a URL of the settings and a key that is made here", "Plain": "is what is tried",
		"Warehouses": "a cell of CSV, see writeCSV", "Hint": "a cell of CSV, see writeCSV, and of Worklist",
	}
	tried := everything()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, declared := range tree.Decls {
			function, ok := declared.(*ast.FuncDecl)
			if !ok || function.Recv != nil || !function.Name.IsExported() || harmless[function.Name.Name] != "" {
				continue
			}
			require.Contains(t, tried, function.Name.Name, "%s shows something: try it with hostile names", function.Name.Name)
		}
	}
}

// filler makes values in which every text is the same one, but for the words
// that something hangs on: of those each variant takes another.
type filler struct {
	text    string
	variant int
}

func of[T any](f filler) (value T) {
	f.fill(reflect.ValueOf(&value).Elem())
	return value
}

var words = map[reflect.Type][]string{
	reflect.TypeFor[stock.WorkKind]():   {string(stock.WorkLost), string(stock.WorkNoProduct), string(stock.WorkNoItem), string(stock.WorkAmbiguous)},
	reflect.TypeFor[stock.RestoredAs](): {string(stock.Restored), string(stock.ChangedSince), string(stock.NotRestored), string(stock.AsBefore)},
	reflect.TypeFor[protocol.Trigger](): {string(protocol.TriggerManual), string(protocol.TriggerRollback)},
	reflect.TypeFor[protocol.Result]():  {string(protocol.ResultOK), string(protocol.ResultFailed), string(protocol.ResultHeld), ""},
	reflect.TypeFor[protocol.State]():   {string(protocol.StateActive), string(protocol.StateInactive), string(protocol.StatePaused), string(protocol.StateHeld)},
	reflect.TypeFor[Decision]():         {string(Approve), string(Dismiss)},
	reflect.TypeFor[stock.Match]():      {string(stock.ByNumber), string(stock.ByEAN)},
	reflect.TypeFor[protocol.Code]():    {string(protocol.CatalogueChanged), string(protocol.TooManyZeroed)},
}

// wordFields are fields of type string on whose words something hangs.
var wordFields = map[string][]string{
	"Notifications.State": {protocol.NotificationsWorking, protocol.NotificationsRefused, protocol.NotificationsWaiting},
	"ItemChange.Kind":     {protocol.ChangeSettings, protocol.ChangeRefused, protocol.ChangeQuantity},
}

func (f filler) fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(begun))
		return
	case decimal.Decimal:
		v.Set(reflect.ValueOf(decimal.NewFromInt(int64(f.variant))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		text := f.text
		if known := words[v.Type()]; f.variant < 2*len(known) {
			text = known[f.variant%len(known)]
		}
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(f.variant%2 == 0)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.variant % 4))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range append([]string{f.text}, sampled...) {
			element := reflect.New(v.Type().Elem()).Elem()
			f.fill(element)
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			f.fill(v.Field(i))
			if known := wordFields[v.Type().Name()+"."+field.Name]; f.variant < 2*len(known) {
				v.Field(i).SetString(known[f.variant%len(known)])
			}
		}
	}
}
