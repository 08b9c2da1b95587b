package fit

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Run is the end of one training run.
type Run struct{ FLOPs, Params, Tokens, Loss float64 }

// IsoFLOPSettings steers [IsoFLOP]; nil means all defaults.
type IsoFLOPSettings struct {
	// Spread is the largest ratio of budgets within one group; zero means 1.1.
	Spread float64
	// Level is the confidence of intervals; zero means 0.95.
	Level float64
}

// IsoFLOPGroup is the parabola of one budget.
type IsoFLOPGroup struct {
	// FLOPs is the geometric mean budget of the group's rows.
	FLOPs float64
	Rows  int
	// Params and Tokens are the sizes at the lowest loss, each from its own parabola in the
	// logarithm; the intervals are by the delta method.
	Params, Tokens Estimate
	// Loss is the parabola's lowest value.
	Loss float64
	// Position of the minimum in the scanned range of ln N: 0 at the smallest run, 1 at the
	// largest.
	Position float64
	// NarrowParams is the minimum of a parabola through the half of the rows next to Params, 0 when
	// they are too few or have none: a curve that is not a parabola moves it.
	NarrowParams float64
	// Refused is why the budget has no minimum, or nil.
	Refused *Refusal

	parabola polynomial
}

// LossAt returns the parabola's loss at a size; it needs a budget that is not refused.
func (g *IsoFLOPGroup) LossAt(params float64) float64 { return g.parabola.at(math.Log(params)) }

// IsoFLOPFit is the outcome of [IsoFLOP].
type IsoFLOPFit struct {
	Groups []IsoFLOPGroup
	// A and B are the exponents of N_opt ∝ C^A and D_opt ∝ C^B. The two are estimated apart; with C
	// proportional to N·D they sum to 1.
	A, B Estimate
	// ParamsAt1 and TokensAt1 are the factors of C^A and C^B, as logarithms.
	LnParamsAt1, LnTokensAt1 float64
	// NarrowA is A from the narrow parabolas, 0 without at least two.
	NarrowA  float64
	Warnings []string
}

// ParamsAt returns the best size for a budget, by the power law.
func (f *IsoFLOPFit) ParamsAt(flops float64) float64 {
	return math.Exp(f.LnParamsAt1 + f.A.Value*math.Log(flops))
}

const (
	isoSpread = 1.1
	// sumTolerance is how far a + b may lie from 1 before the count of FLOPs or the rows must be
	// doubted.
	sumTolerance = 0.02
	// lopsided is the |ln| ratio of narrow and full minimum, and offCentre the distance of the
	// minimum from the middle of the scan, beyond which the parabola's bias is worth a warning.
	lopsided  = 0.02
	offCentre = 0.25
)

// IsoFLOP fits a parabola in ln N to the losses of each compute budget and a power law to the
// minima (approach 2 of Hoffmann et al. 2022, §3.2, arXiv 2203.15556). A budget whose parabola
// opens downwards, or whose minimum lies outside the sizes that were run, is refused and left out.
//
// A parabola is biased where the loss is not symmetric in ln N: the warnings compare it with one
// through the rows near the minimum. Prefer the parametric fit when they appear.
//
// Errors: *Refusal BadValue; NoInteriorMinimum when fewer than two budgets have a minimum (the
// groups are returned with it).
func IsoFLOP(runs []Run, set *IsoFLOPSettings) (*IsoFLOPFit, error) {
	s := IsoFLOPSettings{Spread: isoSpread, Level: defaultLevel}
	if set != nil {
		s.Spread, s.Level = cmp.Or(set.Spread, s.Spread), cmp.Or(set.Level, s.Level)
	}
	for i, r := range runs {
		for _, v := range []float64{r.FLOPs, r.Params, r.Tokens, r.Loss} {
			if !(v > 0) || math.IsInf(v, 0) {
				return nil, badRow(i, "row %d: %+v; allowed: positive numbers", i, r)
			}
		}
	}
	out := &IsoFLOPFit{}
	var c, n, d, narrowC, narrowN []float64
	for _, group := range byBudget(runs, s.Spread) {
		g := parabola(group, s.Level)
		out.Groups = append(out.Groups, g)
		if g.Refused != nil {
			out.Warnings = append(out.Warnings, fmt.Sprintf("budget %.3g: %v", g.FLOPs, g.Refused))
			continue
		}
		c = append(c, math.Log(g.FLOPs))
		n = append(n, math.Log(g.Params.Value))
		d = append(d, math.Log(g.Tokens.Value))
		if g.NarrowParams > 0 {
			narrowC = append(narrowC, math.Log(g.FLOPs))
			narrowN = append(narrowN, math.Log(g.NarrowParams))
		}
	}
	if len(c) < 2 {
		return out, refuse(NoInteriorMinimum, nil,
			"%s, %d with a minimum inside the sizes that were run; needed: at least two",
			quantity.Of(len(out.Groups), "budget"), len(c))
	}
	ln, _ := fitPolynomial(c, n, 1)
	ld, _ := fitPolynomial(c, d, 1)
	out.A, out.B = ln.slope(s.Level), ld.slope(s.Level)
	out.LnParamsAt1, out.LnTokensAt1 = ln.at(0), ld.at(0)
	if narrow, ok := fitPolynomial(narrowC, narrowN, 1); ok {
		out.NarrowA = narrow.c[1]
	}
	out.warn()
	return out, nil
}

