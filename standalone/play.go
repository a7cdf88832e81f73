package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/shopspring/decimal"
	"go.temporal.io/sdk/client"

	"github.com/skladom/skladom/protocol"
	"github.com/skladom/skladom/starter/render"
	"github.com/skladom/skladom/testsuite/catalogue"
)

// play shows the demo, act by act. An error says what differed from what it
// should be.
func (s *stage) play(ctx context.Context, c client.Client, stdout io.Writer) error {
	fmt.Fprint(stdout, "\n1. The merchant clicks Activate: both systems are tried, nothing is written yet.\n\n")
	activation, err := activate(ctx, c)
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, render.Findings(demoShop, *activation.Findings))

	fmt.Fprint(stdout, "\n2. He pastes two values into KROS.\n\n")
	fmt.Fprint(stdout, render.Webhook(s.webhook, s.key))

	fmt.Fprint(stdout, "\n3. The first pass.\n\n")
	first, err := firstPass(ctx, c, activation.ID)
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, render.Report(first, time.Local))
	if err := s.check(first); err != nil {
		return err
	}
	return s.follow(ctx, stdout)
}

func activate(ctx context.Context, c client.Client) (protocol.Activation, error) {
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: protocol.ActivateID(demoShop), TaskQueue: "skladom",
	}, protocol.ActivateConnection, protocol.ActivateRequest{Shop: demoShop})
	if err != nil {
		return protocol.Activation{}, fmt.Errorf("activate: %w", err)
	}
	var activation protocol.Activation
	if err := run.Get(ctx, &activation); err != nil {
		return protocol.Activation{}, fmt.Errorf("activate: %w", err)
	}
	if activation.Failure != nil {
		return protocol.Activation{}, fmt.Errorf("activate: %s", activation.Failure.Message)
	}
	return activation, nil
}

func firstPass(ctx context.Context, c client.Client, activation string) (protocol.Report, error) {
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: protocol.StockSyncID(demoShop), UpdateName: protocol.UpdateSync,
		Args: []any{protocol.SyncRequest{Activation: activation}}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return protocol.Report{}, fmt.Errorf("wait for the first pass: %w", err)
	}
	var report protocol.Report
	if err := handle.Get(ctx, &report); err != nil {
		return protocol.Report{}, fmt.Errorf("wait for the first pass: %w", err)
	}
	return report, nil
}

// check compares the shop with an independent reading of the rules.
func (s *stage) check(first protocol.Report) error {
	if first.Result != protocol.ResultOK {
		return fmt.Errorf("the first pass ended %s", first.Result)
	}
	for _, p := range s.fynode.Products() {
		if want := s.expected[p.ID]; p.Quantity.String() != want {
			return fmt.Errorf("product %s has %s in the e-shop and should have %s", p.ID, p.Quantity, want)
		}
	}
	return nil
}

// quiet is a little more than the second for which KROS counts requests.
const quiet = 1200 * time.Millisecond

// follow changes stock in KROS and waits until the shop shows it.
func (s *stage) follow(ctx context.Context, stdout io.Writer) error {
	product, from, err := s.productOf(demoItem)
	if err != nil {
		return err
	}
	to := from.Add(decimal.NewFromInt(25))
	// A delivery comes at any time, not within the second in which the first
	// pass used up what KROS grants.
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(quiet):
	}
	fmt.Fprintf(stdout, "\n4. Somebody books a delivery in KROS: %s goes from %s to %s. KROS notifies.\n\n", demoItem, from, to)
	begin := time.Now()
	if err := s.book(ctx, demoItem, to); err != nil {
		return err
	}
	for {
		if p, ok := s.fynode.Product(product); ok && p.Quantity.Equal(to) {
			fmt.Fprintf(stdout, "   The e-shop shows %s after %d ms.\n", to, time.Since(begin).Milliseconds())
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the e-shop never showed %s for product %s: %w", to, product, context.Cause(ctx))
		case <-time.After(time.Millisecond):
		}
	}
}

// productOf finds the product that the demo watches.
func (s *stage) productOf(code string) (id string, quantity decimal.Decimal, err error) {
	var items []struct {
		Code string `json:"itemCode"`
		EAN  string `json:"eanCode"`
	}
	if err := json.Unmarshal(catalogue.Kros(), &items); err != nil {
		return "", decimal.Zero, err
	}
	for _, item := range items {
		if item.Code != code {
			continue
		}
		for _, p := range s.fynode.Products() {
			if p.EAN == item.EAN {
				return p.ID, p.Quantity, nil
			}
		}
	}
	return "", decimal.Zero, fmt.Errorf("the demo's catalogue has no product for item %q", code)
}

// book changes stock in KROS as a person would: through the simulator's door.
func (s *stage) book(ctx context.Context, code string, quantity decimal.Decimal) error {
	body := fmt.Sprintf(`{"warehouses":[{"code":"LT","quantityOnHand":%s}]}`, quantity)
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, s.krosURL+"/_sim/items/"+url.PathEscape(code), bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("change the stock of %q in KROS: %w", code, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("change the stock of %q in KROS: %s", code, response.Status)
	}
	return nil
}
