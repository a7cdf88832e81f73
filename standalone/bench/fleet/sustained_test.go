package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

func TestOnlyTheServerExcusesASecondWorkerThatAddsLittle(t *testing.T) {
	tests := []struct {
		rule                               string
		ratio                              float64
		server, workers, simulators, spare float64
		verdict                            string
	}{
		{"enough needs no excuse", 1.8, 0.5, 0.8, 0.2, 0.5, goal.Met},
		{"the server has used the processors up", 1.1, 1.2, 0.6, 0.1, 0.05, goal.Met},
		{"the workers have", 1.1, 0.7, 1.0, 0.2, 0.05, goal.NotMet},
		{"some are idle", 1.1, 1.2, 0.3, 0.1, 0.4, goal.NotMet},
		{"somebody else has them", 1.1, 0.7, 0.2, 0.1, 0, goal.NotMet},
	}
	for _, test := range tests {
		shares := []share{{who: serverShare, part: test.server}, {who: "workers", part: test.workers}, {who: "simulators", part: test.simulators}, {who: idleOnes, part: test.spare}}
		got := besideUse(goal.AtLeast("two workers : one", test.ratio, 1.8), shares, 2)
		require.Equal(t, test.verdict, got.Verdict, test.rule)
		require.Equal(t, []goal.Figure{got}, goal.Find(got.String()))
	}
}
