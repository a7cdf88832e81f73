package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/samber/lo"
	"github.com/shopspring/decimal"

	"github.com/skladom/skladom/stock"
)

// Bounds of a file of items. Of a file that is wrong all over, the first
// mistakes are enough.
const (
	maxItemsBytes    = 8 << 20
	maxItemsRows     = 200_000
	maxItemsMistakes = 100
)

// itemsFile is the file of items that a shop names, as it was last read. It is
// never changed.
type itemsFile struct {
	stamp   stamp
	sum     [sha256.Size]byte
	content *items // the same where the content is
}

// items is what a file of items says. It is never changed.
type items struct {
	rules       map[string]stock.ItemRule
	hash        string       // of the rules
	problem     string       // why it cannot be read at all
	diagnostics []Diagnostic // what is wrong in its lines
}

// itemsFiles are those that the shops of one *.hcl file name, by path.
type itemsFiles map[string]*itemsFile

// again looks at the files once more and reads what changed.
func (f itemsFiles) again(env Environment, dir string) itemsFiles {
	if len(f) == 0 {
		return f // most shops have none, and they are looked at often
	}
	return lo.MapValues(f, func(file *itemsFile, path string) *itemsFile { return file.again(env, dir, path) })
}

func (f itemsFiles) unchanged(env Environment) bool {
	return lo.EveryBy(lo.Keys(f), func(path string) bool { return f[path].stamp.unchanged(env, "", path) })
}

func (f itemsFiles) young() bool {
	return lo.SomeBy(lo.Values(f), func(file *itemsFile) bool { return file.stamp.young })
}

// sameContent tells whether both say the same.
func (f itemsFiles) sameContent(other itemsFiles) bool {
	return maps.EqualFunc(f, other, func(a, b *itemsFile) bool { return a.content == b.content })
}

// again is the file as it is now; nothing is known of a nil one. A file that
// cannot be read is looked at every time, as rights change without a trace.
func (f *itemsFile) again(env Environment, dir, path string) *itemsFile {
	now, err := stampOf(env, "", path)
	switch {
	case err == nil && f != nil && f.stamp.equal(now):
		return f
	case err == nil && now.size > maxItemsBytes:
		return f.unreadable(now, fmt.Sprintf("is larger than %d MiB", maxItemsBytes>>20))
	case err != nil:
		return f.unreadable(stamp{young: true}, "cannot be read: "+reason(err))
	}
	data, err := env.ReadFile(path)
	if err != nil {
		return f.unreadable(stamp{young: true}, "cannot be read: "+reason(err))
	}
	next := &itemsFile{stamp: now, sum: sha256.Sum256(data)}
	if f != nil && f.sum == next.sum {
		next.content = f.content
		return next
	}
	next.content = parseItems(shownPath(dir, path), data)
	return next
}

func (f *itemsFile) unreadable(now stamp, problem string) *itemsFile {
	next := &itemsFile{stamp: now, sum: sha256.Sum256([]byte("unreadable\x00" + problem))}
	if f != nil && f.sum == next.sum {
		next.content = f.content
		return next
	}
	next.content = &items{problem: problem}
	return next
}

// shownPath is a path as diagnostics name it: relative to the directory of the
// configuration where it lies below.
func shownPath(dir, path string) string {
	if relative, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(relative) {
		return filepath.ToSlash(relative)
	}
	return path
}

// items reads the file of items of a shop. Its path is relative to the file
// that names it. Only *.csv is read: what is wrong in it is shown, and that
// must not be a key.
func (d *decoder) items(attr *hcl.Attribute, s *Shop) {
	var name string
	if !d.text("items", attr, &name) {
		return
	}
	if !strings.EqualFold(filepath.Ext(name), ".csv") {
		d.reject(attr, `items must name a *.csv file, relative to the directory of this file, for example "acme-items.csv"`)
		return
	}
	path := filepath.Clean(name)
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.dir, filepath.FromSlash(d.file), "..", path)
	}
	file, known := d.known[path]
	if !known {
		file = file.again(d.env, d.dir, path)
	}
	d.used[path] = file
	if file.content.problem != "" {
		d.reject(attr, "items: %s %s", shownPath(d.dir, path), file.content.problem)
	}
	d.diagnostics = append(d.diagnostics, file.content.diagnostics...)
	s.Items, s.Settings.ItemsHash = file.content.rules, file.content.hash
}

