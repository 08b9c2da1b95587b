package track

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// Plan is one run of a plan document. What the document lacks is nil or 0.
type Plan struct {
	Name        string // shape, devices and hardware
	Hardware    string // as the command line had it, else its name
	Devices     int
	StepSeconds *quantity.Interval
	Level       float64 // of the intervals
	Steps       float64
	StepTokens  float64 // training tokens of a step
	BothTokens  float64 // positions of both stacks of a step
	WallSeconds *quantity.Interval
	USD         *quantity.Interval
	USDPerHour  float64 // of one device
	Goodput     quantity.Interval
	Loss        *quantity.Interval // at the end, by the law of the plan
	MaxUSD      float64            // that the plan was made to keep; 0 where it was not

	run result.Plan
}

// ReadPlan returns the run number n, from 1, of a document that the command plan wrote; 0 stands for
// the only one. file is its name in the errors, each of which says what is not a plan.
func ReadPlan(file string, text []byte, n int) (*Plan, error) {
	var doc struct {
		Schema string `json:"schema"`
		Inputs struct {
			Hardware []string `json:"hardware"`
			MaxUSD   float64  `json:"max_cost_usd"`
		} `json:"inputs"`
		Results []json.RawMessage `json:"results"`
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s", file, fmt.Sprintf(format, args...))
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, wrong("not a plan: no JSON document, as deepnarrow plan -o plan.json writes")
	}
	const want = "deepnarrow/plan/"
	if !strings.HasPrefix(doc.Schema, want) {
		return nil, wrong("schema is %.80q; allowed: %s…, as deepnarrow plan -o plan.json writes",
			doc.Schema, want)
	}
	var all []*Plan
	var names []string
	for _, raw := range doc.Results {
		p, err := planOf(raw)
		if err != nil {
			return nil, wrong("not a plan: %v", err)
		}
		all = append(all, p)
		names = append(names, fmt.Sprintf("%d: %s", len(all), p.Name))
	}
	switch {
	case len(all) == 0:
		return nil, wrong("no planned run")
	case n == 0 && len(all) > 1 || n < 0 || n > len(all):
		return nil, wrong("%d planned runs; allowed: --result with the number of one of %s", len(all),
			strings.Join(names, "; "))
	}
	p := all[max(n, 1)-1]
	p.MaxUSD = doc.Inputs.MaxUSD
	if len(doc.Inputs.Hardware) == 1 {
		p.Hardware = doc.Inputs.Hardware[0]
	}
	if p.Steps <= 0 {
		return nil, wrong("%s has no number of steps: %s", p.Name, "its step time is not known")
	}
	return p, nil
}

// planOf reads one result.
func planOf(raw json.RawMessage) (*Plan, error) {
	p := &Plan{}
	r := &p.run
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, err
	}
	p.Devices = max(1, r.Devices)
	p.Name = fmt.Sprintf("%s on %d × %s", r.Shape.Name, p.Devices, r.Hardware)
	p.Hardware = r.Hardware
	p.StepSeconds, p.WallSeconds = usable(r.Time.StepSeconds), usable(r.Time.TotalSeconds)
	p.Level, p.USD, p.Loss = r.Time.Level, usable(r.Cost.USD), usable(r.Loss)
	w := &r.Workload
	p.StepTokens = float64(w.Tokens)
	p.BothTokens = float64(w.Batch) * float64(w.EncoderLength+w.DecoderLength)
	if i := usable(r.Steps); i != nil {
		p.Steps = i.Value
	}
	p.Goodput = *hardware.DefaultGoodput().Interval
	if w.Goodput != nil && *w.Goodput > 0 && *w.Goodput <= 1 {
		p.Goodput = *hardware.Exactly(*w.Goodput).Interval
	}
	for _, a := range r.Assumptions {
		switch {
		case usable(a.Value) == nil:
		case a.Name == "goodput":
			p.Goodput = *a.Value
		case a.Name == "price":
			p.USDPerHour = a.Value.Value
		}
	}
	if c := &r.Cost; p.USDPerHour == 0 && c.USD != nil && c.DeviceHours != nil &&
		c.DeviceHours.Value > 0 {
		p.USDPerHour = c.USD.Value / c.DeviceHours.Value
	}
	if !(p.Level > 0 && p.Level < 1) {
		p.Level = hardware.Level
	}
	return p, nil
}

// largest bounds every amount of a plan and of a log, in its base unit: far above what any run has, and
// far below what their products can hold.
const largest = 1e18

// usable returns an interval of positive amounts in order; nil for others, which a document that nobody
// changed does not have.
func usable(i *quantity.Interval) *quantity.Interval {
	if i == nil || !(i.Low > 0 && i.Low <= i.Value && i.Value <= i.High && i.High < largest) {
		return nil
	}
	return i
}

// question returns the planned run as a question that states every decision of the plan.
func (p *Plan) question(s *shapes.Shape, profile *hardware.Profile) plan.Question {
	w, x, l := &p.run.Workload, &p.run.Execution, &p.run.Layout
	q := plan.Question{
		Shape: *s, Profile: profile,
		Workload: flops.Workload{
			Batch: w.Batch, EncoderLength: w.EncoderLength, DecoderLength: w.DecoderLength,
		},
		Precision: &x.Precision, Optimizer: &x.Optimizer, Attention: &x.Attention,
		Recompute: &x.Recompute, Dropout: w.Dropout != nil && *w.Dropout,
		Layout: flops.Layout{
			DP: l.DP, TP: l.TP, PP: l.PP, Interleave: l.Interleave, ZeRO: l.ZeRO,
			MicroBatch: l.MicroBatch, Accumulate: l.Accumulate, SequenceParallel: x.SequenceParallel,
		},
		Software: hardware.Software{
			Compiled: &x.Compiled, ContextParallel: l.Context, ExpertParallel: l.Expert,
		},
		Length: hardware.Length{Steps: p.Steps},
	}
	if x.Stack != plan.AverageStack {
		q.Software.Stack = x.Stack
	}
	return q
}

// Calibrated returns the profile of the plan's hardware with the step-time model fitted to the level of
// the steps of this run, see [calibrate.FitProfile]: a run is one measurement, however many its steps.
// file is the log's name, for the profile to tell.
//
// Errors: no step times; a shape or layout that cannot be planned any more; those of the fit.
func (a *Answer) Calibrated(profile hardware.Profile, file string) (hardware.Profile, error) {
	if a.Pace == nil {
		return profile, errors.New("the log has no step times to calibrate by")
	}
	s, err := a.Plan.shape()
	if err != nil {
		return profile, err
	}
	r, err := a.Plan.question(&s, &profile).Resolve()
	if err != nil {
		return profile, err
	}
	out, _, err := calibrate.FitProfile(profile, []calibrate.Measurement{{
		Run: r.Run, Seconds: a.Pace.Step.Value, Group: s.Name,
		Where: fmt.Sprintf("%s, %.0f steps", file, a.Pace.Steps),
	}}, []string{file})
	return out, err
}

// shape returns the shape of the planned run.
func (p *Plan) shape() (shapes.Shape, error) {
	text, err := json.Marshal(&p.run.Shape)
	if err != nil {
		return shapes.Shape{}, err
	}
	r, err := config.Read("shape.json", bytes.NewReader(text), config.Options{})
	if err != nil {
		return shapes.Shape{}, fmt.Errorf("the shape in the plan: %w", err)
	}
	return r.Shape, nil
}
