package hardware

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Calibration is the constants of the step-time model for one device type under one software stack,
// as fitted to measured steps, with how far they can be trusted.
type Calibration struct {
	Constants Constants
	// Covariance is that of the constants' logarithms.
	Covariance [constants][constants]float64
	// Residual is the standard deviation of ln(measured/predicted) of a new run with perfect
	// constants.
	Residual float64
	// FittedOn says what the constants come from, e.g. "60 steps of steps.jsonl".
	FittedOn string
}

// calibration returns the profile's own fit, or the shipped one for the device and the software
// stack.
func (p *Profile) calibration(s Software) Calibration {
	if p.Calibration != nil {
		return *p.Calibration
	}
	return Shipped(p, s)
}

// jointFit is the fit to all published step times: ln of each unknown and their covariance.
type jointFit struct {
	index      map[string]int
	log        []float64
	covariance [][]float64
	residual   float64
}

// residualRow is the name of the row that holds the spread.
const residualRow = "residual"

var shipped = sync.OnceValue(func() jointFit {
	j := jointFit{index: map[string]int{}}
	var sd []float64
	for i, row := range data.StepConstants() {
		if row.Name == residualRow {
			j.residual = row.LogSD
			continue
		}
		j.index[row.Name] = i
		j.log, sd = append(j.log, math.Log(row.Value)), append(sd, row.LogSD)
		j.covariance = append(j.covariance, make([]float64, i+1))
		for k, r := range row.Correlations {
			j.covariance[i][k] = r * sd[i] * sd[k]
		}
		j.covariance[i][i] = sd[i] * sd[i]
	}
	return j
})

// fittedOn is what the shipped constants rest on.
const fittedOn = "published step times, data/facts/step_times.csv; the fit is data/facts/step_constants.csv"

// Shipped returns the constants fitted to the published step times for a device and a software
// stack. What was not fitted, a device, family, stack or place without published steps, is at its
// prior with the prior's spread.
func Shipped(p *Profile, s Software) Calibration { return ShippedAt(p, s, "") }

// ShippedAt is [Shipped] at a place that a source of published steps describes.
func ShippedAt(p *Profile, s Software, site string) Calibration {
	j := shipped()
	c := Calibration{Constants: Priors(), Residual: math.Hypot(j.residual, ModelSD), FittedOn: fittedOn}
	// Each constant is a product of unknowns of the fit.
	var parts [constants][]int
	take := func(k Constant, name string, sd float64) {
		if i, ok := j.index[name]; ok {
			parts[k] = append(parts[k], i)
			return
		}
		c.Covariance[k][k] += sd * sd
	}
	for k := range constants {
		if k != DeviceRate && k != SoftwareTime {
			take(k, priors[k].name, priors[k].sd)
		}
	}
	effects := EffectsOf(p.Class.Family, p.Device, s.Stack, site)
	for kind, name := range effects {
		take(EffectConstants[kind], name, EffectSDs[kind])
	}
	if _, known := j.index[effects[0]]; !known {
		c.Covariance[DeviceRate][DeviceRate] += UnseenFamilySD * UnseenFamilySD
		c.Covariance[SoftwareTime][SoftwareTime] += UnseenFamilySD * UnseenFamilySD
	}
	for k, list := range parts {
		if len(list) == 0 {
			continue
		}
		sum := 0.0
		for _, i := range list {
			sum += j.log[i]
		}
		c.Constants[k] = math.Exp(sum)
	}
	if site == "" {
		for _, h := range HostSDs {
			c.Covariance[h.Constant][h.Constant] += h.SD * h.SD
		}
	}
	for a := range parts {
		for b := range parts {
			for _, i := range parts[a] {
				for _, k := range parts[b] {
					c.Covariance[a][b] += j.covariance[max(i, k)][min(i, k)]
				}
			}
		}
	}
	return c
}

// machine returns the machine of a run and the constants that it is made with.
func (r *Run) machine() (Machine, Calibration, error) {
	c := r.Profile.calibration(r.Software)
	m, err := NewMachineWith(&r.Profile, r.Execution, r.Software, &c.Constants)
	return m, c, err
}

// timing is a time that follows from a machine.
type timing func(*Machine) float64

// trainingStep is the time of one step of a run.
func (r *Run) trainingStep() timing {
	layout := r.Layout.For(r.Workload)
	return func(m *Machine) float64 {
		t := m.step(&r.Shape, r.Workload, layout)
		return t.total()
	}
}

// interval returns the central 80 % interval around a time:
//
//	sd² = residual² + gᵀ·Σ·g, g = ∂ ln time/∂ ln constants
//
// The slope of a constant is about the share of the time that it governs, so that a launch-bound
// prediction is as uncertain as the launch time and a network-bound one as the links.
func (c *Calibration) interval(r *Run, of timing, seconds float64) quantity.Interval {
	return logNormal(seconds, c.spread(r, of, seconds, firstOfDecoding))
}

