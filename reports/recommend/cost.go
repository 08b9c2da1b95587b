package recommend

import (
	"errors"
	"math"

	"github.com/deepnarrow/deepnarrow/data"
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
	// usual is the layout that candidates are costed with where none is stated: the best one of the
	// template.
	usual flops.Layout
	// execution is the request's, with the recompute mode that usual needs.
	execution flops.Execution
}

func newCoster(r *Request, template *shapes.Shape) (coster, error) {
	c := coster{
		request: r, workload: r.Workload, encodes: template.Encoder.Layers > 0,
		execution: r.Execution,
	}
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
	if err != nil {
		return c, err
	}
	c.machine = &machine
	if r.Layout == nil {
		best := c.search(template)
		c.usual, c.execution.Recompute = best.Layout, best.Recompute
		machine, err = hardware.NewMachine(r.Profile, c.execution, r.Software)
	}
	return c, err
}

// stepTokens returns the training tokens of one step: the inputs of an encoder-decoder, as the
// paper counts its 65,536.
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

// run is a candidate on the request's hardware.
func (c *coster) run(s *shapes.Shape, x flops.Execution, l flops.Layout) hardware.Run {
	return hardware.Run{
		Profile: *c.request.Profile, Shape: *s, Workload: c.workload, Execution: x,
		Layout: l, Software: c.request.Software,
	}
}

// search returns the best layout of a shape with the recompute mode it needs, or, where a search is
// not possible, a plain spread of the batch.
func (c *coster) search(s *shapes.Shape) hardware.LayoutChoice {
	if c.machine != nil {
		run := c.run(s, c.request.Execution, flops.Layout{})
		usable, known := run.Profile.UsableBytes()
		if limit, limited := c.request.Caps[MemoryAxis]; limited && (!known || limit < usable) {
			run.Profile.ReserveBytes = nil
			run.Profile.MemoryBytes = &hardware.Field{
				Fact:   data.Fact{Value: limit},
				Origin: hardware.Flag,
			}
		}
		found, err := hardware.SearchLayout(run, c.request.Devices)
		if err == nil {
			return found.Choices[0]
		}
	}
	return hardware.LayoutChoice{Layout: c.spread(s), Recompute: c.request.Execution.Recompute}
}

