package evidence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// world draws readings from a known law.
type world struct {
	name  string
	truth func(s *shapes.Shape) (loss, score float64)
	draw  func(*rand.Rand) float64 // of variance 1
}

// Standard deviations of a drawn reading: those of the published rows around their law, rounded.
const (
	lossNoise  = 0.015 // nats
	scoreNoise = 1     // points
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
	t := traitsOf(Subject{s, &p})
	away := math.Log(t.aspect / bestAspect)
	loss = 1.25 + 150*math.Pow(t.size, -0.31)*math.Exp(0.04*away*away)
	return loss, 115 - 24*loss - 23/t.encoderLayers
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
	return loss, 95/(1+math.Exp(1.8*(loss-2.4))) + 6*(1-math.Exp(-deep/24))
}

// readingsOf redraws every number of the evidence.
func (w *world) readingsOf(design []reading, r *rand.Rand) []reading {
	out := slices.Clone(design)
	for i := range out {
		m := &out[i]
		loss, score := w.read(m.shape, r)
		redraw := func(at **data.Reading, value float64) {
			if *at != nil {
				*at = &data.Reading{Value: value, Evidence: (*at).Evidence}
			}
		}
		redraw(&m.loss, loss)
		redraw(&m.score, score)
	}
	return out
}

// read returns one reading of a shape.
func (w *world) read(s *shapes.Shape, r *rand.Rand) (loss, score float64) {
	loss, score = w.truth(s)
	return loss + lossNoise*w.draw(r), score + scoreNoise*w.draw(r)
}

// newShapes lie amid the evidence: what happens beyond it is a rule that no drawn reading can
// judge.
var newShapes = []string{
	"t5-efficient-small/nl=16", "t5-efficient-small/nl=20", "t5-efficient-small/nl=28",
	"t5-efficient-base/nl=16", "t5-efficient-base/nl=28", "t5-efficient-base/ff=4096",
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
		list, at = append(list, s), append(at, traitsOf(Subject{&s, &p}))
	}
	return list, at
}

// shares count readings inside intervals: losses and scores of held-out rows, then of new shapes.
type shares struct{ inside, asked [4]int }

func (c *shares) add(i int, value, half, reading float64) {
	c.asked[i]++
	if math.Abs(reading-value) <= half {
		c.inside[i]++
	}
}

// trial asks about each held-out row and about new shapes.
func (w *world) trial(t *testing.T, r *rand.Rand, into *shares) {
	t.Helper()
	design, _ := evidenceFor(SuperGLUE, nil)
	rows := w.readingsOf(design, r)
	p, err := newPredictor(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	left, err := leaveEachOutCalibrated(rows, p.law)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if m := &rows[i]; m.both() {
			h := left[i].predict(&m.traits)
			into.add(0, h.loss, h.lossHalf, m.loss.Value)
			into.add(1, h.score, h.scoreHalf, m.score.Value)
		}
	}
	list, at := newTraits(t)
	for k := range list {
		loss, score := w.read(&list[k], r)
		now := p.predict(&at[k])
		into.add(2, now.loss, now.lossHalf, loss)
		into.add(3, now.score, now.scoreHalf, score)
	}
}

// The intervals hold their level on readings whose law is known, of the fitted form or not.
func TestIntervalsHoldOnDrawnReadings(t *testing.T) {
	draws := 10
	if testing.Short() {
		draws = 2
	}
	// A share of 80 % of 4·10·21 held-out rows has a standard deviation of 1.4 %, doubled because
	// the rows of a draw share their fits. Three of them are 8 %; new shapes of the other form fall
	// outside oftener, by misfit. Short runs ask a fifth as many.
	tolerance := 0.09 * math.Sqrt(10/float64(draws))
	var all shares
	for seed := range draws {
		for n, w := range worlds() {
			w.trial(t, rand.New(rand.NewPCG(uint64(seed), uint64(n))), &all)
		}
	}
	for i, what := range [...]string{
		"losses of held-out rows", "scores of held-out rows",
		"losses of new shapes", "scores of new shapes",
	} {
		share := float64(all.inside[i]) / float64(all.asked[i])
		t.Logf("%s: %.3f inside", what, share)
		if !approx.Close(share, hardware.Level, tolerance) {
			t.Errorf("%.3f of the %s inside", share, what)
		}
	}
}
