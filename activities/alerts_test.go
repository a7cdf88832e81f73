package activities

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/samber/lo"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/skladom/skladom/alert"
	"github.com/skladom/skladom/config"
	"github.com/skladom/skladom/protocol"
)

// What must be in nothing that goes through Temporal.
const hookToken, mailAddress = "hook-token-3d5a", "jana@acme.example"

// office is where alerts come from and go to: files, a program and a mail server.
type office struct {
	t    *testing.T
	dir  string
	acts *Activities
	env  map[string]string
	logs strings.Builder
}

func newOffice(t *testing.T, files map[string]string) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), env: map[string]string{}}
	for name, text := range files {
		o.write(name, text)
	}
	environment := config.OS()
	environment.Getenv = func(name string) (string, bool) { value, ok := o.env[name]; return value, ok }
	shops, err := config.Open(o.dir, environment)
	require.NoError(t, err)
	require.Empty(t, shops.Diagnostics())
	o.acts = New(Options{Shops: shops, Logger: hclog.New(&hclog.LoggerOptions{Output: &o.logs}), Now: time.Now})
	return o
}

func (o *office) write(name, text string) {
	o.t.Helper()
	require.NoError(o.t, os.WriteFile(filepath.Join(o.dir, name+".hcl"), []byte(text), 0o600))
}

func shopFile(name, lines string) string {
	return fmt.Sprintf(`shop %q {
		kros { api_key = "k" }
		fynode {
			url     = "https://%s.example.com"
			api_key = "k"
		}
		%s
	}`, name, name, lines)
}

const mailFile = "mail {\n host = \"127.0.0.1\"\n from = \"Skladom <skladom@example.com>\"\n port = %d\n}\n"

// run runs an activity, and looks for addresses in whatever comes out.
func (o *office) run(run func(context.Context) error, details ...any) error {
	o.t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivityWithOptions(run, activity.RegisterOptions{Name: "run"})
	if len(details) > 0 {
		env.SetHeartbeatDetails(details[0])
	}
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var beat json.RawMessage
		if err := details.Get(&beat); err != nil {
			o.t.Error(err)
		}
		o.keeps(string(beat))
	})
	_, err := env.ExecuteActivity("run")
	if err != nil {
		o.keeps(temporal.GetDefaultFailureConverter().ErrorToFailure(err).String())
	}
	o.keeps(o.logs.String())
	return err
}

func (o *office) keeps(text string) {
	o.t.Helper()
	for _, secret := range []string{hookToken, mailAddress, "127.0.0.1"} {
		if strings.Contains(text, secret) {
			o.t.Errorf("%q is in %s", secret, text)
		}
	}
}

// desk takes the signals.
type desk struct {
	fail    map[string]error // by workflow id
	signals map[string][]protocol.Alert
	options []client.StartWorkflowOptions
	starts  []protocol.AlertsState
}

func (d *desk) SignalWithStartWorkflow(_ context.Context, id, signal string, arg any, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	if err := d.fail[id]; err != nil {
		return nil, err
	}
	if signal != protocol.SignalAlert || workflow != protocol.Alerts {
		return nil, fmt.Errorf("%s to %v", signal, workflow)
	}
	if d.signals == nil {
		d.signals = map[string][]protocol.Alert{}
	}
	d.signals[id] = append(d.signals[id], arg.(protocol.Alert))
	d.options = append(d.options, options)
	d.starts = append(d.starts, args[0].(protocol.AlertsState))
	return nil, nil
}

func raised(shop string) protocol.Alert {
	return protocol.Alert{Shop: shop, Title: shop, Kind: protocol.AlertSuspended, Code: protocol.KrosKeyInvalid, Message: "KROS does not accept the API key."}
}

func (o *office) raise(d *desk, shop string, details ...any) error {
	o.t.Helper()
	return o.run(func(ctx context.Context) error { return o.acts.raise(ctx, d, raised(shop)) }, details...)
}

func alertsID(destination string) string {
	return protocol.AlertsID(destination, protocol.AlertSuspended, protocol.KrosKeyInvalid)
}

