package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/config"
)

// disk is a configuration directory in memory, "/conf", with a clock.
type disk struct {
	mu     sync.Mutex
	files  fstest.MapFS
	faults map[string]error // by path: what every look at it gives
	now    time.Time
	glance time.Duration // what a look at a file takes
	reads  int
	lists  int
}

func newDisk(files map[string]string) *disk {
	d := &disk{files: fstest.MapFS{}, faults: map[string]error{}, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	for name, text := range files {
		d.write(name, text)
	}
	d.pass(time.Hour)
	return d
}

// write saves a file at the present time.
func (d *disk) write(name, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path := "conf/" + name
	if d.files[path] == nil {
		d.touch(filepath.Dir(path))
	}
	d.files[path] = &fstest.MapFile{Data: []byte(text), ModTime: d.now, Mode: 0o600}
}

func (d *disk) remove(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, "conf/"+name)
	d.touch(filepath.Dir("conf/" + name))
}

func (d *disk) touch(dir string) {
	d.files[dir] = &fstest.MapFile{Mode: fs.ModeDir | 0o700, ModTime: d.now}
}

func (d *disk) fail(name string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults["conf/"+name] = err
}

// pass lets time go by.
func (d *disk) pass(span time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(span)
}

// looks returns how many files were read and directories listed since it was
// last called.
func (d *disk) looks() (reads, lists int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	reads, lists = d.reads, d.lists
	d.reads, d.lists = 0, 0
	return reads, lists
}

func (d *disk) open(t *testing.T) *config.Directory {
	t.Helper()
	directory, err := config.Open("/conf", d.environment())
	require.NoError(t, err)
	d.looks()
	return directory
}

func (d *disk) environment() config.Environment {
	look := func(path string) (string, error) {
		path = strings.TrimPrefix(filepath.ToSlash(path), "/")
		return path, d.faults[path]
	}
	return config.Environment{
		Getenv: func(string) (string, bool) { return "key", true },
		ReadFile: func(path string) ([]byte, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.reads++
			path, err := look(path)
			if err != nil {
				return nil, err
			}
			return d.files.ReadFile(path)
		},
		ReadDir: func(path string) ([]fs.DirEntry, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.lists++
			path, err := look(path)
			if err != nil {
				return nil, err
			}
			return d.files.ReadDir(path)
		},
		Stat: func(path string) (fs.FileInfo, error) {
			d.pass(d.glance)
			d.mu.Lock()
			defer d.mu.Unlock()
			path, err := look(path)
			if err != nil && !errors.Is(err, fs.ErrPermission) {
				return nil, err
			}
			return d.files.Stat(path)
		},
		Now: func() time.Time {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.now
		},
	}
}

// shopText is a shop whose address follows from its name, with more attributes.
func shopText(name string, more ...string) string {
	return shopAt(name, "https://"+name+".example.com", more...)
}

func shopAt(name, url string, more ...string) string {
	return fmt.Sprintf("shop %q {\n  kros { api_key = env(\"K\") }\n  fynode {\n    url     = %q\n    api_key = env(\"F\")\n  }\n%s\n}\n", name, url, strings.Join(more, "\n"))
}

const broken = "shop \"a\" {\n"

func title(t *testing.T, d *config.Directory, name string) string {
	t.Helper()
	shop, err := d.Shop(name)
	require.NoError(t, err)
	return shop.Settings.Title
}

func requireKind(t *testing.T, d *config.Directory, name string, kind config.ErrorKind) *config.ShopError {
	t.Helper()
	_, err := d.Shop(name)
	var shopError *config.ShopError
	require.ErrorAs(t, err, &shopError)
	require.Equal(t, kind, shopError.Kind)
	require.Equal(t, name, shopError.Shop)
	return shopError
}

func names(d *config.Directory) []string {
	var all []string
	for _, shop := range d.Shops() {
		all = append(all, shop.Name)
	}
	return all
}

func TestAnEditCountsFromTheNextQuestionOn(t *testing.T) {
	disk := newDisk(map[string]string{"shops/a.hcl": shopText("a"), "skladom.hcl": ""})
	d := disk.open(t)
	disk.write("shops/a.hcl", shopText("a", `title = "New"`))
	require.Equal(t, "New", title(t, d, "a"))
}

