package fynodesim

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// The resources of the API, as faults and counts of requests name them.
const (
	pathShop     = "shop"
	pathProducts = "products"
	pathLookup   = "products/lookup"
	pathStock    = "products/stock"
)

// What the contract sets as limits.
const (
	maxItems       = 500
	maxValue       = 64 // characters of a value that is looked up
	maxKey         = 128
	maxDecimals    = 4
	defaultPage    = 100
	maxBody        = 4 << 20
	maxIdempotency = 1000 // answers that are remembered
)

// The answers to one item.
const (
	updated   = "updated"
	unchanged = "unchanged"
	conflict  = "conflict"
	rejected  = "rejected"
)

func (s *Server) getShop(w http.ResponseWriter, _ *http.Request, _ []byte) {
	writeJSON(w, map[string]any{"id": s.shop.ID, "name": s.shop.Name, "products": s.catalog.len()})
}

func (s *Server) listProducts(w http.ResponseWriter, r *http.Request, _ []byte) {
	limit := defaultPage
	if text := r.URL.Query().Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxItems {
			problem(w, http.StatusBadRequest, fmt.Sprintf("limit %q is not between 1 and %d", text, maxItems))
			return
		}
	}
	page, more := s.catalog.after(r.URL.Query().Get("cursor"), limit)
	next := ""
	if more {
		next = page[len(page)-1].ID
	}
	s.writeProducts(w, page, next)
}

func (s *Server) lookupProducts(w http.ResponseWriter, _ *http.Request, body []byte) {
	var question struct {
		By     string   `json:"by"`
		Values []string `json:"values"`
	}
	if err := json.Unmarshal(body, &question); err != nil {
		problem(w, http.StatusBadRequest, "the body cannot be read: "+err.Error())
		return
	}
	long, tooLong := lo.Find(question.Values, func(v string) bool { return utf8.RuneCountInString(v) > maxValue })
	switch {
	case question.By != "number" && question.By != "ean":
		problem(w, http.StatusUnprocessableEntity, fmt.Sprintf("by %q is neither number nor ean", question.By))
	case len(question.Values) == 0:
		problem(w, http.StatusUnprocessableEntity, "values are missing")
	case len(question.Values) > maxItems:
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("%d values, at most %d", len(question.Values), maxItems))
	case tooLong:
		problem(w, http.StatusUnprocessableEntity, fmt.Sprintf("value %q is longer than %d characters", long, maxValue))
	default:
		s.writeProducts(w, s.catalog.find(question.By, question.Values), "")
	}
}

type stockItem struct {
	ID       *string         `json:"id"`
	Quantity json.RawMessage `json:"quantity"`
	Expected json.RawMessage `json:"expected"`
}

type stockResult struct {
	ID       string          `json:"id"`
	Status   string          `json:"status"`
	Quantity json.RawMessage `json:"quantity,omitempty"`
	Reason   string          `json:"reason,omitempty"`
}

func (s *Server) setStock(w http.ResponseWriter, r *http.Request, body []byte) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > maxKey {
		problem(w, http.StatusBadRequest, fmt.Sprintf("the header Idempotency-Key is missing or longer than %d characters", maxKey))
		return
	}
	if before, ok := s.answers.get(key); ok && !s.options.ForgetsKeys {
		if before.request != sha256.Sum256(body) {
			problem(w, http.StatusUnprocessableEntity, "this Idempotency-Key belongs to another request")
			return
		}
		writeWritten(w, before.answer)
		return
	}
	items, status, err := readItems(body)
	if err != nil {
		problem(w, status, err.Error())
		return
	}
	answer := lo.Must(json.Marshal(map[string]any{"results": lo.Map(items, func(item stockItem, _ int) stockResult { return s.set(item) })}))
	s.answers.put(key, remembered{request: sha256.Sum256(body), answer: answer})
	writeWritten(w, answer)
}

// readItems reads a batch. What makes the request malformed refuses the whole
// batch, with the status returned; what is wrong with a value is the item's
// own matter.
func readItems(body []byte) ([]stockItem, int, error) {
	var question struct {
		Items []stockItem `json:"items"`
	}
	if err := json.Unmarshal(body, &question); err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("the body cannot be read: %w", err)
	}
	if len(question.Items) == 0 {
		return nil, http.StatusUnprocessableEntity, errors.New("items are missing")
	}
	if len(question.Items) > maxItems {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("%d items, at most %d", len(question.Items), maxItems)
	}
	for i, item := range question.Items {
		if item.ID == nil || !isNumber(item.Quantity) || item.Expected != nil && !isNumber(item.Expected) {
			return nil, http.StatusUnprocessableEntity, fmt.Errorf("item %d: id is to be a string, quantity and expected are to be numbers", i)
		}
	}
	return question.Items, 0, nil
}

