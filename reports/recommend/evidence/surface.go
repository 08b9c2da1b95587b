package evidence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
)

// surface is a fitted loss of recorded runs over size, depth, width and tokens.
type surface struct {
	form  form
	law   *fit.Result // of a law of package fit
	plane fit.Linear  // of a polynomial in logarithms
	means runTraits   // what the polynomial is centred on
}

// form is a law that recorded runs may support: of package fit, or a polynomial for ln loss.
type form struct {
	name     string
	sentence string
	shaped   bool // it can tell depth from width at one size
	law      *fit.Law
	of       []trait // logarithms of the law's columns, or the polynomial's terms but for the constant
}

// trait reads a logarithm of a run.
type trait func(t *runTraits) float64

// columns are the predictors of the form's law.
func (f *form) columns(t *runTraits) []float64 {
	x := make([]float64, len(f.of))
	for i, read := range f.of {
		x[i] = math.Exp(read(t))
	}
	return x
}

// features are those of the form's polynomial, that of the constant first.
func (f *form) features(t *runTraits) []float64 {
	x := []float64{1}
	for _, read := range f.of {
		x = append(x, read(t))
	}
	return x
}

// loss returns the predicted loss.
func (s *surface) loss(t *runTraits) float64 {
	if s.law != nil {
		return s.law.Predict(s.form.columns(t)...)
	}
	return math.Exp(s.plane.At(s.form.features(s.centred(t))))
}

// centred measures from the middle of the records, so that squares and products are far from
// collinear with the logarithms themselves.
func (s *surface) centred(t *runTraits) *runTraits {
	return &runTraits{
		params: t.params - s.means.params, depth: t.depth - s.means.depth,
		width: t.width - s.means.width, tokens: t.tokens - s.means.tokens,
	}
}

func meanOf(runs []runTraits) (m runTraits) {
	n := float64(len(runs))
	for _, t := range runs {
		m.params += t.params / n
		m.depth += t.depth / n
		m.width += t.width / n
		m.tokens += t.tokens / n
	}
	return m
}

// fitSurface fits a form to runs; a law starts at an earlier fit where there is one.
func fitSurface(f form, runs []runTraits, loss []float64, from *surface) (*surface, error) {
	s := &surface{form: f}
	if f.law != nil {
		d := fit.Data{Columns: map[string][]float64{}, Y: loss}
		for i := range runs {
			for j, v := range f.columns(&runs[i]) {
				name := f.law.Columns[j]
				d.Columns[name] = append(d.Columns[name], v)
			}
		}
		settings := &fit.Settings{}
		if from != nil {
			settings.From, settings.Only = [][]float64{from.law.Params}, true
		}
		var err error
		s.law, err = fit.Fit(context.Background(), *f.law, d, fit.SquaredLog(), settings)
		return s, err
	}
	s.means = meanOf(runs)
	var x, y []float64
	for i := range runs {
		x, y = append(x, f.features(s.centred(&runs[i]))...), append(y, math.Log(loss[i]))
	}
	if n := len(f.of) + 1; len(y) < n+2 {
		return nil, fmt.Errorf("%d records for %d coefficients", len(y), n)
	}
	var ok bool
	if s.plane, ok = fit.LeastSquares(x, y, nil); !ok {
		return nil, fmt.Errorf("the records do not vary enough")
	}
	return s, nil
}

// variation says what the records can tell apart.
type variation struct {
	tokens    bool // tokens vary, other than in proportion to size
	anyTokens bool // tokens vary
	depth     bool // depth varies at one size
	// Squares need three levels of what they square.
	sizeSquare, tokensSquare, depthSquare bool
}

// enoughVariation is the smallest standard deviation of a logarithm, given the other predictors,
// that identifies its effect: 10 %.
const enoughVariation = 0.1

// sameAspect is the range of ln(d_model/layers), 25 %, within which all records count as of one
// aspect ratio: widths come in multiples of 64.
const sameAspect = 0.22

func variationOf(runs []runTraits) variation {
	var v variation
	var params, tokens, depth []float64
	low, high, told := math.Inf(1), math.Inf(-1), true // told: every run has a token count
	for _, t := range runs {
		params, tokens, depth = append(params, t.params), append(tokens, t.tokens), append(depth, t.depth)
		low, high = min(low, t.aspect()), max(high, t.aspect())
		told = told && !math.IsInf(t.tokens, 0)
	}
	v.sizeSquare, v.tokensSquare, v.depthSquare = levels(params) > 2, levels(tokens) > 2, levels(depth) > 2
	given := [][]float64{params}
	if told {
		v.anyTokens = residualSpread(tokens) > enoughVariation
		if v.tokens = residualSpread(tokens, params) > enoughVariation; v.tokens {
			given = append(given, tokens)
		}
	}
	v.depth = high-low >= sameAspect && residualSpread(depth, given...) > enoughVariation
	return v
}

// levels counts the values that differ by more than enoughVariation, up to three.
func levels(values []float64) int {
	var seen []float64
	for _, v := range values {
		if len(seen) < 3 && !slices.ContainsFunc(seen, func(s float64) bool { return math.Abs(s-v) <= enoughVariation }) {
			seen = append(seen, v)
		}
	}
	return len(seen)
}

// residualSpread returns the standard deviation of y around its regression on a constant and the
// predictors; predictors that hardly vary are left out.
func residualSpread(y []float64, predictors ...[]float64) float64 {
	var used [][]float64
	for _, p := range predictors {
		if residualSpread(p, used...) > enoughVariation {
			used = append(used, p)
		}
	}
	var x []float64
	for i := range y {
		x = append(x, 1)
		for _, p := range used {
			x = append(x, p[i]-p[0])
		}
	}
	l, ok := fit.LeastSquares(x, y, nil)
	if !ok {
		return 0
	}
	sum, n := 0.0, len(used)+1
	for i, v := range y {
		e := v - l.At(x[i*n:(i+1)*n])
		sum += e * e
	}
	return math.Sqrt(sum / float64(max(1, len(y)-n)))
}

