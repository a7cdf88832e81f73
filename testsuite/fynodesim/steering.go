package fynodesim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// State is what a simulated shop holds and what was asked of it.
type State struct {
	Shop      Identity         `json:"shop"`
	Products  []Product        `json:"products"` // by id
	Rejected  []string         `json:"rejected,omitempty"`
	Writes    int              `json:"writes"`    // quantities that were changed through the API
	LastWrite map[string]Write `json:"lastWrite"` // by product
	Requests  map[string]int   `json:"requests"`  // by path: "shop", "products/lookup" ...
	Faults    []Fault          `json:"faults"`    // those that still wait
}

// Identity is who the shop says it is.
type Identity struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Write is a quantity that was changed through the API.
type Write struct {
	ID   string          `json:"id"`
	From decimal.Decimal `json:"from"`
	To   decimal.Decimal `json:"to"`
	At   time.Time       `json:"at"`
}

// MarshalJSON writes the quantities as JSON numbers.
func (w Write) MarshalJSON() ([]byte, error) {
	type plain Write
	return json.Marshal(struct {
		plain
		From json.Number `json:"from"`
		To   json.Number `json:"to"`
	}{plain(w), number(w.From), number(w.To)})
}

// State returns a copy of what the server holds.
func (s *Server) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return State{
		Shop:      s.shop,
		Products:  s.catalog.all(),
		Rejected:  slices.Sorted(maps.Keys(s.rejected)),
		Writes:    len(s.writes),
		LastWrite: lo.SliceToMap(s.writes, func(w Write) (string, Write) { return w.ID, w }),
		Requests:  maps.Clone(s.requests),
		Faults:    lo.Map(s.faults, func(f *Fault, _ int) Fault { return *f }),
	}
}

// Products returns all products, by id.
func (s *Server) Products() []Product {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalog.all()
}

// Product returns the product with this id.
func (s *Server) Product(id string) (Product, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalog.get(id)
}

// Writes returns every change of a quantity through the API, oldest first.
func (s *Server) Writes() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

// Requests returns how often a path was asked for, such as "products/stock".
func (s *Server) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

// SetProducts replaces all products.
func (s *Server) SetProducts(products []Product) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catalog = newCatalog(products)
}

// PutProduct adds a product, or replaces the one with its id.
func (s *Server) PutProduct(product Product) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catalog.put(product)
}

// RemoveProduct removes a product and tells whether there was one.
func (s *Server) RemoveProduct(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalog.remove(id)
}

// SetQuantity changes a product's quantity as a sale or a person would: it is
// no write.
func (s *Server) SetQuantity(id string, quantity decimal.Decimal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.catalog.get(id); !ok {
		return fmt.Errorf("set the quantity of product %q: the shop has no such product", id)
	}
	s.catalog.setQuantity(id, quantity)
	return nil
}

// Sell lowers a product's quantity by up to so many pieces, as an order does,
// and returns how many there were to sell. Unlike SetQuantity it cannot undo a
// write that comes at the same time.
func (s *Server) Sell(id string, pieces decimal.Decimal) (sold decimal.Decimal, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	product, ok := s.catalog.get(id)
	if !ok {
		return decimal.Zero, fmt.Errorf("sell product %q: the shop has no such product", id)
	}
	sold = decimal.Max(decimal.Zero, decimal.Min(pieces, product.Quantity))
	product.Quantity = product.Quantity.Sub(sold)
	s.catalog.put(product)
	return sold, nil
}

// SetRejected replaces the ids of the products whose every change is rejected.
func (s *Server) SetRejected(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = lo.SliceToMap(ids, func(id string) (string, bool) { return id, true })
}

// SetShop makes the shop say that it is another one.
func (s *Server) SetShop(id, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shop = Identity{id, name}
}

// SetToken resets the token: from now on only this one is accepted.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

func (s *Server) getState(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.State()) }

// putProduct changes what the body names and leaves the rest; an unknown id
// becomes a new product.
func (s *Server) putProduct(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	product, _ := s.catalog.get(r.PathValue("id"))
	if err := json.NewDecoder(r.Body).Decode(&product); err != nil {
		http.Error(w, "read the product: "+err.Error(), http.StatusBadRequest)
		return
	}
	product.ID = r.PathValue("id")
	s.catalog.put(product)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) deleteProduct(w http.ResponseWriter, r *http.Request) {
	if !s.RemoveProduct(r.PathValue("id")) {
		http.Error(w, "the shop has no such product", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) putShop(w http.ResponseWriter, r *http.Request) {
	var shop Identity
	if err := json.NewDecoder(r.Body).Decode(&shop); err != nil {
		http.Error(w, "read the shop: "+err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shop = Identity{cmp.Or(shop.ID, s.shop.ID), cmp.Or(shop.Name, s.shop.Name)}
	w.WriteHeader(http.StatusNoContent)
}