func TestAnAlertGoesToEachDestinationOfItsShop(t *testing.T) {
	hook := "https://alerts.example.com/" + hookToken
	o := newOffice(t, map[string]string{
		"skladom": fmt.Sprintf(mailFile, 25) + fmt.Sprintf("alert { email = [%q] }", mailAddress),
		"default": shopFile("default", ""),
		"own":     shopFile("own", fmt.Sprintf("alert {\n url = %q\n email = [%q, \"petr@acme.example\"]\n}", hook, mailAddress)),
		"nobody":  shopFile("nobody", "alert {}"),
	})
	jana, petr, program := alertsID(destinationID("email", mailAddress)), alertsID(destinationID("email", "petr@acme.example")), alertsID(destinationID("url", hook))
	tests := []struct {
		rule, shop string
		want       []string
	}{
		{"its own, each once", "own", []string{jana, petr, program}},
		{"else those of the installation", "default", []string{jana}},
		{"nobody, where the shop says so", "nobody", nil},
		{"a shop whose file is gone: those of the installation", "gone", []string{jana}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			d := &desk{}
			require.NoError(t, o.raise(d, test.shop))
			require.ElementsMatch(t, test.want, lo.Keys(d.signals))
			for i, id := range lo.Map(d.options, func(o client.StartWorkflowOptions, _ int) string { return o.ID }) {
				require.Equal(t, []protocol.Alert{raised(test.shop)}, d.signals[id])
				require.Equal(t, id, alertsID(d.starts[i].Destination))
				require.NotEmpty(t, d.options[i].TaskQueue)
				o.keeps(id)
			}
		})
	}
}

func TestAThousandShopsOfOneDestinationHaveOneCollector(t *testing.T) {
	o := newOffice(t, map[string]string{"skladom": fmt.Sprintf(mailFile, 25) + fmt.Sprintf("alert { email = [%q] }", mailAddress)})
	d := &desk{}
	require.NoError(t, o.run(func(ctx context.Context) error {
		for i := range 1000 {
			if err := o.acts.raise(ctx, d, raised(fmt.Sprintf("shop-%d", i))); err != nil {
				return err
			}
		}
		return nil
	}))
	require.Len(t, d.signals, 1)
}

func TestARepeatSignalsNobodyTwiceAndOneFailureStopsNoOther(t *testing.T) {
	o := newOffice(t, map[string]string{
		"skladom": fmt.Sprintf(mailFile, 25),
		"own":     shopFile("own", fmt.Sprintf("alert { email = [%q, \"petr@acme.example\", \"eva@acme.example\"] }", mailAddress)),
	})
	ids := lo.Map([]string{mailAddress, "petr@acme.example", "eva@acme.example"}, func(a string, _ int) string { return destinationID("email", a) })
	d := &desk{fail: map[string]error{alertsID(ids[1]): errors.New("Temporal is away")}}
	require.ErrorContains(t, o.raise(d, "own"), "Temporal is away")
	require.ElementsMatch(t, []string{alertsID(ids[0]), alertsID(ids[2])}, lo.Keys(d.signals))

	again := &desk{}
	require.NoError(t, o.raise(again, "own", []string{ids[0], ids[2]}))
	require.Equal(t, []string{alertsID(ids[1])}, lo.Keys(again.signals))
}

func TestAnAddressThatCannotBeLookedUpStopsNoOther(t *testing.T) {
	o := newOffice(t, map[string]string{
		"skladom": fmt.Sprintf(mailFile, 25),
		"own":     shopFile("own", fmt.Sprintf("alert {\n url = env(\"HOOK\")\n email = [%q]\n}", mailAddress)),
	})
	d := &desk{}
	require.NoError(t, o.raise(d, "own"))
	require.Len(t, d.signals, 1)
	require.Contains(t, o.logs.String(), "HOOK")
}

func outage(destination string, shops ...string) protocol.AlertMessage {
	return protocol.AlertMessage{
		Destination: destination, Kind: protocol.AlertSuspended, Code: protocol.KrosKeyInvalid, State: protocol.StateSuspended,
		Message: "KROS does not accept the API key.", Hint: "Generate a new one.", Count: len(shops) + 2, At: time.Unix(1772445600, 0).UTC(),
		Shops: lo.Map(shops, func(shop string, _ int) protocol.AlertedShop {
			return protocol.AlertedShop{Shop: shop, Title: "Title of " + shop, Since: time.Unix(1772445600, 0).UTC()}
		}),
	}
}

// hook is a program that takes alerts.
type hook struct {
	*httptest.Server
	lock     sync.Mutex
	status   int
	messages []alert.Message
	keys     []string
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m alert.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		h.lock.Lock()
		defer h.lock.Unlock()
		h.messages, h.keys = append(h.messages, m), append(h.keys, r.Header.Get("Idempotency-Key"))
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(h.status)
	}))
	t.Cleanup(h.Close)
	return h
}