// The columns of a file of items.
const (
	columnItem    = "item"
	columnProduct = "product"
	columnBuffer  = "buffer"
	columnPack    = "pack"
	columnIgnore  = "ignore"
)

var itemsColumns = []string{columnItem, columnProduct, columnBuffer, columnPack, columnIgnore}

// itemsTable is a file of items while it is read.
type itemsTable struct {
	name        string
	comma       rune
	columns     []string              // by position; "" for one without a name
	items       map[string]*itemEntry // by code
	products    map[string]*itemEntry // who has a product
	diagnostics []Diagnostic
}

// itemEntry is what the rows of one item say.
type itemEntry struct {
	code string
	rule stock.ItemRule
	line int // of the first row
}

// parseItems reads a CSV file: a header, then a row for each item, or for each
// product of an item.
func parseItems(name string, data []byte) *items {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	t := &itemsTable{name: name, items: map[string]*itemEntry{}, products: map[string]*itemEntry{}}
	if !utf8.Valid(data) {
		t.reject(1+bytes.Count(validPrefix(data), []byte("\n")), `is not in UTF-8 from here on; save it as "CSV UTF-8"`)
		return &items{diagnostics: t.diagnostics}
	}
	t.read(data)
	if len(t.diagnostics) > 0 {
		return &items{diagnostics: t.diagnostics}
	}
	rules := make(map[string]stock.ItemRule, len(t.items))
	for code, entry := range t.items {
		if slices.Sort(entry.rule.Products); !entry.idle() {
			rules[code] = entry.rule
		}
	}
	return &items{rules: rules, hash: hash(string(mustJSON(rules)))[:12]}
}

// idle tells whether the rows say nothing of the item but its code.
func (e *itemEntry) idle() bool {
	return len(e.rule.Products) == 0 && e.rule.Buffer == nil && e.rule.Pack.IsZero() && !e.rule.Ignore
}

func validPrefix(data []byte) []byte {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return data[:at]
		}
		at += size
	}
	return data
}

func (t *itemsTable) read(data []byte) {
	t.comma = separator(data)
	reader := csv.NewReader(bytes.NewReader(data))
	reader.Comma, reader.FieldsPerRecord, reader.ReuseRecord = t.comma, -1, true
	rows := 0
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			t.reject(wrong.StartLine, `a quote (") is out of place; a cell that holds one stands in quotes, with the quote written twice`)
			continue
		}
		line, _ := reader.FieldPos(0)
		switch cells = lo.Map(cells, func(cell string, _ int) string { return stock.CleanKey(cell) }); {
		case lo.EveryBy(cells, func(cell string) bool { return cell == "" }):
		case t.columns == nil:
			if t.header(line, cells); !slices.Contains(t.columns, columnItem) {
				return // its rows cannot be read either
			}
		case rows == maxItemsRows:
			t.reject(line, "has more than %d rows", maxItemsRows)
			return
		default:
			rows++
			t.row(line, cells)
		}
	}
	if t.columns == nil {
		t.reject(1, "is empty; its first line names the columns: %s", strings.Join(itemsColumns, ", "))
	}
}

// separator is what separates the columns, by the line that names them.
func separator(data []byte) rune {
	for line := range bytes.Lines(data) {
		if len(bytes.TrimSpace(line)) > 0 {
			return lo.Ternary(bytes.ContainsRune(line, ';'), ';', ',')
		}
	}
	return ','
}

func (t *itemsTable) header(line int, cells []string) {
	t.columns = lo.Map(cells, func(cell string, _ int) string { return strings.ToLower(cell) })
	for i, column := range t.columns {
		switch {
		case column == "": // a separator too many; refused where a cell is below
		case !slices.Contains(itemsColumns, column):
			t.reject(line, "unknown column %s; known are %s, separated by commas or semicolons", quoted(column), strings.Join(itemsColumns, ", "))
		case slices.Index(t.columns, column) < i:
			t.reject(line, "the column %s stands twice; keep one", column)
		}
	}
	if !slices.Contains(t.columns, columnItem) {
		t.reject(line, "the column item is missing: the first line names the columns, separated by commas or semicolons, for example item;product;buffer;pack;ignore")
	}
}

