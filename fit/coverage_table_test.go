package fit

import (
	"flag"
	"os"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the coverage table of docs/extrapolation.md")

const coveragePage = "../docs/extrapolation.md"

var page sync.Mutex

// holdsCoverage holds the row of docs/extrapolation.md that begins with what against the cells
// measured; -update rewrites it.
func holdsCoverage(t *testing.T, what string, cells ...string) {
	t.Helper()
	page.Lock()
	defer page.Unlock()
	text, err := os.ReadFile(coveragePage)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	want := "| " + what + " | " + strings.Join(cells, " | ") + " |"
	for i, line := range lines {
		if !strings.HasPrefix(line, "| "+what+" |") {
			continue
		}
		if line == want {
			return
		}
		if !*update {
			t.Errorf("%s:%d is\n%s\nmeasured\n%s", coveragePage, i+1, line, want)
			return
		}
		lines[i] = want
		if err := os.WriteFile(coveragePage, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s has no row %q", coveragePage, what)
}
