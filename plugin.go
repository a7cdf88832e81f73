// Package skladom keeps the stock of a Fynode e-shop equal to the stock in
// KROS Fakturácia, on Temporal. NewPlugin adds it to a Temporal worker; the
// rooms below it do the work.
//
// Only what a host of the plugin calls stands here. It reads no flags and no
// environment, and imports no main and no driver of a cloud.
package skladom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/samber/lo"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/skladom/skladom/activities"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/snapshot"
	"github.com/skladom/skladom/workflows"
)

// Options are what a host gives the plugin. Shops is required. Archive is the
// address of the archive where the configuration names none. Without Logger
// the plugin is silent.
type Options struct {
	Shops   *config.Directory
	Archive string
	Logger  hclog.Logger
}

// NewPlugin makes a plugin for client.Options.Plugins or worker.Options.Plugins:
//
//	worker.New(c, "skladom", worker.Options{Plugins: []worker.Plugin{plugin}})
//
// The worker then hosts every workflow and activity of Skladom. The archive
// that the configuration names is opened here and an error says why it cannot
// be. Call PrepareNamespace once before the worker starts.
func NewPlugin(ctx context.Context, o Options) (*temporal.SimplePlugin, error) {
	if o.Shops == nil {
		return nil, errors.New("skladom: Options.Shops is required: open the configuration with config.Open")
	}
	logger := o.Logger
	if logger == nil {
		logger = hclog.NewNullLogger()
	}
	address := cmp.Or(o.Shops.Installation().Snapshots.URL, o.Archive)
	if address == "" {
		return nil, errors.New("skladom: no archive: write snapshots { url = \"file:///...\" } into the configuration")
	}
	archive, err := snapshot.Open(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open the archive of snapshots: %w", err)
	}
	acts := activities.New(activities.Options{Shops: o.Shops, Archive: archive, Logger: logger, Now: time.Now})
	return temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name: "skladom",
		RunContextBefore: func(_ context.Context, run temporal.SimplePluginRunContextBeforeOptions) error {
			register(run, acts)
			return nil
		},
	})
}

func register(run temporal.SimplePluginRunContextBeforeOptions, acts *activities.Activities) {
	for _, w := range []struct {
		name string
		run  any
	}{
		{protocol.ActivateConnection, workflows.ActivateConnection},
		{protocol.StockSync, workflows.StockSync},
		{protocol.SyncPass, workflows.SyncPass},
		{protocol.SyncNow, workflows.SyncNow},
		{protocol.Inspect, workflows.Inspect},
		{protocol.Explain, workflows.Explain},
		{protocol.Alerts, workflows.Alerts},
		{protocol.History, workflows.History},
		{protocol.Rollback, workflows.Rollback},
		{protocol.Worklist, workflows.Worklist},
	} {
		run.Registry.RegisterWorkflowWithOptions(w.run, workflow.RegisterOptions{Name: w.name})
	}
	run.Registry.RegisterActivityWithOptions(acts, activity.RegisterOptions{})
}

// SearchAttributes are what StockSync shows itself by, with their types.
func SearchAttributes() map[string]enums.IndexedValueType {
	return map[string]enums.IndexedValueType{
		protocol.SearchShop:        enums.INDEXED_VALUE_TYPE_KEYWORD,
		protocol.SearchState:       enums.INDEXED_VALUE_TYPE_KEYWORD,
		protocol.SearchReason:      enums.INDEXED_VALUE_TYPE_KEYWORD,
		protocol.SearchLastSuccess: enums.INDEXED_VALUE_TYPE_DATETIME,
	}
}

// PrepareNamespace adds the search attributes that the namespace lacks.
// Without them a StockSync cannot start, so where they cannot be added the
// error names the command by which an administrator does it.
func PrepareNamespace(ctx context.Context, c client.Client, namespace string) error {
	listed, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list the search attributes of namespace %q: %w", namespace, err)
	}
	missing := lo.OmitByKeys(SearchAttributes(), lo.Keys(listed.GetCustomAttributes()))
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: missing})
	if err != nil {
		return fmt.Errorf("add the search attributes to namespace %q (an administrator can: %s): %w", namespace, addCommand(namespace), err)
	}
	return nil
}

func addCommand(namespace string) string {
	return fmt.Sprintf("temporal operator search-attribute create --namespace %s --name %s --type Keyword --name %s --type Keyword --name %s --type Keyword --name %s --type Datetime",
		namespace, protocol.SearchShop, protocol.SearchState, protocol.SearchReason, protocol.SearchLastSuccess)
}
