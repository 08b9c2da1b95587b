package vec

import "math"

// Step moves p against the gradient g. step counts from 1; rate is the relative step size,
// min(1e-2, 1/√step) in the T5 recipe.
//
//	β = 1 − step^−c, R_i = β·R_i + (1−β)·mean_j(g² + ε1), C_j = β·C_j + (1−β)·mean_i(g² + ε1)
//	u_ij = g_ij / √(R_i·C_j / mean(R)), or g/√V where not factored
//	p = p − rate·max(ε2, rms(p)) · u / max(1, rms(u)/d)
//
// Each mean and rms is over one view; c is Decay, d is Clip, ε1 = 1e-30, ε2 = 1e-3. The result does
// not depend on how each spreads its tasks; nil runs them one after another. Nothing is allocated.
// Not modelled: first moment, weight decay; squares of gradients beyond 1e19 overflow.
// Source: Shazeer and Stern 2018, algorithms 4 to 6, arXiv 1804.04235; Raffel et al. 2020, §3.1.2,
// arXiv 1910.10683.
func (a *Adafactor) Step(step int, rate float64, p, g []float32, each Each) {
	a.p, a.g = p, exactly(g, len(p))
	a.rate, a.beta = rate, 1-math.Pow(float64(step), -a.o.Decay)
	run(each, len(a.blocks), a.gather)
	run(each, len(a.views), a.merge)
	run(each, len(a.blocks), a.measure)
	for i := range a.views {
		a.views[i].clip(a.o.Clip)
	}
	run(each, len(a.blocks), a.apply)
	a.p, a.g = nil, nil
}

// elements are those of the block in a flat buffer.
func (b *viewBlock) elements(x []float32) []float32 {
	v, unit := b.view, 1
	if v.factored {
		unit = v.Cols
	}
	return x[v.Offset+b.lo*unit : v.Offset+b.hi*unit]
}

// gatherBlock updates the moments that a block owns and leaves its partial sums.
func (a *Adafactor) gatherBlock(i int) {
	b := a.blocks[i]
	v, k := b.view, &a.set.k
	g := b.elements(a.g)
	b.paramSq = k.sumSquares(b.elements(a.p))
	if !v.factored {
		b.update = float64(k.moment(v.cols[b.lo:b.hi], g, float32(a.beta), float32(1-a.beta),
			adafactorEpsilon1))
		return
	}
	clear(b.columns)
	for row := b.lo; row < b.hi; row++ {
		sum := float64(k.squares(b.columns, g[:v.Cols]))
		v.rows[row] = a.decayed(v.rows[row], sum/float64(v.Cols))
		g = g[v.Cols:]
	}
}

func (a *Adafactor) decayed(moment float32, meanSquare float64) float32 {
	return float32(a.beta*float64(moment) + (1-a.beta)*(meanSquare+adafactorEpsilon1))
}

// mergeView joins the partial sums of a view, in the order of its blocks.
func (a *Adafactor) mergeView(i int) {
	v := &a.views[i]
	var paramSq float64
	for b := range v.blocks {
		paramSq += v.blocks[b].paramSq
	}
	v.change = a.rate * max(adafactorEpsilon2, math.Sqrt(paramSq/float64(v.Rows*v.Cols)))
	if !v.factored {
		return
	}
	for j := range v.cols {
		var sum float64
		for b := range v.blocks {
			sum += float64(v.blocks[b].columns[j])
		}
		v.cols[j] = a.decayed(v.cols[j], sum/float64(v.Rows))
		v.colFactor[j] = float32(1 / math.Sqrt(float64(v.cols[j])))
	}
	v.rowMean = 0
	for _, r := range v.rows {
		v.rowMean += float64(r)
	}
	v.rowMean /= float64(v.Rows)
}

// measureBlock leaves Σ u² of a block; gatherBlock has done so where nothing is factored.
func (a *Adafactor) measureBlock(i int) {
	b := a.blocks[i]
	v := b.view
	if !v.factored {
		return
	}
	g := b.elements(a.g)
	b.update = 0
	for row := b.lo; row < b.hi; row++ {
		b.update += v.rowMean / float64(v.rows[row]) * float64(
			a.set.k.scaledSquares(g[:v.Cols], v.colFactor))
		g = g[v.Cols:]
	}
}

// clip divides the step size of the view by what its update exceeds d.
func (v *factoredView) clip(d float64) {
	var sum float64
	for b := range v.blocks {
		sum += v.blocks[b].update
	}
	v.change /= max(1, math.Sqrt(sum/float64(v.Rows*v.Cols))/d)
}

func (a *Adafactor) applyBlock(i int) {
	b := a.blocks[i]
	v, k := b.view, &a.set.k
	p, g := b.elements(a.p), b.elements(a.g)
	if !v.factored {
		k.rootSubtract(p, g, v.cols[b.lo:b.hi], float32(v.change))
		return
	}
	for row := b.lo; row < b.hi; row++ {
		f := v.change * math.Sqrt(v.rowMean/float64(v.rows[row]))
		k.scaledSubtract(p[:v.Cols], g[:v.Cols], v.colFactor, float32(f))
		p, g = p[v.Cols:], g[v.Cols:]
	}
}
