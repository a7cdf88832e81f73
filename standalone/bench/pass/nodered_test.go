package main

import (
	"bufio"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/testsuite/bench/goal"
)

func TestNodeREDHasStartedWhenItListensAndItsFlowHasBegun(t *testing.T) {
	const (
		versions = "29 Nov 12:42:06 - [info] Node-RED version: v4.1.15\n29 Nov 12:42:06 - [info] Node.js  version: v20.20.2\n"
		listens  = "29 Nov 12:42:07 - [info] Server now running at http://127.0.0.1:45913\n"
		begun    = "29 Nov 12:42:07 - [info] Started flows\n"
	)
	for _, log := range []string{versions + listens + begun, versions + begun + listens} {
		said, err := started(bufio.NewReader(strings.NewReader(log)))
		require.NoError(t, err)
		require.Equal(t, start{version: "4.1.15", node: "20.20.2", url: "http://127.0.0.1:45913"}, said)
	}
	for _, log := range []string{"", versions + listens, versions + begun, "Unsupported version of Node.js: v16.20.2\n"} {
		_, err := started(bufio.NewReader(strings.NewReader(log)))
		require.ErrorContains(t, err, "Node-RED did not start: EOF; it said:\n"+log)
	}
}

func TestTheFlowIsMadeOfWhatNodeREDBrings(t *testing.T) {
	text, err := nodeREDFiles.ReadFile("nodered/flow.json")
	require.NoError(t, err)
	var nodes []struct {
		ID, Type string
		Persist  bool
		Wires    [][]string
	}
	require.NoError(t, json.Unmarshal(text, &nodes))
	ids, types := map[string]bool{}, map[string]int{}
	for _, node := range nodes {
		require.False(t, ids[node.ID], "two nodes are called %s", node.ID)
		ids[node.ID] = true
		types[node.Type]++
	}
	for _, node := range nodes {
		require.Contains(t, []string{"tab", "http in", "http request", "http response", "function", "catch"}, node.Type, node.ID)
		require.Equal(t, node.Type == "http request", node.Persist, "%s: connections are kept, as everybody's are", node.ID)
		for _, output := range node.Wires {
			for _, to := range output {
				require.True(t, ids[to], "%s is wired to %s, which there is not", node.ID, to)
			}
		}
	}
	require.Equal(t, 3, types["http request"], "pages, look-ups, writes")
	require.Equal(t, 1, types["http in"])
}

func TestWhereNodeREDIsMissingTheTableSaysSo(t *testing.T) {
	dir := t.TempDir()
	var out strings.Builder
	node, err := openNodeRED(t.Context(), &out, dir, filepath.Join(dir, "nowhere"), "http://127.0.0.1:1")
	require.NoError(t, err)
	require.Nil(t, node)
	require.NoError(t, node.close())
	require.Contains(t, out.String(), "Node-RED was not run: ")

	second := []cost{{Wall: time.Second, User: time.Second}}
	measured := figures{floor: second, script: second, skladom: second, peak: []int{100}}
	all := []figures{measured, measured, measured}
	report(&out, options{items: 100, rounds: 1}, all)
	require.Regexp(t, `(?m)^  Skladom : Node-RED( +not run){3}$`, out.String())
	require.Regexp(t, `(?m)^  Node-RED( +not run){3}$`, out.String())
	require.Empty(t, toNodeRED(out.String()), "nothing is not ahead of anybody")

	all[1].nodeRED, all[1].nodePeak = []cost{{Wall: 2 * time.Second, User: time.Second}}, []int{200}
	all[2].nodeRED, all[2].nodePeak = second, []int{200}
	report(&out, options{items: 100, rounds: 1}, all)
	require.Equal(t, []goal.Figure{
		goal.Below("pass of 100 items, all changed again, Skladom : Node-RED", 0.5, 1),
		goal.Below("pass of 100 items, 1 % changed, Skladom : Node-RED", 1, 1),
	}, toNodeRED(out.String()))
}

func toNodeRED(output string) (found []goal.Figure) {
	for _, f := range goal.Find(output) {
		if strings.HasSuffix(f.What, " : Node-RED") {
			found = append(found, f)
		}
	}
	return found
}
