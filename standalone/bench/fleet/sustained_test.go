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

func TestTheConclusionSaysWhatProcessorsPermit(t *testing.T) {
	of := func(server, workers, simulators, idle float64) []share {
		return []share{{who: serverShare, part: server}, {who: workersShare, part: workers}, {who: "simulators", part: simulators}, {who: idleOnes, part: idle}}
	}
	require.Equal(t, "beside one worker, which uses 0.40, server and simulators use 1.20 of 2 processors (the server 69 % of the fleet's use), 0.20 are idle and 0.20 others': "+
		"there is room for 1.12 times the passes at most, with however many workers", conclusion(of(1.1, 0.4, 0.1, 0.2), 2))
	require.Equal(t, "beside one worker, which uses 1.00, server and simulators use 1.00 of 8 processors (the server 45 % of the fleet's use), 6.00 are idle and 0.00 others': "+
		"there is room for 4.00 times the passes, so it is not the processors that limit", conclusion(of(0.9, 1, 0.1, 6), 8))
}
