package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
)

// script is what one would write by hand in an hour: one thing after the other,
// everything in memory, no archive, no guard, no memory of what was sold.
func script(t task) func(context.Context) error {
	return func(ctx context.Context) error {
		wanted, err := readKros(ctx, t)
		if err != nil {
			return err
		}
		products, err := lookUp(ctx, t, wanted)
		if err != nil {
			return err
		}
		return writeStock(ctx, t, wanted, products)
	}
}

func readKros(ctx context.Context, t task) (map[string]float64, error) {
	type item struct {
		ItemCode    string `json:"itemCode"`
		Name        string `json:"name"`
		EANCode     string `json:"eanCode"`
		MeasureUnit string `json:"measureUnit"`
		Warehouses  []struct {
			Code           string  `json:"code"`
			QuantityOnHand float64 `json:"quantityOnHand"`
		} `json:"warehouses"`
	}
	wanted := map[string]float64{}
	for page := 0; ; page++ {
		var answer struct {
			Data []item `json:"data"`
		}
		if err := send(ctx, http.MethodGet, t.page(page), nil, into(&answer)); err != nil {
			return nil, err
		}
		for _, item := range answer.Data {
			most := 0.0
			for _, warehouse := range item.Warehouses {
				most = max(most, warehouse.QuantityOnHand)
			}
			wanted[item.ItemCode] = math.Floor(most)
		}
		if len(answer.Data) < pageSize {
			return wanted, nil
		}
	}
}

type product struct {
	ID       string  `json:"id"`
	Number   string  `json:"number"`
	EAN      string  `json:"ean"`
	Name     string  `json:"name"`
	Quantity float64 `json:"quantity"`
}

func lookUp(ctx context.Context, t task, wanted map[string]float64) ([]product, error) {
	var all []product
	var values []string
	ask := func() error {
		body, err := json.Marshal(map[string]any{"by": "number", "values": values})
		if err != nil {
			return err
		}
		var answer struct {
			Products []product `json:"products"`
		}
		if err := send(ctx, http.MethodPost, t.fynode("products/lookup"), body, into(&answer)); err != nil {
			return err
		}
		all, values = append(all, answer.Products...), nil
		return nil
	}
	for code := range wanted {
		if values = append(values, code); len(values) == batchSize {
			if err := ask(); err != nil {
				return nil, err
			}
		}
	}
	if len(values) == 0 {
		return all, nil
	}
	return all, ask()
}

func writeStock(ctx context.Context, t task, wanted map[string]float64, products []product) error {
	type change struct {
		ID       string  `json:"id"`
		Quantity float64 `json:"quantity"`
		Expected float64 `json:"expected"`
	}
	var changes []change
	write := func() error {
		body, err := json.Marshal(map[string]any{"items": changes})
		if err != nil {
			return err
		}
		var answer struct {
			Results []struct {
				ID     string `json:"id"`
				Status string `json:"status"`
			} `json:"results"`
		}
		if err := send(ctx, http.MethodPatch, t.fynode("products/stock"), body, into(&answer)); err != nil {
			return err
		}
		for _, result := range answer.Results {
			if result.Status != "updated" {
				return fmt.Errorf("product %s: %s", result.ID, result.Status)
			}
		}
		changes = nil
		return nil
	}
	for _, p := range products {
		if quantity, ok := wanted[p.Number]; ok && quantity != p.Quantity {
			changes = append(changes, change{p.ID, quantity, p.Quantity})
		}
		if len(changes) == batchSize {
			if err := write(); err != nil {
				return err
			}
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return write()
}

// into reads an answer whole and decodes it.
func into(v any) func(io.Reader) error {
	return func(body io.Reader) error {
		text, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, v)
	}
}
