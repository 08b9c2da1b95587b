package calibrate

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/measured"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// unknown is one of the joint fit: the logarithm of a constant, or the effect of a family, a device
// or a stack.
type unknown struct {
	name string
	mean float64 // of its prior
	sd   float64
}

// constantUnknown is a constant of the model as an unknown.
func constantUnknown(c int) unknown {
	value, sd := hardware.Constant(c).Prior()
	return unknown{hardware.Constant(c).String(), math.Log(value), sd}
}

// independent is the prior of unknowns that tell nothing of each other.
func independent(unknowns []unknown) gaussian {
	n := len(unknowns)
	prior := gaussian{mean: make([]float64, n), precision: mat.NewSymDense(n, nil)}
	for j, u := range unknowns {
		prior.mean[j] = u.mean
		prior.precision.SetSym(j, j, 1/(u.sd*u.sd))
	}
	return prior
}

// joint is the fit of the shared constants and of all effects to runs on many devices.
type joint struct {
	runs     []measured.Run
	unknowns []unknown // the shared constants, then the effects
	shared   int
	effects  [][effectKinds]int // of each run
	weight   []float64
}

// shared says whether all devices and stacks share a constant.
func shared(c int) bool {
	return hardware.Constant(c).OfTraining() && c != int(hardware.DeviceRate) &&
		c != int(hardware.SoftwareTime)
}

// effectKinds is how many effects a run has besides the shared constants.
const effectKinds = len(hardware.Effects{})

func effectNames(r *measured.Run) hardware.Effects {
	return hardware.EffectsOf(r.Family, r.Device, r.Run.Software.Stack, r.Source)
}

func newJoint(runs []measured.Run) *joint {
	p := &joint{runs: runs, effects: make([][effectKinds]int, len(runs)), weight: make([]float64, len(runs))}
	for c := range hardware.ConstantCount {
		if shared(c) {
			p.unknowns = append(p.unknowns, constantUnknown(c))
		}
	}
	p.shared = len(p.unknowns)
	for kind, sd := range hardware.EffectSDs {
		for _, n := range distinct(runs, func(r *measured.Run) string { return effectNames(r)[kind] }) {
			if n != "" {
				p.unknowns = append(p.unknowns, unknown{n, 0, sd})
			}
		}
		for i := range runs {
			p.effects[i][kind] = p.find(effectNames(&runs[i])[kind])
		}
	}
	// Rows of one group share their weight: a suite of near-copies is less evidence than as many
	// independent runs.
	size := map[string]int{}
	for i := range runs {
		size[runs[i].Group]++
	}
	for i := range runs {
		p.weight[i] = 1 / math.Sqrt(float64(size[runs[i].Group]))
	}
	return p
}

// find returns the index of an unknown, or −1.
func (p *joint) find(name string) int {
	return slices.IndexFunc(p.unknowns, func(u unknown) bool { return u.name == name })
}

// constants returns the constants under which a run with such effects is predicted.
func (p *joint) constants(theta []float64, effects [effectKinds]int) hardware.Constants {
	c := hardware.Priors()
	j := 0
	for k := range c {
		if shared(k) {
			c[k] = math.Exp(theta[j])
			j++
		}
	}
	at := func(j int) float64 {
		if j < 0 {
			return 0
		}
		return theta[j]
	}
	c[hardware.DeviceRate], c[hardware.SoftwareTime] = 1, 1
	for kind, j := range effects {
		c[hardware.EffectConstants[kind]] *= math.Exp(at(j))
	}
	return c
}

// residual returns ln(measured/predicted) of a run and fills the slopes of ln predicted.
func (p *joint) residual(r *measured.Run, effects [effectKinds]int, theta, slope []float64) float64 {
	c := p.constants(theta, effects)
	at := logSeconds(&r.Run, &c)
	p.spread(constantSlopes(&r.Run, c, at), effects, slope)
	return math.Log(r.Seconds) - at
}

// spread fills the slopes of the unknowns from those of the constants.
func (p *joint) spread(of constants, effects [effectKinds]int, slope []float64) {
	clear(slope)
	j := 0
	for k, s := range of {
		if shared(k) {
			slope[j] = s
			j++
			continue
		}
		for kind, j := range effects {
			if int(hardware.EffectConstants[kind]) == k {
				set(slope, j, s)
			}
		}
	}
}

func set(slope []float64, j int, v float64) {
	if j >= 0 {
		slope[j] = v
	}
}

// fit solves for all unknowns, from the priors or from the values that another fit found for the
// same names.
func (p *joint) fit(from *jointFit, iterations int) *jointFit {
	prior := independent(p.unknowns)
	start := slices.Clone(prior.mean)
	if from != nil {
		for j, u := range p.unknowns {
			if k := from.joint.find(u.name); k >= 0 {
				start[j] = from.theta[k]
			}
		}
	}
	o := observations{weight: p.weight, residual: func(i int, theta, slope []float64) float64 {
		return p.residual(&p.runs[i], p.effects[i], theta, slope)
	}}
	if from != nil && from.known != nil {
		o.residual, o.renew = p.near(from, start)
		o.scale = from.scale
	}
	return &jointFit{joint: p, posterior: solve(prior, o, start, iterations)}
}

// slopeReach is how far from its unknowns a left-out fit may end before a run is worked out anew: the
// scores of a validation are those of a reach of 0.0005 but for two in the third digit.
const slopeReach = 0.01