func TestAMessageIsPostedWithEverythingAtEveryShop(t *testing.T) {
	h := newHook(t)
	address := h.URL + "/" + hookToken
	toHook := fmt.Sprintf("alert { url = %q }", address)
	o := newOffice(t, map[string]string{"a": shopFile("a", toHook), "b": shopFile("b", toHook), "moved": shopFile("moved", "alert {}")})
	m := outage(destinationID("url", address), "a", "b", "moved")
	m.Shops[1].Message = "Another sentence."
	for range 2 {
		require.NoError(t, o.run(func(ctx context.Context) error { return o.acts.DeliverAlerts(ctx, m) }))
	}
	got := h.messages[0]
	require.Equal(t, alert.Message{
		Version: 1, Kind: "suspended", Code: "kros_key_invalid", State: "suspended", Message: m.Message, Hint: m.Hint, Count: 4, At: m.At,
		Shops: []alert.Shop{
			{Shop: "a", Title: "Title of a", Message: m.Message, Hint: m.Hint, Since: m.At},
			{Shop: "b", Title: "Title of b", Message: "Another sentence.", Hint: m.Hint, Since: m.At},
		},
	}, got, "a shop that is told of elsewhere by now is left out")
	require.Equal(t, h.keys[0], h.keys[1], "a repeat has the same key")
	m.Count++
	require.NoError(t, o.run(func(ctx context.Context) error { return o.acts.DeliverAlerts(ctx, m) }))
	require.NotEqual(t, h.keys[0], h.keys[2])
}

func TestAnAlertThatIsNotTakenIsTriedAgainWhenAskedFor(t *testing.T) {
	h := newHook(t)
	h.status = http.StatusTooManyRequests
	address := h.URL + "/" + hookToken
	o := newOffice(t, map[string]string{"a": shopFile("a", fmt.Sprintf("alert { url = %q }", address))})
	err := o.run(func(ctx context.Context) error {
		return o.acts.DeliverAlerts(ctx, outage(destinationID("url", address), "a"))
	})
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
	require.Equal(t, 2*time.Minute, app.NextRetryDelay())
	require.Contains(t, app.Message(), "429")
}

func TestADestinationThatNobodyHasAnyMoreIsGivenUp(t *testing.T) {
	o := newOffice(t, map[string]string{"a": shopFile("a", "alert {}")})
	err := o.run(func(ctx context.Context) error { return o.acts.DeliverAlerts(ctx, outage("0123456789abcdef", "a")) })
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.True(t, app.NonRetryable())
	require.Equal(t, ErrorNoDestination, app.Type())
}

func TestAMailIsHandedToTheServerOfTheInstallation(t *testing.T) {
	port, letters := listenForMail(t)
	o := newOffice(t, map[string]string{
		"skladom": fmt.Sprintf(mailFile, port), "a": shopFile("a", fmt.Sprintf("alert { email = [%q] }", mailAddress)),
	})
	require.NoError(t, o.run(func(ctx context.Context) error {
		return o.acts.DeliverAlerts(ctx, outage(destinationID("email", mailAddress), "a"))
	}))
	letter := <-letters
	for _, line := range []string{"RCPT TO:<" + mailAddress + ">", "Subject: Skladom: 3 shops: stopped, somebody has to act", "- Title of a (a), since 2 Mar 2026 10:00 UTC"} {
		require.Contains(t, letter, line)
	}
}

// listenForMail takes one mail, in the clear as on this machine.
func listenForMail(t *testing.T) (port int, letters <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	taken := make(chan string, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = connection.Close() }()
		var text strings.Builder
		in := bufio.NewScanner(connection)
		answer := "220 test"
		for inData := false; ; {
			if answer != "" {
				_, _ = io.WriteString(connection, answer+"\r\n")
			}
			if !in.Scan() {
				break
			}
			text.WriteString(in.Text() + "\n")
			answer = "250 ok"
			switch {
			case inData && in.Text() != ".":
				answer = ""
			case inData:
				inData = false
			case in.Text() == "DATA":
				inData, answer = true, "354 go on"
			}
		}
		taken <- text.String()
	}()
	return listener.Addr().(*net.TCPAddr).Port, taken
}
