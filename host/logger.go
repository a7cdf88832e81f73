package host

import (
	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/log"
)

// TemporalLogger makes an hclog.Logger the logger of a Temporal client, for
// client.Options.Logger. Its levels stay what they are.
func TemporalLogger(to hclog.Logger) log.Logger { return temporalLogger{to} }

// temporalLogger differs from its Logger in the type that With returns.
type temporalLogger struct{ hclog.Logger }

var _ log.WithLogger = temporalLogger{}

func (l temporalLogger) With(keyvals ...any) log.Logger {
	return temporalLogger{l.Logger.With(keyvals...)}
}
