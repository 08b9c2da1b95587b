package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// NoHardware is why figures are absent that need a machine.
const NoHardware = "no hardware is named"

// Answer is a planned run: every decision, and all that follows from them. What cannot be known is
// absent with the reason.
type Answer struct {
	Resolved

	Params  flops.Parameters
	Trained int64       // of Params and adapters
	FLOPs   flops.Count // of one step, matmul convention
	Memory  flops.Memory
	Fits    *bool // nil where the device's memory is not known

	StepTime   hardware.Estimate    // seconds
	Prediction *hardware.Prediction // what StepTime is made of; nil where it is absent
	Schedule   hardware.Schedule
	RunFLOPs   hardware.Estimate // of the whole run

	Decode  *Decoded // nil unless asked for
	Serving *Served  // the same

	// with Question.Detail
	Breakdown []flops.Share     // of one forward pass, by component
	Changes   []hardware.Change // what would make it fit, or else faster: see [hardware.Changes]
}

// Answer resolves a question and plans it. Its errors are those of [Question.Resolve] and of
// [hardware.Predict]; a profile that lacks a number leaves what needs it absent.
func (q Question) Answer() (Answer, error) {
	r, err := q.Resolve()
	if err != nil {
		return Answer{Resolved: r}, err
	}
	return r.Answer()
}

// Answer plans a resolved run.
//
//	run FLOPs = steps · FLOPs of a step
//
// See [flops.TrainingMemory], [hardware.Predict] and [hardware.Plan] for the rest.
func (r Resolved) Answer() (Answer, error) {
	s, w, x := &r.Run.Shape, r.Run.Workload, r.Run.Execution
	a := Answer{
		Resolved: r, Params: flops.CountParameters(s),
		Trained: flops.TrainedParameters(s, &x.Tuning), StepTime: hardware.Estimate{Missing: NoHardware},
	}
	a.FLOPs, _ = flops.CountTuned(s, w, &x)
	if err := a.time(); err != nil {
		return a, err
	}
	a.Schedule = hardware.Plan(r.Run.Devices(), a.StepTime, float64(w.TrainingTokens(s)), r.Length,
		r.Goodput, r.Rates)
	a.RunFLOPs = scaled(a.Schedule.Steps, a.FLOPs.Step)
	if r.decode > 0 {
		a.Decode = r.decoded()
	}
	a.Serving = r.Served()
	if r.detail {
		a.Breakdown = flops.NewLedger(s, w).ByComponent()
		if a.Prediction != nil {
			var err error
			if a.Changes, err = hardware.Changes(r.Run); err != nil {
				return a, err
			}
			a.lighten()
		}
	}
	return a, nil
}

// time adds memory and step time.
func (a *Answer) time() error {
	run := &a.Run
	if a.Timed {
		prediction, err := hardware.Predict(*run)
		var missing *hardware.MissingError
		switch {
		case err == nil:
			a.Prediction, a.Memory, a.Fits = &prediction, prediction.Memory, prediction.Fits
			a.StepTime = hardware.Estimate{Interval: &prediction.StepSeconds}
			return nil
		case !errors.As(err, &missing):
			return err
		}
		a.StepTime.Missing = missing.Error()
	}
	var err error
	a.Memory, err = flops.TrainingMemory(&run.Shape, run.Workload, run.Execution, run.Layout)
	if err == nil && a.Timed {
		a.Fits = run.Profile.Fits(&a.Memory)
	}
	return err
}

// Assumptions lists all that the answer rests on and the question did not state: the decisions, what
// the prediction leans on, and the rates of the bill.
func (a *Answer) Assumptions() []Assumption {
	out := slices.Clone(a.Decisions)
	if p := a.Prediction; p != nil {
		for _, n := range p.Assumptions {
			out = append(out,
				Assumption{Name: n.Name, Text: n.Value, Origin: n.Origin, Source: n.Source})
		}
	}
	inputs := []hardware.Input{a.Schedule.Goodput}
	if a.Timed {
		inputs = append(inputs, a.Schedule.Bill.Inputs...)
	}
	for _, in := range inputs {
		out = append(out, Assumption{
			Name: in.Name, Value: in.Interval, Kind: inputKinds[in.Name], Missing: in.Missing,
			Origin: in.Origin, Source: in.Source, Evidence: in.Evidence, Note: in.Note,
		})
	}
	return out
}

// Warnings lists what everybody must be told: of the decisions, and of the prediction.
func (a *Answer) Warnings() []string {
	out := a.Resolved.Warnings()
	if a.Prediction != nil {
		out = append(out, a.Prediction.Warnings...)
	}
	if n := a.Schedule.Steps.Interval; n != nil && n.Value < 1 {
		out = append(out, fmt.Sprintf("the run is %.2g of one step, which takes %s tokens", n.Value,
			quantity.Grouped(int64(a.Run.Workload.TrainingTokens(&a.Run.Shape)))))
	}
	return out
}

// Missing says of every absent figure, by its path in JSON, why it is absent.
func (a *Answer) Missing() map[string]string {
	out := map[string]string{}
	if a.Fits == nil {
		out["memory.fits"] = NoHardware
		if a.Timed {
			out["memory.fits"] = "the profile of " + a.Run.Profile.Name + " states no memory"
		}
	}
	add := func(path string, e hardware.Estimate) {
		if e.Interval == nil {
			out[path] = e.Missing
		}
	}
	add("steps", a.Schedule.Steps)
	add("tokens", a.Schedule.Tokens)
	for _, m := range Metrics() {
		if (m != DecodeLatency || a.Decode != nil) && (m != LifetimeCost || a.Serving != nil) {
			add(m.Path(), m.Of(a))
		}
	}
	return out
}

// scaled multiplies an estimate by an exact number.
func scaled(e hardware.Estimate, by float64) hardware.Estimate {
	if e.Interval == nil {
		return e
	}
	i := *e.Interval
	i.Value, i.Low, i.High = by*i.Value, by*i.Low, by*i.High
	return hardware.Estimate{Interval: &i}
}