func TestAnEditOfTheSameSizeAndTimeIsSeen(t *testing.T) {
	disk := newDisk(map[string]string{"a.hcl": shopText("a")})
	disk.write("a.hcl", shopText("a", `title = "One"`))
	d := disk.open(t) // within the granularity of the file's time
	disk.write("a.hcl", shopText("a", `title = "Two"`))
	require.Equal(t, "Two", title(t, d, "a"))
}

func TestAddedMovedAndRemovedShopsAreFollowed(t *testing.T) {
	disk := newDisk(map[string]string{"a.hcl": shopText("a"), "b.hcl": shopText("b")})
	d := disk.open(t)

	requireKind(t, d, "c", config.Missing)
	disk.write("shops/c.hcl", shopText("c"))
	disk.pass(100 * time.Millisecond)
	disk.write("c.hcl", shopText("c"))
	disk.remove("shops/c.hcl")
	require.Equal(t, "c", title(t, d, "c"))

	disk.write("a.hcl", "")
	disk.remove("a.hcl")
	disk.write("moved.hcl", shopText("a", `title = "Moved"`))
	require.Equal(t, "Moved", title(t, d, "a"))

	disk.remove("moved.hcl")
	requireKind(t, d, "a", config.Missing)

	disk.write("b.hcl", shopText("other"))
	requireKind(t, d, "b", config.Missing)
	require.Equal(t, []string{"c", "other"}, names(d))
}

func TestWhatTurnsBadStaysInForceInItsLastGoodVersion(t *testing.T) {
	for rule, bad := range map[string]string{
		"a syntax error":        broken,
		"a wrong attribute":     shopText("a", `title = "New"`, `match = "name"`),
		"half a save":           "",
		"garbage":               "\x00\xff{{{",
		"another shop's url":    shopAt("a", "https://b.example.com", `title = "New"`),
		"a block that is twice": shopText("a", `title = "New"`, "guard {}", "guard {}"),
	} {
		t.Run(rule, func(t *testing.T) {
			disk := newDisk(map[string]string{"a.hcl": shopText("a", `title = "Old"`), "b.hcl": shopText("b")})
			d := disk.open(t)
			disk.write("a.hcl", bad)
			require.Equal(t, "Old", title(t, d, "a"))
			require.NotEmpty(t, d.Diagnostics())
			require.Equal(t, "a.hcl", d.Diagnostics()[0].File)

			changed, diagnostics := d.Reload()
			require.Empty(t, changed)
			require.NotEmpty(t, diagnostics)
			require.Equal(t, []string{"a", "b"}, names(d))

			disk.write("a.hcl", shopText("a", `title = "New"`))
			changed, diagnostics = d.Reload()
			require.Equal(t, []string{"a"}, changed)
			require.Empty(t, diagnostics)
			require.Equal(t, "New", title(t, d, "a"))
		})
	}
}

func TestAShopThatIsBadAtFirstIsInvalidAndStopsNobody(t *testing.T) {
	disk := newDisk(map[string]string{
		"a.hcl":          broken,
		"b.hcl":          shopText("b"),
		"c.hcl":          shopText("c", "colour = 1"),
		"unreadable.hcl": shopText("d"),
	})
	disk.fail("unreadable.hcl", fs.ErrPermission)
	d := disk.open(t)
	for _, name := range []string{"a", "c", "unreadable"} {
		require.NotEmpty(t, requireKind(t, d, name, config.Invalid).Diagnostics)
	}
	require.Equal(t, []string{"b"}, names(d))

	disk.write("a.hcl", shopText("a"))
	disk.fail("unreadable.hcl", nil)
	changed, diagnostics := d.Reload()
	require.Equal(t, []string{"a", "d"}, changed)
	require.Len(t, diagnostics, 1, "%v", diagnostics)
}

func TestAFileThatCannotBeReadAnyMoreKeepsItsShops(t *testing.T) {
	disk := newDisk(map[string]string{"a.hcl": shopText("a", `title = "Old"`), "b.hcl": shopText("b")})
	d := disk.open(t)
	disk.write("a.hcl", shopText("a", `title = "New"`))
	disk.fail("a.hcl", fs.ErrPermission)
	require.Equal(t, "Old", title(t, d, "a"))
	require.Contains(t, d.Diagnostics()[0].Message, "permission denied")
	disk.fail("a.hcl", nil)
	require.Equal(t, "New", title(t, d, "a"))
	require.Empty(t, d.Diagnostics())
}

