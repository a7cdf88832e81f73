package activities

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/stock"
)

func TestRulesArePassedOnWithThoseForItemsOfTheWorkersFiles(t *testing.T) {
	items := map[string]stock.ItemRule{"CABLE": {Pack: decimal.NewFromInt(100)}}
	s := config.Shop{Name: "acme", Settings: protocol.Settings{ItemsHash: "one", Rules: stock.Rules{Match: stock.ByEAN}}, Items: items}
	travelled := protocol.Terms{ItemsHash: "one", Rules: stock.Rules{Match: stock.ByNumber}}

	got, err := rules(s, travelled)
	require.NoError(t, err)
	require.Equal(t, stock.Rules{Match: stock.ByNumber, Items: items}, got)

	travelled.ItemsHash = "two"
	_, err = rules(s, travelled)
	require.ErrorIs(t, err, errOtherItems)
}
