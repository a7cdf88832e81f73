package fynodesim

import (
	"maps"
	"slices"

	"github.com/samber/lo"
	"github.com/shopspring/decimal"
)

// catalog holds the products in the order of their ids, and finds them by what
// they are looked up by.
type catalog struct {
	products map[string]Product
	ids      []string            // sorted
	variants map[string]int      // by the id of their product
	byNumber map[string][]string // ids, by trimmed number
	byEAN    map[string][]string
	written  map[string][]byte // by id: the product as it is sent, without its quantity
}

func newCatalog(products []Product) catalog {
	c := catalog{
		products: map[string]Product{}, variants: map[string]int{},
		byNumber: map[string][]string{}, byEAN: map[string][]string{}, written: map[string][]byte{},
	}
	for _, product := range products {
		c.products[product.ID] = product
	}
	c.ids = slices.Sorted(maps.Keys(c.products))
	for _, product := range c.products {
		c.index(product)
	}
	return c
}

func (c *catalog) index(product Product) {
	c.variants[product.ParentID]++
	c.byNumber[trim(product.Number)] = append(c.byNumber[trim(product.Number)], product.ID)
	c.byEAN[trim(product.EAN)] = append(c.byEAN[trim(product.EAN)], product.ID)
}

func (c *catalog) forget(product Product) {
	c.variants[product.ParentID]--
	without := func(ids []string) []string { return lo.Without(ids, product.ID) }
	c.byNumber[trim(product.Number)] = without(c.byNumber[trim(product.Number)])
	c.byEAN[trim(product.EAN)] = without(c.byEAN[trim(product.EAN)])
	delete(c.written, product.ID)
}

func (c *catalog) len() int { return len(c.ids) }

func (c *catalog) get(id string) (Product, bool) {
	product, ok := c.products[id]
	return product, ok
}

func (c *catalog) hasVariants(id string) bool { return id != "" && c.variants[id] > 0 }

func (c *catalog) put(product Product) {
	old, known := c.products[product.ID]
	if known {
		c.forget(old)
	} else {
		i, _ := slices.BinarySearch(c.ids, product.ID)
		c.ids = slices.Insert(c.ids, i, product.ID)
	}
	c.index(product)
	c.products[product.ID] = product
}

// setQuantity changes nothing that a product is found by.
func (c *catalog) setQuantity(id string, quantity decimal.Decimal) {
	product := c.products[id]
	product.Quantity = quantity
	c.products[id] = product
}

func (c *catalog) remove(id string) bool {
	product, known := c.products[id]
	if !known {
		return false
	}
	c.forget(product)
	delete(c.products, id)
	i, _ := slices.BinarySearch(c.ids, id)
	c.ids = slices.Delete(c.ids, i, i+1)
	return true
}

func (c *catalog) all() []Product {
	return lo.Map(c.ids, func(id string, _ int) Product { return c.products[id] })
}

// after is the page of at most limit products that follows the id cursor.
func (c *catalog) after(cursor string, limit int) (page []Product, more bool) {
	i, found := slices.BinarySearch(c.ids, cursor)
	if found {
		i++
	}
	ids := c.ids[i:]
	more = len(ids) > limit
	return lo.Map(ids[:min(limit, len(ids))], func(id string, _ int) Product { return c.products[id] }), more
}

// find returns the products whose number or EAN is one of values, both trimmed,
// by id.
func (c *catalog) find(by string, values []string) []Product {
	index := c.byNumber
	if by == "ean" {
		index = c.byEAN
	}
	var ids []string
	for _, value := range values {
		if value = trim(value); value != "" { // a product without a number is not looked up by an empty one
			ids = append(ids, index[value]...)
		}
	}
	slices.Sort(ids)
	return lo.Map(slices.Compact(ids), func(id string, _ int) Product { return c.products[id] })
}
