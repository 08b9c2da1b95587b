package recommend

import (
	"errors"
	"math"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// coster prices candidates for one request.
type coster struct {
	request  *Request
	workload flops.Workload
	encodes  bool // candidates have an encoder
	rates    hardware.Rates
	goodput  hardware.Input
	machine  *hardware.Machine
	timeless string // why no step time can be had; empty when it can
}

func newCoster(r *Request, template *shapes.Shape) (coster, error) {
	c := coster{request: r, workload: r.Workload, encodes: template.Encoder.Layers > 0}
	if c.workload == (flops.Workload{}) {
		c.workload = flops.DefaultWorkload(template)
	}
	if err := c.workload.Validate(template); err != nil {
		return c, err
	}
	if err := r.Execution.Validate(); err != nil {
		return c, err
	}
	c.goodput = hardware.DefaultGoodput()
	if r.Goodput != nil {
		c.goodput = *r.Goodput
	}
	if r.Profile == nil {
		c.timeless = "no hardware is named"
		return c, nil
	}
	var err error
	if c.rates, err = hardware.ResolveRates(*r.Profile, r.Stated); err != nil {
		return c, err
	}
	machine, err := hardware.NewMachine(r.Profile, r.Execution, r.Software)
	var missing *hardware.MissingError
	if errors.As(err, &missing) {
		c.timeless = missing.Error()
		return c, nil
	}
	c.machine = &machine
	return c, err
}

// stepTokens returns the training tokens of one step: the inputs of an
// encoder-decoder, as the paper counts its 65,536.
func (c *coster) stepTokens() float64 {
	length := c.workload.EncoderLength
	if !c.encodes {
		length = c.workload.DecoderLength
	}
	return float64(c.workload.Batch) * float64(length)
}

// tokens returns the training tokens of a candidate with so many parameters.
func (c *coster) tokens(params float64) float64 {
	switch r := c.request; {
	case r.Tokens > 0:
		return r.Tokens
	case r.TokensPerParam > 0:
		return r.TokensPerParam * params
	default:
		return r.Steps * c.stepTokens()
	}
}

// steps returns the optimizer steps of a candidate with so many parameters.
func (c *coster) steps(params float64) float64 { return c.tokens(params) / c.stepTokens() }

// layout returns the stated layout, or one that spreads the batch: as many
// copies as divide both the devices and the batch, and what is left of the
// devices in tensor parallelism where the shape allows it.
func (c *coster) layout(s *shapes.Shape) flops.Layout {
	if c.request.Layout != nil {
		return *c.request.Layout
	}
	for dp := min(c.request.Devices, c.workload.Batch); dp > 1; dp-- {
		if c.request.Devices%dp != 0 || c.workload.Batch%dp != 0 {
			continue
		}
		l := flops.Layout{DP: dp, TP: c.request.Devices / dp}
		if l.Validate(s, c.workload) == nil {
			return l
		}
	}
	return flops.Layout{}
}

// cheap returns the cost on one axis without intervals; NaN where it is not known.
func (c *coster) cheap(axis Axis, s *shapes.Shape, p *flops.Parameters) float64 {
	switch axis {
	case ParamsAxis:
		return float64(p.Total)
	case FLOPsAxis:
		return c.steps(float64(p.Total)) * 3 * flops.Forward(s, c.workload)
	case MemoryAxis:
		m, err := flops.TrainingMemory(s, c.workload, c.request.Execution, c.layout(s))
		if err != nil {
			return math.NaN()
		}
		return m.PeakBytes
	case StepTimeAxis, DeviceHoursAxis, CostAxis:
		return c.time(axis, s, p)
	}
	return math.NaN()
}

// time is cheap for the axes that follow from the step time.
func (c *coster) time(axis Axis, s *shapes.Shape, p *flops.Parameters) float64 {
	if c.machine == nil {
		return math.NaN()
	}
	l := c.layout(s)
	seconds, err := c.machine.StepSeconds(s, c.workload, l)
	if err != nil {
		return math.NaN()
	}
	if axis == StepTimeAxis {
		return seconds
	}
	if c.goodput.Interval == nil {
		return math.NaN()
	}
	const secondsPerHour = 3600
	hours := seconds * c.steps(float64(p.Total)) * float64(l.Devices()) / c.goodput.Interval.Value / secondsPerHour
	switch {
	case axis == DeviceHoursAxis:
		return hours
	case c.rates.Price.Interval == nil:
		return math.NaN()
	}
	return hours * c.rates.Price.Interval.Value
}

// full returns the costs of a shown row.
func (c *coster) full(s *shapes.Shape) (Costs, error) {
	r := c.request
	out := Costs{
		Params: flops.CountParameters(s), FLOPs: flops.CountUnder(flops.MatmulConvention, s, c.workload, r.Execution.Recompute),
		Layout:   c.layout(s),
		StepTime: hardware.Estimate{Missing: c.timeless}, TotalTime: hardware.Estimate{Missing: c.timeless},
		Decode: hardware.Estimate{Missing: c.timeless},
	}
	out.Steps = c.steps(float64(out.Params.Total))
	out.RunFLOPs = out.Steps * out.FLOPs.Step
	out.Tokens = c.tokens(float64(out.Params.Total))
	var err error
	if out.Memory, err = flops.TrainingMemory(s, c.workload, r.Execution, out.Layout); err != nil {
		return out, err
	}
	if r.Profile != nil {
		out.Fits = r.Profile.Fits(&out.Memory)
	}
	if c.machine != nil {
		p, err := hardware.Predict(hardware.Run{
			Profile: *r.Profile, Shape: *s, Workload: c.workload, Execution: r.Execution, Layout: out.Layout, Software: r.Software,
		})
		var missing *hardware.MissingError
		switch {
		case errors.As(err, &missing):
			out.StepTime.Missing = missing.Error()
		case err != nil:
			return out, err
		default:
			out.StepTime, out.Bound = hardware.Estimate{Interval: &p.StepSeconds}, p.Bound
		}
	}
	out.bill(c)
	return out, nil
}

// bill adds what follows from the step time.
func (k *Costs) bill(c *coster) {
	steps := k.StepTime
	if steps.Interval != nil {
		run := *steps.Interval
		run.Value, run.Low, run.High = run.Value*k.Steps, run.Low*k.Steps, run.High*k.Steps
		steps.Interval = &run
	}
	o := hardware.Occupy(k.Layout.Devices(), steps, c.goodput)
	k.TotalTime, k.Bill = o.WallSeconds, c.rates.Bill(o)
}

// on returns the cost on one axis, and whether it is known.
func (k *Costs) on(axis Axis) (float64, bool) {
	estimate := func(e hardware.Estimate) (float64, bool) {
		if e.Interval == nil {
			return 0, false
		}
		return e.Interval.Value, true
	}
	switch axis {
	case ParamsAxis:
		return float64(k.Params.Total), true
	case FLOPsAxis:
		return k.RunFLOPs, true
	case MemoryAxis:
		return k.Memory.PeakBytes, true
	case StepTimeAxis:
		return estimate(k.StepTime)
	case DeviceHoursAxis:
		return estimate(k.Bill.DeviceHours)
	case CostAxis:
		return estimate(k.Bill.CostUSD)
	case DecodeAxis:
		return estimate(k.Decode)
	}
	return 0, false
}

// saved compares with the anchor.
func (k *Costs) saved(anchor *Costs) Saved {
	fraction := func(axis Axis) *float64 {
		mine, ok := k.on(axis)
		theirs, known := anchor.on(axis)
		if !ok || !known || theirs == 0 {
			return nil
		}
		f := 1 - mine/theirs
		return &f
	}
	return Saved{
		Params: fraction(ParamsAxis), FLOPs: fraction(FLOPsAxis), StepTime: fraction(StepTimeAxis),
		Memory: fraction(MemoryAxis), Cost: fraction(CostAxis),
	}
}
