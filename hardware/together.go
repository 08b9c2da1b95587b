package hardware

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Together is how far the logarithms of two predicted times are off, and how far they are off together:
// the variances of ln(measured/predicted), and their covariance.
type Together struct {
	A, B, Both float64
}

// StepsTogether returns it of the training steps of two runs.
//
//	A = residual² + gₐᵀ·Σ·gₐ, B alike, Both = residual²·(1 − apart) + gₐᵀ·Σ·g_b
//
// g are the slopes of the logarithm in those of the constants, Σ their covariance, as in [Predict]: what
// is wrong with a constant is wrong for both runs. The residual is what the constants miss of one model;
// two models share it the less the more they differ:
//
//	apart = min(1, Σ |ln ratio|) over depths, widths, vocabulary, batch and lengths
//
// and 1 where anything but a size differs. So a model has no error of difference with itself, and models
// that differ by a factor of e in a size share nothing but the constants. Of two machines, or two
// software stacks, nothing is taken to be shared.
//
// How fast apart rises is our choice, on the safe side: for 63 pairs of published steps of one model whose
// FLOPs differ by 1.3 to 1.6 the residuals share four fifths of their variance (by the median), and for
// pairs of different models, which differ by more than a size in all published rows, nothing.
func StepsTogether(a, b *Run) Together {
	return together(a, b, (*Run).trainingStep, firstOfDecoding, 0)
}

// GenerationsTogether is [StepsTogether] of the times to generate all answers, see [PredictDecoding]. What
// frameworks and engines differ by is shared.
func GenerationsTogether(a, b *Run) Together {
	return together(a, b, (*Run).generation, constants, DecodeSD)
}

// generation is the time to generate all answers of a run.
func (r *Run) generation() timing {
	return func(m *Machine) float64 {
		t := m.decode(&r.Shape, r.Workload, r.Layout, r.Generation)
		return t.total(max(1, r.Workload.DecoderLength-r.Generation.Prompt))
	}
}

func together(a, b *Run, of func(*Run) timing, to Constant, shared float64) Together {
	var out Together
	var slopes [2][constants]float64
	var fits [2]Calibration
	for i, r := range []*Run{a, b} {
		m, c, err := r.machine()
		if err != nil {
			return out // such a run was not predicted
		}
		fits[i] = c
		time := of(r)
		slopes[i] = fits[i].slopes(r, time, time(&m), to)
	}
	product := func(i, k int) float64 {
		sum := 0.0
		for m := range constants {
			for n := range constants {
				sum += slopes[i][m] * fits[0].Covariance[m][n] * slopes[k][n]
			}
		}
		return sum
	}
	residual := fits[0].Residual * fits[0].Residual
	out.A, out.B = residual+max(0, product(0, 0))+shared*shared, residual+max(0, product(1, 1))+shared*shared
	if a.Profile.Name == b.Profile.Name && a.Software.Stack == b.Software.Stack && a.Compiled() == b.Compiled() {
		out.Both = residual*(1-apart(a, b)) + product(0, 1) + shared*shared
	}
	return out
}

// apart says how much two runs on one machine differ, from 0 to 1; see [StepsTogether].
func apart(a, b *Run) float64 {
	sizes := func(r *Run) []int {
		s, w := &r.Shape, r.Workload
		e, d := &s.Encoder, &s.Decoder
		return []int{
			s.DModel, s.Vocab, e.Layers, e.DFF, e.Inner(), e.KVInner(), d.Layers, d.DFF, d.Inner(), d.KVInner(),
			w.Batch, w.EncoderLength, w.DecoderLength,
		}
	}
	other := b.Shape // with the sizes of a
	other.Name, other.Family, other.DModel, other.Vocab = a.Shape.Name, a.Shape.Family, a.Shape.DModel, a.Shape.Vocab
	for _, k := range []struct{ to, from *shapes.Stack }{{&other.Encoder, &a.Shape.Encoder}, {&other.Decoder, &a.Shape.Decoder}} {
		k.to.Layers, k.to.DFF, k.to.DKV, k.to.Heads, k.to.KVHeads =
			k.from.Layers, k.from.DFF, k.from.DKV, k.from.Heads, k.from.KVHeads
	}
	la, lb := a.Layout.For(a.Workload), b.Layout.For(b.Workload)
	la.MicroBatch, la.Accumulate = lb.MicroBatch, lb.Accumulate // which follow from the batch
	if other != a.Shape || la != lb || a.Execution != b.Execution || a.Software.ContextParallel != b.Software.ContextParallel ||
		a.Software.ExpertParallel != b.Software.ExpertParallel {
		return 1
	}
	sum := 0.0
	mine, theirs := sizes(a), sizes(b)
	for i := range mine {
		if mine[i] != theirs[i] {
			sum += math.Abs(math.Log(float64(mine[i]) / float64(theirs[i]))) // infinite where one lacks it
		}
	}
	return min(1, sum)
}

// Difference returns what b is more than a, both amounts in one unit that grow, or fall, in proportion to
// the times: time, money, energy. The interval is the central 80 % one. a's own interval may be wider than
// its time alone makes it, by what the rates of both share: price, power, goodput.
//
//	var(b − a) = b²·B + a²·A − 2·a·b·Both, and (b − a)²·var(rates)
//
// Where [Together.Relative] knows the sign the error is taken of the logarithm, as the rates keep it.
func (t Together) Difference(a, b quantity.Interval) quantity.Interval {
	const z = fit.NormalQuantile90
	delta := b.Value - a.Value
	times := z * z * max(0, b.Value*b.Value*t.B+a.Value*a.Value*t.A-2*a.Value*b.Value*t.Both)
	share := t.Relative(a.Value, b.Value)
	signed := share.Low > 0 || share.High < 0
	side := func(log float64) float64 { // of a's interval
		rates := max(0, log*log-z*z*t.A)
		if signed {
			return math.Sqrt(times/(delta*delta) + rates)
		}
		return math.Sqrt(times + delta*delta*rates)
	}
	sides := []float64{side(math.Log(a.Value / a.Low)), side(math.Log(a.High / a.Value))}
	if signed {
		ends := []float64{delta * math.Exp(-sides[0]), delta * math.Exp(sides[1])}
		slices.Sort(ends)
		return quantity.Interval{Value: delta, Low: ends[0], High: ends[1]}
	}
	if delta < 0 { // more of what the rates multiply is less of the difference
		slices.Reverse(sides)
	}
	return quantity.Interval{Value: delta, Low: delta - sides[0], High: delta + sides[1]}
}

// Relative returns (b − a)/a with its central 80 % interval: what multiplies both cancels.
func (t Together) Relative(a, b float64) quantity.Interval {
	ratio := logNormal(b/a, max(0, t.A+t.B-2*t.Both))
	return quantity.Interval{Value: ratio.Value - 1, Low: ratio.Low - 1, High: ratio.High - 1}
}
