package records

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkMillionRows reads a table of a million rows and three of its columns, the time of a fit
// apart.
func BenchmarkMillionRows(b *testing.B) {
	var text strings.Builder
	text.WriteString("run,step,tokens,params,loss\n")
	for r := range 1000 {
		for s := 1; s <= 1000; s++ {
			fmt.Fprintf(&text, "run-%d,%d,%d,%d,%.6f\n", r, 10*s, s*1_000_000, (1+r%50)*10_000_000, law(5, int64(s)))
		}
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		table, err := readFile("runs.csv", strings.NewReader(text.String()))
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range []string{"params", "tokens", "loss"} {
			if _, err := table.Numbers(name); err != nil {
				b.Fatal(err)
			}
		}
	}
}
