package host

import (
	"sync/atomic"

	"github.com/skladom/skladom/config"
)

// keyring knows the versions of all shops' authorization keys as the files
// last had them. It is kept in memory, so that nobody outside can make the
// relay read files, or measure whether it did.
type keyring struct {
	current atomic.Pointer[keys]
}

type keys struct {
	versions map[string][]int
	most     int
}

// read takes the versions over from the configuration.
func (k *keyring) read(shops []config.Shop) {
	next := &keys{versions: make(map[string][]int, len(shops))}
	for _, s := range shops {
		versions := append([]int{s.Webhook.KeyVersion}, s.Webhook.AlsoAccept...)
		next.versions[s.Name] = versions
		next.most = max(next.most, len(versions))
	}
	k.current.Store(next)
}

// KeyVersions is what the relay asks.
func (k *keyring) KeyVersions(shop string) (versions []int, most int) {
	now := k.current.Load()
	return now.versions[shop], now.most
}
