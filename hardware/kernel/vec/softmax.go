package vec

import "math"

// Masked, added to a score, takes it out of its row's softmax: its probability is exactly 0.
const Masked float32 = -1e30

// maskedBelow is where a score counts as masked: Masked plus any real score, bias or second mask
// lies below it.
const maskedBelow = Masked / 10

// SoftmaxOptions says what is added to the scores and how far a row reaches. The zero value is the
// plain softmax.
type SoftmaxOptions struct {
	Bias     []float32 // added element by element, the shape of the scores; nil for none
	Mask     []float32 // added to every row: 0 or Masked a column; nil for none
	Causal   bool      // row r sees columns 0 … FirstRow+r, the rest get probability 0
	FirstRow int       // with Causal: which row of the whole the block starts at
}

// Softmax turns each row of scores, cols wide, into probabilities in place.
//
//	p_j = exp(x_j + bias_j + mask_j − m) / Σ_k exp(x_k + bias_k + mask_k − m), m the largest of the row
//
// exp has a relative error below 3e-6 and is 0 below e^−87. A row whose every score is masked
// becomes all zeros; a row with NaN or +Inf becomes NaN. Not modelled: dropout, a scale (T5 has
// none).
func (s *Set) Softmax(scores []float32, cols int, o SoftmaxOptions) {
	rows := rowsOf(scores, cols)
	if o.Bias != nil {
		exactly(o.Bias, len(scores))
	}
	if o.Mask != nil {
		exactly(o.Mask, cols)
	}
	var e exponentials
	for r := range rows {
		row := scores[r*cols : (r+1)*cols]
		if o.Causal {
			seen := min(cols, o.FirstRow+r+1)
			clear(row[seen:])
			row = row[:seen]
		}
		var bias []float32
		if o.Bias != nil {
			bias = o.Bias[r*cols:]
		}
		e.take(s, row, bias, o.Mask)
		if e.sum != 0 {
			e.normalise(s, row, 1/e.sum)
		}
	}
}

// SoftmaxBackward writes the gradient of the scores: dx_j = p_j·(dy_j − Σ_k p_k·dy_k) for each row
// of cols. dx may be dy.
func (s *Set) SoftmaxBackward(dx, dy, p []float32, cols int) {
	exactly(dy, len(dx))
	exactly(p, len(dx))
	for r := range rowsOf(dx, cols) {
		lo, hi := r*cols, (r+1)*cols
		s.k.softmaxGrad(dx[lo:hi], dy[lo:hi], p[lo:hi], s.k.dot(p[lo:hi], dy[lo:hi]))
	}
}

const (
	// shortestChunk of a row that is exponentiated around its own maximum while it lies in the
	// first-level cache.
	shortestChunk = 2048
	maxChunks     = 256
)

// exponentials is a row after x = exp(x − top) with a top of its own for each chunk.
type exponentials struct {
	chunk int
	tops  [maxChunks]float32
	max   float32 // of the row
	sum   float64 // Σ exp(x − max) of the row; 0 if all is masked
}

// take replaces row by its exponentials. bias and mask may be nil, or longer than row.
func (e *exponentials) take(s *Set, row, bias, mask []float32) {
	e.chunk = shortestChunk
	for e.chunk*maxChunks < len(row) {
		e.chunk *= 2
	}
	e.max, e.sum = float32(math.Inf(-1)), 0
	for c, lo := 0, 0; lo < len(row); c, lo = c+1, lo+e.chunk {
		hi := min(len(row), lo+e.chunk)
		x := row[lo:hi]
		top := s.largest(x, bias, mask, lo)
		var sum float64
		if top <= maskedBelow {
			sum = clearMasked(x)
		} else {
			sum = float64(s.k.expSum(x, top))
		}
		if top > e.max {
			e.sum *= math.Exp(float64(e.max) - float64(top))
			e.max = top
		}
		e.sum += sum * e.factor(top)
		e.tops[c] = top
	}
}

func (s *Set) largest(x, bias, mask []float32, lo int) float32 {
	hi := lo + len(x)
	switch {
	case bias != nil && mask != nil:
		return s.k.addAddMaxOf(x, bias[lo:hi], mask[lo:hi])
	case bias != nil:
		return s.k.addMaxOf(x, bias[lo:hi])
	case mask != nil:
		return s.k.addMaxOf(x, mask[lo:hi])
	default:
		return s.k.maxOf(x)
	}
}

// clearMasked sets x, in which no number is above maskedBelow, to 0 and returns its sum, or NaN
// where NaN hid among the masked.
func clearMasked(x []float32) float64 {
	var sum float64
	for _, v := range x {
		if v != v {
			sum = math.NaN()
		}
	}
	clear(x)
	return sum
}

// factor is exp(top − max).
func (e *exponentials) factor(top float32) float64 {
	if top == e.max {
		return 1
	}
	return math.Exp(float64(top) - float64(e.max))
}

// normalise multiplies what take left by f and the factor of its chunk.
func (e *exponentials) normalise(s *Set, row []float32, f float64) {
	for c, lo := 0, 0; lo < len(row); c, lo = c+1, lo+e.chunk {
		s.k.scale(row[lo:min(len(row), lo+e.chunk)], float32(f*e.factor(e.tops[c])))
	}
}
