package flops

import "math"

// weight is one trainable tensor: rows × cols, of which one side at most is split over the
// tensor-parallel group, times copies. Vectors have one column.
type weight struct {
	rows, cols     dim
	rowsBy, colsBy split
	copies         dim // one, or the experts
	needs          feature
}

// The weights of each block of a layer. Matrices are split so that two consecutive ones need one
// reduction: the first by columns with its bias, the second by rows with its bias on every device
// (Shoeybi et al. 2019, arXiv 1909.08053, section 3).
var (
	normWeights = []weight{
		{rows: model, copies: one},
		{rows: model, copies: one, needs: withShift},
	}
	attentionWeights = []weight{
		{rows: model, cols: inner, colsBy: byTP},
		{rows: model, cols: kvInner, colsBy: byKV},
		{rows: model, cols: kvInner, colsBy: byKV},
		{rows: inner, cols: model, rowsBy: byTP},
		{rows: inner, rowsBy: byTP, needs: withBiasQ},
		{rows: kvInner, rowsBy: byKV, needs: withBiasK},
		{rows: kvInner, rowsBy: byKV, needs: withBiasV},
		{rows: model, needs: withBiasO},
	}
	feedForwardWeights = []weight{
		{rows: model, cols: ffn, colsBy: byTP},
		{rows: model, cols: ffn, colsBy: byTP, needs: withGate},
		{rows: ffn, cols: model, rowsBy: byTP},
		{rows: ffn, rowsBy: byTP, needs: withBiasFFN},
		{rows: ffn, rowsBy: byTP, needs: withBiasFFN | withGate},
		{rows: model, needs: withBiasFFN},
	}
	expertWeights = []weight{
		{rows: model, cols: experts},
		{rows: model, cols: ffn, colsBy: byTP, copies: experts},
		{rows: model, cols: ffn, colsBy: byTP, copies: experts, needs: withGate},
		{rows: ffn, cols: model, rowsBy: byTP, copies: experts},
		{rows: ffn, rowsBy: byTP, copies: experts, needs: withBiasFFN},
		{rows: ffn, rowsBy: byTP, copies: experts, needs: withBiasFFN | withGate},
		{rows: model, copies: experts, needs: withBiasFFN},
	}
)

// The weights outside the layers. Vocabulary and heads are split, the rest is held by every device.
var (
	tokenTableWeights    = []weight{{rows: vocab, cols: model, rowsBy: byTP}}
	tokenTypeWeights     = []weight{{rows: types, cols: model}}
	learnedTableWeights  = []weight{{rows: positions, cols: model}}
	relativeTableWeights = []weight{{rows: positions, cols: heads, colsBy: byTP}}
	audioWeights         = []weight{
		{rows: convIn, cols: model},
		{rows: model},
		{rows: convInner, cols: model},
		{rows: model},
	}
	// convolution, its bias, class token
	patchWeights = []weight{{rows: convIn, cols: model}, {rows: model}, {rows: model}}
	// dense layer of BERT's head and pooler
	squareWeights   = []weight{{rows: model, cols: model}, {rows: model}}
	headBiasWeights = []weight{{rows: vocab, rowsBy: byTP}}
)

// tally sums weights as one device holds them.
type tally struct {
	params  float64 // elements
	state   float64 // bytes of optimizer state
	largest float64 // elements of the largest tensor
}

// add counts a table of weights. hidden says that its matrices are inside the layers.
func (t *tally) add(m *stackModel, table []weight, hidden bool) {
	for n := range table {
		w := &table[n]
		if m.has&w.needs != w.needs {
			continue
		}
		held := matrix{rows: m.local(w.rows, w.rowsBy), cols: m.local(w.cols, w.colsBy)}
		held.hidden = hidden && w.cols != one
		held.factored = m.dims[w.rows] >= adafactorMinDim && m.dims[w.cols] >= adafactorMinDim
		copies := m.dims[w.copies]
		t.params += copies * held.rows * held.cols
		t.state += copies * stateBytes(m.exec.Optimizer, held, m.state)
		t.largest = max(t.largest, held.rows*held.cols)
	}
}

// times returns the tally of n equal parts.
func (t tally) times(n int) tally {
	return tally{params: float64(n) * t.params, state: float64(n) * t.state, largest: t.largest}
}

func (t tally) plus(u tally) tally {
	return tally{
		params: t.params + u.params, state: t.state + u.state,
		largest: max(t.largest, u.largest),
	}
}

// layerTallies returns the weights of a dense and of a sparse layer of a stack.
func (m *stackModel) layerTallies() (dense, sparse tally) {
	var common tally
	common.add(m, attentionWeights, true)
	blocks := 1
	if m.cross {
		blocks = 2
	}
	common = common.times(blocks)
	for range blocks + 1 {
		common.add(m, normWeights, true)
	}
	dense, sparse = common, common
	dense.add(m, feedForwardWeights, true)
	if m.stack.Experts > 0 {
		sparse.add(m, expertWeights, true)
	}
	return dense, sparse
}

// static turns a tally into bytes: element sizes times parameters, each kind divided over DP from
// its ZeRO stage on (Rajbhandari et al. 2020, arXiv 1910.02054, section 5).
func (st *stage) static(t tally) Static {
	b := st.exec.bytes()
	dp := float64(st.layout.DP)
	over := func(stage int, bytes float64) float64 {
		if st.layout.ZeRO >= stage {
			return math.Ceil(bytes / dp)
		}
		return bytes
	}
	return Static{
		Parameters: t.params,
		Weights:    over(3, float64(b.Weight)*t.params),
		Gradients:  over(2, float64(b.Gradient)*t.params),
		Master:     over(1, float64(b.Master)*t.params),
		Optimizer:  over(1, t.state),
	}
}
