package catalogue

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"slices"
)

// The files are what Generate(1, 308) makes; TestTheFilesAreWhatIsGenerated
// writes them anew with -update.
const (
	fileSeed = 1
	fileRows = 308
)

//go:embed kros.json
var kros []byte

//go:embed shop.json
var shop []byte

// Kros is the realistic catalogue: a JSON list of items as KROS sends them.
func Kros() []byte { return slices.Clone(kros) }

// Shop is the e-shop that belongs to Kros: a JSON list of its products.
func Shop() []byte { return slices.Clone(shop) }

// Generate makes a catalogue of exactly n rows and the shop that belongs to it.
// From 100 rows on each of the cases of life is in it, again every 100 rows or
// so. The shop is about up to date with the larger warehouse: a first pass by
// max changes every seventh product, by sum two thirds, and none takes so many
// to 0 that a guard would hold it.
func Generate(seed uint64, n int) (krosJSON, shopJSON []byte) {
	g := newGenerator(seed, n)
	for turn := 0; len(g.items) < n; turn++ {
		makeCase := cases[turn%turns]
		if makeCase == nil {
			makeCase = (*generator).ordinary
		}
		makeCase(g)
	}
	g.random.Shuffle(len(g.items), func(i, j int) { g.items[i], g.items[j] = g.items[j], g.items[i] })
	g.random.Shuffle(len(g.products), func(i, j int) { g.products[i], g.products[j] = g.products[j], g.products[i] })
	return list(g.items), list(g.products)
}

// item is a row of KROS's catalogue. Warehouses nil is a row without the field.
type item struct {
	ItemCode    string      `json:"itemCode"`
	Name        string      `json:"name"`
	EANCode     string      `json:"eanCode,omitempty"`
	MeasureUnit string      `json:"measureUnit,omitempty"`
	Warehouses  []warehouse `json:"warehouses,omitzero"`
}

type warehouse struct {
	Code           string      `json:"code"`
	QuantityOnHand json.Number `json:"quantityOnHand"`
}

type product struct {
	ID       string      `json:"id"`
	Number   string      `json:"number,omitempty"`
	EAN      string      `json:"ean,omitempty"`
	Name     string      `json:"name"`
	Quantity json.Number `json:"quantity"`
	Tracked  *bool       `json:"tracked,omitempty"`
	ParentID string      `json:"parentId,omitempty"`
}

// list writes one entry a line, so that people can read and change the files.
func list[T any](entries []T) []byte {
	var out bytes.Buffer
	out.WriteString("[")
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	separator := "\n"
	for _, entry := range entries {
		out.WriteString(separator)
		if err := encoder.Encode(entry); err != nil {
			panic(err) // strings and numbers of our own
		}
		out.Truncate(out.Len() - 1)
		separator = ",\n"
	}
	out.WriteString("\n]\n")
	return out.Bytes()
}
