package flops

import (
	"math"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// weight is one trainable tensor: rows × cols, of which one side at most is split over the
// tensor-parallel group, times copies. Vectors have one column.
type weight struct {
	rows, cols     dim
	rowsBy, colsBy split
	copies         dim // one, or the experts
	needs          feature
	target         Targets
}

// The weights of each block of a layer. Matrices are split so that two consecutive ones need one
// reduction: the first by columns with its bias, the second by rows with its bias on every device
// (Shoeybi et al. 2019, arXiv 1909.08053, section 3).
var (
	normWeights = []weight{
		{rows: model, needs: withScale},
		{rows: model, needs: withShift},
	}
	queryNormWeights = []weight{
		{rows: normed, needs: withQKNorm | withScale},
		{rows: normed, needs: withQKNorm | withShift},
	}
	layerExtraWeights = []weight{{rows: layerExtra}}
	attentionWeights  = attentionFrom(model)
	// keys and values of cross-attention are made from the encoder's width
	crossAttentionWeights = attentionFrom(source)
	// the ranks of latent attention are held by every device, what is made from them is split
	directQueryWeights = []weight{{rows: model, cols: inner, colsBy: byTP, target: TargetQueries}}
	queryRankWeights   = []weight{
		{rows: model, cols: queryRank},
		{rows: queryRank},
		{rows: queryRank, cols: inner, colsBy: byTP, target: TargetQueries},
	}
	latentWeights = []weight{
		{rows: model, cols: cached},
		{rows: kvRank},
		{rows: kvRank, cols: expanded, colsBy: byTP, target: TargetKeys | TargetValues},
		{rows: outInner, cols: model, rowsBy: byTP, target: TargetOutput},
		{rows: inner, rowsBy: byTP, needs: withBiasQ},
		{rows: kvInner, rowsBy: byTP, needs: withBiasK},
		{rows: valueInner, rowsBy: byTP, needs: withBiasV},
		{rows: model, needs: withBiasO},
	}
	feedForwardWeights = feedForwardOf(ffn, one)
	expertWeights      = append([]weight{{rows: model, cols: experts}},
		feedForwardOf(expertFFN, experts)...)
	sharedWeights = append(feedForwardOf(sharedFFN, one), weight{rows: model, needs: withSharedGate})
)

// attentionFrom returns the weights of attention whose keys and values are made from a width.
func attentionFrom(width dim) []weight {
	return []weight{
		{rows: model, cols: inner, colsBy: byTP, target: TargetQueries},
		{rows: width, cols: kvInner, colsBy: byKV, target: TargetKeys},
		{rows: width, cols: kvInner, colsBy: byKV, target: TargetValues},
		{rows: inner, cols: model, rowsBy: byTP, target: TargetOutput},
		{rows: inner, rowsBy: byTP, needs: withBiasQ},
		{rows: kvInner, rowsBy: byKV, needs: withBiasK},
		{rows: kvInner, rowsBy: byKV, needs: withBiasV},
		{rows: model, needs: withBiasO},
	}
}

// feedForwardOf returns the weights of feed-forward networks of an inner width.
func feedForwardOf(width, copies dim) []weight {
	out := []weight{
		{rows: model, cols: width, colsBy: byTP, target: TargetFFN},
		{rows: model, cols: width, colsBy: byTP, needs: withGate, target: TargetFFN},
		{rows: width, cols: model, rowsBy: byTP, target: TargetFFN},
		{rows: width, rowsBy: byTP, needs: withBiasFFN},
		{rows: width, rowsBy: byTP, needs: withBiasFFN | withGate},
		{rows: model, needs: withBiasFFN},
	}
	for i := range out {
		out[i].copies = copies
	}
	return out
}

// The weights outside the layers. Vocabulary and heads are split, the rest is held by every device.
var (
	tokenTableWeights    = []weight{{rows: vocab, cols: table, rowsBy: byTP}}
	sourceTableWeights   = []weight{{rows: sourceVocab, cols: input, rowsBy: byTP}}
	tokenTypeWeights     = []weight{{rows: types, cols: table}}
	learnedTableWeights  = []weight{{rows: positions, cols: input}}
	relativeTableWeights = []weight{{rows: positions, cols: heads, colsBy: byTP}}
	pairTableWeights     = []weight{{rows: positions, cols: model}}
	embeddingNormWeights = []weight{
		{rows: input, needs: withScale},
		{rows: input, needs: withShift},
	}
	extraWeights = []weight{{rows: extra}}
	// dense layer of BERT's pooler, and dense layer and norm of its head
	squareWeights    = []weight{{rows: model, cols: model}, {rows: model}}
	transformWeights = []weight{
		{rows: model, cols: table},
		{rows: table, needs: withBiasFFN},
		{rows: table, needs: withScale},
		{rows: table, needs: withShift},
	}
	headBiasWeights = []weight{{rows: vocab, rowsBy: byTP}}
)

// tally sums weights as one device holds them.
type tally struct {
	params  float64 // elements
	trained float64 // elements that have gradients
	frozen  float64 // bytes of the others
	state   float64 // bytes of optimizer state
	largest float64 // elements of the largest tensor that is trained
	// elements of the largest tensor that is kept smaller than it is computed with
	packed float64
}

// add counts a table of weights of a part. hidden says that its matrices are inside the layers.
func (t *tally) add(m *stackModel, table []weight, hidden bool, part Parts) {
	tuning := &m.exec.Tuning
	for n := range table {
		w := &table[n]
		if m.has&w.needs != w.needs {
			continue
		}
		held := matrix{rows: m.local(w.rows, w.rowsBy), cols: m.local(w.cols, w.colsBy)}
		held.hidden = hidden && w.cols != one
		held.factored = m.dims[w.rows] >= adafactorMinDim && m.dims[w.cols] >= adafactorMinDim
		copies := m.dims[w.copies]
		t.tensor(m, held, copies, part)
		if tuning.Adapts(part, w.target) {
			rank := float64(tuning.Rank)
			for _, side := range [...]float64{held.rows, held.cols} {
				t.train(m, matrix{
					rows: side, cols: rank, hidden: true,
					factored: side >= adafactorMinDim && rank >= adafactorMinDim,
				}, copies)
			}
		}
	}
}

// tensor counts n copies of one weight.
func (t *tally) tensor(m *stackModel, held matrix, copies float64, part Parts) {
	if m.exec.Tuning.Trains(part) {
		t.train(m, held, copies)
		return
	}
	n, width, stored := held.rows*held.cols, float64(m.exec.bytes().Weight), Whole
	if held.hidden {
		stored = m.exec.Tuning.Stored
	}
	if stored != Whole {
		t.packed = max(t.packed, n)
	}
	t.params += copies * n
	t.frozen += copies * stored.Bytes(held.rows, held.cols, width)
}

// train counts that many copies of a weight that is trained.
func (t *tally) train(m *stackModel, held matrix, copies float64) {
	n := held.rows * held.cols
	t.params, t.trained = t.params+copies*n, t.trained+copies*n
	t.state += copies * stateBytes(m.exec.Optimizer, held, m.state)
	t.largest = max(t.largest, n)
}

// matrix counts a matrix outside the layers that every device holds, and its bias.
func (t *tally) matrix(m *stackModel, rows, cols float64, bias bool, part Parts) {
	t.tensor(m, matrix{
		rows: rows, cols: cols, factored: rows >= adafactorMinDim && cols >= adafactorMinDim,
	}, 1, part)
	if bias {
		t.tensor(m, matrix{rows: cols, cols: 1}, 1, part)
	}
}

// times returns the tally of n equal parts.
func (t tally) times(n int) tally {
	f := float64(n)
	return tally{
		params: f * t.params, trained: f * t.trained, frozen: f * t.frozen, state: f * t.state,
		largest: t.largest, packed: t.packed,
	}
}

func (t tally) plus(u tally) tally {
	return tally{
		params: t.params + u.params, trained: t.trained + u.trained, frozen: t.frozen + u.frozen,
		state: t.state + u.state, largest: max(t.largest, u.largest),
		packed: max(t.packed, u.packed),
	}
}

// layerTallies returns the weights of a dense and of a sparse layer of a stack.
func (m *stackModel) layerTallies() (dense, sparse tally) {
	var common tally
	k := m.stack
	switch {
	case k.Latent == (shapes.Latent{}):
		common.add(m, attentionWeights, true, m.part)
	case k.Latent.QueryRank > 0:
		common.add(m, queryRankWeights, true, m.part)
		common.add(m, latentWeights, true, m.part)
	default:
		common.add(m, directQueryWeights, true, m.part)
		common.add(m, latentWeights, true, m.part)
	}
	common.add(m, queryNormWeights, true, m.part)
	norms := k.Norms()
	if m.cross {
		common.add(m, crossAttentionWeights, true, m.part)
		common.add(m, queryNormWeights, true, m.part)
		norms += k.CrossNorms()
	}
	for range norms {
		common.add(m, normWeights, true, m.part)
	}
	common.add(m, layerExtraWeights, true, m.part)
	if k.Position == shapes.RelativeLayers {
		common.add(m, relativeTableWeights, true, m.part)
	}
	dense, sparse = common, common
	dense.add(m, feedForwardWeights, true, m.part)
	if k.Experts > 0 {
		sparse.add(m, expertWeights, true, m.part)
		if k.SharedDFF > 0 {
			sparse.add(m, sharedWeights, true, m.part)
		}
	}
	return dense, sparse
}

// static turns a tally into bytes: element sizes times trained parameters, each kind divided over DP from
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
		Trained:    t.trained,
		Whole:      float64(b.Weight)*t.trained + t.frozen,
		Weights:    over(3, float64(b.Weight)*t.trained+t.frozen),
		Gradients:  over(2, float64(b.Gradient)*t.trained),
		Master:     over(1, float64(b.Master)*t.trained),
		Optimizer:  over(1, t.state),
	}
}