// logNormal is the central 80 % interval around a value whose logarithm has a variance.
func logNormal(value, variance float64) quantity.Interval {
	half := fit.NormalQuantile90 * math.Sqrt(variance)
	return quantity.Interval{
		Value: value, Low: value * math.Exp(-half), High: value * math.Exp(half),
	}
}

// Variance returns the variance of ln(measured/predicted) of a run whose predicted step takes so
// many seconds.
func (c *Calibration) Variance(r *Run, seconds float64) float64 {
	return c.spread(r, r.trainingStep(), seconds, firstOfDecoding)
}

// generation is [Calibration.interval] for times of generation, whose spread between runs is its
// own.
func (c *Calibration) generation(r *Run, of timing, seconds float64) quantity.Interval {
	return logNormal(seconds, c.GenerationVariance(r, of, seconds))
}

// DecodeSD is the spread of ln(measured/predicted) of generating with perfect constants: what
// frameworks, engines and their versions differ by. Chosen by leaving devices of published speeds
// out.
const DecodeSD = 0.25

// GenerationVariance returns the variance of ln(measured/predicted) of a time of generation that is
// predicted to take these seconds.
func (c *Calibration) GenerationVariance(r *Run, of func(*Machine) float64, seconds float64) float64 {
	own := c.spread(r, of, seconds, constants)
	return own + DecodeSD*DecodeSD
}

// spread returns residual² + gᵀ·Σ·g over the constants before one.
func (c *Calibration) spread(r *Run, of timing, seconds float64, to Constant) float64 {
	slope := c.slopes(r, of, seconds, to)
	variance := c.Residual * c.Residual
	for i := range slope {
		for j := range slope {
			variance += slope[i] * c.Covariance[i][j] * slope[j]
		}
	}
	// a covariance from a file need not be positive definite
	return max(variance, c.Residual*c.Residual)
}

// slopes returns ∂ ln time/∂ ln constants for the constants before one.
func (c *Calibration) slopes(r *Run, of timing, seconds float64, to Constant) [constants]float64 {
	const nudge = 1e-4
	var slope [constants]float64
	for i := range to {
		moved := c.Constants
		moved[i] *= math.Exp(nudge)
		if m, err := NewMachineWith(&r.Profile, r.Execution, r.Software, &moved); err == nil {
			slope[i] = math.Log(of(&m)/seconds) / nudge
		}
	}
	return slope
}

// Mode says how the work reaches the device.
func (r *Run) Mode() string {
	if r.Compiled() {
		return "compiled graph"
	}
	return "eager (not compiled)"
}

// assumptions lists what the prediction rests on besides the run.
func (r *Run) assumptions(m *Machine, l flops.Layout, c *Calibration) []Assumption {
	origin := Default
	if r.Profile.Calibration != nil {
		origin = Calibrated
	}
	var list []Assumption
	field := func(name, value string, f *Field) {
		if f != nil {
			list = append(list, Assumption{name, value, f.Origin, f.Source})
		}
	}
	rate := func(f *Field) string {
		if f == nil {
			return ""
		}
		return quantity.Format(quantity.ByteRate, f.Value, 4)
	}
	p := &r.Profile
	if p.MemoryBytes != nil {
		text := quantity.Format(quantity.Bytes, p.MemoryBytes.Value, 4)
		if p.ReserveBytes != nil {
			text += fmt.Sprintf(", of which %s stay with the driver",
				quantity.Format(quantity.Bytes, p.ReserveBytes.Value, 2))
		}
		field("device memory", text, p.MemoryBytes)
	}
	field("memory bandwidth", rate(p.BandwidthBytesPerSecond), p.BandwidthBytesPerSecond)
	list = append(list, Assumption{
		"achieved matrix-multiply rate",
		fmt.Sprintf("%s, %.0f %% of peak", quantity.Format(quantity.FLOPRate, m.rate, 3),
			100*m.rate/m.peak), origin, c.FittedOn,
	})
	by := Assumption{"execution", r.Mode(), Default, "whether the frameworks compile is unknown"}
	switch {
	case r.Software.Compiled != nil:
		by.Origin, by.Source = Flag, ""
	case StackKind(r.Software.Stack) != "":
		by.Source = "what " + r.Software.Stack + " does"
	case p.Class.Compiled != nil:
		by.Origin, by.Source = p.Class.Origin, p.Class.Source
	}
	list = append(list, by)
	devices := l.Devices() * m.contexts
	if devices > 1 {
		field("links inside a node", rate(p.IntraBytesPerSecond)+" one way", p.IntraBytesPerSecond)
	}
	if devices > m.domain {
		field("links between nodes", rate(p.InterBytesPerSecond)+" a device, one way",
			p.InterBytesPerSecond)
	}
	if m.units == 0 && !m.systolic() {
		list = append(list, Assumption{
			"tiles at once", "unknown: partly filled waves are not counted", Default,
			strings.TrimSpace(p.Name + " states no compute units"),
		})
	}
	return list
}
