package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
)

// Names that others wrote come into logs with errors and as values. They make no
// line that looks like one of ours, and do not steer a terminal.
func TestNoValueForgesALineOfTheLog(t *testing.T) {
	const hostile = "A\n2026-01-01T00:00:00Z [ERROR] forged\r\x1b[2J\u009b31m\u202egpj\x00\u2028x"
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		log := hclog.New(&hclog.LoggerOptions{Name: "skladom", Output: &out, JSONFormat: asJSON})
		for _, logger := range []interface{ Error(string, ...any) }{log, TemporalLogger(log), sdklog.With(TemporalLogger(log), "item", hostile)} {
			logger.Error("it failed", "name", hostile, "error", errors.New(hostile), "list", []string{hostile}, "bytes", []byte(hostile))
		}
		require.NotRegexp(t, `(?m)^2026-01-01`, out.String())
		if asJSON {
			for _, line := range bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n")) {
				require.True(t, json.Valid(line), "%s", line)
			}
			continue
		}
		for _, r := range out.String() {
			require.True(t, r == '\n' || unicode.IsPrint(r), "%q in %q", r, out.String())
		}
	}
}
