package fit

import "math"

// A frozenFamily is a law of one predictor with every parameter held but its level and slopes, so
// that its fit has one optimum and takes microseconds. Each place, recency and offset makes one
// candidate for [Extrapolate].
type frozenFamily struct {
	law Law
	// places holds x0 of the saturating law and d of the one-break law as fractions of the last x
	// of the whole curve; the other laws have the one place 0.
	places []float64
	// recency holds exponents γ of the row weights (x/last)^γ: what a curve did late says more
	// about what it does next.
	recency []float64
	// offsets holds E as increasing fractions of the lowest y. When there are several, the best of
	// them is also the start of a fit in which E is free.
	offsets []float64
}

const (
	// breakWidth is f of the one-break law: most of the change of slope happens within a factor
	// e^(4f) ≈ 3 of x, about what a few dozen rows resolve.
	breakWidth = 0.3
	// breakRidge keeps the change of slope finite where no row tells it: a change of 1 costs as
	// much as an error of 0.0003 in ln y on every row.
	breakRidge = 1e-7
	// A free offset stays below this fraction of the lowest y.
	highestOffset = 0.999
	// A candidate is converged when no parameter moves by more than this fraction: far below what
	// one validation error can tell from another.
	candidateTolerance  = 1e-7
	candidateIterations = 60
)

// curveFamilies returns the families that [Extrapolate] averages over.
//
// Evidence: measured-here. docs/extrapolation.md shows what each law adds and that other places and
// recencies score the same.
func curveFamilies() []frozenFamily {
	recency := []float64{2, 4}
	offsets := make([]float64, 10)
	for i := range offsets {
		offsets[i] = float64(i) / 10
	}
	return []frozenFamily{
		{law: Power(), places: []float64{0}, recency: recency, offsets: []float64{0}},
		{law: PowerOffset(), places: []float64{0}, recency: recency, offsets: offsets},
		{law: saturating(), places: []float64{0.02}, recency: recency, offsets: offsets},
		{law: oneBreak(), places: []float64{0.1, 0.3}, recency: recency, offsets: offsets},
	}
}

// A curveUnit is what x and y are divided by before a fit: the last x and the lowest y of the whole
// curve. In it the coordinates of the laws are of order one and the descent is the same whatever x
// and y are counted in.
type curveUnit struct {
	x, y float64
}

func (c LearningCurve) unit() curveUnit { return curveUnit{c.X[len(c.X)-1], c.lowest()} }

// scaled returns the curve in the unit.
func (c LearningCurve) scaled(u curveUnit) LearningCurve {
	out := LearningCurve{X: make([]float64, len(c.X)), Y: make([]float64, len(c.Y))}
	for i := range c.X {
		out.X[i], out.Y[i] = c.X[i]/u.x, c.Y[i]/u.y
	}
	return out
}

// A curveCandidate is one fitted member of a family.
type curveCandidate struct {
	family   int
	law      *Law
	compiled terms
	// theta holds the parameters as Law.Eval takes them, in unit.
	theta []float64
	unit  curveUnit
	// fraction is E over the lowest y of the rows fitted.
	fraction float64
	// logShare is −ln of the number of places and recencies of the family, so that every law starts
	// with the same weight at a given offset.
	logShare float64
}

// logValue returns ln ŷ at ln x, in the units of the curve.
func (c *curveCandidate) logValue(logX float64) float64 {
	z := [1]float64{logX - math.Log(c.unit.x)}
	return c.law.evalWith(c.compiled, c.theta, z[:], nil) + math.Log(c.unit.y)
}

// natural returns the parameters in the units of the curve, in the order of Law.Params. With x =
// u·x_unit, A/u^slope is A·x_unit^slope/x^slope.
func (c *curveCandidate) natural() []float64 {
	params := make([]float64, len(c.theta))
	c.law.toNatural(c.theta, params)
	value := func(name string) float64 { return params[c.law.Param(name)] }
	slope := 0.0
	switch c.law.Name {
	case "power", "power-offset":
		slope = value("alpha")
	case "one-break":
		slope = value("c0")
	}
	for i, p := range c.law.Params {
		switch p.Name {
		case "E":
			params[i] *= c.unit.y
			if c.fraction == 0 {
				params[i] = 0
			}
		case "A":
			params[i] *= c.unit.y * math.Pow(c.unit.x, slope)
		case "x0", "d":
			params[i] *= c.unit.x
		}
	}
	return params
}

