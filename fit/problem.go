package fit

import "math"

// problem is one minimisation: rows turned into features, with everything the inner loop reads in
// flat slices.
type problem struct {
	law     *Law
	ct      terms // nil for laws with their own Eval
	obj     Objective
	n, p, q int
	z       []float64 // n×q features
	y, lnY  []float64
	w       []float64
	priors  []prior
	lo, hi  []float64 // bounds in θ
	fixed   []bool
	bounded []bool // by [Settings.Bounds]; nil for none
	// zero is θ_j at and below which a parameter that may vanish is zero; −∞ for the others.
	zero []float64
}

// prior adds weight·(θ_j − centre)².
type prior struct {
	j              int
	centre, weight float64
}

// newProblem expects data that passed check and fault.
func newProblem(law *Law, d Data, obj Objective) *problem {
	pb := &problem{law: law, obj: obj, n: d.Len(), p: len(law.Params), q: law.features()}
	if law.Terms != nil {
		pb.ct = law.compile()
	}
	pb.z = make([]float64, pb.n*pb.q)
	pb.y = d.Y
	pb.lnY = make([]float64, pb.n)
	x := make([]float64, len(law.Columns))
	cols := make([][]float64, len(law.Columns))
	for j, name := range law.Columns {
		cols[j] = d.Columns[name]
	}
	for i := range d.Y {
		for j := range cols {
			x[j] = cols[j][i]
		}
		law.prepare(x, pb.row(i))
		pb.lnY[i] = math.Log(d.Y[i])
	}
	pb.w = d.Weight
	if pb.w == nil {
		pb.w = make([]float64, pb.n)
		for i := range pb.w {
			pb.w[i] = 1
		}
	}
	pb.setBounds()
	return pb
}

func (pb *problem) row(i int) []float64 { return pb.z[i*pb.q : (i+1)*pb.q] }

// vanishing is how far below the smallest response, in ln y, a parameter that may vanish is
// bounded: e^−18 ≈ 1.5e-8 of it is zero to every printed digit.
const vanishing = 18

func (pb *problem) setBounds() {
	pb.lo, pb.hi = make([]float64, pb.p), make([]float64, pb.p)
	pb.fixed, pb.zero = make([]bool, pb.p), make([]float64, pb.p)
	lnMin := math.Inf(1)
	for _, v := range pb.lnY {
		lnMin = math.Min(lnMin, v)
	}
	for j, pa := range pb.law.Params {
		lo, hi := pa.Low, pa.High
		pb.zero[j] = math.Inf(-1)
		switch {
		case pa.Vanishes && pa.Log:
			lo, hi = lnMin-vanishing, math.Inf(1)
			pb.zero[j] = lo
		case lo == 0 && hi == 0:
			lo, hi = math.Inf(-1), math.Inf(1)
		case pa.Log:
			lo, hi = math.Log(lo), math.Log(hi)
		}
		pb.lo[j], pb.hi[j] = lo, hi
	}
}

// withWeights returns the problem with other row weights and no rows of weight zero.
func (pb *problem) withWeights(w []float64) *problem {
	c := *pb
	c.n = 0
	c.z = make([]float64, 0, len(pb.z))
	c.y, c.lnY, c.w = make([]float64, 0, pb.n), make([]float64, 0, pb.n), make([]float64, 0, pb.n)
	for i, wi := range w {
		if wi == 0 {
			continue
		}
		c.n++
		c.z = append(c.z, pb.row(i)...)
		c.y = append(c.y, pb.y[i])
		c.lnY = append(c.lnY, pb.lnY[i])
		c.w = append(c.w, wi*pb.w[i])
	}
	return &c
}

func (pb *problem) withObjective(o Objective) *problem {
	c := *pb
	c.obj = o
	return &c
}

// residual returns the error e (ŷ − y, or in logarithms) of row i whose law value is f, with de/df
// and d²e/df².
func (pb *problem) residual(i int, f float64) (e, d1, d2 float64) {
	switch {
	case pb.obj.raw && pb.law.Direct:
		return f - pb.y[i], 1, 0
	case pb.obj.raw:
		yhat := math.Exp(f)
		return yhat - pb.y[i], yhat, yhat
	case pb.law.Direct:
		return math.Log(f) - pb.lnY[i], 1 / f, -1 / (f * f)
	}
	return f - pb.lnY[i], 1, 0
}

// derivatives are those of the objective at one θ.
type derivatives struct {
	g []float64
	// h is the Hessian (p×p, row major, symmetric): exact for laws given by terms, otherwise its
	// Gauss–Newton part, to which curvature adds the rest.
	h []float64
	// m is the Gauss–Newton matrix of the squares that lie above the penalties: never indefinite,
	// and the metric in which steps are damped.
	m []float64
}

func newDerivatives(p int) derivatives {
	return derivatives{make([]float64, p), make([]float64, p*p), make([]float64, p*p)}
}

// eval returns the objective at θ and, when d is not nil, overwrites d.
func (pb *problem) eval(theta []float64, d *derivatives) float64 {
	var total float64
	if d != nil {
		clear(d.g)
		clear(d.h)
		clear(d.m)
	}
	if pb.ct != nil {
		total = pb.evalTerms(theta, d)
	} else {
		total = pb.evalFunc(theta, d)
	}
	for _, pr := range pb.priors {
		off := theta[pr.j] - pr.centre
		total += pr.weight * off * off
		if d != nil {
			d.g[pr.j] += 2 * pr.weight * off
			d.h[pr.j*pb.p+pr.j] += 2 * pr.weight
			d.m[pr.j*pb.p+pr.j] += 2 * pr.weight
		}
	}
	if d != nil {
		mirror(d.h, pb.p)
		mirror(d.m, pb.p)
	}
	if math.IsNaN(total) {
		return math.Inf(1)
	}
	return total
}

