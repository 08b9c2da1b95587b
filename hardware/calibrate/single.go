package calibrate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
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
			faults = append(faults, fmt.Errorf("%s: a step of %v s; more than 0 is wanted",
				s.where(i), s.Seconds))
		case math.IsNaN(at) || math.IsInf(at, 0):
			faults = append(faults, fmt.Errorf("%s: %s", s.where(i), missingOf(&s.Run)))
		case math.Abs(math.Log(s.Seconds)-at) > math.Log(most):
			unit := ";"
			if s.Seconds > math.Exp(at) {
				unit = "; are they milliseconds?"
			}
			faults = append(faults, fmt.Errorf("%s: a step of %.3g s, %.3g times the predicted %.3g s"+
				"%s allowed: up to %.3g times either way", s.where(i), s.Seconds,
				s.Seconds/math.Exp(at), math.Exp(at), unit, most))
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

// fitSingle solves for the logarithms of all constants. The constants that bear on the steps may be
// given, where another fit has worked them out.
func fitSingle(steps []Measurement, base *hardware.Calibration, start []float64,
	read []int,
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
	weight := make([]float64, len(steps))
	for i := range weight {
		weight[i] = 1
	}
	reach := foldReach
	if read == nil {
		read, reach = constantsRead(steps, base.Constants, constantsOf(start)), 0
	}
	type known struct{ at, slope []float64 }
	rows := make([]known, len(steps))
	residual := func(i int, theta, slope []float64) float64 {
		r, row := &steps[i].Run, &rows[i]
		c := constantsOf(theta)
		at := logSeconds(r, &c)
		if row.at == nil || floats.Distance(theta, row.at, math.Inf(1)) > reach {
			*row = known{slices.Clone(theta), make([]float64, n)}
			for _, k := range read {
				row.slope[k] = constantSlope(r, c, k, at)
			}
		}
		copy(slope, row.slope)
		return math.Log(steps[i].Seconds) - at
	}
	o := observations{weight: weight, scale: scale, most: most, residual: residual}
	return solve(prior, o, start, fitSteps)
}

// foldReach is how far a constant may move, as its logarithm, before a left-out fit works slopes out
// anew: no printed digit of the shipped sessions changes.
const foldReach = 1e-3

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
	var groups []string
	for _, s := range steps {
		groups = append(groups, s.Group)
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	if len(groups) < 2 {
		r.Calibration.Residual = max(r.Calibration.Residual, base.Residual/2)
		return
	}
	errs, ratios := make([]float64, len(steps)), make([]float64, len(steps))
	read := constantsRead(steps, base.Constants, constantsOf(all.theta))
	parallel.Each(len(groups), 0, func(g int) {
		var train []Measurement
		for _, s := range steps {
			if s.Group != groups[g] {
				train = append(train, s)
			}
		}
		post := fitSingle(train, base, all.theta, read)
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
	even := make([]float64, len(ratios))
	for i := range even {
		even[i] = 1
	}
	r.Calibration.Residual *= max(1, weightedQuantile(ratios, even, level)/quantile90)
}

// predictWith returns the step time under a calibration and the standard deviation of its
// logarithm.
func predictWith(c *hardware.Calibration, r *hardware.Run) (seconds, sd float64) {
	at := logSeconds(r, &c.Constants)
	return math.Exp(at), math.Sqrt(c.Variance(r, math.Exp(at)))
}
