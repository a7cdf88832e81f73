package config

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// How often a question for a shop lists the directory at most. A shop's own
// file is looked at with every question, so that nothing else waits for it. A
// listing looks at every file: of 10,000 it takes a tenth of a second, which
// each second would be too much.
const (
	listingInterval    = time.Second
	maxListingInterval = time.Minute
	listingShare       = 100 // the part of the time that listing may take
)

// Directory is a directory of HCL files, and what it says now. It is safe for
// concurrent use.
//
// What turns bad while it is open stays in force in its last good version. What
// is removed is gone, but a directory that cannot be read or holds no file at
// all is taken for an accident and changes nothing.
type Directory struct {
	path    string
	env     Environment
	current atomic.Pointer[state]

	reload  sync.Mutex          // one reader of files at a time
	changed map[string]struct{} // shops that changed since Reload told; under reload
}

// Open reads every *.hcl file of a directory and below it; names that begin
// with a dot are passed over. It fails, with an *OpenError, where there is no
// file, or where a block of the installation is wrong. Wrong shops stop nobody.
func Open(dir string, env Environment) (*Directory, error) {
	d := &Directory{path: dir, env: env, changed: map[string]struct{}{}}
	listing, problem := list(env, dir)
	if problem != nil {
		return nil, &OpenError{Dir: dir, Diagnostics: []Diagnostic{*problem}}
	}
	listing.took = env.Now().Sub(listing.at)
	first := assemble(&state{}, d.read(listing, nil))
	first.listing = listing
	if first.unusable {
		return nil, &OpenError{Dir: dir, Diagnostics: first.diagnostics()}
	}
	d.current.Store(first)
	return d, nil
}

// Installation returns what holds for all shops.
func (d *Directory) Installation() Installation { return d.current.Load().installation() }

// Shop returns a shop as its files say at this moment: they are looked at, and
// what changed is read again. Where they are wrong now, it is the last good
// version. The error is a *ShopError.
func (d *Directory) Shop(name string) (Shop, error) {
	if !shopName.MatchString(name) {
		return Shop{}, &ShopError{Kind: Missing, Shop: name}
	}
	d.follow(name)
	return d.current.Load().shop(name)
}

// Shops returns the shops that can be used, by name, as they were last read.
func (d *Directory) Shops() []Shop {
	shops := d.current.Load().shops
	sorted := make([]Shop, 0, len(shops))
	for _, name := range slices.Sorted(maps.Keys(shops)) {
		sorted = append(sorted, shops[name].shop)
	}
	return sorted
}

// Reload reads what changed in the directory. It returns the names of the shops
// that were added, removed or changed in effect since it was last called,
// whoever noticed, and everything that is wrong now. Where no file changed, it
// lists the directory and reads none.
func (d *Directory) Reload() (changed []string, diagnostics []Diagnostic) {
	d.reload.Lock()
	defer d.reload.Unlock()
	d.readAll()
	changed = slices.Sorted(maps.Keys(d.changed))
	clear(d.changed)
	return changed, d.Diagnostics()
}

// Diagnostics returns what was wrong in the files when they were last read,
// ordered by place.
func (d *Directory) Diagnostics() []Diagnostic { return d.current.Load().diagnostics() }

// Validate reads what changed and looks every secret up, as the programs do
// when they use it. It returns everything that is wrong.
func (d *Directory) Validate() []Diagnostic {
	d.reload.Lock()
	d.readAll()
	d.reload.Unlock()
	now := d.current.Load()
	return ordered(append(now.diagnostics(), now.unresolved()...))
}

// follow makes the current state right for one shop, as cheaply as it can:
// mostly by one look at one file.
func (d *Directory) follow(name string) {
	if d.fresh(d.current.Load(), name) {
		return
	}
	d.reload.Lock()
	defer d.reload.Unlock()
	now := d.current.Load()
	if d.fresh(now, name) {
		return // somebody else read it while this call waited
	}
	file, known := now.files[now.watch[name]]
	if known && !d.listingDue(now) {
		d.readOne(now.watch[name], file)
		if _, still := d.current.Load().watch[name]; still {
			return
		}
	}
	d.readAll() // a new shop, or one that moved to another file
}

func (d *Directory) fresh(now *state, name string) bool {
	if d.listingDue(now) {
		return false
	}
	if file, known := now.files[now.watch[name]]; known {
		return file.unchanged(d.env, d.path, now.watch[name])
	}
	return now.listing.unchanged(d.env, d.path)
}

func (d *Directory) listingDue(now *state) bool {
	age := d.env.Now().Sub(now.listing.at)
	return age >= now.listing.interval() || age < 0
}

// readOne reads one file that is known. The caller holds reload.
func (d *Directory) readOne(path string, known *source) {
	stamp, err := stampOf(d.env, d.path, path)
	if err != nil {
		d.readAll() // removed, or worse
		return
	}
	file := d.readFile(path, stamp, known)
	switch {
	case file == nil:
		d.readAll()
		return
	case file.parsed == known.parsed && file.young():
		return // nothing is learned: it has to be read the next time too
	}
	now := d.current.Load()
	files := maps.Clone(now.files)
	files[path] = file
	d.install(now, files, now.listing)
}

// readAll lists the directory and reads what changed. The caller holds reload.
func (d *Directory) readAll() {
	now := d.current.Load()
	listing, problem := list(d.env, d.path)
	if problem != nil {
		unreadable := *now
		unreadable.listing.at, unreadable.listing.problems = listing.at, []Diagnostic{*problem}
		d.current.Store(&unreadable)
		return
	}
	files := d.read(listing, now.files)
	listing.took = d.env.Now().Sub(listing.at)
	d.install(now, files, listing)
}

// install makes the files the current state. The caller holds reload.
func (d *Directory) install(now *state, files map[string]*source, listing listing) {
	next := *now
	if !maps.EqualFunc(now.files, files, func(a, b *source) bool { return a.parsed == b.parsed }) {
		next = *assemble(now, files)
		for _, name := range differences(now.shops, next.shops) {
			d.changed[name] = struct{}{}
		}
	}
	next.files, next.listing = files, listing
	d.current.Store(&next)
}

// differences are the names whose versions differ in effect.
func differences(before, after map[string]*version) []string {
	var names []string
	for name, b := range before {
		if a, ok := after[name]; !ok || a.digest != b.digest {
			names = append(names, name)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}