func TestADirectoryThatVanishesRemovesNothing(t *testing.T) {
	for rule, accident := range map[string]func(*disk){
		"unreadable":                           func(disk *disk) { disk.faults["conf"] = errors.New("stale file handle") },
		"empty":                                func(disk *disk) { disk.remove("a.hcl"); disk.remove("shops/b.hcl") },
		"a file that cannot even be looked at": func(disk *disk) { disk.faults["conf/shops/b.hcl"] = errors.New("stale file handle") },
		"a directory below that cannot be read": func(disk *disk) {
			disk.faults["conf/shops"] = errors.New("stale file handle")
			disk.faults["conf/shops/b.hcl"] = errors.New("stale file handle")
		},
	} {
		t.Run(rule, func(t *testing.T) {
			disk := newDisk(map[string]string{"a.hcl": shopText("a"), "shops/b.hcl": shopText("b")})
			d := disk.open(t)
			accident(disk)
			disk.pass(time.Minute)
			changed, diagnostics := d.Reload()
			require.Empty(t, changed)
			require.NotEmpty(t, diagnostics)
			require.Equal(t, "a", title(t, d, "a"))
			require.Equal(t, "b", title(t, d, "b"))
			require.Equal(t, []string{"a", "b"}, names(d))

			clear(disk.faults)
			disk.write("a.hcl", shopText("a"))
			disk.write("shops/b.hcl", shopText("b"))
			changed, diagnostics = d.Reload()
			require.Empty(t, changed)
			require.Empty(t, diagnostics)
		})
	}
}

func TestReloadNamesWhatChangedInEffectWhoeverNoticed(t *testing.T) {
	disk := newDisk(map[string]string{
		"a.hcl": shopText("a"), "b.hcl": shopText("b"), "c.hcl": shopText("c"), "d.hcl": shopText("d"), "e.hcl": shopText("e"),
	})
	d := disk.open(t)
	changed, _ := d.Reload()
	require.Empty(t, changed)

	disk.write("a.hcl", "# a comment is no change\n"+shopText("a"))
	disk.write("b.hcl", shopText("b", "buffer = 1"))
	disk.write("c.hcl", strings.ReplaceAll(shopText("c"), `env("K")`, `env("L")`))
	disk.write("d.hcl", strings.ReplaceAll(shopText("d"), `env("K")`, `"literal"`))
	disk.remove("e.hcl")
	disk.write("f.hcl", shopText("f"))
	_, err := d.Shop("b")
	require.NoError(t, err)
	changed, diagnostics := d.Reload()
	require.Empty(t, diagnostics)
	require.Equal(t, []string{"b", "c", "d", "e", "f"}, changed)
	changed, _ = d.Reload()
	require.Empty(t, changed)
}

func TestOfTwoClaimsTheOneInForceStays(t *testing.T) {
	disk := newDisk(map[string]string{"m.hcl": shopText("a", `title = "First"`)})
	d := disk.open(t)
	disk.write("b.hcl", shopText("a", `title = "Second"`))
	disk.write("z.hcl", shopAt("z", "https://a.example.com"))
	changed, diagnostics := d.Reload()
	require.Empty(t, changed)
	require.Len(t, diagnostics, 2)
	require.Contains(t, diagnostics[0].Message, "m.hcl:1")
	require.Contains(t, diagnostics[0].Message, "b.hcl:1")
	require.Equal(t, "First", title(t, d, "a"))
	require.Contains(t, requireKind(t, d, "z", config.Invalid).Error(), `shop "a" (m.hcl)`)

	disk.remove("m.hcl")
	require.Equal(t, "Second", title(t, d, "a"))
}

func TestShopsMaySwapTheirAddresses(t *testing.T) {
	disk := newDisk(map[string]string{"a.hcl": shopAt("a", "https://one.example.com"), "b.hcl": shopAt("b", "https://two.example.com")})
	d := disk.open(t)
	disk.write("a.hcl", shopAt("a", "https://two.example.com"))
	disk.write("b.hcl", shopAt("b", "https://one.example.com"))
	changed, diagnostics := d.Reload()
	require.Empty(t, diagnostics)
	require.Equal(t, []string{"a", "b"}, changed)
}

