package fit

import "math"

// autoSettings are the constants by which [Extrapolate] weights candidates.
type autoSettings struct {
	// offsetCentre and offsetSpread are the mean and the standard deviation of the normal density
	// that weights a candidate by its offset, as a fraction of the lowest y.
	offsetCentre, offsetSpread float64
	// A candidate's weight falls with its validation error to this power.
	validationPower float64
	// noiseFactor is the noise of rows yet to come over the residuals of the rows fitted.
	// Validation errors within it are not evidence.
	noiseFactor float64
}

// autoConstants returns the constants of law auto.
//
// Evidence: measured-here, on 46 public learning curves of six data sets; with each data set left
// out of the choice in turn, the score is the same to 0.001 (docs/extrapolation.md). The centre and
// spread of the offset are round numbers near the fractions at which such curves do end.
func autoConstants() autoSettings {
	return autoSettings{offsetCentre: 0.7, offsetSpread: 0.2, validationPower: 1, noiseFactor: 3}
}

// validationOrigin is the share of a curve's rows, by count, that is fitted to predict the others:
// late enough that what is validated resembles what is asked. At a half the same weights score
// worse.
const validationOrigin = 0.8

// leastError keeps the weight of an exact fit finite.
const leastError = 1e-9

// An Extrapolation is a learning curve continued by an average of laws.
type Extrapolation struct {
	// Laws holds what each law contributes: power, power-offset, saturating and one-break, in this
	// order, without those of no weight at all.
	Laws []LawShare
	// Points is the number of rows fitted, Last the largest x among them.
	Points int
	Last   float64
	// Noise is the root mean square residual in ln y over the later half of the rows, Validation
	// the root mean square error in ln y of the average on the rows after the rolling origin.
	Noise, Validation float64
	Warnings          []string

	candidates []curveCandidate
	weights    []float64 // sum to 1
	settings   autoSettings
}

// A LawShare is the part of one law in an [Extrapolation].
type LawShare struct {
	Law    Law
	Weight float64
	// Validation is the root mean square error in ln y, on the rows after the rolling origin, of
	// this law's candidates alone, averaged by their weights.
	Validation float64
	// Params are the natural parameters of its heaviest candidate, in the order of Law.Params.
	Params []float64
}

// Extrapolate returns law auto on a learning curve: the average in ln y of power, power-offset,
// saturating and one-break laws,
//
//	ln ŷ(x) = Σ_m w_m·ln ŷ_m(x),
//	w_m ∝ N(E_m/y_min; 0.7, 0.2) / √(v_m² + (3σ)²) / n_law.
//
// Each law is fitted many times by weighted least squares in ln y: with E at 0, 10, … 90 % of the
// lowest y and free, with row weights (x/last)^γ for a few γ, and with its break at a few places;
// n_law counts these γ and places. v_m is the root mean square error of the same candidate, fitted
// to the first 80 % of the rows, on the other rows; σ is the least residual of any candidate over
// the later half. So the average turns into a choice where one candidate predicts the held-out rows
// much better than noise allows the others to.
//
// The residual is in ln y and not in ln(y − E), and no optimum over E is asked for: both look
// better on the rows fitted and extrapolate worse. Curves of more than 256 rows are averaged to
// that many first.
//
// It takes 10 to 20 ms and is deterministic. It is meant for losses that fall: for a score that
// rises, pass 1 − score. Schedules that end (learning-rate decay) and double descent are not
// modelled.
//
// Source: the mixing is ours (docs/extrapolation.md). The laws are compared one by one in
// Alabdulmohsin et al. 2022, arXiv 2209.06640, and Caballero et al. 2023, arXiv 2210.14891.
func Extrapolate(c LearningCurve) *Extrapolation {
	return rollOrigin(c, curveFamilies()).average(autoConstants())
}

// A rolledCurve holds what does not depend on the weights of candidates.
type rolledCurve struct {
	curve      LearningCurve
	families   []frozenFamily
	candidates []curveCandidate
	// heldOut holds, for each candidate, its errors in ln y on the rows after the origin when
	// fitted to the rows before.
	heldOut [][]float64
	// leastNoise is the smallest noise of any candidate.
	leastNoise float64
}

func rollOrigin(c LearningCurve, families []frozenFamily) *rolledCurve {
	short, unit := c.condensed(), c.unit()
	r := &rolledCurve{
		curve: c, families: families,
		candidates: fitCandidates(short, families, unit),
	}
	r.leastNoise = math.Inf(1)
	for i := range r.candidates {
		r.leastNoise = min(r.leastNoise, short.noise(r.candidates[i].logValue))
	}
	n := len(short.X)
	origin := originOf(n)
	early := fitCandidates(short.head(origin), families, unit)
	r.heldOut = make([][]float64, len(early))
	for i := range early {
		r.heldOut[i] = make([]float64, n-origin)
		for k := range r.heldOut[i] {
			r.heldOut[i][k] = early[i].logValue(math.Log(short.X[origin+k])) - math.Log(
				short.Y[origin+k])
		}
	}
	return r
}

