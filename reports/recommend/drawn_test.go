package recommend

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// world draws readings from a known law.
type world struct {
	name  string
	truth func(s *shapes.Shape) (loss, score float64)
	draw  func(*rand.Rand) float64 // of variance 1
}

// Standard deviations of a drawn reading: those of the published rows around their law, rounded. A
// point read off the figure errs once more by as much.
const (
	lossNoise      = 0.01 // nats
	scoreNoise     = 0.4  // points
	superGLUENoise = 0.6  // points, around its line on the score
)

func worlds() []world {
	gauss := func(r *rand.Rand) float64 { return r.NormFloat64() }
	heavy := func(r *rand.Rand) float64 {
		const degrees = 3
		t := distuv.StudentsT{Sigma: 1, Nu: degrees}
		return t.Quantile(r.Float64()) / math.Sqrt(degrees/(degrees-2))
	}
	return []world{
		{"same form, Gaussian", sameForm, gauss},
		{"same form, Student t3", sameForm, heavy},
		{"other form, Gaussian", otherForm, gauss},
		{"other form, Student t3", otherForm, heavy},
	}
}

// sameForm is a [publishedLaw] with round coefficients.
func sameForm(s *shapes.Shape) (loss, score float64) {
	p := flops.CountParameters(s)
	t := traitsOf(s, &p)
	loss = 1.25 + 100*math.Pow(t.balanced, -0.29)
	return loss, 100 - 15*loss + 2*math.Log(min(t.encoderLayers, plateau))
}

// otherForm has the product of two power laws (Ghorbani et al. 2021, arXiv 2109.07740) in place of
// the balanced size, a best aspect ratio, a sigmoid link and a gain of depth that saturates and
// counts the decoder. The fitted form misses it by about as much as the noise.
func otherForm(s *shapes.Shape) (loss, score float64) {
	p := flops.CountParameters(s)
	encoder := float64(p.By[flops.EncoderAttention] + p.By[flops.EncoderFFN])
	decoder := float64(p.By[flops.DecoderAttention] + p.By[flops.DecoderCrossAttention] +
		p.By[flops.DecoderFFN])
	deep := float64(s.Encoder.Layers + s.Decoder.Layers)
	aspect := math.Log(2 * float64(s.DModel) / deep / 64)
	loss = 1.2 + 75*math.Pow(encoder, -0.10)*math.Pow(decoder, -0.17) + 0.025*aspect*aspect
	return loss, 95/(1+math.Exp(1.8*(loss-2.6))) + 5*(1-math.Exp(-deep/24))
}

// readingsOf redraws every number of the evidence.
func (w *world) readingsOf(design []reading, r *rand.Rand) []reading {
	out := slices.Clone(design)
	for i := range out {
		m := &out[i]
		blur := 1.0
		if !m.table {
			blur = math.Sqrt2
		}
		loss, score := w.read(&m.shape, r, blur)
		const slope, offset = 1.4, -40 // SuperGLUE on the score, as in the tables
		superGLUE := offset + slope*score + superGLUENoise*w.draw(r)
		redraw := func(at **data.Reading, value float64) {
			if *at != nil {
				*at = &data.Reading{Value: value, Evidence: (*at).Evidence}
			}
		}
		redraw(&m.upstream, loss)
		redraw(&m.score, score)
		redraw(&m.superGLUE, superGLUE)
	}
	return out
}

// read returns one reading of a shape.
func (w *world) read(s *shapes.Shape, r *rand.Rand, blur float64) (loss, score float64) {
	loss, score = w.truth(s)
	return loss + blur*lossNoise*w.draw(r), score + blur*scoreNoise*w.draw(r)
}

// newShapes lie amid the evidence: what happens beyond it is a rule that no drawn reading can
// judge.
var newShapes = []string{
	"t5-efficient-mini/nl=16", "t5-efficient-small/nl=14", "t5-efficient-small/nl=28",
	"t5-efficient-small/el=24,dl=12",
	"t5-efficient-base/nl=16", "t5-efficient-base/nl=28", "t5-efficient-base/el=24,dl=12",
	"t5-efficient-large/nl=16", "t5-efficient-large/nl=28", "t5-efficient-xl/nl=16",
}

func newTraits(t testing.TB) (list []shapes.Shape, at []traits) {
	t.Helper()
	for _, name := range newShapes {
		s, err := shapes.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		p := flops.CountParameters(&s)
		list, at = append(list, s), append(at, traitsOf(&s, &p))
	}
	return list, at
}
