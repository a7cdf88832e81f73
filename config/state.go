package config

import (
	"fmt"
	"maps"
	"slices"
)

// installationFile is the file that is looked into first for the blocks of the
// installation.
const installationFile = "skladom.hcl"

// state is what the files say at one moment. It is never changed once it is the
// current one.
type state struct {
	listing  listing
	files    map[string]*source
	sections map[string]*section     // in force, by kind
	shops    map[string]*version     // in force, by name
	invalid  map[string][]Diagnostic // shops without a version in force
	watch    map[string]string       // the file that decides about a shop
	wrong    []Diagnostic            // of the files; those of the listing stand there
	unusable bool                    // a block of the installation has no good version
}

func (s *state) installation() Installation {
	i := Installation{Temporal: Temporal{TaskQueue: defaultTaskQueue}, Snapshots: defaultSnapshots()}
	for _, section := range s.sections {
		section.apply(&i)
	}
	return i
}

func (s *state) shop(name string) (Shop, error) {
	if version, ok := s.shops[name]; ok {
		return version.shop, nil
	}
	if diagnostics, ok := s.invalid[name]; ok {
		return Shop{}, &ShopError{Kind: Invalid, Shop: name, Diagnostics: ordered(diagnostics)}
	}
	return Shop{}, &ShopError{Kind: Missing, Shop: name}
}

func (s *state) diagnostics() []Diagnostic {
	return ordered(slices.Concat(s.wrong, s.listing.problems))
}

// unresolved looks every secret in force up.
func (s *state) unresolved() []Diagnostic {
	var diagnostics []Diagnostic
	if use := s.masterKey(); use != nil {
		if _, err := s.installation().MasterKey(); err != nil {
			diagnostics = append(diagnostics, Diagnostic{File: use.file, Line: use.line, Message: err.Error()})
		}
	}
	var uses []secretUse
	for kind, section := range s.sections {
		if kind != "secrets" { // looked at above, more closely
			uses = append(uses, section.secrets...)
		}
	}
	for _, version := range s.shops {
		uses = append(uses, version.secrets...)
	}
	for _, use := range uses {
		if _, err := use.secret.Reveal(); err != nil {
			diagnostics = append(diagnostics, Diagnostic{File: use.file, Line: use.line, Message: use.path + ": " + err.Error()})
		}
	}
	return diagnostics
}

// assemble makes one whole of all files: each block of the installation and
// each shop once. Where two claim the same, the one that is in force stays, at
// first the one that comes first by path. before is what was in force.
func assemble(before *state, files map[string]*source) *state {
	next := &state{
		files:    files,
		sections: map[string]*section{},
		shops:    map[string]*version{},
		invalid:  map[string][]Diagnostic{},
		watch:    map[string]string{},
	}
	paths := slices.Sorted(maps.Keys(files))
	for _, path := range paths {
		next.wrong = append(next.wrong, files[path].parsed.diagnostics...)
	}
	next.chooseSections(before, paths)
	next.noMail(next.alert())
	next.chooseShops(before, next.claims(before, paths))
	return next
}

func (s *state) chooseSections(before *state, paths []string) {
	byKind := map[string][]*section{}
	for _, path := range paths {
		for _, section := range s.files[path].parsed.sections {
			s.wrong = append(s.wrong, section.diagnostics...)
			byKind[section.kind] = append(byKind[section.kind], section)
		}
	}
	for kind, sections := range byKind {
		first := installationFile
		if inForce, ok := before.sections[kind]; ok {
			first = inForce.file
		}
		chosen := preferred(sections, func(section *section) bool { return section.file == first })
		for _, other := range sections {
			if other != chosen && kind != "" {
				s.reject(other.file, other.line, "the block %s stands twice: %s:%d, which is in force, and here; keep one", kind, chosen.file, chosen.line)
			}
		}
		if chosen.apply == nil {
			chosen = before.sections[kind]
		}
		if chosen == nil {
			s.unusable = true
			continue
		}
		s.sections[kind] = chosen
	}
}

