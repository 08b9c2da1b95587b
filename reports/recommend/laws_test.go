package recommend_test

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestOpinions(t *testing.T) {
	list := []shapes.Shape{decoder(t, 1024, 8), decoder(t, 512, 32)}
	tokens := []float64{20e9, 20e9}
	const rounding = 1e-12
	seen := map[string]recommend.Opinion{}
	for _, o := range recommend.Opinions(list, tokens) {
		seen[o.Law] = o
	}
	n := float64(flops.CountParameters(&list[0]).Total)
	for law, want := range map[string]float64{
		// Constants as the sources print them: Hoffmann et al. 2022; Epoch's refit (shared data
		// notes).
		"chinchilla": 1.69337 + 406.401/math.Pow(n, 0.339171) +
			410.723/math.Pow(20e9, 0.284908),
		"chinchilla-epoch": 1.81686 + 482.00572/math.Pow(n, 0.34781) +
			2085.43420/math.Pow(20e9, 0.36585),
		"gemstones-hot": math.Exp(1.4520)/math.Pow(1024, 0.2447) +
			math.Exp(-0.0781)/math.Pow(8, 0.3872) +
			math.Exp(7.9700)/math.Pow(n, 0.5001) + math.Exp(10.0594)/math.Pow(20e9, 0.4761) +
			math.Exp(0.3925),
	} {
		o, ok := seen[law]
		if !ok || o.Missing != "" || len(o.Loss) != 2 {
			t.Errorf("%s: %+v", law, o)
			continue
		}
		if !approx.Relative(o.Loss[0], want, rounding) {
			t.Errorf("%s: loss %.6f, want %.6f", law, o.Loss[0], want)
		}
	}
	levine := seen["levine-depth-width"]
	if want := 1024 / math.Exp(5.039+0.0555*8); len(levine.WidthRatio) != 2 || !approx.Relative(
		levine.WidthRatio[0], want, rounding) {
		t.Errorf("levine: %+v, want a width ratio of %.3f", levine, want)
	}
	if len(seen) < 6 {
		t.Errorf("%d laws, want the three of Chinchilla, both Gemstones and Levine's", len(seen))
	}
	for _, o := range recommend.Opinions([]shapes.Shape{parse(t, "t5-base")}, []float64{34e9}) {
		if o.Missing == "" || o.Loss != nil || o.WidthRatio != nil {
			t.Errorf("%s, of decoder-only models, speaks of t5-base: %+v", o.Law, o)
		}
	}
}

// The inverse question: the least that reaches a quality.
func TestTarget(t *testing.T) {
	target := 76.0
	r, err := recommend.Recommend(recommend.Request{Target: &target, Objective: plan.Params, Source: recommend.Catalogue})
	if err != nil {
		t.Fatal(err)
	}
	pick := r.Pick()
	if pick.Quality.Downstream.Interval.Value < target {
		t.Errorf("the pick %s is predicted at %.2f", pick.Shape.Name,
			pick.Quality.Downstream.Interval.Value)
	}
	for _, row := range r.Rows {
		if row.Params.Total < pick.Params.Total && row.Quality.Downstream.Interval.Value > target &&
			row.Class <= recommend.Interpolated {
			t.Errorf("%s reaches the target with fewer parameters than the pick %s", row.Shape.Name,
				pick.Shape.Name)
		}
	}
	impossible := 99.0
	if r, err := recommend.Recommend(recommend.Request{Target: &impossible, Source: recommend.Catalogue}); err == nil {
		t.Errorf("a score of 99 is reached by %s", r.Rows[0].Shape.Name)
	}
}
