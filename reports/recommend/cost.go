package recommend

import (
	"errors"
	"math"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// coster prices candidates for one request: cheaply while there are many, by [plan.Question] for
// those that are shown.
type coster struct {
	request *Request
	// usual is how the template is planned. Candidates are costed so, and shown so unless their own
	// layout is clearly faster.
	usual    plan.Resolved
	layouts  []flops.Layout    // usual first, then what takes fewer devices or splits less well
	machine  *hardware.Machine // nil where no step time can be had
	timeless string            // why
	// served is how the template is served; candidates are served by as many devices a copy. Nil
	// without traffic.
	served *plan.Served
	server *hardware.Machine // of served; nil where that cannot be known
	// longest is how long an answer may take by the value of its time; +Inf without a limit.
	longest float64
}

func newCoster(r *Request, template *shapes.Shape) (coster, error) {
	c := coster{request: r}
	var err error
	var missing *hardware.MissingError
	c.usual, err = r.Question.Of(template).Resolve()
	if errors.As(err, &missing) { // nothing can be timed, so that there is no fastest layout
		r.Question.Search = false
		c.usual, err = r.Question.Of(template).Resolve()
	}
	if err != nil {
		return c, err
	}
	run := &c.usual.Run
	c.layouts = append(c.layouts, run.Layout)
	if !c.usual.Timed {
		c.timeless = plan.NoHardware
		return c, nil
	}
	if r.Question.Search {
		c.layouts = append(c.layouts, spreads(run.Devices(), run.Workload)...)
	}
	machine, err := hardware.NewMachine(&run.Profile, run.Execution, run.Software)
	if errors.As(err, &missing) {
		c.timeless = missing.Error()
		return c, nil
	}
	c.machine = &machine
	if err == nil {
		err = c.serve()
	}
	return c, err
}

// serve finds how the template serves the traffic. Candidates are served by as many devices a copy,
// and screened as if the interval of their answers were as wide.
func (c *coster) serve() error {
	if c.served = c.usual.Served(); c.served == nil || c.served.Decoding == nil {
		return nil
	}
	run := &c.served.Run
	server, err := hardware.NewMachine(&run.Profile, run.Execution, run.Software)
	if err != nil {
		return err
	}
	c.server = &server
	fixed := c.served.Serving
	fixed.Batch = 0
	if c.longest = math.Inf(1); c.served.MaxSeconds > 0 {
		sure, _ := c.served.Seconds().AtMost(c.served.Sure)
		c.longest = c.served.MaxSeconds * c.served.Decoding.TotalSeconds.Value / sure
	}
	c.request.Question.Serving, c.usual = &fixed, c.usual.Serves(fixed)
	return nil
}

// life returns the dollars of serving a shape; NaN where they are not known.
func (c *coster) life(s *shapes.Shape) float64 {
	price := c.usual.Rates.Price.Interval
	if c.server == nil || price == nil || s.Decoder.Layers == 0 {
		return math.NaN()
	}
	run := c.served.Run
	run.Shape = *s
	least := math.NaN() // seconds of a sequence
	for batch := 1; batch <= plan.MostServed; batch *= 2 {
		run.Workload.Batch = batch
		m, err := flops.DecodingMemory(s, run.Workload, run.Execution, run.Layout)
		if fits := run.Profile.Fits(&m); err != nil || fits != nil && !*fits {
			break
		}
		seconds := c.server.GenerateSeconds(&run, float64(c.served.Decoding.Generated))
		if seconds > c.longest {
			break
		}
		if each := seconds / float64(batch); !(each >= least) {
			least = each
		}
	}
	requests := c.served.Tokens / float64(c.served.Prompt+c.served.Generate)
	return requests * least * float64(c.served.TP) * price.Value / secondsPerHour
}

// spreads lists layouts without regard to time, for shapes that do not allow the usual one: copies
// that divide devices and batch, the rest of the devices in tensor parallelism; one device at last.
func spreads(devices int, w flops.Workload) []flops.Layout {
	var out []flops.Layout
	for dp := min(devices, w.Batch); dp > 0; dp-- {
		if devices%dp == 0 && w.Batch%dp == 0 {
			out = append(out, flops.Layout{DP: dp, TP: devices / dp}.For(w))
		}
	}
	return append(out, flops.Layout{}.For(w))
}

// layout returns the first layout that a candidate allows, the usual one where it allows none.
func (c *coster) layout(s *shapes.Shape) flops.Layout {
	if len(c.layouts) > 1 {
		for _, l := range c.layouts {
			if l.Validate(s, c.usual.Run.Workload) == nil {
				return l
			}
		}
	}
	return c.layouts[0]
}

// stepTokens returns the training tokens of one step.
func (c *coster) stepTokens() float64 {
	return float64(c.usual.Run.Workload.TrainingTokens(&c.usual.Run.Shape))
}

// length returns how long the run of a candidate with that many parameters is.
func (c *coster) length(params float64) hardware.Length {
	if ratio := c.request.TokensPerParam; ratio > 0 {
		return hardware.Length{Tokens: ratio * params}
	}
	return c.usual.Length
}

// tokens returns the training tokens of a candidate with that many parameters.
func (c *coster) tokens(params float64) float64 {
	if l := c.length(params); l.Tokens > 0 {
		return l.Tokens
	}
	return c.usual.Length.Steps * c.stepTokens()
}

// steps returns the optimizer steps of a candidate with that many parameters.
func (c *coster) steps(params float64) float64 { return c.tokens(params) / c.stepTokens() }

// costs are the metrics that candidates can be limited and ranked by, see cheap.
var costs = [...]plan.Metric{
	plan.Params, plan.RunFLOPs, plan.StepTime, plan.DeviceHours, plan.Cost, plan.Memory,
	plan.DecodeLatency, plan.LifetimeCost,
}

// cheap returns one of costs as [plan.Metric.Of] would, without interval and at the usual layout;
// NaN where it is not known.
func (c *coster) cheap(metric plan.Metric, s *shapes.Shape, p *flops.Parameters) float64 {
	run := &c.usual.Run
	switch metric {
	case plan.Params:
		return float64(p.Total)
	case plan.RunFLOPs:
		return c.steps(float64(p.Total)) * 3 * flops.Forward(s, run.Workload)
	case plan.Memory:
		m, err := flops.TrainingMemory(s, run.Workload, run.Execution, c.layout(s))
		if err != nil {
			return math.NaN()
		}
		return m.PeakBytes
	case plan.StepTime, plan.DeviceHours, plan.Cost:
		return c.time(metric, s, p)
	case plan.DecodeLatency:
		if c.machine == nil || s.Decoder.Layers == 0 {
			return math.NaN()
		}
		one := run.Workload
		one.Batch = 1
		encoder, step := c.machine.DecodeSeconds(s, one, flops.Layout{TP: c.layout(s).TP})
		return encoder + float64(one.DecoderLength)*step
	case plan.LifetimeCost:
		return c.time(plan.Cost, s, p) + c.life(s)
	}
	return math.NaN()
}

// time is cheap for what follows from the step time.
func (c *coster) time(metric plan.Metric, s *shapes.Shape, p *flops.Parameters) float64 {
	if c.machine == nil {
		return math.NaN()
	}
	run := c.usual.Run
	run.Layout = c.layout(s)
	seconds, err := c.machine.StepSeconds(s, run.Workload, run.Layout)
	if err != nil {
		return math.NaN()
	}
	if metric == plan.StepTime {
		return seconds
	}
	hours := seconds * c.steps(float64(p.Total)) * float64(run.Devices()) /
		c.usual.Goodput.Interval.Value / secondsPerHour
	price := c.usual.Rates.Price.Interval
	switch {
	case metric == plan.DeviceHours:
		return hours
	case price == nil:
		return math.NaN()
	}
	return hours * price.Value
}

// worthwhile is how much faster a row's own best layout must be before the row leaves the usual
// one: savings are best compared at one layout.
const worthwhile = 0.05

// full plans a shape that is shown. A layout that is searched is the template's, unless the shape
// does not allow or fit it or is clearly faster with its own. Where memory is limited or to be
// saved it stays the one that the candidate was costed with, as a faster layout may need more.
func (c *coster) full(s *shapes.Shape) (plan.Answer, error) {
	r := c.request
	usual, invalid := c.usual.With(s)
	_, limited := r.Caps[plan.Memory]
	free := r.Question.Search && !limited && r.Objective != plan.Memory && c.machine != nil
	switch {
	case invalid != nil && !r.Question.Search:
		return plan.Answer{}, invalid
	case invalid != nil && !free:
		return c.answer(usual.At(c.layout(s)))
	case !free:
		return c.answer(usual)
	}
	own, err := r.Question.Of(s).Resolve()
	switch {
	case err != nil && invalid != nil: // no layout takes all devices
		return c.answer(usual.At(c.layout(s)))
	case invalid != nil:
		return c.answer(own)
	case err != nil || own.Run.Layout == usual.Run.Layout &&
		own.Run.Execution == usual.Run.Execution:
		return c.answer(usual)
	}
	a, err := c.answer(usual)
	if err != nil {
		return a, err
	}
	b, err := c.answer(own)
	if err != nil || a.StepTime.Interval == nil || a.Fits != nil && !*a.Fits {
		return b, err
	}
	if a.StepTime.Interval.Value <= b.StepTime.Interval.Value*(1+worthwhile) {
		return a, nil
	}
	return b, nil
}

// answer plans a resolved row as long as its size says.
func (c *coster) answer(r plan.Resolved) (plan.Answer, error) {
	r.Length = c.length(float64(flops.CountParameters(&r.Run.Shape).Total))
	return r.Answer()
}