// mirror copies the lower triangle of a p×p matrix to the upper one.
func mirror(a []float64, p int) {
	for i := range p {
		for j := range i {
			a[j*p+i] = a[i*p+j]
		}
	}
}

// evalTerms is eval for laws given by terms: with shares p_k = exp(η_k)/ŷ and φ_k = ∂η_k/∂θ, ∇ln ŷ
// = Σ p_k·φ_k and ∇²ln ŷ = Σ p_k·φ_k·φ_kᵀ − ∇ln ŷ·∇ln ŷᵀ.
func (pb *problem) evalTerms(theta []float64, d *derivatives) float64 {
	var phi, gf [maxParams]float64
	var p, constant [maxTerms]float64
	var g, h, m []float64
	if d != nil {
		g, h, m = d.g, d.h, d.m
	}
	for k, es := range pb.ct {
		if len(es) == 1 { // the same in every row
			constant[k] = math.Exp(theta[es[0].param])
		}
	}
	n := pb.p
	total := 0.0
	for i := range pb.n {
		z := pb.row(i)
		sum := 0.0
		for k, es := range pb.ct {
			v := constant[k]
			if len(es) > 1 {
				eta := theta[es[0].param]
				for _, e := range es[1:] {
					eta -= theta[e.param] * z[e.feature]
				}
				v = math.Exp(eta)
			}
			p[k&(maxTerms-1)] = v
			sum += v
		}
		e, e1, e2 := pb.residual(i, math.Log(sum))
		rho, d1, d2, above := pb.obj.penalty(e)
		w := pb.w[i]
		total += w * rho
		if d == nil {
			continue
		}
		c1 := w * d1 * e1
		c2 := w * (d2*e1*e1 + d1*e2)
		for j := range gf[:n] {
			gf[j] = 0
		}
		inv := 1 / sum
		for k, es := range pb.ct {
			pk := p[k&(maxTerms-1)] * inv
			ck := c1 * pk
			for a, ea := range es {
				f := 1.0
				if a > 0 {
					f = -z[ea.feature]
				}
				phi[a&(maxParams-1)] = f
				gf[ea.param&(maxParams-1)] += pk * f
				row := h[ea.param*n : ea.param*n+n]
				for b, eb := range es[:a+1] { // mirrored below
					row[eb.param] += ck * f * phi[b&(maxParams-1)]
				}
			}
		}
		c, cm := c2-c1, w*above*e1*e1
		for a, ga := range gf[:n] {
			g[a] += c1 * ga
			ha, ma := h[a*n:a*n+a+1], m[a*n:a*n+a+1]
			ca, cma := c*ga, cm*ga
			for b, gb := range gf[:a+1] {
				ha[b] += ca * gb
				ma[b] += cma * gb
			}
		}
	}
	return total
}

func (pb *problem) evalFunc(theta []float64, d *derivatives) float64 {
	var gfb [maxParams]float64
	var gf []float64
	n := pb.p
	if d != nil {
		gf = gfb[:n]
	}
	total := 0.0
	for i := range pb.n {
		f := pb.law.Eval(theta, pb.row(i), gf)
		e, e1, _ := pb.residual(i, f)
		rho, d1, d2, above := pb.obj.penalty(e)
		w := pb.w[i]
		total += w * rho
		if d == nil {
			continue
		}
		c1, c2, cm := w*d1*e1, w*d2*e1*e1, w*above*e1*e1
		for a := range n {
			ga := gf[a]
			d.g[a] += c1 * ga
			for b := range a + 1 {
				v := ga * gf[b]
				d.h[a*n+b] += c2 * v
				d.m[a*n+b] += cm * v
			}
		}
	}
	return total
}

// curvature adds to h the part of the Hessian that Gauss–Newton leaves out, Σ w·ρ'·∂²e/∂θ², for
// laws with their own Eval: differences of the exact gradients with ρ' frozen.
func (pb *problem) curvature(theta, h []float64) {
	if pb.ct != nil {
		return
	}
	n := pb.p
	slope := make([]float64, pb.n) // w·ρ' of each row
	base := make([]float64, n)
	gf := make([]float64, n)
	pull := func(t, out []float64, freeze bool) {
		clear(out)
		for i := range pb.n {
			f := pb.law.Eval(t, pb.row(i), gf)
			e, e1, _ := pb.residual(i, f)
			if freeze {
				_, d1, _, _ := pb.obj.penalty(e)
				slope[i] = pb.w[i] * d1
			}
			for a, ga := range gf {
				out[a] += slope[i] * e1 * ga
			}
		}
	}
	pull(theta, base, true)
	t := append([]float64(nil), theta...)
	column := make([]float64, n)
	extra := make([]float64, n*n)
	for b := range n {
		if pb.fixed[b] {
			continue // no step is taken along it
		}
		step := 1e-6 * max(1, math.Abs(theta[b]))
		t[b] = theta[b] + step
		pull(t, column, false)
		t[b] = theta[b]
		for a := range n {
			extra[a*n+b] = (column[a] - base[a]) / step
		}
	}
	for a := range n {
		for b := range n {
			if v := 0.5 * (extra[a*n+b] + extra[b*n+a]); !math.IsNaN(v) {
				h[a*n+b] += v
			}
		}
	}
}

// residuals returns the error of every row.
func (pb *problem) residuals(theta []float64) []float64 {
	r := make([]float64, pb.n)
	for i := range r {
		r[i], _, _ = pb.residual(i, pb.law.evalWith(pb.ct, theta, pb.row(i), nil))
	}
	return r
}
