package stock

// positions finds elements by key. Nearly every key has one of them, and there
// are a hundred thousand: a map of slices takes many times the memory.
type positions struct {
	first map[string]int32 // 1 more than the position
	next  []int32          // by position, likewise: the next one with its key
}

// positionsBy finds n elements. One whose key is empty is not found.
func positionsBy(n int, key func(position int) string) positions {
	p := positions{first: make(map[string]int32, n)}
	for position := n - 1; position >= 0; position-- {
		k := key(position)
		if k == "" {
			continue
		}
		if later := p.first[k]; later != 0 {
			if p.next == nil {
				p.next = make([]int32, n)
			}
			p.next[position] = later
		}
		p.first[k] = int32(position) + 1
	}
	return p
}

func (p positions) has(key string) bool { return p.first[key] != 0 }

// each yields the positions of a key, from the first to the last.
func (p positions) each(key string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for at := p.first[key]; at != 0; {
			if !yield(int(at - 1)) {
				return
			}
			if p.next == nil {
				return
			}
			at = p.next[at-1]
		}
	}
}