func TestNoTwoShopsInForceHaveOneAddress(t *testing.T) {
	disk := newDisk(map[string]string{"a.hcl": shopAt("a", "https://one.example.com"), "b.hcl": shopAt("b", "https://two.example.com")})
	d := disk.open(t)
	// b wants the address of c, which takes the one b would fall back to.
	disk.write("b.hcl", shopAt("b", "https://one.example.com"))
	disk.write("c.hcl", shopAt("c", "https://two.example.com"))
	_, diagnostics := d.Reload()
	require.Len(t, diagnostics, 1)
	require.Equal(t, []string{"a", "c"}, names(d))
	requireKind(t, d, "b", config.Invalid)
}

func TestABlockOfTheInstallationThatTurnsBadStaysInForce(t *testing.T) {
	const good = "temporal { task_queue = \"one\" }\nsnapshots { keep = 7 }\n"
	disk := newDisk(map[string]string{"skladom.hcl": good, "shops/a.hcl": shopText("a")})
	d := disk.open(t)
	for _, bad := range []string{"temporal {", "", "temporal { task_queue = 5 }\nsnapshots { keep = 0 }\n"} {
		disk.write("skladom.hcl", bad)
		_, diagnostics := d.Reload()
		require.NotEmpty(t, diagnostics)
		require.Equal(t, "one", d.Installation().Temporal.TaskQueue)
		require.Equal(t, 7, d.Installation().Snapshots.Keep)
		require.Equal(t, []string{"a"}, names(d))
	}
	disk.write("skladom.hcl", "temporal { task_queue = \"two\" }\n")
	_, diagnostics := d.Reload()
	require.Empty(t, diagnostics)
	require.Equal(t, "two", d.Installation().Temporal.TaskQueue)
	require.Equal(t, 48, d.Installation().Snapshots.Keep)
}

func TestABlockThatIsWrittenASecondTimeDoesNotReplaceTheFirst(t *testing.T) {
	disk := newDisk(map[string]string{"main.hcl": "temporal { task_queue = \"one\" }\n"})
	d := disk.open(t)
	disk.write("a.hcl", "temporal { task_queue = \"two\" }\n")
	disk.write("skladom.hcl", "temporal { task_queue = \"three\" }\n")
	_, diagnostics := d.Reload()
	require.Len(t, diagnostics, 2)
	require.Equal(t, "one", d.Installation().Temporal.TaskQueue)
	require.Equal(t, "three", disk.open(t).Installation().Temporal.TaskQueue, "at a start skladom.hcl goes first")
}

func TestABrokenInstallationStopsTheStartAndABrokenShopDoesNot(t *testing.T) {
	for text, starts := range map[string]bool{
		broken:                       true,
		"secrets {\n":                false,
		"temporal { colour = 1 }\n":  false,
		"relay {}\nrelay {}\n":       true, // the first is in force
		"snapshots { keep = 1 }\n\n": true,
	} {
		disk := newDisk(map[string]string{"more.hcl": text})
		_, err := config.Open("/conf", disk.environment())
		require.Equal(t, starts, err == nil, "%q: %v", text, err)
	}
}

func TestNoFileRunsTheProcessOutOfStack(t *testing.T) {
	for _, nest := range []string{"(", "[", "-", "!", "{a=", "f(", "\"${", "\"%{if ", "a ? b : ", "a {\n", "-\n"} {
		disk := newDisk(map[string]string{"deep.hcl": "a = " + strings.Repeat(nest, 1500), "a.hcl": shopText("a")})
		d := disk.open(t)
		require.Equal(t, "a", title(t, d, "a"))
		require.Len(t, d.Diagnostics(), 1)
		require.Contains(t, d.Diagnostics()[0].Message, "nested too deeply", nest)
	}
}

func TestAQuestionLooksAtOneFileAndReadsNone(t *testing.T) {
	files := map[string]string{}
	for i := range 50 {
		name := fmt.Sprintf("shop-%d", i)
		files["shops/"+name+".hcl"] = shopText(name)
	}
	disk := newDisk(files)
	d := disk.open(t)
	for range 100 {
		title(t, d, "shop-7")
		requireKind(t, d, "absent", config.Missing)
		requireKind(t, d, "../../etc/passwd", config.Missing)
	}
	reads, lists := disk.looks()
	require.Zero(t, reads)
	require.Zero(t, lists)

	disk.pass(time.Second)
	for range 100 {
		title(t, d, "shop-7")
		requireKind(t, d, "absent", config.Missing)
	}
	reads, lists = disk.looks()
	require.Zero(t, reads)
	require.Equal(t, 2, lists, "one listing, of two directories")

	disk.write("shops/shop-7.hcl", shopText("shop-7", `title = "New"`))
	disk.pass(time.Minute)
	changed, _ := d.Reload()
	require.Equal(t, []string{"shop-7"}, changed)
	reads, _ = disk.looks()
	require.Equal(t, 1, reads)
}

