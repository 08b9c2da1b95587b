package calibrate

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// Measurement is one measured step. Runs of one call share profile and software stack.
type Measurement struct {
	Run     hardware.Run
	Seconds float64
	// Group names what is left out together when the error is estimated: usually the shape.
	Group string
	Where string // file and line that it is from; empty is unknown
}

// where names a measurement to the user.
func (m *Measurement) where(i int) string {
	if m.Where != "" {
		return m.Where
	}
	return fmt.Sprintf("measurement %d", i+1)
}

// Doubt is a measured step that the fit could not be brought to.
type Doubt struct {
	Where              string
	Measured, Expected float64 // seconds; expected by the fit to all steps
}

func (d *Doubt) String() string {
	return fmt.Sprintf("%s: a step of %.3g s where the others make %.3g s likely: it hardly counts",
		d.Where, d.Measured, d.Expected)
}

// doubtful is how far a step may be from the fit to all, as a factor, before it is named: twice
// what repeated published runs of one configuration differ by.
const doubtful = 1.5

// So few steps say nothing of their own spread: it is taken to be at most that of steps of one
// machine, lest a level that they share pass for noise.
const (
	fewSteps = 3
	fewScale = scaleFloor
)

// impossible is how far a step may be from the model before any fit, as a factor: no published step
// is off by more than 4, and a wrong unit by 60 or 1,000.
const impossible = 30

// Result is a fit of the constants to one device and stack.
type Result struct {
	Calibration hardware.Calibration
	// MedianAbsLogError, Worst and Coverage80 are of predictions of each group by a fit to the
	// others; with fewer than two groups there are none, and HeldOut is false.
	HeldOut           bool
	MedianAbsLogError float64
	Worst             float64
	Coverage80        float64
	Converged         bool
	Doubts            []Doubt
	// Level is the median of measured over predicted before the fit.
	Level float64
}

// Warnings says what users should know before they trust a fit to their own steps.
func (r *Result) Warnings() []string {
	var told []string
	for _, d := range r.Doubts {
		told = append(told, d.String())
	}
	const unusual = 2 // a trainer twice as fast or slow as all published ones
	if r.Level > unusual || r.Level < 1.0/unusual {
		told = append(told, fmt.Sprintf(
			"the steps take %.3g times what was predicted: is everything that they do stated?",
			r.Level))
	}
	if !r.Converged {
		told = append(told, "the fit did not converge: the constants are those of its last step")
	}
	return told
}

// Written returns a profile as a file of that name holds it. The error is that of steps that give a
// profile with which no run can be planned.
func Written(p *hardware.Profile, name string) ([]byte, error) {
	var text bytes.Buffer
	if err := hardware.WriteProfile(&text, p); err != nil {
		return nil, err
	}
	_, err := hardware.ReadProfile(name, bytes.NewReader(text.Bytes()))
	if err != nil {
		err = fmt.Errorf("the steps give a profile that no run can be planned with: %w", err)
	}
	return text.Bytes(), err
}

// ErrNoMeasurements is returned when there is nothing to fit.
var ErrNoMeasurements = errors.New("no measured steps to fit")

// Fit returns the constants of the device and software stack that the measurements were made with.
//
// The prior is the shipped fit with its covariance, so that a few steps move only what they speak
// of: three points cannot make a prediction much worse than the shipped one. Steps that the others
// contradict hardly count, and are named in Doubts. Errors: [ErrNoMeasurements]; every measurement
// that is not positive, or further from the model than anything explains, such as milliseconds in a
// column of seconds; whatever keeps a run from being predicted.
func Fit(steps []Measurement, fittedOn string) (Result, error) {
	if len(steps) == 0 {
		return Result{}, ErrNoMeasurements
	}
	base := hardware.Shipped(&steps[0].Run.Profile, steps[0].Run.Software)
	if err := plausible(steps, &base, impossible); err != nil {
		return Result{}, err
	}
	out, err := fitFrom(&base, steps, fittedOn)
	out.Level = math.Exp(fit.Median(residuals(steps, &base.Constants)))
	out.doubt(steps)
	return out, err
}

