package server

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.temporal.io/server/common/log/tag"
)

func TestOnlyWarningsAndErrorsOfALivingServerAreLogged(t *testing.T) {
	var out bytes.Buffer
	l := newLogger(hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Debug, DisableTime: true}))
	service := l.With(tag.Service("history"))

	service.Debug("ordinary")
	service.Info("ordinary")
	service.Warn("slow", tag.Attempt(3))
	service.Error("broken")
	l.quiet.Store(true)
	service.Warn("others are gone")
	service.Error("others are gone")
	service.Fatal("others are gone")

	require.Equal(t, []string{
		"[WARN]  slow: service=history attempt=3",
		"[ERROR] broken: service=history",
	}, strings.Split(strings.TrimSpace(out.String()), "\n"))
}

func TestWhatTheServerCannotGoOnFromEndsTheProcess(t *testing.T) {
	l := newLogger(hclog.NewNullLogger())
	require.PanicsWithValue(t, fatal("no listener"), func() { l.Fatal("no listener") })
	require.Panics(t, func() { l.Panic("impossible") })
}
