package fynodesim

import (
	"maps"
	"slices"

	"github.com/samber/lo"
)

// catalog holds the products in the order of their ids.
type catalog struct {
	products map[string]Product
	ids      []string       // sorted
	variants map[string]int // by the id of their product
}

func newCatalog(products []Product) catalog {
	c := catalog{products: map[string]Product{}, variants: map[string]int{}}
	for _, product := range products {
		c.products[product.ID] = product
	}
	c.ids = slices.Sorted(maps.Keys(c.products))
	for _, product := range c.products {
		c.variants[product.ParentID]++
	}
	return c
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
		c.variants[old.ParentID]--
	} else {
		i, _ := slices.BinarySearch(c.ids, product.ID)
		c.ids = slices.Insert(c.ids, i, product.ID)
	}
	c.variants[product.ParentID]++
	c.products[product.ID] = product
}

func (c *catalog) remove(id string) bool {
	product, known := c.products[id]
	if !known {
		return false
	}
	c.variants[product.ParentID]--
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

// find returns the products whose number or EAN is one of values, both trimmed.
func (c *catalog) find(by string, values []string) []Product {
	wanted := lo.SliceToMap(values, func(value string) (string, bool) { return trim(value), true })
	delete(wanted, "") // a product without a number is not looked up by an empty one
	return lo.Filter(c.all(), func(p Product, _ int) bool {
		if by == "ean" {
			return wanted[trim(p.EAN)]
		}
		return wanted[trim(p.Number)]
	})
}
