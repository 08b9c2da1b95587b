package fit

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// admit refuses rows that no descent could make sense of, with some parameters held, and returns the
// warnings about rows that it may. An average is open to rows that leave parameters open.
func admit(law *Law, d Data, obj Objective, held int, open bool) ([]string, error) {
	if err := d.check(*law); err != nil {
		return nil, err
	}
	var bad []int
	reason := ""
	for i := range d.Y {
		if r := d.fault(law, obj, i); r != "" {
			if bad == nil {
				reason = fmt.Sprintf("row %d: %s", i, r)
			}
			bad = append(bad, i)
		}
	}
	if bad != nil {
		if len(bad) > 1 {
			reason += fmt.Sprintf(" (and %d more rows)", len(bad)-1)
		}
		return nil, &Refusal{Kind: BadValue, Rows: bad, Reason: reason}
	}
	seen := d.distinctRows(law)
	free := len(law.Params) - held
	if seen <= free && !open {
		return nil, refuse(TooFewPoints, nil,
			"%s for the %d free parameters of %s; needed: at least %d",
			quantity.Of(seen, "distinct row"), free, law.Name, free+1)
	}
	for _, name := range law.Columns {
		if constant(d.Columns[name]) && held == 0 && !open {
			return nil, refuse(ConstantColumn, []string{name},
				"every row has %s = %s; needed: at least two values to fit %s",
				name, number(d.Columns[name][0]), law.Name)
		}
	}
	var warnings []string
	if k := d.Len() - seen; k > 0 {
		warnings = append(warnings,
			fmt.Sprintf("%d of %d rows repeat another row exactly and count again", k, d.Len()))
	}
	return warnings, nil
}

func constant(c []float64) bool {
	return !slices.ContainsFunc(c, func(v float64) bool { return v != c[0] })
}

const (
	// faintShare is the largest share of ŷ, over all rows, at or below which a term is too faint
	// for its exponent to mean anything.
	faintShare = 1e-6
	// wildError is the standard error in θ (a logarithm or an exponent) above which a parameter is
	// called unidentified: e^5 is a factor of 150.
	wildError = 5.0
	// singular is the scaled normal matrix's smallest pivot below which double precision sees exact
	// dependence.
	singular = 1e-13
	// runaway is the same ratio in a descent that did not converge: it was still sliding along a
	// valley that the rows leave open.
	runaway = 1e-7
)

// diagnose completes the certificate and turns what it finds into warnings or a refusal.
func (r *Result) diagnose(pb *problem) error {
	ws := newWorkspace(pb.p)
	x := r.theta
	smooth := pb
	if pb.obj.nonSmooth() {
		r.Certificate.Vertex = pb.vertexRows(x)
		smooth = pb.withObjective(pb.obj.smoothed(1e-12))
	}
	smooth.eval(x, &ws.at)
	pb.pin(x, ws)
	r.RMS = pb.rms(x)
	if fled := r.fled(pb); len(fled) > 0 {
		return refuse(Unidentified, fled, "the best fit of %s lets it run away beyond any number",
			pb.law.Name)
	}
	if v := r.Value + r.RMS + pb.norm(ws, r.Value); math.IsNaN(v) || math.IsInf(v, 0) {
		return refuse(NotConverged, nil, "the rows of %s overflow double precision", pb.law.Name)
	}
	var atBound []string
	for j, pa := range pb.law.Params {
		if pb.fixed[j] || (x[j] > pb.lo[j] && x[j] < pb.hi[j]) {
			continue
		}
		r.Certificate.Active = append(r.Certificate.Active, pa.Name)
		switch {
		case x[j] <= pb.zero[j]:
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s = 0: these rows do not show it (runs too short or too few)",
				pa.Name))
		case pb.bounded[j]:
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s is held by its bound, %s", pa.Name,
				number(r.Params[j])))
		default:
			atBound = append(atBound, pa.Name)
		}
	}
	if pb.obj.nonSmooth() {
		if !r.Certificate.Converged {
			r.Warnings = append(r.Warnings,
				"the optimum was not certified: no set of rows with valid multipliers was found")
		}
	} else {
		if !pb.exact(r.Value, rounding) {
			r.Certificate.Gradient = pb.norm(ws, r.Value)
		}
	}
	r.Warnings = append(r.Warnings, pb.fewValues()...)
	if lost := pb.unidentified(x, ws.pinned, &r.Certificate); len(lost) > 0 {
		return refuse(Unidentified, lost,
			"the rows do not determine it in %s; fit a smaller law, or add rows", pb.law.Name)
	}
	if !r.Certificate.Converged && !pb.obj.nonSmooth() {
		return refuse(NotConverged, nil, "no start reached an optimum of %s (scaled gradient %.2g)",
			pb.law.Name, r.Certificate.Gradient)
	}
	if len(atBound) > 0 {
		return refuse(AtBound, atBound,
			"the best fit of %s pushes it against its bound; the law does not suit the rows",
			pb.law.Name)
	}
	if c := r.Certificate; c.Starts >= 4 && 2*c.Agree < c.Starts {
		r.Warnings = append(r.Warnings, fmt.Sprintf("only %d of %d starts reached this optimum",
			c.Agree, c.Starts))
	}
	return nil
}

