package calibrate

import (
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
}

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
}

// ErrNoMeasurements is returned when there is nothing to fit.
var ErrNoMeasurements = errors.New("no measured steps to fit")

// Fit returns the constants of the device and software stack that the measurements were made with.
//
// The prior is the shipped fit with its covariance, so that a few steps move only what they speak
// of: three points cannot make a prediction much worse than the shipped one. Errors:
// [ErrNoMeasurements], a measurement that is not positive, or whatever keeps a run from being
// predicted.
func Fit(steps []Measurement, fittedOn string) (Result, error) {
	if len(steps) == 0 {
		return Result{}, ErrNoMeasurements
	}
	base := hardware.Shipped(&steps[0].Run.Profile, steps[0].Run.Software)
	for i, s := range steps {
		if !(s.Seconds > 0) || math.IsInf(s.Seconds, 0) {
			return Result{}, fmt.Errorf("measurement %d: a step of %v s; more than 0 is wanted",
				i+1, s.Seconds)
		}
		if math.IsNaN(logSeconds(&s.Run, &base.Constants)) {
			return Result{}, fmt.Errorf("measurement %d: %s", i+1, missingOf(&s.Run))
		}
	}
	post := fitSingle(steps, &base, nil)
	out := Result{Calibration: calibrationOf(&post, fittedOn), Converged: post.converged}
	out.holdOut(steps, &base, &post)
	return out, nil
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

// fitSingle solves for the logarithms of all constants.
func fitSingle(steps []Measurement, base *hardware.Calibration, start []float64) posterior {
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
	if start == nil {
		start = prior.mean
	}
	weight := make([]float64, len(steps))
	for i := range weight {
		weight[i] = 1
	}
	read := constantsRead(steps, base.Constants, constantsOf(start))
	return solve(prior, observations{weight, func(i int, theta, slope []float64) float64 {
		c := constantsOf(theta)
		at := logSeconds(&steps[i].Run, &c)
		clear(slope)
		for _, k := range read {
			slope[k] = constantSlope(&steps[i].Run, c, k, at)
		}
		return math.Log(steps[i].Seconds) - at
	}}, start, fitSteps)
}

// constantsRead lists the constants that bear on any of the steps at any of the given values: runs
// on one device read none of networks, for one.
func constantsRead(steps []Measurement, at ...hardware.Constants) []int {
	var read []int
	for k := range hardware.ConstantCount {
		if slices.ContainsFunc(steps, func(s Measurement) bool {
			return slices.ContainsFunc(at, func(c hardware.Constants) bool { return constantSlope(&s.Run, c, k, logSeconds(&s.Run, &c)) != 0 })
		}) {
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
	parallel.Each(len(groups), 0, func(g int) {
		var train []Measurement
		for _, s := range steps {
			if s.Group != groups[g] {
				train = append(train, s)
			}
		}
		post := fitSingle(train, base, all.theta)
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
