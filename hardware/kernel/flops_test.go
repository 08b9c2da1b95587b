package kernel_test

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"pgregory.net/rapid"
)

// Both sides are sums of products of integers below 2⁵³, so they must be the same number. The
// kernel counts the extents that each call of its products had; flops walks a list of operations.
// Masks change nothing: padding is computed.
func TestExecutedFLOPsEqualTheLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := kernel.DrawShape(t)
		o := kernel.DrawOptions(t)
		recompute, mode := o.Recompute == kernel.RecomputeFull, flops.RecomputeNone
		if recompute {
			mode = flops.RecomputeFull
		}
		m, err := kernel.New(&s, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = m.Close() }()
		b := kernel.DrawBatch(t, &s, o)
		work := flops.Workload{
			Batch: o.Batch, EncoderLength: o.EncoderLength,
			DecoderLength: o.DecoderLength,
		}

		r, err := m.Evaluate(b)
		if err != nil {
			t.Fatal(err)
		}
		forward := flops.Forward(&s, work)
		if float64(r.MatmulFLOPs) != forward {
			t.Errorf("forward: executed %d, counted %.0f", r.MatmulFLOPs, forward)
		}
		r, err = m.Step(b, 1e-3)
		if err != nil {
			t.Fatal(err)
		}
		if want := flops.CountUnder(flops.HardwareConvention, &s, work, mode).Step; float64(r.MatmulFLOPs) != want {
			t.Errorf("step: executed %d, counted %.0f", r.MatmulFLOPs, want)
		}
		if !recompute && float64(r.MatmulFLOPs) != 3*forward {
			t.Errorf("step: executed %d, 3 forward passes are %.0f", r.MatmulFLOPs,
				3*forward)
		}
		if m.Parameters() != flops.CountParameters(&s).Total {
			t.Errorf("%d parameters, counted %d", m.Parameters(), flops.CountParameters(&s).Total)
		}
	})
}