func isNumber(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// set carries out one item of a batch.
func (s *Server) set(item stockItem) stockResult {
	id := *item.ID
	product, ok := s.catalog.get(id)
	if !ok {
		return stockResult{ID: id, Status: rejected, Reason: "there is no such product"}
	}
	result := func(status, reason string) stockResult {
		now, _ := s.catalog.get(id)
		r := stockResult{ID: id, Status: status, Reason: reason}
		if !s.options.HidesQuantity {
			r.Quantity = s.shownQuantity(now.Quantity)
		}
		return r
	}
	wanted, reason := s.wanted(product, item)
	if reason != "" {
		return result(rejected, reason)
	}
	if item.Expected != nil && !decimal.RequireFromString(string(item.Expected)).Equal(product.Quantity) {
		return result(conflict, "the shop has another quantity than expected")
	}
	if wanted.Equal(product.Quantity) {
		return result(unchanged, "")
	}
	s.writes = append(s.writes, Write{ID: id, From: product.Quantity, To: wanted, At: s.options.Now()})
	s.catalog.setQuantity(id, wanted)
	return result(updated, "")
}

// wanted is the quantity that an item asks for, or the reason why the shop
// refuses it.
func (s *Server) wanted(product Product, item stockItem) (decimal.Decimal, string) {
	quantity, err := decimal.NewFromString(string(item.Quantity))
	switch {
	case err != nil:
		return quantity, "the quantity is not a number"
	case s.rejected[product.ID]:
		return quantity, "the shop does not accept changes of this product"
	case product.Tracked != nil && !*product.Tracked:
		return quantity, "the shop keeps no stock for this product"
	case s.catalog.hasVariants(product.ID):
		return quantity, "the product has variants and no stock of its own"
	case quantity.IsNegative():
		return quantity, "the quantity is below 0"
	case !quantity.Truncate(maxDecimals).Equal(quantity):
		return quantity, fmt.Sprintf("the quantity has more than %d decimals", maxDecimals)
	}
	return quantity, ""
}

// writeProducts answers with products; next is the cursor behind them, "" for
// none.
func (s *Server) writeProducts(w http.ResponseWriter, products []Product, next string) {
	answer := []byte(`{`)
	if next != "" {
		answer = append(answer, `"next":`...)
		answer = append(answer, lo.Must(json.Marshal(next))...)
		answer = append(answer, ',')
	}
	answer = append(answer, `"products":[`...)
	for i, p := range products {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = s.appendProduct(answer, p)
	}
	writeWritten(w, append(answer, `]}`...))
}

// appendProduct writes a product. What is not its quantity is kept as it was
// written last: encoding is most of what a large shop costs the simulator.
func (s *Server) appendProduct(to []byte, p Product) []byte {
	written := s.catalog.written[p.ID]
	if written == nil {
		type plain Product
		written = lo.Must(json.Marshal(struct {
			plain
			Quantity *bool `json:"quantity,omitempty"`
		}{plain: plain(p)}))
		s.catalog.written[p.ID] = written
	}
	to = append(to, written[:len(written)-1]...)
	to = append(to, `,"quantity":`...)
	return append(append(to, s.shownQuantity(p.Quantity)...), '}')
}

func (s *Server) shownQuantity(quantity decimal.Decimal) json.RawMessage {
	if s.options.NumbersAsStrings {
		return json.RawMessage(`"` + quantity.String() + `"`)
	}
	return json.RawMessage(quantity.String())
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", maxBody))
		return nil, false
	}
	return body, err == nil
}

// remembered is a request that was carried out, and its answer.
type remembered struct {
	request [sha256.Size]byte
	answer  []byte
}

// memory keeps the answers to the last maxIdempotency keys.
type memory struct {
	answers map[string]remembered
	keys    []string
}

func (m *memory) get(key string) (remembered, bool) {
	answer, ok := m.answers[key]
	return answer, ok
}

func (m *memory) put(key string, answer remembered) {
	if _, known := m.answers[key]; !known {
		m.keys = append(m.keys, key)
	}
	m.answers[key] = answer
	if len(m.keys) > maxIdempotency {
		delete(m.answers, m.keys[0])
		m.keys = m.keys[1:]
	}
}

func trim(s string) string { return strings.TrimSpace(s) }