// plausible returns every fault of the measurements, which may be off by so much either way.
func plausible(steps []Measurement, base *hardware.Calibration, most float64) error {
	var faults []error
	for i := range steps {
		s := &steps[i]
		at := logSeconds(&s.Run, &base.Constants)
		switch {
		case !(s.Seconds > 0) || math.IsInf(s.Seconds, 0):
			faults = append(faults, fmt.Errorf("%s: a step of %v s; allowed: more than 0",
				s.where(i), s.Seconds))
		case math.IsNaN(at) || math.IsInf(at, 0):
			faults = append(faults, fmt.Errorf("%s: %s", s.where(i), missingOf(&s.Run)))
		case math.Abs(math.Log(s.Seconds)-at) > math.Log(most):
			unit := ";"
			if s.Seconds > math.Exp(at) {
				unit = "; are they milliseconds?"
			}
			ratio := min(s.Seconds/math.Exp(at), math.MaxFloat64)
			faults = append(faults, fmt.Errorf("%s: a step of %.3g s, %.3g times the predicted %.3g s"+
				"%s allowed: up to %.3g times either way", s.where(i), s.Seconds, ratio, math.Exp(at), unit,
				most))
		}
		const mostFaults = 20
		if len(faults) > mostFaults {
			break
		}
	}
	return errors.Join(faults...)
}

// residuals returns ln(measured/predicted) of each step.
func residuals(steps []Measurement, c *hardware.Constants) []float64 {
	out := make([]float64, len(steps))
	for i := range steps {
		out[i] = math.Log(steps[i].Seconds) - logSeconds(&steps[i].Run, c)
	}
	return out
}

// doubt names the steps that the fit is far from.
func (r *Result) doubt(steps []Measurement) {
	for i, e := range residuals(steps, &r.Calibration.Constants) {
		if math.Abs(e) > math.Log(doubtful) {
			r.Doubts = append(r.Doubts, Doubt{
				steps[i].where(i), steps[i].Seconds, steps[i].Seconds * math.Exp(-e),
			})
		}
	}
}

// What one implementation of a kernel differs from another by, in the logarithm: on an accelerator
// of the published kind, and on a general processor, of which the published step times know
// nothing.
const (
	implementationSD = 0.1
	processorSD      = 0.5
)

// ownSD is what one device differs by from others of its type, and one installation of the software
// from others, in the logarithm.
const ownSD = 0.08

// tangent is ln of the predicted seconds of a step, and its slopes in the logarithms of the
// constants, at the logarithms theta.
type tangent struct {
	theta, slope []float64
	at           float64
}

// tangentAt takes the slopes in the constants that bear on any of the steps.
func tangentAt(r *hardware.Run, theta []float64, read []int) tangent {
	c := constantsOf(theta)
	t := tangent{slices.Clone(theta), make([]float64, len(theta)), logSeconds(r, &c)}
	for _, k := range read {
		t.slope[k] = constantSlope(r, c, k, t.at)
	}
	return t
}

// moved returns how far the constants that the step reads are from where the slopes were taken.
func (t *tangent) moved(theta []float64) float64 {
	far := 0.0
	for k, slope := range t.slope {
		if slope != 0 {
			far = max(far, math.Abs(theta[k]-t.theta[k]))
		}
	}
	return far
}

// near returns ln of the predicted seconds near theta, along the slopes.
func (t *tangent) near(theta []float64) float64 {
	at := t.at
	for k, slope := range t.slope {
		at += slope * (theta[k] - t.theta[k])
	}
	return at
}

// again takes the slopes anew elsewhere, in the constants that have one.
func (t *tangent) again(r *hardware.Run, theta []float64) {
	var read []int
	for k, slope := range t.slope {
		if slope != 0 {
			read = append(read, k)
		}
	}
	*t = tangentAt(r, theta, read)
}

// fitSingle solves for the logarithms of all constants. The tangents of the steps at the start may be
// given, where another fit has ended there: then they serve as far as they reach.
func fitSingle(steps []Measurement, base *hardware.Calibration, start []float64,
	tangents []tangent,
) posterior {
	n := hardware.ConstantCount
	prior := gaussian{mean: make([]float64, n), precision: mat.NewSymDense(n, nil)}
	covariance := mat.NewSymDense(n, nil)
	for j := range n {
		prior.mean[j] = math.Log(base.Constants[j])
		for k := j; k < n; k++ {
			covariance.SetSym(j, k, base.Covariance[j][k])
		}
	}
	loosen := func(sd float64, list ...hardware.Constant) {
		for _, c := range list {
			covariance.SetSym(int(c), int(c), covariance.At(int(c), int(c))+sd*sd)
		}
	}
	// The device at hand is one of its type, under its own versions of the software.
	loosen(ownSD, hardware.DeviceRate, hardware.SoftwareTime)
	kernels := implementationSD
	if steps[0].Run.Profile.Class.Kind == hardware.CPU {
		kernels = processorSD
	}
	loosen(kernels, hardware.FusedCore, hardware.UnfusedCore, hardware.ScorePasses,
		hardware.EagerTraffic, hardware.CompiledTraffic, hardware.OptimizerTraffic)
	var factor mat.Cholesky
	if !factor.Factorize(covariance) {
		panic("calibrate: the shipped covariance is not positive definite")
	}
	if err := factor.InverseTo(prior.precision); err != nil {
		panic("calibrate: the shipped covariance cannot be inverted: " + err.Error())
	}
	scale, most := 0.0, 0.0
	if len(steps) <= fewSteps {
		most = fewScale
	}
	if start == nil {
		scale = scaleFloor
		// from the level that the steps agree on: from elsewhere all of them look like outliers
		start = slices.Clone(prior.mean)
		start[hardware.SoftwareTime] += fit.Median(residuals(steps, &base.Constants))
	}
	var read []int
	if tangents == nil {
		read = constantsRead(steps, base.Constants, constantsOf(start))
	}
	o := observations{weight: evenly(len(steps)), scale: scale, most: most}
	o.residual = func(i int, theta, slope []float64) float64 {
		var t *tangent
		if tangents == nil {
			exact := tangentAt(&steps[i].Run, theta, read)
			t = &exact
		} else {
			t = &tangents[i]
		}
		copy(slope, t.slope)
		return math.Log(steps[i].Seconds) - t.near(theta)
	}
	if tangents != nil {
		o.renew = func(theta []float64) bool {
			return renewed(len(steps), func(i int) bool {
				far := tangents[i].moved(theta) > slopeReach
				if far {
					tangents[i].again(&steps[i].Run, theta)
				}
				return far
			})
		}
	}
	return solve(prior, o, start, fitSteps)
}