// claims chooses for each shop the block that decides about it, in the order of
// the files.
func (s *state) claims(before *state, paths []string) []*claim {
	byName := map[string][]*claim{}
	var names []string
	for _, path := range paths {
		for _, claim := range s.files[path].parsed.claims {
			s.wrong = append(s.wrong, claim.diagnostics...)
			if byName[claim.name] == nil {
				names = append(names, claim.name)
			}
			byName[claim.name] = append(byName[claim.name], claim)
		}
	}
	chosen := make([]*claim, len(names))
	for i, name := range names {
		claims := byName[name]
		chosen[i] = preferred(claims, func(claim *claim) bool { return claim.file == before.watch[name] })
		s.watch[name] = chosen[i].file
		for _, other := range claims {
			if other != chosen[i] && other.line > 0 {
				s.reject(other.file, other.line, "shop %q is described twice: in %s, which is in force, and in %s; keep one", name, place(chosen[i].file, chosen[i].line), place(other.file, other.line))
			}
		}
	}
	return chosen
}

// candidate is the version of a shop that is to be in force: the new one, or
// the last good one where the new one is wrong.
type candidate struct {
	claim   *claim
	version *version
}

// chooseShops puts the candidates in force, at most one for each address of an
// e-shop: two would overwrite what the other writes. A shop that had the
// address before goes first.
func (s *state) chooseShops(before *state, claims []*claim) {
	masterKey := s.masterKey()
	var settled, moved []candidate
	for _, claim := range claims {
		c := candidate{claim: claim, version: s.checked(claim, masterKey)}
		inForce := before.shops[claim.name]
		if c.version == nil {
			c.version = inForce
		}
		switch {
		case c.version == nil:
			s.invalid[claim.name] = append(s.invalid[claim.name], claim.diagnostics...)
		case inForce != nil && inForce.address == c.version.address:
			settled = append(settled, c)
		default:
			moved = append(moved, c)
		}
	}
	taken := map[string]*version{}
	var refused []candidate
	for _, c := range slices.Concat(settled, moved) {
		if taken[c.version.address] != nil {
			refused = append(refused, c)
			continue
		}
		s.putInForce(c.version, taken)
	}
	for _, c := range refused {
		other := taken[c.version.address].shop.Name
		diagnostic := s.reject(c.version.file, c.version.addressLine,
			"shop %q has the fynode.url of shop %q (%s): each would overwrite what the other writes; this one is refused until one of them changes", c.claim.name, other, s.watch[other])
		if inForce := before.shops[c.claim.name]; inForce != nil && taken[inForce.address] == nil {
			s.putInForce(inForce, taken)
			continue
		}
		s.invalid[c.claim.name] = append(s.invalid[c.claim.name], diagnostic)
	}
}

func (s *state) putInForce(version *version, taken map[string]*version) {
	taken[version.address] = version
	s.shops[version.shop.Name] = version.alerted(s.alert())
	s.noMail(version.alert)
}

// alert is who is told of shops that do not say it, nil where nobody is.
func (s *state) alert() *alertBlock {
	if section, ok := s.sections["alert"]; ok {
		return section.alert
	}
	return nil
}

// checked is the version of a claim, nil where it must not be used: its block
// is wrong, or it would send the installation's master key to a shop.
func (s *state) checked(claim *claim, masterKey *secretUse) *version {
	if claim.version == nil || masterKey == nil {
		return claim.version
	}
	for _, use := range claim.version.secrets {
		if use.source == masterKey.source {
			s.invalid[claim.name] = append(s.invalid[claim.name],
				s.reject(use.file, use.line, "%s is the installation's master key, which would be sent to the shop's URL; use a key of the shop's own", use.path))
			return nil
		}
	}
	return claim.version
}

// masterKey is where the master key stands, nil where none is configured.
func (s *state) masterKey() *secretUse {
	section, ok := s.sections["secrets"]
	if !ok || len(section.secrets) == 0 {
		return nil
	}
	return &section.secrets[0]
}

func (s *state) reject(file string, line int, format string, arguments ...any) Diagnostic {
	diagnostic := Diagnostic{File: file, Line: line, Message: fmt.Sprintf(format, arguments...)}
	s.wrong = append(s.wrong, diagnostic)
	return diagnostic
}

// preferred is the first element that fits, else the first.
func preferred[T any](elements []T, fits func(T) bool) T {
	if i := slices.IndexFunc(elements, fits); i >= 0 {
		return elements[i]
	}
	return elements[0]
}

func place(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}
