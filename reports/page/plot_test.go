package page

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Any finite numbers that a document can hold are laid out, with few ticks and finite pixels. That
// the test ends is what it shows: over a linear axis of large numbers the drawing once did not.
func TestAnyRangeIsLaidOut(t *testing.T) {
	positive := rapid.Map(rapid.Float64Range(-300, 300),
		func(e float64) float64 { return math.Pow(10, e) })
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]*rapid.Generator[float64]{
			rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64), positive,
			rapid.Float64Range(1e9, 8e9), rapid.Just(3.0), rapid.Float64Range(-1, 1),
		}).Draw(t, "kind")
		n := rapid.IntRange(1, 6).Draw(t, "rows")
		list := func(of *rapid.Generator[float64], name string) []float64 {
			return rapid.SliceOfN(of, n, n).Draw(t, name)
		}
		f := result.Fit{Response: "loss"}
		f.Plot = &result.Plot{
			X:     rapid.SampledFrom([]string{"tokens", "step", "x"}).Draw(t, "x"),
			Level: 0.8,
		}
		f.Plot.Rows = result.PlotRows{
			X: list(number, "x"), Recorded: list(number, "y"),
			Predicted: list(number, "p"), Residual: list(rapid.Float64Range(-700, 700), "r"),
		}
		if rapid.Bool().Draw(t, "curve") {
			y := list(number, "cy")
			f.Plot.Curve = &result.Curve{X: list(number, "cx"), Value: y, Low: y, High: y}
		}
		for _, p := range fitPlots(&f) {
			if !p.lay() {
				continue
			}
			const most = 24
			if len(p.XTicks) > most || len(p.YTicks) > most {
				t.Fatalf("%d and %d ticks", len(p.XTicks), len(p.YTicks))
			}
			for _, k := range append(p.XTicks, p.YTicks...) {
				if math.IsNaN(k.At) || math.IsInf(k.At, 0) || utf8.RuneCountInString(k.Text) > 16 {
					t.Fatalf("tick %v %q", k.At, k.Text)
				}
			}
			for _, d := range p.Dots {
				if math.IsNaN(d.PX+d.PY) || math.IsInf(d.PX+d.PY, 0) {
					t.Fatalf("dot at %v, %v", d.PX, d.PY)
				}
			}
			for _, path := range append(p.Lines, line{Path: p.Area}) {
				if strings.Contains(path.Path, "NaN") {
					t.Fatal("a path through nothing")
				}
			}
		}
	})
}