// constantsRead lists the constants that bear on any of the steps at any of the given values: runs
// on one device read none of networks, for one.
func constantsRead(steps []Measurement, at ...hardware.Constants) []int {
	bears := [hardware.ConstantCount]bool{}
	for _, c := range at {
		for i := range steps {
			seconds := logSeconds(&steps[i].Run, &c)
			for k := range bears {
				bears[k] = bears[k] || constantSlope(&steps[i].Run, c, k, seconds) != 0
			}
		}
	}
	var read []int
	for k, yes := range bears {
		if yes {
			read = append(read, k)
		}
	}
	return read
}

func constantsOf(theta []float64) hardware.Constants {
	var c hardware.Constants
	for k := range c {
		c[k] = math.Exp(theta[k])
	}
	return c
}

func calibrationOf(p *posterior, fittedOn string) hardware.Calibration {
	c := hardware.Calibration{
		Constants: constantsOf(p.theta), Residual: p.residual,
		FittedOn: fittedOn,
	}
	for j := range p.theta {
		for k := range p.theta {
			c.Covariance[j][k] = p.covariance.At(j, k)
		}
	}
	return c
}

// holdOut predicts each group by a fit to the others, and widens the residual spread to what they
// show.
func (r *Result) holdOut(steps []Measurement, base *hardware.Calibration, all *posterior) {
	groups := distinct(steps, func(s *Measurement) string { return s.Group })
	if len(groups) < 2 {
		r.Calibration.Residual = max(r.Calibration.Residual, base.Residual/2)
		return
	}
	errs, ratios := make([]float64, len(steps)), make([]float64, len(steps))
	read := constantsRead(steps, base.Constants, constantsOf(all.theta))
	tangents := make([]tangent, len(steps))
	parallel.Each(len(steps), 0, func(i int) {
		tangents[i] = tangentAt(&steps[i].Run, all.theta, read)
	})
	parallel.Each(len(groups), 0, func(g int) {
		var train []Measurement
		var known []tangent
		for i, s := range steps {
			if s.Group != groups[g] {
				train, known = append(train, s), append(known, tangents[i])
			}
		}
		post := fitSingle(train, base, all.theta, known)
		fit := calibrationOf(&post, "")
		for i := range steps {
			if s := &steps[i]; s.Group == groups[g] {
				seconds, sd := predictWith(&fit, &s.Run)
				errs[i] = math.Abs(math.Log(s.Seconds / seconds))
				ratios[i] = errs[i] / sd
			}
		}
	})
	r.HeldOut, r.MedianAbsLogError, r.Worst = true, fit.Median(errs), slices.Max(errs)
	inside := 0
	for _, z := range ratios {
		if z <= quantile90 {
			inside++
		}
	}
	r.Coverage80 = float64(inside) / float64(len(ratios))
	even := evenly(len(ratios))
	r.Calibration.Residual *= max(1, weightedQuantile(ratios, even, level)/quantile90)
}

// predictWith returns the step time under a calibration and the standard deviation of its
// logarithm.
func predictWith(c *hardware.Calibration, r *hardware.Run) (seconds, sd float64) {
	at := logSeconds(r, &c.Constants)
	return math.Exp(at), math.Sqrt(c.Variance(r, math.Exp(at)))
}