func (f *IsoFLOPFit) warn() {
	if s := f.A.Value + f.B.Value; math.Abs(s-1) > sumTolerance {
		f.Warnings = append(f.Warnings, fmt.Sprintf(
			"a + b = %.3f, not 1: FLOPs are not proportional to params·tokens in these rows", s))
	}
	skewed, aside, used := 0, 0, 0
	for _, g := range f.Groups {
		if g.Refused != nil {
			continue
		}
		used++
		if g.NarrowParams > 0 && math.Abs(math.Log(g.NarrowParams/g.Params.Value)) > lopsided {
			skewed++
		}
		if math.Abs(g.Position-0.5) > offCentre {
			aside++
		}
	}
	if 2*skewed >= used {
		f.Warnings = append(f.Warnings, fmt.Sprintf(
			"%d of %d parabolas are biased: the rows near the minimum move it by more than %.0f %% (a = %.3f instead of %.3f)",
			skewed, used, 100*lopsided, f.NarrowA, f.A.Value))
	}
	if 2*aside >= used {
		f.Warnings = append(f.Warnings, fmt.Sprintf(
			"%d of %d minima lie near the edge of their scan, where parabolas are biased", aside,
			used))
	}
	if !f.A.HasInterval {
		f.Warnings = append(f.Warnings, "two budgets leave the exponents without an interval")
	}
}

// byBudget groups runs, sorted by budget, so that within a group the largest is at most spread
// times the smallest.
func byBudget(runs []Run, spread float64) [][]Run {
	sorted := slices.SortedStableFunc(slices.Values(runs), func(a, b Run) int {
		return cmp.Or(cmp.Compare(a.FLOPs, b.FLOPs), cmp.Compare(a.Params, b.Params))
	})
	var out [][]Run
	for i, r := range sorted {
		if i == 0 || r.FLOPs > spread*out[len(out)-1][0].FLOPs {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], r)
	}
	return out
}

func parabola(runs []Run, level float64) IsoFLOPGroup {
	g := IsoFLOPGroup{Rows: len(runs)}
	var c, n, d, loss []float64
	for _, r := range runs {
		c, n, d, loss = append(c, r.FLOPs), append(n, r.Params), append(d, r.Tokens),
			append(loss, r.Loss)
	}
	lc, ln, ld := logs(c), logs(n), logs(d)
	g.FLOPs = math.Exp(meanOf(lc))
	p, ok := fitPolynomial(ln, loss, 2)
	if !ok {
		g.Refused = refuse(TooFewPoints, nil, "%s; needed: at least three", quantity.Of(distinct(n), "distinct size"))
		return g
	}
	g.parabola = p
	u, ok := p.vertex(ln)
	if !ok {
		g.Refused = refuse(NoInteriorMinimum, nil, "%s", p.noVertex(ln))
		return g
	}
	q, ok := fitPolynomial(ld, loss, 2)
	v, inside := 0.0, false
	if ok {
		v, inside = q.vertex(ld)
	}
	if !inside {
		g.Refused = refuse(NoInteriorMinimum, []string{"tokens"},
			"the losses have no minimum inside the tokens that were run")
		return g
	}
	g.Params, g.Tokens = p.vertexEstimate(u, level), q.vertexEstimate(v, level)
	g.Loss = p.at(u)
	lo, hi := slices.Min(ln), slices.Max(ln)
	g.Position = (u - lo) / (hi - lo)
	g.NarrowParams = narrowMinimum(ln, loss, u)
	return g
}

// narrowMinimum returns exp of the vertex of the parabola through the half of the rows nearest to
// u, 0 when there are fewer than four of them, no vertex, or an interval that holds u: then noise
// alone may have
// moved it.
func narrowMinimum(ln, loss []float64, u float64) float64 {
	order := orderOf(each(ln, func(v float64) float64 { return math.Abs(v - u) }))
	near := order[:(len(order)+1)/2]
	if len(near) < 4 {
		return 0
	}
	x, y := pick(ln, near), pick(loss, near)
	p, ok := fitPolynomial(x, y, 2)
	if !ok {
		return 0
	}
	v, ok := p.vertex(x)
	if !ok {
		return 0
	}
	if e := p.vertexEstimate(v, defaultLevel); !e.HasInterval || (e.Low < math.Exp(u) && math.Exp(u) < e.High) {
		return 0
	}
	return math.Exp(v)
}

// vertex returns where the parabola is lowest; ok only inside the range of u.
func (p polynomial) vertex(u []float64) (v float64, ok bool) {
	if !(p.c[2] > 0) {
		return 0, false
	}
	v = p.centre - p.c[1]/(2*p.c[2])
	return v, v > slices.Min(u) && v < slices.Max(u)
}

func (p polynomial) noVertex(u []float64) string {
	if !(p.c[2] > 0) {
		return "the parabola opens downwards"
	}
	v, _ := p.vertex(u)
	end, name := slices.Max(u), "largest"
	if v <= slices.Min(u) {
		end, name = slices.Min(u), "smallest"
	}
	text := "loss still falls at the " + name + " size"
	const near = 100 // times the size; what lies further off is the rows' noise
	if math.Abs(v-end) < math.Log(near) {
		text += fmt.Sprintf("; the parabola's minimum, %.3g params, was not run", math.Exp(v))
	}
	return text
}

// vertexEstimate returns exp of the vertex with the delta-method interval of −c1/(2·c2).
func (p polynomial) vertexEstimate(v, level float64) Estimate {
	e := Estimate{Value: math.Exp(v)}
	if p.dof > 0 {
		g1, g2 := -1/(2*p.c[2]), p.c[1]/(2*p.c[2]*p.c[2])
		variance := g1*g1*p.cov(1, 1) + 2*g1*g2*p.cov(1, 2) + g2*g2*p.cov(2, 2)
		half := tQuantile(level, float64(p.dof)) * math.Sqrt(variance)
		e.Low, e.High, e.HasInterval = math.Exp(v-half), math.Exp(v+half), true
	}
	return e
}
