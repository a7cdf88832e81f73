package fulldisk

import (
	"flag"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

var alone = flag.Bool("alone", false, "the process is the test's own")

// Alone runs the test in a process of its own and tells whether this is that
// one: what it does to the process is nobody else's business. Where it is not,
// the test has nothing more to do.
func Alone(t *testing.T) bool {
	t.Helper()
	if *alone {
		return true
	}
	out, err := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-alone").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in a process of its own: %v\n%s", err, out)
	}
	return false
}

// Limit leaves room for so many bytes in any one file of the process, until
// lift is called or the test ends. Only for a process that has nothing else to
// write.
func Limit(t *testing.T, bytes uint64) (lift func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	set := func(limit syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	}
	set(syscall.Rlimit{Cur: bytes, Max: old.Max})
	lift = func() { set(old) }
	t.Cleanup(lift)
	return lift
}
