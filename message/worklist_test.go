package message_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/message"
	"github.com/skladom/skladom/stock"
)

// workReasons are the reasons that a row of each kind can have.
var workReasons = map[stock.WorkKind][]string{
	stock.WorkLost: {
		stock.ReasonMissingKept, stock.ReasonMissingZeroed, stock.ReasonNoProduct, stock.ReasonPaired, stock.ReasonDuplicateCode, stock.ReasonSharedKey,
		stock.ReasonTooManyProducts, stock.ReasonUntracked, stock.ReasonParent, stock.ReasonNoKey, stock.ReasonPlaceholderEAN, stock.ReasonSpreadsheetEAN,
	},
	stock.WorkNoProduct: {
		stock.ReasonNoProduct, stock.ReasonPaired, stock.ReasonUntracked, stock.ReasonParent, stock.ReasonNoKey, stock.ReasonPlaceholderEAN, stock.ReasonSpreadsheetEAN,
	},
	stock.WorkNoItem:    {stock.ReasonNoItem, stock.ReasonNoKey, stock.ReasonPlaceholderEAN, stock.ReasonSpreadsheetEAN},
	stock.WorkAmbiguous: {stock.ReasonDuplicateCode, stock.ReasonSharedKey, stock.ReasonTooManyProducts},
}

// worklistTexts are the words of a worklist, to be read as a merchant reads them.
func worklistTexts() string {
	var out strings.Builder
	for _, kind := range stock.WorkKinds {
		for _, code := range workReasons[kind] {
			row := stock.WorkRow{Kind: kind, ReasonCode: code, Reason: "?"}
			for _, match := range []stock.Match{stock.ByNumber, stock.ByEAN} {
				fmt.Fprintf(&out, "%s, %s by %s\n  %s\n  > %s\n", kind, code, match, message.WorkTitle(row, match), message.Cure(row, match))
			}
		}
	}
	for _, why := range []stock.Why{stock.WhyOtherKey, stock.WhySpelling, stock.WhyCut, stock.WhyDigit, stock.WhyName} {
		for _, match := range []stock.Match{stock.ByNumber, stock.ByEAN} {
			fmt.Fprintf(&out, "%s by %s: %s\n", why, match, message.HintText(stock.Hint{Why: []stock.Why{why}}, match))
		}
	}
	fmt.Fprintf(&out, "%s\n> %s\n", message.NoCatalogue("acme").Message, message.NoCatalogue("acme").Hint)
	return out.String()
}

func TestTheWorklistsWordsAreAsTheyWereRead(t *testing.T) {
	const file = "testdata/worklist.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(worklistTexts()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), worklistTexts(), "read the new sentences, then run with -update")
}

func TestEveryReasonOfTheWorklistHasACureAndATitle(t *testing.T) {
	for kind, codes := range workReasons {
		for _, code := range codes {
			for _, match := range []stock.Match{stock.ByNumber, stock.ByEAN} {
				row := stock.WorkRow{Kind: kind, ReasonCode: code, Reason: "?"}
				require.Regexp(t, `^[A-Z].*\.$`, message.Cure(row, match), "%s %s", kind, code)
				require.NotEqual(t, "?", message.WorkTitle(row, match), "%s %s", kind, code)
			}
		}
	}
	require.Equal(t, "of tomorrow", message.WorkTitle(stock.WorkRow{Kind: stock.WorkNoProduct, ReasonCode: "new", Reason: "of tomorrow"}, stock.ByEAN))
}

func TestSeveralReasonsOfAHintStandTogether(t *testing.T) {
	require.Equal(t, "same EAN, same name", message.HintText(stock.Hint{Why: []stock.Why{stock.WhyOtherKey, stock.WhyName}}, stock.ByNumber))
}
