package vec

// View is a matrix, or with one row a vector, inside a flat buffer: Rows·Cols elements from Offset,
// row by row.
type View struct{ Offset, Rows, Cols int }

// AdafactorOptions configures Adafactor. The zero value is the T5 recipe.
type AdafactorOptions struct {
	Clip        float64 // largest root mean square of an update before the step size; 0 for 1.0
	Decay       float64 // exponent c of β2 = 1 − step^−c; 0 for 0.8
	MinFactored int     // matrices with both sides at least this long are factored; 0 for 128
}

const (
	adafactorEpsilon1 = 1e-30 // added to squared gradients
	adafactorEpsilon2 = 1e-3  // least root mean square of a parameter
	// matrixBlocks bounds the partial column sums of a matrix: that many rows of scratch.
	matrixBlocks = 32
)

// Adafactor is the optimizer's state over one flat buffer of parameters seen as matrices.
//
// A factored matrix of R rows and C columns keeps R + C second moments, any other view one per
// element; there is no first moment.
type Adafactor struct {
	// second moments, view by view: for a factored one its rows, then its columns; for checkpoints
	State []float32

	set    *Set
	o      AdafactorOptions
	views  []factoredView
	blocks []*viewBlock // of all views

	gather, merge, measure, apply func(i int)

	p, g       []float32 // of the step under way
	rate, beta float64
}

// factoredView is a view with its moments and what the phases of a step hand on.
type factoredView struct {
	View
	factored        bool
	rows, cols      []float32 // second moments; unfactored: all in cols
	colFactor       []float32 // 1/√cols
	blocks          []viewBlock
	rowMean, change float64 // mean of rows; step size of the view
}

// viewBlock is a run of rows (factored) or elements (unfactored) of a view, with its partial sums.
type viewBlock struct {
	view            *factoredView
	lo, hi          int
	columns         []float32 // Σ g² per column
	paramSq, update float64   // Σ p², Σ u²
}

// AdafactorState returns how many float32 the State of these views takes.
func AdafactorState(o AdafactorOptions, views []View) int {
	o = o.withDefaults()
	n := 0
	for _, v := range views {
		if v.factored(o) {
			n += v.Rows + v.Cols
		} else {
			n += v.Rows * v.Cols
		}
	}
	return n
}

func (o AdafactorOptions) withDefaults() AdafactorOptions {
	orDefault(&o.Clip, 1)
	orDefault(&o.Decay, 0.8)
	if o.MinFactored == 0 {
		o.MinFactored = 128
	}
	return o
}

func (v View) factored(o AdafactorOptions) bool {
	return v.Rows >= o.MinFactored && v.Cols >= o.MinFactored
}

// NewAdafactor returns an Adafactor whose moments live in state: AdafactorState elements, zeros or
// those of a checkpoint. It allocates scratch: for each factored matrix a row of columns, and one
// for each of at most 33 blocks of rows. Elements outside all views are never touched.
func NewAdafactor(s *Set, o AdafactorOptions, views []View, state []float32) *Adafactor {
	exactly(state, AdafactorState(o, views))
	a := &Adafactor{
		State: state, set: s, o: o.withDefaults(),
		views: make([]factoredView, len(views)),
	}
	for i, v := range views {
		f := &a.views[i]
		f.View, f.factored = v, v.factored(a.o)
		if f.factored {
			f.rows, state = state[:v.Rows], state[v.Rows:]
			f.cols, state = state[:v.Cols], state[v.Cols:]
			f.colFactor = make([]float32, v.Cols)
		} else {
			f.cols, state = state[:v.Rows*v.Cols], state[v.Rows*v.Cols:]
		}
		f.cut()
		for b := range f.blocks {
			a.blocks = append(a.blocks, &f.blocks[b])
		}
	}
	a.gather, a.merge, a.measure, a.apply = a.gatherBlock, a.mergeView, a.measureBlock, a.applyBlock
	return a
}

// cut splits the view into blocks that depend on its size alone, so that no result depends on the
// number of threads.
func (f *factoredView) cut() {
	n, per := f.Rows*f.Cols, optimizerBlock
	if f.factored {
		n = f.Rows
		per = max(1, optimizerBlock/f.Cols, (f.Rows+matrixBlocks-1)/matrixBlocks)
	}
	for lo := 0; lo < n; lo += per {
		b := viewBlock{view: f, lo: lo, hi: min(n, lo+per)}
		if f.factored {
			b.columns = make([]float32, f.Cols)
		}
		f.blocks = append(f.blocks, b)
	}
}
