package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// paperSteps is how long Tay et al. 2021 (arXiv 2109.10686, section 3) train.
const paperSteps = 524288

func (a *app) plan() *cobra.Command {
	var work workloadFlags
	var machine machineFlags
	var length lengthFlags
	var fitted string
	var decode bool
	c := &cobra.Command{
		Use:     "plan {SHAPE... --hardware NAME | RUN.yaml}",
		Short:   "Plan a run: does it fit, how long, how much, what binds",
		GroupID: groupPlan,
		Long: `Plan a training run: whether it fits in memory, how long a step and the whole
run take, what it costs in money, energy and CO2, each with an 80 % interval, and
what binds. Several shapes and several --hardware stand side by side.

A run is as long as --steps, --tokens or --days say (default 524,288 steps, as in
the paper). --max-cost and --deadline ask the inverse: the most tokens for them.

A YAML file with phases, such as pre-training and fine-tuning on GLUE, is planned
phase by phase and added up to one bill (docs/plan.md).`,
		Example: `  deepnarrow plan t5-base --hardware tpu-v3 --devices 16
  deepnarrow plan t5-3b --hardware a100 --hardware h100 --devices 64 --zero 1 --tokens 34.4B
  deepnarrow plan t5-11b --hardware a100 --devices 64 --layout auto
  deepnarrow plan t5-base --hardware a100 --devices 8 --max-cost '$5000'
  deepnarrow plan t5-base t5-efficient-base-nl4 --hardware a100 --decode
  deepnarrow plan run.yaml`,
		Args:              atLeastOneShape,
		ValidArgsFunction: completeShapes,
		RunE: func(c *cobra.Command, args []string) error {
			if text, err := runFile(args); err != nil || text != nil {
				if err != nil {
					return err
				}
				return a.planPhases(c, args[0], text)
			}
			profiles, err := machine.hardware()
			if err != nil {
				return err
			}
			run, err := length.length()
			if err != nil {
				return err
			}
			var law *learn.Law
			if fitted != "" {
				if law, err = savedLaw(fitted); err != nil {
					return err
				}
			}
			r := newReport("plan")
			r.Document.Inputs["shapes"] = args
			machine.inputs(r.Document.Inputs)
			length.inputs(r.Document.Inputs)
			r.Document.Inputs["execution"] = work.inputs()
			r.Document.Conventions["flops"] = flops.MatmulConvention
			r.Document.Conventions["tokens"] = "positions of the encoder's inputs, or of the decoder's without encoder"
			var plans []reports.Planned
			for _, ref := range args {
				s, warnings, err := a.shape(ref)
				if err != nil {
					return err
				}
				r.Document.Warnings = append(r.Document.Warnings, warnings...)
				for _, p := range profiles {
					planned, err := planRun(p, s, &work, &machine, run, decode)
					if err != nil {
						return err
					}
					if law != nil {
						predictLoss(&planned, law)
					}
					for _, w := range planned.Warnings {
						r.Document.Warnings = append(r.Document.Warnings,
							fmt.Sprintf("%s on %s: %s", s.Name, p.Name, w))
					}
					plans = append(plans, planned)
				}
			}
			r.Plan(plans)
			return a.render(r)
		},
	}
	a.output.register(c)
	work.register(c)
	machine.register(c)
	length.register(c)
	c.Flags().BoolVar(&decode, "decode", false,
		"also predict how long generating an answer takes, of 1 sequence or --batch")
	c.Flags().StringVar(&fitted, "fit", "",
		"also predict the loss by the law in this `file`, as fit -o writes it")
	return c
}

// predictLoss adds the loss that a fitted law predicts for the end of a run.
func predictLoss(p *reports.Planned, law *learn.Law) {
	steps, tokens := p.Schedule.Steps.Interval, p.Schedule.Tokens.Interval
	if steps == nil || tokens == nil {
		p.Warnings = append(p.Warnings, "no loss is predicted: the length of the run is not known")
		return
	}
	loss, err := recommend.PredictLoss(law.Result, &p.Shape, tokens.Value, steps.Value*p.FLOPs.Step)
	if err != nil {
		p.Warnings = append(p.Warnings, "no loss is predicted: "+err.Error())
		return
	}
	p.Loss, p.LossLaw = &loss, law.Source
}