// fewValues warns of predictors with no more values than the parameters of their term and an
// irreducible loss take: the rows then fit any of them.
func (pb *problem) fewValues() (warnings []string) {
	var offset string
	for j, p := range pb.law.Params {
		if p.Vanishes && !pb.fixed[j] && !pb.bounded[j] {
			offset = p.Name
		}
	}
	if offset == "" || pb.law.Prepare != nil {
		return nil
	}
	for _, es := range pb.ct {
		if len(es) != 2 || pb.fixed[es[0].param] || pb.fixed[es[1].param] {
			continue
		}
		seen := map[float64]bool{}
		for i := range pb.n {
			seen[pb.row(i)[es[1].feature]] = true
		}
		if len(seen) <= 3 {
			warnings = append(warnings, fmt.Sprintf(
				"%d values of %s cannot tell %s from %s: neither is known, however close the fit",
				len(seen), pb.law.Columns[es[1].feature], pb.law.Params[es[0].param].Name, offset))
		}
	}
	return warnings
}

// fled names the free parameters whose natural value has left the numbers.
func (r *Result) fled(pb *problem) []string {
	var names []string
	for j, v := range r.Params {
		p := pb.law.Params[j]
		gone := math.IsNaN(v) || math.IsInf(v, 0) || (p.Log && v == 0 && !p.Vanishes)
		if gone && !pb.fixed[j] {
			names = append(names, p.Name)
		}
	}
	return names
}

func (pb *problem) rms(theta []float64) float64 {
	s, w := 0.0, 0.0
	for i, e := range pb.residuals(theta) {
		s += pb.w[i] * e * e
		w += pb.w[i]
	}
	return math.Sqrt(s / w)
}

// normalMatrix returns Σ w·∇e·∇eᵀ over the free parameters, their indices and, for laws given by
// terms, the largest share each term has in any row.
func (pb *problem) normalMatrix(theta []float64, held []bool) (*mat.SymDense, []int, []float64) {
	var free []int
	for j := range theta {
		if !held[j] && !pb.fixed[j] {
			free = append(free, j)
		}
	}
	m := mat.NewSymDense(max(len(free), 1), nil)
	g := make([]float64, pb.p)
	shares := make([]float64, len(pb.ct))
	var p [maxTerms]float64
	for i := range pb.n {
		f := pb.law.evalWith(pb.ct, theta, pb.row(i), g)
		_, e1, _ := pb.residual(i, f)
		for a, ja := range free {
			for b := a; b < len(free); b++ {
				m.SetSym(a, b, m.At(a, b)+pb.w[i]*e1*e1*g[ja]*g[free[b]])
			}
		}
		if pb.ct != nil {
			pb.ct.logSumExp(theta, pb.row(i), &p)
			for k := range shares {
				shares[k] = max(shares[k], p[k])
			}
		}
	}
	return m, free, shares
}

// unidentified returns the parameters that the rows leave open: of faint terms, in an exact
// dependence, or with an absurd standard error.
func (pb *problem) unidentified(theta []float64, held []bool, c *Certificate) []string {
	lost := make([]bool, pb.p)
	m, free, shares := pb.normalMatrix(theta, held)
	for k, es := range pb.ct {
		if shares[k] > faintShare || pb.law.Params[es[0].param].Vanishes {
			continue
		}
		for _, e := range es {
			lost[e.param] = true
		}
	}
	n := len(free)
	d := make([]float64, n)
	for a := range d {
		d[a] = math.Sqrt(m.At(a, a))
		if d[a] == 0 {
			lost[free[a]] = true
			d[a] = 1
		}
	}
	for a := range n {
		for b := a; b < n; b++ {
			m.SetSym(a, b, m.At(a, b)/(d[a]*d[b]))
		}
	}
	var eig mat.EigenSym
	if n > 0 && eig.Factorize(m, true) {
		values := eig.Values(nil)
		var v mat.Dense
		eig.VectorsTo(&v)
		top := values[n-1]
		c.Condition = math.Inf(1)
		if values[0] > 0 {
			c.Condition = top / values[0]
		}
		reach := slices.Max(pb.y) - slices.Min(pb.y)
		open := singular
		if !c.Converged {
			open = runaway
		}
		noise := pb.noise(theta) * math.Sqrt(totalWeight(pb.w)/float64(pb.n))
		for a := range n {
			variance := 0.0
			for k, lambda := range values {
				va := v.At(a, k)
				if lambda <= open*top {
					if math.Abs(va) > 0.1 {
						lost[free[a]] = true
					}
					continue
				}
				variance += va * va / lambda
			}
			if se := noise * math.Sqrt(variance) / d[a]; se > wildError && pb.law.Params[free[a]].wild(se, theta[free[a]], reach) {
				lost[free[a]] = true
			}
		}
	}
	var names []string
	for j, l := range lost {
		if l && !pb.fixed[j] {
			names = append(names, pb.law.Params[j].Name)
		}
	}
	return names
}

// wild says whether a standard error se above wildError leaves the parameter open: for logarithms
// and exponents se itself is relative; levels are compared with their own size and with the reach
// of the response.
func (p Param) wild(se, theta, reach float64) bool {
	if p.Vanishes {
		return false // close to zero is an answer
	}
	return p.Log || p.High != 0 || se > wildError*max(math.Abs(theta), reach)
}
