package e2e

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdktemporal "go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/testsuite/fynodesim"
	"github.com/skladom/skladom/testsuite/krossim"
)

// sealed is a payload codec as a host has one: AES-GCM with a key that Temporal
// does not know.
type sealed struct{ cipher.AEAD }

func newSealed(t *testing.T) sealed {
	t.Helper()
	key := make([]byte, 32)
	_, err := rand.Read(key)
	require.NoError(t, err)
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	aead, err := cipher.NewGCMWithRandomNonce(block)
	require.NoError(t, err)
	return sealed{aead}
}

const sealedEncoding = "binary/encrypted"

func (s sealed) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		plain, err := proto.Marshal(p)
		return &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(sealedEncoding)},
			Data:     s.Seal(nil, nil, plain, nil),
		}, err
	})
}

// Decode leaves alone what is not sealed: signals of programs without the key.
func (s sealed) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != sealedEncoding {
			return p, nil
		}
		plain, err := s.Open(nil, nil, p.GetData(), nil)
		if err != nil {
			return nil, err
		}
		opened := &commonpb.Payload{}
		return opened, proto.Unmarshal(plain, opened)
	})
}

func each(payloads []*commonpb.Payload, do func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	done := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		var err error
		if done[i], err = do(p); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// dialSealed is a client whose payloads, and the texts of whose errors, go
// through the codec.
func (h *house) dialSealed(codec converter.PayloadCodec) client.Client {
	h.t.Helper()
	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec)
	c, err := client.Dial(client.Options{
		HostPort: temporal.Address(), Logger: h.logger("temporal"),
		DataConverter: data,
		FailureConverter: sdktemporal.NewDefaultFailureConverter(sdktemporal.DefaultFailureConverterOptions{
			DataConverter: data, EncodeCommonAttributes: true,
		}),
	})
	require.NoError(h.t, err)
	h.t.Cleanup(c.Close)
	return c
}

// private is a shop all of whose data can be told from everything else.
func private(t *testing.T, lines settings) *house {
	t.Helper()
	const items = 12
	var kros []krossim.Item
	var shop []fynodesim.Product
	for i := range items {
		code := fmt.Sprintf("PRIVATE-CODE-%02d", i)
		kros = append(kros, krossim.Item{ItemCode: code, Name: fmt.Sprintf("PRIVATE NAME %02d", i), EANCode: fmt.Sprintf("85880000%05d", i), MeasureUnit: "PRIVATE UNIT",
			Warehouses: []krossim.Warehouse{{Code: "PRIVATE STORE", QuantityOnHand: "5"}}})
		if i < items-3 { // some are unmatched, and become samples
			shop = append(shop, fynodesim.Product{ID: fmt.Sprintf("PRIVATE-ID-%02d", i), Number: code, Name: fmt.Sprintf("PRIVATE PRODUCT %02d", i), Quantity: decimal.NewFromInt(1)})
		}
	}
	shop = append(shop, fynodesim.Product{ID: "PRIVATE-ID-x", Number: "PRIVATE-CODE-x", Name: "PRIVATE PRODUCT x", Quantity: decimal.NewFromInt(1)})
	return newHouse(t, krossim.Options{Items: kros, NoLimits: true}, fynodesim.Options{Products: shop, Name: "PRIVATE SHOP"}, lines+"\n  title = \"PRIVATE TITLE\"")
}

// visible collects all that can be read in Temporal about the shop.
func (h *house) visible() string {
	h.t.Helper()
	var all strings.Builder
	for _, e := range h.executions("") {
		id, run := e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId()
		text, _ := h.historyOf(id, run)
		all.WriteString(text + e.String() + h.described(id, run) + "\n")
	}
	return all.String()
}

