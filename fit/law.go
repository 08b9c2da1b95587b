package fit

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	maxParams   = 16
	maxTerms    = 8
	maxFeatures = 8
)

// Law is a parametric form of a response (a loss or a score) in a row of predictors. It is a value:
// copy it, rename its columns with [Law.On], list the built-in ones with [Laws].
//
// A law is given either by Terms (a sum of power terms, for which the solver derives gradient,
// Hessian and projected starts) or by Eval and Start.
type Law struct {
	Name    string
	Formula string
	Source  string
	// Columns names the predictors, in the order rows are passed to Predict.
	Columns []string
	// Response names what is predicted: "loss" or "score".
	Response string
	Params   []Param

	// Prepare writes the features z of a row x of predictors; nil means z_j = ln x_j, which asks
	// for positive predictors.
	Prepare func(x, z []float64)
	// Features is the length of z; zero means one for each column.
	Features int

	// Terms gives ŷ = Σ_k coef_k · exp(−Σ_j exponent_j·z_j).
	Terms []Term

	// Eval returns ln ŷ (ŷ itself when Direct) at θ for the features z, and when grad is not nil
	// overwrites it with the gradient in θ. θ_j is the logarithm of the parameter when
	// Params[j].Log.
	Eval func(theta, z, grad []float64) float64
	// Start writes into theta the start that belongs to the point u of the unit cube, scaled to the
	// data summarised in s.
	Start func(u []float64, s Summary, theta []float64)
	// Direct says that Eval returns ŷ, not ln ŷ; ŷ may then be zero.
	Direct bool
}

// Param describes one parameter of a law.
type Param struct {
	Name string
	// Log says the solver works with the logarithm: the value is positive.
	Log bool
	// Low and High bound the natural value; both zero means no bound.
	Low, High float64
	// Start is the range of natural values that starts are spread over (for exponents of laws given
	// by Terms).
	Start [2]float64
	// Vanishes says that zero is an answer (no irreducible loss), not a failure: at zero the fit
	// warns instead of refusing.
	Vanishes bool
}

// Term is one summand coef·exp(−Σ exponent·z) of a law.
type Term struct {
	Coef   string
	Decays []Decay
}

// Decay says that the term falls with Exponent in the feature numbered Feature.
type Decay struct {
	Exponent string
	Feature  int
}

// Summary is what starts are scaled by: range of each feature and of the response.
type Summary struct {
	ZMin, ZMax, ZMean []float64
	YMin, YMax        float64
	// Slope is the least-squares slope of ln y (of y when it is not positive) on each feature
	// alone.
	Slope []float64
}

// Laws returns the built-in laws.
func Laws() []Law {
	return []Law{
		Power(), PowerOffset(), saturating(), oneBreak(),
		kaplan(), Chinchilla(), overTraining(), powerSum(), dataConstrained(),
		encoderDecoder(), ShapeAware(), sigmoidLink(), exponentialLink(), exponentialFloorLink(),
	}
}

// Lookup returns the built-in law of that name; the error lists the names.
func Lookup(name string) (Law, error) {
	laws := Laws()
	names := make([]string, len(laws))
	for i, l := range laws {
		if l.Name == name {
			return l, nil
		}
		names[i] = l.Name
	}
	return Law{}, &UnknownNameError{What: "law", Name: name, Valid: names}
}

// UnknownNameError reports a name that is none of Valid.
type UnknownNameError struct {
	What  string
	Name  string
	Valid []string
}

func (e *UnknownNameError) Error() string {
	return fmt.Sprintf("unknown %s: %q; allowed: %s", e.What, e.Name,
		strings.Join(e.Valid, ", "))
}

// On returns the law reading other columns, in the same order. It panics when the number of columns
// differs.
func (l Law) On(columns ...string) Law {
	if len(columns) != len(l.Columns) {
		panic(fmt.Sprintf("fit: law %s reads %d columns, got %d", l.Name, len(l.Columns),
			len(columns)))
	}
	l.Columns = append([]string(nil), columns...)
	return l
}

// Param returns the index of the named parameter, or −1.
func (l Law) Param(name string) int {
	return slices.IndexFunc(l.Params, func(p Param) bool { return p.Name == name })
}

