package skladom_test

import (
	"context"
	"errors"
	"log"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/skladom/skladom"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/relay"
)

// A worker of one's own hosts Skladom beside its own workflows.
func ExampleNewPlugin() {
	ctx := context.Background()
	shops, err := config.Open("./conf", config.OS())
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.Dial(envconfig.MustLoadDefaultClientOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := skladom.PrepareNamespace(ctx, c, "default"); err != nil {
		log.Fatal(err)
	}
	plugin, err := skladom.NewPlugin(ctx, skladom.Options{Shops: shops})
	if err != nil {
		log.Fatal(err)
	}
	w := worker.New(c, "skladom", worker.Options{Plugins: []worker.Plugin{plugin}})
	if err := w.Run(worker.InterruptCh()); err != nil {
		log.Fatal(err)
	}
}

// A host that wants names and quantities readable for nobody in Temporal gives
// its client a codec; the worker takes both converters from the client.
func ExampleNewPlugin_codec() {
	var codec converter.PayloadCodec // encrypts, with a key that Temporal does not have

	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec)
	options := envconfig.MustLoadDefaultClientOptions()
	options.DataConverter = data
	options.FailureConverter = temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          data,
		EncodeCommonAttributes: true,
	})

	c, err := client.Dial(options)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close() // and from here on as above
}

// A program of one's own activates a shop, and runs a pass when it likes.
func Example_activate() {
	ctx := context.Background()
	c, err := client.Dial(envconfig.MustLoadDefaultClientOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:        protocol.ActivateID("acme"),
		TaskQueue: "skladom",
	}, protocol.ActivateConnection, protocol.ActivateRequest{Shop: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	var activation protocol.Activation
	if err := run.Get(ctx, &activation); err != nil {
		log.Fatal(err)
	}
	if f := activation.Failure; f != nil {
		log.Fatalf("%s %s", f.Message, f.Hint) // a sentence for the merchant
	}

	pass, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID:   protocol.StockSyncID("acme"),
		UpdateName:   protocol.UpdateSync,
		Args:         []any{protocol.SyncRequest{}},
		WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	if err != nil {
		log.Fatal(err)
	}
	var report protocol.Report
	if err := pass.Get(ctx, &report); err != nil {
		log.Fatal(err)
	}
	log.Printf("%s: %d of %d items updated", report.Result, report.Updated, report.KrosItems)
}

// A web server of one's own receives the notifications of KROS.
func Example_notifications() {
	ctx := context.Background()
	shops, err := config.Open("./conf", config.OS())
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.Dial(envconfig.MustLoadDefaultClientOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	key, err := shops.Installation().MasterKey()
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", ":8088")
	if err != nil {
		log.Fatal(err)
	}
	logger := hclog.Default()
	handler := relay.New(relay.Options{
		Shops:     keyVersions{shops},
		MasterKey: key,
		Signal: func(ctx context.Context, shop, signal string) error {
			return c.SignalWorkflow(ctx, protocol.StockSyncID(shop), "", signal, nil)
		},
		Logger: logger,
		Now:    time.Now,
	})
	if err := relay.Serve(ctx, listener, handler, logger); err != nil {
		log.Fatal(err)
	}
}

// A program of one's own says that something has changed in KROS, without any
// relay: it needs Temporal alone.
func Example_signal() {
	ctx := context.Background()
	c, err := client.Dial(envconfig.MustLoadDefaultClientOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	err = c.SignalWorkflow(ctx, protocol.StockSyncID("acme"), "", protocol.SignalNotification, nil)
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		log.Fatal("acme is not activated")
	}
	if err != nil {
		log.Fatal(err)
	}
}

// A Temporal Schedule runs passes at times that the shop's own schedule does
// not have.
func Example_schedule() {
	ctx := context.Background()
	c, err := client.Dial(envconfig.MustLoadDefaultClientOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	_, err = c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: "skladom-acme-opening",
		Spec: client.ScheduleSpec{
			CronExpressions: []string{"55 7 * * 1-5"},
			TimeZoneName:    "Europe/Bratislava",
		},
		Action: &client.ScheduleWorkflowAction{
			ID:        "sync-now:acme",
			Workflow:  protocol.SyncNow,
			TaskQueue: "skladom",
			Args:      []any{protocol.SyncNowRequest{Shop: "acme"}},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}

// keyVersions tells the relay which authorization keys count, as the settings
// were last read.
type keyVersions struct{ shops *config.Directory }

func (k keyVersions) KeyVersions(shop string) (versions []int, most int) {
	for _, s := range k.shops.Shops() {
		its := append([]int{s.Webhook.KeyVersion}, s.Webhook.AlsoAccept...)
		most = max(most, len(its))
		if s.Name == shop {
			versions = its
		}
	}
	return versions, most
}
