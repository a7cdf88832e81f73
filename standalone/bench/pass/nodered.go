package main

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/skladom/skladom/standalone/bench/internal/house"
)

// The flow is what the script is, drawn as nodes: it reads all pages, looks the
// products up and writes what differs, with requests of the same sizes and with
// as many under way at once as the floor has.
//
//go:embed nodered/flow.json nodered/settings.js
var nodeREDFiles embed.FS

// nodeRED is Node-RED with the flow. It runs on from pass to pass, as it does
// where people use it and as Skladom's worker does.
type nodeRED struct {
	*house.Process
	url string
}

// openNodeRED starts Node-RED. Where it is not installed it says so and there
// is none.
func openNodeRED(ctx context.Context, out io.Writer, dir, installed, sides string) (*nodeRED, error) {
	node, program, err := findNodeRED(installed)
	if err != nil {
		fmt.Fprintf(out, "Node-RED was not run: %v\n", err)
		return nil, nil
	}
	home := filepath.Join(dir, "node-red")
	if err := unpack(home); err != nil {
		return nil, fmt.Errorf("write Node-RED's flow: %w", err)
	}
	cmd := exec.CommandContext(ctx, node, program, "--userDir", home, "--settings", filepath.Join(home, "settings.js"), "flow.json")
	cmd.Env = append(os.Environ(), "SIDES="+sides, "TOKEN="+token, "NO_PROXY=127.0.0.1")
	p, err := house.Start(cmd)
	if err != nil {
		return nil, err
	}
	log := bufio.NewReader(p.Out)
	s, err := started(log)
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	go func() { _, _ = io.Copy(os.Stderr, log) }() // it says nothing more but what goes wrong
	fmt.Fprintf(out, "Node-RED %s on Node.js %s\n", s.version, s.node)
	return &nodeRED{Process: p, url: s.url}, nil
}

func findNodeRED(installed string) (node, program string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", err
	}
	if program, err = filepath.Abs(filepath.Join(installed, "node_modules", "node-red", "red.js")); err != nil {
		return "", "", err
	}
	_, err = os.Stat(program)
	return node, program, err
}

// unpack makes a home for Node-RED; it writes there what it wants to remember.
func unpack(home string) error {
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"flow.json", "settings.js"} {
		text, err := nodeREDFiles.ReadFile("nodered/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(home, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// start is what Node-RED says of itself when it starts.
type start struct{ version, node, url string }

var (
	versionLine = regexp.MustCompile(`Node-RED version: v(\S+)`)
	nodeLine    = regexp.MustCompile(`Node\.js  version: v(\S+)`)
	urlLine     = regexp.MustCompile(`Server now running at (http://[^/\s]+)`)
	flowsLine   = regexp.MustCompile(`Started flows`)
)

// started reads Node-RED's log until it listens and the flow has begun.
func started(log *bufio.Reader) (start, error) {
	var s start
	var said strings.Builder
	for flows := false; !flows || s.url == ""; {
		line, err := log.ReadString('\n')
		said.WriteString(line)
		if err != nil {
			return start{}, fmt.Errorf("Node-RED did not start: %w; it said:\n%s", err, said.String())
		}
		for expression, into := range map[*regexp.Regexp]*string{versionLine: &s.version, nodeLine: &s.node, urlLine: &s.url} {
			if match := expression.FindStringSubmatch(line); match != nil {
				*into = match[1]
			}
		}
		flows = flows || flowsLine.MatchString(line)
	}
	return s, nil
}

// pass triggers the flow and waits until it has finished.
func (n *nodeRED) pass(ctx context.Context, t task) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/pass", bytes.NewReader(encoded(map[string]int{"pages": t.Pages, "lookups": t.Lookups})))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true // Node.js hangs up between two passes, and a request that meets this is not sent again
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("trigger the flow in Node-RED: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("wait for the flow in Node-RED: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the flow in Node-RED failed: %s: %s", response.Status, text)
	}
	var did struct{ Items, Updated int }
	if err := json.Unmarshal(text, &did); err != nil {
		return fmt.Errorf("read what the flow in Node-RED did: %w", err)
	}
	if did.Items != t.Goods.Items || did.Updated != t.Goods.changes() {
		return fmt.Errorf("the flow in Node-RED updated %d of %d items instead of %d of %d", did.Updated, did.Items, t.Goods.changes(), t.Goods.Items)
	}
	return nil
}

// close ends it, where there is one.
func (n *nodeRED) close() error {
	if n == nil {
		return nil
	}
	return n.Stop()
}
