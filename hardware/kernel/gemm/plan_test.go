package gemm

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
)

func drawPlan(t *rapid.T) (plan, tile) {
	s := Size{
		M:     rapid.IntRange(1, 400).Draw(t, "m"),
		N:     rapid.IntRange(1, 1500).Draw(t, "n"),
		K:     rapid.IntRange(1, 3000).Draw(t, "k"),
		Outer: rapid.IntRange(1, 3).Draw(t, "outer"),
		Inner: rapid.IntRange(1, 3).Draw(t, "inner"),
	}
	width := tileOf(rapid.SampledFrom(isa.Supported()).Draw(t, "path"))
	return planFor(s, width, rapid.IntRange(1, 9).Draw(t, "threads")), width
}

// Every element of every matrix belongs to exactly one task, and no task is empty or wider than the
// buffers.
func TestTasksCoverTheResultOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, width := drawPlan(t)
		s := p.size
		seen := make([]uint8, s.Outer*s.Inner*s.M*s.N)
		for id := range p.tasks() {
			b := p.block(id)
			if b.rows < 1 || b.cols < 1 {
				t.Fatalf("task %d is empty: %+v", id, b)
			}
			if padded := ceil(b.cols, width.cols) * width.cols; padded > maxColumns+width.cols {
				t.Fatalf("task %d has %d columns with padding, the buffer holds %d", id, padded,
					maxColumns+width.cols)
			}
			for i := b.row; i < b.row+b.rows; i++ {
				for j := b.col; j < b.col+b.cols; j++ {
					seen[(b.matrix*s.M+i)*s.N+j]++
				}
			}
		}
		for i, count := range seen {
			if count != 1 {
				t.Fatalf("element %d of %+v is in %d tasks", i, s, count)
			}
		}
	})
}

// The blocks of the inner dimension follow each other, fit the buffers, and depend on its length
// alone.
func TestDepthsDependOnKAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _ := drawPlan(t)
		other, _ := drawPlan(t)
		at := 0
		for k := range p.depths {
			from, to := p.depth(k)
			if from != at || to <= from || to-from > maxDepth {
				t.Fatalf("block %d of %d is [%d, %d) after %d", k, p.depths, from, to, at)
			}
			at = to
		}
		if at != p.size.K {
			t.Fatalf("blocks end at %d, want %d", at, p.size.K)
		}
		alike := planFor(Size{M: other.size.M, N: other.size.N, K: p.size.K, Outer: 1, Inner: 1},
			tileOf(isa.Generic), 4)
		if alike.depths != p.depths {
			t.Fatalf("K %d is cut into %d blocks here and %d there", p.size.K, p.depths,
				alike.depths)
		}
	})
}
