package server

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nobody logs in to Temporal or its UI here, so no port of the whole process, the
// internal ones neither, can be reached from another machine.
func TestNothingListensBeyondThisMachine(t *testing.T) {
	start(t, Options{SearchAttributes: attributes})
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("only where Linux tells which ports a process has: ", err)
	}
	sockets := map[string]bool{}
	for _, entry := range entries {
		link, _ := os.Readlink("/proc/self/fd/" + entry.Name())
		if inode, ok := strings.CutPrefix(link, "socket:["); ok {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
	}
	const (
		localAddress = 1
		state        = 3
		inode        = 9
		listening    = "0A"
	)
	loopback := regexp.MustCompile(`^(0100007F|00000000000000000000000001000000|0000000000000000FFFF00000100007F):`)
	found := 0
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue // a machine without IPv6
		}
		for _, line := range strings.Split(string(text), "\n")[1:] {
			fields := strings.Fields(line)
			if len(fields) <= inode || fields[state] != listening || !sockets[fields[inode]] {
				continue
			}
			require.Regexp(t, loopback, fields[localAddress], "a port is open to other machines")
			found++
		}
	}
	require.GreaterOrEqual(t, found, 4, "gRPC, the UI and what is inside")
}
