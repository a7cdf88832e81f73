// Package histories holds what workflows lived through on a real server, as it
// was recorded (standalone/e2e/record_test.go). Workflow code that is changed
// has to replay it: runs under way go through a release.
package histories

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
)

func TestRecordedHistoriesReplay(t *testing.T) {
	seen := map[string]bool{}
	for name, recorded := range all(t) {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, newReplayer(t).ReplayWorkflowHistory(silent{}, recorded))
		})
		seen[typeOf(recorded)] = true
	}
	// A workflow without a recorded history would be changed without anybody
	// noticing what it breaks: add a scenario to standalone/e2e/record_test.go.
	replayed := newReplayer(t)
	for _, recorded := range all(t) {
		require.NoError(t, replayed.ReplayWorkflowHistory(silent{}, recorded))
		break
	}
	require.NotEmpty(t, replayed.registered)
	for _, name := range replayed.registered {
		require.True(t, seen[name], "the plugin registers %s, and no history of it is recorded", name)
	}
}

// A replay that takes anything proves nothing.
func TestAnotherWayIsNoticed(t *testing.T) {
	for name, recorded := range all(t) {
		for _, event := range recorded.GetEvents() {
			if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled != nil {
				scheduled.ActivityType.Name = "Another"
				require.Error(t, newReplayer(t).ReplayWorkflowHistory(silent{}, recorded), name)
				break
			}
		}
	}
}

// The important ways are in the recordings, whatever their files are called.
func TestWhatTheHistoriesTell(t *testing.T) {
	ends := map[string]map[enums.EventType]bool{}
	steps := map[string]bool{}
	for _, recorded := range all(t) {
		events := recorded.GetEvents()
		kind := typeOf(recorded)
		if ends[kind] == nil {
			ends[kind] = map[enums.EventType]bool{}
		}
		ends[kind][events[len(events)-1].GetEventType()] = true
		for _, event := range events {
			switch {
			case event.GetActivityTaskScheduledEventAttributes() != nil:
				steps[event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()] = true
			case event.GetWorkflowExecutionSignaledEventAttributes() != nil:
				steps[event.GetWorkflowExecutionSignaledEventAttributes().GetSignalName()] = true
			case event.GetWorkflowExecutionUpdateAcceptedEventAttributes() != nil:
				steps[event.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput().GetName()] = true
			}
		}
	}
	require.True(t, ends[protocol.StockSync][enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW])
	require.True(t, ends[protocol.StockSync][enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED])
	require.True(t, ends[protocol.SyncPass][enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED])
	require.True(t, ends[protocol.SyncPass][enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED])
	for _, step := range []string{
		"FetchStock", "MatchProducts", "UpdateStock", "ReplanConflicts", "CheckKROS", "CheckShop", "RecallMemory", "ReadArchive",
		"RecordPass", "PlanRollback", "ReadHistory", "MakeWorklist", "ExplainItem", "RaiseAlert", "DeliverAlerts",
		protocol.SignalNotification, protocol.SignalSyncNow, protocol.SignalConfigChanged, protocol.SignalActivated, protocol.SignalAlert,
		protocol.UpdateSync, protocol.UpdatePause, protocol.UpdateResume, protocol.UpdateDeactivate,
		protocol.UpdateApprove, protocol.UpdateDismiss, protocol.UpdateRollback,
	} {
		require.True(t, steps[step], step)
	}
}

// What is in a history is seen by everybody who may look at the Temporal UI,
// and these lie in the repository.
func TestHistoriesHoldNoSecretAndNoMachine(t *testing.T) {
	for name, recorded := range all(t) {
		for _, event := range recorded.GetEvents() {
			text := event.String()
			for _, secret := range []string{"kros-token-5e1f0c", "shop-token-77ab21", "Bearer ", "Authorization:"} {
				require.NotContains(t, text, secret, "%s, event %d", name, event.GetEventId())
			}
			for _, identity := range []string{
				event.GetWorkflowExecutionStartedEventAttributes().GetIdentity(),
				event.GetWorkflowTaskStartedEventAttributes().GetIdentity(),
				event.GetActivityTaskStartedEventAttributes().GetIdentity(),
			} {
				require.NotContains(t, identity, "@", "%s, event %d", name, event.GetEventId())
			}
			require.NotEqual(t, enums.TASK_QUEUE_KIND_STICKY, event.GetWorkflowTaskScheduledEventAttributes().GetTaskQueue().GetKind(), "named after the machine")
		}
	}
}

// A pass costs the same few events, whatever it finds.
func TestAPassCostsFewEvents(t *testing.T) {
	for name, recorded := range all(t) {
		if typeOf(recorded) == protocol.SyncPass {
			require.LessOrEqual(t, len(recorded.GetEvents()), 40, name)
		}
	}
}

// replayer replays by what the plugin registers with a worker.
type replayer struct {
	worker.WorkflowReplayer
	worker.PluginBase
	registered []string // names of workflows, once something was replayed
}

func newReplayer(t *testing.T) *replayer {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "skladom.hcl"), nil, 0o600))
	shops, err := config.Open(dir, config.OS())
	require.NoError(t, err)
	plugin, err := skladom.NewPlugin(t.Context(), skladom.Options{Shops: shops, Archive: "mem://"})
	require.NoError(t, err)
	r := &replayer{}
	r.WorkflowReplayer, err = worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{Plugins: []worker.Plugin{plugin, r}})
	require.NoError(t, err)
	return r
}

// Name is that of a plugin which only listens.
func (r *replayer) Name() string { return "listener" }

// ConfigureWorkflowReplayer hears what is registered.
func (r *replayer) ConfigureWorkflowReplayer(_ context.Context, o worker.PluginConfigureWorkflowReplayerOptions) error {
	o.WorkflowReplayerRegistryOptions.OnRegisterWorkflow = func(_ any, options workflow.RegisterOptions) {
		r.registered = append(r.registered, options.Name)
	}
	return nil
}

func all(t *testing.T) map[string]*history.History {
	t.Helper()
	files, err := filepath.Glob("*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	read := map[string]*history.History{}
	for _, name := range files {
		file, err := os.Open(name)
		require.NoError(t, err)
		recorded, err := client.HistoryFromJSON(file, client.HistoryJSONOptions{})
		require.NoError(t, err)
		require.NoError(t, file.Close())
		read[strings.TrimSuffix(name, ".json")] = recorded
	}
	return read
}

func typeOf(recorded *history.History) string {
	return recorded.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
}

// silent is the replayer's logger.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
