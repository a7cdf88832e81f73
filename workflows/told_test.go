package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/protocol"
)

func TestWhatIsCountedOfAPass(t *testing.T) {
	begun := time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)
	tick := begun.Add(30 * time.Minute)
	tests := []struct {
		rule   string
		before told
		result protocol.Result
		lost   int
		want   told
	}{
		{"a failed pass", told{}, protocol.ResultFailed, 0, told{Misses: 1, MissesAt: tick}},
		{"another at its tick", told{Misses: 1, MissesAt: begun}, protocol.ResultFailed, 0, told{Misses: 2, MissesAt: tick}},
		{"another before the tick", told{Misses: 1, MissesAt: begun.Add(time.Second)}, protocol.ResultFailed, 0, told{Misses: 1, MissesAt: begun.Add(time.Second)}},
		{"a hold says nothing about a side", told{Misses: 1, MissesAt: begun}, protocol.ResultHeld, 7, told{Misses: 1, MissesAt: begun}},
		{"a good pass ends the count", told{Misses: 2, MissesAt: begun}, protocol.ResultOK, 0, told{}},
		{"lost products", told{LostTold: 1, Lost: 1}, protocol.ResultOK, 3, told{LostTold: 1, Lost: 3}},
		{"fewer lost products are no news, and the next more are", told{LostTold: 3, Lost: 3}, protocol.ResultOK, 1, told{LostTold: 1, Lost: 1}},
		{"a failed pass knows of no lost products", told{LostTold: 3, Lost: 3}, protocol.ResultFailed, 9, told{LostTold: 3, Lost: 3, Misses: 1, MissesAt: tick}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			got := test.before
			got.count(test.result, test.lost, begun, tick)
			require.Equal(t, test.want, got)
		})
	}
}