// planRun plans one shape on one profile.
func planRun(p hardware.Profile, s shapes.Shape, work *workloadFlags, machine *machineFlags,
	length hardware.Length, decode bool,
) (reports.Planned, error) {
	none := reports.Planned{}
	run, warnings, err := lay(&p, s, work, machine)
	if err != nil {
		return none, err
	}
	rates, goodput, err := machine.rates(p)
	if err != nil {
		return none, err
	}
	w, layout, execution := run.Workload, run.Layout, run.Execution
	planned := reports.Planned{
		Warnings: warnings,
		Shape:    s, Workload: w, Layout: layout, Execution: execution, Hardware: p.Name,
		Params: flops.CountParameters(&s), FLOPs: flops.CountUnder(flops.MatmulConvention, &s, w,
			execution.Recompute),
		Breakdown: flops.NewLedger(&s, w).ByComponent(),
	}
	if planned.Memory, err = flops.TrainingMemory(&s, w, execution, layout); err != nil {
		return none, usage("", "%w", err)
	}
	planned.Fits = p.Fits(&planned.Memory)
	step := hardware.Estimate{}
	prediction, err := hardware.Predict(run)
	var missing *hardware.MissingError
	switch {
	case err == nil:
		planned.Prediction, step.Interval = &prediction, &prediction.StepSeconds
		planned.Warnings = append(planned.Warnings, prediction.Warnings...)
		if planned.Changes, err = hardware.Sensitivities(run); err != nil {
			return none, err
		}
	case errors.As(err, &missing):
		planned.Untimed, step.Missing = err.Error(), err.Error()
	default:
		return none, usage("", "%w", err)
	}
	if decode {
		if planned.Decode, err = decodeRun(run, work.batch != 0); err != nil {
			return none, err
		}
	}
	planned.Schedule = hardware.Plan(layout.Devices(), step, float64(w.TrainingTokens(&s)), length,
		goodput, rates)
	return planned, nil
}

// searchLayout returns the fastest layout that fits, or the one that needs least with what would
// make it fit.
func searchLayout(run hardware.Run, devices int) (flops.Layout, flops.Recompute, []string, error) {
	found, err := hardware.SearchLayout(run, devices)
	var none *hardware.NoLayoutError
	switch {
	case errors.As(err, &none):
		return flops.Layout{}, 0, nil, noAnswer(err, "change --batch or --devices")
	case err != nil:
		return flops.Layout{}, 0, nil, usage("", "--layout auto: %w", err)
	}
	var remedies []string
	for _, r := range found.Remedies {
		remedies = append(remedies, "would fit with "+r.Change)
	}
	best := found.Choices[0]
	return best.Layout, best.Recompute, remedies, nil
}

// lengthFlags say how long a run is; at most one is given.
type lengthFlags struct {
	steps, tokens, days, deadline, maxCost *float64
}

// registerWork registers only what says how much work the run is.
func (f *lengthFlags) registerWork(c *cobra.Command) {
	f.steps = optionalFlag(c, quantity.Count, "steps", "optimizer steps (default 524288)")
	f.tokens = optionalFlag(c, quantity.Tokens, "tokens", "training tokens, such as 34.4B")
}

func (f *lengthFlags) register(c *cobra.Command) {
	f.registerWork(c)
	f.days = new(float64)
	c.Flags().Var(newDays(f.days), "days", "wall-clock length of the run: 20, 20d or 36h")
	f.deadline = optionalFlag(c, quantity.Duration, "deadline",
		"most wall-clock time, such as 14d: how many tokens fit?")
	f.maxCost = optionalFlag(c, quantity.Money, "max-cost",
		"largest bill, such as $5000: how many tokens does it buy?")
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *lengthFlags) inputs(in map[string]any) {
	for name, v := range map[string]*float64{
		"steps": given(f.steps), "tokens": given(f.tokens), "run_seconds": given(f.days),
		"deadline_seconds": given(f.deadline), "max_cost_usd": given(f.maxCost),
	} {
		if v != nil {
			in[name] = *v
		}
	}
}

// stated reports whether any flag says how long the run is.
func (f *lengthFlags) stated() bool {
	for _, v := range []*float64{f.steps, f.tokens, f.days, f.deadline, f.maxCost} {
		if given(v) != nil {
			return true
		}
	}
	return false
}

// mostLength bounds every way to say how long a run is, in its base unit: a million times the
// longest run on record, and whole numbers of it are printed.
const mostLength = 1e18

func (f *lengthFlags) length() (hardware.Length, error) {
	var out hardware.Length
	chosen := ""
	for _, option := range []struct {
		name   string
		value  *float64
		target *float64
	}{
		{"--steps", given(f.steps), &out.Steps},
		{"--tokens", given(f.tokens), &out.Tokens},
		{"--days", given(f.days), &out.WallSeconds},
		{"--deadline", given(f.deadline), &out.WallSeconds},
		{"--max-cost", given(f.maxCost), &out.MaxUSD},
	} {
		switch {
		case option.value == nil: // not given, or not a flag of this command
		case chosen != "":
			return out, usage("", "%s and %s both say how long the run is; allowed: one of them",
				chosen, option.name)
		case *option.value == 0:
			return out, usage("", "%s is 0; allowed: more than 0", option.name)
		case *option.value > mostLength:
			return out, usage("", "%s is %s; allowed: up to 1e18", option.name,
				quantity.Shortest(*option.value))
		case option.value == f.steps && *option.value < 1:
			return out, usage("", "--steps is %s; allowed: 1 or more",
				quantity.Shortest(*option.value))
		default:
			chosen, *option.target = option.name, *option.value
		}
	}
	if chosen == "" {
		out.Steps = paperSteps
	}
	return out, nil
}