// fitCandidates fits every member of the families, always in the same order. The rows may be the
// head of a longer curve, whose unit and places are used.
func fitCandidates(c LearningCurve, families []frozenFamily, unit curveUnit) []curveCandidate {
	c = c.scaled(unit)
	var all []curveCandidate
	for number := range families {
		family := &families[number]
		for _, place := range family.places {
			for _, recency := range family.recency {
				all = append(all, frozenGroup{family, number, place, recency, unit}.fit(c)...)
			}
		}
	}
	return all
}

// A frozenGroup is the members of a family that differ in their offset alone.
type frozenGroup struct {
	family         *frozenFamily
	number         int
	place, recency float64
	unit           curveUnit
}

// fit walks through the offsets of rows in the group's unit, each start being the last optimum.
func (g frozenGroup) fit(c LearningCurve) []curveCandidate {
	law := &g.family.law
	low := c.lowest()
	pb := newProblem(law, Data{
		Columns: map[string][]float64{law.Columns[0]: c.X},
		Y:       c.Y,
		Weight:  recentWeights(c.X, g.recency),
	}, SquaredLog())
	theta := g.freeze(pb)
	ws := newWorkspace(pb.p)
	offset := law.Param("E")
	share := -math.Log(float64(len(g.family.places) * len(g.family.recency)))
	var all []curveCandidate
	best, bestValue := 0, math.Inf(1)
	add := func(fraction float64) {
		end := pb.minimiseTo(theta, ws, candidateTolerance, candidateIterations)
		theta = end.theta
		if end.value < bestValue {
			best, bestValue = len(all), end.value
		}
		all = append(all, curveCandidate{
			family: g.number, law: law, compiled: pb.ct,
			theta: theta, unit: g.unit, fraction: fraction, logShare: share,
		})
	}
	for _, f := range g.family.offsets {
		if offset >= 0 {
			pb.fix(offset, math.Log(f*low))
		}
		add(f)
	}
	if len(g.family.offsets) > 1 {
		theta = all[best].theta
		pb.fixed[offset] = false
		pb.lo[offset], pb.hi[offset] = math.Log(low)-vanishing, math.Log(highestOffset*low)
		add(0)
		all[len(all)-1].fraction = math.Exp(theta[offset]) / low
	}
	return all
}

// freeze holds what the family holds beside the offset and returns a start: the straight line of ln
// y against ln x.
func (g frozenGroup) freeze(pb *problem) []float64 {
	level, slope := pb.line()
	hold := func(name string, v float64) { pb.fix(pb.law.Param(name), math.Log(v)) }
	switch pb.law.Name {
	case "power":
		return []float64{level, slope}
	case "saturating":
		logX0 := math.Log(g.place)
		hold("x0", g.place)
		return []float64{0, level - slope*logX0, logX0, slope}
	case "one-break":
		hold("d", g.place)
		hold("f", breakWidth)
		pb.priors = append(pb.priors, prior{j: pb.law.Param("c1"), weight: breakRidge})
		return []float64{0, level, slope, 0, math.Log(g.place), math.Log(breakWidth)}
	}
	return []float64{0, level, slope}
}

// line returns the a and b of the weighted regression ln y = a − b·z, over the single feature z;
// the weights sum to 1.
func (pb *problem) line() (a, b float64) {
	var meanZ, meanY float64
	for i, w := range pb.w {
		meanZ += w * pb.z[i]
		meanY += w * pb.lnY[i]
	}
	var zz, zy float64
	for i, w := range pb.w {
		d := pb.z[i] - meanZ
		zz += w * d * d
		zy += w * d * pb.lnY[i]
	}
	b = -zy / zz
	return meanY + b*meanZ, b
}

// recentWeights returns (x/last)^recency, scaled to sum to 1.
func recentWeights(x []float64, recency float64) []float64 {
	last := x[len(x)-1]
	w := make([]float64, len(x))
	var sum float64
	for i, v := range x {
		w[i] = math.Pow(v/last, recency)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}
