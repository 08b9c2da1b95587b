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

// form is a law that recorded runs may support.
type form struct {
	name     string
	sentence string
	shaped   bool // it can tell depth from width at one size
	law      *fit.Law
	columns  func(t *runTraits) []float64 // predictors of law
	features func(t *runTraits) []float64 // of a polynomial for ln loss
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

// fitSurface fits a form to runs.
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
	var x, y, weight []float64
	for i := range runs {
		x, y, weight = append(x, f.features(s.centred(&runs[i]))...), append(y, math.Log(loss[i])),
			append(weight, 1)
	}
	if len(y) < len(x)/len(y)+2 {
		return nil, fmt.Errorf("%d records for %d coefficients", len(y), len(x)/len(y))
	}
	var ok bool
	if s.plane, ok = fit.LeastSquares(x, y, weight); !ok {
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
	params, tokens, depth := make([]float64, len(runs)), make([]float64, len(runs)),
		make([]float64, len(runs))
	for i, t := range runs {
		params[i], tokens[i], depth[i] = t.params, t.tokens, t.depth
	}
	v.sizeSquare, v.tokensSquare, v.depthSquare = levels(params) > 2, levels(tokens) > 2,
		levels(depth) > 2
	low, high := math.Inf(1), math.Inf(-1)
	for i := range runs {
		low, high = min(low, runs[i].aspect()), max(high, runs[i].aspect())
	}
	oneAspect := high-low < sameAspect
	for _, t := range tokens {
		if math.IsInf(t, 0) { // some run has no token count
			v.depth = !oneAspect && residualSpread(depth, params) > enoughVariation
			return v
		}
	}
	v.anyTokens = residualSpread(tokens) > enoughVariation
	v.tokens = residualSpread(tokens, params) > enoughVariation
	given := [][]float64{params}
	if v.tokens {
		given = append(given, tokens)
	}
	v.depth = !oneAspect && residualSpread(depth, given...) > enoughVariation
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
	var x, weight []float64
	for i := range y {
		x = append(x, 1)
		for _, p := range used {
			x = append(x, p[i]-p[0])
		}
		weight = append(weight, 1)
	}
	l, ok := fit.LeastSquares(x, y, weight)
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
	var all []form
	size := func(t *runTraits) []float64 { return []float64{math.Exp(t.params)} }
	power := fit.PowerOffset().On("params")
	chinchilla, shape := fit.Chinchilla(), fit.ShapeAware()
	both := func(t *runTraits) []float64 {
		return []float64{
			math.Exp(t.params),
			math.Exp(t.tokens),
		}
	}
	four := func(t *runTraits) []float64 {
		return []float64{
			math.Exp(t.width), math.Exp(t.depth), math.Exp(t.params),
			math.Exp(t.tokens),
		}
	}
	base := func(t *runTraits) []float64 {
		x := []float64{1, t.params}
		if v.sizeSquare {
			x = append(x, t.params*t.params)
		}
		if v.tokens {
			x = append(x, t.tokens)
			if v.tokensSquare {
				x = append(x, t.tokens*t.tokens)
			}
		}
		return x
	}
	if v.tokens {
		all = append(all, form{
			name: "chinchilla", sentence: "loss = E + A/N^α + B/D^β",
			law: &chinchilla, columns: both,
		})
	} else {
		all = append(all, form{
			name: "power-offset", sentence: "loss = E + A/N^α", law: &power,
			columns: size,
		})
	}
	all = append(all, form{
		name: "size-surface", sentence: "ln loss quadratic in ln size",
		features: base,
	})
	if !v.depth {
		return all
	}
	depth := func(more ...func(t *runTraits) float64) func(t *runTraits) []float64 {
		return func(t *runTraits) []float64 {
			x := append(base(t), t.depth)
			if v.depthSquare {
				x = append(x, t.depth*t.depth)
			}
			for _, f := range more {
				x = append(x, f(t))
			}
			return x
		}
	}
	withTokens := func(t *runTraits) float64 { return t.depth * t.tokens }
	withSize := func(t *runTraits) float64 { return t.depth * t.params }
	aspect := func(t *runTraits) []float64 {
		x := append(base(t), t.aspect())
		if v.depthSquare {
			x = append(x, t.aspect()*t.aspect())
		}
		return x
	}
	all = append(all, form{
		name:     "aspect-surface",
		sentence: "ln loss quadratic in ln size and ln d_model/layers", shaped: true,
		features: aspect,
	})
	if v.anyTokens {
		all = append(all, form{
			name:     "depth-tokens-surface",
			sentence: "ln loss quadratic in ln size and ln depth, the best depth moving with tokens", shaped: true, features: depth(withTokens),
		})
	}
	if v.tokens || !v.anyTokens {
		all = append(all, form{
			name:     "depth-size-surface",
			sentence: "ln loss quadratic in ln size and ln depth, the best depth moving with size",
			shaped:   true, features: depth(withSize),
		})
	}
	if v.tokens {
		all = append(all, form{
			name:     "depth-size-tokens-surface",
			sentence: "ln loss quadratic in ln size and ln depth, the best depth moving with both",
			shaped:   true, features: depth(withTokens, withSize),
		})
		all = append(all, form{
			name:     shape.Name,
			sentence: "loss = E + A_w/d_model^a + A_l/layers^b + A_N/N^α + A_D/D^β", shaped: true,
			law: &shape, columns: four,
		})
		return all
	}
	shape.Columns = slices.Clone(shape.Columns[:3])
	shape.Params = slices.DeleteFunc(slices.Clone(shape.Params), func(p fit.Param) bool { return p.Name == "A_tokens" || p.Name == "alpha_tokens" })
	shape.Terms = slices.Clone(shape.Terms[:4])
	return append(all, form{
		name:     shape.Name,
		sentence: "loss = E + A_w/d_model^a + A_l/layers^b + A_N/N^α", shaped: true, law: &shape,
		columns: func(t *runTraits) []float64 { return four(t)[:3] },
	})
}

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
		from := whole
		if whole.law == nil {
			from = nil
		}
		s, err := fitSurface(f, trainRuns, trainLoss, from)
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
	// tried names every form with its held-out error, or why it was out.
	tried []string
}

// chooseSurface returns the form with the least held-out error. Depth and width must earn their
// place: a form that reads them is taken only where the records can tell depth from size and it
// errs less than every form that does not.
func chooseSurface(runs []runTraits, loss []float64) (chosen, error) {
	var best chosen
	least := math.Inf(1)
	var tried []string
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
	best.tried = tried
	if best.surface == nil {
		return best, fmt.Errorf("no law fits the records: %v", tried)
	}
	return best, nil
}