func TestADirectoryIsSafeForConcurrentUse(t *testing.T) {
	disk := newDisk(map[string]string{"a.hcl": shopText("a"), "b.hcl": shopText("b")})
	d := disk.open(t)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 50 {
				switch worker % 4 {
				case 0:
					disk.write("a.hcl", shopText("a", fmt.Sprintf(`title = "%d"`, i)))
					disk.pass(100 * time.Millisecond)
				case 1:
					d.Reload()
					d.Validate()
				default:
					shop, err := d.Shop("a")
					if err != nil || shop.Name != "a" {
						t.Errorf("shop a: %+v, %v", shop, err)
					}
					d.Shops()
					d.Diagnostics()
					d.Installation()
				}
			}
		})
	}
	group.Wait()
	require.Equal(t, "49", title(t, d, "a"))
}

func TestRealFilesLinksAndMountedConfigMaps(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write("conf/..v1/a.hcl", shopText("a", `title = "One"`))
	write("conf/..v2/a.hcl", shopText("a", `title = "Two"`))
	write("elsewhere/b.hcl", shopText("b"))
	require.NoError(t, os.Symlink("..v1", filepath.Join(root, "conf/..data")))
	require.NoError(t, os.Symlink("..data/a.hcl", filepath.Join(root, "conf/a.hcl")))
	require.NoError(t, os.Symlink("../elsewhere", filepath.Join(root, "conf/linked")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "conf/dangling.hcl")))

	d, err := config.Open(filepath.Join(root, "conf"), config.OS())
	require.NoError(t, err)
	require.Equal(t, "One", title(t, d, "a"))
	require.Equal(t, []string{"dangling.hcl", "linked"}, files(d.Diagnostics()))

	require.NoError(t, os.Symlink("..v2", filepath.Join(root, "conf/..data_tmp")))
	require.NoError(t, os.Rename(filepath.Join(root, "conf/..data_tmp"), filepath.Join(root, "conf/..data")))
	require.Equal(t, "Two", title(t, d, "a"))

	write("conf/shops/c.hcl", shopText("c"))
	require.Equal(t, "c", title(t, d, "c"))
	require.NoError(t, os.RemoveAll(filepath.Join(root, "conf/shops")))
	requireKind(t, d, "c", config.Missing)
}

func files(diagnostics []config.Diagnostic) []string {
	all := map[string]bool{}
	for _, diagnostic := range diagnostics {
		all[diagnostic.File] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// A listing looks at every file, so that ten thousand shops would else be looked
// at for each of them.
func TestLookingAtManyFilesTakesLittleOfTheTime(t *testing.T) {
	const shops, questions = 300, 3000
	const glance, between = time.Millisecond, 180 * time.Millisecond
	texts := map[string]string{}
	for i := range shops {
		texts[fmt.Sprintf("shop-%d.hcl", i)] = shopText(fmt.Sprintf("shop-%d", i))
	}
	disk := newDisk(texts)
	d := disk.open(t)
	disk.glance = glance
	began := disk.now
	for i := range questions {
		title(t, d, fmt.Sprintf("shop-%d", i%shops))
		disk.pass(between)
	}
	whole := disk.now.Sub(began)
	listing := whole - questions*(between+glance) // but the look at the shop's own file
	require.Less(t, listing, whole/50)
	_, lists := disk.looks()
	require.Positive(t, lists)

	// What concerns the shop is seen at once all the same.
	disk.write("moved.hcl", shopText("shop-7", `title = "Moved"`))
	disk.remove("shop-7.hcl")
	require.Equal(t, "Moved", title(t, d, "shop-7"))
	disk.write("shop-8.hcl", shopText("shop-8", `title = "Edited"`))
	require.Equal(t, "Edited", title(t, d, "shop-8"))
	disk.write("new.hcl", shopText("new", `title = "New"`))
	require.Equal(t, "New", title(t, d, "new"))

	// What another file says is seen by the next listing.
	disk.write("rival.hcl", shopAt("rival", "https://shop-9.example.com"))
	disk.pass(time.Minute)
	title(t, d, "shop-9")
	require.NotEmpty(t, d.Diagnostics())
}