// spread returns a layout without regard to time: as many copies as divide both the devices and the
// batch, and what is left of the devices in tensor parallelism. One device is what remains where
// nothing divides.
func (c *coster) spread(s *shapes.Shape) flops.Layout {
	for dp := min(c.request.Devices, c.workload.Batch); dp > 0; dp-- {
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

// layout returns the layout that a candidate is costed with before it is shown: the stated one, the
// template's best, or a plain spread where the shape does not allow that.
func (c *coster) layout(s *shapes.Shape) flops.Layout {
	switch {
	case c.request.Layout != nil:
		return *c.request.Layout
	case c.usual.DP > 0 && c.usual.Validate(s, c.workload) == nil:
		return c.usual
	}
	return c.spread(s)
}

// worthwhile is how much faster a row's own best layout must be before the row leaves the anchor's:
// savings are best compared at one layout.
const worthwhile = 0.05

// shown returns the layout and execution of a shown row. Where none is stated it is the template's
// best, unless the row does not allow or fit it or is clearly faster with its own. Where memory is
// limited or to be saved it stays the one the candidate was costed with, as a faster layout may
// need more.
func (c *coster) shown(s *shapes.Shape) (flops.Layout, flops.Execution) {
	r := c.request
	if _, limited := r.Caps[MemoryAxis]; r.Layout != nil || limited || r.Objective == MemoryAxis || c.machine == nil {
		return c.layout(s), c.execution
	}
	best := c.search(s)
	if c.usual.DP > 0 && c.usual.Validate(s, c.workload) == nil {
		p, err := hardware.Predict(c.run(s, c.execution, c.usual))
		fits := err == nil && (p.Fits == nil || *p.Fits)
		if fits && p.StepSeconds.Value <= best.StepSeconds*(1+worthwhile) {
			return c.usual, c.execution
		}
	}
	x := r.Execution
	x.Recompute = best.Recompute
	return best.Layout, x
}

// cheap returns the cost on one axis without intervals; NaN where it is not known.
func (c *coster) cheap(axis Axis, s *shapes.Shape, p *flops.Parameters) float64 {
	switch axis {
	case ParamsAxis:
		return float64(p.Total)
	case FLOPsAxis:
		return c.steps(float64(p.Total)) * 3 * flops.Forward(s, c.workload)
	case MemoryAxis:
		m, err := flops.TrainingMemory(s, c.workload, c.execution, c.layout(s))
		if err != nil {
			return math.NaN()
		}
		return m.PeakBytes
	case StepTimeAxis, DeviceHoursAxis, CostAxis:
		return c.time(axis, s, p)
	case DecodeAxis:
		if c.machine == nil || s.Decoder.Layers == 0 {
			return math.NaN()
		}
		w := c.answer()
		encoder, step := c.machine.DecodeSeconds(s, w, flops.Layout{})
		return encoder + float64(w.DecoderLength)*step
	}
	return math.NaN()
}

// answer is what decoding latency is of: one sequence of the workload's lengths on one device.
func (c *coster) answer() flops.Workload {
	w := c.workload
	w.Batch = 1
	return w
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
	hours := seconds * c.steps(float64(p.Total)) * float64(
		l.Devices()) / c.goodput.Interval.Value / secondsPerHour
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
	layout, x := c.shown(s)
	layout = layout.For(c.workload)
	out := Costs{
		Params: flops.CountParameters(s), FLOPs: flops.CountUnder(flops.MatmulConvention, s,
			c.workload, x.Recompute),
		Layout: layout, Recompute: x.Recompute,
		StepTime:  hardware.Estimate{Missing: c.timeless},
		TotalTime: hardware.Estimate{Missing: c.timeless},
		Decode:    hardware.Estimate{Missing: c.timeless},
	}
	out.Steps = c.steps(float64(out.Params.Total))
	out.RunFLOPs = out.Steps * out.FLOPs.Step
	out.Tokens = c.tokens(float64(out.Params.Total))
	var err error
	if out.Memory, err = flops.TrainingMemory(s, c.workload, x, layout); err != nil {
		return out, err
	}
	if r.Profile != nil {
		out.Fits = r.Profile.Fits(&out.Memory)
	}
	if c.machine != nil {
		if err := out.predict(c, s, x); err != nil {
			return out, err
		}
	}
	out.bill(c)
	return out, nil
}

// predict adds step time and decoding latency; what a profile lacks leaves them absent.
func (k *Costs) predict(c *coster, s *shapes.Shape, x flops.Execution) error {
	var missing *hardware.MissingError
	p, err := hardware.Predict(c.run(s, x, k.Layout))
	switch {
	case errors.As(err, &missing):
		k.StepTime.Missing = missing.Error()
	case err != nil:
		return err
	default:
		k.StepTime, k.Bound = hardware.Estimate{Interval: &p.StepSeconds}, p.Bound
	}
	if s.Decoder.Layers == 0 {
		k.Decode.Missing = "only a decoder generates"
		return nil
	}
	one := c.run(s, x, flops.Layout{})
	one.Workload = c.answer()
	d, err := hardware.PredictDecoding(one)
	switch {
	case errors.As(err, &missing):
		k.Decode.Missing = missing.Error()
	case err != nil:
		return err
	default:
		k.Decode = hardware.Estimate{Interval: &d.TotalSeconds}
	}
	return nil
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

// On returns the cost on one axis, and whether it is known.
func (k *Costs) On(axis Axis) (float64, bool) {
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
		mine, ok := k.On(axis)
		theirs, known := anchor.On(axis)
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