// originOf returns how many of n rows lie before the rolling origin.
func originOf(n int) int {
	return max(min(int(math.Ceil(validationOrigin*float64(n))), n-1), minHeadPoints)
}

const (
	// leastNoiseRows keeps the noise of a short curve from resting on a handful of residuals,
	// mostNoiseRows that of a long one from taking all the time.
	leastNoiseRows, mostNoiseRows = 4, 1024
	// freeCoefficients is what a candidate has adjusted to the rows.
	freeCoefficients = 2
)

// noise returns the standard deviation in ln y of the rows about a prediction, from the later half
// of the rows, or evenly taken ones of it.
func (c LearningCurve) noise(logValue func(logX float64) float64) float64 {
	n := len(c.X)
	rows := min(max(n-n/2, leastNoiseRows), n)
	stride := (rows + mostNoiseRows - 1) / mostNoiseRows
	var sum float64
	taken := 0
	for i := n - 1; i >= n-rows; i -= stride {
		e := logValue(math.Log(c.X[i])) - math.Log(c.Y[i])
		sum += e * e
		taken++
	}
	return math.Sqrt(sum / float64(taken-freeCoefficients))
}

// average weights the candidates.
func (r *rolledCurve) average(s autoSettings) *Extrapolation {
	n := len(r.curve.X)
	x := &Extrapolation{
		Points: n, Last: r.curve.X[n-1],
		candidates: r.candidates, weights: r.weights(s), settings: s,
	}
	x.Validation = RMS(r.heldOutError(x.weights, -1))
	x.Noise = r.curve.noise(func(logX float64) float64 {
		mean, _ := x.moments(logX)
		return mean
	})
	for number, family := range r.families {
		weight, at := heaviest(x.weights, func(i int) bool { return r.candidates[i].family == number })
		if weight == 0 {
			continue // it predicts the held-out rows nowhere near
		}
		x.Laws = append(x.Laws, LawShare{
			family.law, weight, RMS(r.heldOutError(x.weights, number)), r.candidates[at].natural(),
		})
	}
	x.Warnings = r.curve.warnings()
	return x
}

// weights returns the weight of each candidate; they sum to 1.
func (r *rolledCurve) weights(s autoSettings) []float64 {
	w := make([]float64, len(r.candidates))
	for i, c := range r.candidates {
		v := RMS(r.heldOut[i])
		if math.IsNaN(v) {
			v = math.Inf(1)
		}
		z := (c.fraction - s.offsetCentre) / s.offsetSpread
		w[i] = c.logShare - z*z/2 -
			s.validationPower*math.Log(math.Hypot(v, s.noiseFactor*r.leastNoise)+leastError)
	}
	return Normalised(w)
}

// heldOutError returns the weighted mean error on each held-out row of the candidates of one
// family, or of all if family is negative.
func (r *rolledCurve) heldOutError(weights []float64, family int) []float64 {
	return meanErrors(weights, len(r.heldOut[0]), func(i int) []float64 {
		if family < 0 || r.candidates[i].family == family {
			return r.heldOut[i]
		}
		return nil
	})
}

// fewPoints is below the shortest curve that the intervals were calibrated on.
const fewPoints = 10

func (c LearningCurve) warnings() []string {
	var w []string
	n := len(c.X)
	if n < fewPoints {
		w = append(w, "fewer than 10 distinct x: the intervals were calibrated on longer curves")
	}
	if c.Y[n-1] > c.Y[0] {
		w = append(w,
			"the curve rises: law auto is made for a loss that falls; pass 1 − score for a score")
	}
	return w
}

// Predict returns ŷ at x > 0.
func (x *Extrapolation) Predict(at float64) float64 {
	mean, _ := x.moments(math.Log(at))
	return finiteExp(mean)
}

// moments returns the weighted mean and standard deviation of ln ŷ over the candidates.
func (x *Extrapolation) moments(logX float64) (mean, spread float64) {
	// Deviations from the first candidate instead of the mean: one pass.
	reference := x.candidates[0].logValue(logX)
	var first, second float64
	for i := range x.candidates {
		if x.weights[i] == 0 {
			continue
		}
		d := x.candidates[i].logValue(logX) - reference
		first += x.weights[i] * d
		second += x.weights[i] * d * d
	}
	return reference + first, math.Sqrt(max(second-first*first, 0))
}
