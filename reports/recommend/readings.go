package recommend

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// reading is one published shape with what was measured of it. All are runs of Tay et al. 2021
// (arXiv 2109.10686): one set-up, one scale of losses.
type reading struct {
	name     string // the paper's
	shape    shapes.Shape
	traits   traits
	upstream *data.Reading // loss in nats a token
	score    *data.Reading // mean of GLUE, SuperGLUE and SQuAD in points
	table    bool          // score is an average of the paper's DeepNarrow table
	// converted says that score comes from SuperGLUE alone, through its line on the rows that have
	// both.
	converted bool
	superGLUE *data.Reading
}

// convertedWeight is what a converted score counts beside a full one: the conversion misses by as
// much again as the link itself does.
const convertedWeight = 0.5

func (m *reading) weight() float64 {
	if m.converted {
		return convertedWeight
	}
	return 1
}

// traits are what the laws read of an encoder-decoder.
type traits struct {
	params   float64
	balanced float64 // 2/(1/Ne + 1/Nd) of the matrix parameters of encoder and decoder layers
	// The dimensions in which evidence is near or far.
	encoderLayers, depthRatio, dModel, ffnRatio, innerRatio, heads float64
}

func traitsOf(s *shapes.Shape, p *flops.Parameters) traits {
	encoder := float64(p.By[flops.EncoderAttention] + p.By[flops.EncoderFFN])
	decoder := float64(p.By[flops.DecoderAttention] + p.By[flops.DecoderCrossAttention] +
		p.By[flops.DecoderFFN])
	d := float64(s.DModel)
	return traits{
		params: float64(p.Total), balanced: 2 * encoder * decoder / (encoder + decoder),
		encoderLayers: float64(s.Encoder.Layers), depthRatio: float64(s.Decoder.Layers) / float64(
			s.Encoder.Layers),
		dModel: d, ffnRatio: float64(s.Encoder.DFF) / d, innerRatio: float64(s.Encoder.Inner()) / d,
		heads: float64(s.Encoder.Heads),
	}
}

// readings returns the published rows of the allowed classes, one a shape. A shape in the tables
// and in Figure 1 keeps the tables' number.
func readings(allowed []data.Evidence) []reading {
	var all []reading
	at := func(name, ref string) *reading {
		s, err := shapes.Parse(ref)
		if err != nil {
			panic("recommend: embedded results name no shape: " + err.Error()) // a mistake of ours
		}
		if i := slices.IndexFunc(all, func(m reading) bool { return m.shape.SameArchitecture(s) }); i >= 0 {
			return &all[i]
		}
		p := flops.CountParameters(&s)
		all = append(all, reading{name: name, shape: s, traits: traitsOf(&s, &p)})
		return &all[len(all)-1]
	}
	keep := func(into **data.Reading, from *data.Reading, sign float64) {
		if *into == nil && from != nil && (len(allowed) == 0 ||
			slices.Contains(allowed, from.Evidence)) {
			*into = &data.Reading{Value: sign * from.Value, Evidence: from.Evidence}
		}
	}
	for _, r := range data.PaperResults() {
		m := at(r.Model, r.Shape)
		keep(&m.upstream, r.Upstream, -1)
		keep(&m.score, r.Average, 1)
		m.table = m.table || r.Average != nil
		keep(&m.superGLUE, r.SuperGLUE, 1)
		if r.Average == nil && r.GLUE != nil && r.SuperGLUE != nil && r.SQuAD != nil {
			keep(&m.score, &data.Reading{
				Value:    (r.GLUE.Value + r.SuperGLUE.Value + r.SQuAD.Value) / 3,
				Evidence: data.Weakest(r.GLUE.Evidence, r.SuperGLUE.Evidence, r.SQuAD.Evidence),
			}, 1)
		}
	}
	for _, r := range data.Figure1Readings() {
		if r.Shape == "" {
			continue
		}
		m := at(r.Label, r.Shape)
		keep(&m.upstream, &data.Reading{
			Value:    (r.UpstreamLow + r.UpstreamHigh) / 2,
			Evidence: r.Evidence,
		}, -1)
		if r.SuperGLUELow != nil {
			keep(&m.superGLUE, &data.Reading{
				Value:    (*r.SuperGLUELow + *r.SuperGLUEHigh) / 2,
				Evidence: r.Evidence,
			}, 1)
		}
	}
	return slices.DeleteFunc(all, func(m reading) bool { return m.upstream == nil && m.score == nil && m.superGLUE == nil })
}

// convert fills the scores of rows that have SuperGLUE only, by the line of the average on
// SuperGLUE over the rows that have both. Fewer than three such rows leave them out.
func convert(all []reading) []reading {
	var x, y, w []float64
	for i := range all {
		if m := &all[i]; m.score != nil && m.superGLUE != nil {
			x, y, w = append(x, 1, m.superGLUE.Value), append(y, m.score.Value), append(w, 1)
		}
	}
	out := slices.Clone(all)
	if len(y) < 3 {
		return out
	}
	line, ok := leastSquares(x, y, w)
	for i := range out {
		if m := &out[i]; ok && m.score == nil && m.superGLUE != nil {
			m.score = &data.Reading{
				Value:    line.at([]float64{1, m.superGLUE.Value}),
				Evidence: m.superGLUE.Evidence,
			}
			m.converted = true
		}
	}
	return out
}

// linear is a weighted least-squares fit.
type linear struct {
	coef    []float64
	inverse []float64 // of XᵀWX, row by row
}

// leastSquares fits rows of len(x)/len(y) features; it is not ok when they are collinear.
func leastSquares(x, y, weight []float64) (linear, bool) {
	n := len(x) / len(y)
	normal, right := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for r := range y {
		row := mat.NewVecDense(n, x[r*n:(r+1)*n])
		normal.SymRankOne(normal, weight[r], row)
		right.AddScaledVec(right, weight[r]*y[r], row)
	}
	// Columns are brought to one length first, so that the condition is about their directions.
	scale := make([]float64, n)
	for j := range scale {
		if scale[j] = math.Sqrt(normal.At(j, j)); scale[j] == 0 {
			return linear{}, false
		}
	}
	for j := range n {
		right.SetVec(j, right.AtVec(j)/scale[j])
		for k := j; k < n; k++ {
			normal.SetSym(j, k, normal.At(j, k)/scale[j]/scale[k])
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(normal) || factor.Cond() > maxCondition {
		return linear{}, false
	}
	solution, inverse := mat.NewVecDense(n, nil), mat.NewSymDense(n, nil)
	if factor.SolveVecTo(solution, right) != nil || factor.InverseTo(inverse) != nil {
		return linear{}, false
	}
	out := linear{coef: make([]float64, n), inverse: make([]float64, n*n)}
	for j := range n {
		out.coef[j] = solution.AtVec(j) / scale[j]
		for k := range n {
			out.inverse[j*n+k] = inverse.At(j, k) / scale[j] / scale[k]
		}
	}
	return out, true
}

// maxCondition of XᵀWX leaves half of float64's digits to the coefficients.
const maxCondition = 1e8

// at returns the fitted value.
func (l *linear) at(x []float64) float64 {
	sum := 0.0
	for j, c := range l.coef {
		sum += c * x[j]
	}
	return sum
}

// leverage returns xᵀ(XᵀWX)⁻¹x: the variance of the fitted value in units of the residual's.
func (l *linear) leverage(x []float64) float64 {
	n, sum := len(x), 0.0
	for i := range n {
		for j := range n {
			sum += x[i] * l.inverse[i*n+j] * x[j]
		}
	}
	return sum
}