// live makes every kind of workflow, update and failure happen, with people's
// words in them, and leaves the shop active.
func (h *house) live() {
	h.t.Helper()
	t := h.t
	require.NotNil(t, h.activate(true).Findings)
	first := h.start()
	require.Equal(t, 9, first.Updated, asJSON(t, first))
	require.NotEmpty(t, first.Samples["unmatched"])
	require.Equal(t, protocol.ResultOK, h.dryRun().Result)

	// A hold, of which one product is refused when it is approved.
	store := func(quantity int) []krossim.Warehouse {
		return []krossim.Warehouse{{Code: "PRIVATE STORE", QuantityOnHand: json.Number(fmt.Sprint(quantity))}}
	}
	for i := range 8 {
		require.NoError(t, h.kros.SetStock(fmt.Sprintf("PRIVATE-CODE-%02d", i), store(0)...))
	}
	require.Equal(t, protocol.ResultHeld, h.now().Result)
	h.fynode.SetRejected("PRIVATE-ID-00")
	approved := h.approve()
	require.Equal(t, 1, approved.Rejected, asJSON(t, approved))
	h.fynode.SetRejected()

	var explanation protocol.Explanation
	require.NoError(t, h.execute(protocol.ExplainID(h.shop, "1"), protocol.Explain, protocol.ExplainRequest{Shop: h.shop, Item: "PRIVATE-CODE-03"}, &explanation))
	require.Equal(t, "PRIVATE NAME 03", explanation.Name)
	var made protocol.WorklistMade
	require.NoError(t, h.execute(protocol.WorklistID(h.shop, "1"), protocol.Worklist, protocol.WorklistRequest{Shop: h.shop}, &made))
	require.Nil(t, made.Failure)
	h.inspect(protocol.InspectRequest{Shop: h.shop, Kind: protocol.InspectWorklist, Ref: made.Rows}, func(row json.RawMessage) { require.Contains(t, string(row), "PRIVATE") })

	// A refusal of KROS and one of the shop, each with a text.
	require.NoError(t, h.kros.AddFault(krossim.Fault{Kind: krossim.FaultStatus, Status: 403, Body: `{"message": "PRIVATE REFUSAL OF KROS"}`}))
	require.Contains(t, asJSON(t, h.now().Failure), "PRIVATE REFUSAL OF KROS")
	require.Equal(t, protocol.ResultOK, h.now().Result)
	h.isActive()
	require.NoError(t, h.fynode.AddFault(fynodesim.Fault{Kind: fynodesim.FaultStatus, Status: 403, Body: `{"detail": "PRIVATE REFUSAL OF THE SHOP"}`}))
	require.Contains(t, asJSON(t, h.now().Failure), "PRIVATE REFUSAL OF THE SHOP")
	require.Equal(t, protocol.ResultOK, h.now().Result)
	h.isActive()

	// A pass that is looked at while it reads.
	arrived, release := h.atKros.hold(t, "/catalog-items", 1)
	before := h.status().LastPass.Pass
	h.signal(protocol.SignalNotification, nil)
	h.wait(arrived)
	require.Eventually(t, func() bool {
		return strings.Contains(h.described(protocol.SyncPassID(h.shop), ""), "heartbeat_details")
	}, patience, 50*time.Millisecond)
	require.NotContains(t, h.described(protocol.SyncPassID(h.shop), ""), krosToken)
	release()
	h.eventually(passes(before + 1))

	h.update(protocol.UpdatePause, nil, protocol.PauseRequest{Reason: "PRIVATE REASON", By: "PRIVATE PERSON"})
	require.Contains(t, h.status().Reason.Message, "PRIVATE REASON")
	require.ErrorContains(t, h.tryUpdate(protocol.UpdateSync, nil, protocol.SyncRequest{By: "PRIVATE PERSON"}), "paused")
	h.update(protocol.UpdateResume, nil)
	h.eventually(passes(before + 2))
	var undone protocol.RollbackResult
	h.update(protocol.UpdateRollback, &undone, protocol.RollbackRequest{Pass: approved.Pass, By: "PRIVATE PERSON"})
	require.Nil(t, undone.Failure)
	h.update(protocol.UpdateResume, nil)
	h.eventually(func(s protocol.Status) bool { return s.State == protocol.StateActive || s.State == protocol.StateHeld })
	require.NoError(t, h.execute("sync-now:"+h.shop, protocol.SyncNow, protocol.SyncNowRequest{Shop: h.shop}, nil))
	require.NoError(t, h.execute(protocol.HistoryID(h.shop, "1"), protocol.History, protocol.HistoryRequest{Shop: h.shop}, nil))
}

