package evidence

import (
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// directionOf returns the direction of a row: the one dimension in which it differs from T5-Base,
// the sizes above Large, or empty.
func directionOf(m *reading, base *traits) string {
	t := &m.traits
	same := t.depthRatio == 1 && t.innerRatio*t.dModel == base.innerRatio*base.dModel
	dff := t.ffnRatio*t.dModel == base.ffnRatio*base.dModel
	const large = 737_668_096 // parameters of T5-Large
	switch {
	case same && dff && t.dModel == base.dModel && t.encoderLayers != base.encoderLayers:
		return "nl"
	case same && dff && t.dModel != base.dModel && t.encoderLayers == base.encoderLayers:
		return "dm"
	case same && !dff && t.dModel == base.dModel && t.encoderLayers == base.encoderLayers:
		return "ff"
	case t.params > large:
		return "above Large"
	}
	return ""
}

// Whole directions are predicted from the rows of the others; they are read off the shapes: all other
// depths, widths and feed-forwards of Base, and the sizes above Large. The figures are from another
// program, a throw-away fit in SciPy (2026-11-28).
func TestDirections(t *testing.T) {
	rows, p := shipped(t)
	base, err := fitPublished(rows, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	t5base := slices.IndexFunc(rows, func(m reading) bool { return m.shape.Name == "t5-efficient-base" })
	var ours, size errorsOf
	for name, want := range map[string]int{"nl": 6, "dm": 3, "ff": 3, "above Large": 7} { // of the 21 points
		away := func(m reading) bool { return directionOf(&m, &rows[t5base].traits) == name }
		rest := slices.DeleteFunc(slices.Clone(rows), away)
		law, err := fitPublished(rest, false, p.law)
		if err != nil {
			t.Fatal(err)
		}
		bySize, err := fitPublished(rest, true, base)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for i := range rows {
			if m := &rows[i]; away(*m) && m.both() {
				ours.add(m, law.lossAt(&m.traits), law.scoreAt(&m.traits))
				size.add(m, bySize.lossAt(&m.traits), bySize.scoreAt(&m.traits))
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d rows, want %d", name, n, want)
		}
	}
	loss, score := fit.Median(ours.loss), fit.RMS(ours.score)
	if !(loss <= maxDirectionMedian) {
		t.Errorf("a direction left out: median %.4f nats", loss)
	}
	for name, c := range map[string][3]float64{
		"loss": {loss, 0.0097, 1e-4}, "loss by size": {fit.Median(size.loss), 0.0119, 1e-4},
		"score": {score, 1.117, 1e-3}, "score by size": {fit.RMS(size.score), 1.794, 1e-3},
	} {
		if !approx.Close(c[0], c[1], c[2]) {
			t.Errorf("%s: %.5f, want %.4f", name, c[0], c[1])
		}
	}
}
