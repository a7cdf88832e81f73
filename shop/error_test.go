package shop_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/shop"
)

func TestKindOfStatus(t *testing.T) {
	kinds := map[shop.Kind][]int{
		shop.Unauthorized: {401},
		shop.Forbidden:    {403},
		shop.Invalid:      {400, 402, 404, 405, 409, 410, 415, 422},
		shop.TooLarge:     {413},
		shop.RateLimited:  {429},
		shop.Unavailable:  {408, 500, 502, 503, 504, 520},
		shop.BadResponse:  {201, 204, 301, 302, 307, 308},
	}
	for kind, statuses := range kinds {
		for _, status := range statuses {
			require.Equal(t, kind, shop.KindOfStatus(status), "status %d", status)
		}
	}
}

func TestErrorHoldsForeignTextOnOneShortLine(t *testing.T) {
	err := shop.NewError("set stock", shop.Invalid, 422, "  bad\r\nLevel=ERROR\tforged\x1b[31m \u202etxet\u2028end ")
	require.Equal(t, "bad Level=ERROR forged [31m txet end", err.Message)
	require.Equal(t, "shop: set stock: invalid (422): bad Level=ERROR forged [31m txet end", err.Error())

	err = shop.NewError("check", shop.Unavailable, 0, strings.Repeat("ž", 1000))
	require.Equal(t, 300, utf8.RuneCountInString(err.Message))
	require.True(t, utf8.ValidString(err.Message))
	require.NotContains(t, err.Error(), "(0)")
}

func TestOnlyWhatPassesByItselfIsTemporary(t *testing.T) {
	for _, kind := range []shop.Kind{shop.Unauthorized, shop.Forbidden, shop.Invalid, shop.TooLarge, shop.BadResponse} {
		require.False(t, shop.NewError("check", kind, 0, "").Temporary(), kind)
	}
	for _, kind := range []shop.Kind{shop.RateLimited, shop.Unavailable} {
		require.True(t, shop.NewError("check", kind, 0, "").Temporary(), kind)
	}
}