// Predict returns ŷ for natural parameters in the order of l.Params and one row of predictors in
// the order of l.Columns; NaN when a predictor lies outside the law's domain. It panics on wrong
// lengths.
func (l Law) Predict(params, x []float64) float64 {
	if len(params) != len(l.Params) || len(x) != len(l.Columns) {
		panic(fmt.Sprintf("fit: law %s takes %d parameters and %d columns, got %d and %d",
			l.Name, len(l.Params), len(l.Columns), len(params), len(x)))
	}
	var zb [maxFeatures]float64
	var tb [maxParams]float64
	z, theta := zb[:l.features()], tb[:len(params)]
	l.prepare(x, z)
	l.toTheta(params, theta)
	f := l.eval(theta, z, nil)
	if l.Direct {
		return f
	}
	return math.Exp(f)
}

// OfSize is [Law.Predict] of a law that reads params and tokens alone, in either order; it panics for
// another.
func (l Law) OfSize(law []float64, params, tokens float64) float64 {
	n, d := slices.Index(l.Columns, "params"), slices.Index(l.Columns, "tokens")
	if n < 0 || d < 0 || len(l.Columns) != 2 {
		panic("fit: law " + l.Name + " does not read params and tokens alone")
	}
	var x [2]float64
	x[n], x[d] = params, tokens
	return l.Predict(law, x[:])
}

func (l *Law) features() int {
	if l.Features > 0 {
		return l.Features
	}
	return len(l.Columns)
}

func (l *Law) prepare(x, z []float64) {
	if l.Prepare != nil {
		l.Prepare(x, z)
		return
	}
	for j, v := range x {
		z[j] = math.Log(v)
	}
}

func (l *Law) toTheta(params, theta []float64) {
	for j, v := range params {
		if l.Params[j].Log {
			v = math.Log(v)
		}
		theta[j] = v
	}
}

func (l *Law) toNatural(theta, params []float64) {
	for j, v := range theta {
		if l.Params[j].Log {
			v = math.Exp(v)
		}
		params[j] = v
	}
}

// eval evaluates one row.
func (l *Law) eval(theta, z, grad []float64) float64 {
	var ct terms
	if l.Terms != nil {
		ct = l.compile()
	}
	return l.evalWith(ct, theta, z, grad)
}

// evalWith is eval with the terms compiled beforehand.
func (l *Law) evalWith(ct terms, theta, z, grad []float64) float64 {
	if ct == nil {
		return l.Eval(theta, z, grad)
	}
	var p [maxTerms]float64
	f := ct.logSumExp(theta, z, &p)
	if grad != nil {
		clear(grad)
		for k := range ct {
			for _, e := range ct[k] {
				grad[e.param] += p[k] * e.at(z)
			}
		}
	}
	return f
}

// entry is one derivative ∂η_k/∂θ_param = sign·z_feature (1 for the coefficient, whose feature is
// −1).
type entry struct{ param, feature int }

func (e entry) at(z []float64) float64 {
	if e.feature < 0 {
		return 1
	}
	return -z[e.feature]
}

// terms is the compiled form of a law's terms: η_k = Σ entry·θ.
type terms [][]entry

func (l *Law) compile() terms {
	index := func(name string) int {
		j := l.Param(name)
		if j < 0 {
			panic(fmt.Sprintf("fit: law %s has no parameter %q", l.Name, name))
		}
		return j
	}
	ct := make(terms, len(l.Terms))
	for k, t := range l.Terms {
		ct[k] = []entry{{index(t.Coef), -1}}
		for _, p := range t.Decays {
			ct[k] = append(ct[k], entry{index(p.Exponent), p.Feature})
		}
		for a := 1; a < len(ct[k]); a++ {
			if ct[k][a].param <= ct[k][a-1].param {
				panic(fmt.Sprintf(
					"fit: law %s lists the exponents of %s out of the order of its parameters",
					l.Name, t.Coef))
			}
		}
	}
	return ct
}

// logSumExp returns ln Σ exp(η_k) and writes the shares of the terms.
func (ct terms) logSumExp(theta, z []float64, p *[maxTerms]float64) float64 {
	top := math.Inf(-1)
	for k, es := range ct {
		eta := 0.0
		for _, e := range es {
			eta += theta[e.param] * e.at(z)
		}
		p[k] = eta
		top = max(top, eta)
	}
	if math.IsInf(top, -1) {
		return top
	}
	sum := 0.0
	for k := range ct {
		p[k] = math.Exp(p[k] - top)
		sum += p[k]
	}
	inv := 1 / sum
	for k := range ct {
		p[k] *= inv
	}
	return top + math.Log(sum)
}
