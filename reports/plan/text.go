package plan

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// LayoutText writes how a resolved run is laid out, all that a search chooses: "dp 16", "dp 8, tp 2,
// zero 1, 4 × micro-batch 2, sequence parallel, recompute full".
func LayoutText(run *hardware.Run) string {
	l, s := run.Layout, run.Software
	var parts []string
	for _, axis := range []struct {
		name string
		n    int
	}{
		{"dp", l.DP},
		{"tp", l.TP},
		{"pp", l.PP},
		{"context", s.ContextParallel},
		{"expert", s.ExpertParallel},
		{"interleave", l.Interleave},
	} {
		if axis.n > 1 {
			parts = append(parts, fmt.Sprintf("%s %d", axis.name, axis.n))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "single")
	}
	if l.ZeRO > 0 {
		parts = append(parts, fmt.Sprintf("zero %d", l.ZeRO))
	}
	if l.Accumulate > 1 {
		parts = append(parts, fmt.Sprintf("%d × micro-batch %d", l.Accumulate, l.MicroBatch))
	}
	if l.SequenceParallel && l.TP > 1 {
		parts = append(parts, "sequence parallel")
	}
	if mode := run.Execution.Recompute; mode != flops.RecomputeNone {
		parts = append(parts, "recompute "+mode.String())
	}
	return strings.Join(parts, ", ")
}
