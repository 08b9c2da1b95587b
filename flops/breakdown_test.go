package flops

import (
	"testing"

	"pgregory.net/rapid"
)

// TestBreakdownsAddUp: every breakdown sums to the ledger's totals.
func TestBreakdownsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := randomShape(t), randomWorkload(t)
		l := NewLedger(&s, w)
		for name, rows := range map[string][]Share{
			"op": l.ByOp(), "component": l.ByComponent(),
			"layer": l.ByLayer(&s),
		} {
			sum := Share{}
			for _, r := range rows {
				sum.Params += r.Params
				sum.Forward += r.Forward
				sum.Vector += r.Vector
			}
			if want := (Share{Params: parametersOf(l), Forward: matmulsOf(l), Vector: l.vector()}); sum != want {
				t.Fatalf("by %s sums to %+v, ledger %+v", name, sum, want)
			}
		}
	})
}