// No secret travels through Temporal, but names and quantities do. Whoever wants
// none of them readable there gives worker and client his own codec.
func TestUnderACodecEverythingWorksAndNothingOfTheShopIsReadable(t *testing.T) {
	t.Parallel()
	open := private(t, "")
	open.work()
	open.live()
	for _, private := range []string{"NAME", "PRODUCT", "SHOP", "STORE", "TITLE", "REASON", "PERSON", "REFUSAL OF KROS", "REFUSAL OF THE SHOP"} {
		require.Contains(t, open.visible(), "PRIVATE "+private, "without a codec it is readable: this test can fail")
	}

	h := private(t, "")
	codec := newSealed(t)
	outsider := h.client
	h.client = h.dialSealed(codec)
	t.Cleanup(func() { h.client = outsider })
	h.work()
	h.live()
	for _, line := range strings.Split(h.visible(), "\n") {
		if at := strings.Index(line, "PRIVATE"); at >= 0 {
			require.Fail(t, "readable", "%s", line[max(0, at-300):min(len(line), at+100)])
		}
	}
	require.Contains(t, h.visible(), sealedEncoding)

	t.Run("the relay, and any program that only signals, needs no codec", func(t *testing.T) {
		h := h.as(t)
		before := h.status().Notifications.Count
		require.NoError(t, outsider.SignalWorkflow(h.context(), protocol.StockSyncID(h.shop), "", protocol.SignalNotification, nil))
		h.eventually(func(s protocol.Status) bool { return s.Notifications.Count == before+1 })
	})
	t.Run("the command line takes the codec server that its environment names", func(t *testing.T) {
		h := h.as(t)
		server := httptest.NewServer(converter.NewPayloadCodecHTTPHandler(codec))
		defer server.Close()
		skladom := h.commandLine()
		require.Contains(t, skladom("", "status", h.shop), "packed by a codec that this machine does not know")
		with := func(args ...string) string { return skladom(server.URL, args...) }
		require.Contains(t, with("status", h.shop), "PRIVATE TITLE")
		require.Contains(t, with("status"), "PRIVATE TITLE", "the list decodes the memo")
		require.Contains(t, with("explain", h.shop, "PRIVATE-CODE-03"), "PRIVATE NAME 03")
		require.Contains(t, with("unmatched", h.shop, "--json"), "PRIVATE NAME 11")
		require.Contains(t, with("sync", h.shop, "--dry-run", "--json"), "PRIVATE-CODE-03")
		require.Contains(t, with("history", h.shop), "PRIVATE")
		require.Contains(t, with("pause", h.shop, "--reason", "PRIVATE ERRAND"), "PRIVATE ERRAND")
		require.Contains(t, with("sync", h.shop), "paused", "an error is read, too")
		require.NotContains(t, with("resume", h.shop), "codec")
		require.NotContains(t, h.visible(), "PRIVATE")
	})
}

// as is the house for a subtest.
func (h *house) as(t *testing.T) *house {
	outer := h.t
	h.t = t
	t.Cleanup(func() { h.t = outer })
	return h
}

// commandLine builds skladom and returns how to run it: what it printed, where a
// codec server may be named.
func (h *house) commandLine() func(codec string, args ...string) string {
	h.t.Helper()
	program := filepath.Join(h.t.TempDir(), "skladom")
	build := exec.CommandContext(h.context(), "go", "build", "-o", program, "./starter")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	require.NoError(h.t, err, string(out))
	return func(codec string, args ...string) string {
		ctx, cancel := context.WithTimeout(h.context(), patience)
		defer cancel()
		run := exec.CommandContext(ctx, program, append(args, "--config", h.dir)...)
		run.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+temporal.Address(), "TEMPORAL_CONFIG_FILE="+os.DevNull)
		if codec != "" {
			run.Env = append(run.Env, "TEMPORAL_CODEC_ENDPOINT="+codec)
		}
		var printed bytes.Buffer
		run.Stdout, run.Stderr = &printed, &printed
		_ = run.Run() // the status is told in words, too
		return printed.String()
	}
}
