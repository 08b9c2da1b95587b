package check_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/deepnarrow/deepnarrow/reports/check"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// BenchmarkNotDominated judges 500 configurations by the one rule that searches.
func BenchmarkNotDominated(b *testing.B) {
	q := check.Request{
		Rules: check.Rules{Rules: []check.Rule{{ID: "not-dominated", Severity: check.Warning}}},
		Today: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for i := range 500 {
		s, err := shapes.Parse(fmt.Sprintf("t5-base/el=%d,dl=%d,dm=%d,ff=%d,nh=%d",
			2+i%30, 2+i/30, 256+128*(i%7), 1024+256*(i%11), 4+2*(i%7)))
		if err != nil {
			b.Fatal(err)
		}
		name := fmt.Sprintf("c%d.json", i)
		q.Candidates = append(q.Candidates,
			check.Candidate{File: name, Path: name, Config: &config.Result{Shape: s}})
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := check.Check(q); r.Count(check.InError) > 0 {
			b.Fatal(r.Findings[0].Message)
		}
	}
}
