package recommend_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Whatever is asked, rows keep the limits and the constraints, and a refusal names what binds with
// a value beyond it.
func TestAnswersKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		align := rapid.SampledFrom([]int{64, 128}).Draw(t, "align")
		request := recommend.Request{
			Family: rapid.SampledFrom([]shapes.Family{shapes.T5, shapes.T511}).Draw(t, "family"),
			Objective: rapid.SampledFrom([]plan.Metric{
				plan.Params, plan.RunFLOPs,
				recommend.BestQuality,
			}).Draw(t, "objective"),
			Basis: evidence.Basis{JudgedBy: rapid.SampledFrom([]evidence.JudgedBy{
				evidence.ByDownstream, evidence.ByUpstream,
			}).Draw(t, "judge")},
			Caps: map[plan.Metric]float64{
				plan.Params:   rapid.Float64Range(1e6, 2e9).Draw(t, "params"),
				plan.RunFLOPs: rapid.Float64Range(1e18, 1e21).Draw(t, "flops"),
			},
			Constraints: recommend.Constraints{
				MinDModel: rapid.IntRange(0, 768).Draw(t, "narrowest"),
				MinDepth:  rapid.IntRange(1, 12).Draw(t, "shallowest"),
				MaxDepth:  rapid.IntRange(12, 40).Draw(t, "deepest"),
				TieDepths: rapid.Bool().Draw(t, "tied"), Align: align,
			},
		}
		r, err := recommend.Recommend(request)
		var none *recommend.NoAnswerError
		if errors.As(err, &none) {
			for _, l := range none.Binding {
				if l.Value != request.Caps[l.Metric] || l.Nearest <= l.Value {
					t.Fatalf("binding %+v of caps %v", l, request.Caps)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		c := &request.Constraints
		for _, row := range r.Rows {
			s := &row.Shape
			const rounding = 1 + 1e-12
			switch {
			case float64(row.Params.Total) > request.Caps[plan.Params] ||
				row.RunFLOPs.Interval.Value > rounding*request.Caps[plan.RunFLOPs]:
				t.Fatalf("%s breaks a limit", s.Name)
			case s.DModel < c.MinDModel || s.DModel%align != 0 || s.Encoder.DFF%align != 0 ||
				s.Encoder.Inner()%align != 0:
				t.Fatalf("%s breaks a constraint on width", s.Name)
			case min(s.Encoder.Layers, s.Decoder.Layers) < c.MinDepth ||
				max(s.Encoder.Layers, s.Decoder.Layers) > c.MaxDepth:
				t.Fatalf("%s breaks a constraint on depth", s.Name)
			case c.TieDepths && s.Encoder.Layers != s.Decoder.Layers:
				t.Fatalf("%s has unequal stacks", s.Name)
			case flops.CountParameters(s) != row.Params:
				t.Fatalf("%s counts to another number of parameters", s.Name)
			}
		}
		if r.Pick() == nil || len(r.Rows) > 12 {
			t.Fatalf("%d rows, the pick %v", len(r.Rows), r.Pick())
		}
	})
}
