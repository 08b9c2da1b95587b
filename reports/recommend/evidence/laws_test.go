package evidence

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestOpinions(t *testing.T) {
	shallow, _, _ := traitsFor(t, "gpt2/nl=8,dm=1024,ff=4096,nh=16")
	deep, _, _ := traitsFor(t, "gpt2/nl=32,dm=512,ff=2048,nh=8")
	list := []shapes.Shape{shallow, deep}
	tokens := []float64{20e9, 20e9}
	seen := map[string]Opinion{}
	for _, o := range Opinions(list, tokens) {
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
	base, _, _ := traitsFor(t, "t5-base")
	for _, o := range Opinions([]shapes.Shape{base}, []float64{34e9}) {
		if o.Missing == "" || o.Loss != nil || o.WidthRatio != nil {
			t.Errorf("%s, of decoder-only models, speaks of t5-base: %+v", o.Law, o)
		}
	}
}
