package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

var (
	sequences = flag.Int("sequences", 20, "how many sequences are played")
	seed      = flag.Uint64("seed", 1, "of the first sequence; each further one has the next number")
	parallel  = flag.Int("shops", 64, "how many shops there are at once; most of their time is waits")
)

// Each sequence is a shop in trouble that has to end in step. What broke one is
// printed with the command that plays it again.
func TestFaultMatrix(t *testing.T) {
	ground, err := Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer ground.Close()

	var mu sync.Mutex
	sum := Played{Results: map[string]int{}}
	met := map[string]int{}
	begun, broken := time.Now(), 0
	var group errgroup.Group
	group.SetLimit(*parallel)
	for i := range *sequences {
		group.Go(func() error {
			sequence, err := Make(*seed + uint64(i))
			if err != nil {
				t.Error(err)
				return nil
			}
			one, err := ground.Play(context.Background(), sequence)
			mu.Lock()
			defer mu.Unlock()
			sum.Requests, sum.Writes, sum.Histories = sum.Requests+one.Requests, sum.Writes+one.Writes, sum.Histories+one.Histories
			for result, n := range one.Results {
				sum.Results[result] += n
			}
			for name, n := range one.Met {
				met[name] += n
			}
			if err != nil {
				if broken++; broken <= 10 {
					t.Error(told(sequence, err))
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	t.Logf("%d sequences in %v, %d broken; %d requests, %d quantities written, %d histories searched", *sequences, time.Since(begun).Round(time.Second), broken, sum.Requests, sum.Writes, sum.Histories)
	t.Logf("passes: %s", counted(sum.Results))
	t.Logf("faults: %s", counted(met))
}

func told(s Sequence, err error) string {
	text := fmt.Sprintf("again: go test ./faults -run TestFaultMatrix -sequences 1 -seed %d\n%v\n%s", s.Seed, err, s)
	var broken *Broken
	if errors.As(err, &broken) {
		text += "\n  " + strings.Join(broken.Passes, "\n  ") + "\n" + broken.Log
	}
	return text
}

func counted(m map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
	}
	return strings.Join(parts, ", ")
}

// What a failure prints plays the same again.
func TestASeedMakesTheSameSequence(t *testing.T) {
	for seed := range uint64(10) {
		one, err := Make(seed)
		require.NoError(t, err)
		two, err := Make(seed)
		require.NoError(t, err)
		require.Equal(t, one, two)
	}
}