// forms returns the laws that the records may support, the simplest first.
//
// The polynomials are in ln loss. Depth enters with a square, so that there may be a best depth.
// The smallest shaped form has one best aspect ratio for all sizes; in the others a product lets
// the best depth move: with tokens where they vary at all, as published decoder-only sweeps show,
// and with size.
// That it moves is the prior; which way and how far, the records say.
func forms(v variation) []form {
	size, tokens := func(t *runTraits) float64 { return t.params }, func(t *runTraits) float64 { return t.tokens }
	depth, width := func(t *runTraits) float64 { return t.depth }, func(t *runTraits) float64 { return t.width }
	squared := func(f trait, too bool) []trait {
		if !too {
			return []trait{f}
		}
		return []trait{f, times(f, f)}
	}
	base := squared(size, v.sizeSquare)
	if v.tokens {
		base = append(base, squared(tokens, v.tokensSquare)...)
	}
	deep := slices.Concat(base, squared(depth, v.depthSquare))
	var all []form
	lawful := func(law fit.Law, name, sentence string, shaped bool, of ...trait) {
		all = append(all, form{name, sentence, shaped, &law, of})
	}
	surface := func(name, sentence string, shaped bool, of ...trait) {
		all = append(all, form{name + "-surface", "ln loss quadratic in ln size" + sentence, shaped, nil, of})
	}
	if v.tokens {
		lawful(fit.Chinchilla(), "chinchilla", "loss = E + A/N^α + B/D^β", false, size, tokens)
	} else {
		lawful(fit.PowerOffset().On("params"), "power-offset", "loss = E + A/N^α", false, size)
	}
	surface("size", "", false, base...)
	if !v.depth {
		return all
	}
	surface("aspect", " and ln d_model/layers", true,
		slices.Concat(base, squared((*runTraits).aspect, v.depthSquare))...)
	withTokens, withSize := times(depth, tokens), times(depth, size)
	const moving = " and ln depth, the best depth moving with "
	if v.anyTokens {
		surface("depth-tokens", moving+"tokens", true, slices.Concat(deep, []trait{withTokens})...)
	}
	if v.tokens || !v.anyTokens {
		surface("depth-size", moving+"size", true, slices.Concat(deep, []trait{withSize})...)
	}
	shape := fit.ShapeAware()
	const sentence = "loss = E + A_w/d_model^a + A_l/layers^b + A_N/N^α"
	if v.tokens {
		surface("depth-size-tokens", moving+"both", true, slices.Concat(deep, []trait{withTokens, withSize})...)
		lawful(shape, shape.Name, sentence+" + A_D/D^β", true, width, depth, size, tokens)
		return all
	}
	shape.Columns, shape.Terms = slices.Clone(shape.Columns[:3]), slices.Clone(shape.Terms[:4])
	shape.Params = slices.DeleteFunc(slices.Clone(shape.Params), func(p fit.Param) bool {
		return p.Name == "A_tokens" || p.Name == "alpha_tokens"
	})
	lawful(shape, shape.Name, sentence, true, width, depth, size)
	return all
}

// times is the product of two traits.
func times(f, g trait) trait { return func(t *runTraits) float64 { return f(t) * g(t) } }

// folds is how many parts of the records are held out in turn.
const folds = 8

// foldOf spreads rows over k folds by the golden ratio, so that no regular order of the records
// puts one depth or one size into a fold.
func foldOf(row, k int) int {
	_, part := math.Modf(float64(row) * (math.Sqrt(5) - 1) / 2)
	return int(part * float64(k))
}

// crossValidate returns the errors in ln loss of a form on rows it was not fitted to.
func crossValidate(f form, runs []runTraits, loss []float64, whole *surface) ([]float64, error) {
	errors := make([]float64, len(runs))
	k := min(folds, len(runs))
	for fold := range k {
		var trainRuns []runTraits
		var trainLoss []float64
		for i := range runs {
			if foldOf(i, k) != fold {
				trainRuns, trainLoss = append(trainRuns, runs[i]), append(trainLoss, loss[i])
			}
		}
		s, err := fitSurface(f, trainRuns, trainLoss, whole)
		if err != nil {
			return nil, err
		}
		for i := range runs {
			if foldOf(i, k) == fold {
				errors[i] = math.Log(loss[i] / s.loss(&runs[i]))
			}
		}
	}
	return errors, nil
}

// chosen is a surface with its held-out errors.
type chosen struct {
	*surface
	errors []float64 // in ln loss
}

// chooseSurface returns the form with the least held-out error. Depth and width must earn their
// place: a form that reads them is taken only where the records can tell depth from size and it
// errs less than every form that does not.
func chooseSurface(runs []runTraits, loss []float64) (chosen, error) {
	var best chosen
	least := math.Inf(1)
	var tried []string // every form with its held-out error, or why it was out
	for _, f := range forms(variationOf(runs)) {
		s, err := fitSurface(f, runs, loss, nil)
		var errors []float64
		if err == nil {
			errors, err = crossValidate(f, runs, loss, s)
		}
		if err != nil {
			tried = append(tried, f.name+": "+err.Error())
			continue
		}
		rms := fit.RMS(errors)
		tried = append(tried, fmt.Sprintf("%s: %.4f", f.name, rms))
		if rms < least {
			least, best = rms, chosen{surface: s, errors: errors}
		}
	}
	if best.surface == nil {
		return best, fmt.Errorf("no law fits the records: %v", tried)
	}
	return best, nil
}