// near returns the observations of a fit that starts where another ended. Predictions take nearly all
// of the time and are all but straight over a short way: a run is predicted by its slopes at the
// unknowns of the other fit, and where the fit ends, out of reach of those, by its slopes there.
func (p *joint) near(from *jointFit, start []float64) (
	residual func(i int, theta, slope []float64) float64, renew func(theta []float64) bool,
) {
	rows := make([]knownRun, len(p.runs))
	for i := range rows {
		rows[i] = from.known[p.runs[i].ID]
		rows[i].theta = start
	}
	residual = func(i int, theta, slope []float64) float64 {
		k := &rows[i]
		p.spread(k.of, p.effects[i], slope)
		at := k.at
		for j, s := range slope {
			at += s * (theta[j] - k.theta[j])
		}
		return math.Log(p.runs[i].Seconds) - at
	}
	return residual, func(theta []float64) bool {
		return renewed(len(rows), func(i int) bool {
			r, k := &p.runs[i].Run, &rows[i]
			if p.moved(i, theta, k.theta) <= slopeReach {
				return false
			}
			c := p.constants(theta, p.effects[i])
			k.theta, k.at = slices.Clone(theta), logSeconds(r, &c)
			for j, slope := range k.of {
				if slope != 0 { // what bore nothing on the run where the other fit ended still does not
					k.of[j] = constantSlope(r, c, j, k.at)
				}
			}
			return true
		})
	}
}

// renewed takes all rows anew that are out of reach, and says whether any was.
func renewed(rows int, anew func(i int) bool) bool {
	any := make([]bool, rows)
	parallel.Each(rows, 0, func(i int) { any[i] = anew(i) })
	return slices.Contains(any, true)
}

// moved returns how far the unknowns of a run are from others: the shared ones, which come first,
// and its effects.
func (p *joint) moved(i int, theta, from []float64) float64 {
	far := 0.0
	for j := range p.shared {
		far = max(far, math.Abs(theta[j]-from[j]))
	}
	for _, j := range p.effects[i] {
		if j >= 0 {
			far = max(far, math.Abs(theta[j]-from[j]))
		}
	}
	return far
}

// jointFit is the outcome of a joint fit.
type jointFit struct {
	joint *joint
	posterior
	known map[string]knownRun // by ID, where other fits start from this one
}

// knownRun is ln of the predicted seconds of a run, and its slopes in ln of the constants, at the
// unknowns theta.
type knownRun struct {
	theta []float64
	at    float64
	of    constants
}

// share works out the predictions and slopes that other fits start from.
func (f *jointFit) share() {
	runs := f.joint.runs
	known := make([]knownRun, len(runs))
	parallel.Each(len(runs), 0, func(i int) {
		c := f.joint.constants(f.theta, f.joint.effects[i])
		at := logSeconds(&runs[i].Run, &c)
		known[i] = knownRun{f.theta, at, constantSlopes(&runs[i].Run, c, at)}
	})
	f.known = map[string]knownRun{}
	for i := range runs {
		f.known[runs[i].ID] = known[i]
	}
}

// predict returns the step time of a run that need not be in the fit, and the standard deviation of
// its logarithm.
func (f *jointFit) predict(r *measured.Run) (seconds, sd float64) {
	var effects [effectKinds]int
	variance := f.posterior.residual*f.posterior.residual + hardware.ModelSD*hardware.ModelSD
	names := effectNames(r)
	for kind, name := range names {
		effects[kind] = f.joint.find(name)
	}
	slope := make([]float64, len(f.theta))
	at := math.Log(r.Seconds) - f.joint.residual(r, effects, f.theta, slope)
	c := f.joint.constants(f.theta, effects)
	for kind, j := range effects {
		if j < 0 { // the effect of a place that the fit has not seen
			sd := hardware.EffectSDs[kind] * constantSlope(&r.Run, c, int(hardware.EffectConstants[kind]), at)
			variance += sd * sd
		}
	}
	if effects[4] < 0 {
		for _, h := range hardware.HostSDs {
			sd := h.SD * constantSlope(&r.Run, c, int(h.Constant), at)
			variance += sd * sd
		}
	}
	if effects[0] < 0 {
		rate := constantSlope(&r.Run, c, int(hardware.DeviceRate), at)
		variance += hardware.UnseenFamilySD * hardware.UnseenFamilySD * (1 + rate*rate)
	}
	v := mat.NewVecDense(len(slope), slope)
	variance += mat.Inner(v, f.covariance, v)
	return math.Exp(at), math.Sqrt(variance)
}

// logSeconds returns ln of the predicted time of a run.
func logSeconds(r *hardware.Run, c *hardware.Constants) float64 {
	m, err := hardware.NewMachineWith(&r.Profile, r.Execution, r.Software, c)
	if err != nil {
		return math.NaN()
	}
	t, err := m.StepSeconds(&r.Shape, r.Workload, r.Layout)
	if err != nil {
		return math.NaN()
	}
	return math.Log(t)
}

// constants holds a number for each constant of the model.
type constants [hardware.ConstantCount]float64

// constantSlopes returns ∂ ln seconds/∂ ln constant for each constant of training.
func constantSlopes(r *hardware.Run, c hardware.Constants, at float64) (of constants) {
	for k := range of {
		if hardware.Constant(k).OfTraining() {
			of[k] = constantSlope(r, c, k, at)
		}
	}
	return of
}

// constantSlope returns ∂ ln seconds/∂ ln constant k by a forward difference.
func constantSlope(r *hardware.Run, c hardware.Constants, k int, at float64) float64 {
	const nudge = 1e-4
	c[k] *= math.Exp(nudge)
	return (logSeconds(r, &c) - at) / nudge
}