func (t *itemsTable) row(line int, cells []string) {
	mistakes := len(t.diagnostics)
	row := map[string]string{}
	for i, cell := range cells {
		switch {
		case i < len(t.columns) && t.columns[i] != "":
			row[t.columns[i]] = cell
		case cell != "":
			t.reject(line, "%s stands in a column without a name", quoted(cell))
		}
	}
	entry := &itemEntry{code: row[columnItem], line: line}
	if entry.code == "" {
		t.reject(line, "the item is missing")
	}
	if text := row[columnBuffer]; text != "" {
		buffer := t.number(line, columnBuffer, text)
		entry.rule.Buffer = &buffer
	}
	if text := row[columnPack]; text != "" {
		entry.rule.Pack = t.pack(line, text)
	}
	entry.rule.Ignore = t.ignore(line, row[columnIgnore])
	if entry.rule.Ignore && row[columnProduct] != "" {
		t.reject(line, "item %s is ignored and has a product; leave one of them out", quoted(entry.code))
	}
	if len(t.diagnostics) == mistakes {
		t.add(entry, row[columnProduct])
	}
}

// add takes a row in: the first of its item, or one more product of it.
func (t *itemsTable) add(row *itemEntry, product string) {
	entry, known := t.items[row.code]
	switch {
	case !known:
		entry = row
		t.items[row.code] = entry
	case !sameRule(entry.rule, row.rule):
		t.reject(row.line, "item %s has another buffer, pack or ignore than in line %d; rows of one item may differ in product only", quoted(row.code), entry.line)
		return
	}
	if product == "" {
		return
	}
	owner, taken := t.products[product]
	switch {
	case taken && owner != entry:
		t.reject(row.line, "product %s belongs to item %s already (line %d); a product has one item", quoted(product), quoted(owner.code), owner.line)
	case !taken:
		t.products[product] = entry
		entry.rule.Products = append(entry.rule.Products, product)
	}
}

func sameRule(a, b stock.ItemRule) bool {
	sameBuffer := a.Buffer == b.Buffer || a.Buffer != nil && b.Buffer != nil && a.Buffer.Equal(*b.Buffer)
	return sameBuffer && a.Pack.Equal(b.Pack) && a.Ignore == b.Ignore
}

// A comma may stand for the point where it does not separate columns.
var itemsNumber = regexp.MustCompile(`^[0-9]{1,9}(?:[.,][0-9]{1,6})?$`)

func (t *itemsTable) number(line int, column, text string) decimal.Decimal {
	switch {
	case !itemsNumber.MatchString(text):
		t.reject(line, "%s is %s; it must be a number below 1000000000 such as 2 or 0.5, with at most 6 decimal places", column, quoted(text))
	case t.comma == ',' && strings.Contains(text, ","):
		t.reject(line, "%s is %s; where commas separate the columns, numbers have a point: %s", column, quoted(text), strings.Replace(text, ",", ".", 1))
	default:
		return decimal.RequireFromString(strings.Replace(text, ",", ".", 1))
	}
	return decimal.Decimal{}
}

// pack is 0 for packs of one: that is no pack.
func (t *itemsTable) pack(line int, text string) decimal.Decimal {
	mistakes := len(t.diagnostics)
	pack := t.number(line, columnPack, text)
	switch {
	case len(t.diagnostics) > mistakes:
	case pack.IsZero():
		t.reject(line, "pack is %s; it says how many of KROS's unit one of the e-shop's holds, so it must be more than 0", quoted(text))
	case pack.Equal(decimal.NewFromInt(1)):
		return decimal.Decimal{}
	}
	return pack
}

func (t *itemsTable) ignore(line int, text string) bool {
	switch strings.ToLower(text) {
	case "yes", "true", "1", "x":
		return true
	case "", "no", "false", "0":
	default:
		t.reject(line, "ignore is %s; it must be yes or empty", quoted(text))
	}
	return false
}

func (t *itemsTable) reject(line int, format string, arguments ...any) {
	switch len(t.diagnostics) {
	default:
		t.diagnostics = append(t.diagnostics, Diagnostic{File: t.name, Line: line, Message: fmt.Sprintf(format, arguments...)})
	case maxItemsMistakes:
		t.diagnostics = append(t.diagnostics, Diagnostic{File: t.name, Line: line, Message: "has more mistakes from here on"})
	case maxItemsMistakes + 1:
	}
}

// quoted is a cell as a message quotes it.
func quoted(cell string) string {
	const most = 60
	if runes := []rune(cell); len(runes) > most {
		cell = string(runes[:most-1]) + "…"
	}
	return fmt.Sprintf("%q", cell)
}
